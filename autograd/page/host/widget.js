// The page as an anywidget: its position, node and level are those of the model, both ways

import { framed } from "./frame.js";
import { withdraw } from "./picture.js";

const TRAITS = ["position", "node", "level"];

export function render({ model, el }) {
  let hearing = false; // what comes from the page needn't go back to it
  let met = false;
  let serial = 0; // of what was wanted last
  let asked = {}; // that, until it is answered
  const { frame, tell, letGo } = framed(model.get("_page"), model.get("height"), (said) => {
    const wanted = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
    if (!met || (serial && !said.heard)) {
      // The first it says is where it has opened, at first or when its frame was moved: the model
      // knows better, as far as it knows.
      met = true;
      const known = TRAITS.filter((name) => wanted[name] !== "" && wanted[name] !== said[name]);
      if (known.length) return want(Object.fromEntries(known.map((name) => [name, wanted[name]])));
    } else if (said.heard !== serial) return; // it will answer what is wanted by now
    // Which node a position is about the kernel knows: it may have chosen another since.
    const isKnown = (name) => name === "node" && "position" in asked && !("node" in asked);
    const changed = TRAITS.filter((name) => wanted[name] !== said[name] && !isKnown(name));
    asked = {};
    if (!changed.length) return;
    hearing = true;
    for (const name of changed) model.set(name, said[name]);
    hearing = false;
    model.save_changes();
  });
  const want = (changes) => {
    serial++;
    asked = changes;
    tell({ ...changes, serial });
  };
  let changes = {}; // told in one, as the page decides in which order
  const change = (name) => {
    if (hearing) return;
    if (!Object.keys(changes).length)
      queueMicrotask(() => {
        if (met) want(changes);
        changes = {};
      });
    changes[name] = model.get(name);
  };
  const heard = TRAITS.map((name) => [`change:${name}`, () => change(name)]);
  for (const [event, act] of heard) model.on(event, act);
  const resized = () => {
    frame.style.height = `${model.get("height")}px`;
  };
  model.on("change:height", resized);
  el.append(frame);
  withdraw(model.get("_key"));
  return () => {
    letGo();
    for (const [event, act] of heard) model.off(event, act);
    model.off("change:height", resized);
  };
}
