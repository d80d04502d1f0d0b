// Keys

import { neighbour } from "../engine/scene.js";
import { fit, zoom } from "./camera.js";
import { $ } from "./document.js";
import { back, choose, goTo, moveTo, next, play, runOn, toggleBreak } from "./player.js";
import { run } from "./run.js";
import { chosenBox, state } from "./state.js";
import { levelOut, openBox } from "./zoom.js";

function step(move) {
  play(false);
  move();
}
function find() {
  $("find").focus();
  $("find").select();
}
/** In a list, a key chooses what is in it. */
const inList = (action) => (target) => {
  if (target !== $("canvas") && target !== $("lines")) return null;
  return () => action(target);
};
const always = (action) => () => action;
/** What a key does where the focus is; null for nothing. */
const KEYS = {
  ArrowRight:
    (_, { shiftKey }) =>
    () =>
      step(shiftKey ? () => runOn(1) : next),
  ArrowLeft:
    (_, { shiftKey }) =>
    () =>
      step(shiftKey ? () => runOn(-1) : back),
  Home: always(() => step(() => moveTo(0))),
  End: always(() => step(() => moveTo(state.events.length))),
  " ": (target) => (target.matches?.("button") ? null : () => play()),
  "/": always(find),
  "?": always(() => $("help").showModal()),
  b: always(() => toggleBreak(chosenBox() < 0 ? state.chosen : run.count + chosenBox())),
  "+": always(() => zoom(1.25)),
  "=": always(() => zoom(1.25)),
  "-": always(() => zoom(0.8)),
  0: always(fit),
  ArrowUp: inList(() => choose(neighbour(run, state, -1))),
  ArrowDown: inList(() => choose(neighbour(run, state, 1))),
  Enter: inList((target) => {
    if (chosenBox() >= 0 && target === $("canvas")) openBox(chosenBox());
    else goTo(state.chosen);
  }),
  Escape: always(levelOut),
  Backspace: always(levelOut),
};

document.addEventListener("keydown", (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || document.querySelector("dialog[open]")) return;
  if (key === "Escape" && target === $("find")) return $("canvas").focus();
  if (target.matches?.("input:not([type=range]), select, textarea")) return;
  const isSlider = target.matches?.("input[type=range]") && target !== $("scrub");
  if (isSlider && /^(Arrow|Home|End|Page)/.test(key)) return;
  const action = Object.hasOwn(KEYS, key) ? KEYS[key](target, event) : null;
  if (!action) return;
  event.preventDefault();
  action();
});
