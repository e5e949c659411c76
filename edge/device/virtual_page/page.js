// The training page: posts scans and faults, shows the paper and the drawer.
// It computes nothing: papers come from the box as finished HTML.
const POLL_MS = 600;
const LOG_LINES = 6;
const PAPERS_SHOWN = 30;

const byId = (id) => document.getElementById(id);
let texts = {};
let ports = {};
let newestPaper = 0;
let drawerIsOpen = false;

const say = (key, params = {}) =>
  Object.entries(params).reduce((text, [name, value]) => text.replace(`{${name}}`, value), texts[key] ?? key);

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

function trouble(isOn) {
  byId("trouble").hidden = !isOn;
  byId("trouble").textContent = isOn ? say("virtual.trouble") : "";
}

async function scan(code) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("span"), { textContent: code }));
  try {
    await ask(`/scanner/${byId("lane").value}`, { code });
    trouble(false);
  } catch {
    line.className = "bad";
    trouble(true);
  }
  line.append(Object.assign(document.createElement("span"), { textContent: new Date().toLocaleTimeString() }));
  byId("log").prepend(line);
  while (byId("log").children.length > LOG_LINES) byId("log").lastChild.remove();
}

function showPort() {
  byId("port").textContent = say("virtual.port", { port: ports[byId("lane").value] ?? "" });
}

function showSamples(samples) {
  for (const { code, name } of samples) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    button.append(Object.assign(document.createElement("code"), { textContent: code }));
    button.addEventListener("click", () => scan(code));
    const item = document.createElement("li");
    item.append(button);
    byId("samples").append(item);
  }
}

function showDrawer(drawer) {
  byId("drawer-count").textContent = say("virtual.drawer_count", { n: drawer.opened });
  setDrawer(drawer.is_open);
}

function setDrawer(isOpen) {
  byId("till").classList.toggle("open", isOpen);
  byId("drawer-state").classList.toggle("open", isOpen);
  byId("drawer-state").textContent = say(isOpen ? "virtual.drawer_open" : "virtual.drawer_closed");
  byId("drawer-move").textContent = say(isOpen ? "virtual.drawer_shut" : "virtual.drawer_key");
  drawerIsOpen = isOpen;
}

function otherPrinter() {
  newestPaper = 0;
  for (const paper of byId("roll").querySelectorAll(".paper")) paper.remove();
  byId("fault").value = "";
}

function showPapers(papers) {
  for (const paper of papers) {
    newestPaper = Math.max(newestPaper, paper.n);
    const holder = document.createElement("template");
    holder.innerHTML = paper.html; // made and escaped by the box
    byId("roll").prepend(holder.content);
  }
  const shown = byId("roll").querySelectorAll(".paper");
  for (const old of [...shown].slice(PAPERS_SHOWN)) old.remove();
  byId("empty").hidden = shown.length > 0;
}

async function look() {
  try {
    const asked = byId("printer").value;
    const [papers, drawer] = await Promise.all([
      ask(`/printer/papers?after=${newestPaper}&printer=${asked}`),
      ask(`/drawer?printer=${asked}`),
    ]);
    if (asked === byId("printer").value) {
      showPapers(papers.papers);
      showDrawer(drawer);
    }
    trouble(false);
  } catch {
    trouble(true);
  }
  setTimeout(look, POLL_MS);
}

async function setClock(atMs) {
  await ask("/clock", { at_ms: atMs });
  byId("clock-state").textContent = atMs === null ? say("virtual.clock_running") : new Date(atMs).toLocaleString();
}

async function start() {
  const data = await ask("/page-data");
  texts = data.texts;
  ports = data.ports;
  document.documentElement.lang = data.locale;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  document.title = say("virtual.title");
  for (const lane of data.lanes) byId("lane").append(new Option(lane, lane));
  showPort();
  showSamples(data.samples);
  setDrawer(false);
  byId("clock-card").hidden = !data.has_clock;
  byId("clock-state").textContent = say("virtual.clock_running");
  byId("lane").addEventListener("change", showPort);
  byId("scan").addEventListener("submit", (event) => {
    event.preventDefault();
    void scan(byId("code").value.trim());
    byId("code").select();
  });
  for (const printer of data.printers) byId("printer").append(new Option(printer, printer));
  byId("printer-choice").hidden = data.printers.length < 2;
  byId("printer").addEventListener("change", otherPrinter);
  byId("fault").addEventListener("change", (event) => ask(`/printer/fault?printer=${byId("printer").value}`, { fault: event.target.value || null }));
  byId("drawer-move").addEventListener("click", () => ask(`/drawer?printer=${byId("printer").value}`, { is_open: !drawerIsOpen }));
  byId("clock").addEventListener("submit", (event) => {
    event.preventDefault();
    void setClock(new Date(byId("instant").value).getTime());
  });
  byId("clock-run").addEventListener("click", () => setClock(null));
  await look();
}

await start();
