/** One function per endpoint of the cloud that the console uses; each throws ProblemError. */

import { ProblemError, steadyFetch } from "@tillbox/web/client.ts";
import { client, HEADERS, problemOf, taken, unreachable, type ProblemBody } from "./client.ts";
import type { components, operations } from "./schema.gen.ts";
import type {
  Box,
  BoxHistory,
  Certificates,
  Claim,
  DailyClose,
  DeviceHistory,
  Draft,
  ImportResult,
  ItemPage,
  Live,
  OfferImport,
  OfferPage,
  OfferVersion,
  PlaceError,
  PriceRow,
  RowError,
  Session,
  Store,
  WorkItem,
  ShelfHistory,
  WorkPage,
} from "./types.ts";

type Query<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
/** A filter as the address bar gives it: what is not set is left out. */
export type Loose<T> = { [K in keyof T]?: T[K] | undefined };

export function set<T extends object>(filter: Loose<T>): T {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(entries) as T;
}

/** Address of a download with those filters that are set. */
export function address(path: string, query: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams(set<Record<string, string>>(query)).toString();
  return search === "" ? path : `${path}?${search}`;
}

export const readSession = (): Promise<Session> => taken(client.GET("/v1/session"));
export const signOut = (): Promise<unknown> => taken(client.DELETE("/v1/session"));

export const listStores = async (): Promise<Store[]> =>
  (await taken(client.GET("/v1/stores"))).stores;
export const listDepartments = async (): Promise<string[]> =>
  (await taken(client.GET("/v1/departments"))).departments;

export type ItemFilter = Loose<Query<"catalogue_v1_items_get">>;
export const listItems = (filter: ItemFilter): Promise<ItemPage> =>
  taken(client.GET("/v1/items", { params: { query: set(filter) } }));

/** Dated prices of one item, newest first, drafts among them (`published_rev` null). */
export const priceHistory = async (gtin: string, store = ""): Promise<PriceRow[]> =>
  (await taken(client.GET("/v1/prices", { params: { query: { gtin, store } } }))).prices;

export type PriceChange = components["schemas"]["PriceChange"];
export const changePrice = (change: PriceChange): Promise<{ drafts: number }> =>
  taken(client.POST("/v1/prices", { body: change }));

export type ImportKind = "items" | "prices";
export type ImportOutcome = { result: ImportResult } | { errors: RowError[]; count: number };

/**
 * Import a file whole or not at all: either what it changed or the errors of its rows.
 * The file goes as its bytes: a text would hide a wrong encoding from the cloud.
 */
export async function importCsv(kind: ImportKind, file: Blob): Promise<ImportOutcome> {
  const { response, body } = await upload(`/v1/${kind}/import`, file, "text/csv");
  if (response.ok) return { result: body as ImportResult };
  const problem = body as ProblemBody | null;
  const errors = problem?.errors ?? [];
  if (errors.length === 0) throw new ProblemError(problemOf(response, body));
  return { errors, count: problem?.error_count ?? errors.length };
}

export type OfferFilter = Loose<Query<"offers_v1_offers_get">>;
export const listOffers = (filter: OfferFilter): Promise<OfferPage> =>
  taken(client.GET("/v1/offers", { params: { query: set(filter) } }));
export const offerHistory = async (offerId: string): Promise<OfferVersion[]> =>
  (await taken(client.GET("/v1/offers/{offer_id}", { params: { path: { offer_id: offerId } } }))).versions;
export const endOffer = (offerId: string, reason: string): Promise<unknown> =>
  taken(
    client.POST("/v1/offers/{offer_id}/end", { params: { path: { offer_id: offerId } }, body: { reason } }),
  );

export type OfferOutcome = { result: OfferImport } | { places: PlaceError[] };

/** Send a file of offers: what it changes (or would, in a dry run), or where it is wrong. */
export async function importOffers(
  file: Blob,
  asked: { dryRun: boolean; replace: boolean },
): Promise<OfferOutcome> {
  const query = { dry_run: asked.dryRun ? "true" : undefined, replace: asked.replace ? "true" : undefined };
  const path = address("/v1/offers/import", query);
  const { response, body } = await upload(path, file, "application/octet-stream");
  if (response.ok) return { result: body as OfferImport };
  const places = (body as ProblemBody | null)?.places ?? [];
  // What lint forbids was shown by the dry run before: only its sentence is left to say.
  if (places.length === 0) throw new ProblemError(problemOf(response, body));
  return { places };
}

async function upload(path: string, file: Blob, type: string): Promise<{ response: Response; body: unknown }> {
  const request = new Request(new URL(path, location.origin), {
    method: "POST",
    headers: { ...HEADERS, "Content-Type": type },
    body: file,
    credentials: "same-origin",
  });
  const response = await steadyFetch(request).catch((error: unknown) => {
    throw unreachable(error);
  });
  return { response, body: await response.json().catch(() => null) };
}

export const readDraft = (): Promise<Draft> => taken(client.GET("/v1/publications/draft"));
export const listBoxes = async (): Promise<Box[]> =>
  (await taken(client.GET("/v1/fleet/boxes"))).boxes;
/** What a store's devices had before an instant (UTC ms), newest first. */
export const storeDevices = (store_id: string, before_ms?: number): Promise<DeviceHistory> =>
  taken(
    client.GET("/v1/stores/{store_id}/devices", {
      params: { path: { store_id }, query: set({ before_ms }) },
    }),
  );
export const boxHistory = (dev: string): Promise<BoxHistory> =>
  taken(client.GET("/v1/fleet/boxes/{dev}", { params: { path: { dev } } }));
export const claimBox = (storeId: string): Promise<Claim> =>
  taken(client.POST("/v1/claims", { body: { store_id: storeId } }));

export interface CloseFilter {
  from?: string | undefined;
  to?: string | undefined;
  store?: string | undefined;
}

export const readDailyClose = (filter: CloseFilter): Promise<DailyClose> =>
  taken(client.GET("/v1/reports/daily-close", { params: { query: set(filter) } }));
export const readLive = (): Promise<Live> => taken(client.GET("/v1/reports/live"));
export const readCertificates = (store_id: string, day: string): Promise<Certificates> =>
  taken(client.GET("/v1/certificates/{store_id}/{day}", { params: { path: { store_id, day } } }));

export type ShelfFilter = Loose<Query<"shelf_facts_v1_shelves_get">>;
export const listShelves = (filter: ShelfFilter): Promise<ShelfHistory> =>
  taken(client.GET("/v1/shelves", { params: { query: set(filter) } }));
export type WorkFilter = Loose<Query<"work_items_v1_work_items_get">>;
export const listWork = (filter: WorkFilter): Promise<WorkPage> =>
  taken(client.GET("/v1/work-items", { params: { query: set(filter) } }));
export const readWork = (item: string): Promise<WorkItem> =>
  taken(client.GET("/v1/work-items/{item}", { params: { path: { item } } }));
export const noteWork = (item: string, text: string): Promise<WorkItem> =>
  taken(client.POST("/v1/work-items/{item}/notes", { params: { path: { item } }, body: { text } }));
export const settleWork = (item: string, text: string): Promise<WorkItem> =>
  taken(client.POST("/v1/work-items/{item}/done", { params: { path: { item } }, body: { text } }));
/** Answers the flag that still forbids it, or null when the record is booked now. */
export const repostWork = (item: string): Promise<{ flag: string | null }> =>
  taken(client.POST("/v1/work-items/{item}/repost", { params: { path: { item } } }));
