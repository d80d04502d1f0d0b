// Zoom by meaning: boxes open and close in place, samples are picked, levels opened at once

import { levelOf } from "../engine/tree.js";
import { counted, short } from "../engine/words.js";
import {
  closed,
  closedWithin,
  coarser,
  levelTitle,
  openAround,
  opened,
  sampled,
  uncovered,
} from "../engine/zoom.js";
import { enter, lookAtAll, reveal } from "./camera.js";
import { $, element, say } from "./document.js";
import { run } from "./run.js";
import { itemOf, paint, state } from "./state.js";
import { title } from "./words.js";

/** Show other boxes; what was chosen stays chosen, and the anchor where it is. */
function show(changes, anchor = null, box = null) {
  Object.assign(state, changes);
  enter(anchor, box);
  paint();
}
/** Open a box in place. */
export function openBox(g) {
  if (g < 0 || state.open.has(g)) return;
  show(opened(run, state, g), run.count + g, run.count + g);
  say(`${run.groups[g].title} is open`);
}
/** Close a box, with all that is open in it. */
export function closeBox(g) {
  if (g < 0 || !state.open.has(g)) return;
  show(closed(run, state, g), run.count + g);
  say(`${run.groups[g].title} is closed`);
}
/** Close the innermost open box around what is chosen, or go back to all samples, or a level out. */
export function levelOut() {
  const [g] = openAround(run, state, itemOf(state.chosen));
  if (g !== undefined) closeBox(g);
  else if (state.sample >= 0 || state.isMean) pickSample(-1);
  else setLevel(coarser(run, state));
}
export function setLevel(l) {
  const level = run.levels[l];
  if (!level || l === levelOf(run, state.open)) return;
  state.open = new Set(level.open);
  enter();
  lookAtAll();
  paint();
  reveal([state.chosen]);
  say(`${levelTitle(level.name)}: ${state.scene.items.length} boxes`);
}
/** Look at one sample alone, at all with norms (-1), or with means (-2). */
export function pickSample(sample) {
  const anchor = itemOf(state.chosen);
  Object.assign(state, sampled(run, state, sample));
  enter(state.scene.rects.has(anchor) ? anchor : null);
  paint();
  reveal([state.chosen]);
  if (sample >= 0) say(`${run.samples[sample]} alone`);
  else say(sample === -2 ? "means over all" : "all samples");
}
/** Open all that hides a node. */
export function uncover(node) {
  const changes = uncovered(run, state, node);
  if (!changes) return;
  Object.assign(state, changes);
  enter(itemOf(node));
}

export function paintLevels() {
  const here = levelOf(run, state.open),
    place = $("levels");
  place.hidden = run.levels.length === 1;
  if (!place.children.length)
    place.append(
      ...run.levels.map(({ name, boxes }, l) =>
        element(
          "button",
          { onclick: () => setLevel(l), title: `${counted(boxes)} boxes` },
          levelTitle(name),
        ),
      ),
    );
  [...place.children].forEach((button, l) => {
    button.setAttribute("aria-pressed", String(l === here));
  });
  paintCrumbs();
  paintSamples();
}
function paintSamples() {
  const picker = $("sample"),
    { samples } = run;
  picker.parentElement.hidden = !samples.length;
  if (samples.length && !picker.children.length)
    picker.append(
      element("option", { value: -1 }, `all ${samples.length}`),
      element("option", { value: -2 }, "mean of all"),
      ...samples.map((name, k) => element("option", { value: k }, name)),
    );
  picker.value = String(state.isMean ? -2 : state.sample);
}
/** The way in: the open boxes around what is chosen; a click on one closes what is open in it. */
function paintCrumbs() {
  const { groups, count, levels } = run,
    item = itemOf(state.chosen),
    path = openAround(run, state, item).reverse(),
    key = `${item} ${path}`,
    place = $("crumbs");
  place.parentElement.hidden = levels.length === 1;
  if (place.dataset.of === key) return;
  place.dataset.of = key;
  const crumb = (text, action, told) =>
    element("li", {}, element("button", { onclick: action, title: told }, text));
  const brief = (it) => short(title(it), 24);
  const closeAll = () => show({ open: new Set() }, path.length ? count + path[0] : null);
  const closeWithin = (g) => () => show(closedWithin(run, state, g), count + g, count + g);
  place.replaceChildren(
    crumb("all", closeAll, "Close all boxes"),
    ...path.map((g) =>
      crumb(brief(count + g), closeWithin(g), `Close what is open in ${groups[g].title}`),
    ),
    element("li", { "aria-current": "true" }, brief(item)),
  );
}
