// Says how far the work is that a page waits for, and loads the page again once it has ended.

const PAUSE = 1000; // milliseconds, between questions and after one that failed
const A_LOOK = 2; // seconds that the service may hold an answer: progress is told as often
const waits = document.querySelector("[data-waits-for]");
const told = waits.querySelector("[data-progress]");

async function ended() {
  const answer = await fetch(waits.dataset.waitsFor, {
    headers: { Accept: "application/json", Prefer: `wait=${A_LOOK}` },
    cache: "no-store",
  });
  if (!answer.ok) return false;
  const { state, stage, progress } = await answer.json();
  if (!["queued", "running"].includes(state)) return true;
  told.textContent = stage ? `${state}: ${stage}, ${(100 * progress).toFixed(0)} %` : state;
  return false;
}

while (!(await ended().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, PAUSE));
window.location.reload();
