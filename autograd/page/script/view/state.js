// The state: all that changes while the page is open. Everything else follows from it.

import { itemIn } from "../engine/scene.js";
import { beginning, followed, momentOf } from "../engine/session.js";
import { firstLevel } from "../engine/tree.js";
import { run } from "./run.js";

export const state = {
  // What its user has set, and what follows: numbers, right, events, sums, parting, moment.
  ...beginning(run),
  opening: firstLevel(run), // what is open where the address doesn't say
  playing: 0,
  score: { asked: 0, right: 0, tries: 0, note: "" }, // of predict mode
  hits: { text: null, nodes: [], at: -1 }, // of the search

  // What is looked at
  scene: null,
  serial: 0, // of the scene
  moving: null, // where items are while the scene is changing
  camera: { x: 0, y: 0, scale: 1, width: 600, height: 400 },
  isListing: !run.files.some((file) => file.excerpts.length), // the run in place of the source
  isMoved: true, // whether the source follows the event, not the chosen node
  scrolled: 0,
  paneHeight: 400,

  // What stands in the document, kept so that only what changes is made anew
  painters: [],
  cards: new Map(), // item -> its card, for those in sight
  frames: new Map(), // open box -> its frame
  painted: new Map(), // item -> what its card says
  seen: "", // from where the camera looked when these were found:
  near: [], // items in sight that have cards
  crowd: [], // nodes in sight that are painted as one
  crowdPainted: {}, // as what
  rows: [], // of the source
  rowOf: new Map(), // node -> its row
  shownRows: new Map(),
  placing: 0,
  remembering: 0,
  marked: "",
  told: "", // to what is around the page
  heard: 0, // from there: the serial of the last that was wanted
  controls: null, // of the chosen node
  turned: null, // the box whose leaves can be scaled now, and what scales them
  heaviest: null,
  linked: { node: null, elements: [] },
  fingers: new Map(),
  isDragged: false,
};

/** Take over a change, with what follows from it. */
export function change(changes) {
  Object.assign(state, changes);
  Object.assign(state, followed(run, state));
}
/** Show the state as it is now. */
export function paint() {
  Object.assign(state, momentOf(run, state));
  for (const painter of state.painters) painter();
}
/** What shows a node now: itself or a box; it may be of another sample. */
export const itemOf = (node) => itemIn(state.scene, node);
/** The box that shows the chosen node, -1 if it is shown itself. */
export const chosenBox = () => Math.max(-1, itemOf(state.chosen) - run.count);
