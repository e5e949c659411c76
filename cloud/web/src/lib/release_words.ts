/** How the states of a release, its waves and its stores look and what they are called. */

import type { Params, TextKey } from "@tillbox/web/i18n.ts";
import type { MeterPart } from "../ui/meter.ts";
import { t, texts } from "./app.svelte.ts";
import { count, money, percent } from "./format.ts";
import { stepsOf, type Progress } from "./progress.ts";
import type { Tone } from "./states.ts";
import { stores } from "./stores.svelte.ts";

/** A verb of the cloud's API: what may be done to a release. */
export type Verb = "approve" | "reject" | "advance" | "pause" | "resume" | "halt" | "roll-back" | "cancel";

/** In the order in which the page offers them: what goes on first, what takes back last. */
export const VERBS: readonly Verb[] = [
  "approve",
  "reject",
  "resume",
  "advance",
  "pause",
  "halt",
  "roll-back",
  "cancel",
];

/** Verbs that end or take back what others did: they ask for a reason. */
export const NEEDS_REASON: ReadonlySet<Verb> = new Set(["reject", "pause", "halt", "roll-back", "cancel"]);

const TONES: Readonly<Record<string, Tone>> = {
  review: "warn",
  approved: "info",
  queued: "info",
  rolling: "info",
  paused: "warn",
  halted: "bad",
  rolling_back: "bad",
  rolled_back: "neutral",
  rejected: "neutral",
  cancelled: "neutral",
  done: "good",
};

const WAVE_TONES: Readonly<Record<string, Tone>> = {
  waiting: "neutral",
  rolling: "info",
  soaking: "info",
  done: "good",
  withdrawn: "bad",
};

/** States in which nothing will happen any more. */
const ENDED = new Set(["done", "rolled_back", "rejected", "cancelled"]);

export const releaseTone = (state: string): Tone => TONES[state] ?? "neutral";
export const releaseText = (state: string): string => texts.find(`console.releases.state.${state}`) ?? state;
export const isEnded = (state: string): boolean => ENDED.has(state);

export const waveTone = (state: string): Tone => WAVE_TONES[state] ?? "neutral";
export const waveText = (state: string): string => texts.find(`console.releases.wave_state.${state}`) ?? state;

interface Told {
  action: string;
  reason: string;
  params: Params;
}

/** What an event of a release's history was; people count waves from one. */
export const eventText = ({ action, params }: Told): string =>
  texts.find(`console.releases.event.${action}`, { ...params, wave: Number(params["n"] ?? 0) + 1 }) ?? action;

/** Why it was: what a person said, else the guard that saw something. */
export const eventReason = ({ reason, params }: Told): string =>
  reason === "" && params["guard"] !== undefined ? guardText(String(params["guard"])) : reason;

export const guardText = (guard: string): string => texts.find(`console.releases.guard.${guard}`) ?? guard;

/** What a kind of record is called: `price`, `item`, `offer`... */
export const kindText = (kind: string): string => texts.find(`console.kind.${kind}`) ?? kind;

/** Where a record counts: "" all stores, `zone:<id>` a price zone, `store-<id>` one store. */
export function scopeText(scope: string): string {
  if (scope === "") return t("console.all_stores");
  if (scope.startsWith("store-")) return stores.name(scope.slice("store-".length));
  if (scope.startsWith("zone:")) return t("console.releases.zone", { zone: scope.slice("zone:".length) });
  return scope;
}

interface Looked {
  is_on: boolean;
  state: string;
  unit: string;
}

export const guardTone = (guard: Looked): Tone =>
  guard.state === "tripped" ? "bad" : guard.is_on && guard.state === "ok" ? "good" : "neutral";
export const guardState = (guard: Looked): string =>
  t(`console.releases.guard_state.${guard.is_on ? guard.state : "off"}` as TextKey);

/** A guard's figure in its unit: a share, a number of cases, or an amount in whole minor units. */
export function guardValue(guard: { unit: string }, value: number | null): string {
  if (guard.unit === "bp") return percent(value);
  return guard.unit === "minor" ? money(value, undefined) : count(value);
}

/** Waves of the policy's plan have names that are texts; a person's names stand as they are. */
export const waveName = (name: string): string => texts.find(`console.releases.wave_name.${name}`) ?? name;

/** How far the stores of a release or a wave are, as parts of a bar. */
export const progressParts = (of: Progress, state: string): MeterPart[] =>
  stepsOf(of, GONE.has(state) ? "without" : "waiting").map((step) => ({
    label: storeStateText(step.state),
    value: step.value,
    tone: step.tone,
  }));
/** Where a release is taken back, stores without it will not get it any more. */
const GONE = new Set(["withdrawn", "rolling_back", "rolled_back", "rejected", "cancelled"]);

/** Verbs whose effect cannot be taken back by the opposite verb. */
export const TAKES_BACK: ReadonlySet<Verb> = new Set(["reject", "halt", "roll-back", "cancel"]);

type VerbKey = Exclude<Verb, "roll-back"> | "roll_back";
export const verbKey = (verb: Verb): VerbKey => (verb === "roll-back" ? "roll_back" : verb);

/** What a person calls a release: its note, else its number. */
export const releaseName = (release: { release_id: number; note: string }): string =>
  release.note === "" ? t("console.releases.number", { id: release.release_id }) : release.note;

/** A plan in one line: "Canary 1% → 10% → 50% → the rest". */
export function planText(plan: readonly { name: string; percent: number | null }[]): string {
  return plan
    .map((wave, n) =>
      n === plan.length - 1 ? t("console.releases.rest") : wave.percent === null ? waveName(wave.name) : percent(wave.percent * 100),
    )
    .join(" → ");
}

/** Why a release is where it is: the cloud's own words for it, or an error's. */
export const reasonText = (code: string): string =>
  texts.find(`release.because.${code}`) ?? texts.find(`error.${code}`) ?? guardText(code);

/** What the next step of a release waits for. */
export const waitText = (why: string): string => texts.find(`release.waits.${why}`) ?? why;

/** What a wave has shown so far of what it has to. */
export const evidenceText = (seen: Evidence): string =>
  t("console.releases.evidence_of", {
    sales: count(seen.sales),
    sales_wanted: count(seen.sales_wanted),
    boxes: count(seen.boxes),
    boxes_wanted: count(seen.boxes_wanted),
  });
interface Evidence {
  sales: number;
  sales_wanted: number;
  boxes: number;
  boxes_wanted: number;
}

/** When a release begins: a wall-clock text of each store, or as soon as it may. */
export const startText = (local: string | null): string =>
  local === null || local === ""
    ? t("console.releases.starts_at_once")
    : t("console.releases.starts_at", { local: local.replace("T", " ") });

/** Why a second person has to look: a figure and the limit that it passes. */
export function becauseOf(one: { rule: string; value: number; limit: number }): string {
  const write = one.rule === "move" ? percent : count;
  const params = { value: write(one.value), limit: write(one.limit) };
  return texts.find(`console.releases.rule.${one.rule}`, params) ?? one.rule;
}

/** What the linter found, with amounts written as such. */
export function findingText(one: { code: string; params: Params }): string {
  const params = Object.entries(one.params).map(([name, value]) => [
    name,
    name.endsWith("_minor") ? money(Number(value), undefined) : value,
  ]);
  return texts.find(`offer.${one.code}`, Object.fromEntries(params) as Params) ?? one.code;
}

/** A store of a release, the states that need a person first. */
export const STORE_STATES = [
  "failed",
  "too_old",
  "silent",
  "waiting",
  "brought",
  "stored",
  "active",
  "shown",
  "withdrawn",
] as const;
const STORE_TONES: Readonly<Record<string, Tone>> = {
  failed: "bad",
  too_old: "bad",
  silent: "bad",
  brought: "warn",
  stored: "info",
  active: "info",
  shown: "good",
};
export const storeStateText = (state: string): string => texts.find(`console.releases.store_state.${state}`) ?? state;
export const storeStateTone = (state: string): Tone => STORE_TONES[state] ?? "neutral";

export const RELEASE_STATES = [
  "review",
  "approved",
  "queued",
  "rolling",
  "paused",
  "halted",
  "rolling_back",
  "rolled_back",
  "done",
  "rejected",
  "cancelled",
] as const;

export const severityText = (severity: string): string =>
  texts.find(`console.releases.severity.${severity}`) ?? severity;

/** Verbs that let a release go on. */
export const GOES_ON: ReadonlySet<Verb> = new Set(["approve", "resume"]);
