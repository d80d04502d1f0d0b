// The engine beside Python: each golden file holds a run as the page has it, and what Python says
// of it. `node --test tests/page/*.test.js`

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { stopsAt } from "../../autograd/page/script/engine/breakpoints.js";
import { changeOf, reasonOf } from "../../autograd/page/script/engine/change.js";
import { definitionText, rule } from "../../autograd/page/script/engine/formulas.js";
import { guessed, isClose } from "../../autograd/page/script/engine/guess.js";
import {
  awaitedBy,
  contributionsTo,
  heaviestPaths,
  isCancelled,
  sharesOf,
} from "../../autograd/page/script/engine/ledger.js";
import { openRun } from "../../autograd/page/script/engine/run.js";
import { sceneOf } from "../../autograd/page/script/engine/scene.js";
import {
  beginning,
  edited,
  followed,
  isWrong,
  momentOf,
} from "../../autograd/page/script/engine/session.js";
import { STATUS, show } from "../../autograd/page/script/engine/words.js";

const folder = new URL("golden/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const SPECIAL = { inf: Infinity, "-inf": -Infinity, nan: NaN };
const real = (x) => (typeof x === "string" ? SPECIAL[x] : x);
/** What Python and the page compute differ by what libm and Math do. */
const isNear = (x, y) => Object.is(x, y) || Math.abs(x - y) <= 1e-11 * Math.max(Math.abs(x), 1);

/** The page puts brackets around a sign that follows another. */
const unbracketed = (text) => text.replaceAll(/\((-[\d.e+]+)\)/g, "$1");

/** A state of a run, with what follows from it. */
function stateOf(run, changes = {}) {
  const state = { ...beginning(run), ...changes };
  Object.assign(state, followed(run, state));
  state.position = Math.min(changes.position ?? state.events.length, state.events.length);
  return Object.assign(state, momentOf(run, state));
}

const names = readdirSync(folder).filter((name) => name !== "words.json");
for (const name of names) {
  const golden = read(name),
    primitives = new URL("../../autograd/page/script/engine/primitives.js", import.meta.url),
    module = golden.rows.replace("./engine/primitives.js", primitives),
    { ROWS } = await import(`data:text/javascript,${encodeURIComponent(module)}`),
    run = openRun(golden.data, ROWS);
  const check = (what, body) => test(`${name}: ${what}`, body);

  check("what leads to all turns of a repetition is one wire", () => {
    const level = run.levels.find((level) => level.name === "stages"),
      pane = { width: 600, height: 400 },
      wires = level ? sceneOf(run, { open: level.open, sample: -1 }, pane).wires : [],
      fans = wires
        .filter(({ times }) => times)
        .map(({ outside, times }) => [run.lastOf(outside), times]);
    assert.deepEqual(
      fans.sort(([a], [b]) => a - b),
      golden.fans,
    );
  });
  check("nodes are called as in Python, and were computed as it says", () => {
    assert.deepEqual(run.names, golden.names);
    const inner = [...run.names.keys()].filter((node) => run.formOf[node]);
    assert.deepEqual(
      inner.map((node) => unbracketed(definitionText(run, node))),
      golden.definitions,
    );
    assert.deepEqual([...run.sampleOf], golden.samples);
  });

  check("events are those of Python, to the bit", () => {
    const { events } = stateOf(run);
    assert.equal(events.length, golden.events.length);
    golden.events.forEach(([kind, node, slot, arg, ...numbers], i) => {
      const event = events.at(i),
        [upstream, local, product, total] = numbers.map(real);
      assert.deepEqual([event.kind, event.node, event.total], [kind, node, total]);
      if (kind === "edge")
        assert.deepEqual(
          [event.slot, event.arg, event.upstream, event.local, event.product],
          [slot, arg, upstream, local, product],
        );
    });
  });

  check("rules are written as in Python", () => {
    const { events } = stateOf(run),
      edges = golden.events.map((_, i) => events.at(i)).filter(({ kind }) => kind === "edge");
    assert.deepEqual(
      edges.map((event) => unbracketed(rule(run, event, (node) => run.names[node]).join(""))),
      golden.rules,
    );
  });

  check("what is known of gradients, forwards and back again", () => {
    let reached = null;
    for (const [position, known] of [...golden.gradients, ...golden.gradients.toReversed()]) {
      const state = { ...stateOf(run), position, reached };
      const found = momentOf(run, state);
      ({ reached } = found);
      known.forEach(([status, soFar], node) => {
        assert.equal(STATUS[found.moment.status[node]], status);
        if (soFar !== null) assert.equal(found.moment.gradient[node], real(soFar));
      });
    }
  });

  check("breakpoints stop where the terminal stops", () => {
    for (const { stops, nodes, at } of golden.stops) {
      const state = stateOf(run, { breaks: new Set(nodes) });
      state.stops = { ...state.stops, ...stops };
      const indices = golden.events.map((_, i) => i);
      assert.deepEqual(
        indices.filter((i) => stopsAt(run, state, state.events.at(i))),
        at,
        JSON.stringify(stops),
      );
    }
  });

  check("ledgers hold the same sums, and the same heaviest paths", () => {
    const state = stateOf(run);
    golden.ledgers.forEach(({ entries, cancels, paths, has_shares }, node) => {
      const given = contributionsTo(state, node);
      assert.deepEqual(
        given.map((e) => [e.index, e.node, e.slot, e.upstream, e.local, e.product]),
        entries.map((entry) => entry.map(real)),
      );
      assert.deepEqual(awaitedBy(run, state, node, given), []);
      assert.equal(isCancelled(state, node, given), cancels);
      if (node === run.root) return;
      const found = heaviestPaths(run, state.numbers, node);
      assert.deepEqual(
        found.map(({ nodes }) => nodes),
        paths.map(([nodes]) => nodes),
      );
      found.forEach(({ product }, i) => {
        assert.equal(product, real(paths[i][1]));
      });
      assert.equal(sharesOf(state, found, given).length > 0, has_shares);
    });
  });

  check("before its time, a ledger names who is still to give", () => {
    const state = stateOf(run, { position: run.count });
    for (let node = 0; node < run.root; node++) {
      assert.deepEqual(contributionsTo(state, node), []);
      assert.equal(awaitedBy(run, state, node, []).length, run.usesOf(node).length);
    }
  });

  for (const [way, mistake] of Object.entries(golden.mistakes))
    check(`the wrong way: ${way}`, () => {
      const state = stateOf(run, { way }),
        numbersOf = (event) => event && [event.product, event.total];
      const { wrong = null, right = null } = state.parting ?? {};
      assert.deepEqual(numbersOf(wrong), mistake.parting?.map(real) ?? null);
      assert.equal(right?.product ?? null, mistake.right ? real(mistake.right[0]) : null);
      const nodes = [...run.names.keys()].filter((node) => isWrong(state, node));
      assert.deepEqual(
        nodes.map((node) => [node, state.moment.gradient[node]]),
        mistake.gradients.map(([node, x]) => [node, real(x)]),
      );
    });

  check("what if", () => {
    for (const { node, value, predicted, actual, new_gradient, reason } of golden.what_ifs) {
      const before = stateOf(run),
        state = stateOf(run, edited(run, before, [[node, value]])),
        change = changeOf(run, state);
      assert.equal(change.predicted + 0, real(predicted) + 0); // no -0
      assert.ok(isNear(change.actual, real(actual)), `${change.actual} ${actual}`);
      assert.ok(isNear(state.right.adjoint[node], real(new_gradient)));
      const said = reasonOf(run, state).toLowerCase();
      if (reason.startsWith("as predicted")) assert.match(said, /changed as predicted/);
      else assert.equal(said, `${reason.toLowerCase()}.`);
      assert.equal(edited(run, state, [[node, run.recorded.values[node]]]).edits.size, 0);
    }
  });

  check("the quiz takes the answers that the terminal's takes", () => {
    const { events } = stateOf(run);
    for (const [index, answers] of golden.quiz)
      for (const [guess, isRight] of answers)
        assert.equal(isClose(real(guess), events.at(index).product), isRight);
  });
}

const words = read("words.json");
test("numbers are written as in Python", () => {
  for (const [x, text] of words.numbers) assert.equal(show(real(x)), text);
});
test("a guess may be an expression", () => {
  for (const [text, x] of words.guesses) assert.equal(guessed(text), x, text);
  for (const text of ["", "x", "1+", "(1", "2 3", "1//2"]) assert.ok(Number.isNaN(guessed(text)));
});
