// Predict mode: the next product is hidden until it is answered

import { definition, formulaInNumbers, rule } from "../engine/formulas.js";
import { FATES, fateOf, guessed, isClose } from "../engine/guess.js";
import { asked } from "../engine/strides.js";
import { show } from "../engine/words.js";
import { $, element, note, say } from "./document.js";
import { focusGuess, moveTo } from "./player.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { boxName, partial, ref, sum, terms, times } from "./words.js";

function paintScore() {
  const { score } = state;
  $("step-kind").textContent = score.asked
    ? `${score.right} of ${score.asked} at the first try`
    : "predict";
}

function paintPassQuestion(body, { item, end, came, went }) {
  paintScore();
  const of = `${state.position} ${item} ${went}`,
    fate = fateOf(came, went),
    { score } = state;
  if (body.firstElementChild?.dataset.of === of) return;
  const answer = (isRight) => {
    const flow = `${fate} went on, ‖grad‖ ${show(went)} of ${show(came)}.`;
    score.asked++;
    score.right += isRight;
    score.note = `${isRight ? "Yes" : "No"}: ${flow}`;
    moveTo(end);
    say(score.note);
    if (asked(run, state)) focusGuess();
  };
  body.replaceChildren(
    element(
      "p",
      { class: "lead", "data-of": of },
      `A gradient of norm ${show(came)} comes into ${boxName(item - run.count)}. How much goes on to other boxes?`,
    ),
    element(
      "div",
      { class: "ask" },
      ...FATES.map(([name]) => element("button", { onclick: () => answer(name === fate) }, name)),
    ),
    ...(score.note ? [note(`The pass before: ${score.note}`)] : []),
  );
}

export function paintQuestion(body, event) {
  if (event.item === undefined) paintEdgeQuestion(body, event);
  else paintPassQuestion(body, event);
}

function paintEdgeQuestion(body, event) {
  // What is being typed stays, whatever else is painted anew.
  const of = `${event.index} ${event.product}`,
    { node, arg } = event,
    { score } = state;
  if ($("guess")?.dataset.of === of) return;
  paintScore();
  const input = element("input", {
    type: "text",
    inputmode: "decimal",
    "aria-label": "Your prediction",
    autocomplete: "off",
    id: "guess",
    "data-of": of,
  });
  const verdict = element("p", { class: "note", role: "status" });
  const settle = (point) => {
    score.asked++;
    score.right += point;
    score.tries = 0;
    score.note = "";
    moveTo(state.position + 1);
    focusGuess();
  };
  const hint = () => {
    const written = [...rule(run, event, ref), `, which is ${show(event.local)} here`];
    verdict.replaceChildren("∂", ref(node), "/∂", ref(arg), " = ", ...written);
  };
  const form = element(
    "form",
    { class: "ask" },
    input,
    element("button", { class: "primary" }, "Answer"),
    element("button", { type: "button", onclick: hint }, "Hint"),
    element("button", { type: "button", onclick: () => settle(false) }, "Give up"),
  );
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const number = guessed(input.value);
    if (Number.isNaN(number)) {
      verdict.textContent = "Write a number, such as -0.5, or how it is found: 1-0.76^2.";
      return;
    }
    score.tries++;
    if (isClose(number, event.product)) settle(score.tries === 1);
    else verdict.textContent = `${show(number)} is not it. Try again, or take a hint.`;
  });
  const { values } = state.numbers;
  body.replaceChildren(
    element(
      "p",
      { class: "lead" },
      ref(node),
      " passes its gradient on to ",
      ref(arg),
      ". What is the contribution?",
    ),
    sum(
      [partial(run.root, arg), "+=", terms(partial(run.root, node), times(), partial(node, arg))],
      [null, "=", terms(show(event.upstream), times(), "?")],
    ),
    element(
      "div",
      { class: "why" },
      ...definition(run, node, ref),
      element("br"),
      element("span", {}, "= ", ...formulaInNumbers(run, node, values), ` = ${show(values[node])}`),
    ),
    form,
    verdict,
  );
}
