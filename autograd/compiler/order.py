"""In which order the results of several loops lie, so that what is made of them is few loops again.

Each position of a sequence looks at as many as lie before it, so that there is a loop for each,
and what they write would lie loop after loop. What comes next reads it in rows, as the terms of
sums: so do they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import sub
from typing import Any

from autograd.compiler.chains import Piece
from autograd.compiler.groups import LoopGroup


def order_of(pieces: Iterable[Piece]) -> dict[Any, int]:
    """Return for each result that is a term where it comes first among all terms."""
    order: dict[Any, int] = {}
    known: set[int] = set()
    for piece in pieces:
        for side in piece.terms or ():
            if id(side) not in known:  # a row has many readers
                known.add(id(side))
                for n in side:
                    order.setdefault(n, len(order))
    return order


def places_in(order: Mapping[Any, int], groups: Sequence[LoopGroup]) -> dict[int, int]:
    """Return places for the results of some loops, by the order of terms; of none if one will do.

    It suits those that write neighbouring places, in evenly spaced rows.
    """
    some = [
        g
        for g in groups
        if not g.uniform and all(p.sink is None and p.number in order for p in g.pieces)
    ]
    while len(some) > 1:
        numbers = sorted([p.number for g in some for p in g.pieces], key=order.__getitem__)
        place = {number: i for i, number in enumerate(numbers)}
        suited = [g for g in some if _is_even([place[p.number] for p in g.pieces], g.dims)]
        if len(suited) == len(some):
            return place
        some = suited
    return {}


def _is_even(places: Sequence[int], dims: tuple[int, ...]) -> bool:
    """Return whether places are side by side, row by row, and the rows evenly spaced."""
    length = dims[-1] if dims else 1
    starts = places[::length]
    rows = all(places[k] == starts[k // length] + k % length for k in range(len(places)))
    return rows and len(set(map(sub, starts[1:], starts))) < 2
