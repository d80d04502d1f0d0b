// The camera: pan and zoom, and the way from one scene to the next

import { EASY, scaleOf, sceneOf } from "../engine/scene.js";
import { placeCard, placeFrame, rectOf } from "./cards.js";
import { $ } from "./document.js";
import { cull, drawWires, layers, paintGraph } from "./pane.js";
import { run } from "./run.js";
import { itemOf, state } from "./state.js";

function aim() {
  const { x, y, scale } = state.camera;
  $("view").setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
}
/** Show what the camera sees now. */
function place() {
  aim();
  if (!state.placing && state.moment) state.placing = requestAnimationFrame(paintGraph);
}
export function measure() {
  const { width, height } = $("field").getBoundingClientRect();
  Object.assign(state.camera, { width: width || 600, height: height || 400 });
  // Of a size in pixels, it lays out what changes; of one by its surroundings, all its cards.
  Object.assign($("canvas").style, { width: `${width}px`, height: `${height}px` });
  state.paneHeight = $("lines").clientHeight || 400;
}
export function pan(dx, dy) {
  state.camera.x += dx;
  state.camera.y += dy;
  place();
}
const LARGEST = 1.35;
export function zoom(factor, x = state.camera.width / 2, y = state.camera.height / 2) {
  const { camera: view } = state;
  const scale = Math.min(3, Math.max(0.005, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  place();
}
/** How to look at a rectangle whole. */
export function wholly({ left, right, top, bottom }) {
  const { width, height } = state.camera,
    scale = Math.min(LARGEST, scaleOf({ left, right, top, bottom }, state.camera));
  return {
    scale,
    x: (width - scale * (left + right)) / 2,
    y: (height - scale * (top + bottom)) / 2,
  };
}
/** What is in sight of the scene, on the canvas: left, top, width and height. */
export function inSight() {
  const { x, y, scale, width, height } = state.camera,
    { left, right, top, bottom } = state.scene.bounds,
    margin = 12;
  const within = (from, to, offset, room) => {
    const start = Math.max(0, from * scale + offset - margin);
    return [start, Math.min(room, to * scale + offset + margin) - start];
  };
  const [l, w] = within(left, right, x, width),
    [t, h] = within(top, bottom, y, height);
  return [l, t, w, h];
}
export function fit() {
  Object.assign(state.camera, wholly(state.scene.bounds));
  place();
}
const LEAST = 0.52; // below this scale, letters are less than 6 pixels high
/** Show all if that is legible, else what surrounds the current event. */
export function lookAtAll() {
  const { camera: view } = state;
  fit();
  if (view.scale < LEAST) {
    const [x, y] = middleOf(itemOf(state.moment?.event?.subject ?? state.chosen)),
      { left, right, top, bottom } = state.scene.bounds,
      scale = 0.8;
    const shift = (at, from, to, room) => {
      if ((to - from) * scale < room - 32) return (room - (from + to) * scale) / 2;
      return (0.2 + (0.6 * (at - from)) / (to - from)) * room - at * scale;
    };
    view.scale = scale;
    view.x = shift(x, left, right, view.width);
    view.y = shift(y, top, bottom, view.height);
    place();
  }
}
/** Move the view if nodes are out of sight: to their middle, but not beyond where the scene ends. */
export function reveal(nodes) {
  const { camera: view, scene } = state,
    items = new Set(nodes.map(itemOf)),
    rects = [...items].filter((item) => scene.rects.has(item)).map(rectOf);
  if (!rects.length) return;
  const edge = 12,
    s = view.scale;
  const shift = (low, high, offset, room, begin, end) => {
    const from = low * s + offset,
      to = high * s + offset;
    if (to - from > room - 2 * edge || (from >= edge && to <= room - edge)) return 0;
    const least = room - edge - end * s,
      most = edge - begin * s;
    if (least > most) return (least + most) / 2 - offset;
    return Math.min(most, Math.max(least, (room - (low + high) * s) / 2)) - offset;
  };
  const least = (key) => Math.min(...rects.map((r) => r[key])),
    most = (key, size) => Math.max(...rects.map((r) => r[key] + r[size])),
    { left, right, top, bottom } = scene.bounds;
  const dx = shift(least("x"), most("x", "w"), view.x, view.width, left, right),
    dy = shift(least("y"), most("y", "h"), view.y, view.height, top, bottom);
  if (dx || dy) pan(dx, dy);
}
const middleOf = (item) => {
  const { x, y, w, h } = rectOf(item);
  return [x + w / 2, y + h / 2];
};

// From one scene to the next
const LASTING = 240; // milliseconds
const MOST_MOVED = 1500; // items
const still = matchMedia("(prefers-reduced-motion: reduce)");
/** Show the boxes that are open now; `anchor` is the item that stays where it is. */
export function enter(anchor = null, opened = null) {
  const { scene: old, cards, frames, camera } = state,
    before = new Map(),
    from = { x: camera.x, y: camera.y, scale: camera.scale };
  if (old) for (const [item] of old.rects) before.set(item, rectOf(item));
  state.moving = null;
  state.scene = sceneOf(run, state, camera);
  state.serial++;
  for (const { group } of [...cards.values(), ...frames.values()]) group.remove();
  for (const drawn of [cards, frames, state.painted]) drawn.clear();
  layers.over.replaceChildren();
  if (old && anchor !== null) settle(before, anchor, opened);
  if (old && anchor !== null && !still.matches && state.scene.items.length < MOST_MOVED)
    move(before, from);
  else {
    layers.wires.removeAttribute("class");
    drawWires();
    place();
  }
}
/** Move all from where it was to where it is. */
function move(before, from) {
  const { scene, camera, cards, frames } = state,
    start = new Map();
  for (const [item] of scene.rects) {
    // What is new comes out of the box that hid it.
    let shown = item;
    while (!before.has(shown) && run.parentOf(shown) >= 0) shown = run.count + run.parentOf(shown);
    start.set(item, before.get(shown) ?? scene.rects.get(item));
  }
  const to = { x: camera.x, y: camera.y, scale: camera.scale },
    began = performance.now();
  layers.wires.setAttribute("class", "away");
  const tick = () => {
    if (state.scene === scene && state.moving)
      show(Math.min(1, (performance.now() - began) / LASTING));
  };
  const show = (t) => {
    const share = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t),
      mix = (a, b) => a + (b - a) * share;
    for (const key of ["x", "y", "scale"]) camera[key] = mix(from[key], to[key]);
    if (t === 1) {
      state.moving = null;
      layers.wires.removeAttribute("class");
    } else {
      state.moving = { rects: new Map(), arrive };
      for (const item of [...cards.keys(), ...frames.keys()]) {
        const [a, b] = [start.get(item), scene.rects.get(item)],
          between = ["x", "y", "w", "h"].map((key) => [key, mix(a[key], b[key])]);
        state.moving.rects.set(item, Object.fromEntries(between));
      }
      requestAnimationFrame(tick);
    }
    for (const item of cards.keys()) placeCard(item);
    for (const item of frames.keys()) placeFrame(item);
    aim();
    if (t === 1) paintGraph();
  };
  const arrive = () => show(1);
  cull();
  state.moving = { rects: start, arrive };
  Object.assign(camera, from);
  tick();
}
/** Keep the anchor where it was on the screen, and what was opened or closed in sight. */
function settle(before, anchor, opened) {
  const { scene, camera: view } = state;
  const a = before.get(anchor),
    b = scene.rects.get(anchor) ?? scene.rects.get(opened);
  if (!a || !b) return;
  const { scale } = view;
  // A box opens downwards and to both sides; its title stays in its place.
  view.x += (a.x + a.w / 2 - b.x - b.w / 2) * scale;
  view.y += (a.y - b.y) * scale;
  // What was far away for the sake of a box that is closed by now comes near again.
  const all = wholly(scene.bounds);
  if (opened === null && scale < EASY && all.scale > scale) return Object.assign(view, all);
  const rect = scene.rects.get(opened) ?? b;
  const [right, bottom] = [rect.x + rect.w, rect.y + rect.h],
    whole = wholly({ left: rect.x, right, top: rect.y, bottom });
  if (whole.scale < view.scale) Object.assign(view, whole.scale < LEAST ? closeUp(rect) : whole);
  else {
    const edge = 14;
    const nudge = (from, size, room) => {
      if (from < edge) return edge - from;
      return from + size > room - edge ? Math.max(edge - from, room - edge - from - size) : 0;
    };
    view.x += nudge(rect.x * view.scale + view.x, rect.w * view.scale, view.width);
    view.y += nudge(rect.y * view.scale + view.y, rect.h * view.scale, view.height);
  }
}
/** A rectangle that is too large to be read whole: its title, and as much of it as there is room for. */
function closeUp(rect) {
  const scale = Math.min(state.camera.scale, 0.7);
  return { scale, x: 16 - rect.x * scale, y: 14 - rect.y * scale };
}
