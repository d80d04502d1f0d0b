// The run

const data = JSON.parse(document.getElementById("run").textContent);
const special = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const real = (x) => (typeof x === "string" ? special[x] : x);
const count = data.names.length,
  root = count - 1,
  seed = real(data.seed);
const names = data.names;
const formOf = data.form.map((i) => data.forms[i] ?? null);
const recorded = data.data.map(real);
const isNode = (arg) => typeof arg === "number";

// Edges in the order of the table of arguments; users[i] lists those that lead to node i.
const edges = [],
  users = names.map(() => []),
  firstEdge = [];
data.args.forEach((args, node) => {
  firstEdge.push(edges.length);
  args.forEach((arg, slot) => {
    if (!isNode(arg)) return;
    users[arg].push(edges.length);
    edges.push({ node, slot, arg });
  });
});
firstEdge.push(edges.length);
const recordedLocals = data.locals.map(real);

// A leaf is live if every row between it and the root is.
const blocker = new Array(count).fill(-1);
for (let i = root; i >= 0; i--) {
  for (const e of users[i]) {
    const user = edges[e].node;
    if (!formOf[user].live) blocker[i] = user;
    else if (blocker[user] >= 0) blocker[i] = blocker[user];
  }
}

const argNumbers = (node, values) => data.args[node].map((arg) => (isNode(arg) ? values[arg] : real(arg[0])));

/** The values and local derivatives with some leaves changed; what they don't reach stays as recorded. */
function compute(edits) {
  const values = recorded.slice(),
    locals = recordedLocals.slice();
  const changed = new Uint8Array(count);
  for (const [leaf, value] of edits) {
    values[leaf] = value;
    changed[leaf] = 1;
  }
  for (let i = 0; i < count; i++) {
    if (!formOf[i] || !data.args[i].some((arg) => isNode(arg) && changed[arg])) continue;
    const row = ROWS[formOf[i].row],
      numbers = argNumbers(i, values);
    changed[i] = 1;
    values[i] = row.value(...numbers);
    const found = row.locals(values[i], ...numbers);
    for (let e = firstEdge[i]; e < firstEdge[i + 1]; e++) locals[e] = found[edges[e].slot];
  }
  return { values, locals };
}

/** A branch with upstream 0 contributes 0 even where its derivative is infinite. */
const product = (form, upstream, local) =>
  Number.isFinite(local) || !form.singular || upstream !== 0 ? upstream * local : 0;

/** The events of a run: values forward, then the right pass, or one of the wrong ways. */
function makeEvents({ values, locals }, way) {
  const events = values.map((total, node) => ({ kind: "forward", node, subject: node, total }));
  const adjoint = new Array(count).fill(0);
  const passOn = (node, overwrite) => {
    const upstream = adjoint[node];
    for (let e = firstEdge[node]; e < firstEdge[node + 1]; e++) {
      const { slot, arg } = edges[e],
        local = locals[e],
        before = adjoint[arg];
      const contribution = product(formOf[node], upstream, local);
      adjoint[arg] = overwrite ? contribution : before + contribution;
      events.push({
        kind: "edge",
        node,
        subject: arg,
        arg,
        slot,
        edge: e,
        upstream,
        local,
        product: contribution,
        before,
        total: adjoint[arg],
      });
    }
  };
  if (way === "no zero_grad") {
    const before = finalGradients({ values, locals });
    formOf.forEach((form, i) => {
      if (!form) adjoint[i] = before[i];
    });
  }
  adjoint[root] = seed;
  if (way === "no sort") {
    const limit = count + 20 * edges.length + 100,
      stack = [root];
    events.push({ kind: "done", node: root, subject: root, total: seed });
    while (stack.length && events.length <= limit) {
      const node = stack.pop();
      passOn(node, false);
      stack.push(...[...new Set(data.args[node].filter(isNode))].reverse());
    }
  } else {
    for (let node = root; node >= 0; node--) {
      events.push({ kind: "done", node, subject: node, total: adjoint[node] });
      passOn(node, way === "overwrite");
    }
  }
  events.forEach((event, index) => {
    event.index = index;
  });
  return { events, adjoint };
}
const finalGradients = (numbers) => makeEvents(numbers, "").adjoint;

const isSame = (a, b) => a === b || (a !== a && b !== b);
/**
 * What a wrong pass should have arrived at, and where it parts from the right one: its first edge
 * after which a sum is wrong, with the same edge in the right pass. Right is what each edge adds
 * once, in whatever order: another order rounds differently.
 */
function compared(wrong, right) {
  const sums = new Array(count).fill(0),
    missing = new Map();
  sums[root] = seed;
  for (const event of right) if (event.kind === "edge") missing.set(event.edge, event);
  const sameEdge = new Map(missing);
  let parting = null;
  for (const event of wrong) {
    if (event.kind !== "edge") continue;
    if (missing.has(event.edge)) sums[event.arg] += missing.get(event.edge).product;
    missing.delete(event.edge);
    if (!parting && !isSame(event.total, sums[event.arg])) parting = { wrong: event, right: sameEdge.get(event.edge) };
  }
  for (const event of missing.values()) sums[event.arg] += event.product;
  return { sums, parting };
}
