import { mount } from "svelte";
import "@tillbox/web/tokens.css";
import "@tillbox/web/base.css";
import Display from "./Display.svelte";
import { display } from "./display.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("display.html has no #app");
const dark = matchMedia("(prefers-color-scheme: dark)");
const showTheme = (): void => {
  document.documentElement.dataset["theme"] = dark.matches ? "dark" : "light";
};
dark.addEventListener("change", showTheme);
showTheme();
await display.start();
mount(Display, { target });
