/** What went wrong, in the words of the screen's language. */

import type { Problem } from "@tillbox/web/client.ts";
import { t, texts } from "./app.svelte.ts";

/** The text of an error code; a code without a text shows the server's own sentence. */
export function codeText(code: string, params: Problem["params"], detail: string): string {
  return texts.find(`error.${code}`, params) ?? (detail === "" ? code : detail);
}

export function problemText(problem: Problem): string {
  if (problem.status === -1) return t("console.fault");
  if (problem.status === 0 || problem.status >= 502) return t("console.no_answer");
  return codeText(problem.code, problem.params, problem.detail);
}
