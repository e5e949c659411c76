import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { gzip } from "../../shared/web/gzip-plugin.ts";
import { texts } from "../../shared/web/texts-plugin.ts";

export default defineConfig({
  plugins: [svelte(), texts(["common.", "console.", "device.fault.", "error.", "offer.lint.", "price_check.", "release.", "tender.", "work."]), gzip()],
  build: { outDir: "../http/static", emptyOutDir: true, target: "es2022" },
  server: { proxy: { "/v1": process.env["TILLBOX_CLOUD"] ?? "http://127.0.0.1:8080" } },
});
