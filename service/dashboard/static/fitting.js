// Asks for a fit of what the form says, and goes where its progress is shown.

import { chosen, settle } from "./parameters.js";
import { handles, send } from "./sending.js";

const form = document.getElementById("fitting");
const { method, folds } = form.elements;

function settled() {
  settle(form, method.value);
  folds.disabled = method.value === "auto"; // which is scored by runs that it holds out itself
  folds.closest("label").hidden = folds.disabled;
}

// The study's own, but for what was typed; nothing if nothing was.
function objective() {
  const inputs = [...form.querySelectorAll("[data-method]:not([hidden]) [data-target]")];
  if (inputs.every((input) => input.value === "")) return {};
  const coefficients = inputs.map((input) => [input.dataset.target, Number(input.value || input.dataset.usual)]);
  return { objective: Object.fromEntries(coefficients) };
}

method.addEventListener("change", settled);
settled();
handles(form, async (told) => {
  const sweeps = told.getAll("sweep");
  const made = await send(form.dataset.address, {
    method: told.get("method"),
    params: { ...chosen(form), ...objective() },
    seed: Number(told.get("seed")),
    ...(folds.disabled ? {} : { folds: told.get("folds") ? Number(told.get("folds")) : null }),
    ...(sweeps.length ? { sweep_ids: sweeps } : {}),
  });
  window.location.assign(form.dataset.page + made.id);
});
