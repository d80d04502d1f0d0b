"""Machine code that can be called, and calls of it for some of the samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.llvm import ARRAYS, PARAMETERS, SCALE, START, STOP, SUMS, WORKSPACE
from autograd.compiler.rooms import Array, aligned, sums_room


class Made(NamedTuple):
    """Machine code that can be called.

    Attributes:
        call: takes the address of a call's words.
        workspace: how many numbers of memory it needs.
        operations: about how many it takes for a sample.
        rows: the samples, where they are of the code; what it is called with stands behind the
            parameters then, and all it gives are sums.
        others: code for other such samples, whose sums are added.
        around: code for what becomes of the value, whose derivatives the others give: of its row.
            It gives the same, of the parameters alone, and the derivative by the value.
        add: where the code is that adds to sums as they are, and doesn't scale them; 0 for none.
    """

    call: Callable[[int], None]
    workspace: int
    operations: int
    rows: Array | None = None
    others: tuple[Made, ...] = ()
    around: Made | None = None
    add: int = 0


class FramePart:
    """Some of the samples of a call, to be done by any thread.

    Args:
        sums: where theirs go.
        rooms: memory to work in, and where it is, that no part uses at the moment. As many as
            there are threads come to it, and stay in their caches, however many parts there are.
    """

    def __init__(self, made: Made, words: int, sums: Array, rooms: list[tuple[Array, int]]) -> None:
        self.call, self._size, self._rooms = made.call, made.workspace, rooms
        self.sums = sums
        self.words = np.empty(words, dtype=np.int64)
        self.address = self.words.ctypes.data
        self._cells, self._sums_at = self.words.data, self.sums.ctypes.data

    def put(self, start: int, stop: int) -> None:
        """Note which samples they are."""
        words = self._cells
        words[SUMS], words[START], words[STOP] = self._sums_at, start, stop

    def run(self) -> None:
        try:
            room = self._rooms.pop()
        except IndexError:
            new = aligned(self._size, self.sums.dtype)
            room = new, new.ctypes.data
        self._cells[WORKSPACE] = room[1]
        self.call(self.address)
        self._rooms.append(room)


def call_with_rows(made: Made, words: Any, sums: Array) -> Callable[[int], None]:
    """Return what calls code that has samples of its own, and all others of them.

    Args:
        words: of the call, whose samples are the first of these from now on.
        sums: where all that they give is added up.
    """
    assert made.rows is not None
    words.view(np.float64)[SCALE] = 1.0
    words[STOP], words[ARRAYS] = len(made.rows), made.rows.ctypes.data
    if not (made.others or made.around):
        return made.call

    def beside(other: Made, rows: Any) -> FramePart:
        part = FramePart(other, len(words), sums_room(len(sums) + 1, sums.dtype), [])
        part.words[:] = words
        part.words[ARRAYS] = rows.ctypes.data
        part.put(0, len(rows))
        return part

    # All that can be known before is, as a call has little more than a microsecond to spare.
    first, count, cells = made.call, len(sums), words.data
    parts = [beside(other, other.rows) for other in made.others]
    others = [(part.run, part.words.data, part.sums[:count]) for part in parts]
    around = beside(made.around, sums[:1]) if made.around else None
    result = around.sums if around else sums
    direct, slope = result[:count], result[count:]
    known = around.words.data if around else cells

    def call(address: int) -> None:
        first(address)
        for run, there, found in others:
            there[PARAMETERS] = cells[PARAMETERS]
            run()
            np.add(sums, found, sums)
        if around:
            known[PARAMETERS] = cells[PARAMETERS]
            around.run()
            if count > 1:
                np.multiply(sums, slope, sums)
                np.add(sums, direct, sums)
            sums[0] = direct[0]

    return call
