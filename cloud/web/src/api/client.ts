/** The typed client of the cloud's API; its types are made from the API's own description. */

import { ProblemError, steadyFetch, UNREACHABLE, type Problem } from "@tillbox/web/client.ts";
import createClient from "openapi-fetch";
import { attended } from "../lib/presence.ts";
import type { components, paths } from "./schema.gen.ts";

export type ProblemBody = components["schemas"]["Problem"];

/** The cloud takes a change only with this header, which no foreign page can send. */
export const HEADERS = { "X-Tillbox": "1" };

export const client = createClient<paths>({
  baseUrl: location.origin,
  credentials: "same-origin",
  headers: HEADERS,
  fetch: (request) => steadyFetch(attended(request)),
});

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

/** Wait for an answer and take its data, or throw ProblemError. */
export async function taken<T>(asked: Promise<Answer<T>>): Promise<T> {
  const answer = await asked.catch((error: unknown) => {
    throw unreachable(error);
  });
  if (!answer.response.ok) throw new ProblemError(problemOf(answer.response, answer.error));
  return answer.data as T;
}

export function unreachable(error: unknown): ProblemError {
  return new ProblemError({ status: 0, code: UNREACHABLE, params: {}, detail: String(error) });
}

/** Read the body of a refusal; a proxy's page instead of a problem still gets a code. */
export function problemOf(response: Response, body: unknown): Problem {
  const found = typeof body === "object" && body !== null ? (body as Partial<ProblemBody>) : {};
  return {
    status: response.status,
    code: found.code ?? (response.status >= 502 ? UNREACHABLE : `http.${response.status}`),
    params: shownParams(found.params ?? {}),
    detail: found.detail ?? "",
  };
}

/** Parameters as texts take them: an absent value is an empty one. */
export function shownParams(params: ProblemBody["params"]): Problem["params"] {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value ?? ""]));
}
