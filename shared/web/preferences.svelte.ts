/** How one person wants the screen: theme, text size, hand, language.  Kept in this browser. */
import { preferredLanguage, type Language } from "./i18n.ts";

export type Theme = "auto" | "light" | "dark";
export type Hand = "right" | "left";
export const TEXT_SCALES = [100, 125, 150] as const;
export type TextScale = (typeof TEXT_SCALES)[number];

interface Choice {
  theme: Theme;
  textScale: TextScale;
  hand: Hand;
  language: Language;
}

export class Preferences {
  theme: Theme = $state("auto");
  textScale: TextScale = $state(100);
  hand: Hand = $state("right");
  language: Language = $state(preferredLanguage(navigator.languages));
  #owner = "";
  readonly #app: string;
  readonly #systemDark = matchMedia("(prefers-color-scheme: dark)");

  /** @param app keeps the till's and the console's choices apart in one browser. */
  constructor(app: string) {
    this.#app = app;
    this.#systemDark.addEventListener("change", () => this.#show());
    this.load("");
  }

  /** Take up the choices of a person ("" when nobody is signed in), if they ever made any. */
  load(owner: string): void {
    this.#owner = owner;
    const kept = localStorage.getItem(this.#key());
    if (kept !== null) Object.assign(this, JSON.parse(kept) as Partial<Choice>);
    this.#show();
  }

  change(choice: Partial<Choice>): void {
    Object.assign(this, choice);
    const { theme, textScale, hand, language } = this;
    localStorage.setItem(this.#key(), JSON.stringify({ theme, textScale, hand, language }));
    this.#show();
  }

  #key(): string {
    return `tillbox.${this.#app}.preferences.${this.#owner}`;
  }

  #show(): void {
    const root = document.documentElement;
    const dark = this.theme === "dark" || (this.theme === "auto" && this.#systemDark.matches);
    root.dataset["theme"] = dark ? "dark" : "light";
    root.dataset["hand"] = this.hand;
    root.style.setProperty("--text-scale", String(this.textScale / 100));
  }
}
