// The objective by which mixtures are judged: the study's, or coefficients that somebody chose.

import { paired } from "./pairs.js";

const { coefficients, targets } = JSON.parse(document.getElementById("exploration").textContent);
const panel = document.getElementById("weighing");
const boxes = targets.map((_, at) => document.getElementById(`weight-${at}`)).filter(Boolean);
const initial = boxes.map((box) => box.value);
let chosen = null;

// Coefficients that were chosen, for the service; null for those of the study.
export function objective() {
  return chosen;
}

// The objective of predicted targets.
export function weighed(predicted) {
  const used = chosen ?? coefficients;
  const total = targets.reduce((sum, target) => sum + used[target], 0);
  return targets.reduce((sum, target) => sum + used[target] * predicted[target], 0) / total;
}

// Calls back whenever other coefficients are chosen.
export function weighing(changed) {
  if (!panel) return;
  paired(panel);
  panel.addEventListener("input", (event) => {
    if (!boxes.includes(event.target)) return;
    chosen = Object.fromEntries(targets.map((target, at) => [target, Math.max(0, Number(boxes[at].value))]));
    changed();
  });
  panel.querySelector("button").addEventListener("click", () => {
    boxes.forEach((box, at) => {
      box.value = initial[at];
      box.dispatchEvent(new Event("input"));
    });
    chosen = null;
    changed();
  });
}
