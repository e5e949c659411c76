/** Imports in two steps, bulk changes and the history of items; each throws ProblemError. */

import { ProblemError, steadyFetch } from "@tillbox/web/client.ts";
import { address, type ImportKind } from "./calls.ts";
import { client, HEADERS, problemOf, taken, unreachable } from "./client.ts";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];
export type ImportJob = Schemas["ImportJob"];
export type ImportJobs = Schemas["ImportJobs"];
export type ImportRow = Schemas["ImportRow"];
export type ImportRows = Schemas["ImportRows"];
export type ItemEvent = Schemas["ItemEvent"];
export type PriceBulk = Partial<Schemas["PriceBulk"]> & Pick<Schemas["PriceBulk"], "move" | "value">;
export type ItemBulk = Partial<Schemas["ItemBulk"]>;

const CSV = "text/csv";

/** Compare a table with what there is. The file goes as its bytes, whatever its kind. */
export async function uploadTable(
  kind: ImportKind,
  file: Blob,
  about: { name: string; reason: string },
): Promise<ImportJob> {
  const response = await send(address(`/v1/imports/${kind}`, about), file, file.type === "" ? CSV : file.type);
  return (await response.json()) as ImportJob;
}

/** The table that a bulk change makes, to be uploaded like any other; null when nothing changes. */
export async function bulkTable(kind: ImportKind, change: PriceBulk | ItemBulk): Promise<Blob | null> {
  const body = new Blob([JSON.stringify(change)]);
  const table = await (await send(`/v1/${kind}/bulk`, body, "application/json")).blob();
  const lines = (await table.text()).split("\n").filter((line) => line.trim() !== "").length;
  return lines > 1 ? new Blob([table], { type: CSV }) : null;
}

export const findImport = (job: number): Promise<ImportJob> =>
  taken(client.GET("/v1/imports/{job}", { params: { path: { job } } }));
export const listImports = (page: number, size: number): Promise<ImportJobs> =>
  taken(client.GET("/v1/imports", { params: { query: { page, size } } }));
export const importRows = (
  job: number,
  query: { what: "" | "new" | "changed"; q: string; page: number; size: number },
): Promise<ImportRows> => taken(client.GET("/v1/imports/{job}/rows", { params: { path: { job }, query } }));

export function decideImport(job: ImportJob, verb: "apply" | "discard"): Promise<ImportJob> {
  const params = { path: { job: job.job } };
  if (verb === "discard") {
    return taken(
      job.kind === "items"
        ? client.POST("/v1/imports/items/{job}/discard", { params })
        : client.POST("/v1/imports/prices/{job}/discard", { params }),
    );
  }
  const body = { reason: "" };
  return taken(
    job.kind === "items"
      ? client.POST("/v1/imports/items/{job}/apply", { params, body })
      : client.POST("/v1/imports/prices/{job}/apply", { params, body }),
  );
}

export const itemHistory = async (gtin: string): Promise<ItemEvent[]> =>
  (await taken(client.GET("/v1/items/{gtin}/history", { params: { path: { gtin } } }))).events;

async function send(path: string, body: Blob, type: string): Promise<Response> {
  const request = new Request(new URL(path, location.origin), {
    method: "POST",
    headers: { ...HEADERS, "Content-Type": type },
    body,
    credentials: "same-origin",
  });
  const response = await steadyFetch(request).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (!response.ok) throw new ProblemError(problemOf(response, await response.json().catch(() => null)));
  return response;
}
