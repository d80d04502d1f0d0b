"""Samples on their way through a kernel: block by block, number by number, and back.

Memory holds row by row what belongs to a sample. Vectors want the same number of neighbouring
samples side by side, so a block of rows is turned into columns first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple

from autograd.compiler.emitter import Emitter
from autograd.compiler.reals import DOUBLE, Real

TOGETHER = 1024
"""Bytes of a number of all the samples whose products with matrices are computed at once: 128 of
them, 256 in single precision. A multiple of a block's, so many that sums beyond the nearest caches
are seldom fetched, and so few that what is kept stays in one."""


class SampleBlock(NamedTuple):
    """The samples that are done at a time.

    Attributes:
        width: samples in a vector; 1 for scalar code.
        vectors: vectors in a block.
        exact: whether every bit is that of the rows, called one after the other.
        across: of one sample, so many neighbouring indices of a loop are a vector at most.
        real: what its numbers are.
        totals: vectors of sums that are added to side by side: as many as registers hold, beside
            what is added.
    """

    width: int
    vectors: int
    exact: bool = False
    across: int = 1
    real: Real = DOUBLE
    totals: int = 16

    @property
    def lanes(self) -> int:
        """Samples in a block."""
        return self.width * self.vectors

    @property
    def together(self) -> int:
        """Samples whose products with matrices are computed at once."""
        return TOGETHER // self.real.size

    def padded(self, size: int) -> int:
        """Return ``size``, rounded up to whole vectors."""
        return -(-size // self.width) * self.width


class Passage:
    """Writes what brings samples from the arrays of a call to ``%x``, and back from ``%o``.

    Args:
        arguments: how many of the inputs each array holds for a sample.
        results: likewise for the outputs of each sample, in the arrays behind.
        left: the arguments that stay where they are.
    """

    def __init__(
        self,
        code: Emitter,
        arguments: Sequence[int],
        results: Sequence[int],
        left: Collection[int] = (),
    ) -> None:
        self.code = code
        self.left = left
        self.arguments = arguments
        self.results = results

    def enter(self, block: SampleBlock, b: str) -> None:
        """Lay the inputs of the block that begins at sample ``b`` out number by number.

        Beyond the last sample, it is repeated.
        """
        code = self.code
        offsets = list(accumulate(self.arguments, initial=0))
        one_by_one = []
        for i, size in enumerate(self.arguments):
            if i in self.left:
                continue
            if block.vectors > 1 and (size == 1 or size >= block.width):
                self._turn(block, b, i, offsets[i])
            elif size:
                one_by_one.append(i)
        if not one_by_one:
            return
        last = code.new()
        code.emit(f"{last} = sub i64 %stop, 1")
        with code.counted("0", str(block.lanes)) as lane:
            row = code.new()
            code.emit(f"{row}.b = add i64 {b}, {lane}")
            code.emit(f"{row} = call i64 @llvm.smin.i64(i64 {row}.b, i64 {last})")
            for i in one_by_one:
                size = self.arguments[i]
                source = code.at(f"%array{i}", row, size)
                target = code.at("%x", lane, 1, offsets[i] * block.lanes)
                code.moved(size, source, 1, target, block.lanes)

    def _turn(self, block: SampleBlock, b: str, i: int, offset: int) -> None:
        """Turn rows into columns, a square of vectors at a time; all rows are there."""
        code = self.code
        size, width, number = self.arguments[i], block.width, code.types.number
        source = code.at(f"%array{i}", b, size)
        target = code.at("%x", "", 0, offset * block.lanes)
        for v in range(block.vectors):
            rows = code.at(source, "", 0, v * width * size)
            columns = code.at(target, "", 0, v * width)
            if size == 1:
                code.write(code.read(rows, number), columns, number)
                continue

            def square(first: str, rows: str = rows, columns: str = columns) -> None:
                start = code.at(rows, first, 1)
                sources = [code.at(start, "", 0, r * size) for r in range(width)]
                turn(code, sources, code.at(columns, first, block.lanes), block)

            with code.counted("0", str(size - width + 1), width) as k:
                square(k)
            if size % width:
                square(str(size - width))  # once more what the last whole square has done

    def leave(self, block: SampleBlock, b: str, stop: str) -> None:
        """Put the outputs of a block's samples before ``stop`` where they belong."""
        code = self.code
        offsets = list(accumulate(self.results, initial=0))
        one_by_one = []
        for i, size in enumerate(self.results):
            if block.vectors > 1 and size == 1:
                source = code.at("%o", "", 0, offsets[i] * block.lanes)
                target = code.at(f"%array{len(self.arguments) + i}", b, 1)
                for v in range(block.vectors):
                    column = code.at(source, "", 0, v * block.width)
                    code.write(
                        code.read(column, code.types.number),
                        code.at(target, "", 0, v * block.width),
                        code.types.number,
                    )
            elif size:
                one_by_one.append(i)
        if not one_by_one:
            return
        left, end = code.new(), code.new()
        code.emit(f"{left} = sub i64 {stop}, {b}")
        code.emit(f"{end} = call i64 @llvm.smin.i64(i64 {left}, i64 {block.lanes})")
        with code.counted("0", end) as lane:
            row = code.new()
            code.emit(f"{row} = add i64 {b}, {lane}")
            for i in one_by_one:
                source = code.at("%o", lane, 1, offsets[i] * block.lanes)
                target = code.at(f"%array{len(self.arguments) + i}", row, self.results[i])
                code.moved(self.results[i], source, block.lanes, target, 1)


def turn(code: Emitter, rows: Sequence[str], columns: str, block: SampleBlock) -> None:
    """Write what turns a square, a vector of each row, into columns, a block's samples apart."""
    number, width = code.types.number, block.width
    parts = [code.read(row, number) for row in rows]
    step = 1
    while step < width:
        for r in range(width):
            if not r & step:
                parts[r], parts[r + step] = code.crossed(parts[r], parts[r + step], step)
        step *= 2
    for c, part in enumerate(parts):
        code.write(part, code.at(columns, "", 0, c * block.lanes), number)
