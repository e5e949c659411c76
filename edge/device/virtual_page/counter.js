// The lane's scale and customer display on the training page.
const POLL_MS = 300;
const byId = (id) => document.getElementById(id);
let texts = {};
let isShaken = false;

async function ask(path, body) {
  const init = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`/virtual${path}`, { ...init, cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

const lane = () => byId("lane").value || "1";

function showScale(scale) {
  byId("scale-card").hidden = scale === null;
  if (scale === null) return;
  const state = scale.is_over ? "over" : scale.is_moving ? "moving" : "still";
  const digits = (Math.abs(scale.shown_milli) / 1000).toFixed(3);
  byId("scale-shown").textContent = `${scale.shown_milli < 0 ? "\u2212" : ""}${digits}`;
  byId("scale-state").textContent = texts[`virtual.scale_${state}`] ?? state;
  if (document.activeElement !== byId("load")) byId("load").value = String(scale.load_milli);
}

function showRows(rows) {
  byId("vfd-card").hidden = rows === null;
  for (const [n, text] of (rows ?? []).entries()) byId(`vfd-${n}`).textContent = text || "\u00a0";
}

async function load(milli) {
  showScale(await ask(`/scale/${lane()}`, { load_milli: milli, is_shaken: isShaken }));
}

async function look() {
  try {
    const { scale, display } = await ask(`/counter/${lane()}`);
    showScale(scale);
    showRows(display);
  } catch {
    // page.js says that the box is away.
  }
  setTimeout(look, POLL_MS);
}

async function start() {
  const data = await ask("/page-data");
  if (data.counters.length === 0) return;
  texts = data.texts;
  byId("load").addEventListener("input", () => void load(Number(byId("load").value)));
  byId("scale-empty").addEventListener("click", () => {
    byId("load").value = "0";
    void load(0);
  });
  byId("scale-shake").addEventListener("click", () => {
    isShaken = !isShaken;
    byId("scale-shake").setAttribute("aria-pressed", String(isShaken));
    void load(Number(byId("load").value));
  });
  byId("scale-tare").addEventListener("click", () => void ask(`/scale/${lane()}/tare`, {}));
  await look();
}

await start();
