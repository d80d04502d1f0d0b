// Predict mode: the next product is hidden until it is answered

const score = { asked: 0, right: 0, tries: 0, note: "" };
const focusGuess = () => ($("guess") ?? $("step-body").querySelector("button"))?.focus();
/** What is being asked for: the next edge, or where the next step is a pass through a box, that pass. */
function asked() {
  if (!state.predict || state.position === events.length) return null;
  const event = events.at(state.position),
    item = scene.of[event.node];
  if (!isGroup(item)) return event.kind === "edge" ? event : null;
  const end = strideEnd(state.position + 1),
    passed = Array.from({ length: end - state.position }, (_, i) => events.at(state.position + i));
  const { arrived, left } = throughput(passed, item);
  // What only gathers gradients, or gives them to its own leaves, passes nothing on.
  return arrived.length && left.length ? { item, end, came: norm(arrived), went: norm(left) } : null;
}

const ALIKE = 0.05; // a share by which two norms are about the same
/** What may become of a gradient in a box. */
const FATES = [
  ["nothing", (came, went) => went === 0],
  ["less", (came, went) => went > 0 && went < (1 - ALIKE) * came],
  ["about as much", (came, went) => went > 0 && Math.abs(went - came) <= ALIKE * came],
  ["more", (came, went) => went > (1 + ALIKE) * came],
];
function paintPassQuestion(body, { item, end, came, went }) {
  $("step-kind").textContent = score.asked ? `${score.right} of ${score.asked} at the first try` : "predict";
  const of = `${state.position} ${item} ${went}`;
  if (body.firstElementChild?.dataset.of === of) return;
  const answer = (isRight, fate) => {
    score.asked++;
    score.right += isRight;
    score.note = `${isRight ? "Yes" : "No"}: ${fate} went on, ‖grad‖ ${show(went)} of ${show(came)}.`;
    moveTo(end);
    say(score.note);
    if (asked()) focusGuess();
  };
  const fate = FATES.find(([, holds]) => holds(came, went))?.[0] ?? "what is no number";
  body.replaceChildren(
    element(
      "p",
      { class: "lead", "data-of": of },
      `A gradient of norm ${show(came)} comes into ${boxName(item - count)}. How much goes on to other boxes?`,
    ),
    element(
      "div",
      { class: "ask" },
      ...FATES.map(([name]) => element("button", { onclick: () => answer(name === fate, fate) }, name)),
    ),
    ...(score.note ? [element("p", { class: "note" }, `The pass before: ${score.note}`)] : []),
  );
}

function paintQuestion(body, event) {
  if (event.item !== undefined) return paintPassQuestion(body, event);
  // What is being typed stays, whatever else is painted anew.
  const of = `${event.index} ${event.product}`;
  if ($("guess")?.dataset.of === of) return;
  $("step-kind").textContent = score.asked ? `${score.right} of ${score.asked} at the first try` : "predict";
  const input = element("input", {
    type: "text",
    inputmode: "decimal",
    "aria-label": "Your prediction",
    autocomplete: "off",
    id: "guess",
    "data-of": of,
  });
  const verdict = element("p", { class: "note", role: "status" });
  const form = element(
    "form",
    { class: "ask" },
    input,
    element("button", { class: "primary" }, "Answer"),
    element("button", { type: "button", onclick: () => hint() }, "Hint"),
    element(
      "button",
      {
        type: "button",
        onclick: () => {
          settle(false);
        },
      },
      "Give up",
    ),
  );
  const settle = (point) => {
    score.asked++;
    score.right += point;
    score.tries = 0;
    score.note = "";
    moveTo(state.position + 1);
    focusGuess();
  };
  const hint = () =>
    verdict.replaceChildren(
      "∂",
      ref(event.node),
      "/∂",
      ref(event.arg),
      " = ",
      ...ruleOf(event),
      `, which is ${show(event.local)} here`,
    );
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const number = valueOf(input.value);
    if (number !== number) {
      verdict.textContent = "Write a number, such as -0.5, or how it is found: 1-0.76^2.";
      return;
    }
    score.tries++;
    const close =
      number === event.product ||
      Math.abs(number - event.product) <=
        Math.max(1e-3 * Math.max(Math.abs(number), Math.abs(event.product)), 1e-6);
    if (close) settle(score.tries === 1);
    else verdict.textContent = `${show(number)} is not it. Try again, or take a hint.`;
  });
  body.replaceChildren(
    element(
      "p",
      { class: "lead" },
      ref(event.node),
      " passes its gradient on to ",
      ref(event.arg),
      ". What is the contribution?",
    ),
    element(
      "div",
      { class: "sum" },
      partial(root, event.arg),
      element("span", {}, "+="),
      terms(partial(root, event.node), times(), partial(event.node, event.arg)),
      element("span"),
      element("span", {}, "="),
      terms(show(event.upstream), times(), "?"),
    ),
    element(
      "div",
      { class: "why" },
      ...definition(event.node),
      element("br"),
      element("span", {}, "= ", ...inNumbers(event.node), ` = ${show(numbers.values[event.node])}`),
    ),
    form,
    verdict,
  );
}
