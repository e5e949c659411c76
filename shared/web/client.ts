/** Calls to our own HTTP APIs: problem+json, idempotency keys, patience with a restarting server. */

/** What an RFC 9457 answer of either API carries. */
export interface Problem {
  readonly status: number;
  /** Dotted error code, such as "tender.short"; its text is `error.<code>`. */
  readonly code: string;
  readonly params: Readonly<Record<string, string | number>>;
  readonly detail: string;
}

export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
  }
}

/** The server did not answer, or answered that it cannot now. */
export const UNREACHABLE = "server.unreachable";

/** A fresh key; `crypto.randomUUID` exists only over TLS or on localhost. */
export function newKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Read the body of a failed answer; one that is no problem document still gets a code. */
export async function problemOf(response: Response): Promise<Problem> {
  let body: Partial<Problem> = {};
  try {
    body = (await response.json()) as Partial<Problem>;
  } catch {
    // A proxy's HTML page, or nothing at all: the status says enough.
  }
  return {
    status: response.status,
    code: body.code ?? (response.status >= 502 ? UNREACHABLE : `http.${response.status}`),
    params: body.params ?? {},
    detail: body.detail ?? response.statusText,
  };
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/**
 * A `fetch` for openapi-fetch or for direct use that gives every POST, PUT and DELETE an
 * `Idempotency-Key` and repeats it with the same key while the server cannot be reached: the answer
 * may be lost on the way, the effect happens once.
 * @throws TypeError as fetch does, when the last attempt gets no answer either.
 */
export async function steadyFetch(
  request: Request,
  waitsMs: readonly number[] = [250, 500, 1000, 2000],
): Promise<Response> {
  const headers = new Headers(request.headers);
  if (request.method !== "GET" && !headers.has("Idempotency-Key")) {
    headers.set("Idempotency-Key", newKey());
  }
  for (const waitMs of waitsMs) {
    try {
      const response = await fetch(new Request(request.clone(), { headers }));
      if (response.status < 502 || response.status > 504) return response;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await pause(waitMs);
  }
  return fetch(new Request(request, { headers }));
}

/** Send JSON and get JSON, or throw ProblemError. */
export async function callJson<Answer>(
  method: string,
  path: string,
  body?: unknown,
  init: { headers?: Record<string, string>; waitsMs?: readonly number[] } = {},
): Promise<Answer> {
  const headers = { ...init.headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  const request = new Request(new URL(path, location.origin), {
    method,
    headers,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  let response: Response;
  try {
    response = await steadyFetch(request, init.waitsMs);
  } catch (error) {
    throw new ProblemError({ status: 0, code: UNREACHABLE, params: {}, detail: String(error) });
  }
  if (!response.ok) throw new ProblemError(await problemOf(response));
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}
