// Links: what a user has set, as the part of an address behind the #

import { beginning, followed, momentOf } from "./session.js";
import { levelOf } from "./tree.js";

const inOrder = (items) => [...items].sort((a, b) => a - b).join(".");

/** The address of a state; `opening` is the level that is open where the address doesn't say. */
export function linkTo(run, state, opening) {
  const { nan, sign: turns, above, op, module, all } = state.stops,
    parts = [`event=${state.position}`, `node=${state.chosen}`],
    level = levelOf(run, state.open);
  if (level < 0) parts.push(`open=${inOrder(state.open)}`);
  else if (level !== opening) parts.push(`level=${encodeURIComponent(run.levels[level].name)}`);
  if (state.sample >= 0) parts.push(`sample=${state.sample}`);
  if (state.isMean) parts.push("sample=mean");
  if (state.breaks.size) parts.push(`break=${inOrder(state.breaks)}`);
  const stops = [
    nan && "nan",
    turns && "sign",
    above !== "" && `above:${above}`,
    op && `op:${encodeURIComponent(op)}`,
    module && `in:${encodeURIComponent(module)}`,
    all && "all",
  ].filter(Boolean);
  if (stops.length) parts.push(`stop=${stops.join(",")}`);
  if (state.edits.size)
    parts.push(`set=${[...state.edits].map(([leaf, value]) => `${leaf}:${value}`).join(",")}`);
  if (state.way) parts.push(`way=${encodeURIComponent(state.way)}`);
  if (state.predict) parts.push("predict=1");
  return `#${parts.join("&")}`;
}

const index = (text, below) =>
  /^\d+$/.test(text ?? "") && Number(text) < below ? Number(text) : null;
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
function stopsIn(text) {
  const stops = { nan: false, sign: false, above: "", op: "", module: "", all: false };
  for (const stop of text.split(",")) {
    const [kind, value = ""] = stop.split(":");
    if (kind === "nan" || kind === "sign" || kind === "all") stops[kind] = true;
    else if (kind === "above" && value !== "" && Number(value) >= 0) stops.above = value;
    else if (kind === "op") stops.op = decoded(value);
    else if (kind === "in") stops.module = decoded(value);
  }
  return stops;
}
function editsIn({ count, formOf, blocker }, text) {
  const edits = new Map();
  for (const set of text.split(",")) {
    const [leaf, value] = set.split(":"),
      node = index(leaf, count),
      isLive = node !== null && !formOf[node] && blocker[node] < 0;
    if (isLive && value && Number.isFinite(Number(value))) edits.set(node, Number(value));
  }
  return edits;
}

/** The state that an address leads to, with what follows from it; what it doesn't tell, or tells wrongly, is as at the start. */
export function stateAt(run, hash, opening) {
  const { count, root, groups, levels, around, samples, ways } = run;
  const told = new Map(
    hash
      .slice(1)
      .split("&")
      .map((part) => {
        const [key, ...value] = part.split("=");
        return [key, value.join("=")];
      }),
  );
  const text = (key) => told.get(key) ?? "";
  const indices = (key, below) =>
    text(key)
      .split(".")
      .map((t) => index(t, below))
      .filter((n) => n !== null);
  const state = beginning(run);
  state.breaks = new Set(indices("break", count + groups.length));
  state.stops = stopsIn(text("stop"));
  state.edits = editsIn(run, text("set"));
  const way = decoded(text("way"));
  state.way = Object.hasOwn(ways, way) ? way : "";
  state.predict = text("predict") === "1";
  const level = levels.findIndex(({ name }) => name === decoded(text("level")));
  state.open = told.has("open")
    ? new Set(indices("open", groups.length).flatMap((g) => [g, ...around(count + g)]))
    : new Set(levels[level < 0 ? opening : level].open);
  state.sample = index(told.get("sample"), samples.length) ?? -1;
  state.isMean = text("sample") === "mean" && samples.length > 0;
  Object.assign(state, followed(run, state));
  const { events } = state;
  state.position = Math.min(index(told.get("event"), Infinity) ?? state.position, events.length);
  state.chosen =
    index(told.get("node"), count) ??
    (state.position ? events.at(state.position - 1).subject : root);
  return { ...state, ...momentOf(run, state) };
}
