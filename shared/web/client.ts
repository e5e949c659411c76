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

/** Read what a refusal says; a proxy's page instead of a problem document still gets a code. */
export function problemOf(response: Response, body: unknown): Problem {
  const found = typeof body === "object" && body !== null ? (body as Partial<Problem>) : {};
  return {
    status: response.status,
    code: found.code ?? (response.status >= 502 ? UNREACHABLE : `http.${response.status}`),
    params: found.params ?? {},
    detail: found.detail ?? response.statusText,
  };
}

/** Wait for an answer of openapi-fetch and take its data, or throw ProblemError. */
export async function taken<Data>(
  asked: Promise<{ data?: Data | undefined; error?: unknown; response: Response }>,
): Promise<Data> {
  const answer = await asked.catch((error: unknown) => {
    throw new ProblemError({ status: 0, code: UNREACHABLE, params: {}, detail: String(error) });
  });
  if (!answer.response.ok) throw new ProblemError(problemOf(answer.response, answer.error));
  return answer.data as Data;
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
