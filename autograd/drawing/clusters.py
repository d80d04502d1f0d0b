"""Wires that lead to all turns of what repeats, or come from all of them: each is one, at a frame.

So do weights that the steps of a loop share, and the losses that are summed over steps. A frame
around the turns is where such a wire ends; that it leads to the first of them would be false.

>>> weight, first, second, third, total = range(5)
>>> turn = {first: (0, 0), second: (0, 1), third: (0, 2)}
>>> crossing = {
...     weight: {},
...     first: {weight: {0: None}},
...     second: {weight: {0: None}, first: {1: None}},
...     third: {weight: {0: None}, second: {2: None}},
...     total: {third: {3: None}},
... }
>>> fans_of(crossing, turn)
{(0, 1): Fan(run=0, times=3, values={0: None}), (0, 2): None, (0, 3): None}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

FEWEST = 3
"""Wires that may be one; half of the turns, at least, have one each."""


class Fan(NamedTuple):
    """What a wire at a frame stands for.

    Attributes:
        run: whose turns the frame is around.
        times: of how many turns there is a wire.
        values: the nodes that cross.
    """

    run: int
    times: int
    values: dict[int, None]


def fans_of(
    crossing: Mapping[int, Mapping[int, Mapping[int, None]]], turn: Mapping[int, tuple[int, int]]
) -> dict[tuple[int, int], Fan | None]:
    """Return the wires that are part of a fan, as pairs of an argument's box and its user's.

    One stands for all of the fan, the first into a run and the last that leaves it; the others,
    which are not drawn, have None.

    Args:
        crossing: of each box, the boxes of its arguments, with the nodes that cross.
        turn: of a box, what it repeats, and which of the turns it is in.
    """
    length = Counter(run for run, _ in dict.fromkeys(turn.values()))
    into: dict[tuple[int, int], list[tuple[int, int]]] = {}
    out_of: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for user, its in crossing.items():
        for arg in its:
            source, end = turn.get(arg), turn.get(user)
            if source and end and source[0] == end[0]:
                continue
            if end:
                into.setdefault((arg, end[0]), []).append((arg, user))
            if source:
                out_of.setdefault((user, source[0]), []).append((arg, user))
    found: dict[tuple[int, int], Fan | None] = {}
    for fans, side, drawn in ((into, 1, 0), (out_of, 0, -1)):
        for (_, run), pairs in fans.items():
            free = [(turn[pair[side]], pair) for pair in pairs if pair not in found]
            times = len({which for which, _ in free})
            if times >= FEWEST and 2 * times >= length[run]:
                free.sort()
                values = {i: None for _, (arg, user) in free for i in crossing[user][arg]}
                found.update((pair, None) for _, pair in free)
                found[free[drawn][1]] = Fan(run, times, values)
    return found
