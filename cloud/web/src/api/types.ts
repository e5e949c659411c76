/** What the cloud answers, by short names. Money is integer minor units, instants UTC ms. */

import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type Store = Schemas["Store"];
export type CatalogueItem = Schemas["CatalogueItem"];
export type ItemPage = Schemas["Catalogue"];
export type PriceRow = Schemas["PriceRow"];
export type ImportResult = Schemas["cloud__item__schemas__ImportResult"];
export type RowError = Schemas["RowProblem"];
export type PlaceError = Schemas["PlaceProblem"];
export type OfferRow = Schemas["OfferRow"];
export type OfferPage = Schemas["OfferPage"];
export type OfferVersion = Schemas["VersionRow"];
export type OfferImport = Schemas["OfferImport"];
export type OfferChange = Schemas["ChangeRow"];
export type OfferFinding = Schemas["FindingRow"];
export type Draft = Schemas["Draft"];
export type ConvergenceRow = Schemas["StoreConvergence"];
export type Box = Schemas["Box"];
export type BoxHistory = Schemas["BoxHistory"];
export type DeviceFact = Schemas["DeviceFact"];
export type DeviceHistory = Schemas["DeviceHistory"];
export type Claim = Schemas["NewClaim"];
export type DailyClose = Schemas["DailyClose"];
export type CloseRow = Schemas["CloseRow"];
export type Certificates = Schemas["Certificates"];
export type CloseTotals = Schemas["CloseTotals"];
export type ShelfFact = Schemas["ShelfFactRow"];
export type ShelfHistory = Schemas["ShelfHistory"];
export type WorkPage = Schemas["WorkPage"];
export type WorkRow = Schemas["WorkRow"];
export type WorkItem = Schemas["WorkItem"];
export type Live = Schemas["Live"];
export type LiveStore = Schemas["LiveStore"];
export type LiveSale = Schemas["LiveSale"];

/** The sums that a row and the total of the daily close share. */
export type CloseSums = Omit<CloseTotals, "currency">;
