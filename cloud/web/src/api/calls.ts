/** One function per endpoint of the cloud that the console uses; each throws ProblemError. */

import { callJson, problemOf, ProblemError, steadyFetch, UNREACHABLE } from "@tillbox/web/client.ts";
import type {
  Box,
  Claim,
  Convergence,
  DailyClose,
  Draft,
  ImportResult,
  ItemPage,
  Live,
  PriceChange,
  PriceRow,
  Publication,
  RowError,
  Session,
  Store,
} from "./types.ts";

type Query = Record<string, string | number | undefined>;

/** The cloud takes a change only with this header, which no foreign page can send. */
const HEADERS = { "X-Tillbox": "1" };

/** Address of an endpoint with those filters that are set; also for download links. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

const get = <T>(path: string, query?: Query): Promise<T> =>
  callJson<T>("GET", address(path, query), undefined, { headers: HEADERS });
const post = <T>(path: string, body: unknown): Promise<T> =>
  callJson<T>("POST", path, body, { headers: HEADERS });

export const readSession = (): Promise<Session> => get("/v1/session");
export const signIn = (user: string, password: string): Promise<Session> =>
  post("/v1/session", { user, password });
export const signOut = (): Promise<unknown> =>
  callJson("DELETE", "/v1/session", undefined, { headers: HEADERS });

export const listStores = async (): Promise<Store[]> =>
  (await get<{ stores: Store[] }>("/v1/stores")).stores;
export const listDepartments = async (): Promise<string[]> =>
  (await get<{ departments: string[] }>("/v1/departments")).departments;

export interface ItemFilter {
  q?: string | undefined;
  department?: string | undefined;
  store?: string | undefined;
  page?: number | undefined;
  size?: number | undefined;
}

export const listItems = (filter: ItemFilter): Promise<ItemPage> => get("/v1/items", { ...filter });

/** Dated prices of one item, newest first, drafts among them (`published_rev` null). */
export const priceHistory = async (gtin: string, store?: string): Promise<PriceRow[]> =>
  (await get<{ prices: PriceRow[] }>("/v1/prices", { gtin, store })).prices;
export const changePrice = (change: PriceChange): Promise<{ drafts: number }> =>
  post("/v1/prices", change);

export type ImportKind = "items" | "prices";
export type ImportOutcome = { result: ImportResult } | { errors: RowError[]; code: string };

/** Import a file whole or not at all: either what it changed or every error in its rows. */
export async function importCsv(kind: ImportKind, file: Blob): Promise<ImportOutcome> {
  const request = new Request(new URL(`/v1/${kind}/import`, location.origin), {
    method: "POST",
    headers: { ...HEADERS, "Content-Type": "text/csv" },
    body: file,
    credentials: "same-origin",
  });
  let response: Response;
  try {
    response = await steadyFetch(request);
  } catch (error) {
    throw new ProblemError({ status: 0, code: UNREACHABLE, params: {}, detail: String(error) });
  }
  if (response.ok) return { result: (await response.json()) as ImportResult };
  const copy = response.clone();
  const problem = await problemOf(response);
  if (problem.status !== 422) throw new ProblemError(problem);
  const body = (await copy.json()) as { errors?: RowError[] };
  if (body.errors === undefined || body.errors.length === 0) throw new ProblemError(problem);
  return { errors: body.errors, code: problem.code };
}

export const readDraft = (): Promise<Draft> => get("/v1/publications/draft");
export const listPublications = async (): Promise<Publication[]> =>
  (await get<{ publications: Publication[] }>("/v1/publications")).publications;
export const publish = (note: string): Promise<{ rev: number; at_ms: number; stores: number }> =>
  post("/v1/publications", { note });
export const readConvergence = (): Promise<Convergence> => get("/v1/convergence");

export async function listBoxes(): Promise<Box[]> {
  const answer = await get<{ boxes: Box[] } | Box[]>("/v1/fleet/boxes");
  return Array.isArray(answer) ? answer : answer.boxes;
}

export const claimBox = (storeId: string): Promise<Claim> => post("/v1/claims", { store_id: storeId });

export interface CloseFilter {
  from?: string | undefined;
  to?: string | undefined;
  store?: string | undefined;
}

export const readDailyClose = (filter: CloseFilter): Promise<DailyClose> =>
  get("/v1/reports/daily-close", { ...filter });
export const readLive = (): Promise<Live> => get("/v1/reports/live");
