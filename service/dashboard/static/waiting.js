// Loads a page again once what it waits for has ended.

const PAUSE = 1000; // milliseconds, between questions and after one that failed
const waits = document.querySelector("[data-waits-for]");

async function ended() {
  const answer = await fetch(waits.dataset.waitsFor, {
    headers: { Accept: "application/json", Prefer: "wait=20" },
    cache: "no-store",
  });
  return answer.ok && !["queued", "running"].includes((await answer.json()).state);
}

while (!(await ended().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, PAUSE));
window.location.reload();
