"""Which instructions are done side by side, so that those that are alike become one loop.

An instruction can be done as soon as what it uses is there: its rank is how deep it lies. Of a
sequence's positions that would tear apart what is the same for all: where one looks at few others
and the next at many, they go through a layer's matrix one rank after the other. So the products
with one row of a matrix wait for each other, unless one of them needs what another one gave, as
the steps of a recurrent network do.

Source: Neubig et al. 2017, On-the-fly operation batching in dynamic computation graphs; there
the operation whose instances lie least deep comes first, here a row whose products wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from autograd.compiler.chains import Piece

Row = tuple[int, int, int]
"""What tells the numbers apart that all samples share: the first, the last, and how many."""


def ranks_of(pieces: Sequence[Piece], results: int, is_uniform: Sequence[bool]) -> list[int]:
    """Return the rank of each piece, above those of all that it uses; that of a sink is 0.

    Args:
        pieces: each behind what it uses.
        results: above the number of every result.
        is_uniform: for each result, whether all samples share it.

    Cost: linear, but for a heap of rows that wait in vain.
    """
    rank = [0] * (results + 1)
    ranks = []
    rows = [None if piece.sink else _row(piece, is_uniform) for piece in pieces]
    known: dict[Row, int] = {}
    deepest: dict[tuple[int, ...], int] = {}
    is_even = True
    for piece, row in zip(pieces, rows, strict=True):
        depth = 0
        if not piece.sink:
            depth = max([rank[n] for n in piece.uses], default=0)
            for found in piece.rows:
                if found not in deepest:
                    deepest[found] = max([rank[n] for n in found], default=0)
                depth = max(depth, deepest[found])
            depth = rank[piece.number] = 1 + depth
            is_even = is_even and (row is None or known.setdefault(row, depth) == depth)
        ranks.append(depth)
    return ranks if is_even else _Waiting(pieces, results, rows).ranks()


def _row(piece: Piece, is_uniform: Sequence[bool]) -> Row | None:
    """Return the numbers, the same for all samples, by which a chain multiplies, if they are."""
    for side in piece.terms or ():
        first, last = (side[0], side[-1]) if side else (None, None)
        # A constant's number is negative.
        if (
            first.__class__ is int
            and last.__class__ is int
            and (first < 0 or is_uniform[first])
            and (last < 0 or is_uniform[last])
        ):
            return first, last, len(side)
    return None


class _Waiting:
    """Pieces on their way to a rank: for what they use, and for those with the same row.

    Nothing uses a sink, so that none is waited for. Rows of terms that many pieces have are on
    their way, too: numbered behind the pieces, each as deep as what is in it.
    """

    def __init__(self, pieces: Sequence[Piece], results: int, rows: list[Row | None]) -> None:
        self.pieces = pieces
        self.rows = rows
        self.rank = [0] * len(pieces)
        self.missing = [0] * len(pieces)
        # By a row of terms that is waited for, its number; by that, the pieces that use it.
        numbers: dict[tuple[int, ...], int] = {}
        self.users: list[list[int]] = []
        # By a result, the pieces that use it; None of what is there from the beginning.
        self.followers: list[list[int] | None] = [None] * (results + 1)
        for piece in pieces:
            if not piece.sink:
                self.followers[piece.number] = []
        # Of a row: how many pieces are to come, and which are there.
        self.coming: dict[Row, int] = {}
        self.there: dict[Row, list[int]] = {}
        self.ready: list[int] = []
        missing = self.missing
        for i, piece in enumerate(pieces):
            if piece.sink:
                continue
            row = self.rows[i]
            if row:
                self.coming[row] = self.coming.get(row, 0) + 1
            waits = self._wait(i, piece.uses)
            for terms in piece.rows:
                number = numbers.get(terms)
                if number is None:
                    number = numbers[terms] = len(missing)
                    missing.append(0)
                    self.rank.append(0)
                    self.users.append([])
                    missing[number] = self._wait(number, terms)
                if missing[number]:
                    self.users[number - len(pieces)].append(i)
                    waits += 1
            missing[i] = waits
            if not waits:
                self.ready.append(i)

    def _wait(self, i: int, results: Sequence[int]) -> int:
        """Note who waits for results; return for how many."""
        waits = 0
        for n in results:
            found = self.followers[n]
            if found is not None:
                found.append(i)
                waits += 1
        return waits

    def ranks(self) -> list[int]:
        """Return the rank of each piece."""
        rank, there, rows, ready = self.rank, self.there, self.rows, self.ready
        in_vain: list[tuple[int, Row]] = []
        while ready or in_vain:
            if ready:
                i = ready.pop()
                row = rows[i]
                if row is None:
                    self._done((i,), rank[i])
                    continue
                there.setdefault(row, []).append(i)
                self.coming[row] -= 1
                if self.coming[row]:
                    heapq.heappush(in_vain, (rank[i], row))
                    continue
            else:
                # One of those to come uses one that is there.
                _, row = heapq.heappop(in_vain)
            some = there.pop(row, ())
            self._done(some, max([rank[i] for i in some], default=0))
        return [0 if piece.sink else 1 + r for piece, r in zip(self.pieces, rank, strict=False)]

    def _done(self, some: Sequence[int], deepest: int) -> None:
        """Give pieces the same rank; those that have waited for nothing else are ready."""
        for i in some:
            self.rank[i] = deepest
            self._follow(self.followers[self.pieces[i].number] or (), deepest + 1)

    def _follow(self, some: Sequence[int], least: int) -> None:
        """Give pieces, and rows of terms, one less to wait for, and a rank no lower than this."""
        rank, missing, count = self.rank, self.missing, len(self.pieces)
        for j in some:
            if rank[j] < least:
                rank[j] = least
            missing[j] -= 1
            if missing[j]:
                continue
            if j < count:
                self.ready.append(j)
            else:
                self._follow(self.users[j - count], rank[j])
