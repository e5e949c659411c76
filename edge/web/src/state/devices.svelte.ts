/** What the box tells of its devices: fetched when the status says that it has changed. */
import { ProblemError } from "@tillbox/web/client.ts";
import type { Device, DevicesBody, LaneApi } from "../api/box.ts";
import { t, texts } from "./till.svelte.ts";

/** Counters and ages move without the box saying so. */
const REFRESH_MS = 5_000;

export class Devices {
  body: DevicesBody | null = $state.raw(null);
  #asking = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Ask now and then until `stop`; an answer that fails leaves what stood there. */
  start(api: LaneApi): () => void {
    void this.ask(api);
    this.#timer = setInterval(() => void this.ask(api), REFRESH_MS);
    return () => clearInterval(this.#timer);
  }

  async ask(api: LaneApi): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.body = await api.devices();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    } finally {
      this.#asking = false;
    }
  }
}

/** What is wrong, in a few words. */
export const faultText = (code: string): string =>
  texts.find(`device.fault.${code}`) ?? t("till.devices.unknown_fault", { code });

/** What the person at the till does about it; "" where nothing is known. */
export const todoText = (code: string): string => texts.find(`device.todo.${code}`) ?? "";

/** What a device can do or has counted, each by its name: "cutter: yes, characters a line: 48". */
export function figuresText(kind: "can" | "count", figures: Readonly<Record<string, string | number>>): string {
  return Object.entries(figures)
    .map(([name, value]) => {
      const label = texts.find(`device.${kind}.${name}`) ?? name;
      return `${label}: ${texts.find(`device.can.${value}`) ?? value}`;
    })
    .join(texts.language === "en" ? ", " : "，");
}

/** A device by what it is and where: "Scanner, till 2". */
export function deviceName(device: Pick<Device, "kind" | "lane" | "id">): string {
  const kind = texts.find(`till.devices.kind.${device.kind}`) ?? device.kind;
  const place = device.lane === 0 ? t("till.devices.store") : t("till.lane", { lane: device.lane });
  return `${kind} · ${place}`;
}

/** A part of a self-test: a device of the list, or a part of the box such as "box:disk". */
export function partName(name: string, devices: readonly Device[]): string {
  const device = devices.find((each) => each.id === name);
  if (device !== undefined) return deviceName(device);
  const [room, part] = name.split(":");
  if (room !== "box" || part === undefined) return name;
  return `${t("till.devices.kind.box")} · ${texts.find(`till.devices.box.${part}`) ?? part}`;
}
