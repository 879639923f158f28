// Sliders beside boxes of numbers: either moves the other, and the box is what counts.

export function paired(within = document) {
  for (const slider of within.querySelectorAll("input[type=range][data-pairs]")) {
    const box = document.getElementById(slider.dataset.pairs);
    const open = slider.value; // where it stands while the box is empty
    slider.addEventListener("input", () => {
      box.value = slider.value;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    box.addEventListener("input", () => {
      slider.value = box.value === "" ? open : box.value;
    });
  }
}
