// Source pane

const byLine = new Map(); // "file:line" -> nodes
column.line.forEach((line, node) => {
  if (line < 0) return;
  const place = `${column.file[node]}:${line}`;
  if (!byLine.has(place)) byLine.set(place, []);
  byLine.get(place).push(node);
});
const hasSource = data.files.some((file) => file.excerpts.length);
// Of a network, the run is a long list of little use: there is more room for the graph.
if (!hasSource && levels.length > 1) $("panes").style.setProperty("--source", "13fr");
const LINE = 21; // height of a row, in pixels, as in the style
let listing = !hasSource,
  rows = [],
  rowOf = new Map();
const shownRows = new Map();

const WORDS =
  /("""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(#.*)|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|False|try|while|with|yield)\b/g;
function coloured(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(WORDS)) {
    parts.push(text.slice(end, match.index));
    parts.push(element("span", { class: match[1] ? "string" : match[2] ? "comment" : "word" }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

function buildSource() {
  rows = [];
  rowOf = new Map();
  const add = (row) => {
    for (const node of row.nodes ?? []) rowOf.set(node, rows.length);
    rows.push(row);
  };
  if (listing) names.forEach((_, node) => add({ number: node + 1, nodes: [node] }));
  else
    data.files.forEach((file, f) => {
      add({ note: file.path });
      file.excerpts.forEach(([from, lines], n) => {
        if (n || from > 1) add({ note: "⋯" });
        lines.forEach((text, k) =>
          add({ number: from + k, text, nodes: byLine.get(`${f}:${from + k}`) ?? [] }),
        );
      });
    });
  $("source-title").textContent = hasSource ? "Source" : "Run";
  $("tabs").hidden = !hasSource;
  $("tab-source").setAttribute("aria-pressed", String(!listing));
  $("tab-listing").setAttribute("aria-pressed", String(listing));
  shownRows.forEach((row) => row.remove());
  shownRows.clear();
  $("rows").style.height = `${rows.length * LINE}px`;
}

function makeRow(index) {
  const { note, number, text, nodes } = rows[index];
  if (note) return element("div", { class: "line note-line", role: "presentation" }, note);
  const content =
    text === undefined
      ? [written([...definition(nodes[0]), formOf[nodes[0]] ? "" : ` = ${plain(recorded[nodes[0]])}`])]
      : coloured(text);
  const made = element(
    "div",
    {
      id: `l${index}`,
      role: "option",
      "aria-setsize": rows.length,
      "aria-posinset": index + 1,
      "data-node": nodes.at(-1),
    },
    element("span", { "aria-hidden": "true" }, String(number)),
    element("span", {}, ...content),
  );
  if (!nodes.length) made.setAttribute("aria-disabled", "true");
  return made;
}

/** Only the rows in sight, and some around them, are in the document. */
function renderRows() {
  const pane = $("lines"),
    list = $("rows"),
    current = moment.event ? rowOf.get(moment.event.node) : undefined,
    chosen = rowOf.get(state.chosen);
  const first = Math.max(0, Math.floor(scrolled / LINE) - 20);
  const last = Math.min(rows.length, first + Math.ceil(paneHeight / LINE) + 40);
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
      list.append(row);
    }
    if (rows[index].note) continue;
    row.className = `line${rows[index].nodes.length ? " made" : ""}${index === current ? " current" : ""}${index === chosen ? " chosen" : ""}`;
    row.setAttribute("aria-selected", String(index === chosen));
  }
  if (chosen !== undefined) pane.setAttribute("aria-activedescendant", `l${chosen}`);
  else pane.removeAttribute("aria-activedescendant");
}

function paintSource() {
  const row = (moment.event && moved ? rowOf.get(moment.event.node) : undefined) ?? rowOf.get(state.chosen),
    pane = $("lines");
  if (row !== undefined) {
    const top = row * LINE;
    if (top < scrolled || top > scrolled + paneHeight - 2 * LINE)
      pane.scrollTop = scrolled = Math.max(0, top - paneHeight / 2);
  }
  renderRows();
}
let paneHeight = 400,
  scrolled = 0,
  moved = true;
$("lines").addEventListener("scroll", () => {
  scrolled = $("lines").scrollTop;
  renderRows();
});
