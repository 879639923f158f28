// Tables that a page holds whole: sorted by a click on a header, filtered by words, saved as CSV.
// A table says its name in data-name; a cell may say what it is sorted and saved by in data-value.

import { button, csv, save } from "./saving.js";

const FEW = 8; // rows: nobody filters so short a table

function value(cell) {
  return cell.dataset.value ?? cell.querySelector("time")?.dateTime ?? cell.textContent.trim();
}

function compared(a, b) {
  if (a === b) return 0;
  if (a === "" || a === "–") return 1; // what is not known comes last
  if (b === "" || b === "–") return -1;
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
}

function sorted(table, at, header) {
  const rising = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].filter((row) => !row.classList.contains("sum"));
  const last = [...body.rows].filter((row) => row.classList.contains("sum"));
  const unknown = (row) => ["", "–"].includes(value(row.cells[at]));
  rows.sort((a, b) => {
    const order = compared(value(a.cells[at]), value(b.cells[at]));
    return rising || unknown(a) || unknown(b) ? order : -order;
  });
  body.append(...rows, ...last);
}

function sortable(table) {
  [...table.tHead.rows[0].cells].forEach((header, at) => {
    if (!header.textContent.trim()) return;
    const sorter = document.createElement("button");
    sorter.type = "button";
    sorter.className = "sorter";
    sorter.append(...header.childNodes);
    sorter.addEventListener("click", () => sorted(table, at, header));
    header.append(sorter);
  });
}

function tools(table) {
  const bar = document.createElement("div");
  bar.className = "tools";
  const name = table.dataset.name;
  if (table.tBodies[0].rows.length > FEW) {
    const words = document.createElement("input");
    words.type = "search";
    words.placeholder = "filter";
    words.setAttribute("aria-label", `filter ${name}`);
    words.addEventListener("input", () => {
      const wanted = words.value.toLowerCase();
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
      }
    });
    bar.append(words);
  }
  bar.append(
    button("CSV", `save ${name} as CSV`, () => {
      const rows = [...table.rows].filter((row) => !row.hidden);
      const told = rows.map((row) => [...row.cells].map((one) => (row.parentNode === table.tHead ? one.textContent.trim() : value(one))));
      save(`${name}.csv`, csv(told), "text/csv");
    }),
  );
  (table.closest(".scroll") ?? table).before(bar);
}

// What does not fit is scrolled by arrow keys as well, once the region can be reached.
const reachable = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const fits = target.scrollWidth <= target.clientWidth && target.scrollHeight <= target.clientHeight;
    if (fits) target.removeAttribute("tabindex");
    else target.tabIndex = 0;
  }
});

function scrollable(table) {
  const region = table.closest(".scroll");
  if (!region) return;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", `table of ${table.dataset.name}`);
  reachable.observe(region);
}

// Give the tables in a part of a page what they need.
export function dress(part) {
  for (const table of part.querySelectorAll("table[data-name]")) {
    if (!("paged" in table.dataset)) sortable(table); // a page of many rows is sorted where they are
    tools(table);
    scrollable(table);
  }
}

dress(document);
