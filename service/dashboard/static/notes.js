// Edits the notes of a study. Nothing that is typed is lost: what somebody else saved meanwhile is shown beside it.

import { exchange, handles, refusal, send } from "./sending.js";

const PAUSE = 300; // milliseconds without typing, before the preview is made anew
const NEARLY = 0.9; // of the longest text: from there on it is told how much is left
const section = document.getElementById("notes");
const part = (name) => section.querySelector(`[data-${name}]`);
const form = section.querySelector("form");
const { notes: box, theirs } = form.elements;
const most = Number(form.dataset.most);
const [edit, save, tried, cancel] = ["edit", "save", "try", "cancel"].map(part);

let stored = box.value; // the notes as the service was last known to have them
let tag = form.dataset.tag; // their ETag
let newest = 0; // number of the text that was last shown to the service
let pause = null;

async function rendered(text) {
  return (await send(form.dataset.preview, { notes: text })).html; // escaped where it was made
}

async function preview() {
  const number = ++newest;
  const shown = part("previewed");
  try {
    const html = await rendered(box.value);
    if (number === newest) shown.innerHTML = html;
  } catch (error) {
    if (number === newest) shown.textContent = `No preview: ${error.message}`;
  }
}

const previewing = () => tried.getAttribute("aria-pressed") === "true";

function show(on) {
  tried.setAttribute("aria-pressed", String(on));
  section.querySelector(".preview").hidden = !on;
  if (on) preview();
}

const left = () => most - [...box.value].length;

function counted() {
  const rest = left();
  const told = rest < 0 ? `: ${-rest} too many` : `, ${rest} are left`;
  part("left").textContent = rest < (1 - NEARLY) * most ? told : "";
  cancel.textContent = box.value === stored ? "Cancel" : "Discard my changes";
}

function typed() {
  counted();
  clearTimeout(pause);
  if (previewing()) pause = setTimeout(preview, PAUSE);
}

function fill(text) {
  box.value = text;
  typed();
}

function conflict(on) {
  for (const told of form.querySelectorAll("[data-conflict]")) told.hidden = !on;
  save.textContent = on ? "Save mine instead" : "Save";
}

function open(on) {
  form.hidden = !on;
  edit.parentElement.hidden = on;
  part("shown").hidden = on;
  part("done").textContent = "";
  if (!on) {
    conflict(false);
    section.querySelector("[role=alert]").hidden = true;
    show(false);
  }
  (on ? box : edit).focus();
}

// The page shows notes that the service has now.
async function known(text, etag) {
  [stored, tag] = [text, etag];
  part("shown").innerHTML = await rendered(text);
  edit.textContent = text.trim() ? "Edit notes" : "Write notes";
}

edit.addEventListener("click", () => {
  open(true);
  counted();
});
tried.addEventListener("click", () => show(!previewing()));
box.addEventListener("input", typed);
cancel.addEventListener("click", () => {
  fill(stored);
  open(false);
});
part("append").addEventListener("click", () => {
  fill(`${box.value.trimEnd()}\n\n${theirs.value}`);
  box.focus();
});

handles(form, async () => {
  if (left() < 0) throw new Error(`The notes are ${-left()} characters too long: shorten them, then save.`);
  const { answer, said } = await exchange("PUT", form.dataset.address, { notes: box.value }, { "If-Match": tag });
  if (answer.status === 412) {
    theirs.value = said.stored.notes;
    conflict(true);
    await known(said.stored.notes, said.etag);
    counted();
    return;
  }
  if (!answer.ok) throw refusal(answer, said);
  await known(said.notes, answer.headers.get("ETag"));
  fill(said.notes);
  open(false);
  part("done").textContent = "Saved.";
});

// Whoever leaves with something unsaved is asked by the browser.
window.addEventListener("beforeunload", (event) => {
  if (!form.hidden && box.value !== stored) event.preventDefault();
});
