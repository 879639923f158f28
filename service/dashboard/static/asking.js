// Asks for a proposal under what the form says.

import { mixture } from "./explore.js";
import { paired } from "./pairs.js";
import { chosen, settle } from "./parameters.js";
import { handles, send } from "./sending.js";
import { objective } from "./weighing.js";

const USUAL = { exploit: "convex", explore: "explore" };
const form = document.getElementById("asking");
const { intent, proposer, measure, most, repetition, per_efold: fall, second } = form.elements;
const stages = document.getElementById("stages");
const names = Object.keys(mixture());

function settled() {
  settle(form, proposer.value || USUAL[intent.value]);
  most.disabled = measure.value === "";
  fall.disabled = repetition.value !== "smooth";
  for (const input of [most, fall]) input.closest("label").hidden = input.disabled;
  for (const input of stages.querySelectorAll("input[type=number]")) {
    input.disabled = second.value === "";
    input.closest("label").hidden = input.disabled;
  }
  stages.querySelector("[data-second]").hidden = second.value !== "objective";
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

// The second stage as the service wants it; null for one mixture throughout.
function secondStage(told) {
  if (!second.value) return null;
  const number = (name) => (told.get(name) ? Number(told.get(name)) : null);
  return {
    share: Number(told.get("second_share")) / 100,
    weights: second.value === "weights" ? mixture() : null,
    objective:
      second.value === "objective"
        ? Object.fromEntries(told.getAll("second_target").map((target) => [target, 1]))
        : null,
    steps: number("steps"),
    samples_per_step: number("samples"),
  };
}

paired(form);
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
    objective: objective(),
    second_stage: secondStage(told),
    ...constraints(),
  });
  window.location.assign(form.dataset.page + made.id);
});
