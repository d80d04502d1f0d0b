// Arithmetic of the current event

import {
  definition,
  formula,
  formulaInNumbers,
  rule,
  ruleInNumbers,
  sentence,
} from "../engine/formulas.js";
import { contributionsTo } from "../engine/ledger.js";
import { asked, strideNote } from "../engine/strides.js";
import { plain, show } from "../engine/words.js";
import { $, element, note } from "./document.js";
import { paintQuestion } from "./predict.js";
import { run } from "./run.js";
import { state } from "./state.js";
import { partial, ref, sum, terms, times } from "./words.js";

const MOST_ADDED = 8; // contributions that are written out as a sum
const lead = (...parts) => element("p", { class: "lead" }, ...parts);
const result = (x) => element("span", { class: "result" }, show(x));
const written = (parts) => element("span", { class: "formula" }, ...parts);

export function paintStep() {
  const { event } = state.moment,
    backward = state.way ? `backward, ${state.way}` : "backward";
  $("step-kind").textContent = !event
    ? "before the start"
    : event.kind === "forward"
      ? "forward"
      : backward;
  const flow = event ? strideNote(run, state) : "";
  $("step-flow").textContent = flow;
  $("step-flow").hidden = !flow;
  const ahead = asked(run, state);
  if (ahead) paintQuestion($("step-body"), ahead);
  else $("step-body").replaceChildren(...(event ? STEPS[event.kind](event) : start()));
}

const start = () => [
  lead(
    "Press → or Play: first every value is computed, then the gradients, from ",
    ref(run.root),
    " back to the leaves.",
  ),
];

function forward({ node, total }) {
  const form = run.formOf[node];
  if (!form)
    return [
      lead("A leaf: the value of ", ref(node), " is given."),
      sum([ref(node), "=", result(total)]),
    ];
  const opaque = `${form.op} has an opaque Python forward: it is shown as recorded, not live.`;
  return [
    lead("The value of ", ref(node), " follows from its arguments."),
    sum(
      [ref(node), "=", written(formula(run, node, ref))],
      [null, "=", written(formulaInNumbers(run, node, state.numbers.values))],
      [null, "=", result(total)],
    ),
    ...(form.live ? [] : [note(opaque)]),
  ];
}

function done({ node, total }) {
  const given = contributionsTo(state, node);
  const added =
    given.length > MOST_ADDED
      ? `the sum of ${given.length} contributions`
      : given
          .map((e) => show(e.product + 0))
          .join(" + ")
          .replaceAll("+ -", "- ");
  const out = partial(run.root, node);
  return [
    node === run.root
      ? lead("Backpropagation starts here: the root's own gradient is the seed.")
      : lead("All uses of ", ref(node), " have passed on their share: its gradient is complete."),
    given.length > 1
      ? sum([out, "=", element("span", {}, added)], [null, "=", result(total)])
      : sum([out, "=", result(total)]),
  ];
}

function edge(event) {
  const { node, arg, upstream, local, product, total } = event,
    { root, usesOf, names } = run,
    uses = usesOf(arg).length,
    text = rule(run, event, (n) => names[n]).join(""),
    inNumbers = ruleInNumbers(run, event, state.numbers.values).join("");
  const chain = ["= ", ...rule(run, event, ref)];
  if (![text, plain(local), show(local)].includes(inNumbers)) chain.push(` = ${inNumbers}`);
  if (text !== plain(local)) chain.push(` = ${show(local)}`);
  const nth = `Contribution ${state.moment.arrived[arg]} of ${uses}`;
  const rightSoFar = uses === 1 ? "The only contribution." : `${nth}; total so far ${show(total)}.`;
  const { parting } = state;
  return [
    lead(ref(node), " passes its gradient on to ", ref(arg), "."),
    sum(
      [
        partial(root, arg),
        state.way === "overwrite" ? "=" : "+=",
        terms(partial(root, node), times(), partial(node, arg)),
      ],
      [null, "=", terms(show(upstream + 0), times(), show(local + 0))],
      [null, "=", result(product + 0)],
    ),
    element(
      "div",
      { class: "why" },
      element("div", {}, ...definition(run, node, ref)),
      element("div", {}, "∂", ref(node), "/∂", ref(arg), " ", ...chain),
    ),
    note(state.way ? `total so far ${show(total)}` : rightSoFar),
    ...(parting && event.index >= parting.wrong.index ? [partingNote(event, parting)] : []),
  ];
}
const STEPS = { forward, done, edge };

function partingNote(event, { wrong, right }) {
  const here = `Here it parts from the right pass, which has ${sentence(run, right)}.`,
    before = `It has parted from the right pass at event ${wrong.index + 1}.`;
  return note(event.index === wrong.index ? here : before, "alarm");
}
