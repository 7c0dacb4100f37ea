// Beside the picture: everything, one module, or one dependency.

const panel = document.getElementById("panel");
const MOST = 150;

function openModule(label) {
  return element("button", { class: "link", onclick: () => choose(label, { focus: true }) }, label);
}

function showModule(label) {
  const module = byLabel.get(label);
  if (module === undefined) return showAll();
  const cycle = module.cycle === null ? "in none" : `in one of ${data.cycles[module.cycle].modules.length} modules`;
  panel.replaceChildren(
    element("h3", { id: "panel-title" }, module.label),
    facts([
      ["Rank", `${module.rank} of ${data.modules.length}`],
      ["Cost", `${number(module.cost)}: ${number(module.outgoing)} out, ${number(module.incoming)} in`],
      ["Size", `${number(module.lines)} lines in ${number(module.files)} files`],
      ["Cycle", cycle],
      ["Packages", module.packages.join(", ")],
    ]),
  );
  const index = data.modules.indexOf(module);
  const own = data.couplings.filter(([source, target, kind]) => counted.has(kind) && (source === index || target === index));
  section(`${module.label} depends on`, groups(own.filter(([source]) => source === index), 1));
  section(`Depends on ${module.label}`, groups(own.filter(([source]) => source !== index), 0));
  if (own.length === 0) panel.append(element("p", {}, "Nothing that was found blocks it."));
  panel.scrollTop = 0;
}

function showPair(source, target) {
  const [from, to] = [source, target].map((label) => data.modules.indexOf(byLabel.get(label)));
  const found = data.couplings.filter((one) => one[0] === from && one[1] === to && counted.has(one[2]));
  const cut = cutSet.has(`${source}\n${target}`);
  const title = element("h3", { id: "panel-title" }, openModule(source), " depends on ", openModule(target));
  panel.replaceChildren(title);
  if (cut) panel.append(element("p", {}, "This is one of the edges to cut: without them there is no cycle."));
  section("Through", groups(found, null));
  panel.scrollTop = 0;
}

function showAll() {
  const nearest = element("ol");
  for (const module of data.modules.slice(0, 8)) {
    nearest.append(element("li", {}, openModule(module.label), " ", element("span", { class: "cost" }, `cost ${number(module.cost)}`)));
  }
  panel.replaceChildren(
    element("h3", { id: "panel-title" }, "Choose a module"),
    element("p", {}, "It shows what blocks the module: where, and the way out. An arrow shows one dependency."),
    element("h4", {}, "Nearest to being liftable"),
    nearest,
  );
}

function facts(rows) {
  const list = element("dl");
  for (const [name, value] of rows) list.append(element("dt", {}, name), element("dd", {}, value));
  return list;
}

function section(title, found) {
  if (found.length === 0) return;
  panel.append(element("h4", {}, title));
  found.forEach((group, index) => panel.append(showGroup(group, index === 0)));
}

function groups(couplings, other) {
  const found = new Map();
  for (const one of couplings) {
    const key = `${one[2]} ${other === null ? "" : one[other]}`;
    if (!found.has(key)) found.set(key, { kind: data.kinds[one[2]], other: other === null ? null : one[other], couplings: [] });
    found.get(key).couplings.push(one);
  }
  const cost = (group) => group.kind.cost * group.couplings.length;
  return [...found.values()].sort((a, b) => cost(b) - cost(a));
}

function showGroup({ kind, other, couplings }, open) {
  const name = other === null ? "" : ` · ${other < 0 ? "any module" : data.modules[other].label}`;
  const list = element("ul");
  for (const [, , , path, line, message] of couplings.slice(0, MOST)) {
    list.append(element("li", {}, element("code", {}, `${data.paths[path]}:${line}`), message));
  }
  if (couplings.length > MOST) list.append(element("li", {}, `and ${number(couplings.length - MOST)} more`));
  return element("details", { open },
    element("summary", {}, element("b", {}, several(couplings.length, kind)), name, " ",
      element("span", { class: "cost" }, `cost ${number(kind.cost * couplings.length)}`)),
    element("p", { class: "way" }, kind.way_out), list);
}
