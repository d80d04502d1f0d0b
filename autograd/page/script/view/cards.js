// Cards, of nodes and of boxes, and the frames around open boxes

import { FRAME } from "../engine/scene.js";
import { timesOf } from "../engine/titles.js";
import { brief } from "../engine/words.js";
import { put, shape } from "./document.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { title } from "./words.js";

const pen = document.createElement("canvas").getContext("2d");
pen.font = `650 12px ${getComputedStyle(document.body).fontFamily}`;
const widthOf = (text) => pen.measureText(text).width;
/** As much of a name as there is room for beside what stands at the other end of its line. */
function beside(other, name, width) {
  const room = width - 24 - widthOf(other);
  let most = name.length;
  while (most > 2 && widthOf(brief(name, most)) > room) most--;
  return brief(name, most);
}

/** Where an item is drawn now: on its way while the scene is changing. */
export const rectOf = (item) => state.moving?.rects.get(item) ?? state.scene.rects.get(item);

/** A card: its name and op in the first line, then its value, and its gradient in a strip. */
function cardOf(item, { settings, name, op, label, line, strip, before = [] }) {
  const { w, h } = state.scene.rects.get(item),
    right = w - 9;
  const group = shape("g", { id: `v${item}`, role: "option", ...settings });
  const value = shape("text", { class: "number value", x: right, y: line }),
    gradient = shape("text", { class: "number gradient", x: right, y: h - strip.up }),
    tag = shape("text", { class: "tag of-gradient", x: 9, y: h - strip.up - 0.5 });
  const d = `M1 ${h - strip.height}H${w - 1}V${h - 8}a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z`;
  group.append(
    ...before,
    shape("rect", { class: "card", width: w, height: h, rx: 8 }),
    shape("path", { class: "strip", d }),
  );
  // A plain card, for far away, says nothing.
  if (name === null) return { group, isPlain: true };
  // The blanks are for who listens: they keep the words apart.
  const first = line === 33 ? 16 : 17;
  const called = shape("text", { class: "name", x: 9, y: first }, name),
    does = shape("text", { class: "op", x: right, y: first }, op);
  const said = shape("text", { class: "tag", x: 9, y: line }, label),
    texts = [called, does, said, value, tag, gradient];
  group.append(
    ...texts.flatMap((text, i) => (i ? [" ", text] : [text])),
    shape("circle", { class: "stop-dot", r: 6 }),
  );
  return { group, isPlain: false, name: called, op: does, value, gradient, tag };
}
/** The card of a node; one that is no longer needed is turned into it, which is quicker. */
export function makeCard(node, isPlain, spare) {
  const op = run.formOf[node]?.symbol ?? "",
    name = isPlain ? null : beside(op, title(node), run.card[0]);
  if (spare?.isPlain === isPlain) {
    spare.group.id = `v${node}`;
    spare.group.dataset.node = node;
    if (!isPlain) {
      spare.name.textContent = name;
      spare.op.textContent = op;
    }
    return spare;
  }
  return cardOf(node, {
    settings: { "data-node": node },
    name,
    op,
    label: "value",
    line: 33,
    strip: { height: 20, up: 6 },
  });
}
export function makeBox(item) {
  const g = item - run.count,
    { title: full, about, last } = run.groups[g],
    { w, h } = state.scene.rects.get(item),
    times = timesOf(run, state.sample, g),
    told = [full, times, about].filter(Boolean).join(" · ");
  const behind = [6, 3].map((d) =>
    shape("rect", { class: "behind", x: d, y: d, width: w, height: h, rx: 8 }),
  );
  return cardOf(item, {
    settings: { "data-node": last, "data-box": g },
    name: beside(times, title(item), w),
    op: times,
    label: state.isMean ? "mean value" : "‖value‖",
    line: 36,
    strip: { height: 22, up: 7 },
    before: [shape("title", {}, `${told} (click to open)`), ...behind],
  });
}
export function placeCard(item) {
  const { x, y } = rectOf(item);
  state.cards.get(item).group.setAttribute("transform", `translate(${x} ${y})`);
}

/** A frame around what is open: a click on it closes it. */
export function makeFrame(item) {
  const g = item - run.count,
    { title: full, times, about } = run.groups[g],
    told = [full, times.map((n) => `× ${n}`).join(" "), about].filter(Boolean).join(" · "),
    group = shape("g", { class: "frame", "data-frame": g });
  const parts = {
    group,
    area: shape("rect", { class: "area", rx: 10 }),
    edge: shape("rect", { class: "rim", rx: 10 }),
    bar: shape("rect", { class: "bar-of-frame", height: FRAME.top - 8, rx: 10 }),
    name: shape("text", { class: "name" }, boxTitle(item)),
    close: shape("text", { class: "close" }, "−"),
  };
  const { area, edge, bar, name, close } = parts;
  group.append(shape("title", {}, `${told} (click to close)`), area, edge, bar, name, close);
  return parts;
}
const boxTitle = (item) =>
  [title(item), timesOf(run, state.sample, item - run.count)].filter(Boolean).join(" ");
export function placeFrame(item) {
  const { x, y, w, h } = rectOf(item),
    { area, edge, bar, name, close } = state.frames.get(item);
  for (const part of [area, edge]) put(part, { x, y, width: w, height: h });
  put(bar, { x, y, width: w });
  put(name, { x: x + 12, y: y + 18 });
  put(close, { x: x + w - 12, y: y + 18 });
}
