// The graph: nodes in topological order, the root last, and what they compute

import { unpack } from "./unpack.js";

const SPECIAL = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const real = (x) => (typeof x === "string" ? SPECIAL[x] : x);
export const isNode = (arg) => typeof arg === "number";

/**
 * The arguments of all nodes in one table. An edge is a place in it that holds a node; the place of
 * a constant holds -1, and its number is in `constants`.
 */
function tableOf(column, count) {
  const firstArg = new Uint32Array(count + 1),
    argOf = new Int32Array(column.args.length),
    ownerOf = new Uint32Array(column.args.length),
    constants = new Float64Array(column.args.length);
  let constant = 0;
  for (let node = 0; node < count; node++) {
    const end = firstArg[node] + column.arity[node];
    firstArg[node + 1] = end;
    for (let e = firstArg[node]; e < end; e++) {
      const code = column.args[e];
      ownerOf[e] = node;
      argOf[e] = code > 0 ? node - code : -1 - code;
      if (code === 0) {
        argOf[e] = -1;
        constants[e] = column.constants[constant++];
      }
    }
  }
  return { firstArg, argOf, ownerOf, constants };
}

/** The edges that lead away from each node, towards the root, in order. */
function usesIn({ argOf }, count) {
  const firstUse = new Uint32Array(count + 1);
  for (const arg of argOf) if (arg >= 0) firstUse[arg + 1]++;
  for (let node = 0; node < count; node++) firstUse[node + 1] += firstUse[node];
  const uses = new Uint32Array(firstUse[count]),
    next = firstUse.slice();
  for (let e = 0; e < argOf.length; e++) if (argOf[e] >= 0) uses[next[argOf[e]]++] = e;
  return { uses, usesOf: (node) => uses.subarray(firstUse[node], firstUse[node + 1]) };
}

/** The codes of the right pass: a node that is complete as ~node, then the edges it passes on along. */
function sortedCodes({ firstArg, argOf }, count, edgeCount) {
  const codes = new Int32Array(count + edgeCount);
  for (let node = count - 1, k = 0; node >= 0; node--) {
    codes[k++] = ~node;
    for (let e = firstArg[node]; e < firstArg[node + 1]; e++) if (argOf[e] >= 0) codes[k++] = e;
  }
  return codes;
}

/** The graph of the page's data, with the rows of the table that it needs. */
export function makeGraph(data, rows) {
  const column = Object.fromEntries(
    Object.entries(data.columns).map(([name, packed]) => [name, unpack(packed)]),
  );
  const count = column.form.length,
    root = count - 1,
    formOf = Array.from(column.form, (i) => data.forms[i] ?? null),
    recorded = column.data,
    table = tableOf(column, count),
    { firstArg, argOf, ownerOf, constants } = table,
    { uses, usesOf } = usesIn(table, count);

  /** An argument of a node: the number of a node, or a list with a constant. */
  const argument = (node, slot) => {
    const e = firstArg[node] + slot;
    return argOf[e] < 0 ? [constants[e]] : argOf[e];
  };
  /** The numbers of a node's arguments. */
  const argNumbers = (node, values) => {
    const found = [];
    for (let e = firstArg[node]; e < firstArg[node + 1]; e++)
      found.push(argOf[e] < 0 ? constants[e] : values[argOf[e]]);
    return found;
  };

  const recordedLocals = new Float64Array(argOf.length);
  for (let node = 0, next = 0; node < count; node++) {
    const form = formOf[node];
    if (!form) continue;
    const from = firstArg[node],
      size = firstArg[node + 1] - from;
    if (form.exact)
      recordedLocals.set(
        rows[form.row].locals(recorded[node], ...argNumbers(node, recorded)),
        from,
      );
    else {
      recordedLocals.set(column.locals.subarray(next, next + size), from);
      next += size;
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

  return {
    count,
    root,
    seed: real(data.seed),
    names: column.names.map((name, i) => name || `n${i}`),
    labels: column.labels,
    sampleOf: column.sample,
    fileOf: column.file,
    lineOf: column.line,
    formOf,
    rows,
    /** The path of scopes in which a node was recorded. */
    scopeOf: (node) => column.scopes[column.scope[node]],
    ...{ firstArg, argOf, ownerOf, usesOf, argument, argNumbers, blocker },
    edgeCount: uses.length,
    sorted: sortedCodes(table, count, uses.length),
    recorded: { values: recorded, locals: recordedLocals },
  };
}

/** The values and local derivatives with some leaves changed; what they don't reach stays as recorded. */
export function compute({ count, firstArg, argOf, argNumbers, formOf, rows, recorded }, edits) {
  const values = recorded.values.slice(),
    locals = recorded.locals.slice();
  const changed = new Uint8Array(count);
  for (const [leaf, value] of edits) {
    values[leaf] = value;
    changed[leaf] = 1;
  }
  for (let node = 0; node < count; node++) {
    for (let e = firstArg[node]; e < firstArg[node + 1] && !changed[node]; e++)
      if (argOf[e] >= 0 && changed[argOf[e]]) changed[node] = 1;
    if (!changed[node] || !formOf[node]) continue;
    const row = rows[formOf[node].row],
      numbers = argNumbers(node, values);
    values[node] = row.value(...numbers);
    locals.set(row.locals(values[node], ...numbers), firstArg[node]);
  }
  return { values, locals };
}
