/** How far stores are, kind by kind, and what an item costs in one of them. */

import { ProblemError } from "@tillbox/web/client.ts";
import { set, type Loose } from "./calls.ts";
import { client, taken } from "./client.ts";
import type { components, operations } from "./schema.gen.ts";

type Schemas = components["schemas"];

export const KINDS = ["catalog", "price", "promotion", "config", "software"] as const;

export type KindCell = Schemas["KindConvergence"];
export type MatrixRow = Schemas["StoreConvergence"];
export type Matrix = Schemas["Matrix"];
export type ConvergenceSummary = Schemas["ConvergenceSummary"];
export type MatrixFilter = Loose<NonNullable<operations["convergence_matrix_v1_convergence_matrix_get"]["parameters"]["query"]>>;

export const readMatrix = (filter: MatrixFilter): Promise<Matrix> =>
  taken(client.GET("/v1/convergence/matrix", { params: { query: set(filter) } }));
export const readSummary = (): Promise<ConvergenceSummary> => taken(client.GET("/v1/convergence/summary"));

export type Proof = Schemas["Proof"];
export type PriceCheck = Schemas["PriceCheck"];
/** The box's answer is under way. */
const WAITS = "price_check.waits";
const ASK_MS = 500;
const PATIENCE_MS = 60_000;

/** What an item costs in a store: headquarters' answer at once, then with it that of the box. */
export async function* askPrice(storeId: string, gtin: string, qtyMilli: number): AsyncGenerator<Proof> {
  const path = { store_id: storeId };
  // A box that cannot be asked is no reason to keep headquarters' own answer back.
  const question = await taken(
    client.POST("/v1/stores/{store_id}/price-check", { params: { path }, body: { gtin, qty: qtyMilli } }),
  ).catch((error: unknown) => {
    if (error instanceof ProblemError && error.problem.status !== 401) return null;
    throw error;
  });
  const query = {
    gtin,
    qty: qtyMilli,
    ...(question === null ? {} : { at: question.at_ms, asked: question.asked }),
  };
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const proof = await taken(client.GET("/v1/stores/{store_id}/price-check", { params: { path, query } }));
    yield proof;
    if (proof.box !== null || proof.box_because !== WAITS || Date.now() > until) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

export const isWaiting = (proof: Proof): boolean => proof.box === null && proof.box_because === WAITS;
