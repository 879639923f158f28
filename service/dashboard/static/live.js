// Keeps a job's page up to date: an event says that there is something new, a request fetches it.

import { draw } from "./figures.js";
import { dress } from "./tables.js";
import { tick } from "./times.js";

const badge = document.getElementById("connection");
const path = window.location.pathname; // of the job, under whatever prefix
const LEAST_PAUSE = 500; // milliseconds: versions may come faster than anybody can look
const LONGEST_PAUSE = 10000; // looks even if no event came: a stream can be cut without a sign
const RETURN_PAUSE = 1000; // after an answer that is no stream, which a browser does not ask for again

let fetching = null;
let again = false;
let stream = null;
let cut = false;
let held = null; // the pulse of what the page tells, and that of what it has drawn
let drawn = null;
let drawing = null;
const figures = {};
const parts = {};

// The newest state on the page; resolves once it is there. Many calls at once are one request, or two.
export function refresh() {
  again = fetching !== null;
  fetching ??= renewed().finally(async () => {
    await new Promise((resolve) => setTimeout(resolve, LEAST_PAUSE));
    fetching = null;
    if (again) refresh();
  });
  return fetching;
}

async function renewed() {
  try {
    const answer = await fetch(`${path}/live`, { headers: { Accept: "application/json" } });
    if (answer.status === 401) {
      show("logged out: reload the page", "bad");
      return;
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    put(await answer.json());
    show("live", "good");
  } catch {
    show("no answer, trying again", "bad");
  }
}

function put(state) {
  held = state.pulse;
  for (const [name, value] of Object.entries(state.counters)) {
    const cell = document.querySelector(`[data-counter="${name}"]`);
    if (cell) cell.textContent = value;
  }
  for (const [name, html] of Object.entries(state.parts)) replace(name, html);
  tick();
  if (drawn !== held) redraw();
}

// Figures come after the words, which do not wait for them.
function redraw() {
  drawing ??= redrawn()
    .catch(() => {}) // asked for again when the page looks again
    .finally(async () => {
      await new Promise((resolve) => setTimeout(resolve, LEAST_PAUSE));
      drawing = null;
      if (drawn !== null && held !== null && drawn !== held) redraw();
    });
}

async function redrawn() {
  drawn = null;
  const answer = await fetch(`${path}/figures`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const state = await answer.json();
  for (const [name, figure] of Object.entries(state.figures)) {
    const text = JSON.stringify(figure);
    if (figures[name] === text) continue;
    await draw(document.getElementById(name), figure);
    figures[name] = text;
  }
  drawn = state.pulse;
}

function replace(name, html) {
  const told = html.replace(/>[^<]*<\/time>/g, ">"); // how long ago is told by the page itself
  if (parts[name] === told) return; // leaves alone what somebody may be copying
  const part = document.querySelector(`[data-part="${name}"]`);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  if (focused?.matches("input")) return; // somebody writes there: the next time
  part.innerHTML = html; // escaped where it was made
  dress(part);
  parts[name] = told;
  const label = focused?.getAttribute("aria-label");
  if (label) part.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
}

function show(text, kind) {
  badge.textContent = text;
  badge.className = `badge ${kind}`;
}

function listen() {
  stream = new EventSource(`${path}/events`);
  stream.addEventListener("open", () => {
    if (cut) refresh();
    cut = false;
  });
  stream.addEventListener("version", refresh);
  stream.addEventListener("change", (event) => {
    if (event.data !== held) refresh();
  });
  stream.addEventListener("error", () => {
    cut = true;
    show("reconnecting", "bad");
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETURN_PAUSE);
  });
}

refresh();
redraw();
listen();
setInterval(refresh, LONGEST_PAUSE);
setInterval(tick, LONGEST_PAUSE / 2);
