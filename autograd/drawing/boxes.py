"""Boxes as a graph: what each is computed from, in what order, and what feeds itself in a circle.

>>> x, cell, tanh, square = range(4)
>>> args = {x: {}, cell: {x: None, tanh: None}, tanh: {cell: None}, square: {tanh: None}}
>>> circles_of(args)
{0: 0, 2: 1, 1: 1, 3: 2}
>>> modules_before(args, {cell})
({0: 0, 2: 1, 1: 1, 3: 1}, {1, 2})
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from autograd.drawing.structure import Structure


def arguments(structure: Structure, boxes: Sequence[int]) -> dict[int, dict[int, None]]:
    """Return the boxes of each box's arguments, in order; none for those of leaves."""
    args: dict[int, dict[int, None]] = {box: {} for box in boxes}
    for box, positions in zip(boxes, structure.args, strict=True):
        for arg in positions:
            if boxes[arg] != box:
                args[box][boxes[arg]] = None
    return args


def users_of(args: dict[int, dict[int, None]]) -> dict[int, dict[int, None]]:
    """Return the boxes that use each box, in order."""
    users: dict[int, dict[int, None]] = {box: {} for box in args}
    for box, its in args.items():
        for arg in its:
            users[arg][box] = None
    return users


def ordered(ends: Iterable[int], args: Mapping[int, Iterable[int]]) -> list[int]:
    """Return the boxes, arguments first and what is used together near each other."""
    order: list[int] = []
    seen: set[int] = set()
    for end in ends:
        waiting = [] if end in seen else [(end, iter(args[end]))]
        seen.add(end)
        while waiting:
            box, others = waiting[-1]
            other = next((other for other in others if other not in seen), None)
            if other is not None:
                seen.add(other)
                waiting.append((other, iter(args[other])))
            else:
                waiting.pop()
                order.append(box)
    return order


def links_of(
    order: list[int], args: dict[int, dict[int, None]], group: Mapping[int, int]
) -> dict[int, dict[int, None]]:
    """Return the groups that each group of boxes is computed from, itself left out."""
    links: dict[int, dict[int, None]] = {group[box]: {} for box in order}
    for box in order:
        for arg in args[box]:
            if arg in group and group[arg] != group[box]:
                links[group[box]][group[arg]] = None
    return links


def circles_of(links: dict[int, dict[int, None]]) -> dict[int, int]:
    """Return the strongly connected component of each; none has a link to one of higher number.

    Source: Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1, 1972.
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    found: dict[int, int] = {}
    path: list[int] = []
    count = 0
    for start in links:
        if start in index:
            continue
        waiting = [(start, iter(links[start]))]
        index[start] = low[start] = len(index)
        path.append(start)
        while waiting:
            here, others = waiting[-1]
            for other in others:
                if other not in index:
                    index[other] = low[other] = len(index)
                    path.append(other)
                    waiting.append((other, iter(links[other])))
                    break
                if other not in found:
                    low[here] = min(low[here], index[other])
            else:
                waiting.pop()
                if waiting:
                    above = waiting[-1][0]
                    low[above] = min(low[above], low[here])
                if low[here] == index[here]:
                    while here not in found:
                        found[path.pop()] = count
                    count += 1
    return found


def modules_before(
    args: dict[int, dict[int, None]], modules: Collection[int]
) -> tuple[dict[int, int], set[int]]:
    """Return how many modules are one behind the other on the way to each box; which are in loops.

    A box itself counts. Modules that feed each other in a circle are one, with what is between
    them: steps in time. Of two such loops side by side, the second counts as one more, so that no
    box is in both.
    """
    circles = circles_of(args)
    members: dict[int, list[int]] = {}
    for box, circle in circles.items():
        members.setdefault(circle, []).append(box)
    found: dict[int, int] = {}
    loops: set[int] = set()
    within: set[int] = set()
    for circle in sorted(members):
        its = members[circle]
        count = max((found[arg] for box in its for arg in args[box] if arg in found), default=0)
        count += any(box in modules for box in its)
        if len(its) > 1:
            while count in loops:
                count += 1
            loops.add(count)
            within.update(its)
        found.update(dict.fromkeys(its, count))
    return found, within
