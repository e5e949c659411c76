/** F1 to F12 as the hotkeys of the sell screen, and digits that find their way to the code field. */
import { till } from "./till.svelte.ts";
import { payCash } from "./pay.ts";

/** Shown on the buttons once a key was used; one place for handler and label. */
export const KEYS = {
  notes: ["F1", "F2", "F3", "F4"],
  cash: "F5",
  card: "F6",
  coupon: "F7",
  member: "F8",
  undo: "F10",
  search: "F11",
  lock: "F12",
} as const;

type Handler = () => void;

function sellingKeys(): Record<string, Handler> {
  const view = till.view;
  if (view === null || (view.state !== "selling" && view.state !== "done")) return {};
  const keys: Record<string, Handler> = {
    [KEYS.search]: () => till.open({ name: "search", q: "" }),
    [KEYS.lock]: () => void till.signOut(),
  };
  // As the buttons do: a command under way (pieces by "3*") must not swallow the next key.
  if (view.state === "done" || till.lane.silent) return keys;
  if (view.can_undo) {
    keys[KEYS.undo] = () => void till.run("undo", (api) => api.undo());
  }
  if (view.basket.tenders.length === 0) keys[KEYS.member] = () => till.open({ name: "member" });
  if (!view.can_pay) return keys;
  const takes = new Set(view.tenders);
  if (takes.has("cash")) keys[KEYS.cash] = () => till.open({ name: "cash" });
  if (takes.has("card")) keys[KEYS.card] = () => till.open({ name: "card" });
  if (takes.has("manufacturer_coupon")) keys[KEYS.coupon] = () => till.open({ name: "coupon" });
  view.quick_cash.forEach((amount, index) => {
    const key = KEYS.notes[index];
    if (key !== undefined) keys[key] = () => payCash(amount);
  });
  return keys;
}

/** Handle a key of the whole page; typed text goes to `field` when nothing else has the focus. */
export function onKey(event: KeyboardEvent, field: HTMLInputElement | null): void {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (/^F\d{1,2}$/.test(event.key) || event.key === "Tab") {
    document.documentElement.dataset["keys"] = "shown";
  }
  if (/^F\d{1,2}$/.test(event.key)) {
    event.preventDefault();
    if (till.dialog === null && till.asking === null && !event.repeat) sellingKeys()[event.key]?.();
    return;
  }
  const idle = document.activeElement === document.body || document.activeElement === null;
  if (idle && till.dialog === null && till.asking === null && /^[0-9*]$/.test(event.key)) field?.focus();
}

/** A touch ends keyboard mode: the labels of the keys go. */
export function onPointer(): void {
  delete document.documentElement.dataset["keys"];
}
