// Comforts only: every page works without this file.
"use strict";

// A second click on a button that is at work does nothing; coming back wakes it up again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
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

// Another country, another tax.
const recalculate = document.querySelector("[data-recalculate]");
document.querySelector("#id_country")?.addEventListener("change", () => recalculate?.click());

// What went wrong is read first.
document.querySelector("[data-focus]")?.focus();

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
