// In a frame: what is around the page tells it how dark it is and where to stand, and is told

import { levelOf } from "../engine/tree.js";
import { choose, moveTo, play } from "./player.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { setLevel, uncover } from "./zoom.js";

const host = window.parent === window ? null : window.parent;
/** Tell the surroundings where the page stands, if that has changed. */
export function tell() {
  if (!host) return;
  const { name: level = "" } = run.levels[levelOf(run, state.open)] ?? {},
    now = { position: state.position, node: run.names[state.chosen], level, heard: state.heard },
    text = JSON.stringify(now);
  if (text === state.told) return;
  state.told = text;
  host.postMessage({ chainrule: now }, "*");
}
window.addEventListener("message", (message) => {
  const said = message.source === host && message.data?.chainrule;
  if (!said) return;
  const { theme, level, position, node, serial } = said;
  if (theme) document.documentElement.dataset.theme = theme;
  const wanted = run.levels.findIndex(({ name }) => name === level);
  if (wanted >= 0) setLevel(wanted);
  if (Number.isInteger(position) && position !== state.position) {
    play(false);
    moveTo(position);
  }
  const found = run.names.indexOf(node);
  if (found >= 0 && found !== state.chosen) {
    uncover(found);
    choose(found);
  }
  // What is wanted is answered once all is done, by how it is then, whether it could be or not.
  if (serial) state.heard = serial;
  tell();
});
