// Draws the figures of a page from the data beside them, in the colours of the page's theme.

import { button, csv, save } from "./saving.js";

// The library's tool bar brings style elements of its own, which the page's policy forbids.
const CONFIGURATION = { responsive: true, displayModeBar: false };
const LIBRARY = document.querySelector("meta[name=drawing-library]").content;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

// Rows of the legend above a plot, beyond those that its height has room for: many names leave it no less.
const [LETTER, KEY, ROW, ROOM] = [7.5, 50, 20, 2]; // pixels, pixels, pixels, rows

function legendRows({ data, layout }, width) {
  if (layout.showlegend === false) return 0;
  const names = data.filter((trace) => trace.name && trace.showlegend !== false).map((trace) => trace.name);
  const widest = KEY + LETTER * Math.max(0, ...names.map((name) => name.length));
  return Math.max(0, Math.ceil(names.length / Math.max(1, Math.floor(width / widest))) - ROOM);
}

function themed(element, figure) {
  const { layout } = figure;
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--text").trim();
  const paper = style.getPropertyValue("--paper").trim();
  return {
    ...layout,
    height: layout.height + ROW * legendRows(figure, 0.85 * element.clientWidth),
    font: { ...layout.font, color: text },
    hoverlabel: { ...layout.hoverlabel, bgcolor: paper, font: { color: text } },
    autosize: true,
  };
}

const task = () => new Promise((resolve) => setTimeout(resolve)); // lets clicks and the load event come first

// Megabytes, which take most of a second to run: asked for once the page is loaded, by its first figure.
let library = null;

async function loaded() {
  if (document.readyState !== "complete") await new Promise((resolve) => window.addEventListener("load", resolve));
  await task();
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

let turn = Promise.resolve(); // of the figure that is drawn last

// Figures are drawn one after the other, as they stand on the page, with room for clicks in between.
export function draw(element, figure) {
  const first = !element.mixwrightFigure;
  element.mixwrightFigure = figure;
  if (first) tools(element);
  library ??= loaded();
  const mine = turn.then(() => drawn(element, figure));
  turn = mine.catch(reportError);
  return mine;
}

async function drawn(element, figure) {
  try {
    await library;
  } catch {
    element.textContent = "Not drawn: the drawing library did not load. Load the page again.";
    return;
  }
  await task();
  if (element.mixwrightFigure !== figure) return; // there is a newer one, whose turn comes
  element.style.minHeight = "";
  await window.Plotly.react(element, figure.data, themed(element, figure), CONFIGURATION);
  element.mixwrightPicture.disabled = false;
  element.mixwrightPicture.title = "";
}

// One row a point: the trace, and each of its numbers under the name that the drawing library has for it.
function points(figure) {
  const kinds = ["x", "y", "z", "a", "b", "c", "text"];
  const used = kinds.filter((kind) => figure.data.some((trace) => Array.isArray(trace[kind])));
  const rows = [["trace", ...used]];
  for (const [at, trace] of figure.data.entries()) {
    const length = Math.max(0, ...used.map((kind) => trace[kind]?.length ?? 0));
    for (let row = 0; row < length; row += 1) {
      rows.push([trace.name ?? `trace ${at + 1}`, ...used.map((kind) => trace[kind]?.[row])]);
    }
  }
  return rows;
}

function tools(element) {
  const bar = document.createElement("div");
  bar.className = "tools";
  const { id } = element;
  const picture = button("PNG", `save the figure ${id} as PNG`, () => {
    window.Plotly.downloadImage(element, { format: "png", scale: 2, filename: id });
  });
  picture.disabled = true;
  picture.title = "once the figure is drawn";
  element.mixwrightPicture = picture;
  bar.append(
    picture,
    button("Data", `save the data of the figure ${id} as CSV`, () => {
      save(`${id}.csv`, csv(points(element.mixwrightFigure)), "text/csv");
    }),
  );
  element.after(bar);
}

function drawAll() {
  for (const element of document.querySelectorAll(".figure")) {
    const source = element.querySelector("script[type='application/json']");
    if (source) {
      const figure = JSON.parse(source.textContent);
      source.remove();
      element.style.minHeight = `${themed(element, figure).height}px`; // its place is kept
      draw(element, figure);
    }
  }
}

dark.addEventListener("change", () => {
  for (const element of document.querySelectorAll(".figure")) {
    if (element.mixwrightFigure) draw(element, element.mixwrightFigure);
  }
});
drawAll();
