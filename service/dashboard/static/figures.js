// Draws the figures of a page from the data beside them, in the colours of the page's theme.

// The library's tool bar brings style elements of its own, which the page's policy forbids.
const CONFIGURATION = { responsive: true, displayModeBar: false };
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function themed(layout) {
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--text").trim();
  const paper = style.getPropertyValue("--paper").trim();
  return {
    ...layout,
    font: { ...layout.font, color: text },
    hoverlabel: { ...layout.hoverlabel, bgcolor: paper, font: { color: text } },
    autosize: true,
  };
}

export function draw(element, figure) {
  element.mixwrightFigure = figure;
  return window.Plotly.react(element, figure.data, themed(figure.layout), CONFIGURATION);
}

function drawAll() {
  for (const element of document.querySelectorAll(".figure")) {
    const source = element.querySelector("script[type='application/json']");
    if (source) {
      const figure = JSON.parse(source.textContent);
      source.remove();
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
