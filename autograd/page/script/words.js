// Text

/** A number as Python writes it. */
function repr(x) {
  if (!Number.isFinite(x)) return x !== x ? "nan" : x > 0 ? "inf" : "-inf";
  const size = Math.abs(x);
  if (size >= 1e16 || (size && size < 1e-4)) return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  const text = Object.is(x, -0) ? "-0" : String(x);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
/** A number for reading: in full if that is short, else to 6 digits. */
function show(x) {
  const text = repr(x);
  return text.length <= 9 ? text : repr(Number(x.toPrecision(6)));
}
/** The same where there is little room, and a zero has no sign. */
function tight(x, most = 9) {
  x += 0;
  for (const digits of [17, 6, 4, 3, 2]) {
    const text = show(Number(x.toPrecision(digits)));
    if (text.length <= most) return text;
  }
  return x.toExponential(1).replace("+", "");
}
const plain = (x) => show(x).replace(/\.0$/, "");
const element = (tag, settings = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
};
const $ = (id) => document.getElementById(id);
/** Tell those who listen. */
const say = (text) => {
  $("said").textContent = text;
};
const short = (text, most) =>
  text.length <= most
    ? text
    : `${text.slice(0, Math.ceil(most / 2))}…${text.slice(text.length - Math.floor(most / 2) + 1)}`;
/** A name for little room: of a path, its end. */
function brief(name, most) {
  if (name.length <= most || !name.includes(".")) return short(name, most);
  const cut = [...name.matchAll(/\./g)].find(({ index }) => name.length - index <= most);
  return cut ? `…${name.slice(cut.index)}` : short(name, most);
}
/** Where a node stands, for one that has no name: its sample, and its module or op. */
function placeOf(node) {
  if (names[node] !== `n${node}`) return names[node];
  const sample = data.samples[column.sample[node]] ?? "",
    path = scopeOf(node),
    head = sample.replace(/^sample /, "samples.");
  const place = path.startsWith(`${head}.`) ? path.slice(head.length + 1) : path === head ? "" : path;
  // Blanks that don't break: "sample 59 ·" stays in one line.
  const known = [sample.replace(" ", "\u00a0"), place || formOf[node]?.symbol].filter(Boolean);
  return sample || place ? known.join("\u00a0· ") : names[node];
}
/** A name of a node; a long one may break after its dots. */
const ref = (node, text = names[node]) =>
  element(
    "span",
    { class: "ref", "data-node": node },
    ...text.split(/(?<=\.)(?=\D)|(?<=· )/).flatMap((part, i) => (i ? [element("wbr"), part] : [part])),
  );
const partial = (of, by) =>
  element(
    "span",
    { class: "fraction" },
    element("span", {}, "∂", ref(of, brief(names[of], 12))),
    element("span", {}, "∂", ref(by, brief(names[by], 12))),
  );

/** A template of Python's notation with its arguments put in; `put(arg, slot)` gives text or an element. */
function fill(template, node, put) {
  const parts = [],
    holes = [...template.matchAll(/\{(\d+|z)\}/g)];
  let end = 0;
  for (const [i, match] of holes.entries()) {
    if (holes.length > 10 && i >= 5 && i < holes.length - 3) {
      if (i === 5) parts.push(`, … ${holes.length - 8} more …`);
      end = match.index + match[0].length;
      continue;
    }
    parts.push(template.slice(end, match.index));
    const piece = match[1] === "z" ? put(node, -1) : put(argument(node, Number(match[1])), Number(match[1]));
    end = match.index + match[0].length;
    const before = parts.join("").slice(-1),
      signed = typeof piece === "string" && piece.startsWith("-");
    const loose =
      signed &&
      (template.startsWith(" **", end) ||
        (match.index > 0 && !/[(\[]$|, $/.test(template.slice(0, match.index))));
    parts.push(loose ? `(${piece})` : piece);
  }
  parts.push(template.slice(end));
  return parts.filter((part) => part !== "");
}
const argName = (arg) => (isNode(arg) ? ref(arg) : plain(arg[0]));
const argNumber = (values) => (arg) => show(isNode(arg) ? values[arg] : arg[0]);
const written = (parts) => parts.map((part) => part.textContent ?? part).join("");
const definition = (node) =>
  formOf[node] ? [ref(node), " = ", ...fill(formOf[node].text, node, argName)] : [ref(node)];
const inNumbers = (node) => fill(formOf[node].text, node, argNumber(numbers.values));
const ruleOf = (event) => fill(formOf[event.node].rules[event.slot], event.node, argName);
const ruleNumbers = (event) =>
  fill(formOf[event.node].rules[event.slot], event.node, argNumber(numbers.values));
function sentence(event) {
  if (!event) return "nothing has happened yet";
  const name = names[event.node],
    out = names[root];
  if (event.kind === "forward")
    return formOf[event.node]
      ? `${written(definition(event.node))} = ${show(event.total)}`
      : `${name} = ${show(event.total)}`;
  if (event.kind === "done") return `gradient of ${name} complete: ${show(event.total)}`;
  return `d ${out}/d ${names[event.arg]} += ${show(event.upstream)} * ${show(event.local)} = ${show(event.product)}, total ${show(event.total)}`;
}
const statusWords = ["unknown", "partial", "complete"];
