// Dividers: panes are dragged wider, or moved by the arrow keys

import { $ } from "./document.js";

for (const [id, pane, way] of [
  ["divide-source", "source", 1],
  ["divide-detail", "detail", -1],
]) {
  const divider = $(id);
  const set = (width) => {
    const [least, most] = ["min", "max"].map((end) => divider.getAttribute(`aria-value${end}`)),
      wanted = Math.round(Math.max(least, Math.min(most, width)));
    $("panes").style.setProperty(`--${pane}`, `${wanted}px`);
    divider.setAttribute("aria-valuenow", wanted);
  };
  const width = () => $(pane).getBoundingClientRect().width;
  divider.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    divider.setPointerCapture(event.pointerId);
    const start = event.clientX,
      before = width();
    const move = (moved) => set(before + way * (moved.clientX - start));
    divider.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"])
      divider.addEventListener(end, () => divider.removeEventListener("pointermove", move), {
        once: true,
      });
  });
  divider.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    set(width() + way * (event.key === "ArrowRight" ? 20 : -20));
  });
}
