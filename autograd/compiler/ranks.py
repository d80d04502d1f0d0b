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
    rows: dict[Row, int] = {}
    is_even = True
    for piece in pieces:
        depth = 0
        if not piece.sink:
            depth = rank[piece.number] = 1 + max([rank[n] for n in piece.uses], default=0)
            row = _row(piece, is_uniform)
            is_even = is_even and (row is None or rows.setdefault(row, depth) == depth)
        ranks.append(depth)
    return ranks if is_even else _Waiting(pieces, results, is_uniform).ranks()


def _row(piece: Piece, is_uniform: Sequence[bool]) -> Row | None:
    """Return the numbers, the same for all samples, by which a chain multiplies, if they are."""
    for side in piece.terms or ():
        first, last = (side[0], side[-1]) if side else (None, None)
        # A constant's number is negative.
        if all(isinstance(n, int) and (n < 0 or is_uniform[n]) for n in (first, last)):
            return int(first or 0), int(last or 0), len(side)
    return None


class _Waiting:
    """Pieces on their way to a rank: for what they use, and for those with the same row.

    Nothing uses a sink, so that none is waited for.
    """

    def __init__(self, pieces: Sequence[Piece], results: int, is_uniform: Sequence[bool]) -> None:
        self.pieces = pieces
        self.rank = [0] * len(pieces)
        self.missing = [0] * len(pieces)
        self.rows = [None if piece.sink else _row(piece, is_uniform) for piece in pieces]
        # By a result, the pieces that use it; None of what is there from the beginning.
        self.followers: list[list[int] | None] = [None] * (results + 1)
        for piece in pieces:
            if not piece.sink:
                self.followers[piece.number] = []
        # Of a row: how many pieces are to come, and which are there.
        self.coming: dict[Row, int] = {}
        self.there: dict[Row, list[int]] = {}
        self.ready: list[int] = []
        followers, missing = self.followers, self.missing
        for i, piece in enumerate(pieces):
            if piece.sink:
                continue
            row = self.rows[i]
            if row:
                self.coming[row] = self.coming.get(row, 0) + 1
            for n in piece.uses:
                found = followers[n]
                if found is not None:
                    found.append(i)
                    missing[i] += 1
            if not missing[i]:
                self.ready.append(i)

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
        return [0 if piece.sink else 1 + r for piece, r in zip(self.pieces, rank, strict=True)]

    def _done(self, some: Sequence[int], deepest: int) -> None:
        """Give pieces the same rank; those that have waited for nothing else are ready."""
        rank, missing = self.rank, self.missing
        for i in some:
            rank[i] = deepest
            for j in self.followers[self.pieces[i].number] or ():
                if rank[j] <= deepest:
                    rank[j] = deepest + 1
                missing[j] -= 1
                if not missing[j]:
                    self.ready.append(j)
