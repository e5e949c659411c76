import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ProblemError, newKey, steadyFetch, taken, UNREACHABLE } from "../../../shared/web/client.ts";

let server: Server | undefined;
afterEach(() => server?.close());

/** A real server that answers with these statuses in turn and keeps the keys it was sent. */
async function answering(statuses: number[]): Promise<{ url: string; keys: (string | undefined)[] }> {
  const keys: (string | undefined)[] = [];
  server = createServer((request, response) => {
    keys.push(request.headers["idempotency-key"] as string | undefined);
    const status = statuses[Math.min(keys.length, statuses.length) - 1] ?? 200;
    response.writeHead(status, { "content-type": "application/json", connection: "close" });
    response.end(JSON.stringify({ code: "tender.short", params: { missing_minor: 5 }, detail: "d" }));
  });
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, keys };
}

test("a command that gets no answer is repeated with the same key", async () => {
  const { url, keys } = await answering([503, 502, 200]);
  const response = await steadyFetch(new Request(url, { method: "POST", body: "{}" }), [1, 1, 1]);
  expect(response.status).toBe(200);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toBeTruthy();
});

test("a refusal is not repeated, and a question carries no key", async () => {
  const { url, keys } = await answering([409]);
  const response = await steadyFetch(new Request(url), [1, 1]);
  expect(response.status).toBe(409);
  expect(keys).toEqual([undefined]);
});

test("a problem document becomes an error with its code and parameters", async () => {
  const { url } = await answering([409]);
  const asked = fetch(url).then(async (response) => ({ error: await response.json(), response }));
  const error = await taken(asked).catch((one: unknown) => one);
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).problem).toMatchObject({
    status: 409,
    code: "tender.short",
    params: { missing_minor: 5 },
  });
});

test("nobody there is a problem too", async () => {
  const { url } = await answering([200]);
  await new Promise((done) => server?.close(done));
  const asked = fetch(url).then((response) => ({ response }));
  const error = await taken(asked).catch((one: unknown) => one);
  expect((error as ProblemError).problem.code).toBe(UNREACHABLE);
});

test("keys never repeat", () => {
  expect(new Set(Array.from({ length: 1000 }, newKey)).size).toBe(1000);
});
