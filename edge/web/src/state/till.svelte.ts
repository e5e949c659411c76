/** The page's one state: which lane, who, what is open, and how a command is sent. */
import { ProblemError, UNREACHABLE } from "@tillbox/web/client.ts";
import { Notices } from "@tillbox/web/components/notices.svelte.ts";
import { ageText, type Params } from "@tillbox/web/i18n.ts";
import { formatMilli, formatMinor, formatNote, formatWeight, ONE_MILLI, type Currency } from "@tillbox/web/money.ts";
import { Preferences } from "@tillbox/web/preferences.svelte.ts";
import { Texts } from "@tillbox/web/texts.svelte.ts";
import { getLanes, LaneApi, type Lanes } from "../api/box.ts";
import type { LaneView } from "../api/lane-view.ts";
import { Asking, NEEDED } from "./approval.svelte.ts";
import { Copies } from "./copies.svelte.ts";
import { Lane } from "./lane.svelte.ts";
import { speakChange } from "./speech.ts";
import { Sounds, type Sound } from "./sounds.ts";

export const preferences = new Preferences("till");
export const texts = new Texts({
  "zh-CN": () => import("virtual:texts/zh-CN"),
  "zh-TW": () => import("virtual:texts/zh-TW"),
  en: () => import("virtual:texts/en"),
});
export const t = texts.t;
export const notices = new Notices();
export const sounds = new Sounds();

export type Dialog =
  | { readonly name: "cash" | "card" | "coupon" | "menu" | "settings" | "receipts" | "device" }
  | { readonly name: "pair" | "pin" }
  | { readonly name: "drawer" | "void" | "close_day" | "prices" | "offers" }
  | { readonly name: "weigh" | "shelves" | "labels" | "member" }
  | { readonly name: "coupon_code"; readonly code: string }
  | { readonly name: "line" | "dismiss"; readonly n: number }
  | { readonly name: "search"; readonly q: string };

const LANE_KEY = "tillbox.till.lane";
/** A tap this soon after a scan was meant for what stood there before it. */
const SETTLE_MS = 300;
const SCAN_SOUNDS: Readonly<Record<string, Sound>> = {
  repeat: "repeat",
  unknown: "error",
  lost: "error",
  pairing: "error",
  refused: "error",
};

/** Why somebody could not sign in: the code, and the words for it. */
export interface Refusal {
  readonly code: string;
  readonly text: string;
}

class Till {
  readonly lane = new Lane();
  readonly copies = new Copies();
  lanes: Lanes | null = $state.raw(null);
  laneNumber: number | null = $state(null);
  api: LaneApi | null = $state.raw(null);
  dialog: Dialog | null = $state.raw(null);
  /** False once the box said that this browser holds no session. */
  trusted = $state(true);
  /** Name of the command that waits for its answer. */
  busy: string | null = $state(null);
  /** What waits for a colleague's word, above whatever else is open. */
  asking: Asking | null = $state.raw(null);
  /** A scan came in a moment ago: one-tap cash waits. */
  settling = $state(false);
  /** "3 *" typed before a scan: pieces of the next item. */
  multiplier: number | null = $state(null);
  readonly #voice = { notices, t, money: (m: number) => this.money(m), quantity: (q: number) => this.quantity(q) };
  #settleTimer: ReturnType<typeof setTimeout> | undefined;
  #shownRevision: number | null = null;

  readonly view = $derived(this.lane.view);
  readonly currency: Currency = $derived({
    code: this.view?.currency ?? this.lanes?.store.currency ?? "CNY",
    digits: this.lanes?.store.digits ?? 2,
  });
  /** Receipts carry the store's time, wherever this browser thinks it is. */
  readonly timeZone = $derived(this.lanes?.store.time_zone ?? "UTC");
  /** Nothing may be paid or changed while the box is silent or a command is under way. */
  readonly frozen = $derived(this.lane.silent || this.busy !== null);

  money = (minor: number): string => formatMinor(minor, this.currency, texts.language);
  note = (minor: number): string => formatNote(minor, this.currency, texts.language);
  quantity = (milli: number): string => formatMilli(milli, texts.language);
  /** How long ago an instant of the box's clock was, "now" within the first minute. */
  age = (atMs: number): string => {
    const elapsed = this.lane.ageMs(atMs);
    return elapsed < 60_000 ? t("till.age.now") : ageText(elapsed, texts.language);
  };
  /** The same in words that stand alone: "12 min ago". */
  ago = (atMs: number): string =>
    this.lane.ageMs(atMs) < 60_000 ? t("till.age.now") : t("till.age.ago", { age: this.age(atMs) });
  weight = (milli: number, unit: string): string => formatWeight(milli, unit, texts.language);
  may = (permission: string): boolean => this.view?.permissions.includes(permission) ?? false;
  /** The same, or with a colleague's word: the box asks for it. */
  can = (permission: string): boolean =>
    this.may(permission) || (this.view?.approvable.includes(permission) ?? false);

  /** Ask the box for its lanes until it answers, then go to the lane this browser had before. */
  async start(): Promise<void> {
    while (this.lanes === null) {
      try {
        this.lanes = await getLanes();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
    const wanted = Number(
      new URLSearchParams(location.search).get("lane") ?? localStorage.getItem(LANE_KEY),
    );
    const known = this.lanes.lanes;
    const chosen = known.length === 1 ? known[0] : known.find((lane) => lane.lane === wanted);
    if (chosen !== undefined) this.takeLane(chosen.lane);
  }

  /** Ask again who may sign in; the box learns of new people with a new revision. */
  async refreshLanes(): Promise<void> {
    try {
      this.lanes = await getLanes();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  takeLane(lane: number): void {
    localStorage.setItem(LANE_KEY, String(lane));
    this.laneNumber = lane;
    const api = (this.api = new LaneApi(lane));
    this.lane.start(api.eventsUrl, {
      onArrived: (view, previous) => this.#hear(view, previous),
      onApplied: (view, previous) => this.#applied(view, previous),
      onStatus: (status) => this.copies.told(status, api, this.trusted && this.view?.operator != null),
      onLink: (link) => {
        if (link === "silent") notices.say(t("till.silent.title"), true);
        // The box may have been restarted: it has forgotten what this page shows.
        if (link !== "open") this.#shownRevision = null;
      },
    });
  }

  leaveLane(): void {
    localStorage.removeItem(LANE_KEY);
    this.lane.stop();
    this.api = null;
    this.laneNumber = null;
  }

  open(dialog: Dialog): void {
    this.dialog = dialog;
  }
  close = (): void => {
    this.dialog = null;
  };

  /**
   * Send one command.  A refusal is told and gives null; the new state comes by the event stream.
   * One at a time: a second tap while one is under way does nothing.
   */
  async run<Answer>(
    name: string,
    command: (api: LaneApi) => Promise<Answer>,
    refused: (why: string, code: string) => void = (why) => notices.show("bad", why),
  ): Promise<Answer | null> {
    if (this.api === null || this.busy !== null) return null;
    const api = this.api;
    this.busy = name;
    try {
      return await this.#vouched(api, command);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.problem.status === 401 && name !== "sign_in") this.trusted = false;
      sounds.play("error");
      refused(this.problemText(error), error.problem.code);
      return null;
    } finally {
      this.busy = null;
    }
  }

  /** Send a command; where it needs somebody's word, ask for it and send the same once more. */
  async #vouched<Answer>(
    api: LaneApi,
    command: (api: LaneApi) => Promise<Answer>,
  ): Promise<Answer | null> {
    try {
      return await command(api);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.code !== NEEDED) throw error;
      const asking = (this.asking = new Asking(error.problem.params));
      const given = await asking.outcome.finally(() => (this.asking = null));
      if (!given) {
        void api.giveUpApproval(asking.number).catch(() => {});
        return null;
      }
      return await api.withApproval(asking.number, () => command(api));
    }
  }

  /** Sign in, perhaps with a new PIN; gives what went wrong, or null. */
  async signIn(operator: string, pin: string, newPin = ""): Promise<Refusal | null> {
    return this.#begin(operator, (api) => api.signIn(operator, pin, newPin));
  }

  /** Sign in with the badge that the lane's scanner has just read. */
  async signInByBadge(operator: string, number: number): Promise<Refusal | null> {
    return this.#begin(operator, (api) => api.signInByBadge(number));
  }

  /** A colleague lets somebody try again who has to wait after wrong PINs. */
  async letTryAgain(operator: string, approver: string, pin: string): Promise<Refusal | null> {
    let why: Refusal | null = null;
    await this.run(
      "sign_in",
      (api) => api.letTryAgain(operator, approver, pin),
      (text, code) => (why = { code, text }),
    );
    return why;
  }

  async #begin(
    operator: string,
    command: (api: LaneApi) => Promise<unknown>,
  ): Promise<Refusal | null> {
    let why: Refusal = { code: "", text: "" };
    const done = await this.run("sign_in", command, (text, code) => (why = { code, text }));
    if (done === null) return why;
    this.trusted = true;
    preferences.load(operator);
    await texts.use(preferences.language);
    this.lane.reopen();
    return null;
  }

  async signOut(): Promise<void> {
    this.dialog = null;
    await this.run("sign_out", (api) => api.signOut());
  }

  /** Parameters of a text with amounts written as money and quantities as such. */
  shown = (params: Params): Params =>
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => {
        if (typeof value !== "number") return [name, value];
        if (name.endsWith("_minor")) return [name, this.money(value)];
        return [name, name.endsWith("_milli") ? this.quantity(value) : value];
      }),
    );

  /** What went wrong, in the reader's language, with amounts written as money. */
  problemText(error: ProblemError): string {
    const { code, params, detail } = error.problem;
    const key = code === UNREACHABLE ? "till.silent.refused" : `error.${code}`;
    return texts.find(key, this.shown(params)) ?? `${detail} (${code})`;
  }

  /** Why a scan was refused; a text with gaps in it is left out, since a scan fills none. */
  #refusal(code: string): string {
    const why = texts.find(`error.${code}`) ?? "";
    return why === "" || why.includes("{") ? t("till.scan.refused") : `${t("till.scan.refused")} · ${why}`;
  }

  #hear(view: LaneView, previous: LaneView | null): void {
    const scan = view.last_scan;
    if (scan === null || previous === null || view.scans <= previous.scans) return;
    // The box may push one view for a burst of scans: each is heard all the same, the last as it is.
    for (let no = previous.scans + 1; no < view.scans; no += 1) sounds.play("ok");
    sounds.play(SCAN_SOUNDS[scan.kind] ?? "ok");
    if (scan.kind === "refused") notices.show("bad", this.#refusal(scan.code));
    this.settling = true;
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => (this.settling = false), SETTLE_MS);
  }

  #applied(view: LaneView, previous: LaneView | null): void {
    this.copies.busy();
    this.asking?.applied(view);
    if (previous !== null) speakChange(view, previous, this.#voice);
    if (view.state !== previous?.state) this.dialog = null;
    if (view.operator !== null && view.operator.id !== previous?.operator?.id) {
      preferences.load(view.operator.id);
      void texts.use(preferences.language);
    }
    this.#weigh(view, previous);
    this.#multiply(view, previous);
    if (view.revision !== this.#shownRevision) this.#reportShown(view.revision);
  }

  /** Goods that wait for their weight come before whatever else is open. */
  #weigh(view: LaneView, previous: LaneView | null): void {
    const waits = view.weighing !== null;
    const scanned = view.last_scan?.no !== previous?.last_scan?.no && view.last_scan?.kind === "weigh";
    if (waits && (previous?.weighing == null || scanned)) this.dialog = { name: "weigh" };
    else if (!waits && this.dialog?.name === "weigh") this.dialog = null;
  }

  #multiply(view: LaneView, previous: LaneView | null): void {
    const pieces = this.multiplier;
    const scan = view.last_scan;
    if (pieces === null || scan === null || scan.no === previous?.last_scan?.no) return;
    // Nothing was read: the pieces are still to come.
    if (scan.kind === "lost" || scan.kind === "pairing" || scan.kind === "refused") return;
    this.multiplier = null;
    const line = view.basket.lines.find((one) => one.n === view.touched_line);
    if (line === undefined || line.is_weighed || scan.kind === "unknown") return;
    const more = (pieces - 1) * ONE_MILLI;
    void this.run("quantity", (api) => api.setQuantity(line.n, line.qty_milli + more));
  }

  /** Tell the box which revision stands on the screen, after the frame that painted it. */
  #reportShown(revision: number): void {
    if (document.hidden) return;
    this.#shownRevision = revision;
    requestAnimationFrame(() => {
      this.api?.shown(revision).catch(() => (this.#shownRevision = null));
    });
  }
}

export const till = new Till();
