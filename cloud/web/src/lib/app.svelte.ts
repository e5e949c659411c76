/** The texts and the look of the console: one instance of each. */

import type { Language } from "@tillbox/web/i18n.ts";
import { Preferences } from "@tillbox/web/preferences.svelte.ts";
import { Texts } from "@tillbox/web/texts.svelte.ts";

export const preferences = new Preferences("console");

export const texts = new Texts({
  "zh-CN": () => import("virtual:texts/zh-CN"),
  "zh-TW": () => import("virtual:texts/zh-TW"),
  en: () => import("virtual:texts/en"),
});

export const t = texts.t;

export async function changeLanguage(language: Language): Promise<void> {
  preferences.change({ language });
  await texts.use(language);
}
