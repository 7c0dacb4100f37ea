// The ranking, the cycles, the matrix and the kinds.

function sortable(columns, rows, start) {
  let [by, down] = start;
  const body = element("tbody");
  const heads = columns.map((column, index) => element("th", { scope: "col", class: column.number ? "number" : "" },
    element("button", { onclick: () => { [by, down] = [index, by === index ? !down : Boolean(column.number)]; fill(); } }, column.title)));
  function fill() {
    const value = columns[by].value;
    const sorted = [...rows].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (down ? -1 : 1));
    heads.forEach((head, index) => {
      if (index === by) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    body.replaceChildren(...sorted.map((row) => element("tr", {}, ...columns.map((column) =>
      element("td", { class: column.number ? "number" : "" }, column.shown ? column.shown(row) : number(column.value(row)))))));
  }
  fill();
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
}

function heaviest(module) {
  const index = data.modules.indexOf(module);
  const told = (own, other, word) => groups(data.couplings.filter((one) => one[own] === index), other)
    .map((group) => ({ cost: group.kind.cost * group.couplings.length,
      text: `${several(group.couplings.length, group.kind)} ${word} ${group.other < 0 ? "any module" : data.modules[group.other].label}` }));
  return [...told(0, 1, "to"), ...told(1, 0, "from")].sort((a, b) => b.cost - a.cost).slice(0, 2).map((one) => one.text).join("; ");
}

function drawRanking() {
  document.getElementById("ranking-table").replaceChildren(sortable([
    { title: "Rank", number: true, value: (module) => module.rank },
    { title: "Module", value: (module) => module.label, shown: (module) => openModule(module.label) },
    { title: "Cost", number: true, value: (module) => module.cost },
    { title: "Out", number: true, value: (module) => module.outgoing },
    { title: "In", number: true, value: (module) => module.incoming },
    { title: "Lines", number: true, value: (module) => module.lines },
    { title: "Files", number: true, value: (module) => module.files },
    { title: "Cycle", number: true, value: (module) => module.cycle ?? -1, shown: (module) => (module.cycle === null ? "" : String(module.cycle + 1)) },
    { title: "What weighs most", value: (module) => heaviest(module), shown: heaviest },
  ], data.modules, [0, false]));
}

function drawCycles() {
  const place = document.getElementById("cycle-list");
  if (data.cycles.length === 0) {
    place.replaceChildren(element("p", {}, "None: the modules depend on each other in one direction."));
    return;
  }
  place.replaceChildren(...data.cycles.flatMap((cycle, index) => {
    const names = cycle.modules.flatMap((label, place) => (place ? [", ", openModule(label)] : [openModule(label)]));
    const cuts = cycle.cuts.map(([source, target]) => ({ source, target, edge: edges.get(`${source}\n${target}`) }));
    return [
      element("h3", {}, `${index + 1}. ${cycle.modules.length} modules`),
      element("p", {}, ...names),
      element("p", {}, `Cut ${cycle.cuts.length === 1 ? "this edge" : `these ${cycle.cuts.length} edges`} of cost ${number(cycle.weight)} (${cycle.exact ? "the lightest set there is" : "the lightest set found"}), and there is no cycle left:`),
      element("div", { class: "scroll" }, sortable([
        { title: "From", value: (cut) => cut.source, shown: (cut) => openModule(cut.source) },
        { title: "To", value: (cut) => cut.target, shown: (cut) => openModule(cut.target) },
        { title: "Cost", number: true, value: (cut) => cut.edge?.weight ?? 0 },
        { title: "Couplings", number: true, value: (cut) => cut.edge?.count ?? 0 },
        { title: "Where", value: () => 0, shown: (cut) => element("button", { class: "link", onclick: () => openPair(cut.source, cut.target) }, "show") },
      ], cuts, [2, true])),
    ];
  }));
}

function openPair(source, target) {
  choose(null);
  showPair(source, target);
  document.getElementById("picture").scrollIntoView();
  panel.focus({ preventScroll: true });
}

let sortedBy = null; // the column whose weights order the rows

function drawMatrix() {
  const order = document.getElementById("matrix-order").value;
  const columns = order === "order" ? [...data.order] : data.modules.map((module) => module.label);
  if (order === "label") columns.sort();
  const weight = (source, target) => edges.get(`${source}\n${target}`)?.weight ?? 0;
  const rows = sortedBy === null ? columns : [...columns].sort((a, b) => weight(b, sortedBy) - weight(a, sortedBy));
  const most = Math.max(1, ...[...edges.values()].map((edge) => edge.weight));
  const head = columns.map((label) => element("th", { scope: "col", "aria-sort": sortedBy === label ? "descending" : null },
    element("button", { title: `Sort the rows by what they need of ${label}`, onclick: () => { sortedBy = sortedBy === label ? null : label; drawMatrix(); } }, label)));
  const body = rows.map((row) => element("tr", {},
    element("th", { scope: "row" }, element("button", { onclick: () => choose(row, { focus: true }) }, row)),
    ...columns.map((column) => matrixCell(row, column, most))));
  const table = element("table", { class: "dsm" }, element("thead", {}, element("tr", {}, element("td"), ...head)), element("tbody", {}, ...body));
  table.addEventListener("keydown", moveInMatrix);
  table.querySelector("td button")?.setAttribute("tabindex", "0");
  document.getElementById("matrix-table").replaceChildren(table);
}

function matrixCell(row, column, most) {
  if (row === column) return element("td", { class: "self" });
  const edge = edges.get(`${row}\n${column}`);
  if (edge === undefined) return element("td");
  const heat = (0.06 + 0.5 * Math.sqrt(edge.weight / most)).toFixed(3);
  return element("td", { class: edge.cut ? "cut" : "", style: `background: rgb(var(--heat) / ${heat})` },
    element("button", { tabindex: -1, "aria-label": `${row} depends on ${column}: cost ${edge.weight}${edge.cut ? ", an edge to cut" : ""}`,
      title: `${row} → ${column}: ${number(edge.count)} couplings`, onclick: () => openPair(row, column) }, number(edge.weight)));
}

function moveInMatrix(event) {
  const direction = DIRECTIONS[event.key];
  const cell = event.target.closest("td");
  if (direction === undefined || cell === null) return;
  event.preventDefault();
  const rows = [...cell.closest("tbody").rows];
  let [x, y] = [cell.cellIndex + direction[0], rows.indexOf(cell.parentElement) + direction[1]];
  while (rows[y]?.cells[x]) {
    const button = rows[y].cells[x].querySelector("td button");
    if (button !== null) {
      event.target.setAttribute("tabindex", "-1");
      button.setAttribute("tabindex", "0");
      button.focus();
      return;
    }
    [x, y] = [x + direction[0], y + direction[1]];
  }
}

function drawKinds() {
  const count = new Map();
  for (const [, , kind] of data.couplings) count.set(kind, (count.get(kind) ?? 0) + 1);
  const rows = data.kinds.map((kind, index) => ({ ...kind, count: count.get(index) ?? 0 }));
  document.getElementById("kinds-table").replaceChildren(sortable([
    { title: "Kind", value: (kind) => kind.title, shown: (kind) => kind.title },
    { title: "Found", number: true, value: (kind) => kind.count },
    { title: "Cost each", number: true, value: (kind) => kind.cost },
    { title: "Cost", number: true, value: (kind) => kind.cost * kind.count },
    { title: "Why it costs that", value: (kind) => kind.why, shown: (kind) => kind.why },
    { title: "Way out", value: (kind) => kind.way_out, shown: (kind) => kind.way_out },
  ], rows, [3, true]));
}
