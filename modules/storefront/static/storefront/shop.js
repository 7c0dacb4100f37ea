// Comforts only: every page works without this file, and without htmx.
"use strict";

const byId = (id) => document.getElementById(id);
document.documentElement.classList.toggle("live", Boolean(window.htmx));

// A second click on a button that is at work does nothing; coming back wakes it up again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.closest("[hx-get], [hx-post]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const here = form.elements.here;
  if (here && !document.documentElement.dataset.place) here.value = location.pathname + location.search;
  if (form.method === "get") return;
  form.dataset.sent = "1";
  // Later, because a disabled button's own name and value would not be sent.
  setTimeout(() => form.querySelectorAll("button").forEach((one) => (one.disabled = true)));
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((one) => (one.disabled = false));
  });
});

// The answer to a form cannot be asked for again, by "back" or "reload"; its place can.
const { place } = document.documentElement.dataset;
if (place) history.replaceState(null, "", place);

// What went wrong is read first.
const readProblem = () => document.querySelector("[data-focus]")?.focus();
readProblem();

// Wide screens have room for what can be narrowed by.
const wide = matchMedia("(min-width: 56rem)");
const openFacets = () => {
  if (wide.matches) document.querySelectorAll("[data-facets]").forEach((one) => (one.open = true));
};
openFacets();
wide.addEventListener("change", openFacets);

// What htmx exchanged.
const say = (text) => (byId("notice").textContent = text);
document.addEventListener("htmx:beforeRequest", () => say(""));
let opened = [];
let headed = "";
const heading = () => document.querySelector("h1")?.textContent ?? "";
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  headed = heading();
  opened = [...target.querySelectorAll("details[open]")].map((one) => one.id);
  if (target.id !== "shelf" && target.id !== "orders") return;
  // The keyboard goes on with the first of what came.
  if (requestConfig.elt === document.activeElement) target.dataset.had = target.children.length;
});
document.addEventListener("htmx:afterSettle", (event) => {
  const list = event.detail.target;
  if (list?.dataset?.had) {
    list.children[Number(list.dataset.had)]?.querySelector("a")?.focus();
    delete list.dataset.had;
  }
  // An order that went on says so.
  if (list?.id === "order" && heading() !== headed) say(heading());
  openFacets();
  opened.forEach((id) => id && (byId(id).open = true));
  opened = [];
  readProblem();
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (event.detail.elt.id !== "search") say("The shop did not answer just now. Please try again.");
  });
}

// A click elsewhere, or Escape, closes the currency panel.
const panel = document.querySelector("details.currency");
document.addEventListener("click", (event) => {
  if (panel?.open && !panel.contains(event.target)) panel.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && panel?.open) {
    panel.open = false;
    panel.querySelector("summary").focus();
  }
});

// Suggestions below the search field: the combobox pattern of the ARIA Authoring Practices.
const field = byId("search");
if (field && window.htmx) {
  const box = byId("suggestions");
  const options = () => [...box.querySelectorAll("[role=option]")];
  const chosen = () => box.querySelector("[aria-selected=true]");
  const show = (open) => {
    box.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  };
  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
  };
  const go = (option) => location.assign(option.dataset.href);

  const attributes = {
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": "suggested",
    "hx-get": field.dataset.suggest,
    "hx-trigger": "input changed delay:200ms",
    "hx-target": "#suggestions",
    "hx-sync": "this:replace",
  };
  for (const [name, value] of Object.entries(attributes)) field.setAttribute(name, value);
  show(false);
  htmx.process(field);

  box.addEventListener("htmx:afterSwap", () => {
    show(options().length > 0 && document.activeElement === field);
  });
  field.addEventListener("keydown", (event) => {
    const all = options();
    if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      show(false);
    } else if (event.key === "Enter" && !box.hidden && chosen()) {
      event.preventDefault();
      go(chosen());
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const now = all.indexOf(chosen());
      show(true);
      choose(all[(now < 0 && step < 0 ? all.length - 1 : now + step + all.length) % all.length]);
    }
  });
  field.addEventListener("blur", () => show(false));
  field.addEventListener("focus", () => show(options().length > 0 && field.value !== ""));
  // Before the field loses the focus, which would close the list.
  box.addEventListener("mousedown", (event) => event.preventDefault());
  box.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) go(option);
  });
}
