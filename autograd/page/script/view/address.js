// The address holds the state, where there is an address

import { linkTo, stateAt } from "../engine/link.js";
import { enter } from "./camera.js";
import { run } from "./run.js";
import { state } from "./state.js";

const hasAddress = location.protocol !== "about:";
export const link = () => linkTo(run, state, state.opening);
export function remember() {
  if (!hasAddress) return;
  clearTimeout(state.remembering);
  state.remembering = setTimeout(() => {
    state.remembering = 0;
    try {
      history.replaceState(null, "", link());
    } catch {
      // a frame that may not: the state lives in the page
    }
  }, 120);
}
/** Go to where an address leads. */
export function recall(hash) {
  Object.assign(state, stateAt(run, hasAddress ? hash : "", state.opening));
  enter();
}
