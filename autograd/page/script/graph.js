// The graph: nodes in topological order, the root last, and what they compute

const data = JSON.parse(document.getElementById("run").textContent);
const column = Object.fromEntries(Object.entries(data.columns).map(([name, packed]) => [name, unpack(packed)]));
const special = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const real = (x) => (typeof x === "string" ? special[x] : x);
const count = column.form.length,
  root = count - 1,
  seed = real(data.seed);
const names = column.names.map((name, i) => name || `n${i}`);
const formOf = Array.from(column.form, (i) => data.forms[i] ?? null);
const recorded = column.data;
/** The path of scopes in which a node was recorded. */
const scopeOf = (node) => column.scopes[column.scope[node]];
const isNode = (arg) => typeof arg === "number";

// The arguments of all nodes in one table. An edge is a place in it that holds a node; the place
// of a constant holds -1, and its number is in `constants`.
const firstArg = new Uint32Array(count + 1),
  argOf = new Int32Array(column.args.length),
  ownerOf = new Uint32Array(column.args.length),
  constants = new Float64Array(column.args.length);
// The edges that lead away from each node, towards the root, in order.
const firstUse = new Uint32Array(count + 1);
{
  let constant = 0;
  for (let node = 0; node < count; node++) {
    const end = (firstArg[node + 1] = firstArg[node] + column.arity[node]);
    for (let e = firstArg[node]; e < end; e++) {
      const code = column.args[e];
      ownerOf[e] = node;
      argOf[e] = code > 0 ? node - code : -1 - code;
      if (code === 0) {
        argOf[e] = -1;
        constants[e] = column.constants[constant++];
      } else firstUse[argOf[e] + 1]++;
    }
  }
  for (let node = 0; node < count; node++) firstUse[node + 1] += firstUse[node];
}
const edgeCount = firstUse[count],
  uses = new Uint32Array(edgeCount);
{
  const next = firstUse.slice();
  for (let e = 0; e < argOf.length; e++) if (argOf[e] >= 0) uses[next[argOf[e]]++] = e;
}
const usesOf = (node) => uses.subarray(firstUse[node], firstUse[node + 1]);
const slotOf = (e) => e - firstArg[ownerOf[e]];
/** An argument of a node: the number of a node, or a list with a constant. */
const argument = (node, slot) => {
  const e = firstArg[node] + slot;
  return argOf[e] < 0 ? [constants[e]] : argOf[e];
};
/** The numbers of a node's arguments. */
function argNumbers(node, values) {
  const found = [];
  for (let e = firstArg[node]; e < firstArg[node + 1]; e++)
    found.push(argOf[e] < 0 ? constants[e] : values[argOf[e]]);
  return found;
}

const recordedLocals = new Float64Array(argOf.length);
{
  let next = 0;
  for (let node = 0; node < count; node++) {
    const form = formOf[node];
    if (!form) continue;
    const from = firstArg[node],
      size = firstArg[node + 1] - from;
    if (form.exact) recordedLocals.set(ROWS[form.row].locals(recorded[node], ...argNumbers(node, recorded)), from);
    else {
      recordedLocals.set(column.locals.subarray(next, next + size), from);
      next += size;
    }
  }
}

// A leaf is live if every row between it and the root is.
const blocker = new Int32Array(count).fill(-1);
for (let node = root; node >= 0; node--)
  for (const e of usesOf(node)) {
    const user = ownerOf[e];
    if (!formOf[user].live) blocker[node] = user;
    else if (blocker[user] >= 0) blocker[node] = blocker[user];
  }

/** The values and local derivatives with some leaves changed; what they don't reach stays as recorded. */
function compute(edits) {
  const values = recorded.slice(),
    locals = recordedLocals.slice();
  const changed = new Uint8Array(count);
  for (const [leaf, value] of edits) {
    values[leaf] = value;
    changed[leaf] = 1;
  }
  for (let node = 0; node < count; node++) {
    for (let e = firstArg[node]; e < firstArg[node + 1] && !changed[node]; e++)
      if (argOf[e] >= 0 && changed[argOf[e]]) changed[node] = 1;
    if (!changed[node] || !formOf[node]) continue;
    const row = ROWS[formOf[node].row],
      numbers = argNumbers(node, values);
    values[node] = row.value(...numbers);
    locals.set(row.locals(values[node], ...numbers), firstArg[node]);
  }
  return { values, locals };
}
