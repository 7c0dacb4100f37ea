"use strict";
// The data, what is counted, and who is told when that changes.

const data = JSON.parse(document.getElementById("data").textContent);
const byLabel = new Map(data.modules.map((module) => [module.label, module]));
const cutSet = new Set(data.cuts.map(([source, target]) => `${source}\n${target}`));
const counted = new Set(data.kinds.map((_, index) => index));
const listeners = [];
let edges = new Map(); // "source\ntarget" -> { source, target, weight, count, cut }

function countEdges() {
  edges = new Map();
  for (const [source, target, kind] of data.couplings) {
    if (target < 0 || !counted.has(kind)) continue;
    const from = data.modules[source].label;
    const to = data.modules[target].label;
    const key = `${from}\n${to}`;
    const edge = edges.get(key) ?? { source: from, target: to, weight: 0, count: 0, cut: cutSet.has(key) };
    edge.weight += data.kinds[kind].cost;
    edge.count += 1;
    edges.set(key, edge);
  }
}

function changed() {
  countEdges();
  for (const listener of listeners) listener();
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const number = (value) => value.toLocaleString("en");
const several = (count, kind) => `${number(count)} ${count === 1 ? kind.one : kind.title}`;
