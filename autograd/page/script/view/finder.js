// The field that finds a node

import { search } from "../engine/search.js";
import { counted } from "../engine/words.js";
import { $, element, say } from "./document.js";
import { choose } from "./player.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { uncover } from "./zoom.js";

const MOST_OFFERED = 1000;
for (const value of run.names.slice(0, MOST_OFFERED))
  $("found").append(element("option", { value }));

$("find-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = $("find"),
    text = field.value;
  if (state.hits.text !== text) state.hits = { text, nodes: search(run, text), at: -1 };
  const { nodes } = state.hits;
  if (!nodes.length) {
    say(`nothing found: no node is called ${text}`);
    field.setCustomValidity(`nothing found: no node, op or module is called ${text}`);
    field.reportValidity();
    return field.setAttribute("aria-invalid", "true");
  }
  // The same again leads to the next.
  state.hits.at = (state.hits.at + 1) % nodes.length;
  const { at } = state.hits,
    where = nodes.length > 1 ? `${at + 1} of ${counted(nodes.length)}` : "";
  uncover(nodes[at]);
  choose(nodes[at]);
  if (nodes.length === 1) $("canvas").focus();
  $("hits").textContent = where;
  say([run.names[nodes[at]], where].filter(Boolean).join(", "));
});
$("find").addEventListener("input", () => {
  $("find").setCustomValidity("");
  $("find").setAttribute("aria-invalid", "false");
  $("hits").textContent = "";
});
