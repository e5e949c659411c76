/** The store box's HTTP API, one function per command; its types are made from its own description. */
import { steadyFetch, taken } from "@tillbox/web/client.ts";
import createClient from "openapi-fetch";
import type { TenderKind } from "./lane-view.ts";
import type { components, paths } from "./schema.gen.ts";

export type Lanes = components["schemas"]["LanesBody"];
export type FoundItem = components["schemas"]["FoundItem"];
export type Receipt = components["schemas"]["Receipt"];
export type ReceiptRow = components["schemas"]["ReceiptRow"];
export type Offers = components["schemas"]["Offers"];
export type ZReport = components["schemas"]["ZReport"];
export type ClosingSlip = components["schemas"]["ClosingSlip"];
export type CommandAnswer = components["schemas"]["CommandAnswer"];
export type WantedCopies = components["schemas"]["WantedBody"];
export type DevicesBody = components["schemas"]["DevicesBody"];
export type Pairing = components["schemas"]["PairingBody"];
export type Device = components["schemas"]["DeviceBody"];
export type Shelves = components["schemas"]["ShelvesBody"];
export type ShelfLabel = components["schemas"]["LabelBody"];
export type LabelsPrinted = components["schemas"]["LabelsPrinted"];
export type ShelfSensor = components["schemas"]["SensorBody"];
export type ShelfTask = components["schemas"]["TaskBody"];
export type Colleague = Lanes["operators"][number];
type SignedIn = components["schemas"]["SignedIn"];
type Answer = Promise<CommandAnswer>;

/** The number under which a colleague has vouched for the command that is being sent. */
let approval = "";

const box = createClient<paths>({
  baseUrl: location.origin,
  credentials: "same-origin",
  fetch: (request) => {
    if (approval !== "") request.headers.set("Approval", approval);
    return steadyFetch(request);
  },
});

const keysOf = (labels: readonly ShelfLabel[]): { gtin: string; from_at_ms: number }[] =>
  labels.map(({ gtin, from_at_ms }) => ({ gtin, from_at_ms }));

/** What every till page may ask before anybody has signed in. */
export const getLanes = (): Promise<Lanes> => taken(box.GET("/v1/lanes"));

/** The commands of one lane, and what its page asks the store. */
export class LaneApi {
  readonly #lane: number;

  constructor(lane: number) {
    this.#lane = lane;
  }

  get eventsUrl(): string {
    return `/v1/lanes/${this.#lane}/events`;
  }

  /** Path parameters of this lane, and of a line or code in it. */
  #at(): { path: { lane: number } } {
    return { path: { lane: this.#lane } };
  }
  #line(n: number): { path: { lane: number; n: number } } {
    return { path: { lane: this.#lane, n } };
  }

  signIn = (operator: string, pin: string, new_pin = ""): Promise<SignedIn> =>
    taken(
      box.POST("/v1/lanes/{lane}/session", { params: this.#at(), body: { operator, pin, new_pin } }),
    );
  signInByBadge = (number: number): Promise<SignedIn> =>
    taken(box.POST("/v1/lanes/{lane}/session/badge", { params: this.#at(), body: { number } }));
  letTryAgain = (operator: string, approver: string, pin: string): Promise<unknown> =>
    taken(
      box.POST("/v1/lanes/{lane}/session/unlock", {
        params: this.#at(),
        body: { operator, approver, pin },
      }),
    );
  approve = (number: string, approver: string, pin: string): Promise<unknown> =>
    taken(
      box.POST("/v1/lanes/{lane}/approvals/{number}", {
        params: { path: { lane: this.#lane, number } },
        body: { approver, pin },
      }),
    );
  giveUpApproval = (number: string): Promise<unknown> =>
    taken(
      box.DELETE("/v1/lanes/{lane}/approvals/{number}", {
        params: { path: { lane: this.#lane, number } },
      }),
    );
  /** Send a command for which a colleague has vouched. */
  withApproval = async <Done>(number: string, command: () => Promise<Done>): Promise<Done> => {
    approval = number;
    try {
      return await command();
    } finally {
      approval = "";
    }
  };
  signOut = (): Promise<unknown> =>
    // The box knows the lane from the session, so its description names no parameter here.
    taken(box.DELETE("/v1/lanes/{lane}/session", { params: this.#at() as never }));
  scan = (code: string): Answer =>
    taken(box.POST("/v1/lanes/{lane}/scans", { params: this.#at(), body: { code } }));
  setQuantity = (n: number, qty_milli: number): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/lines/{n}/quantity", {
        params: this.#line(n),
        body: { qty_milli },
      }),
    );
  removeLine = (n: number, reason: string): Answer =>
    taken(
      box.DELETE("/v1/lanes/{lane}/lines/{n}", {
        params: { ...this.#line(n), query: { reason } },
      }),
    );
  override = (n: number, regular_minor: number, reason: string): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/lines/{n}/override", {
        params: this.#line(n),
        body: { regular_minor, member_minor: null, reason },
      }),
    );
  storeCoupon = (n: number, amount_minor: number, reference: string): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/lines/{n}/store-coupon", {
        params: this.#line(n),
        body: { amount_minor, reference },
      }),
    );
  coupon = (code: string): Answer =>
    taken(box.POST("/v1/lanes/{lane}/coupons", { params: this.#at(), body: { code } }));
  member = (phone: string): Answer =>
    taken(box.POST("/v1/lanes/{lane}/member", { params: this.#at(), body: { phone } }));
  unnameMember = (): Answer => taken(box.DELETE("/v1/lanes/{lane}/member", { params: this.#at() }));
  joinMember = (phone: string, membership: boolean, marketing: boolean): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/member/join", {
        params: this.#at(),
        body: { phone, membership, marketing },
      }),
    );
  giveBackCoupon = (code: string): Answer =>
    taken(box.DELETE("/v1/lanes/{lane}/coupons", { params: { ...this.#at(), query: { code } } }));
  offers = (): Promise<Offers> =>
    taken(box.GET("/v1/lanes/{lane}/offers", { params: this.#at() }));
  dismiss = (n: number, reason: string): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/unknown/{n}/dismiss", {
        params: this.#line(n),
        body: { reason },
      }),
    );
  confirmAge = (years: number): Answer =>
    taken(box.POST("/v1/lanes/{lane}/age", { params: this.#at(), body: { years } }));
  weigh = (): Answer => taken(box.POST("/v1/lanes/{lane}/weighing", { params: this.#at() }));
  weighByHand = (net_milli: number): Answer =>
    taken(box.POST("/v1/lanes/{lane}/weighing/by-hand", { params: this.#at(), body: { net_milli } }));
  setTare = (tare_milli: number | null): Answer =>
    taken(box.POST("/v1/lanes/{lane}/weighing/tare", { params: this.#at(), body: { tare_milli } }));
  giveUpWeighing = (): Answer =>
    taken(box.DELETE("/v1/lanes/{lane}/weighing", { params: this.#at() }));
  displayLink = async (): Promise<string> =>
    (await taken(box.POST("/v1/lanes/{lane}/display", { params: this.#at() }))).path;
  undo = (): Answer => taken(box.POST("/v1/lanes/{lane}/undo", { params: this.#at() }));
  tender = (kind: TenderKind, amount_minor: number, reference = ""): Answer =>
    taken(
      box.POST("/v1/lanes/{lane}/tenders", {
        params: this.#at(),
        body: { kind, amount_minor, reference },
      }),
    );
  voidBasket = (reason: string): Answer =>
    taken(box.POST("/v1/lanes/{lane}/void", { params: this.#at(), body: { reason } }));
  reprint = (receipt_no: string | null): Answer =>
    taken(box.POST("/v1/lanes/{lane}/reprint", { params: this.#at(), body: { receipt_no } }));
  openDrawer = (reason: string): Answer =>
    taken(box.POST("/v1/lanes/{lane}/drawer", { params: this.#at(), body: { reason } }));
  shown = (revision: number): Promise<unknown> =>
    taken(box.POST("/v1/lanes/{lane}/shown", { params: this.#at(), body: { revision } }));

  devices = (): Promise<DevicesBody> => taken(box.GET("/v1/devices"));
  selfTest = (): Promise<unknown> => taken(box.POST("/v1/devices/self-test"));
  selfTestSeen = (): Promise<unknown> => taken(box.POST("/v1/devices/self-test/seen"));
  testPrint = (printer_id: string): Promise<components["schemas"]["TestPrinted"]> =>
    taken(
      box.POST("/v1/devices/printer/{printer_id}/test", { params: { path: { printer_id } } }),
    );
  zeroScale = (lane: number): Promise<components["schemas"]["ZeroAnswer"]> =>
    taken(box.POST("/v1/devices/scale/{lane}/zero", { params: { path: { lane } } }));

  beginPairing = (): Promise<Pairing> =>
    taken(box.POST("/v1/lanes/{lane}/pairing", { params: this.#at() }));
  pairing = (): Promise<Pairing> =>
    taken(box.GET("/v1/lanes/{lane}/pairing", { params: this.#at() }));
  endPairing = (): Promise<unknown> =>
    taken(box.DELETE("/v1/lanes/{lane}/pairing", { params: this.#at() }));

  shelves = (): Promise<Shelves> => taken(box.GET("/v1/shelves"));
  countShelf = (sensor: string, qty_milli: number): Promise<Shelves> =>
    taken(box.POST("/v1/shelves/{sensor}/count", { params: { path: { sensor } }, body: { qty_milli } }));
  dismissTask = (n: number, reason: string): Promise<Shelves> =>
    taken(box.POST("/v1/shelves/tasks/{n}/dismiss", { params: { path: { n } }, body: { reason } }));

  labels = (): Promise<components["schemas"]["LabelsBody"]> => taken(box.GET("/v1/labels"));
  printLabels = (labels: readonly ShelfLabel[]): Promise<LabelsPrinted> =>
    taken(box.POST("/v1/labels/print", { body: { labels: keysOf(labels) } }));
  labelSheet = async (labels: readonly ShelfLabel[]): Promise<Blob> =>
    (await taken(
      box.POST("/v1/labels/sheet", { body: { labels: keysOf(labels) }, parseAs: "blob" }),
    )) as unknown as Blob;

  openDay = (business_date: string): Promise<ZReport> =>
    taken(box.POST("/v1/day/open", { body: { business_date } }));
  dayReport = (): Promise<ZReport> => taken(box.GET("/v1/day"));
  closingSlip = (): Promise<ClosingSlip | null> => taken(box.GET("/v1/day/certificate"));
  closeDay = (): Promise<ZReport> => taken(box.POST("/v1/day/close"));
  /** Search as somebody types: an answer that is late is not worth a second try. */
  items = (q: string): Promise<FoundItem[]> =>
    taken(
      box.GET("/v1/items", {
        params: { query: { q, limit: 30 } },
        fetch: (request) => fetch(request),
      }),
    );

  /** Copies of entries behind `after` that the cloud lacks, one line each. */
  carbons = async (after: number): Promise<string[]> => {
    const lines = await taken(
      box.GET("/v1/lanes/{lane}/carbons", {
        params: { ...this.#at(), query: { after } },
        parseAs: "text",
      }),
    );
    return lines.split("\n").filter((line) => line !== "");
  };
  wantedCopies = async (
    held: components["schemas"]["OfferedBody"][],
  ): Promise<WantedCopies[]> =>
    (await taken(box.POST("/v1/salvage/wanted", { body: { held } }))).wanted;
  handIn = (lines: string): Promise<unknown> =>
    taken(
      box.POST("/v1/salvage", {
        body: lines,
        bodySerializer: (text) => text,
        headers: { "Content-Type": "application/x-ndjson" },
      }),
    );

  receipt = (receipt_no: string): Promise<Receipt> =>
    taken(box.GET("/v1/receipts/{receipt_no}", { params: { path: { receipt_no } } }));
  receipts = (): Promise<ReceiptRow[]> =>
    taken(box.GET("/v1/receipts", { params: { query: { lane: this.#lane, limit: 50 } } }));
}
