// Keeps the times of a page true while it stays open: they are told as so long ago.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];

function ago(moment) {
  const seconds = Math.max(0, (Date.now() - moment) / 1000);
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return `${Math.round(seconds / size)} ${unit} ago`;
  }
  return seconds < 5 ? "just now" : `${Math.round(seconds)} s ago`;
}

export function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = ago(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}
