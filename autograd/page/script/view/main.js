// The page, from the start: what it is painted by, and where it opens

import { EASY } from "../engine/scene.js";
import { levelOf } from "../engine/tree.js";
import { link, recall, remember } from "./address.js";
import { paintStep } from "./arithmetic.js";
import { enter, inSight, lookAtAll, measure, wholly } from "./camera.js";
import { paintChange } from "./change.js";
import "./controls.js";
import "./dividers.js";
import { $ } from "./document.js";
import { tell } from "./embedding.js";
import "./finder.js";
import { paintFlow } from "./flow.js";
import "./keys.js";
import { paintNode } from "./node.js";
import { paintGraph } from "./pane.js";
import { paintNotice, paintTransport, play } from "./player.js";
import "./pointer.js";
import { run } from "./run.js";
import { buildSource, paintSource } from "./source.js";
import { paint, state } from "./state.js";
import { paintLevels } from "./zoom.js";

state.painters = [
  paintNotice,
  paintLevels,
  paintGraph,
  paintSource,
  paintStep,
  paintChange,
  paintFlow,
  paintNode,
  paintTransport,
  remember,
  tell,
];

// The event's own address: by now the page may have written its state over the other.
window.addEventListener("hashchange", ({ newURL }) => {
  const { hash } = new URL(newURL);
  if (hash === link()) return;
  play(false);
  recall(hash);
  paint();
});

const FEW = 4; // boxes below which a level says nothing
buildSource(); // which takes its room
measure();
recall(location.hash);
// The finest of the first levels that can be read as a whole, unless the coarser one says nothing.
while (
  levelOf(run, state.open) === state.opening &&
  state.opening > 0 &&
  run.levels[state.opening - 1].boxes >= FEW &&
  wholly(state.scene.bounds).scale < EASY
) {
  state.opening--;
  recall(location.hash);
}
lookAtAll();
paint();

// On paper is what is in sight, at rest, as large as there is room for.
const canvas = $("canvas");
window.addEventListener("beforeprint", () => {
  if (state.moving) state.moving.arrive();
  else paintGraph();
  canvas.setAttribute("viewBox", inSight().join(" "));
});
window.addEventListener("afterprint", () => canvas.removeAttribute("viewBox"));
const FEW_ITEMS = 60; // that are looked at whole when the pane changes
new ResizeObserver(() => {
  if (canvas.hasAttribute("viewBox")) return;
  const { width, height } = state.camera;
  measure();
  const isChanged = width !== state.camera.width || height !== state.camera.height;
  if (isChanged && state.scene.items.length < FEW_ITEMS) {
    if (wholly(state.scene.bounds).scale < EASY) enter(); // it may stand better in this pane
    lookAtAll();
  }
  paint();
}).observe($("field"));
