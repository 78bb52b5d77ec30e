"use strict";
/*
 * The page's script. Everything an item holds is shown by textContent or drawn as text: nothing is ever markup.
 *
 *   data    columns of numbers, one entry a mark, from left to right      view    the stretch of time on screen
 *   shown   the marks that the filters leave, in the same order           chosen  the mark whose details are open
 */

const KINDS = ["write", "replication", "repair", "duplicate", "attention", "overwritten"];
const LABELS = {
  overwritten: "Overwritten write", attention: "Needs a look", duplicate: "Duplicate", repair: "Repair",
  replication: "Replication", write: "Write",
};
const PLURALS = {
  overwritten: "Overwritten writes", attention: "Need a look", duplicate: "Duplicates", repair: "Repairs",
  replication: "Replications", write: "Writes",
};
const OVERWRITTEN = KINDS.indexOf("overwritten");
const ROW_HEIGHT = 34;
const OWN_ROWS = 16;        // so many items or fewer get a row each
const DRAWN_SINGLY = 4000;  // more marks than that are drawn as a texture of cells
const LINKED = 2500;        // more marks than that are drawn without lines between Regions
const CELL = 3;
const KEPT_BLOCKS = 48;
const CARD_ATTRIBUTES = 8;
const BOOKKEEPING = new Set(["Causality", "ExpiresAt", "IdempotencyKey", "LastUpdatedRegion", "Timestamp", "Version"]);

const byId = (id) => document.getElementById(id);

// Data

function prefixSums(differences, start) {
  const sums = new Float64Array(differences.length);
  let sum = start;
  differences.forEach((difference, i) => { sum += difference; sums[i] = sum; });
  return sums;
}

/** Return where each mark's contents stand: those of one item lie side by side. */
function contentPositions(key, keys) {
  const next = new Uint32Array(keys + 1);
  for (const k of key) next[k + 1] += 1;
  for (let k = 0; k < keys; k += 1) next[k + 1] += next[k];
  return Uint32Array.from(key, (k) => next[k]++);
}

function readData() {
  const raw = JSON.parse(byId("data").textContent);
  const { marks } = raw;
  const count = marks.lane.length;
  const takenBy = new Int32Array(count).fill(-1);
  marks.overwrote.forEach((taken, i) => { if (taken >= 0) takenBy[taken] = i; });
  return {
    ...raw, count, takenBy,
    lane: Uint8Array.from(marks.lane), kind: Uint8Array.from(marks.kind), key: Uint32Array.from(marks.key),
    x: prefixSums(marks.x, 0).map((us) => us / 1000), at: prefixSums(marks.at, raw.start_ms),
    changed: marks.changed, lost: marks.lost, decision: marks.decision,
    source: Int32Array.from(marks.source), overwrote: Int32Array.from(marks.overwrote),
    position: contentPositions(marks.key, raw.keys.length),
  };
}

const data = readData();
const contents = {
  packed: null,
  open: new Map(),

  /** Return a mark's contents: what both versions hold, and the sentences about them. */
  async of(mark) {
    const position = data.position[mark];
    const number = Math.floor(position / data.block);
    const block = await this.block(number);
    const [images, told] = block[position % data.block];
    return { ...images, ...told };
  },

  block(number) {
    const known = this.open.get(number);
    this.open.delete(number);
    const block = known ?? this.unpack(number);
    this.open.set(number, block);
    if (this.open.size > KEPT_BLOCKS) this.open.delete(this.open.keys().next().value);
    return block;
  },

  async unpack(number) {
    this.packed ??= JSON.parse(byId("blocks").textContent);
    const bytes = Uint8Array.from(atob(this.packed[number]), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  },
};

// Words

const two = (number) => String(number).padStart(2, "0");
const number = (count) => count.toLocaleString("en");
const timeOfDay = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;

function timeText(ms, finest = data.step_ms) {
  const date = new Date(ms);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${clockText(date, finest)}`;
}

function clockText(date, finest) {
  if (finest >= 60000) return timeOfDay(date);
  const seconds = `${timeOfDay(date)}:${two(date.getUTCSeconds())}`;
  return finest >= 1000 ? seconds : `${seconds}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
}

const kindOf = (mark) => KINDS[data.kind[mark]];
const regionOf = (mark) => data.regions[data.lane[mark]];
const keyOf = (mark) => data.keys[data.key[mark]];
const changedBy = (mark) => data.sets[data.changed[mark]];
const lostBy = (mark) => data.sets[data.lost[mark]];

function decisionText(mark) {
  const [decisions, mode] = data.decisions[data.decision[mark]];
  const words = decisions.map(([decision, reason]) => `${decision}: ${reason.replaceAll("_", " ")}`).join(", ");
  return mode === "approximate" ? `${words} (approximate)` : words;
}

function markText(mark) {
  const lost = lostBy(mark);
  const names = lost.length ? `, lost ${lost.join(", ")}` : "";
  return `${LABELS[kindOf(mark)]}, ${regionOf(mark)}, item ${keyOf(mark)}, ${timeText(data.at[mark])}${names}`;
}

// Elements

function element(name, { text, className, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function glyph(kind) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `glyph ${kind}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#glyph-${kind}`);
  svg.append(use);
  return svg;
}

// Filters

const filters = { kinds: new Set(), key: "", attribute: "" };
let shown = new Uint32Array(0);
let rowOfKey = new Int32Array(0);
let rowNames = [];

function matching(names, part) {
  const wanted = part.trim().toLowerCase();
  return Uint8Array.from(names, (name) => (name.toLowerCase().includes(wanted) ? 1 : 0));
}

/** Return the marks that every filter leaves. */
function filtered() {
  const keys = matching(data.keys, filters.key);
  const wanted = filters.attribute.trim().toLowerCase();
  const sets = data.sets.map((names) => !wanted || names.some((name) => name.toLowerCase().includes(wanted)));
  const left = [];
  for (let i = 0; i < data.count; i += 1) {
    if (filters.kinds.size && !filters.kinds.has(data.kind[i])) continue;
    if (keys[data.key[i]] && (sets[data.changed[i]] || sets[data.lost[i]])) left.push(i);
  }
  return Uint32Array.from(left);
}

/** Give each shown item a row of its own while they are few; else each has a height that looks random. */
function layRows() {
  rowOfKey = new Int32Array(data.keys.length).fill(-1);
  rowNames = [];
  for (const mark of shown) {
    const key = data.key[mark];
    if (rowOfKey[key] < 0) {
      rowOfKey[key] = rowNames.length;
      rowNames.push(data.keys[key]);
    }
  }
}

function applyFilters() {
  shown = filtered();
  layRows();
  byId("shown").textContent = `${number(shown.length)} of ${number(data.count)} records`;
  for (const button of document.querySelectorAll(".total[data-kind]")) {
    button.setAttribute("aria-pressed", String(filters.kinds.has(Number(button.dataset.kind))));
  }
  const none = !shown.some((mark) => data.kind[mark] === OVERWRITTEN);
  byId("next").disabled = none;
  byId("previous").disabled = none;
  hover(-1);
  layTimeline();
  drawTable();
}

function toggleKind(kind) {
  if (!filters.kinds.delete(kind)) filters.kinds.add(kind);
  applyFilters();
}

// Totals

function drawTotals() {
  const order = [...KINDS.keys()].reverse();
  byId("totals").append(...order.map(totalButton));
  const overwritten = sum(data.totals.kinds.overwritten);
  byId("headline").textContent = headline(overwritten);
  byId("scope").textContent = scope();
}

function headline(overwritten) {
  if (!overwritten) return "No overwritten write in these recordings";
  return overwritten === 1 ? "1 write was overwritten" : `${number(overwritten)} writes were overwritten`;
}

const lastMs = data.count ? data.at[data.count - 1] : data.start_ms;
const isOneDay = Math.floor(data.start_ms / 864e5) === Math.floor(lastMs / 864e5);

/** Return a row's time; the day stands above the table where there is only one. */
const rowTime = (ms) => (isOneDay ? clockText(new Date(ms), data.step_ms) : timeText(ms));

function scope() {
  const { records, items } = data.totals;
  const span = lastMs === data.start_ms ? timeText(lastMs) : `${timeText(data.start_ms)} to ${timeText(lastMs)}`;
  return `${number(records)} records of ${number(items)} items in ${data.regions.join(", ")} · ${span} UTC`;
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

function totalButton(kind) {
  const name = KINDS[kind];
  const counts = data.totals.kinds[name];
  const total = sum(counts);
  const parts = data.regions.map((region, lane) => element("span", { text: `${region} ${number(counts[lane])}` }));
  const button = element("button", {
    type: "button", className: `total ${name} ${total ? "" : "none"}`, "data-kind": kind, "aria-pressed": "false",
    title: "Show these records alone",
  });
  const label = element("span", { className: "name" }, glyph(name), PLURALS[name]);
  button.append(label, element("span", { className: "count", text: number(total) }), element("span", { className: "parts" }, ...parts));
  button.addEventListener("click", () => toggleKind(kind));
  return button;
}

function drawDecided() {
  const [head, body] = byId("decided").children;
  const cells = (values, name) => values.map((value) => element(name, { className: "number", text: number(value) }));
  head.append(element("tr", {}, ...["Decision", "Reason"].map((text) => element("th", { text, scope: "col" })),
    ...[...data.regions, "Sum"].map((text) => element("th", { text, scope: "col", className: "number" }))));
  for (const [decision, reason, counts] of data.totals.decisions) {
    body.append(element("tr", {}, element("td", { text: decision }), element("td", { text: reason.replaceAll("_", " ") }),
      ...cells([...counts, sum(counts)], "td")));
  }
}

// The view: a stretch of time

const view = { from: 0, to: 1 };
const extent = { from: 0, to: 1 };

function measureExtent() {
  const end = data.count ? data.x[data.count - 1] : 1;
  const start = data.count ? data.x[0] : 0;
  const margin = Math.max((end - start) * 0.015, data.step_ms / 50);
  Object.assign(extent, { from: start - margin, to: end + margin });
  Object.assign(view, extent);
}

function setView(from, to) {
  const whole = extent.to - extent.from;
  const span = Math.min(Math.max(to - from, Math.min(whole, Math.max(whole / 2e6, 0.01))), whole);
  const left = Math.min(Math.max(from, extent.from), extent.to - span);
  Object.assign(view, { from: left, to: left + span });
  redraw();
}

function zoom(factor, around = (view.from + view.to) / 2) {
  setView(around - (around - view.from) / factor, around + (view.to - around) / factor);
}

function pan(part) {
  const shift = (view.to - view.from) * part;
  setView(view.from + shift, view.to + shift);
}

function reveal(mark) {
  const x = data.x[mark];
  const span = view.to - view.from;
  if (x < view.from + span * 0.04 || x > view.to - span * 0.04) setView(x - span / 2, x + span / 2);
  redraw();
}

// Geometry

const timeline = byId("timeline");
const canvas = byId("canvas");
const map = byId("map");
const stage = { width: 0, height: 0, gutter: 0, laneHeight: 0, ownRows: false };
const AXIS = 26;
const LANE_GAP = 10;
const LANE_PAD = 12;
const LANE_HEAD = 20;

function layTimeline() {
  const lanes = data.regions.length;
  stage.width = timeline.clientWidth;
  if (stage.width <= 0) return; // not on screen
  stage.ownRows = rowNames.length <= OWN_ROWS;
  stage.gutter = stage.ownRows ? Math.min(128, stage.width * 0.26) : 0;
  const inner = stage.ownRows ? Math.max(rowNames.length, 2) * 17 : Math.max(90, Math.min(170, 460 / lanes));
  stage.laneHeight = LANE_HEAD + inner + LANE_PAD;
  stage.height = lanes * (stage.laneHeight + LANE_GAP) + AXIS;
  sizeCanvas(canvas, stage.width, stage.height);
  sizeCanvas(map, stage.width, 40);
  drawMapBase();
  redraw();
}

function sizeCanvas(target, width, height) {
  const ratio = window.devicePixelRatio || 1;
  target.width = Math.round(width * ratio);
  target.height = Math.round(height * ratio);
  target.style.height = `${height}px`;
  target.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
}

const plotWidth = () => stage.width - stage.gutter - 8;
const toX = (x) => stage.gutter + ((x - view.from) / (view.to - view.from)) * plotWidth();
const fromX = (px) => view.from + ((px - stage.gutter) / plotWidth()) * (view.to - view.from);
const laneTop = (lane) => lane * (stage.laneHeight + LANE_GAP);

function heightInLane(key) {
  const inner = stage.laneHeight - LANE_HEAD - LANE_PAD;
  if (stage.ownRows) return LANE_HEAD + ((rowOfKey[key] + 0.5) / Math.max(rowNames.length, 1)) * inner;
  return LANE_HEAD + 8 + ((key * 0.6180339887) % 1) * (inner - 8);
}

const toY = (mark) => laneTop(data.lane[mark]) + heightInLane(data.key[mark]);

/** Return the first place in `shown` whose mark is not left of `x`. */
function firstFrom(x) {
  let low = 0;
  let high = shown.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.x[shown[middle]] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return the mark under the pointer, the loudest where several are; -1 where none is. */
function markAt(px, py) {
  const reach = 11;
  let best = -1;
  let score = Infinity;
  for (let place = firstFrom(fromX(px - reach)); place < shown.length; place += 1) {
    const mark = shown[place];
    const dx = toX(data.x[mark]) - px;
    if (dx > reach) break;
    const distance = Math.hypot(dx, toY(mark) - py);
    const rank = distance - (data.kind[mark] === OVERWRITTEN ? 4 : data.kind[mark] > 1 ? 1 : 0);
    if (distance <= reach && rank < score) [best, score] = [mark, rank];
  }
  return best;
}

// Drawing

let colours = {};
let waiting = false;
let chosen = -1;
let hovered = -1;

function readColours() {
  const probe = element("span");
  document.body.append(probe);
  const named = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  colours = Object.fromEntries([...KINDS, "ink", "quiet", "edge", "panel", "page", "focus", "overwritten-wash"].map((name) => [name, named(name)]));
  probe.remove();
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

function draw() {
  if (stage.width <= 0) return; // not on screen
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, stage.width, stage.height);
  drawLanes(pen);
  drawAxis(pen);
  pen.save();
  pen.beginPath();
  pen.rect(stage.gutter, 0, stage.width - stage.gutter, stage.height);
  pen.clip();
  drawMarks(pen, firstFrom(fromX(stage.gutter - 8)), firstFrom(fromX(stage.width + 8)));
  pen.restore();
  drawMap();
}

function drawLanes(pen) {
  data.regions.forEach((region, lane) => {
    const top = laneTop(lane);
    pen.fillStyle = colours.page;
    pen.beginPath();
    pen.roundRect(0, top, stage.width, stage.laneHeight, 7);
    pen.fill();
    pen.font = "600 13px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.fillStyle = colours.ink;
    pen.fillText(region, 10, top + 13);
    if (stage.ownRows) drawRowNames(pen, top);
  });
}

function drawRowNames(pen, top) {
  pen.font = "12px system-ui, sans-serif";
  rowNames.forEach((name, row) => {
    const inner = stage.laneHeight - LANE_HEAD - LANE_PAD;
    const y = top + LANE_HEAD + ((row + 0.5) / rowNames.length) * inner;
    pen.fillStyle = colours.quiet;
    pen.fillText(fitted(pen, name, stage.gutter - 20), 10, y);
    pen.fillStyle = colours.edge;
    pen.fillRect(stage.gutter, Math.round(y), stage.width - stage.gutter - 8, 1);
  });
}

function fitted(pen, text, width) {
  let cut = text.slice(0, 60);
  if (cut === text && pen.measureText(text).width <= width) return text;
  while (cut && pen.measureText(`${cut}…`).width > width) cut = cut.slice(0, -1);
  return `${cut}…`;
}

const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5];

function drawAxis(pen) {
  const start = data.start_ms;
  const roomy = (view.to - view.from) / Math.max(plotWidth() / 110, 1);
  const step = TICKS.find((tick) => tick >= roomy && tick >= data.step_ms) ?? Math.ceil(roomy / 864e5) * 864e5;
  const y = stage.height - AXIS;
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (let at = Math.ceil((start + view.from) / step) * step; at <= start + view.to; at += step) {
    const x = toX(at - start);
    pen.fillStyle = colours.edge;
    for (let lane = 0; lane < data.regions.length; lane += 1) pen.fillRect(Math.round(x), laneTop(lane) + LANE_HEAD, 1, stage.laneHeight - LANE_HEAD);
    drawTick(pen, x, y, clockText(new Date(at), Math.max(step, data.step_ms)));
  }
  if (roomy < data.step_ms) drawWithin(pen, y);
}

function drawTick(pen, x, y, text) {
  const half = pen.measureText(text).width / 2;
  pen.fillStyle = colours.quiet;
  pen.textAlign = "center";
  pen.fillText(text, Math.min(Math.max(x, stage.gutter + half), stage.width - half - 4), y + 12);
}

/** Say, where no tick may be on screen, which rounded moment this is. */
function drawWithin(pen, y) {
  const at = Math.floor((data.start_ms + (view.from + view.to) / 2) / data.step_ms) * data.step_ms;
  if (toX(at - data.start_ms) < stage.gutter) drawTick(pen, (stage.gutter + stage.width) / 2, y, `within ${timeText(at)}`);
}

function drawMarks(pen, first, end) {
  const many = end - first > DRAWN_SINGLY;
  if (many) drawTexture(pen, first, end);
  const linked = end - first <= LINKED;
  if (linked) drawSources(pen, first, end);
  const [quiet, louder, loudest] = byLoudness(first, end);
  if (!many) for (const mark of [...quiet, ...louder]) drawMark(pen, mark);
  if (linked) drawTaken(pen, loudest);
  drawOverwritten(pen, loudest);
  for (const mark of [hovered, chosen]) if (mark >= 0) drawRing(pen, mark, mark === chosen);
}

/** Return writes and replications, then other kinds, then overwritten writes: the louder is drawn over the quieter. */
function byLoudness(first, end) {
  const groups = [[], [], []];
  for (let place = first; place < end; place += 1) {
    const kind = data.kind[shown[place]];
    groups[kind === OVERWRITTEN ? 2 : kind > 1 ? 1 : 0].push(shown[place]);
  }
  return groups;
}

/** Draw thousands of marks as cells, each in the colour of the loudest mark in it. */
function drawTexture(pen, first, end) {
  const columns = Math.ceil(stage.width / CELL);
  const rows = Math.ceil(stage.height / CELL);
  const counts = new Uint16Array(columns * rows);
  const kinds = new Uint8Array(columns * rows);
  const scale = plotWidth() / (view.to - view.from);
  for (let place = first; place < end; place += 1) {
    const mark = shown[place];
    if (data.kind[mark] === OVERWRITTEN) continue;
    const column = Math.floor((stage.gutter + (data.x[mark] - view.from) * scale) / CELL);
    const cell = Math.floor(toY(mark) / CELL) * columns + Math.min(Math.max(column, 0), columns - 1);
    counts[cell] += 1;
    if (data.kind[mark] > kinds[cell]) kinds[cell] = data.kind[mark];
  }
  drawCells(pen, counts, kinds, columns, rows);
}

const texture = document.createElement("canvas");

function drawCells(pen, counts, kinds, columns, rows) {
  const inks = KINDS.map((kind) => colours[kind].match(/[\d.]+/g).map(Number));
  const image = new ImageData(columns, rows);
  for (let cell = 0; cell < counts.length; cell += 1) {
    if (!counts[cell]) continue;
    const [red, green, blue] = inks[kinds[cell]];
    const strength = kinds[cell] > 1 ? 230 : Math.min(50 + 24 * counts[cell], 175);
    image.data.set([red, green, blue, strength], cell * 4);
  }
  Object.assign(texture, { width: columns, height: rows });
  texture.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(texture, 0, 0, columns * CELL, rows * CELL);
}

/** Draw a thin line from each replication to where its version was made; a strong one for the item in hand. */
function drawSources(pen, first, end) {
  const inHand = hovered >= 0 ? data.key[hovered] : chosen >= 0 ? data.key[chosen] : -1;
  const strong = [];
  pen.strokeStyle = colours.replication;
  pen.globalAlpha = end - first > 400 ? 0.28 : 0.55;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let place = first; place < end; place += 1) {
    const mark = shown[place];
    if (data.source[mark] < 0 || rowOfKey[data.key[mark]] < 0) continue;
    if (data.key[mark] === inHand) strong.push(mark);
    else traceSource(pen, mark);
  }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.8;
  pen.beginPath();
  for (const mark of strong) traceSource(pen, mark);
  pen.stroke();
}

function traceSource(pen, mark) {
  const source = data.source[mark];
  const [x1, y1, x2, y2] = [toX(data.x[source]), toY(source), toX(data.x[mark]), toY(mark)];
  pen.moveTo(x1, y1);
  pen.bezierCurveTo(x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2);
}

/** Draw a red line from each overwritten write to the record that took it. */
function drawTaken(pen, loud) {
  pen.strokeStyle = colours.overwritten;
  pen.lineWidth = 2.5;
  pen.beginPath();
  for (const mark of loud) {
    const taker = data.takenBy[mark];
    if (taker < 0) continue;
    const [x, y] = [toX(data.x[taker]), toY(taker)];
    pen.moveTo(toX(data.x[mark]), y);
    pen.lineTo(x - 6, y);
    pen.moveTo(x - 6, y - 5);
    pen.lineTo(x - 6, y + 5);
  }
  pen.stroke();
}

/** Draw overwritten writes last and largest; where they crowd, one for each spot. */
function drawOverwritten(pen, loud) {
  const size = loud.length > 600 ? 4.5 : loud.length > 150 ? 6 : 8;
  const taken = new Set();
  pen.fillStyle = colours.overwritten;
  pen.strokeStyle = colours.page;
  pen.lineWidth = size > 5 ? 2 : 1;
  for (const mark of loud) {
    const [x, y] = [toX(data.x[mark]), toY(mark)];
    const spot = Math.round(x / size) * 4096 + Math.round(y / size);
    if (taken.has(spot)) continue;
    taken.add(spot);
    diamond(pen, x, y, size);
    pen.stroke();
    pen.fill();
  }
}

function diamond(pen, x, y, size) {
  pen.beginPath();
  pen.moveTo(x, y - size);
  pen.lineTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.lineTo(x - size, y);
  pen.closePath();
}

const SHAPES = {
  write(pen, x, y) { disc(pen, x, y, 4); pen.fill(); },
  replication(pen, x, y) { disc(pen, x, y, 3.6); fillBehind(pen); pen.lineWidth = 1.6; pen.stroke(); },
  repair(pen, x, y) { pen.fillRect(x - 6, y - 2, 12, 4); pen.fillRect(x - 2, y - 6, 4, 12); },
  duplicate(pen, x, y) {
    pen.beginPath();
    pen.rect(x - 5, y - 5, 7, 7);
    pen.moveTo(x - 2, y + 5);
    pen.lineTo(x + 5, y + 5);
    pen.lineTo(x + 5, y - 2);
    pen.lineWidth = 1.8;
    pen.stroke();
  },
  attention(pen, x, y) {
    pen.beginPath();
    pen.moveTo(x, y - 6.5);
    pen.lineTo(x + 6.5, y + 5.5);
    pen.lineTo(x - 6.5, y + 5.5);
    pen.fill();
  },
};

function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

function fillBehind(pen) {
  const ink = pen.fillStyle;
  pen.fillStyle = colours.page;
  pen.fill();
  pen.fillStyle = ink;
}

function drawMark(pen, mark) {
  const kind = kindOf(mark);
  pen.fillStyle = colours[kind];
  pen.strokeStyle = colours[kind];
  SHAPES[kind](pen, toX(data.x[mark]), toY(mark));
}

function drawRing(pen, mark, isChosen) {
  if (rowOfKey[data.key[mark]] < 0) return;
  pen.strokeStyle = isChosen ? colours.focus : colours.ink;
  pen.lineWidth = isChosen ? 3 : 1.5;
  disc(pen, toX(data.x[mark]), toY(mark), 12);
  pen.stroke();
}

// The map: the whole time, and which part of it is in view

const mapBase = document.createElement("canvas");
const mapX = (x) => stage.gutter + ((x - extent.from) / (extent.to - extent.from)) * plotWidth();

function drawMapBase() {
  sizeCanvas(mapBase, stage.width, 40);
  const pen = mapBase.getContext("2d");
  const bins = [new Uint32Array(stage.width + 1), new Uint32Array(stage.width + 1)];
  for (const mark of shown) bins[data.kind[mark] === OVERWRITTEN ? 1 : 0][Math.round(mapX(data.x[mark]) / 2) * 2] += 1;
  const most = bins[0].reduce((a, b) => Math.max(a, b), 1);
  bins[0].forEach((count, x) => {
    pen.fillStyle = colours.replication;
    if (count) pen.fillRect(x, 38 - 22 * Math.sqrt(count / most), 2, 22 * Math.sqrt(count / most));
  });
  drawMapLosses(pen, bins[1]);
}

/** Draw a tall line for each overwritten write while they are few, and how many there are where they are many. */
function drawMapLosses(pen, bins) {
  const columns = bins.reduce((sum, count) => sum + (count ? 1 : 0), 0);
  const most = bins.reduce((a, b) => Math.max(a, b), 1);
  const isCrowded = columns > stage.width / 8;
  pen.fillStyle = colours.overwritten;
  bins.forEach((count, x) => {
    if (count) pen.fillRect(x - 0.5, 3, isCrowded ? 2 : 2.5, isCrowded ? 3 + 13 * (count / most) : 35);
  });
}

function drawMap() {
  const pen = map.getContext("2d");
  pen.clearRect(0, 0, stage.width, 40);
  pen.fillStyle = colours.page;
  pen.beginPath();
  pen.roundRect(0, 0, stage.width, 40, 6);
  pen.fill();
  pen.drawImage(mapBase, 0, 0, stage.width, 40);
  const [left, right] = [mapX(view.from), mapX(view.to)];
  pen.fillStyle = colours.page;
  pen.globalAlpha = 0.7;
  pen.fillRect(0, 0, left, 40);
  pen.fillRect(right, 0, stage.width - right, 40);
  pen.globalAlpha = 1;
  pen.strokeStyle = colours.quiet;
  pen.lineWidth = 1.5;
  pen.strokeRect(left, 1, Math.max(right - left, 3), 38);
}

// The table: the same marks, row by row

const rowsBox = byId("rows");
const body = byId("body");
const placeOf = (mark) => { const place = firstFrom(data.x[mark]); return placeFrom(place, mark); };

function placeFrom(place, mark) {
  let at = place;
  while (at < shown.length && shown[at] !== mark && data.x[shown[at]] === data.x[mark]) at += 1;
  return shown[at] === mark ? at : -1;
}

function drawTable() {
  byId("table").setAttribute("aria-rowcount", String(shown.length + 1));
  const focused = document.activeElement?.closest?.("#body tr")?.dataset.mark;
  const first = Math.max(0, Math.floor(rowsBox.scrollTop / ROW_HEIGHT) - 8);
  const end = Math.min(shown.length, first + Math.ceil(rowsBox.clientHeight / ROW_HEIGHT) + 16);
  const rows = [];
  for (let place = first; place < end; place += 1) rows.push(tableRow(shown[place], place));
  body.replaceChildren(spacer(first), ...rows, spacer(shown.length - end));
  if (!shown.length) body.append(element("tr", {}, element("td", { colspan: "6", text: "No record fits the filters.", className: "quiet" })));
  if (!body.querySelector("tr[tabindex='0']")) rows[0]?.setAttribute("tabindex", "0");
  if (focused !== undefined) body.querySelector(`tr[data-mark="${Number(focused)}"]`)?.focus({ preventScroll: true });
}

function spacer(rows) {
  const cell = element("td", { colspan: "6" });
  cell.style.height = `${rows * ROW_HEIGHT}px`;
  return element("tr", { className: "space", "aria-hidden": "true", role: "presentation" }, cell);
}

function tableRow(mark, place) {
  const kind = kindOf(mark);
  const row = element("tr", {
    className: `row ${kind}`, "aria-rowindex": place + 2, "data-mark": mark, tabindex: mark === chosen ? "0" : "-1",
    "aria-selected": String(mark === chosen),
  });
  row.append(
    element("td", { text: rowTime(data.at[mark]) }), element("td", { text: regionOf(mark) }),
    element("td", { text: keyOf(mark), title: keyOf(mark) }),
    element("td", { className: "what" }, glyph(kind), ` ${LABELS[kind]}`), attributesCell(mark),
    element("td", { text: decisionText(mark), title: decisionText(mark) }),
  );
  return row;
}

function attributesCell(mark) {
  const lost = new Set(lostBy(mark));
  const cell = element("td");
  for (const name of lost) cell.append(element("span", { className: "attribute gone", text: name, title: "lost" }), " ");
  for (const name of changedBy(mark)) if (!lost.has(name)) cell.append(element("span", { className: "attribute", text: name }), " ");
  return cell;
}

function scrollToRow(mark) {
  const place = placeOf(mark);
  if (place < 0) return;
  const top = place * ROW_HEIGHT;
  if (top < rowsBox.scrollTop || top > rowsBox.scrollTop + rowsBox.clientHeight - 3 * ROW_HEIGHT) rowsBox.scrollTop = top - rowsBox.clientHeight / 3;
  drawTable();
}

function focusRow(place) {
  const mark = shown[Math.min(Math.max(place, 0), shown.length - 1)];
  if (mark === undefined) return;
  choose(mark);
  body.querySelector(`tr[data-mark="${mark}"]`)?.focus({ preventScroll: true });
}

// Details

const absent = () => element("span", { className: "absent", text: "absent" });

/** Return both versions attribute by attribute: what changed first, then what stayed. */
function imagesOf(content) {
  const after = new Map(content.after ?? []);
  const changed = new Map(content.before ?? []);
  if (content.before === null) return [...after].map(([name, now]) => ({ name, now, isChanged: true }));
  const rows = [...changed].map(([name, was]) => ({ name, was: was ?? undefined, now: after.get(name), isChanged: true }));
  for (const [name, now] of after) if (!changed.has(name)) rows.push({ name, was: now, now, isChanged: false });
  return rows;
}

/** Return a table of both versions: what was lost first, then what changed, what stayed, and the bookkeeping. */
function imagesTable(mark, content, limit) {
  const isLost = lostIn(mark);
  const rows = imagesOf(content);
  const hasLedger = rows.some((row) => row.name === "Causality");
  const isOurs = (row) => hasLedger && BOOKKEEPING.has(row.name);
  const rank = (row) => (isLost(row.name) ? 0 : 1) + (row.isChanged ? 0 : 2) + (isOurs(row) ? 4 : 0);
  const all = rows.filter((row) => row.name !== "Causality").sort((a, b) => rank(a) - rank(b));
  const wanted = limit ? all.filter((row) => row.isChanged && !isOurs(row)).slice(0, limit) : all;
  const parts = [rowsTable(wanted, isLost)];
  const left = all.filter((row) => !isOurs(row)).length - wanted.length;
  if (limit && left > 0) parts.push(element("p", { className: "quiet", text: `${left} more in the details` }));
  if (!limit && hasLedger) parts.push(ledgerBox(rows.filter((row) => row.name === "Causality")));
  return parts;
}

function lostIn(mark) {
  const lost = lostBy(mark);
  return (name) => lost.some((path) => path === name || path.startsWith(`${name}/`));
}

function rowsTable(rows, isLost) {
  const table = element("table", { className: "images" });
  table.append(element("thead", {}, element("tr", {}, ...["Attribute", "Before", "After"].map((text) => element("th", { text, scope: "col" })))));
  table.append(element("tbody", {}, ...rows.map((row) => imageRow(row, isLost(row.name)))));
  return table;
}

const ledgerBox = (rows) => element("details", { className: "ledger" }, element("summary", { text: "Causality, the item's ledger" }), rowsTable(rows, () => false));

function imageRow({ name, was, now, isChanged }, isGone) {
  const row = element("tr", { className: isGone ? "gone" : isChanged ? "changed" : "same" });
  const cell = (text, className) => (text === undefined ? element("td", { className }, absent()) : element("td", { text, className }));
  row.append(element("th", { text: name, scope: "row" }), cell(was, "before"), cell(now, "after"));
  return row;
}

function markHead(mark) {
  const kind = kindOf(mark);
  return [
    element("p", { className: `title ${kind}` }, glyph(kind), LABELS[kind]),
    element("p", { className: "where", text: `${keyOf(mark)} · ${regionOf(mark)} · ${timeText(data.at[mark])} UTC` }),
  ];
}

const sentences = (content) => content.says.map((text) => element("p", { className: "says", text }));

async function drawDetail(mark) {
  const content = await contents.of(mark);
  if (mark !== chosen) return;
  const place = element("p", { className: "where", text: `${content.operation || "unreadable record"} · sequence number ${content.sequence || "none"} · ${content.place}` });
  byId("detail-body").replaceChildren(...markHead(mark), place, ...sentences(content), jumps(mark), ...imagesTable(mark, content, 0));
}

function jumps(mark) {
  const targets = [
    ["What overwrote it", data.takenBy[mark]], ["What it overwrote", data.overwrote[mark]], ["Where it comes from", data.source[mark]],
  ];
  const box = element("div", { className: "jumps" });
  for (const [text, target] of targets) {
    if (target < 0) continue;
    const button = element("button", { type: "button", className: "plain", text });
    button.addEventListener("click", () => choose(target));
    box.append(button);
  }
  return box;
}

/** Open a mark's details, and show it on the timeline and in the table. */
function choose(mark) {
  chosen = mark;
  reveal(mark);
  scrollToRow(mark);
  byId("live").textContent = markText(mark);
  drawDetail(mark);
}

// Hovering

const card = byId("card");

async function hover(mark, px = 0, py = 0) {
  if (mark === hovered) { if (mark >= 0) moveCard(px, py); return; }
  hovered = mark;
  timeline.classList.toggle("over", mark >= 0);
  redraw();
  if (mark < 0) { card.hidden = true; return; }
  const content = await contents.of(mark);
  if (mark !== hovered) return;
  card.replaceChildren(...markHead(mark), ...sentences(content), ...imagesTable(mark, content, CARD_ATTRIBUTES));
  card.hidden = false;
  moveCard(px, py);
}

function moveCard(px, py) {
  const { width, height } = card.getBoundingClientRect();
  const left = px + 18 + width > innerWidth - 8 ? px - width - 18 : px + 18;
  const top = Math.min(Math.max(py + 14, 8), innerHeight - height - 8);
  card.style.left = `${Math.max(8, left)}px`;
  card.style.top = `${Math.max(8, top)}px`;
}

// Hands: pointer and keys

function listenToPointer() {
  let grip = null;
  const spot = (event) => { const box = timeline.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  timeline.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX, from: view.from, to: view.to, moved: false };
    timeline.setPointerCapture(event.pointerId);
  });
  timeline.addEventListener("pointermove", (event) => {
    if (!grip) { hover(markAt(...spot(event)), event.clientX, event.clientY); return; }
    if (Math.abs(event.clientX - grip.x) > 3) grip.moved = true;
    const shift = ((grip.x - event.clientX) / plotWidth()) * (grip.to - grip.from);
    if (grip.moved) setView(grip.from + shift, grip.to + shift);
    timeline.classList.toggle("dragging", grip.moved);
  });
  timeline.addEventListener("pointerup", (event) => {
    const mark = grip && !grip.moved ? markAt(...spot(event)) : -1;
    if (mark >= 0) choose(mark);
    grip = null;
    timeline.classList.remove("dragging");
  });
  timeline.addEventListener("pointercancel", () => { grip = null; });
  timeline.addEventListener("pointerleave", () => hover(-1));
  timeline.addEventListener("dblclick", (event) => zoom(3, fromX(spot(event)[0])));
  timeline.addEventListener("wheel", (event) => turn(event, spot(event)[0]), { passive: false });
}

function turn(event, px) {
  const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.0022), fromX(px));
  else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) pan(sideways / plotWidth());
  else return;
  event.preventDefault();
}

function listenToMap() {
  const centre = (event) => {
    const part = (event.clientX - map.getBoundingClientRect().left - stage.gutter) / plotWidth();
    const middle = extent.from + part * (extent.to - extent.from);
    const span = view.to - view.from;
    setView(middle - span / 2, middle + span / 2);
  };
  map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); centre(event); });
  map.addEventListener("pointermove", (event) => { if (event.buttons) centre(event); });
}

/** Return the nearest shown mark in a direction that fits; -1 where there is none. */
function search(start, step, fits) {
  for (let place = start; place >= 0 && place < shown.length; place += step) if (fits(shown[place])) return shown[place];
  return -1;
}

function neighbour(step, fits) {
  const place = chosen >= 0 ? placeOf(chosen) : -1;
  if (place < 0) return search(step > 0 ? firstFrom(view.from) : firstFrom(view.to) - 1, step, fits);
  return search(place + step, step, fits);
}

function chooseIf(mark) {
  if (mark >= 0) choose(mark);
}

const isOverwritten = (mark) => data.kind[mark] === OVERWRITTEN;

function chooseOverwritten(step) {
  const found = neighbour(step, isOverwritten);
  chooseIf(found >= 0 ? found : search(step > 0 ? 0 : shown.length - 1, step, isOverwritten));
}

function chooseAlong(step) {
  const lane = chosen >= 0 ? data.lane[chosen] : 0;
  chooseIf(neighbour(step, (mark) => data.lane[mark] === lane));
}

/** Choose the nearest mark of the next lane, of the same item where it has one nearby in the links. */
function chooseAcross(step) {
  if (chosen < 0) { chooseAlong(1); return; }
  const lane = data.lane[chosen] + step;
  const inLane = (mark) => data.lane[mark] === lane;
  const [before, after] = [neighbour(-1, inLane), neighbour(1, inLane)];
  const distance = (mark) => (mark < 0 ? Infinity : Math.abs(data.x[mark] - data.x[chosen]));
  chooseIf(distance(before) < distance(after) ? before : after);
}

const KEYS = {
  ArrowLeft: () => chooseAlong(-1), ArrowRight: () => chooseAlong(1), ArrowUp: () => chooseAcross(-1), ArrowDown: () => chooseAcross(1),
  Home: () => chooseIf(search(0, 1, () => true)), End: () => chooseIf(search(shown.length - 1, -1, () => true)),
  n: () => chooseOverwritten(1), p: () => chooseOverwritten(-1),
  "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), 0: () => setView(extent.from, extent.to),
  Enter: () => byId("detail").focus(), Escape: () => hover(-1),
};

function listenToKeys() {
  timeline.addEventListener("keydown", (event) => {
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  rowsBox.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr.row");
    const page = Math.max(1, Math.floor(rowsBox.clientHeight / ROW_HEIGHT) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity, Enter: 0, " ": 0 };
    if (!row || !(event.key in steps)) return;
    event.preventDefault();
    focusRow(placeOf(Number(row.dataset.mark)) + steps[event.key]);
    if (event.key === "Enter") byId("detail").focus();
  });
}

function listenToControls() {
  byId("filters").addEventListener("input", () => {
    Object.assign(filters, { key: byId("key").value, attribute: byId("attribute").value });
    applyFilters();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => {
    Object.assign(filters, { key: "", attribute: "", kinds: new Set() });
    applyFilters();
  });
  const clicks = {
    next: () => chooseOverwritten(1), previous: () => chooseOverwritten(-1), in: () => zoom(1.6), out: () => zoom(1 / 1.6),
    fit: () => setView(extent.from, extent.to), theme: toggleTheme,
  };
  for (const [id, act] of Object.entries(clicks)) byId(id).addEventListener("click", act);
  rowsBox.addEventListener("scroll", () => requestAnimationFrame(drawTable), { passive: true });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    if (row) focusRow(placeOf(Number(row.dataset.mark)));
  });
}

// Light and dark

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";

function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  applyTheme();
}

function applyTheme() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  readColours();
  layTimeline();
}

// Beginning

function drawNotes() {
  const unit = { 60000: "minute", 1000: "second" }[data.step_ms];
  byId("rounding").textContent = unit
    ? `Recorded times are rounded to the ${unit}: within one, records are drawn in the order of their sequence numbers, a copy after its original.`
    : "Times are as recorded; where they are equal, records are drawn in the order of their sequence numbers.";
  const unknown = byId("unknown");
  unknown.hidden = !data.unknown_losses;
  unknown.textContent = `${number(data.unknown_losses)} lost writes of the audit are in none of these recordings.`;
}

function listAttributes() {
  const names = [...new Set(data.sets.flat())].sort().slice(0, 500);
  byId("attributes").append(...names.map((value) => element("option", { value })));
}

function begin() {
  measureExtent();
  document.body.classList.toggle("days", !isOneDay);
  drawTotals();
  drawDecided();
  drawNotes();
  listAttributes();
  readColours();
  applyFilters();
  applyTheme();
  listenToPointer();
  listenToMap();
  listenToKeys();
  listenToControls();
  new ResizeObserver(layTimeline).observe(timeline);
  prefersDark.addEventListener("change", applyTheme);
}

begin();
