// The chosen node: its number, its ledger, its heaviest paths

let shownNode = -1,
  turning = null;

function paintNode() {
  const node = state.chosen,
    form = formOf[node];
  $("node-title").textContent = names[node];
  const stop = element(
    "button",
    {
      "aria-pressed": String(state.breaks.has(node)),
      title: "Breakpoint (b)",
      onclick: () => toggleBreak(node),
    },
    "Break",
  );
  const go = element(
    "button",
    { title: "Go to where its gradient is complete (Enter)", onclick: () => goTo(node) },
    "Go to",
  );
  const focused = document.activeElement?.closest?.("#node-tools")
    ? [...$("node-tools").children].indexOf(document.activeElement)
    : -1;
  $("node-tools").replaceChildren(go, stop);
  if (focused >= 0) $("node-tools").children[focused].focus();
  if (shownNode !== node) {
    shownNode = node;
    turning = null;
    $("node-body").replaceChildren();
  }
  if (!turning) {
    turning = {
      facts: element("div"),
      live: form ? element("div") : leafControls(node),
      account: element("div"),
    };
    $("node-body").replaceChildren(turning.facts, turning.live, turning.account);
  }
  paintFacts(node, form);
  if (!form) syncControls(node);
  turning.account.replaceChildren(...account(node));
}

function paintFacts(node, form) {
  const fact = (term, ...content) => [element("dt", {}, term), element("dd", {}, ...content)];
  const status = moment.status[node];
  turning.facts.replaceChildren(
    element(
      "dl",
      { class: "facts" },
      ...(form ? fact("is", ...fill(form.text, node, argName)) : []),
      ...(column.labels[node] ? fact("label", column.labels[node]) : []),
      ...(scopeOf(node) ? fact("in", scopeOf(node)) : []),
      ...fact(
        "value",
        element(
          "span",
          { title: moment.known[node] ? String(numbers.values[node]) : null },
          moment.known[node] ? show(numbers.values[node]) : "not yet computed",
        ),
      ),
      ...fact(
        "gradient",
        element(
          "span",
          { id: "node-gradient", title: status ? String(moment.gradient[node]) : null },
          status ? show(moment.gradient[node] + 0) : "?",
        ),
        element("span", { class: `badge ${statusWords[status]}` }, statusWords[status]),
      ),
      ...(isWrong(node)
        ? fact("right", element("span", { class: "alarm" }, show(right.adjoint[node])))
        : []),
    ),
  );
}

function leafControls(node) {
  const box = element("div");
  if (blocker[node] >= 0) {
    box.append(
      element(
        "p",
        { class: "note" },
        `Not live: it feeds ${names[blocker[node]]}, whose op ${formOf[blocker[node]].op} runs in Python only.`,
      ),
    );
    return box;
  }
  const old = recorded[node],
    span = Math.max(1, 2 * Math.abs(old));
  const slide = element("input", {
    type: "range",
    min: old - span,
    max: old + span,
    step: span / 500,
    "aria-label": `Value of ${names[node]}, dragged`,
  });
  const type = element("input", {
    type: "number",
    step: "any",
    "aria-label": `Value of ${names[node]}, typed`,
  });
  slide.addEventListener("input", () => edit(node, Number(slide.value)));
  type.addEventListener("input", () => {
    if (type.value !== "" && Number.isFinite(type.valueAsNumber)) edit(node, type.valueAsNumber);
  });
  box.append(element("div", { class: "turn" }, slide, type));
  box.slide = slide;
  box.type = type;
  return box;
}
function syncControls(node) {
  const { slide, type } = turning.live,
    value = state.edits.get(node) ?? recorded[node];
  if (!slide) return;
  if (document.activeElement !== slide) slide.value = value;
  if (document.activeElement !== type) type.value = String(value);
}

function account(node) {
  const given = contributionsTo(node);
  const parts = [],
    status = moment.status[node];
  if (node === root)
    parts.push(
      element(
        "p",
        { class: "note" },
        `The gradient of ${names[root]} with respect to itself is the seed, ${show(seed)}.`,
      ),
    );
  else {
    const row = (e) =>
      element(
        "tr",
        { class: moment.event?.index === e.index ? "now" : "" },
        element("td", { title: `${names[e.node]} ${scopeOf(e.node)}` }, ref(e.node, placeOf(e.node))),
        ...[e.upstream, e.local, e.product].map((x) => element("td", {}, show(x + 0))),
      );
    const MOST = 50,
      hidden = Math.max(0, given.length - MOST),
      come = new Set(given.map((e) => e.edge));
    const missing = state.way
      ? []
      : Array.from(usesOf(node))
          .filter((e) => !come.has(e))
          .sort((a, b) => ownerOf[b] - ownerOf[a]);
    parts.push(
      element("h3", {}, "Ledger"),
      element(
        "div",
        { class: "scroll" },
        element(
          "table",
          {},
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              ...["via", "upstream", "local", "product"].map((t) => element("th", { scope: "col" }, t)),
            ),
          ),
          element(
            "tbody",
            {},
            ...(hidden
              ? [element("tr", {}, element("td", { colspan: 4 }, `${hidden} earlier contributions`))]
              : []),
            ...given.slice(hidden).map(row),
            ...missing
              .slice(0, MOST)
              .map((e) =>
                element(
                  "tr",
                  { class: "later" },
                  element("td", {}, ref(ownerOf[e], placeOf(ownerOf[e]))),
                  ...["?", "?", "?"].map((t) => element("td", {}, t)),
                ),
              ),
          ),
          element(
            "tfoot",
            {},
            element(
              "tr",
              {},
              element("td", { colspan: 3 }, status === 2 ? "total" : "so far"),
              element("td", {}, status ? show(moment.gradient[node] + 0) : "?"),
            ),
          ),
        ),
      ),
    );
    const rowCount = Math.min(given.length, MOST) + Math.min(missing.length, MOST);
    if (rowCount > 8)
      parts.push(element("p", { class: "note on-paper" }, `The last 8 of ${given.length + missing.length} contributions.`));
    const size = given.reduce((sum, e) => sum + Math.abs(e.product), 0);
    if (status === 2 && given.length > 1 && Math.abs(moment.gradient[node]) < 1e-8 * size)
      parts.push(
        element(
          "p",
          { class: "note alarm" },
          "The contributions cancel almost wholly: what remains is mostly rounding.",
        ),
      );
  }
  if (status === 2 && !state.way && node !== root) {
    parts.push(
      element("h3", {}, "Heaviest paths"),
      element("ul", { class: "paths" }, ...pathItems(heaviestOf(node), given)),
    );
  }
  return parts;
}

/** The paths with their shares of the gradient, unless there are contributions of both signs. */
function pathItems(paths, given) {
  const shares = paths.map(({ nodes, product: weight }) => weight / right.adjoint[nodes[nodes.length - 1]]);
  const ofOneSign = given.every((e) => e.product >= 0) || given.every((e) => e.product <= 0);
  const meansSomething = ofOneSign && shares.every((share) => share >= 0 && share <= 1 + 1e-9);
  return paths.map((path, i) =>
    pathItem(path, meansSomething ? `  ${Number((100 * shares[i]).toPrecision(3))} %` : ""),
  );
}

function pathItem({ nodes, product: weight }, share) {
  const shown = nodes.length <= 9 ? nodes : [...nodes.slice(0, 4), -1, ...nodes.slice(-4)];
  const text = shown.map((n) => (n < 0 ? `… ${nodes.length - 8} more …` : names[n])).join(" › ");
  const mark = (on) => {
    layers.over.replaceChildren();
    if (on)
      for (let i = 1; i < nodes.length; i++)
        for (const e of usesOf(nodes[i]))
          if (ownerOf[e] === nodes[i - 1]) layers.over.append(...drawnWire(e, "onpath"));
  };
  return element(
    "li",
    {},
    element(
      "button",
      {
        onpointerenter: () => mark(true),
        onpointerleave: () => mark(false),
        onfocus: () => mark(true),
        onblur: () => mark(false),
        onclick: () => reveal(nodes),
      },
      element("span", {}, text),
      element(
        "span",
        {},
        `${show(weight + 0)}${share}`,
      ),
    ),
  );
}

let heaviest = {};
function heaviestOf(node) {
  if (heaviest.node !== node || heaviest.of !== numbers) heaviest = { node, of: numbers, paths: heaviestPaths(node) };
  return heaviest.paths;
}
/** The paths of largest product, by dynamic programming from the root down; never enumerated. */
function heaviestPaths(node, most = 3) {
  const concerned = new Uint8Array(count);
  concerned[node] = 1;
  for (let e = firstArg[node + 1]; e < argOf.length; e++)
    if (argOf[e] >= node && concerned[argOf[e]]) concerned[ownerOf[e]] = 1;
  const best = new Map([[root, [{ weight: 0, node: root, tail: null, local: 1 }]]]);
  for (let i = root - 1; i >= node; i--) {
    if (!concerned[i]) continue;
    const found = [];
    for (const e of Array.from(usesOf(i)).sort((a, b) => ownerOf[b] - ownerOf[a] || a - b))
      for (const tail of best.get(ownerOf[e]) ?? [])
        found.push({
          weight: tail.weight + Math.log(Math.abs(numbers.locals[e])),
          node: i,
          tail,
          local: numbers.locals[e],
        });
    best.set(i, found.sort((a, b) => b.weight - a.weight).slice(0, most));
  }
  return (best.get(node) ?? []).map((end) => {
    const nodes = [],
      factors = [];
    for (let link = end; link; link = link.tail) {
      nodes.push(link.node);
      factors.push(link.local);
    }
    return { nodes: nodes.reverse(), product: factors.reverse().reduce((a, b) => a * b, seed) };
  });
}
