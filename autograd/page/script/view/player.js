// Moving through the run, and changing it

import { conditionsOf, marksOf, nextStop, stopsAt, toggled } from "../engine/breakpoints.js";
import { sentence } from "../engine/formulas.js";
import { edited, movedTo } from "../engine/session.js";
import { asked, stride, strideToStop } from "../engine/strides.js";
import { reveal } from "./camera.js";
import { $, element, say } from "./document.js";
import { run } from "./run.js";
import { change, paint, state } from "./state.js";

export function moveTo(position) {
  Object.assign(state, movedTo(state, position), { isMoved: true });
  const event = state.position ? state.events.at(state.position - 1) : null;
  if (event && !state.moving) {
    if (event.kind === "edge") reveal([event.node, event.arg]);
    reveal([event.subject]);
  }
  paint();
  if (!state.playing) say(sentence(run, event));
}
export function choose(node) {
  state.chosen = node;
  state.isMoved = false;
  if (!state.moving) reveal([node]);
  paint();
}
/** Go to where the gradient of a node is complete. */
export const goTo = (node) => moveTo(state.events.lastOf(node) + 1);
/** Change many leaves at once. */
export function editAll(changes) {
  change(edited(run, state, changes));
  paint();
}
export const runOn = (direction) => moveTo(nextStop(run, state, direction));
/** To what is asked for, else to what leads there. */
export const focusGuess = () =>
  ($("guess") ?? $("step-body").querySelector("button") ?? $("next")).focus();
export function next() {
  if (asked(run, state)) return focusGuess();
  moveTo(stride(run, state, 1));
  if (asked(run, state)) focusGuess();
}
export function back() {
  if (state.position) moveTo(stride(run, state, -1));
}
export function play(on = !state.playing) {
  clearTimeout(state.playing);
  state.playing = 0;
  if (on) {
    if (state.position === state.events.length) state.position = 0;
    state.playing = -1;
    playOn();
  }
  $("play").classList.toggle("playing", Boolean(state.playing));
  $("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
}
function playOn() {
  if (asked(run, state)) return play(false);
  moveTo(strideToStop(run, state));
  const { event } = state.moment;
  if (state.position === state.events.length || stopsAt(run, state, event)) {
    play(false);
    say(sentence(run, event));
  } else state.playing = setTimeout(playOn, 900 / Number($("speed").value));
}
export function toggleBreak(item) {
  Object.assign(state, toggled(state, item));
  paint();
}

// Painting

export function paintTransport() {
  const { position, events, moment } = state,
    { length } = events;
  $("scrub").max = length;
  $("scrub").value = position;
  const where = `${position} of ${length}: ${sentence(run, moment.event)}`;
  $("scrub").setAttribute("aria-valuetext", where);
  $("position").textContent = `${position} / ${length}`;
  const [forwards, backwards] = $("phases").children;
  forwards.style.flex = `${run.count} 1 0`;
  backwards.style.flex = `${length - run.count} 1 0`;
  forwards.classList.toggle("now", position > 0 && position <= run.count);
  backwards.classList.toggle("now", position > run.count);
  for (const id of ["first", "back", "break-back"])
    $(id).setAttribute("aria-disabled", String(position === 0));
  for (const id of ["next", "last", "break-next"])
    $(id).setAttribute("aria-disabled", String(position === length));
  paintMarks();
  $("way").value = state.way;
  $("predict").setAttribute("aria-pressed", String(state.predict));
}
/** Where the run would stop. */
function paintMarks() {
  const conditions = conditionsOf(state),
    { breaks, stops, edits, way, events } = state;
  const key = conditions ? JSON.stringify([[...breaks], stops, [...edits], way]) : "";
  if (state.marked !== key) {
    state.marked = key;
    const marks = (conditions ? marksOf(run, state) : []).map((position) => {
      const mark = element("i");
      mark.style.left = `${(100 * position) / events.length}%`;
      return mark;
    });
    $("marks").replaceChildren(...marks);
  }
  $("breaks-count").textContent = conditions ? String(conditions) : "";
}

const dead = [...new Set(run.formOf.filter((form) => form && !form.live).map((f) => f.op))];
export function paintNotice() {
  const [runs, them] = dead.length > 1 ? ["run", "them"] : ["runs", "it"],
    lines = [];
  if (dead.length)
    lines.push(
      `${dead.join(", ")} ${runs} in Python only: shown as recorded, and what feeds ${them} is not live.`,
    );
  if (state.way) {
    lines.push(`A wrong way: ${run.ways[state.way]}.`);
    if (!state.parting) lines.push("On this graph it makes no difference.");
  }
  $("notice").textContent = lines.join(" ");
  $("notice").hidden = !lines.length;
}
