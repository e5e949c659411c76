/**
 * Vite plugin: `virtual:texts/<language>` is that language's file with only the keys of one app, so
 * that the till does not carry the console's texts.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const SCHEME = "virtual:texts/";

export function texts(prefixes: readonly string[]): Plugin {
  return {
    name: "tillbox-texts",
    resolveId: (id) => (id.startsWith(SCHEME) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${SCHEME}`)) return null;
      const language = id.slice(SCHEME.length + 1);
      const file = fileURLToPath(new URL(`../i18n/${language}.json`, import.meta.url));
      this.addWatchFile(file);
      const all = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
      const kept = Object.entries(all).filter(([key]) => prefixes.some((p) => key.startsWith(p)));
      return `export default ${JSON.stringify(Object.fromEntries(kept))}`;
    },
  };
}
