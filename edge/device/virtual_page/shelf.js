// The store's shelf sensors on the training page: one slider each, and a switch.
const byId = (id) => document.getElementById(id);
const RANGES = { weight: [0, 20000, 10], temperature: [-25000, 25000, 100], door: [0, 1, 1] };
let texts = {};

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

function shown({ kind, value, is_on }) {
  if (!is_on) return texts["virtual.shelf_off"];
  if (kind === "door") return texts[value ? "virtual.shelf_open" : "virtual.shelf_shut"];
  return kind === "weight" ? `${(value / 1000).toFixed(2)} kg` : `${(value / 1000).toFixed(1)} °C`;
}

function row(slider) {
  const [min, max, step] = RANGES[slider.kind];
  const item = document.createElement("li");
  const label = Object.assign(document.createElement("label"), { textContent: slider.label });
  const range = Object.assign(document.createElement("input"), { type: "range", min, max, step });
  range.value = String(slider.value);
  range.id = `shelf-${slider.name}`;
  label.htmlFor = range.id;
  const value = Object.assign(document.createElement("output"), { textContent: shown(slider) });
  value.htmlFor = range.id;
  const power = Object.assign(document.createElement("button"), { type: "button" });
  let isOn = slider.is_on;
  const show = (now) => {
    value.textContent = shown(now);
    power.textContent = texts[now.is_on ? "virtual.shelf_pull" : "virtual.shelf_plug"];
  };
  const move = async () => {
    const { sliders } = await ask(`/shelf/${slider.name}`, { value: Number(range.value), is_on: isOn });
    show(sliders.find((each) => each.name === slider.name));
  };
  range.addEventListener("input", () => void move());
  power.addEventListener("click", () => {
    isOn = !isOn;
    void move();
  });
  show(slider);
  item.append(label, range, value, power);
  return item;
}

const { sliders } = await ask("/shelf");
if (sliders.length > 0) {
  texts = (await ask("/page-data")).texts;
  byId("shelf").replaceChildren(...sliders.map(row));
  byId("shelf-card").hidden = false;
}
