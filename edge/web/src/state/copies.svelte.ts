/** This page's copies of the journal: when the keeper may work, and what there is to tell. */
import { ProblemError } from "@tillbox/web/client.ts";
import type { LaneApi } from "../api/box.ts";
import type { BoxStatus } from "../api/lane-view.ts";
import { CarbonKeeper, type CopyNotice, type JournalStatus } from "./carbon-keeper.ts";
import { IndexedShelf } from "./carbon-shelf.ts";

/** The lane counts as quiet so long after its last change. */
const QUIET_MS = 700;
/** A lane that never rests is not waited for longer than this. */
const PATIENCE_MS = 10_000;

export class Copies {
  notice: CopyNotice | null = $state.raw(null);
  /** How many entries lie in this browser; null where it keeps nothing. */
  kept: number | null = $state(null);
  #api: LaneApi | null = null;
  #changedAt = 0;
  #turnAt = 0;
  readonly #keeper: CarbonKeeper;

  constructor() {
    const api = (): LaneApi => {
      if (this.#api === null) throw new Error("no lane");
      return this.#api;
    };
    this.#keeper = new CarbonKeeper({
      shelf: new IndexedShelf(),
      box: {
        carbons: (after) => api().carbons(after),
        wanted: (held) => api().wantedCopies([...held]),
        handIn: (lines) => api().handIn(lines),
      },
      onNotice: (notice) => (this.notice = notice),
      isRefusal: (error) =>
        error instanceof ProblemError && /^(carbon|salvage)\./.test(error.problem.code),
    });
  }

  /** The lane has changed: a sale goes before its copies. */
  busy(): void {
    this.#changedAt = performance.now();
  }

  /** The box has told how it is. */
  told(status: BoxStatus, api: LaneApi, signedIn: boolean): void {
    const now = performance.now();
    const isQuiet = now - this.#changedAt >= QUIET_MS || now - this.#turnAt >= PATIENCE_MS;
    if (!isQuiet) return;
    this.#turnAt = now;
    this.#api = api;
    void this.#turn(status.journal, signedIn);
  }

  async #turn(journal: JournalStatus, signedIn: boolean): Promise<void> {
    try {
      await this.#keeper.turn(journal, signedIn);
      this.kept = this.#keeper.entries;
    } catch (error) {
      // A box that is away and a browser without room are tried again with the next status.
      if (!(error instanceof ProblemError) && !(error instanceof DOMException)) throw error;
    }
  }
}
