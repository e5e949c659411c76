/** What on the chain needs a person, from what the console already knows. */

import type { Box, CloseRow, ConvergenceRow } from "../api/types.ts";
import { t } from "./app.svelte.ts";
import { ago, count } from "./format.ts";
import { href } from "./router.svelte.ts";
import { becauseText, isActive, stateText, streamText, type Tone } from "./states.ts";
import { stores } from "./stores.svelte.ts";

export interface Matter {
  id: string;
  tone: Tone;
  title: string;
  text: string;
  href: string;
}

function ofBox(box: Box, nowMs: number): Matter[] {
  const matters: Matter[] = [];
  if (!isActive(box)) return [];
  if (!box.online) {
    matters.push({
      id: `offline ${box.dev}`,
      tone: "bad",
      title: t("console.attention.offline", { store: box.store_name }),
      text: t("console.attention.offline_text", {
        age: ago(box.last_contact_at_ms, nowMs),
        unsynced: count(box.unsynced),
      }),
      href: "/stores",
    });
  }
  if (box.stream_status !== null && box.stream_status !== "open") {
    matters.push({
      id: `stream ${box.dev}`,
      tone: "bad",
      title: t("console.attention.stream", { store: box.store_name }),
      text: t("console.attention.stream_text", { status: streamText(box.stream_status) }),
      href: "/stores",
    });
  }
  return matters;
}

function ofStore(row: ConvergenceRow): Matter {
  return {
    id: `behind ${row.store_id}`,
    tone: row.state === "refused" ? "bad" : "warn",
    title: t("console.attention.behind", { store: row.name, target: row.target_rev ?? 0 }),
    text: [stateText(row.state), becauseText(row.because)].filter((part) => part !== "").join(" · "),
    href: href("/convergence", { state: "behind" }),
  };
}

function ofClose(row: CloseRow): Matter {
  return {
    id: `close ${row.store_id} ${row.business_date}`,
    tone: "bad",
    title: t("console.attention.close", { store: stores.name(row.store_id) }),
    text: t("console.attention.close_text", { date: row.business_date }),
    href: href("/daily-close", {
      store: row.store_id,
      from: row.business_date,
      to: row.business_date,
    }),
  };
}

export function mattersOf(
  known: { boxes: Box[]; convergence: ConvergenceRow[]; closes: CloseRow[] },
  nowMs: number,
): Matter[] {
  const offline = new Set(known.boxes.filter((box) => isActive(box) && !box.online).map((box) => box.store_id));
  return [
    ...known.closes.filter((row) => row.box_matches === false).map(ofClose),
    ...known.boxes.flatMap((box) => ofBox(box, nowMs)),
    // A store whose box is offline is behind because of that: one line says it.
    ...known.convergence
      .filter((row) => row.state !== "current" && !offline.has(row.store_id))
      .map(ofStore),
  ];
}
