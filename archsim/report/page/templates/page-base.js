// What the pages of runs and of sweeps share: quantities as text, elements, ticks, and the tip that says what a mark is.
const PAGE = JSON.parse(document.getElementById("data").textContent);
const PREFIXES = {"-18": "a", "-15": "f", "-12": "p", "-9": "n", "-6": "µ", "-3": "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"};
const AREAS = [[0, ""], [-6, "m"], [-12, "µ"], [-18, "n"]];
const WHOLE = new Intl.NumberFormat("en-US", {maximumFractionDigits: 0});

function exponent(value) {
  return Math.min(Math.max(3 * Math.floor(Math.log10(Math.abs(value)) / 3), -18), 12);
}

/** A value in SI with an engineering prefix: show(2.5e-7, "s") is "250 ns", show(2e-8, "m^2") is "0.02 mm²". */
function show(value, unit, digits = 4) {
  if (value === 0 || !Number.isFinite(value)) return `${value} ${unit}`;
  if (unit === "m^2") {
    const [power, prefix] = AREAS.find(([each]) => Math.abs(value) >= 10 ** (each - 2)) || AREAS.at(-1);
    return `${Number((value / 10 ** power).toPrecision(digits))} ${prefix}m²`;
  }
  if (unit.split("/")[0].includes("^")) return `${Number(value.toPrecision(digits))} ${unit}`;
  let power = exponent(value);
  let mantissa = Number((value / 10 ** power).toPrecision(digits));
  if (Math.abs(mantissa) >= 1000 && power < 12) [mantissa, power] = [mantissa / 1000, power + 3];
  return `${mantissa} ${PREFIXES[power]}${unit}`;
}

const SVG = "http://www.w3.org/2000/svg";
const slug = (text) => text.toLowerCase().replaceAll(" ", "-");

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function draw(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Numbers at which a log axis is marked: powers of ten, on a short one also 2 and 5 times those. */
function logTicks(first, last) {
  const marks = (factors) => {
    const found = [];
    for (let power = Math.floor(Math.log10(first)); 10 ** power <= last; power++) {
      for (const factor of factors) found.push(Number(`${factor}e${power}`));
    }
    return found.filter((value) => value >= first && value <= last);
  };
  const powers = marks([1]), closer = marks([1, 2, 5]);
  if (powers.length >= 3) return powers;
  return closer.length >= 2 ? closer : ticks(last, 4).filter((value) => value >= first);
}

/** Numbers at which an axis from 0 to `most` is marked: 1, 2 or 5 times a power of ten apart. */
function ticks(most, wanted) {
  if (!(most > 0)) return [0];
  const raw = most / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((each) => each * power >= raw * (1 - 1e-9)) * power;
  return Array.from({length: Math.floor(most / step * (1 + 1e-9)) + 1}, (_, k) => k * step);
}

// --- the tip ---------------------------------------------------------------------------------------------------------
const tip = document.getElementById("tip");
let tipFor = null;

function showTip(node, lines) {
  tipFor = node;
  tip.replaceChildren(...lines.map(([kind, text]) => make("p", {class: kind}, text)));
  tip.hidden = false;
  const box = node.getBoundingClientRect(), size = tip.getBoundingClientRect(), edge = 8;
  const left = Math.min(Math.max(box.left + box.width / 2 - size.width / 2, edge), innerWidth - size.width - edge);
  const above = box.top - size.height - edge;
  tip.style.left = `${Math.max(left, edge)}px`;
  tip.style.top = `${above > edge ? above : box.bottom + edge}px`;
}

function hideTip() {
  tip.hidden = true;
  tipFor = null;
}

/** Give a mark its tip, on hover and on focus; `lines` is asked when it is shown. */
function withTip(node, lines) {
  const open = () => showTip(node, lines());
  node.addEventListener("pointerenter", open);
  node.addEventListener("focus", open);
  node.addEventListener("pointerleave", hideTip);
  node.addEventListener("blur", hideTip);
  node.refreshTip = open;
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
addEventListener("scroll", hideTip, {passive: true});

/** Let the arrow keys move through the marks of a chart, which is one stop of the tab key. */
function walk(marks) {
  marks.forEach((mark, k) => {
    mark.setAttribute("tabindex", k === 0 ? "0" : "-1");
    mark.addEventListener("keydown", (event) => {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      const next = event.key === "Home" ? 0 : event.key === "End" ? marks.length - 1
        : step ? Math.min(Math.max(k + step, 0), marks.length - 1) : null;
      if (next === null) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      marks[next].setAttribute("tabindex", "0");
      marks[next].focus();
    });
  });
}
