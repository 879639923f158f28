// Hyperparameters of the method that a form names: shown for it alone, and sent where they were chosen.

export function settle(form, method) {
  for (const part of form.querySelectorAll("[data-method]")) part.hidden = part.dataset.method !== method;
}

const value = (input) => (input.type === "number" ? Number(input.value) : JSON.parse(input.value));

export function chosen(form) {
  const inputs = form.querySelectorAll("[data-method]:not([hidden]) [data-parameter]");
  const given = [...inputs].filter((input) => input.value !== "");
  return Object.fromEntries(given.map((input) => [input.dataset.parameter, value(input)]));
}
