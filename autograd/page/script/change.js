// What if

function paintChange() {
  $("change").hidden = !state.edits.size;
  if (!state.edits.size) return;
  const changes = [...state.edits],
    out = names[root];
  const known = changes.every(([leaf]) => moment.status[leaf] === 2) && !state.way;
  const predicted = changes.reduce(
    (sum, [leaf, value]) => sum + originalGradients[leaf] * (value - recorded[leaf]),
    0,
  );
  const actual = numbers.values[root] - recorded[root];
  const body = [
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
            ...["leaf", "was", "is", "gradient was"].map((t) => element("th", { scope: "col" }, t)),
          ),
        ),
        element(
          "tbody",
          {},
          ...changedRows(changes)
            .slice(0, 12)
            .map(({ name, was, is, gradient }) =>
              element(
                "tr",
                {},
                element("td", {}, name),
                element("td", {}, show(was)),
                element("td", {}, show(is)),
                element("td", {}, known ? show(gradient) : "?"),
              ),
            ),
        ),
      ),
    ),
  ];
  const bad = firstBad();
  if (!moment.known[root])
    body.push(element("p", { class: "note" }, `The change of ${out} shows once its value is computed.`));
  else if (bad >= 0)
    body.push(
      element(
        "p",
        { class: "note alarm" },
        `${written(definition(bad))} = ${written(inNumbers(bad))} is ${show(numbers.values[bad])}: outside its domain, or an overflow.`,
      ),
    );
  else {
    const widest = Math.max(Math.abs(actual), known ? Math.abs(predicted) : 0) || 1;
    const bar = (x, name) => {
      const fillBar = element("i", { class: name }),
        track = element("span", { class: "bar" }, fillBar);
      fillBar.style.width = `${(50 * Math.abs(x)) / widest}%`;
      fillBar.style[x < 0 ? "right" : "left"] = "50%";
      return track;
    };
    body.push(
      element(
        "div",
        { class: "bars" },
        element("span", {}, "predicted"),
        known ? bar(predicted, "") : element("span"),
        element("span", { id: "predicted" }, known ? show(predicted) : "?"),
        element("span", {}, "actual"),
        bar(actual, "actual"),
        element("span", { id: "actual" }, show(actual)),
      ),
    );
    const rounding =
      1e-12 * Math.max(Math.abs(recorded[root]), Math.abs(numbers.values[root]), Math.abs(predicted));
    body.push(
      element(
        "p",
        { class: "note" },
        !known
          ? "The prediction needs the gradients: play on to where they are complete."
          : Math.abs(actual - predicted) <= rounding
            ? `${out} changed as predicted: it is linear here.`
            : bend(changes),
      ),
    );
  }
  $("change-body").replaceChildren(...body);
}
/** The changes as rows: of a leaf that is shown its numbers, of a box with changed leaves their norms. */
function changedRows(changes) {
  const rows = new Map();
  for (const [leaf, value] of changes) {
    const item = itemOf(leaf);
    if (!rows.has(item)) rows.set(item, []);
    rows.get(item).push([leaf, value]);
  }
  return [...rows].map(([item, own]) => {
    const [[leaf, value]] = own;
    if (!isGroup(item)) return { name: ref(leaf), was: recorded[leaf], is: value, gradient: originalGradients[leaf] };
    const leaves = `${own.length.toLocaleString("en")} ${own.length === 1 ? "leaf" : "leaves"}`;
    return {
      name: element("span", {}, ref(leaf, boxName(item - count)), `, ‖${leaves}‖`),
      was: norm(own.map(([node]) => recorded[node])),
      is: norm(own.map(([, number]) => number)),
      gradient: norm(own.map(([node]) => originalGradients[node])),
    };
  });
}
/** Why prediction and outcome differ. */
function bend(changes) {
  const side = (node, values) =>
    ROWS[formOf[node].row].kinks(...argNumbers(node, values)).map((kink) => kink > 0);
  const crossed = names
    .map((_, i) => i)
    .filter((i) => ROWS[formOf[i]?.row]?.kinks && `${side(i, recorded)}` !== `${side(i, numbers.values)}`);
  if (crossed.length)
    return `A kink lies in between: ${crossed
      .slice(0, 3)
      .map((i) => written(definition(i)))
      .join(", ")}${crossed.length > 3 ? ` and ${crossed.length - 3} more` : ""}.`;
  if (changes.length > 1) return "Curvature: on the way the gradients change.";
  const [[leaf]] = changes;
  return `Curvature: on the way the gradient goes from ${show(originalGradients[leaf])} to ${show(right.adjoint[leaf])}.`;
}
const firstBad = () =>
  numbers.values.findIndex((x, i) => !Number.isFinite(x) && Number.isFinite(recorded[i]) && formOf[i]);
