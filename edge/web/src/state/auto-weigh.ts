/** Whether a weight that is stable may be sold untouched: only what came onto an empty pan. */

/** Nothing, or only the container, lies on the pan. */
const EMPTY: ReadonlySet<string> = new Set(["zero", "under", "tare_above"]);

/**
 * Goods that lay there before the next ones were named are somebody else's, also when they are
 * nudged or the scale is silent for a moment: only a pan that was seen empty counts.
 */
export class AutoWeigh {
  #wasEmpty = false;

  /** Take the scale's condition; true once for each weight that may be sold. */
  sees(condition: string): boolean {
    if (EMPTY.has(condition)) this.#wasEmpty = true;
    if (condition !== "stable" || !this.#wasEmpty) return false;
    this.#wasEmpty = false;
    return true;
  }
}
