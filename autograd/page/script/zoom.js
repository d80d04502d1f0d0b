// Zoom by meaning: boxes open and close in place, samples are picked, levels opened at once

const levelTitle = (name) => (name === "op" ? "Nodes" : name[0].toUpperCase() + name.slice(1));
/** Show other boxes; what was chosen stays chosen, and the anchor where it is. */
function change(open, anchor = null, opened = null) {
  state.open = open;
  enter(anchor, opened);
  paint();
}
/** Open a box in place. */
function openBox(g) {
  if (g === undefined || g < 0 || state.open.has(g)) return;
  const inside = groupOf[state.chosen] === g || around(state.chosen).includes(g);
  if (!inside) state.chosen = groups[g].last;
  change(new Set([...state.open, g, ...around(count + g)]), count + g, count + g);
  say(`${groups[g].title} is open`);
}
/** Close a box, with all that is open in it. */
function closeBox(g) {
  if (g === undefined || g < 0 || !state.open.has(g)) return;
  change(new Set([...state.open].filter((o) => o !== g && !around(count + o).includes(g))), count + g);
  say(`${groups[g].title} is closed`);
}
/** The box that shows the chosen node, if it is one. */
const chosenBox = () => {
  const item = itemOf(state.chosen);
  return isGroup(item) ? item - count : -1;
};
/** The innermost open box around the chosen node: what one level out closes. */
const boxAround = () => around(itemOf(state.chosen)).find((g) => state.open.has(g)) ?? -1;
function levelOut() {
  if (boxAround() >= 0) closeBox(boxAround());
  else if (state.sample >= 0 || state.isMean) pickSample(-1);
}
function setLevel(l) {
  if (l < 0 || l > OP || l === levelOf(state.open)) return;
  state.open = new Set(levels[l].open);
  enter();
  lookAtAll();
  paint();
  reveal([state.chosen]);
  say(`${levelTitle(levels[l].name)}: ${scene.items.length} boxes`);
}
/** Look at one sample alone, at all with norms (-1), or with means (-2). */
function pickSample(sample) {
  const anchor = itemOf(state.chosen);
  state.sample = Math.max(-1, sample);
  state.isMean = sample === -2;
  if (sample >= 0 && column.sample[state.chosen] >= 0 && column.sample[state.chosen] !== sample)
    state.chosen = alikeIn(sample, state.chosen);
  enter(scene.rects.has(anchor) ? anchor : null);
  paint();
  reveal([state.chosen]);
  say(sample >= 0 ? `${data.samples[sample]} alone` : sample === -2 ? "means over all" : "all samples");
}
/** The node of another sample that stands where this one does in its own. */
function alikeIn(sample, node) {
  const g = groupOf[node],
    own = [],
    other = [];
  for (let i = 0; i < count; i++)
    if (groupOf[i] === g && formOf[i]?.op === formOf[node]?.op) {
      if (column.sample[i] === column.sample[node]) own.push(i);
      else if (column.sample[i] === sample) other.push(i);
    }
  return other[own.indexOf(node)] ?? other[0] ?? root;
}
/** Open all that hides a node. */
function uncover(node) {
  const hiding = around(node).filter((g) => !state.open.has(g));
  const own = column.sample[node];
  if (state.sample >= 0 && own >= 0 && own !== state.sample) state.sample = own;
  else if (!hiding.length) return;
  state.open = new Set([...state.open, ...hiding]);
  enter(itemOf(node));
}

function paintLevels() {
  const here = levelOf(state.open);
  $("levels").hidden = levels.length === 1;
  if (!$("levels").children.length)
    $("levels").append(
      ...levels.map(({ name, boxes }, l) =>
        element(
          "button",
          { onclick: () => setLevel(l), title: `${boxes.toLocaleString("en")} boxes` },
          levelTitle(name),
        ),
      ),
    );
  [...$("levels").children].forEach((button, l) => {
    button.setAttribute("aria-pressed", String(l === here));
  });
  paintCrumbs();
  const picker = $("sample");
  picker.parentElement.hidden = !data.samples.length;
  if (data.samples.length && !picker.children.length)
    picker.append(
      element("option", { value: -1 }, `all ${data.samples.length}`),
      element("option", { value: -2 }, "mean of all"),
      ...data.samples.map((name, k) => element("option", { value: k }, name)),
    );
  picker.value = String(state.isMean ? -2 : state.sample);
}
/** The way in: the open boxes around what is chosen; a click on one closes what is open in it. */
function paintCrumbs() {
  const item = itemOf(state.chosen),
    path = around(item)
      .filter((g) => state.open.has(g))
      .reverse();
  const key = `${item} ${path}`;
  $("crumbs").parentElement.hidden = levels.length === 1;
  if ($("crumbs").dataset.of === key) return;
  $("crumbs").dataset.of = key;
  const crumb = (text, action, title) =>
    element("li", {}, element("button", { onclick: action, title }, text));
  $("crumbs").replaceChildren(
    crumb("all", () => change(new Set(), path.length ? count + path[0] : null), "Close all boxes"),
    ...path.map((g) =>
      crumb(short(titleOf(count + g), 24), () => closeWithin(g), `Close what is open in ${groups[g].title}`),
    ),
    element("li", { "aria-current": "true" }, short(titleOf(item), 24)),
  );
}
function closeWithin(g) {
  change(new Set([...state.open].filter((o) => !around(count + o).includes(g))), count + g, count + g);
}
