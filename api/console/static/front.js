/* Arrow keys walk the windows of a building. */
"use strict";
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.(".facade .cell");
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!cell || !step) return;
  const floors = [...cell.closest(".facade").querySelectorAll(".windows")].filter((row) => row.querySelector(".cell"));
  const row = floors.indexOf(cell.parentElement) + step[0];
  const column = Number(cell.dataset.col) + step[1];
  const next = floors[row]?.querySelector(`.cell[data-col="${column}"]`);
  if (next) {
    event.preventDefault();
    next.focus();
  }
});
