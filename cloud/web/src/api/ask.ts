/** Questions to endpoints that the API's description does not have yet. */

import { ProblemError, steadyFetch } from "@tillbox/web/client.ts";
import { HEADERS, problemOf, unreachable } from "./client.ts";

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const request = new Request(new URL(path, location.origin), {
    method,
    headers: { ...HEADERS, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    credentials: "same-origin",
  });
  const response = await steadyFetch(request).catch((error: unknown) => {
    throw unreachable(error);
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new ProblemError(problemOf(response, answer));
  return answer as T;
}
