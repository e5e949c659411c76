/** Questions to endpoints that the API's description does not have yet. */

import { ProblemError, steadyFetch } from "@tillbox/web/client.ts";
import { attended } from "../lib/presence.ts";
import { HEADERS, problemOf, unreachable } from "./client.ts";

export const ask = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  answerTo<T>(method, path, "application/json", body === undefined ? undefined : JSON.stringify(body));

/** Send a file as it is. */
export const send = <T>(path: string, file: Blob): Promise<T> =>
  answerTo<T>("POST", path, file.type || "application/octet-stream", file);

async function answerTo<T>(method: string, path: string, type: string, body?: BodyInit): Promise<T> {
  const request = new Request(new URL(path, location.origin), {
    method,
    headers: { ...HEADERS, "Content-Type": type },
    ...(body === undefined ? {} : { body }),
    credentials: "same-origin",
  });
  const response = await steadyFetch(attended(request)).catch((error: unknown) => {
    throw unreachable(error);
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new ProblemError(problemOf(response, answer));
  return answer as T;
}
