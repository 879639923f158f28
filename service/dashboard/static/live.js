// Keeps a job's page up to date: an event says that there is something new, a request fetches it.

import { draw } from "./figures.js";
import { dress } from "./tables.js";

const badge = document.getElementById("connection");
const path = window.location.pathname; // of the job, under whatever prefix
const LEAST_PAUSE = 500; // milliseconds: versions may come faster than anybody can look
const LONGEST_PAUSE = 10000; // looks even if no event came: a stream can be cut without a sign

let fetching = false;
let again = false;
const parts = {};

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(`${path}/live`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const state = await answer.json();
    for (const [name, figure] of Object.entries(state.figures)) {
      await draw(document.getElementById(name), figure);
    }
    for (const [name, value] of Object.entries(state.counters)) {
      const cell = document.querySelector(`[data-counter="${name}"]`);
      if (cell) cell.textContent = value;
    }
    for (const [name, html] of Object.entries(state.parts)) {
      if (parts[name] === html) continue; // leaves alone what somebody may be copying
      const part = document.querySelector(`[data-part="${name}"]`);
      part.innerHTML = html; // escaped where it was made
      dress(part);
      parts[name] = html;
    }
    show("live", "good");
  } catch {
    show("no answer, trying again", "bad");
  } finally {
    await new Promise((resolve) => setTimeout(resolve, LEAST_PAUSE));
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function show(text, kind) {
  badge.textContent = text;
  badge.className = `badge ${kind}`;
}

const stream = new EventSource(`${path}/events`);
stream.addEventListener("open", refresh);
stream.addEventListener("version", refresh);
stream.addEventListener("error", () => show("reconnecting", "bad"));
setInterval(refresh, LONGEST_PAUSE);
