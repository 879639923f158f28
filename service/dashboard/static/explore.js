// Moves a mixture by sliders and shows what the fit predicts of it, as the service says.

import { draw } from "./figures.js";
import { moved } from "./mixture.js";
import { objective, weighed, weighing } from "./weighing.js";

const PAUSE = 30; // milliseconds: a drag moves a slider many times before the page is painted once
const { domains, starts, references, targets } = JSON.parse(
  document.getElementById("exploration").textContent,
);
const { prior } = references;
const natural = domains.map((domain) => domain.prior);
const rows = [...document.querySelectorAll("#shares .share")].map((row) => ({
  slider: row.querySelector("input[type=range]"),
  box: row.querySelector("input[type=number]"),
  lock: row.querySelector(".lock input"),
  over: row.querySelector("[data-over]"),
}));
const panel = document.getElementById("predicted");
const trouble = document.getElementById("trouble");

let shares = domains.map((domain) => domain.share);
let waiting = false; // for a pause, or for an answer
let newest = 0; // number of the mixture that is shown by the sliders
let told = 0; // number of the mixture that the numbers are of

// The mixture by names, for whoever asks for proposals.
export function mixture() {
  return Object.fromEntries(domains.map((domain, at) => [domain.name, shares[at]]));
}

function show(held) {
  rows.forEach(({ slider, box, over }, at) => {
    slider.value = 100 * shares[at];
    slider.setAttribute("aria-valuetext", `${(100 * shares[at]).toFixed(1)} %`);
    if (box !== held) box.value = (100 * shares[at]).toFixed(2); // nobody's typing is written over
    if (over) over.hidden = shares[at] <= domains[at].cap + 1e-9;
  });
}

function move(next, held) {
  shares = next;
  show(held);
  outdated();
}

// What is shown is of another mixture or objective than the one that was chosen.
function outdated() {
  newest += 1;
  panel.setAttribute("aria-busy", "true");
  if (!waiting) ask();
}

// One question at a time: a mixture that was overtaken while another one was asked about is never sent.
async function ask() {
  waiting = true;
  while (told < newest) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const number = newest;
    try {
      const answer = await fetch(window.location.pathname, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ mixture: mixture(), objective: objective() }),
      });
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.detail);
      tell(said);
      trouble.hidden = true;
    } catch (error) {
      trouble.textContent = `No prediction of this mixture: ${error.message}`;
      trouble.hidden = false;
    }
    told = number;
  }
  waiting = false;
  panel.setAttribute("aria-busy", "false");
}

const number = (value, digits = 3) => (value == null ? "–" : value.toFixed(digits));
const signed = (value) => `${value < 0 || Object.is(value, -0) ? "" : "+"}${number(value)}`;
const width = (value) => (value == null ? "" : `± ${number(value)}`);
const percent = (value, digits) => (value == null ? "–" : `${number(100 * value, digits)} %`);

function put(within, texts) {
  for (const [name, text] of Object.entries(texts)) within.querySelector(`[data-told="${name}"]`).textContent = text;
}

function tell(said) {
  const { predicted, half_width_95: widths } = said.prediction;
  put(panel, {
    objective: number(said.prediction.objective),
    "objective-width": width(said.objective_half_width_95),
    gain: signed(said.prediction.gain_over_prior),
    "gain-width": width(said.gain_half_width_95),
    better: percent(said.probability_better, 0),
    flatness: percent(said.flatness, 1),
    distance: percent(said.hull_distance, 1),
    noise: number(said.noise),
  });
  document.getElementById("extrapolates").hidden = !said.extrapolates;
  document.getElementById("within-noise").hidden = Math.abs(said.prediction.gain_over_prior) >= said.noise;
  for (const row of document.querySelectorAll("tr[data-target]")) {
    const target = targets[row.dataset.target]; // rows may be sorted
    const change = signed(predicted[target] - prior[target]);
    put(row, { value: number(predicted[target]), width: number(widths?.[target]), change });
  }
  put(document.querySelector("table[data-name=predicted] .sum"), {
    objective: number(said.prediction.objective),
    "objective-only-width": number(said.objective_half_width_95),
    change: signed(-said.prediction.gain_over_prior),
  });
  for (const cell of document.querySelectorAll("[data-objective-of]")) {
    cell.querySelector("span").textContent = number(weighed(references[cell.dataset.objectiveOf]));
    const width = cell.querySelector("small");
    if (width) width.hidden = objective() !== null; // it is of the study's objective
  }
  redraw(predicted, widths);
}

function redraw(predicted, widths) {
  const element = document.getElementById("changes");
  const figure = element.mixwrightFigure;
  const data = figure.data.map((trace) => {
    if (trace.meta !== "moved") return trace;
    const x = targets.map((target) => predicted[target] - prior[target]);
    const array = targets.map((target) => widths?.[target] ?? 0);
    return { ...trace, x, error_x: { ...trace.error_x, array } };
  });
  draw(element, { ...figure, data });
}

rows.forEach(({ slider, box, lock }, at) => {
  const locked = () => rows.map((row) => row.lock.checked);
  const to = (input) => {
    const percentage = Number(input.value);
    if (input.value === "" || !Number.isFinite(percentage)) return;
    move(moved(shares, locked(), at, percentage / 100, natural), input);
  };
  slider.addEventListener("input", () => to(slider));
  box.addEventListener("input", () => to(box));
  box.addEventListener("change", () => show(null));
  lock.addEventListener("change", () => {
    slider.disabled = lock.checked;
    box.disabled = lock.checked;
  });
});
weighing(outdated);
for (const start of document.querySelectorAll("[data-start]")) {
  start.addEventListener("click", () => {
    move(domains.map((domain) => starts[start.dataset.start][domain.name]), null);
  });
}
show(null);
