/** One question to the cloud and its latest answer, with the states a page has to show. */

import { ProblemError, type Problem } from "@tillbox/web/client.ts";
import { session } from "./session.svelte.ts";

/** What the page says when something failed inside the console itself. */
const OWN_FAULT: Problem = { status: -1, code: "console.fault", params: {}, detail: "" };

/** Read a thrown value as a problem; a session that has ended leads back to the sign-in screen. */
export function problemFrom(error: unknown): Problem {
  if (!(error instanceof ProblemError)) {
    console.error(error);
    return OWN_FAULT;
  }
  if (error.problem.status === 401 && session.who !== null) session.expire();
  return error.problem;
}

export class Remote<T> {
  data: T | null = $state.raw(null);
  problem: Problem | null = $state.raw(null);
  loading = $state(true);
  #turn = 0;
  #ask: (() => Promise<T>) | null = null;

  /** Ask; an answer that a later question has overtaken is dropped. */
  async load(ask: () => Promise<T>): Promise<void> {
    this.#ask = ask;
    this.#turn += 1;
    const turn = this.#turn;
    this.loading = true;
    try {
      const data = await ask();
      if (turn !== this.#turn) return;
      this.data = data;
      this.problem = null;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.problem = problemFrom(error);
    }
    this.loading = false;
  }

  /** Ask the same question once more. */
  async again(): Promise<void> {
    if (this.#ask !== null) await this.load(this.#ask);
  }
}
