/** Where every store stands: convergence and boxes, asked once and kept current by live events. */

import * as api from "../api/calls.ts";
import type { Box, Convergence, ConvergenceRow } from "../api/types.ts";
import { hasArrived } from "./arrival.ts";
import { live } from "./live.svelte.ts";
import { Remote } from "./remote.svelte.ts";
import { session } from "./session.svelte.ts";

class Chain {
  readonly convergence = new Remote<Convergence>();
  readonly boxes = new Remote<Box[]>();
  readonly behind = $derived(
    (this.convergence.data?.stores ?? []).filter((store) => !hasArrived(store)).length,
  );

  /** Ask and listen; returns the function that stops listening. */
  start(): () => void {
    if (!session.may("fleet.read")) return () => undefined;
    const stops = [
      live.on("convergence", (rows) => this.#takeStores(rows)),
      live.on("fleet", (boxes) => this.#takeBoxes(boxes)),
      live.onBack(() => void this.reload()),
    ];
    void this.reload();
    return () => stops.forEach((stop) => stop());
  }

  async reload(): Promise<void> {
    await Promise.all([
      this.convergence.load(api.readConvergence),
      this.boxes.load(api.listBoxes),
    ]);
  }

  #takeStores(rows: ConvergenceRow[]): void {
    const known = this.convergence.data;
    if (known === null) return;
    const newest = new Map(rows.map((row) => [row.store_id, row]));
    const kept = known.stores.filter((row) => !newest.has(row.store_id));
    const targets = rows.map((row) => row.target_rev ?? 0);
    this.convergence.data = {
      target_rev: Math.max(known.target_rev, ...targets),
      stores: [...kept, ...newest.values()],
    };
  }

  #takeBoxes(boxes: Box[]): void {
    const known = this.boxes.data;
    if (known === null) return;
    const newest = new Map(boxes.map((box) => [box.dev, box]));
    this.boxes.data = [...known.filter((box) => !newest.has(box.dev)), ...newest.values()];
  }
}

export const chain = new Chain();
