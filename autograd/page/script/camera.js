// The camera: pan and zoom, and the way from one scene to the next

let placing = 0;
function place() {
  $("view").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  if (!placing && moment)
    placing = requestAnimationFrame(() => {
      placing = 0;
      paintGraph();
    });
}
function measure() {
  const box = $("canvas").getBoundingClientRect();
  view.width = box.width || 600;
  view.height = box.height || 400;
  paneHeight = $("lines").clientHeight || 400;
}
const LARGEST = 1.35;
function zoom(factor, x = view.width / 2, y = view.height / 2) {
  const scale = Math.min(3, Math.max(0.005, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  place();
}
/** How to look at a rectangle whole. */
function wholly({ left, right, top, bottom }) {
  const { width } = view,
    height = view.height - 24, // the legend stands below
    scale = Math.min(LARGEST, (width - 32) / (right - left), (height - 24) / (bottom - top));
  return { scale, x: (width - scale * (left + right)) / 2, y: (height - scale * (top + bottom)) / 2 };
}
function fit() {
  Object.assign(view, wholly(scene.bounds));
  place();
}
const LEAST = 0.45; // below this scale, a card can't be read
const EASY = 0.6; // from this scale on, it can be read at a glance
/** Show all if that is legible, else what surrounds the current event. */
function lookAtAll() {
  fit();
  if (view.scale < LEAST) {
    const [x, y] = middleOf(itemOf(moment?.event?.subject ?? state.chosen)),
      { left, right, top, bottom } = scene.bounds,
      scale = 0.8;
    const shift = (at, from, to, room) => {
      if ((to - from) * scale < room - 32) return (room - (from + to) * scale) / 2;
      return (0.2 + (0.6 * (at - from)) / (to - from)) * room - at * scale;
    };
    Object.assign(view, { scale, x: shift(x, left, right, view.width), y: shift(y, top, bottom, view.height) });
    place();
  }
}
/** Move the view if nodes are out of sight. */
function reveal(nodes) {
  const rects = [...new Set(nodes.map(itemOf))].filter((item) => scene.rects.has(item)).map(rectOf);
  if (!rects.length) return;
  const edge = 12,
    s = view.scale;
  const shift = (low, high, offset, room) => {
    const from = low * s + offset,
      to = high * s + offset;
    if (to - from > room - 2 * edge || (from >= edge && to <= room - edge)) return 0;
    return (room - from - to) / 2;
  };
  const least = (key) => Math.min(...rects.map((r) => r[key])),
    most = (key, size) => Math.max(...rects.map((r) => r[key] + r[size]));
  const dx = shift(least("x"), most("x", "w"), view.x, view.width),
    dy = shift(least("y"), most("y", "h"), view.y, view.height);
  if (dx || dy) {
    view.x += dx;
    view.y += dy;
    place();
  }
}

// From one scene to the next
const LASTING = 240; // milliseconds
const still = matchMedia("(prefers-reduced-motion: reduce)");
let moving = null,
  serial = 0;
/** Show the boxes that are open now; `anchor` is the item that stays where it is. */
function enter(anchor = null, opened = null) {
  const old = scene,
    before = new Map();
  if (old) for (const [item] of old.rects) before.set(item, rectOf(item));
  moving = null;
  const isFlat = state.sample < 0 && data.at.length && state.open.size === groups.length;
  scene = isFlat ? flatScene() : makeScene(state.open, state.sample);
  scene.serial = ++serial;
  scene.items.sort((a, b) => lastOf(a) - lastOf(b));
  scene.rank = new Map(scene.items.map((item, i) => [item, i]));
  scene.hasBoxes = scene.items.some(isGroup);
  scene.places = scene.items.map((item) => scene.rects.get(item));
  for (const { group } of [...cards.values(), ...frames.values()]) group.remove();
  cards.clear();
  frames.clear();
  painted.clear();
  layers.over.replaceChildren();
  const from = { x: view.x, y: view.y, scale: view.scale };
  if (old && anchor !== null) settle(before, anchor, opened);
  const animated = old && anchor !== null && !still.matches && scene.items.length < 1500;
  if (animated) {
    const start = new Map();
    for (const [item] of scene.rects) {
      // What is new comes out of the box that hid it.
      let shown = item;
      while (!before.has(shown) && parentOf(shown) >= 0) shown = count + parentOf(shown);
      start.set(item, before.get(shown) ?? scene.rects.get(item));
    }
    const to = { x: view.x, y: view.y, scale: view.scale },
      began = performance.now(),
      target = scene;
    layers.wires.setAttribute("class", "away");
    const tick = () => {
      if (scene !== target) return;
      const t = Math.min(1, (performance.now() - began) / LASTING),
        share = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t);
      const mix = (a, b) => a + (b - a) * share;
      for (const key of ["x", "y", "scale"]) view[key] = mix(from[key], to[key]);
      if (t === 1) {
        moving = null;
        layers.wires.removeAttribute("class");
      } else {
        moving = { rects: new Map() };
        for (const item of [...cards.keys(), ...frames.keys()]) {
          const a = start.get(item),
            b = scene.rects.get(item);
          moving.rects.set(item, { x: mix(a.x, b.x), y: mix(a.y, b.y), w: mix(a.w, b.w), h: mix(a.h, b.h) });
        }
        requestAnimationFrame(tick);
      }
      for (const item of cards.keys()) placeCard(item);
      for (const item of frames.keys()) placeFrame(item);
      $("view").setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
      if (t === 1) paintGraph();
    };
    Object.assign(view, to);
    cull();
    moving = { rects: start };
    Object.assign(view, from);
    tick();
  } else {
    layers.wires.removeAttribute("class");
    drawWires();
    place();
  }
}
/** Keep the anchor where it was on the screen, and what was opened in sight. */
function settle(before, anchor, opened) {
  const a = before.get(anchor),
    b = scene.rects.get(anchor) ?? scene.rects.get(opened);
  if (!a || !b) return;
  const { scale } = view;
  // A box opens downwards and to both sides; its title stays in its place.
  view.x += (a.x + a.w / 2 - b.x - b.w / 2) * scale;
  view.y += (a.y - b.y) * scale;
  const rect = scene.rects.get(opened);
  if (!rect) return;
  const whole = wholly({ left: rect.x, right: rect.x + rect.w, top: rect.y, bottom: rect.y + rect.h });
  if (whole.scale < view.scale) Object.assign(view, whole.scale < LEAST ? { ...closeUp(rect) } : whole);
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
  const scale = Math.min(view.scale, Math.max(LEAST, 0.7));
  return { scale, x: 16 - rect.x * scale, y: 14 - rect.y * scale };
}
