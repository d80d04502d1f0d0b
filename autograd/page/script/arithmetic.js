// Arithmetic of the current event

const times = () => element("span", {}, "×");
const terms = (...parts) => element("span", { class: "terms" }, ...parts);

function paintStep() {
  const body = $("step-body"),
    event = moment.event;
  $("step-kind").textContent = !event
    ? "before the start"
    : event.kind === "forward"
      ? "forward"
      : state.way
        ? `backward, ${state.way}`
        : "backward";
  const flow = event ? strideNote() : "";
  $("step-flow").textContent = flow;
  $("step-flow").hidden = !flow;
  const ahead = asked();
  if (ahead) return paintQuestion(body, ahead);
  if (!event)
    return body.replaceChildren(
      element(
        "p",
        { class: "lead" },
        "Press → or Play: first every value is computed, then the gradients, from ",
        ref(root),
        " back to the leaves.",
      ),
    );
  const out = partial(root, event.subject),
    node = event.node;
  if (event.kind === "forward") {
    const form = formOf[node];
    body.replaceChildren(
      element(
        "p",
        { class: "lead" },
        form ? "The value of " : "A leaf: the value of ",
        ref(node),
        form ? " follows from its arguments." : " is given.",
      ),
      element(
        "div",
        { class: "sum" },
        ref(node),
        element("span", {}, "="),
        form
          ? element("span", { class: "formula" }, ...fill(form.text, node, argName))
          : element("span", { class: "result" }, show(event.total)),
        ...(form
          ? [
              element("span"),
              element("span", {}, "="),
              element("span", { class: "formula" }, ...inNumbers(node)),
              element("span"),
              element("span", {}, "="),
              element("span", { class: "result" }, show(event.total)),
            ]
          : []),
      ),
      ...(form && !form.live
        ? [
            element(
              "p",
              { class: "note" },
              `${form.op} has an opaque Python forward: it is shown as recorded, not live.`,
            ),
          ]
        : []),
    );
  } else if (event.kind === "done") {
    const given = contributionsTo(node);
    body.replaceChildren(
      element(
        "p",
        { class: "lead" },
        node === root ? "Backpropagation starts here: the root's own gradient is the seed." : "All uses of ",
        ...(node === root ? [] : [ref(node), " have passed on their share: its gradient is complete."]),
      ),
      element(
        "div",
        { class: "sum" },
        out,
        element("span", {}, "="),
        ...(given.length > 1
          ? [
              element(
                "span",
                {},
                given.length <= 8
                  ? given
                      .map((e) => show(e.product + 0))
                      .join(" + ")
                      .replaceAll("+ -", "- ")
                  : `the sum of ${given.length} contributions`,
              ),
              element("span"),
              element("span", {}, "="),
            ]
          : []),
        element("span", { class: "result" }, show(event.total)),
      ),
    );
  } else {
    const uses = usesOf(event.arg).length,
      nth = moment.arrived[event.arg];
    const rule = written(ruleOf(event)),
      valued = written(ruleNumbers(event)),
      local = show(event.local);
    const chain = [
      "= ",
      ...ruleOf(event),
      ...(valued !== rule && valued !== plain(event.local) && valued !== local ? [` = ${valued}`] : []),
      ...(rule !== plain(event.local) ? [` = ${local}`] : []),
    ];
    body.replaceChildren(
      element("p", { class: "lead" }, ref(node), " passes its gradient on to ", ref(event.arg), `.`),
      element(
        "div",
        { class: "sum" },
        out,
        element("span", {}, state.way === "overwrite" ? "=" : "+="),
        terms(partial(root, node), times(), partial(node, event.arg)),
        element("span"),
        element("span", {}, "="),
        terms(show(event.upstream + 0), times(), show(event.local + 0)),
        element("span"),
        element("span", {}, "="),
        element("span", { class: "result" }, show(event.product + 0)),
      ),
      element(
        "div",
        { class: "why" },
        element("div", {}, ...definition(node)),
        element("div", {}, "∂", ref(node), "/∂", ref(event.arg), " ", ...chain),
      ),
      element(
        "p",
        { class: "note" },
        state.way
          ? `total so far ${show(event.total)}`
          : uses === 1
            ? "The only contribution."
            : `Contribution ${nth} of ${uses}; total so far ${show(event.total)}.`,
      ),
    );
    if (parting && parting.wrong && event.index >= parting.wrong.index) body.append(partingNote(event));
  }
}

function partingNote(event) {
  const here = event.index === parting.wrong.index;
  return element(
    "p",
    { class: "note alarm" },
    here
      ? `Here it parts from the right pass, which has ${sentence(parting.right)}.`
      : `It has parted from the right pass at event ${parting.wrong.index + 1}.`,
  );
}
