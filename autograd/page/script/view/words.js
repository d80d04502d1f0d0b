// Names and formulas as elements that lead to their nodes

import { nameOfBox, titleOf } from "../engine/titles.js";
import { brief } from "../engine/words.js";
import { element } from "./document.js";
import { run } from "./run.js";
import { state } from "./state.js";

/** A name of a node; a long one may break after its dots. */
export const ref = (node, text = run.names[node]) =>
  element(
    "span",
    { class: "ref", "data-node": node },
    ...text
      .split(/(?<=\.)(?=\D)|(?<=· )/)
      .flatMap((part, i) => (i ? [element("wbr"), part] : [part])),
  );
export const partial = (of, by) =>
  element(
    "span",
    { class: "fraction" },
    element("span", {}, "∂", ref(of, brief(run.names[of], 12))),
    element("span", {}, "∂", ref(by, brief(run.names[by], 12))),
  );
export const times = () => element("span", {}, "×");
export const terms = (...parts) => element("span", { class: "terms" }, ...parts);
/** Lines of a sum: what stands left of each sign, the sign, what stands right of it. */
export const sum = (...lines) =>
  element(
    "div",
    { class: "sum" },
    ...lines.flatMap(([left, sign, right]) => [
      left ?? element("span"),
      element("span", {}, sign),
      right,
    ]),
  );
/** A box in a sentence. */
export const boxName = (g) => nameOfBox(run, state.sample, g);
/** How an item is called inside of its frame. */
export const title = (item) => titleOf(run, item);
