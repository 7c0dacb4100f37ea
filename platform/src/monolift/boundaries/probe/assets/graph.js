// The picture: circles for modules, arrows for dependencies.

const svg = document.getElementById("graph");
const nodes = new Map();
let chosen = null;
let least = 1;
let onlyCuts = false;

function shape(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function third(module) {
  const share = (module.rank - 1) / data.modules.length;
  return share < 1 / 3 ? "near" : share < 2 / 3 ? "middle" : "far";
}

function drawGraph() {
  const { width, height } = data.picture;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const heads = shape("defs", { id: "heads" });
  for (const name of ["plain", "cut", "out", "in"]) {
    const head = shape("marker", { id: `head-${name}`, viewBox: "0 0 10 10", refX: 9, refY: 5,
      markerWidth: 11, markerHeight: 11, markerUnits: "userSpaceOnUse", orient: "auto" });
    head.append(shape("path", { d: "M0 1 L10 5 L0 9 z" }));
    heads.append(head);
  }
  svg.append(heads, shape("g", { id: "edges" }));
  const layer = shape("g", { id: "nodes" });
  data.order.forEach((label, index) => layer.append(drawNode(byLabel.get(label), index === 0)));
  svg.append(layer);
  svg.addEventListener("click", (event) => { if (event.target === svg) choose(null); });
  svg.addEventListener("keydown", moveByKey);
}

function drawNode(module, first) {
  const { x, y, r } = data.picture.spots[module.label];
  const node = shape("g", { class: `node ${third(module)}`, tabindex: first ? 0 : -1, role: "button",
    "data-module": module.label, "aria-pressed": "false",
    "aria-label": `${module.label}: ${number(module.lines)} lines, rank ${module.rank}, cost ${number(module.cost)}${module.cycle === null ? "" : ", in a cycle"}` });
  node.append(shape("circle", { class: "focus", cx: x, cy: y, r: r + 8 }));
  if (module.cycle !== null) node.append(shape("circle", { class: "cycle", cx: x, cy: y, r: r + 4 }));
  node.append(shape("circle", { class: "body", cx: x, cy: y, r }));
  const name = shape("text", { x, y: y + r + 18 });
  name.textContent = module.label;
  node.append(name);
  node.addEventListener("click", () => choose(chosen === module.label ? null : module.label));
  nodes.set(module.label, node);
  return node;
}

function curve(edge) {
  const from = data.picture.spots[edge.source];
  const to = data.picture.spots[edge.target];
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  // Each direction bends to its own side, so that two modules that need each other show two arrows.
  const bend = Math.min(50, length * 0.16);
  const middle = { x: (from.x + to.x) / 2 - (dy / length) * bend, y: (from.y + to.y) / 2 + (dx / length) * bend };
  const start = toward(from, middle, from.r + 3);
  const end = toward(to, middle, to.r + 6);
  return `M${start.x} ${start.y} Q${middle.x} ${middle.y} ${end.x} ${end.y}`;
}

function toward(from, to, by) {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const part = (value) => Math.round(value * 10) / 10;
  return { x: part(from.x + ((to.x - from.x) / length) * by), y: part(from.y + ((to.y - from.y) / length) * by) };
}

function drawEdges() {
  const layer = document.getElementById("edges");
  const most = Math.max(1, ...[...edges.values()].map((edge) => edge.weight));
  const near = new Set([chosen]);
  const drawn = [];
  for (const edge of [...edges.values()].sort((a, b) => a.cut - b.cut || a.weight - b.weight)) {
    const own = edge.source === chosen || edge.target === chosen;
    if (own) near.add(edge.source).add(edge.target);
    if (!own && (edge.weight < least || (onlyCuts && !edge.cut))) continue;
    const role = own ? (edge.source === chosen ? "out" : "in") : edge.cut ? "cut" : "plain";
    const faded = chosen !== null && !own ? " faded" : "";
    const path = curve(edge);
    const hit = shape("path", { class: `hit${faded}`, d: path });
    const title = shape("title");
    title.textContent = `${edge.source} → ${edge.target}: ${number(edge.count)} couplings, cost ${number(edge.weight)}`;
    hit.append(title);
    hit.addEventListener("click", () => showPair(edge.source, edge.target));
    const line = shape("path", { class: `edge ${role}${edge.cut ? " cut" : ""}${faded}`, d: path,
      "stroke-width": (0.9 + 6 * Math.sqrt(edge.weight / most)).toFixed(2), "marker-end": `url(#head-${role})` });
    drawn.push(hit, line);
  }
  layer.replaceChildren(...drawn);
  for (const [label, node] of nodes) {
    node.classList.toggle("chosen", label === chosen);
    node.classList.toggle("faded", chosen !== null && !near.has(label));
    node.setAttribute("aria-pressed", String(label === chosen));
  }
}

function choose(label, { focus = false } = {}) {
  chosen = label;
  drawEdges();
  showModule(label);
  history.replaceState(null, "", label === null ? location.pathname + location.search : `#module=${encodeURIComponent(label)}`);
  if (label !== null) {
    holdFocus(label);
    if (focus) document.getElementById("picture").scrollIntoView();
  }
}

function holdFocus(label) {
  for (const [name, node] of nodes) node.setAttribute("tabindex", name === label ? 0 : -1);
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function moveByKey(event) {
  const label = event.target.closest?.(".node")?.dataset.module;
  if (event.key === "Escape") return choose(null);
  if (label === undefined) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return choose(chosen === label ? null : label);
  }
  const direction = DIRECTIONS[event.key];
  if (direction === undefined) return;
  event.preventDefault();
  const here = data.picture.spots[label];
  let best = null;
  let bestDistance = Infinity;
  for (const [name, spot] of Object.entries(data.picture.spots)) {
    const along = (spot.x - here.x) * direction[0] + (spot.y - here.y) * direction[1];
    const aside = Math.abs((spot.x - here.x) * direction[1]) + Math.abs((spot.y - here.y) * direction[0]);
    const distance = along + 2.5 * aside;
    if (along > 1 && distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  if (best === null) return;
  holdFocus(best);
  nodes.get(best).focus();
}
