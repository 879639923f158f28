// Orders to a job: asked for in a dialog, tried without effect, shown, and only then given.
// The API checks scope and values; what it says against an order is shown in the dialog.

import { refresh } from "./live.js";
import { send } from "./sending.js";

const MOST_NAMED = 6; // domains: the rest is told in the table of the page
const percent = (share) => `${(100 * share).toFixed(1)} %`;

function shares(form) {
  const inputs = [...form.querySelectorAll("[data-domain]")];
  const given = inputs.map((input) => Number(input.value));
  const sum = given.reduce((a, b) => a + b, 0);
  return Object.fromEntries(inputs.map((input, at) => [input.dataset.domain, given[at] / sum]));
}

function bodyOf(form) {
  const told = { reason: form.elements.reason.value.trim() };
  if (form.elements.version) told.version = Number(form.elements.version.value);
  if (form.querySelector("[data-domain]")) told.weights = shares(form);
  return told;
}

function order(dialog, dryRun) {
  return send(dialog.dataset.address, { ...bodyOf(dialog.querySelector("form")), dry_run: dryRun });
}

// What an order leads to first; after it may come stages without domains that will have run dry.
function outcome(told, before) {
  const { stages } = told.schedule;
  const stage = stages.find((one) => one.version > before) ?? stages.at(-1);
  const named = Object.entries(stage.weights).sort((a, b) => b[1] - a[1]);
  const listed = named.slice(0, MOST_NAMED).map(([name, share]) => `${name} ${percent(share)}`);
  if (named.length > MOST_NAMED) listed.push(`${named.length - MOST_NAMED} others`);
  const later = stages.at(-1).version > stage.version ? ", until a domain runs dry" : "";
  return `from step ${stage.effective_step} on, as version ${stage.version}: ${listed.join(", ")}${later}`;
}

function say(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

// Back to the first of the two steps: what was shown is no longer what would be ordered.
function unchecked(dialog) {
  dialog.dataset.checked = "";
  say(dialog.querySelector("[data-outcome]"), "");
  say(dialog.querySelector("[data-problem]"), "");
  dialog.querySelector("[data-go]").textContent = "Check";
}

async function go(dialog) {
  if (dialog.dataset.busy) return; // a second click; the button keeps its focus
  const confirmed = dialog.dataset.checked !== "";
  if (!confirmed) dialog.dataset.before = document.querySelector("[data-counter=version]").textContent;
  say(dialog.querySelector("[data-problem]"), "");
  dialog.dataset.busy = "yes";
  try {
    const told = outcome(await order(dialog, !confirmed), Number(dialog.dataset.before));
    if (confirmed) {
      dialog.close();
      say(document.getElementById("ordered"), `${dialog.dataset.done}: ${told}.`);
      await refresh();
    } else {
      dialog.dataset.checked = "yes";
      say(dialog.querySelector("[data-outcome]"), `This would hold ${told}. Nothing is changed yet.`);
      dialog.querySelector("[data-go]").textContent = dialog.dataset.confirm;
    }
  } catch (error) {
    unchecked(dialog);
    say(dialog.querySelector("[data-problem]"), error.message);
  } finally {
    dialog.dataset.busy = "";
  }
}

// The shares to pin begin as those in force, which may have changed since the page was loaded.
function prefilled(dialog) {
  for (const input of dialog.querySelectorAll("[data-domain]")) {
    const row = [...document.querySelectorAll("[data-part=domains] tbody tr")].find(
      (one) => one.dataset.domain === input.dataset.domain,
    );
    if (row) input.value = (100 * Number(row.dataset.weight)).toFixed(2);
  }
}

function summed(dialog) {
  const sum = [...dialog.querySelectorAll("[data-domain]")].reduce((all, one) => all + Number(one.value), 0);
  const line = dialog.querySelector("[data-sum]");
  if (line) line.textContent = `Sum ${sum.toFixed(2)}; shares are scaled to sum to 100 %.`;
}

for (const dialog of document.querySelectorAll("dialog[data-address]")) {
  const form = dialog.querySelector("form");
  form.addEventListener("input", () => {
    unchecked(dialog);
    summed(dialog);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(dialog);
  });
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
}

// Buttons come and go with the parts of the page that are renewed.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-order]");
  if (!button) return;
  const dialog = document.getElementById(`order-${button.dataset.order}`);
  dialog.querySelector("form").reset();
  unchecked(dialog);
  prefilled(dialog);
  summed(dialog);
  if (button.dataset.version) dialog.querySelector("[name=version]").value = button.dataset.version;
  dialog.showModal();
});
