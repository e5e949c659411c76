import { svelte } from "@sveltejs/vite-plugin-svelte";
import { gzip } from "../../shared/web/gzip-plugin.ts";
import { texts } from "../../shared/web/texts-plugin.ts";
import { defineConfig } from "vite";

/** Where `npm run dev` finds a store box; the built page is served by the box itself. */
const BOX = process.env["TILLBOX_BOX"] ?? "http://127.0.0.1:8100";

export default defineConfig({
  plugins: [svelte(), texts(["common.", "display.", "device.can.", "device.count.", "device.fault.", "device.todo.", "error.", "offer.hint.", "offer.why.", "till.", "tender."]), gzip()],
  server: { host: "127.0.0.1", proxy: { "/v1": BOX, "/virtual": BOX } },
  // "display" is the page of a customer's display; the box serves it below /display/.
  build: {
    rollupOptions: { input: { index: "index.html", display: "display.html" } },
    outDir: "../http/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
  },
});
