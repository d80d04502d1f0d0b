// The engine by itself: what has no counterpart in Python

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { arrange, GAP } from "../../autograd/page/script/engine/arrange.js";
import {
  marksOf,
  nextStop,
  problemOf,
  toggled,
} from "../../autograd/page/script/engine/breakpoints.js";
import { Fan } from "../../autograd/page/script/engine/fans.js";
import { flowsOf, saidOfBox } from "../../autograd/page/script/engine/flow.js";
import { giversOf, turnsOf } from "../../autograd/page/script/engine/formulas.js";
import { FATES, fateOf } from "../../autograd/page/script/engine/guess.js";
import {
  alongLanes,
  doorsOf,
  gridOf,
  setApart,
  wayTo,
} from "../../autograd/page/script/engine/lanes.js";
import { boxLedger } from "../../autograd/page/script/engine/ledger.js";
import { linkTo, stateAt } from "../../autograd/page/script/engine/link.js";
import { parsed } from "../../autograd/page/script/engine/listing.js";
import { Squares, spreadOf } from "../../autograd/page/script/engine/norms.js";
import { freePlace, pointOn, route, timesAt } from "../../autograd/page/script/engine/routes.js";
import { openRun } from "../../autograd/page/script/engine/run.js";
import {
  EASY,
  inOrder,
  neighbour,
  scaleOf,
  sceneOf,
  wireOf,
  wiresAt,
} from "../../autograd/page/script/engine/scene.js";
import { search } from "../../autograd/page/script/engine/search.js";
import { momentOf, movedTo } from "../../autograd/page/script/engine/session.js";
import { asked, stride, strideNote } from "../../autograd/page/script/engine/strides.js";
import { levelOf, shownBy } from "../../autograd/page/script/engine/tree.js";
import { brief, short, tight } from "../../autograd/page/script/engine/words.js";
import {
  closed,
  closedWithin,
  coarser,
  openAround,
  opened,
  sampled,
  uncovered,
} from "../../autograd/page/script/engine/zoom.js";

const PANE = { width: 600, height: 400 };
const primitives = new URL("../../autograd/page/script/engine/primitives.js", import.meta.url);
/** The run of a golden file. */
async function runOf(name) {
  const golden = new URL(`golden/${name}.json`, import.meta.url),
    { data, rows } = JSON.parse(readFileSync(golden, "utf8")),
    module = rows.replace("./engine/primitives.js", primitives),
    { ROWS } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  return openRun(data, ROWS);
}
const run = await runOf("network"),
  loop = await runOf("loop");

/** The state that an address leads to, with its scene. */
function stateOf(hash, opening = 0) {
  const state = stateAt(run, hash, opening);
  return { ...state, scene: sceneOf(run, state, PANE) };
}
const boxes = (state) => state.scene.items.filter(run.isGroup).map((item) => item - run.count);

test("an address leads back to the state that it was made of", () => {
  const addresses = [
    "#event=30&node=4",
    "#event=12&node=3&level=op",
    "#event=40&node=2&sample=1&break=1.3&stop=nan,sign,above:0.5,op:dot,in:layers.0,all",
    "#event=40&node=2&sample=mean&set=0:1.5,1:-2&way=no%20zero_grad&predict=1",
  ];
  for (const address of addresses) assert.equal(linkTo(run, stateOf(address), 0), address);
});
test("what an address tells wrongly is as at the start", () => {
  const plain = linkTo(run, stateOf(""), 0);
  for (const address of ["#event=x", "#way=%E0%A4%A", "#set=99999:1,1:,0:nan", "#&=&", "#open=x"])
    assert.equal(linkTo(run, { ...stateOf(address), open: stateOf("").open }, 0), plain, address);
  assert.equal(stateOf("#event=99999").position, stateOf("").events.length);
});

test("levels have more boxes one after the other, and every node in one item", () => {
  let before = 0;
  for (const level of run.levels) {
    const state = stateOf(`#level=${level.name}`);
    assert.ok(state.scene.items.length > before);
    before = state.scene.items.length;
    assert.equal(run.levels[levelOf(run, state.open)], level);
    for (let node = 0; node < run.count; node++)
      assert.ok(state.scene.rects.has(state.scene.of[node]));
  }
  assert.equal(before, run.count);
});
test("boxes in a scene do not overlap, and lie in their frames", () => {
  for (const { name } of run.levels) {
    const { scene } = stateOf(`#level=${name}`),
      rects = scene.items.map((item) => scene.rects.get(item));
    rects.forEach((a, i) => {
      for (const b of rects.slice(i + 1)) {
        const isApart =
          a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        assert.ok(isApart, name);
      }
    });
    for (const item of scene.items)
      for (const g of run.around(item)) {
        const [r, frame] = [scene.rects.get(item), scene.rects.get(run.count + g)];
        if (frame) assert.ok(frame.x <= r.x && r.x + r.w <= frame.x + frame.w);
      }
  }
});
test("a box opens with what is around it, and closes with what is in it", () => {
  const state = stateOf(`#level=${run.levels[0].name}`);
  const inner = run.groups.findLastIndex(({ parent }) => parent >= 0);
  const open = { ...state, ...opened(run, state, inner) };
  const around = [inner, ...run.around(run.count + inner)];
  for (const g of around) assert.ok(open.open.has(g));
  assert.ok(run.around(open.chosen).includes(inner));
  assert.deepEqual(
    openAround(run, open, open.chosen),
    run.around(open.chosen).filter((g) => open.open.has(g)),
  );
  const outer = around.at(-1);
  assert.equal(closed(run, open, outer).open.size, 0);
  assert.deepEqual([...closedWithin(run, open, outer).open], [outer]);
  assert.equal(state.open.size, 0, "the state that was given is as it was");
});
test("one sample alone has its own nodes, and what all share", () => {
  const { found } = shownBy(run, new Set(), 1);
  for (let node = 0; node < run.count; node++)
    assert.equal(found[node] < 0, run.sampleOf[node] >= 0 && run.sampleOf[node] !== 1);
  const node = run.sampleOf.indexOf(0),
    there = sampled(run, { chosen: node }, 2).chosen;
  assert.equal(run.sampleOf[there], 2);
  assert.equal(run.formOf[there]?.op, run.formOf[node]?.op);
  assert.deepEqual(sampled(run, { chosen: node }, -2), { sample: -1, isMean: true, chosen: node });
});
test("what hides a node is opened; what is in sight stays", () => {
  const state = stateOf(`#level=${run.levels[0].name}&sample=0`),
    node = run.sampleOf.indexOf(1),
    seen = { ...state, ...uncovered(run, state, node) };
  assert.equal(seen.sample, 1);
  assert.equal(sceneOf(run, seen, PANE).of[node], node);
  assert.equal(uncovered(run, seen, node), null);
});

test("a stride is one pass through a box; back leads to where it began", () => {
  let state = stateOf(`#event=0&level=${run.levels[0].name}`);
  const positions = [0];
  while (state.position < state.events.length) {
    const position = stride(run, state, 1);
    state = { ...stateAt(run, `#event=${position}`, 0), scene: state.scene };
    positions.push(position);
    assert.match(strideNote(run, state), /^$|(last is shown\.)$/i);
  }
  assert.ok(positions.length < state.events.length / 2);
  for (const position of positions.toReversed().slice(1)) {
    state = { ...state, position: stride(run, state, -1) };
    assert.equal(state.position, position);
  }
});
test("at the level of nodes a stride is an event", () => {
  const state = stateOf("#event=5&level=op");
  assert.deepEqual([stride(run, state, 1), stride(run, state, -1)], [6, 4]);
});
test("predict mode asks for edges among nodes, and for passes among boxes", () => {
  const last = (hash) => {
    const state = { ...stateOf(hash), predict: true };
    return Array.from({ length: state.events.length }, (_, position) =>
      asked(run, { ...state, position }),
    ).filter(Boolean);
  };
  const edges = last("#level=op");
  assert.equal(edges.length, run.edgeCount);
  const passes = last(`#level=${run.levels[0].name}`).filter(({ item }) => item !== undefined);
  for (const { came, went } of passes) assert.ok(came >= 0 && went >= 0);
});
test("what becomes of a gradient has one name", () => {
  for (const [came, went, fate] of [
    [1, 0, "nothing"],
    [1, 0.5, "less"],
    [1, 0.97, "about as much"],
    [1, 1.03, "about as much"],
    [1, 2, "more"],
    [1, Number.NaN, "what is no number"],
  ]) {
    assert.equal(fateOf(came, went), fate);
    assert.ok(FATES.filter(([, holds]) => holds(came, went)).length <= 1);
  }
});

test("breakpoints: there and back, and marked", () => {
  const state = stateOf("#event=0&break=2"),
    marks = marksOf(run, state);
  assert.ok(marks.length > 1);
  assert.equal(nextStop(run, state, 1), marks[0]);
  assert.equal(nextStop(run, { ...state, position: marks[1] }, -1), marks[0]);
  assert.equal(nextStop(run, { ...state, breaks: new Set() }, 1), state.events.length);
  const once = toggled(state, 7);
  assert.ok(once.breaks.has(7) && !state.breaks.has(7));
  assert.ok(!toggled(once, 7).breaks.has(7));
});
test("moving chooses what happens, and stays within the run", () => {
  const state = stateOf("#event=3");
  assert.equal(movedTo(state, -5).position, 0);
  assert.equal(movedTo(state, 1e9).position, state.events.length);
  assert.equal(movedTo(state, 9).chosen, state.events.at(8).subject);
});
test("up and down lead through all items", () => {
  const state = stateOf("#level=op");
  assert.equal(neighbour(run, { ...state, chosen: 0 }, -1), 0);
  assert.equal(neighbour(run, { ...state, chosen: 3 }, 1), 4);
});

test("a box's flow is the norm of what leaves it, and its ledger adds up to it", () => {
  const state = stateOf(`#event=99999&level=${run.levels[0].name}`),
    flows = flowsOf(run, state);
  assert.deepEqual(
    [...flows.keys()].sort(),
    boxes(state)
      .map((g) => g + run.count)
      .sort(),
  );
  for (const [item, flow] of flows) {
    const leaving = [...run.names.keys()].filter(
      (node) => state.scene.of[node] === item && state.scene.leaving[node],
    );
    const norm = Math.hypot(...leaving.map((node) => state.moment.gradient[node]));
    assert.ok(Math.abs(flow.size - norm) <= 1e-12 * norm);
    assert.equal(flow.complete, flow.of);
    assert.equal(saidOfBox(run, state, flow, flow.size).status.includes("complete"), true);
    const { came, went } = boxLedger(run, state, item);
    for (const { n, squares } of [...came.values(), ...went.values()])
      assert.ok(n > 0 && squares.norm >= 0);
  }
});
test("wherever a run is moved to, flows are as if it had been opened there", () => {
  const { name } = run.levels[0];
  for (const way of ["", "overwrite", "no sort"]) {
    const there = (position) => `#event=${position}&level=${name}&way=${way}`;
    const moved = stateOf(there(3)),
      { length } = moved.events;
    flowsOf(run, moved);
    for (const position of [run.count + 5, run.count + 9, length, run.count + 2, 7]) {
      Object.assign(moved, movedTo(moved, position));
      Object.assign(moved, momentOf(run, moved));
      const fresh = stateOf(there(position));
      assert.deepEqual(flowsOf(run, moved), flowsOf(run, fresh), `${way} ${position}`);
      assert.equal(moved.moment.largest, fresh.moment.largest);
    }
  }
});
test("norms neither overflow nor underflow", () => {
  const normOf = (...xs) => {
    const squares = new Squares();
    for (const x of xs) squares.add(x);
    return squares.norm;
  };
  for (const scale of [1e200, 1e-200])
    assert.ok(Math.abs(normOf(3 * scale, -4 * scale) / scale - 5) < 1e-14);
  assert.equal(normOf(), 0);
  assert.equal(normOf(1, -Infinity, Infinity), Infinity);
  assert.ok(Number.isNaN(normOf(1, Number.NaN, 2)));
});
test("how numbers are spread", () => {
  const { low, high, bars, zeros, odd, of } = spreadOf([0, 1, 1, -1, Number.NaN, Infinity]);
  assert.deepEqual([low, high, zeros, odd, of], [-1, 1, 1, 2, 6]);
  assert.equal(
    bars.reduce((a, b) => a + b),
    4,
  );
});

test("a search finds a name first, else all that have the text in them", () => {
  assert.deepEqual(search(run, run.names[3]), [3]);
  assert.deepEqual(search(run, "nowhere"), []);
  assert.deepEqual(search(run, "  "), []);
  assert.ok(search(run, "layers.0").length > 3);
});
test("columns of boxes run from what is used to what uses it", () => {
  const sizes = [0, 1, 2, 3].map(() => [100, 40]);
  const { centres, width, height } = arrange(
    sizes,
    [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
    ],
    PANE,
  );
  assert.ok(centres[0][0] < centres[1][0] && centres[1][0] < centres[3][0]);
  assert.equal(centres[1][0], centres[2][0]);
  assert.ok(width > 300 && height >= 98);
});
test("a wire goes around cards, and comes in on the side that it comes from", () => {
  // Two columns of cards, of which the one behind is in the way of the other, and a target.
  const card = (x, y) => ({ x, y, w: 168, h: 64 });
  for (const way of [1, -1]) {
    const places = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [186 * (i % 2), 82 * Math.floor(i / 2)]),
      rects = [...places, [420, 123]].map(([x, y]) => card(way * x, y)),
      items = [...rects.keys()],
      wires = items.slice(0, 8).map((arg) => ({ arg, node: 8 })),
      scene = { rects: new Map(rects.entries()), items, wires };
    for (const wire of wires) {
      const points = route({ isGroup: () => true, firstArg: [] }, scene, wire),
        [x, y] = points.at(-1),
        target = rects[8];
      assert.equal(way > 0 ? x : x - 7, way > 0 ? target.x : target.x + target.w);
      assert.ok((x - points.at(-2)[0]) * way > 0, "not from behind");
      assert.ok(y > target.y && y < target.y + target.h);
      for (let share = 0.02; share < 1; share += 0.02) {
        const [px, py] = pointOn(points, share);
        for (const item of items.filter((i) => i !== wire.arg && i !== wire.node)) {
          const r = rects[item];
          assert.ok(px <= r.x || px >= r.x + r.w || py <= r.y || py >= r.y + r.h);
        }
      }
    }
  }
});
test("the wires at an item are those that begin or end there, and so the wire of an edge is", () => {
  for (const { name } of run.levels) {
    const { scene } = stateOf(`#level=${name}`);
    for (const item of [...scene.items, ...scene.frames]) {
      const ends = scene.wires.filter(({ arg, node }) => arg === item || node === item);
      assert.deepEqual(wiresAt(scene, item), ends, name);
    }
    for (let e = 0; e < run.argOf.length; e++) {
      const [arg, node] = [scene.of[run.argOf[e]], scene.of[run.ownerOf[e]]];
      if (run.argOf[e] < 0 || arg === node) continue;
      const wire = wireOf(run, scene, e);
      assert.deepEqual([wire.arg, wire.node], [arg, node], name);
    }
  }
});
/** The scene of a loop whose turns are shown. */
function turnsShown(pane = PANE) {
  const { open } = loop.levels.find(({ name }) => name === "stages"),
    scene = sceneOf(loop, { open, sample: -1 }, pane),
    [frame] = scene.frames;
  return { open, scene, frame, fans: scene.wires.filter(({ ends }) => ends) };
}
test("a wire at the frame of a loop is found at each turn that it stands for", () => {
  const { scene, frame, fans } = turnsShown(),
    others = scene.wires.filter(({ ends }) => !ends);
  assert.equal(loop.groups[frame - loop.count].turns, 9);
  for (const fan of fans) {
    assert.ok(fan.arg === frame || fan.node === frame);
    for (const item of [fan.arg, fan.node, ...fan.ends])
      assert.ok(wiresAt(scene, item).includes(fan));
    assert.equal(fan.ends.length, fan.times);
    const isSame = ({ arg, node }) => fan.ends.includes(fan.arg === frame ? arg : node);
    assert.ok(
      !others.some(
        (wire) => isSame(wire) && (wire.arg === fan.outside || wire.node === fan.outside),
      ),
    );
  }
  // The edge of the moment goes to its own turn.
  for (let e = 0; e < loop.argOf.length; e++) {
    const [arg, node] = [scene.of[loop.argOf[e]], scene.of[loop.ownerOf[e]]];
    if (loop.argOf[e] < 0 || arg === node) continue;
    const wire = wireOf(loop, scene, e);
    assert.deepEqual([wire.arg, wire.node], [arg, node]);
  }
});
test("what few turns have, or a frame of something else, is no fan", () => {
  const few = new Fan(9);
  for (const turn of [0, 1, 2, 3]) few.add(1, turn, 10 + turn, 100 + turn);
  assert.deepEqual(few.found(new Set()), []);
  few.add(1, 3, 20, 110); // of the same turn
  assert.deepEqual(few.found(new Set()), []);
  few.add(1, 4, 14, 104);
  assert.deepEqual(few.found(new Set()), [
    { outside: 1, times: 5, ends: [10, 11, 12, 13, 20, 14] },
  ]);
  assert.deepEqual(few.found(new Set([104])), []);
  assert.ok(run.groups.every(({ turns }) => turns === 0));
  const shown = turnsShown().open,
    [closed, ...others] = [...loop.levels.at(-1).open].filter((g) => !shown.has(g)),
    open = new Set([...shown, ...others]),
    { wires, items } = sceneOf(loop, { open, sample: -1 }, PANE);
  assert.ok(items.includes(loop.count + closed));
  assert.deepEqual(
    wires.filter(({ ends }) => ends).map(({ times }) => times),
    [9, 8],
    "the weights are outside, and so are the losses, each of one turn",
  );
});
test("wires end apart from each other at a frame, on its sides, and say of how many turns", () => {
  for (const pane of [PANE, { width: 1200, height: 500 }, { width: 350, height: 700 }]) {
    const { scene, frame, fans } = turnsShown(pane),
      { x, y, w, h } = scene.rects.get(frame),
      ends = fans.map((fan) =>
        fan.node === frame ? route(loop, scene, fan).at(-1) : route(loop, scene, fan)[0],
      );
    for (const [px, py] of ends) {
      const isBeside = Math.min(Math.abs(px - x), Math.abs(px - x - w)) < 1 && py > y && py < y + h,
        isAbove = Math.min(Math.abs(py - y), Math.abs(py - y - h)) < 1 && px > x && px < x + w;
      assert.ok(isBeside || isAbove);
    }
    for (const [i, [ax, ay]] of ends.entries())
      for (const [bx, by] of ends.slice(i + 1)) assert.ok(Math.hypot(ax - bx, ay - by) >= 9);
  }
  assert.deepEqual(
    timesAt(
      [
        [0, 0],
        [10, 0],
        [40, 20],
        [50, 20],
      ],
      true,
    ),
    [33, 15],
  );
  assert.deepEqual(
    timesAt(
      [
        [0, 0],
        [0, 10],
        [40, 20],
        [50, 20],
      ],
      false,
    ),
    [17, 21],
  );
});
test("parts stand behind their arguments, and in a circle the first is first", () => {
  const links = (...pairs) => pairs.map(([arg, node]) => ({ arg, node })),
    told = (list, ...pairs) => inOrder([...list], links(...pairs)).join("");
  assert.equal(told("abc", "ab", "bc"), "abc");
  assert.equal(told("cab", "ab", "bc"), "abc");
  assert.equal(told("cadb", "ab", "bc"), "adbc", "what is free stays in its order");
  assert.equal(told("abcd", "ab", "bc", "ca", "cd"), "abcd");
  assert.equal(told("xabcd", "dx", "ab", "bc", "ca", "cd"), "abcdx");
});
test("what is written at a wire covers no card, be it between columns that stand close", () => {
  const { x, y } = GAP,
    at = (column, row) => ({ x: column * (108 + x), y: row * (58 + y), w: 108, h: 58 }),
    cards = [0, 1, 2].flatMap((row) => [at(0, row), at(1, row)]);
  for (const [from, to] of [
    [0, 0],
    [0, 1],
    [2, 1],
    [1, 1],
  ]) {
    const [ay, by] = [at(0, from).y + 29, at(1, to).y + 29],
      points = [
        [108, ay],
        [124, ay],
        [124, by],
        [108 + x, by],
      ],
      [w, h] = [52, 16],
      [px, py] = freePlace(cards, points, w, h);
    for (const r of cards)
      assert.ok(
        px + w / 2 <= r.x ||
          px - w / 2 >= r.x + r.w ||
          py + h / 2 <= r.y ||
          py - h / 2 >= r.y + r.h,
      );
    assert.ok(Math.abs(py - (ay + by) / 2) <= 48 && Math.abs(px - 124) <= 42, "and is near");
  }
});
test("turns stand in the order in which they are run, whenever their last nodes are computed", () => {
  const { scene, frame } = turnsShown({ width: 3000, height: 300 }),
    turns = scene.items.filter((item) => loop.parentOf(item) === frame - loop.count),
    byTitle = (item) => Number(loop.groups[item - loop.count].title.replace("stage ", ""));
  const xs = turns
    .toSorted((a, b) => byTitle(a) - byTitle(b))
    .map((item) => scene.rects.get(item).x);
  assert.deepEqual(
    xs,
    xs.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(xs).size, 9);
});
/** Whether a wire runs behind one of some cards. */
const isBehind = (points, rects) => {
  for (let share = 0.005; share < 1; share += 0.005) {
    const [x, y] = pointOn(points, share);
    if (rects.some((r) => x > r.x && x < r.x + r.w && y > r.y && y < r.y + r.h)) return true;
  }
  return false;
};
test("no wire runs behind a card or over the title of a frame", () => {
  for (const { name } of run.levels) {
    const { scene } = stateOf(`#level=${name}`);
    const inTheWay = [...scene.items.map((item) => scene.rects.get(item)), ...(scene.titles ?? [])];
    for (const wire of scene.flat ? [] : scene.wires) {
      const ends = [scene.rects.get(wire.arg), scene.rects.get(wire.node)];
      const others = inTheWay.filter((rect) => !ends.includes(rect));
      assert.ok(!isBehind(route(run, scene, wire), others), name);
    }
  }
});
test("lanes lead from any card to any other, whatever stands between them", () => {
  let seed = 1;
  const random = (n) => {
    seed = (seed * 48271) % 2147483647;
    return seed % n;
  };
  for (let turn = 0; turn < 20; turn++) {
    // Columns of cards of two sizes, with gaps as they are in a scene.
    const rects = [];
    for (let column = 0; column < 5; column++)
      for (let y = random(40), n = 1 + random(6); n > 0; n--) {
        const [w, h] = random(2) ? [168, 64] : [112, 60];
        rects.push({ x: 200 * column + (168 - w) / 2, y, w, h });
        y += h + 18 + 30 * random(3);
      }
    const grid = gridOf(rects);
    for (const a of rects)
      for (const b of [rects[random(rects.length)], rects[random(rects.length)]]) {
        if (a === b) continue;
        const turns = wayTo(grid, a, b),
          sides = [turns[0].way, (turns.at(-1).way + 2) % 4];
        for (const turn of turns) turn.aside = random(3) * 4 - 4;
        const points = alongLanes(turns, doorsOf(a, 0)[sides[0]], doorsOf(b, 7)[sides[1]]);
        assert.equal(points.length % 3, 1);
        assert.ok(
          !isBehind(
            points,
            rects.filter((rect) => rect !== a && rect !== b),
          ),
        );
      }
  }
});
test("a condition that can't hold says why", () => {
  const problem = (name, typed) => problemOf(run, name, typed);
  assert.deepEqual(
    [
      ["above", ""],
      ["above", "0,5"],
      ["above", "1/8"],
      ["op", " dot "],
      ["op", "/"],
      ["module", "layers.0"],
      ["module", "neurons"],
    ].map((told) => problem(...told)),
    Array(7).fill(""),
  );
  assert.match(problem("above", "-1"), /from 0 on/);
  assert.match(problem("above", "many"), /from 0 on/);
  assert.equal(problem("op", "tahn"), "no node has the op tahn");
  assert.equal(problem("module", "layer"), "no node is in layer");
});
test("a level out is the finest that is coarser", () => {
  for (const [l, { open }] of run.levels.entries()) assert.equal(coarser(run, { open }), l - 1);
  const [, { open }] = run.levels;
  assert.equal(coarser(run, opened(run, { open, chosen: 0 }, run.groups.length - 1)), 1);
});
test("where a wire leaves a card on one side and another comes in, they do so apart", () => {
  const rects = new Map([
    [0, { x: 0, y: 0, w: 112, h: 60 }],
    [1, { x: 200, y: 40, w: 112, h: 60 }],
    [2, { x: 0, y: 100, w: 112, h: 60 }],
    [3, { x: 400, y: 40, w: 112, h: 60 }],
  ]);
  const wires = [
    { arg: 0, node: 1 },
    { arg: 1, node: 2 },
    { arg: 1, node: 3 },
  ];
  const scene = { rects, items: [0, 1, 2, 3], wires },
    free = { isGroup: () => false, firstArg: [] },
    [into, back, on] = wires.map((wire) => route(free, scene, wire));
  assert.deepEqual([into.at(-1)[0], back[0][0]], [200, 200], "both on the left");
  assert.ok(into.at(-1)[1] - back[0][1] > 12);
  assert.deepEqual(on[0], [312, 70], "alone, it is in the middle");
});
test("a card in a block is reached on each side, and ways of two cards in one lane lie side by side", () => {
  const rects = [];
  for (let row = 0; row < 4; row++)
    for (let column = 0; column < 4; column++)
      rects.push({ x: 130 * column, y: 78 * row, w: 112, h: 60 });
  const grid = gridOf(rects),
    ways = [1, 2].map((k) => wayTo(grid, rects[k], rects[8 + k]));
  for (const turns of ways) assert.ok(turns.length >= 3);
  const taken = new Map();
  ways.forEach((turns, k) => {
    setApart(taken, k, turns);
    setApart(taken, k, structuredClone(turns));
  });
  for (const lane of taken.values())
    for (const one of lane)
      for (const other of lane) {
        if (one.low > other.high || other.low > one.high) continue;
        assert.equal(one.aside === other.aside, one.source === other.source);
      }
});
test("names for little room", () => {
  assert.equal(short("abcdefgh", 5), "abc…h");
  assert.equal(brief("layers.0.neurons.3.w", 13), "….neurons.3.w");
  assert.equal(brief("token.weight.*.*", 16), "token.weight.*.*");
  assert.equal(brief("token.weight.*.*", 13), "token.weight");
  assert.equal(brief("position.weight.*.*", 13), "posit….weight");
  assert.equal(tight(1 / 3, 5), "0.333");
  assert.equal(tight(-0), "0.0");
});
test("the givers of a ledger stand below their place, by sample or by use", () => {
  const names = ["n0", "w", "n2", "n3", "n4", "n5", "n6", "x"],
    places = ["a.0", "", "a.0", "a.0", "a.1", "", "a.0", ""],
    users = [0, 1, 2, 3, 4, 5, 6];
  const few = {
    names,
    samples: ["sample 0", "sample 7"],
    sampleOf: [0, -1, 0, 1, 1, -1, -1, -1],
    scopeOf: (node) => places[node],
    formOf: names.map(() => ({ symbol: "+" })),
    groups: [],
    around: () => [],
    usesOf: () => users.map((_, e) => e),
    ownerOf: users,
  };
  const plainly = (text) => text.replaceAll("\u00a0", " ");
  const said = (run, ...nodes) =>
    giversOf(run, 7, nodes, (node) => (node === 5 || node === 1 ? "box" : "")).map(
      ({ head, text }) => `${head}|${plainly(text)}`,
    );
  assert.deepEqual(said(few, 2, 3, 6, 4, 1, 5), [
    "a.0|sample 0 · use 2",
    "|sample 7",
    "|n6",
    "|sample 7 · a.1",
    "box|w",
    "|n5",
  ]);
  assert.deepEqual(said(few, 0, 4), ["|sample 0 · use 1 · a.0", "|sample 7 · a.1"]);
  const alone = { ...few, samples: [], sampleOf: names.map(() => -1) };
  assert.deepEqual(said(alone, 3, 0, 5), ["a.0|use 3", "|use 1", "|box"]);
  const turns = turnsOf(alone, 7);
  assert.deepEqual(
    users.map((user) => plainly(turns.get(user))),
    ["use 1", "", "use 2", "use 3", "", "", "use 4"],
  );
});
test("uses without a path are called by the turn of a loop, or by the box of user and leaf", () => {
  const keep = loop.names.indexOf("keep"),
    users = Array.from(loop.usesOf(keep), (e) => loop.ownerOf[e]),
    said = (run, of) => giversOf(run, keep, of, () => "").map(({ text }) => text);
  assert.deepEqual(
    said(loop, users),
    [...users.keys()].map((k) => `stage ${k}`),
  );
  const groups = [
    { level: 0, title: "network", parent: -1 },
    { level: 1, title: "linear", parent: 0 },
  ];
  const around = (inner) => ({ ...loop, groups, around: () => inner });
  assert.deepEqual(said(around([1, 0]), users.slice(0, 1)), ["use\u00a01\u00a0· linear"]);
  assert.deepEqual(said(around([0]), users.slice(0, 1)), [loop.names[users[0]]]);
});
test("a graph that is small in a pane stands in rows, if it is larger so", async () => {
  const neuron = await runOf("neuron"),
    state = stateAt(neuron, "", 0),
    phone = { width: 360, height: 420 };
  const drawn = sceneOf(neuron, state, PANE),
    { items, frames, rects, bounds } = sceneOf(neuron, state, phone);
  assert.ok(scaleOf(drawn.bounds, PANE) >= EASY);
  assert.ok(scaleOf(bounds, phone) > scaleOf(drawn.bounds, phone));
  assert.equal(items.length, neuron.count);
  assert.deepEqual(frames, []);
  // So does one that Graphviz has not laid out.
  const own = sceneOf({ ...neuron, at: [], routes: [] }, state, PANE);
  assert.deepEqual(own.frames, []);
  assert.ok(scaleOf(own.bounds, PANE) >= EASY);
  // And no wire runs behind a card.
  const uses = { ...(await runOf("shared")), at: [], routes: [] },
    row = sceneOf(uses, stateAt(uses, "", 0), PANE);
  for (const wire of row.wires) {
    const others = row.items.filter((item) => item !== wire.arg && item !== wire.node);
    assert.ok(
      !isBehind(
        route(uses, row, wire),
        others.map((item) => row.rects.get(item)),
      ),
    );
  }
  const isApart = (a, b) => a.x + a.w <= b.x || a.y + a.h <= b.y;
  for (const a of rects.values())
    for (const b of rects.values()) assert.ok(a === b || isApart(a, b) || isApart(b, a));
});
test("a line of Python in parts", () => {
  assert.deepEqual(
    parsed('x = f("a") # b').filter(([kind]) => kind),
    [
      ["string", '"a"'],
      ["comment", "# b"],
    ],
  );
  assert.deepEqual(parsed("return x")[0], ["word", "return"]);
});
