import { mount } from "svelte";
import "./app.css";
import App from "./App.svelte";
import { preferences, texts } from "./state/till.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
await texts.use(preferences.language);
mount(App, { target });
