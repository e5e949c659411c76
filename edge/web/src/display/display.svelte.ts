/** The customer's display: follows one lane by the key that its till gave it, and only looks. */
import { preferredLanguage } from "@tillbox/web/i18n.ts";
import { formatMilli, formatMinor, formatWeight } from "@tillbox/web/money.ts";
import { openFeed, type LinkState } from "@tillbox/web/sse.ts";
import { Texts } from "@tillbox/web/texts.svelte.ts";
import type { ScaleView } from "../api/lane-view.ts";
import type { CustomerView } from "./customer-view.ts";

const KEY = "tillbox.display.";
/** A sale that is over is told for so long, unless the next one begins. */
const DONE_MS = 30_000;

export const texts = new Texts({
  "zh-CN": () => import("virtual:texts/zh-CN"),
  "zh-TW": () => import("virtual:texts/zh-TW"),
  en: () => import("virtual:texts/en"),
});
export const t = texts.t;

class Display {
  view: CustomerView | null = $state.raw(null);
  scale: ScaleView | null = $state.raw(null);
  link: LinkState = $state("connecting");
  /** The box does not know this display's key, or it never had one. */
  shut = $state(false);
  #doneTimer: ReturnType<typeof setTimeout> | undefined;

  /** Money as the store writes it, and weights and counts beside it. */
  money = (minor: number): string =>
    formatMinor(minor, { code: this.view?.currency ?? "", digits: this.view?.digits ?? 2 }, texts.language);
  quantity = (milli: number): string => formatMilli(milli, texts.language);
  weight = (milli: number, unit: string): string => formatWeight(milli, unit, texts.language);

  async start(): Promise<void> {
    await texts.use(preferredLanguage(navigator.languages));
    const lane = /^\/display\/(\d+)/.exec(location.pathname)?.[1] ?? "";
    const key = location.hash.slice(1) || (localStorage.getItem(KEY + lane) ?? "");
    // The key stays in this browser and out of sight.
    history.replaceState(null, "", location.pathname);
    if (lane === "" || key === "") {
      this.shut = true;
      return;
    }
    localStorage.setItem(KEY + lane, key);
    this.#follow(`/v1/lanes/${lane}/display/events?key=${encodeURIComponent(key)}`);
  }

  #follow(url: string): void {
    openFeed({
      url,
      on: {
        view: (data) => void this.#show(JSON.parse(data) as CustomerView),
        scale: (data) => (this.scale = JSON.parse(data) as ScaleView | null),
        alive: () => {},
      },
      silentAfterMs: 2500,
      onLink: (link) => {
        this.link = link;
        if (link === "open") this.shut = false;
        if (link === "silent") void this.#ask(url);
      },
    });
  }

  async #show(view: CustomerView): Promise<void> {
    if (view.language !== texts.language) await texts.use(view.language);
    clearTimeout(this.#doneTimer);
    if (view.phase === "done") {
      this.#doneTimer = setTimeout(() => (this.view = { ...view, phase: "idle" }), DONE_MS);
    }
    this.view = view;
  }

  /** A box that is there and will not have us says so; an event stream alone tells no reason. */
  async #ask(url: string): Promise<void> {
    try {
      const answer = await fetch(url);
      this.shut = answer.status === 403;
      await answer.body?.cancel();
    } catch {
      this.shut = false;
    }
  }
}

export const display = new Display();
