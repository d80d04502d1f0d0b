// Controls

import { strideEnd } from "../engine/strides.js";
import { paintBreaks } from "./breaks.js";
import { fit, zoom } from "./camera.js";
import { $ } from "./document.js";
import { back, moveTo, next, play, runOn } from "./player.js";
import { run } from "./run.js";
import { buildSource, paintSource, renderRows } from "./source.js";
import { change, paint, state } from "./state.js";
import { pickSample } from "./zoom.js";

const onClick = (id, action) => $(id).addEventListener("click", action);
onClick("first", () => moveTo(0));
onClick("back", back);
onClick("play", () => play());
onClick("next", next);
onClick("last", () => moveTo(state.events.length));
onClick("break-next", () => runOn(1));
onClick("break-back", () => runOn(-1));
onClick("zoom-in", () => zoom(1.25));
onClick("zoom-out", () => zoom(0.8));
onClick("zoom-fit", fit);
onClick("reset", () => {
  change({ edits: new Map() });
  paint();
  $("detail").focus();
});
onClick("predict", () => {
  play(false);
  state.predict = !state.predict;
  paint();
});
onClick("help-open", () => $("help").showModal());
onClick("breaks-open", () => {
  paintBreaks();
  $("breaks").showModal();
});
for (const [id, isListing] of [
  ["tab-source", false],
  ["tab-listing", true],
])
  onClick(id, () => {
    buildSource(isListing);
    paintSource();
  });
$("scrub").addEventListener("input", () => {
  play(false);
  // Among boxes, a place in the run is the pass that it lies in.
  moveTo(strideEnd(run, state, Number($("scrub").value)));
});
$("way").addEventListener("change", () => {
  play(false);
  change({ way: $("way").value, position: run.count });
  moveTo(state.parting ? state.parting.wrong.index + 1 : state.position);
});
$("sample").addEventListener("change", () => pickSample(Number($("sample").value)));
$("lines").addEventListener("scroll", () => {
  state.scrolled = $("lines").scrollTop;
  renderRows();
});
