/** How many work items are open: the badge in the navigation. */

import * as api from "../api/calls.ts";
import type { WorkRow } from "../api/types.ts";
import { t, texts } from "./app.svelte.ts";
import { fullInstant } from "./format.ts";
import { live } from "./live.svelte.ts";
import { session } from "./session.svelte.ts";

const LOOK_MS = 60_000;
/** The farthest instant that a Date can hold; the clock of a flagged record may say anything. */
const INSTANT_MS_MAX = 8.64e15;

class Work {
  open = $state(0);

  /** Ask now and every minute; returns the function that stops it. */
  start(): () => void {
    if (!session.may("work.read")) return () => undefined;
    void this.look();
    const timer = setInterval(() => void this.look(), LOOK_MS);
    const stop = live.onBack(() => void this.look());
    return () => {
      clearInterval(timer);
      stop();
    };
  }

  /** A badge that cannot be asked for keeps its number: the pages say what is wrong. */
  async look(): Promise<void> {
    try {
      this.open = (await api.listWork({ size: 1 })).open;
    } catch {
      return;
    }
  }
}

export const work = new Work();

type Part = "title" | "what" | "do";

/** The words for an item: its code's own, else those of its kind, else the general ones. */
export function workText(item: Pick<WorkRow, "code" | "kind">, part: Part): string {
  return (
    texts.find(`work.${item.code}.${part}`) ??
    texts.find(`work.${item.kind}.other.${part}`) ??
    t(`work.other.${part}`)
  );
}

export function workInstant(atMs: number): string {
  return Math.abs(atMs) > INSTANT_MS_MAX ? String(atMs) : fullInstant(atMs);
}
