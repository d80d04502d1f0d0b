// Predict mode: the next product is hidden until it is answered

const score = { asked: 0, right: 0, tries: 0 };
/** The edge event that is being asked for: the next one. */
const asked = () =>
  state.predict && state.position < events.length && events.at(state.position).kind === "edge"
    ? events.at(state.position)
    : null;

function paintQuestion(body, event) {
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
    moveTo(state.position + 1);
    $("guess")?.focus();
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
