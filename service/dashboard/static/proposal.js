// What becomes of a proposal: a schedule to download, a job that follows it, or the next sweep.

import { csv, save } from "./saving.js";
import { handles, send } from "./sending.js";

const { method, schedules, mixtures } = JSON.parse(document.getElementById("proposed").textContent);
const schedule = document.getElementById("schedule");
const sweep = document.getElementById("sweep");
const { mixture, samples, job } = schedule.elements;

function table(document) {
  const names = document.domains.map((domain) => domain.name);
  const rows = document.stages.map((stage) => [stage.effective_step, ...names.map((name) => stage.weights[name])]);
  return csv([["effective_step", ...names], ...rows]);
}

// One stage is a mixture that stays; several are a plan that is followed by hand.
function steered(document) {
  const { stages, domains, samples_per_step } = document;
  const common = { name: job.value, study: schedule.dataset.study, domains, samples_per_step };
  if (stages.length === 1) return { ...common, policy: "static", prior: stages[0].weights };
  const plan = stages.map((stage, at) => ({
    weights: stage.weights,
    steps: at + 1 < stages.length ? stages[at + 1].effective_step - stage.effective_step : null,
  }));
  return { ...common, policy: "handwritten", params: { plan } };
}

// A schedule that was asked for with its steps knows the samples of a step.
function settle() {
  const known = schedules[Number(mixture.value)]?.samples_per_step;
  samples.readOnly = known != null;
  if (known != null) samples.value = known;
}

mixture.addEventListener("change", settle);
settle();

// A name is needed for a job alone; the browser itself says so.
for (const button of schedule.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    if (job) job.required = button.value === "job";
  });
}

handles(schedule, async (_, pressed) => {
  const chosen = Number(mixture.value);
  const document = { ...schedules[chosen], samples_per_step: Number(samples.value) };
  const name = `proposal-${chosen + 1}`;
  if (pressed?.value === "job") {
    const made = await send(schedule.dataset.jobs, steered(document));
    window.location.assign(schedule.dataset.page + made.name);
  } else if (pressed?.value === "csv") {
    save(`${name}.csv`, table(document), "text/csv");
  } else {
    save(`${name}.json`, `${JSON.stringify(document, null, 2)}\n`, "application/json");
  }
});

if (sweep) {
  handles(sweep, async (told) => {
    const seeds = Number(told.get("seeds"));
    const runs = mixtures.flatMap((weights, at) =>
      Array.from({ length: seeds }, (_, seed) => ({
        weights,
        label: `${method} proposal ${at + 1}${seeds > 1 ? `, seed ${seed}` : ""}`,
        seed,
      })),
    );
    await send(sweep.dataset.address, { purpose: told.get("purpose"), mixtures: runs });
    window.location.assign(sweep.dataset.page);
  });
}

const front = document.getElementById("front-request");
if (front) {
  const request = JSON.parse(front.querySelector("script").textContent);
  handles(front, async () => {
    const made = await send(front.dataset.address, request);
    window.location.assign(`${front.dataset.page}${made.id}#trade`);
  });
}
