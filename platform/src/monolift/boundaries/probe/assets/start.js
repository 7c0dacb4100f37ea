// Put the page together.

function start() {
  const total = (field) => data.modules.reduce((sum, module) => sum + module[field], 0);
  document.getElementById("summary").textContent =
    `${number(data.modules.length)} modules, ${number(total("files"))} files, ${number(total("lines"))} lines, ` +
    `${number(data.couplings.length)} couplings; Django ${data.django}`;
  const notes = document.getElementById("notes");
  notes.hidden = data.notes.length === 0;
  notes.append(...data.notes.map((note) => element("li", {}, note)));
  countEdges();
  startFilter();
  startSlider();
  drawGraph();
  drawRanking();
  drawCycles();
  drawKinds();
  listeners.push(startSlider, drawEdges, drawMatrix, () => showModule(chosen));
  document.getElementById("matrix-order").addEventListener("change", () => { sortedBy = null; drawMatrix(); });
  document.getElementById("only-cuts").addEventListener("change", (event) => { onlyCuts = event.target.checked; drawEdges(); });
  document.getElementById("least").addEventListener("input", (event) => { setLeast(Number(event.target.value)); drawEdges(); });
  drawMatrix();
  const asked = new URLSearchParams(location.hash.slice(1)).get("module");
  choose(byLabel.has(asked) ? asked : null);
}

// So many arrows can be told apart; lighter ones appear with the slider or with their module.
const READABLE = 70;

function startSlider() {
  const weights = [...edges.values()].map((edge) => edge.weight).sort((a, b) => b - a);
  const slider = document.getElementById("least");
  slider.max = Math.max(1, weights[Math.min(weights.length - 1, 3)] ?? 1);
  setLeast(weights.length > READABLE ? Math.min(weights[READABLE] + 1, Number(slider.max)) : 1);
  slider.value = least;
}

function setLeast(value) {
  least = value;
  document.getElementById("least-value").textContent = number(value);
}

function startFilter() {
  const found = new Set(data.couplings.map(([, , kind]) => kind));
  const place = document.getElementById("kind-filter");
  data.kinds.forEach((kind, index) => {
    if (!found.has(index)) return;
    const box = element("input", { type: "checkbox", checked: true, onchange: () => { if (box.checked) counted.add(index); else counted.delete(index); changed(); } });
    place.append(element("label", {}, box, kind.title));
  });
}

start();
