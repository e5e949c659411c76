/** Whether what was published has come to the people at a store's tills. */

import type { ConvergenceRow } from "../api/types.ts";

/** What people at headquarters call the state of a store.  The cloud calls it current once its box
 * sells with the revision; here it has arrived only when a till has shown it, too. */
export const stateOf = (row: ConvergenceRow): string =>
  row.state === "current" && row.because === "till_not_shown" ? "not_shown" : row.state;

export const hasArrived = (row: ConvergenceRow): boolean => stateOf(row) === "current";
