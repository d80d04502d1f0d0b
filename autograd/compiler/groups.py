"""Pieces of a program that are alike, at evenly spaced addresses: each group becomes a loop."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any, NamedTuple

from autograd.compiler.addresses import BITS, U
from autograd.compiler.chains import Piece

SHORTEST_LOOP = 3
"""Fewer alike instructions stay as they are."""


class LoopGroup(NamedTuple):
    """Pieces that become one loop, in its order; a single one has no dims."""

    dims: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    pieces: list[Piece]
    uniform: bool


def grouped(bucket: list[Piece], uniform: bool) -> list[LoopGroup]:
    """Return alike pieces in groups, as few as are found.

    What several rows of pieces have in common lies side by side, when they are sorted by it, and
    their rows are in pieces then: so each row is tried by itself, too.
    """
    bucket.sort(key=_order)
    best = list(_rolled(bucket, uniform))
    for k in range(len(bucket[0].addresses) if SHORTEST_LOOP * len(best) > len(bucket) else 0):
        rows: list[list[Piece]] = []
        met: dict[int, int] = {}
        for piece in bucket:
            place = met[piece.addresses[k]] = met.get(piece.addresses[k], -1) + 1
            if place == len(rows):
                rows.append([])
            rows[place].append(piece)
        found = [group for row in rows for group in _rolled(row, uniform)]
        best = min(best, found, key=len)
    return best


def _order(piece: Piece) -> tuple[list[int], tuple[int, ...]]:
    """Return where a piece stands: by what samples have of their own, then by what they share.

    So a layer's outputs lie side by side for each position of a sequence, as its inputs do.
    """
    return [at for at in piece.addresses if at >> BITS != U >> BITS], piece.addresses


def _rolled(bucket: list[Piece], uniform: bool) -> Iterator[LoopGroup]:
    """Yield groups of alike pieces at evenly spaced addresses, rows of equal rows as one."""
    rows: list[tuple[int, tuple[int, ...], list[Piece]]] = []
    begin = 0
    while begin < len(bucket):
        end, stride = begin + 1, None
        while end < len(bucket):
            step = _difference(bucket[end].addresses, bucket[end - 1].addresses)
            if stride not in (None, step):
                break
            stride = step
            end += 1
        # Two that are followed by more of another spacing: the second may begin that row.
        if end - begin == 2 and end + 1 < len(bucket):
            ahead = _difference(bucket[end].addresses, bucket[end - 1].addresses)
            if ahead == _difference(bucket[end + 1].addresses, bucket[end].addresses):
                end, stride = begin + 1, None
        rows.append((end - begin, stride or (), bucket[begin:end]))
        begin = end
    begin = 0
    while begin < len(rows):
        length, stride, _ = rows[begin]
        end, outer = begin + 1, None
        while end < len(rows) and rows[end][:2] == (length, stride):
            step = _difference(rows[end][2][0].addresses, rows[end - 1][2][0].addresses)
            if outer not in (None, step):
                break
            outer = step
            end += 1
        members = [piece for row in rows[begin:end] for piece in row[2]]
        if len(members) < SHORTEST_LOOP:
            for piece in members:
                yield LoopGroup((), (), [piece], uniform)
        elif outer is None or length == 1:
            strides = stride if outer is None else outer
            yield LoopGroup((len(members),), (strides,), members, uniform)
        else:
            yield LoopGroup((end - begin, length), (outer, stride), members, uniform)
        begin = end


def _difference(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([x - y for x, y in zip(a, b, strict=True)])


def scheduled(groups: list[LoopGroup]) -> list[LoopGroup]:
    """Return the groups such that each follows what it uses, else in the program's order."""
    if not any(group.dims for group in groups):
        return sorted(groups, key=_place)
    owner = {p.number: i for i, g in enumerate(groups) for p in g.pieces if p.sink is None}
    owning = owner.get
    owners: dict[tuple[int, ...], set[Any]] = {}
    waiting = [0] * len(groups)
    followers: list[list[int]] = [[] for _ in groups]
    for i, group in enumerate(groups):
        before: set[Any] = set()
        for piece in group.pieces:
            before.update(map(owning, piece.uses))
            for row in piece.rows:
                if row not in owners:
                    owners[row] = {*map(owning, row)}
                before |= owners[row]
        before.discard(None)
        waiting[i] = len(before)
        for j in before:
            followers[j].append(i)
    ready = [(_place(group), i) for i, group in enumerate(groups) if not waiting[i]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        i = heapq.heappop(ready)[1]
        ordered.append(groups[i])
        for j in followers[i]:
            waiting[j] -= 1
            if not waiting[j]:
                heapq.heappush(ready, (_place(groups[j]), j))
    return ordered


def _place(group: LoopGroup) -> tuple[int, bool]:
    return min(piece.number for piece in group.pieces), group.pieces[0].sink is not None
