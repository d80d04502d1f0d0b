"""What repeats one after the other where there are no modules: layers of one's own, steps in time.

What is alike in shape is one box; a stretch of boxes that comes again, each time applied to what
it gave before, is a stage. Stages are stretches of one order, so no arrow leads around in a circle.

>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> h = Value(1.0, label="h")
>>> for _ in range(3):
...     h = (h * Value(2.0)).tanh()
>>> structure = Structure(trace(h)[0])
>>> stages_of(structure, [0, 1, 2, 3, 1, 4, 5, 1, 6, 7]).of  # the weights are one box
[-1, 0, 0, 0, 1, 1, 1, 2, 2, 2]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from autograd.drawing.structure import Structure

MOST_PERIODS = 8
"""Lengths of a stage that are tried: the most frequent distances between boxes that are alike."""

LEAST_SHARE = 4
"""A stretch of stages is at least the fourth part of all boxes."""

FEWEST_USERS = 4
"""So many boxes use what counts as used all the way."""


class Stages(NamedTuple):
    """The stages of a graph.

    Attributes:
        of: by position of the node, the stage that it is part of; -1 for none.
        run: by stage, which stretch of alike stages it is in.
    """

    of: list[int]
    run: list[int]


class _Run(NamedTuple):
    """Boxes that come again: from the first on, so many in all, so many a stage."""

    first: int
    length: int
    period: int


def stages_of(structure: Structure, boxes: Sequence[int]) -> Stages | None:
    """Return the stages of what is alike, as far as there are any.

    Args:
        boxes: by position of the node, its box; leaves have boxes of their own.

    Cost: linear in nodes and edges.
    """
    args = _arguments(structure, boxes)
    found = _ordered(boxes[-1], args)
    prepared = _prepared(found, args)
    order = [box for box in found if box not in prepared]
    rank = {box: k for k, box in enumerate(order)}
    op_of = {b: node.op.name for b, node in zip(boxes, structure.nodes, strict=True) if node.op}
    ops = [op_of[box] for box in order]
    told = [
        (
            op_of[box],
            sum(arg not in rank for arg in args[box]),
            *sorted(k - rank[arg] for arg in args[box] if arg in rank),
        )
        for k, box in enumerate(order)
    ]
    runs = _runs(told, ops)
    if not runs:
        return None
    stage_of: dict[int, int] = {}
    run_of: list[int] = []
    for number, run in enumerate(runs):
        for k in range(run.length):
            stage_of[order[run.first + k]] = len(run_of) + k // run.period
        run_of += [number] * -(-run.length // run.period)
    of = [stage_of.get(box, -1) for box in boxes]
    _claim_leaves(structure, boxes, rank, of)
    return Stages(of, run_of)


def _arguments(structure: Structure, boxes: Sequence[int]) -> dict[int, dict[int, None]]:
    """Return the boxes of each box's arguments, in order; none for those of leaves."""
    args: dict[int, dict[int, None]] = {box: {} for box in boxes}
    for box, positions in zip(boxes, structure.args, strict=True):
        for arg in positions:
            if boxes[arg] != box:
                args[box][boxes[arg]] = None
    return args


def _ordered(root: int, args: dict[int, dict[int, None]]) -> list[int]:
    """Return the boxes of ops, arguments first and what is used together near each other."""
    order: list[int] = []
    seen = {root}
    waiting = [(root, iter(args[root]))]
    while waiting:
        box, others = waiting[-1]
        other = next((other for other in others if other not in seen), None)
        if other is not None:
            seen.add(other)
            waiting.append((other, iter(args[other])))
        else:
            waiting.pop()
            if args[box]:
                order.append(box)
    return order


def _prepared(order: Sequence[int], args: dict[int, dict[int, None]]) -> set[int]:
    """Return what is computed at first and used all the way, such as a constant of a simulation.

    With it comes what it is computed from, so that no arrow leads back into it.
    """
    users: dict[int, list[int]] = {box: [] for box in order}
    for k, box in enumerate(order):
        for arg in args[box]:
            if args[arg]:
                users[arg].append(k)
    waiting = [
        box
        for box in order[: len(order) // 4]
        if len(users[box]) >= FEWEST_USERS and users[box][-1] - users[box][0] > len(order) // 2
    ]
    found: set[int] = set()
    while waiting:
        box = waiting.pop()
        if box not in found and args[box]:
            found.add(box)
            waiting += args[box]
    return found


def _runs(told: Sequence[object], ops: Sequence[str]) -> list[_Run]:
    """Return the stretches that repeat, from the first to the last."""
    found: list[_Run] = []
    waiting = [(0, len(told))]
    while waiting:
        start, end = waiting.pop()
        run = _longest(told, ops, start, end)
        if run is not None and LEAST_SHARE * run.length >= len(told):
            found.append(run)
            waiting += [(start, run.first), (run.first + run.length, end)]
    return sorted(found)


def _longest(told: Sequence[object], ops: Sequence[str], start: int, end: int) -> _Run | None:
    """Return the repetition that covers most of the boxes between two places."""
    distances: Counter[int] = Counter()
    last: dict[object, int] = {}
    for k in range(start, end):
        if told[k] in last:
            distances[k - last[told[k]]] += 1
        last[told[k]] = k
    best: _Run | None = None
    for period, _ in distances.most_common(MOST_PERIODS):
        first = start
        while first < end - period:
            stop = first
            while stop < end - period and told[stop] == told[stop + period]:
                stop += 1
            if stop > first:
                # What comes first is applied to an input, and differs in that alone.
                floor = max(start, first - period)
                while first > floor and ops[first - 1] == ops[first - 1 + period]:
                    first -= 1
                length = stop - first + period
                # A last one may lack its end: a layer without an activation.
                length -= length % period if 2 * (length % period) <= period else 0
                run = _Run(first, length, period)
                if length >= 2 * period and (best is None or _is_better(run, best)):
                    best = run
            first = stop + 1
    return best


def _is_better(run: _Run, other: _Run) -> bool:
    return (run.length, -run.period) > (other.length, -other.period)


def _claim_leaves(
    structure: Structure, boxes: Sequence[int], rank: dict[int, int], of: list[int]
) -> None:
    """Give each stage the parameters that are its own; what one stage alone has is an input.

    A penalty may use them, too, but nothing that comes before: no arrow leads back.
    """
    users: dict[int, list[int]] = {}
    for i, args in enumerate(structure.args):
        for arg in args:
            if structure.nodes[arg].op is None:
                users.setdefault(arg, []).append(i)
    own: dict[int, int] = {}
    spread: dict[int, set[int]] = {}
    for leaf, uses in users.items():
        stages = {of[i] for i in uses} - {-1}
        first = min(rank.get(boxes[i], -1) for i in uses)
        if len(stages) == 1 and any(of[i] >= 0 and rank[boxes[i]] == first for i in uses):
            own[leaf] = stages.pop()
            spread.setdefault(boxes[leaf], set()).add(own[leaf])
    for leaf, stage in own.items():
        if len(spread[boxes[leaf]]) > 1:
            of[leaf] = stage
