/** What is dangerous asks for the password again: one dialog for all pages. */

import { ProblemError } from "@tillbox/web/client.ts";

class Confirmation {
  /** Whether the dialog stands open. */
  isAsked = $state(false);
  #settle: ((isDone: boolean) => void) | null = null;

  /** Do the work; when the cloud wants a proof of who this is, ask for it and do it again. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.code !== "session.confirm") throw error;
      if (!(await this.#ask())) throw error;
      return await work();
    }
  }

  settle(isDone: boolean): void {
    this.isAsked = false;
    this.#settle?.(isDone);
    this.#settle = null;
  }

  #ask(): Promise<boolean> {
    this.#settle?.(false);
    this.isAsked = true;
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

export const confirmation = new Confirmation();
