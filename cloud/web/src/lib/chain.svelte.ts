/** Where every store stands: convergence and boxes, asked once, and again when live events tell of it. */

import * as api from "../api/calls.ts";
import { readSummary, type ConvergenceSummary } from "../api/convergence.ts";
import type { Box } from "../api/types.ts";
import { calmly } from "./calm.ts";
import { live } from "./live.svelte.ts";
import { Remote } from "./remote.svelte.ts";
import { session } from "./session.svelte.ts";

/** The cloud judges every store for each answer, so a burst of reports asks for few of them. */
const LOOK_MS = 2000;

class Chain {
  /** The whole chain in a few numbers. */
  readonly summary = new Remote<ConvergenceSummary>();
  readonly boxes = new Remote<Box[]>();
  readonly behind = $derived(
    this.summary.data === null ? 0 : this.summary.data.total - (this.summary.data.states["current"] ?? 0),
  );

  /** Ask and listen; returns the function that stops listening. */
  start(): () => void {
    if (!session.may("fleet.read")) return () => undefined;
    // Thousands of stores may move within a second: the numbers are asked for once.
    const look = calmly(LOOK_MS, () => void this.#look());
    const stops = [
      live.on("convergence", look.now),
      look.stop,
      live.on("fleet", (boxes) => this.#takeBoxes(boxes)),
      live.onBack(() => void this.reload()),
    ];
    void this.reload();
    return () => stops.forEach((stop) => stop());
  }

  async reload(): Promise<void> {
    await Promise.all([this.#look(), this.boxes.load(api.listBoxes)]);
  }

  async #look(): Promise<void> {
    await this.summary.load(readSummary);
  }

  #takeBoxes(boxes: Box[]): void {
    const known = this.boxes.data;
    if (known === null) return;
    const newest = new Map(boxes.map((box) => [box.dev, box]));
    this.boxes.data = [...known.filter((box) => !newest.has(box.dev)), ...newest.values()];
  }
}

export const chain = new Chain();
