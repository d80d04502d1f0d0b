// Source pane

import { mostOf } from "../engine/arrange.js";
import { definition, definitionText } from "../engine/formulas.js";
import { parsed, rowsOf } from "../engine/listing.js";
import { brief, plain } from "../engine/words.js";
import { $, element } from "./document.js";
import { run } from "./run.js";
import { state } from "./state.js";

const LINE = 21; // height of a row, in pixels, as in the style
const MARGIN = 20; // rows above and below those in sight

/** Show the file, or the run. */
export function buildSource(isListing = state.isListing) {
  const hasSource = run.files.some((file) => file.excerpts.length);
  Object.assign(state, { isListing, ...rowsOf(run, isListing) });
  $("source-title").textContent = hasSource ? "Source" : "Run";
  $("tabs").hidden = !hasSource;
  $("tab-source").setAttribute("aria-pressed", String(!isListing));
  $("tab-listing").setAttribute("aria-pressed", String(isListing));
  for (const row of state.shownRows.values()) row.remove();
  state.shownRows.clear();
  $("rows").style.height = `${state.rows.length * LINE}px`;
  const last = mostOf(state.rows.map(({ number }) => number ?? 0));
  $("rows").style.setProperty("--digits", String(last).length);
  // Of a network, the run is a long list of little use: there is more room for the graph.
  if (!hasSource && run.levels.length > 1) $("panes").style.setProperty("--source", "13fr");
}

function makeRow(index) {
  const { note, number, text, nodes } = state.rows[index];
  if (note) return element("div", { class: "line note-line", role: "presentation" }, note);
  const made = element(
    "div",
    {
      id: `l${index}`,
      role: "option",
      "aria-setsize": state.rows.length,
      "aria-posinset": index + 1,
      "data-node": nodes.at(-1),
      title: text === undefined ? definitionText(run, nodes[0]) : null,
    },
    element("span", { "aria-hidden": "true" }, String(number)),
    element("span", {}, ...(text === undefined ? listed(nodes[0]) : coloured(text))),
  );
  if (!nodes.length) made.setAttribute("aria-disabled", "true");
  return made;
}
const ROOM = 15; // characters of a name, of which the end tells most
function listed(node) {
  const given = run.formOf[node] ? "" : ` = ${plain(run.recorded.values[node])}`;
  return [...definition(run, node, (n) => brief(run.names[n], ROOM)), given];
}
const coloured = (text) =>
  parsed(text).map(([kind, part]) => (kind ? element("span", { class: kind }, part) : part));

/** Only the rows in sight, and some around them, are in the document. */
export function renderRows() {
  const { rows, rowOf, shownRows, moment } = state,
    current = moment.event ? rowOf.get(moment.event.node) : undefined,
    chosen = rowOf.get(state.chosen);
  const first = Math.max(0, Math.floor(state.scrolled / LINE) - MARGIN),
    last = Math.min(rows.length, first + Math.ceil(state.paneHeight / LINE) + 2 * MARGIN);
  const wanted = new Set([chosen, current].filter((row) => row !== undefined));
  for (let i = first; i < last; i++) wanted.add(i);
  for (const [index, row] of shownRows)
    if (!wanted.has(index)) {
      row.remove();
      shownRows.delete(index);
    }
  for (const index of wanted) {
    let row = shownRows.get(index);
    if (!row) {
      row = makeRow(index);
      row.style.top = `${index * LINE}px`;
      shownRows.set(index, row);
      $("rows").append(row);
    }
    const { note, nodes } = rows[index];
    if (note) continue;
    row.className = [
      "line",
      nodes.length && "made",
      index === current && "current",
      index === chosen && "chosen",
    ]
      .filter(Boolean)
      .join(" ");
    row.setAttribute("aria-selected", String(index === chosen));
  }
  if (chosen !== undefined) $("lines").setAttribute("aria-activedescendant", `l${chosen}`);
  else $("lines").removeAttribute("aria-activedescendant");
}

export function paintSource() {
  const { moment, rowOf, isMoved, scrolled, paneHeight } = state,
    happens = moment.event && isMoved ? rowOf.get(moment.event.node) : undefined,
    row = happens ?? rowOf.get(state.chosen),
    top = row * LINE;
  if (row !== undefined && (top < scrolled || top > scrolled + paneHeight - 2 * LINE)) {
    state.scrolled = Math.max(0, top - paneHeight / 2);
    $("lines").scrollTop = state.scrolled;
  }
  renderRows();
}
