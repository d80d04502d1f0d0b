// The pointer: hovering and clicking in one pane marks the others; the graph is dragged and zoomed

import { pan, zoom } from "./camera.js";
import { $ } from "./document.js";
import { markWires } from "./pane.js";
import { choose } from "./player.js";
import { itemOf, state } from "./state.js";
import { closeBox, openBox } from "./zoom.js";

function link(node) {
  if (node === state.linked.node) return;
  for (const marked of state.linked.elements) marked.classList.remove("linked");
  const elements =
    node === null
      ? []
      : [
          state.cards.get(itemOf(node))?.group,
          state.shownRows.get(state.rowOf.get(node)),
          ...document.querySelectorAll(`.ref[data-node="${node}"]`),
        ].filter(Boolean);
  for (const marked of elements) marked.classList.add("linked");
  state.linked = { node, elements };
  markWires(node === null ? null : itemOf(node));
}
const nodeAt = (target) => {
  const found = target.closest?.("[data-node]");
  return found ? Number(found.dataset.node) : null;
};
document.addEventListener("pointerover", (event) => link(nodeAt(event.target)));
document.addEventListener("click", (event) => {
  if (state.isDragged) return;
  const frame = event.target.closest?.("[data-frame]");
  if (frame && !event.target.matches(".area")) return closeBox(Number(frame.dataset.frame));
  const box = event.target.closest?.("[data-box]");
  if (box) return openBox(Number(box.dataset.box));
  const node = nodeAt(event.target);
  if (node === null) return;
  const row = event.target.closest(".line"),
    nodes = row ? state.rows[row.id.slice(1)].nodes : [],
    at = nodes.indexOf(state.chosen);
  // The same line again leads to its next node.
  choose(at < 0 ? node : nodes[(at + 1) % nodes.length]);
});

// Dragging, the wheel, two fingers
const canvas = $("canvas");
const local = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
const far = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by);
canvas.addEventListener("pointerdown", (event) => {
  state.fingers.set(event.pointerId, local(event));
  state.isDragged = false;
});
canvas.addEventListener("pointermove", (event) => {
  const { fingers } = state,
    before = fingers.get(event.pointerId);
  if (!before) return;
  const now = local(event);
  if (!state.isDragged) {
    if (far(now, before) < 4) return;
    state.isDragged = true;
    canvas.classList.add("dragging");
    canvas.setPointerCapture(event.pointerId);
  }
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) zoom(far(now, other) / (far(before, other) || 1), ...other);
  else pan(now[0] - before[0], now[1] - before[1]);
  fingers.set(event.pointerId, now);
});
for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, (event) => {
    state.fingers.delete(event.pointerId);
    canvas.classList.remove("dragging");
    setTimeout(() => {
      state.isDragged = false;
    });
  });
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0015), ...local(event));
  },
  { passive: false },
);
