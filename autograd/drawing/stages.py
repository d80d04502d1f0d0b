"""What repeats one after the other where there are no modules: layers of one's own, steps in time.

Boxes of equal ops that are surrounded alike, in what they are computed from or in what they are
used for, are of one kind: what is applied to an input differs in the former, what gives the result
in the latter. Kinds that feed each other in a circle are a repetition; how often the circle is run
through before a box tells its stage. Stages follow each other, so no arrow leads around them.

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
from collections.abc import Callable, Hashable, Sequence, Set
from typing import NamedTuple

from autograd.disjoint import DisjointSets
from autograd.drawing.boxes import (
    arguments,
    circles_of,
    links_of,
    modules_before,
    ordered,
    users_of,
)
from autograd.drawing.structure import Structure

DEPTHS = (3, 2)
"""How many links from two boxes a difference is looked for; the fewer, the more is alike."""

FEW_BOXES = 12
"""So few boxes are a picture; nothing more has to be alike for it."""

MANY_BOXES = 30
"""So many boxes are none: whatever makes them fewer is welcome."""


class Stages(NamedTuple):
    """The stages of a graph.

    Attributes:
        of: by position of the node, the stage that it is part of; -1 for none.
        run: by stage, which repetition it is in.
        part: by position of the node, what it is in its stage, or outside of any.
    """

    of: list[int]
    run: list[int]
    part: list[int]


class _Kinds(NamedTuple):
    """What is alike, as boxes of ops see it.

    Attributes:
        of: by box, its kind.
        circle: by box, the kinds that feed each other, in the order in which they are computed.
        members: by circle that is run through more than once, its boxes in order.
        size: how many boxes there are if each of these is one.
    """

    of: dict[int, int]
    circle: dict[int, int]
    members: dict[int, list[int]]
    size: int


def stages_of(structure: Structure, boxes: Sequence[int]) -> Stages | None:
    """Return the stages of what is alike, as far as there are any.

    What is in a module is part of none: the circles are those of what is around the modules. What
    is before a module and what is after it are never alike, or it would seem to feed itself.

    Args:
        boxes: by position of the node, its box; leaves have boxes of their own.

    Cost: linear in nodes and edges.
    """
    args = arguments(structure, boxes)
    modules = {box for box, place in zip(boxes, structure.place, strict=True) if place}
    users = users_of(args)
    before, loops = modules_before(args, modules)
    ends = [boxes[-1], *(arg for box in modules for arg in args[box])]
    args.update((box, {}) for box in modules)
    pairs = zip(boxes, structure.does, strict=True)
    ops: dict[int, Hashable] = {box: (does, before[box]) for box, does in pairs if does}
    order = [box for box in ordered(ends, args) if box in ops and box not in modules]

    def apart(kind: dict[int, int]) -> dict[int, int]:
        return _apart(order, args, kind, before, loops)

    kinds = _kinds(order, ops, args, users, apart)
    if kinds is None or (modules and not kinds.members):
        return None
    stage_of: dict[int, int] = {}
    run_of: list[int] = []
    for circle in sorted(kinds.members):
        turns = _turns(kinds.members[circle], args, kinds.of)
        stage_of.update((box, len(run_of) + turn) for box, turn in turns.items())
        run_of += [len(set(run_of))] * (max(turns.values()) + 1)
    _claim_first(order, ops, args, users, kinds.of, stage_of, run_of)
    last = len(run_of)
    rank = {b: (kinds.circle[b], stage_of.get(b, last + k)) for k, b in enumerate(order)}
    of = [stage_of.get(box, -1) for box in boxes]
    if not modules:
        claim_leaves(structure, boxes, rank, of)
    parts = _parts(order, args, kinds, stage_of)
    leaves = len(order)
    part = [parts[box] if box in parts else leaves + box for box in boxes]
    return Stages(of, run_of, part)


def _kinds(
    order: list[int],
    ops: dict[int, Hashable],
    args: dict[int, dict[int, None]],
    users: dict[int, dict[int, None]],
    apart: Callable[[dict[int, int]], dict[int, int]],
) -> _Kinds | None:
    """Return what is alike, looking as far around as still gives a picture; None if no stages."""
    found: list[_Kinds] = []
    for depth in DEPTHS:
        kinds = _in_circles(order, args, apart(_alike(order, ops, args, users, depth)))
        if kinds.members or len(order) > MANY_BOXES:
            found.append(kinds)
            if kinds.size <= FEW_BOXES:
                break
    return min(found, key=lambda kinds: kinds.size, default=None)


def _alike(
    order: list[int],
    ops: dict[int, Hashable],
    args: dict[int, dict[int, None]],
    users: dict[int, dict[int, None]],
    depth: int,
) -> dict[int, int]:
    """Return the kind of each box: those that look alike so far down or so far up share it."""
    kinds = DisjointSets(order)
    for around in (args, users):
        seen = _seen(order, ops, around, depth)
        example: dict[int, int] = {}
        for box in order:
            kinds.join(box, example.setdefault(seen[box], box))
    return {box: kinds.first(box) for box in order}


def _apart(
    order: list[int],
    args: dict[int, dict[int, None]],
    kind: dict[int, int],
    before: dict[int, int],
    loops: Set[int],
) -> dict[int, int]:
    """Return kinds, but of those in a loop around modules, what comes after it is apart.

    Its last turn, which feeds nothing, is not: that is what follows on the loop's kinds alone.
    """
    within = {kind[box] for box in order if box in loops}
    late: set[int] = set()
    example: dict[tuple[int, bool], int] = {}
    found: dict[int, int] = {}
    for box in order:
        after = any(arg in late and before[arg] == before[box] for arg in args[box])
        if box not in loops and (after or kind[box] not in within):
            late.add(box)
        found[box] = example.setdefault((kind[box], box in late), box)
    return found


def _seen(
    order: list[int], ops: dict[int, Hashable], around: dict[int, dict[int, None]], depth: int
) -> dict[int, int]:
    """Return what each box looks like, as a number: its op, and those so many links from it."""
    number: dict[object, int] = {}
    seen = {box: number.setdefault(ops[box], len(number)) for box in order}

    def leaf(other: int) -> int:
        return -2 - other if other in ops else -1  # the box of a module is like no other

    for _ in range(depth):
        known: dict[object, int] = {}
        further = {}
        for box in order:
            others = frozenset(seen.get(other, leaf(other)) for other in around[box])
            further[box] = known.setdefault((seen[box], others), len(known))
        seen = further
    return seen


def _in_circles(order: list[int], args: dict[int, dict[int, None]], kind: dict[int, int]) -> _Kinds:
    """Return kinds with their circles; boxes of circles that aren't run through are no kinds."""
    links = links_of(order, args, kind)
    circles = circles_of(links)
    members: dict[int, list[int]] = {}
    for box in order:
        members.setdefault(circles[kind[box]], []).append(box)
    repeated = []
    alone: set[int] = set()
    for found in members.values():
        again = _without_given(_that_repeat(found, args, kind), args, kind)
        if again and _is_regular(again, args, kind):
            repeated.append(again)
            alone.update(set(found).difference(again))
        elif len({kind[box] for box in found}) > 1 or again:
            alone.update(found)
    # What a circle isn't computed from comes after it, such as a penalty on its parameters.
    begin = [kind[again[0]] for again in repeated]
    circles = circles_of({k: links[k] for k in dict.fromkeys([*begin, *links])})
    circle = {box: circles[kind[box]] for box in order}
    of = {box: box if box in alone else -1 - kind[box] for box in order}
    within = {box: circle[box] for again in repeated for box in again}
    size = len({(box in within, within.get(box, of[box])) for box in order})
    return _Kinds(of, circle, {circle[again[0]]: again for again in repeated}, size)


def _that_repeat(
    members: list[int], args: dict[int, dict[int, None]], kind: dict[int, int]
) -> list[int]:
    """Return the boxes of a circle that are connected by turns; others only look like them."""
    groups = DisjointSets(members)
    for box in members:
        for arg in args[box]:
            if arg in groups:
                groups.join(arg, box)
    connected: dict[int, list[int]] = {}
    for box in members:
        connected.setdefault(groups.first(box), []).append(box)
    again = {
        group
        for group, found in connected.items()
        if len(found) > 1 and max(_turns(found, args, kind).values()) > 0
    }
    return [box for box in members if groups.first(box) in again]


def _without_given(
    members: list[int], args: dict[int, dict[int, None]], kind: dict[int, int]
) -> list[int]:
    """Return the boxes that are of one turn: not what is computed before, and given to several."""
    if not members:
        return members
    turns = _turns(members, args, kind)
    within = {box: [arg for arg in args[box] if arg in turns] for box in members}
    used_in: dict[int, set[int]] = {}
    for box in members:
        for arg in within[box]:
            used_in.setdefault(arg, set()).add(turns[box])
    return [box for box in members if within[box] or len(used_in.get(box, ())) < 2]


def _is_regular(members: list[int], args: dict[int, dict[int, None]], kind: dict[int, int]) -> bool:
    """Return whether there are twice as many boxes as kinds, and most turns are alike.

    That is, they do the same in the same order. The first and the last one may differ; of two or
    three, nobody can tell which do.
    """
    turns = _turns(members, args, kind)
    length: dict[int, int] = {}  # of the way to each box in its turn
    done: dict[int, set[tuple[int, ...]]] = {}
    for box in members:
        its = [arg for arg in args[box] if arg in turns]
        length[box] = 1 + max((length[a] for a in its if turns[a] == turns[box]), default=0)
        links = {(length[box], kind[box], kind[arg]) for arg in its}
        done.setdefault(turns[box], set()).update(links)
    inner = [frozenset(done[turn]) for turn in range(1, len(done) - 1)]
    most = max(Counter(inner).values(), default=0)
    return len(members) >= 2 * len({kind[box] for box in members}) and (
        len(inner) < 2 or 2 * most >= len(inner)
    )


def _turns(
    members: list[int], args: dict[int, dict[int, None]], kind: dict[int, int]
) -> dict[int, int]:
    """Return how often the circle was run through before each of its boxes.

    Most kinds come once a turn; the first of them tells where one begins.
    """
    kinds = [kind[box] for box in members]
    place = {box: i for i, box in enumerate(members)}
    before = [[place[arg] for arg in args[box] if arg in place] for box in members]
    often = [_passed(kinds, before, k) for k in list(dict.fromkeys(kinds))[:MOST_KINDS]]
    counts = Counter(times for passed in often if (times := max(passed)) > 1) or Counter([1])
    times = max(counts, key=lambda times: (counts[times], -times))
    passed = next((passed for passed in often if max(passed) == times), often[0])
    return {box: max(0, count - 1) for box, count in zip(members, passed, strict=True)}


MOST_KINDS = 64
"""Kinds of a circle that are counted, those computed first, so that it takes linear time."""


def _passed(kinds: list[int], before: list[list[int]], counted: int) -> list[int]:
    """Return how many boxes of a kind are on the way to each box, itself included, at most.

    Args:
        kinds: of the boxes in order.
        before: where the boxes stand that each is computed from.
    """
    passed: list[int] = []
    for kind, its in zip(kinds, before, strict=True):
        most = 0
        for i in its:
            if passed[i] > most:
                most = passed[i]
        passed.append(most + (kind == counted))
    return passed


def _parts(
    order: list[int], args: dict[int, dict[int, None]], kinds: _Kinds, stage_of: dict[int, int]
) -> dict[int, int]:
    """Return the part of each box: its kind, in its stage; kinds that feed each other are one."""
    number: dict[tuple[int, int], int] = {}
    group = {
        box: number.setdefault((stage_of.get(box, -1), kinds.of[box]), len(number)) for box in order
    }
    circles = circles_of(links_of(order, args, group))
    return {box: circles[group[box]] for box in order}


def _claim_first(
    order: list[int],
    ops: dict[int, Hashable],
    args: dict[int, dict[int, None]],
    users: dict[int, dict[int, None]],
    kind: dict[int, int],
    stage_of: dict[int, int],
    run_of: list[int],
) -> None:
    """Give the first stage of a run what the others have, too, but that has only leaves there.

    So has what a recurrent cell makes of its first input, as there is no state yet.
    """
    first = {run_of.index(run): run for run in set(run_of)}
    given: dict[tuple[Hashable, int], set[int]] = {}  # the kinds that use what an op gives
    for box, stage in stage_of.items():
        its = (kind[user] for user in users[box] if user in kind)
        given.setdefault((ops[box], run_of[stage]), set()).update(its)
    for box in order:
        stages = {stage_of.get(user, -1) for user in users[box]}
        if len(stages) == 1 and first.keys() >= stages and not any(arg in ops for arg in args[box]):
            stage = stages.pop()
            known = given.get((ops[box], first[stage]), set())
            if box not in stage_of and known.issuperset(kind[user] for user in users[box]):
                stage_of[box] = stage


def claim_leaves(
    structure: Structure, boxes: Sequence[int], rank: dict[int, tuple[int, int]], of: list[int]
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
        first = min(rank[boxes[i]] for i in uses)
        if len(stages) == 1 and any(of[i] >= 0 and rank[boxes[i]] == first for i in uses):
            own[leaf] = stages.pop()
            spread.setdefault(boxes[leaf], set()).add(own[leaf])
    for leaf, stage in own.items():
        if len(spread[boxes[leaf]]) > 1:
            of[leaf] = stage
