// Asks for a proposal under what the form says.

import { mixture } from "./explore.js";
import { chosen, settle } from "./parameters.js";
import { handles, send } from "./sending.js";

const USUAL = { exploit: "convex", explore: "explore" };
const form = document.getElementById("asking");
const { intent, proposer, measure, most, repetition, per_efold: fall } = form.elements;
const names = Object.keys(mixture());

function settled() {
  settle(form, proposer.value || USUAL[intent.value]);
  most.disabled = measure.value === "";
  fall.disabled = repetition.value !== "smooth";
  for (const input of [most, fall]) input.closest("label").hidden = input.disabled;
}

function constraints() {
  const frozen = {};
  const groups = [];
  for (const row of form.querySelectorAll("[data-bounded]")) {
    const name = names[row.dataset.bounded];
    const held = row.querySelector("select").value;
    if (held) frozen[name] = held === "prior" ? null : mixture()[name];
    const inputs = [...row.querySelectorAll("[data-bound]")].filter((input) => input.value !== "");
    const bounds = inputs.map((input) => [input.dataset.bound, Number(input.value) / 100]);
    if (bounds.length) groups.push({ name, domains: [name], ...Object.fromEntries(bounds) });
  }
  return { frozen, groups };
}

form.addEventListener("change", settled);
settled();
handles(form, async (told) => {
  const made = await send(form.dataset.address, {
    fit_id: form.dataset.fit,
    intent: told.get("intent"),
    proposer: told.get("proposer") || null,
    params: chosen(form),
    count: Number(told.get("count")),
    seed: Number(told.get("seed")),
    within_sampled: told.has("within_sampled"),
    repetition: told.get("repetition"),
    per_efold: told.get("per_efold") ? Number(told.get("per_efold")) : null,
    max_distance: told.get("measure") ? { measure: told.get("measure"), most: Number(told.get("most")) } : null,
    ...constraints(),
  });
  window.location.assign(form.dataset.page + made.id);
});
