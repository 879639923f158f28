// Files that a page makes of what it shows.

const FORMULA = /^ *[=+\-@\t\r\n]/;

// Spreadsheets take such texts for formulas, whatever the file says; numbers may begin so.
function cell(value) {
  const text = String(value ?? "");
  const harmless = FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csv(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "small quiet";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}
