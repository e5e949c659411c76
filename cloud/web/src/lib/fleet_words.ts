/** How figures of boxes, their alerts and commands are written. */

import { decimalText } from "@tillbox/web/money.ts";
import type { Alert, Command } from "../api/fleet.ts";
import { t, texts } from "./app.svelte.ts";
import { count, span } from "./format.ts";
import type { Tone } from "./states.ts";

const NONE = "–";

export const degrees = (milli: number | null): string =>
  milli === null ? NONE : `${decimalText(Math.round(milli / 100), 1)} °C`;
export const millis = (ms: number | null): string => (ms === null ? NONE : `${count(ms)} ms`);
export const megabytes = (mb: number | null): string =>
  mb === null ? NONE : mb < 10_000 ? `${count(mb)} MB` : `${count(Math.floor(mb / 1024))} GB`;
export const share = (percent: number | null): string => (percent === null ? NONE : `${count(percent)} %`);

export const ruleText = (rule: string): string => texts.find(`console.alerts.rule.${rule}`) ?? rule;
export const adviceText = (rule: string): string => texts.find(`console.alerts.todo.${rule}`) ?? "";
export const clockText = (quality: number | null): string =>
  quality === null ? NONE : t(`console.fleet.clock.${Math.min(quality, 2) as 0 | 1 | 2}`);

/** A figure of a rule in its unit. */
export function figure(value: number, unit: string): string {
  switch (unit) {
    case "s":
      return span(value);
    case "percent":
      return share(value);
    case "mc":
      return degrees(value);
    case "ms":
      return millis(value);
    case "days":
      return t("console.alerts.days", { count: count(value) });
    case "quality":
      return clockText(value);
    case "flag":
      return value > 0 ? t("common.yes") : t("common.no");
    default:
      return count(value);
  }
}

/** A threshold: what is not counted has no more and no less. */
export function threshold(value: number, unit: string, isAtLeast: boolean): string {
  if (unit === "flag" || unit === "quality") return figure(value, unit);
  return `${isAtLeast ? "≥" : "≤"} ${figure(value, unit)}`;
}

const UNITS: Readonly<Record<string, string>> = {
  silent: "s",
  unsynced_age: "s",
  disk_low: "percent",
  card_worn: "percent",
  hot: "mc",
  undervolted: "flag",
  pin_guessed: "flag",
  clock_untrusted: "quality",
  clock_off: "ms",
  certificate: "days",
  crl: "days",
  ca_device: "days",
  ca_chain: "days",
  broker_certificate: "days",
  scan_slow: "ms",
  sync_slow: "ms",
  release_refused: "flag",
  box_backup: "days",
  restore: "days",
};

/** What an alert is about: its worst figure, and codes as sentences where there are some. */
export function alertText(alert: Alert): string {
  const unit = UNITS[alert.rule] ?? "count";
  const said = alert.detail === "" ? "" : codesText(alert.detail);
  if (unit === "flag") return said;
  return [figure(alert.worst, unit), said].filter((part) => part !== "").join(" · ");
}

/** "printer-1:printer.paper_out" as "printer-1: out of paper". */
export function codesText(detail: string): string {
  return detail
    .split(" ")
    .map((word) => {
      const [name, code] = word.includes(":") ? [word.slice(0, word.indexOf(":")), word.slice(word.indexOf(":") + 1)] : ["", word];
      const text = texts.find(`device.fault.${code}`) ?? texts.find(`error.${code}`) ?? code;
      return name === "" ? text : `${name}: ${text}`;
    })
    .join(", ");
}

export const ALERT_TONES: Readonly<Record<string, Tone>> = {
  open: "bad",
  acknowledged: "warn",
  closed: "neutral",
};

export const KINDS = ["self_test", "test_page", "collect_logs", "restart", "offline_drill"] as const;
export type Kind = (typeof KINDS)[number];

export const kindText = (kind: string): string => texts.find(`console.fleet.command.${kind}`) ?? kind;
export const COMMAND_TONES: Readonly<Record<string, Tone>> = {
  waiting: "info",
  done: "good",
  failed: "bad",
  refused: "bad",
  expired: "warn",
  cancelled: "neutral",
};

/** What became of a command: its words "name=value" with their names, and why it failed. */
export function outcomeText(command: Command): string {
  const why = command.code === "" ? "" : (texts.find(`error.${command.code}`) ?? command.code);
  const words = command.state === "cancelled" ? [] : command.detail.split(" ").filter((word) => word !== "");
  const said = words.map((word) => {
    const at = word.indexOf("=");
    const name = at < 0 ? undefined : texts.find(`console.fleet.result.${word.slice(0, at)}`);
    return name === undefined ? codesText(word) : `${name} ${word.slice(at + 1)}`;
  });
  return [why, said.join(" · ")].filter((part) => part !== "").join(" ");
}
