import { mount } from "svelte";
import "@tillbox/web/tokens.css";
import "@tillbox/web/base.css";
import "./app.css";
import App from "./App.svelte";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");
mount(App, { target });
