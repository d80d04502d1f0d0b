"""Products of matrices and many samples, as LLVM text: what a layer makes of an argument.

Both ways, a tile of totals stays in registers while the terms go by: weighted sums of vectors of
samples, and sums over the samples of vectors of slopes. What is read again and again is first laid
out side by side, in pieces that the nearest cache holds.

Source: Goto & van de Geijn 2008, Anatomy of high-performance matrix multiplication.
"""

from __future__ import annotations

from itertools import product

from autograd.compiler.blocks import SampleBlock, turn
from autograd.compiler.kernel import Body, Index
from autograd.compiler.loops import Access
from autograd.compiler.sums import InputRow, Outer, Product, Sums

AT_A_TIME = 128
"""So many terms of weighted sums are added at a time: with a block's inputs, a half of the nearest
cache of 32 kB."""

PANEL = 3
"""Vectors of slopes that are added to side by side, of as many rows as there are registers for."""


def room(sums: Sums, block: SampleBlock) -> int:
    """Return how many numbers are laid out at once."""
    terms = [(_terms(each.dims[1]) + block.width) * block.lanes for each in sums.products]
    return max([*terms, PANEL * block.width * block.together if sums.outers else 0])


def multiply(code: Body, each: Product, kept: int) -> None:
    """Write the weighted sums of ``%live`` samples, the sums of a block of them side by side.

    Args:
        kept: how many weighted sums there are of a sample, of all products together.
    """
    block, (rows, length) = code.block, each.dims
    tile = max(1, code.block.totals * 3 // 2 // block.vectors)
    with code.counted("0", "%live", block.lanes) as b:
        home = _home(code, each, b, kept)

        def begin(indices: list[list[Index]]) -> None:
            ((row,),) = indices
            start = each.start
            if isinstance(start, Access):
                number = code.read(code.pointer(start, (row,)), code.real.name)
            else:
                number = code.real.written(start)
            value = code.broadcast(number)
            for v in range(block.vectors):
                code.write(value, _total(code, home, row, v), code.types.number)

        code.tiled((rows,), [1], begin)

    def add(tile: list[Index], home: str, j: str, size: str) -> None:
        places = [_total(code, home, row, v) for row in tile for v in range(block.vectors)]
        totals = [code.read(at, code.types.number) for at in places]
        stride = each.weights.strides[1]
        weights = [code.pointer(each.weights, (row, (j, 0))) for row in tile]
        with code.counted("0", size, 1, totals) as k:
            inputs = code.at("%c", k, block.lanes, block.width * block.lanes)
            numbers = [code.read(code.at(at, k, stride), code.real.name) for at in weights]
            factors = [code.broadcast(number) for number in numbers]
            for v in range(block.vectors):
                vector = code.read(code.at(inputs, "", 0, v * block.width), code.types.number)
                for p, factor in enumerate(factors):
                    i = p * block.vectors + v
                    totals[i] = code.fused(factor, vector, totals[i])
        for total, at in zip(totals, places, strict=True):
            code.write(total, at, code.types.number)

    terms = _terms(length)
    with code.counted("0", str(length), terms) as j:
        left, size = code.new(), code.new()
        code.emit(f"{left} = sub i64 {length}, {j}")
        code.emit(f"{size} = call i64 @llvm.smin.i64(i64 {left}, i64 {terms})")
        with code.counted("0", "%live", block.lanes) as b:
            home = _home(code, each, b, kept)
            _lay_out(code, each.row, j, size, b)
            code.tiled((rows,), [tile], lambda indices: add(indices[0], home, j, size))


def _terms(length: int) -> int:
    """Return how many terms are added at a time: evenly, or whole vectors of them."""
    parts = -(-length // AT_A_TIME)
    return length if parts == 1 else -(-length // (8 * parts)) * 8


def _home(code: Body, each: Product, b: str, kept: int) -> str:
    """Return where the sums of the block begin that begins at sample ``b``."""
    return code.at("%h", b, kept, each.place * code.block.lanes)


def _total(code: Body, home: str, row: Index, vector: int) -> str:
    register, constant = row
    lanes = code.block.lanes
    return code.at(home, register, lanes, constant * lanes + vector * code.block.width)


def _lay_out(code: Body, row: InputRow, j: str, size: str, b: str) -> None:
    """Write what lays a block's inputs out number by number; the last sample is repeated."""
    block = code.block
    width = block.width
    last, over = code.new(), code.new()
    code.emit(f"{last} = sub i64 %live, 1")
    code.emit(f"{over} = sub i64 {size}, {width}")
    for v in range(block.vectors):
        starts = []
        for r in range(width):
            sample = code.new()
            code.emit(f"{sample}.b = add i64 {b}, {v * width + r}")
            code.emit(f"{sample} = call i64 @llvm.smin.i64(i64 {sample}.b, i64 {last})")
            start = code.at(f"%y{row.argument}", sample, row.size, row.column)
            starts.append(code.at(start, j, 1))
        # Behind the room for what lies before the first.
        columns = code.at("%c", "", 0, width * block.lanes + v * width)
        with code.counted("0", over, width) as k:
            turn(code, [code.at(x, k, 1) for x in starts], code.at(columns, k, block.lanes), block)
        # Once more some of the last whole square, or of what lies before the first.
        starts = [code.at(x, over, 1) for x in starts]
        turn(code, starts, code.at(columns, over, block.lanes), block)


def add_outer(code: Body, outer: Outer) -> None:
    """Write what adds the outer products of ``%live`` samples up.

    ``%first`` begins the sums, ``%last`` puts them where they belong; all are times ``%factor``.
    """
    rows, columns = outer.dims
    width, number = code.block.width, code.types.number
    tile, together = max(1, code.block.totals // 2), code.block.together
    scale = code.broadcast("%factor")

    def panel(columns: list[Index], places: list[Index]) -> None:
        across = len(columns) * width
        with code.counted("0", "%live") as s:
            source = code.at(f"%y{outer.row.argument}", s, outer.row.size, outer.row.column)
            target = code.at("%c", s, across)
            for i, (register, constant) in enumerate(columns):
                vector = code.read(code.at(source, register, 1, constant), number)
                code.write(vector, code.at(target, "", 0, i * width), number)
        code.tiled((rows,), [tile], lambda indices: add(indices[0], columns, places))

    def add(tile: list[Index], columns: list[Index], places: list[Index]) -> None:
        zero = code.types.constant(0.0)
        totals = [zero] * (len(tile) * len(places))
        lefts = [
            code.at("%d", register, together, (outer.place + constant) * together)
            for register, constant in tile
        ]
        with code.counted("0", "%live", 1, totals) as s:
            at = code.at("%c", s, len(places) * width)
            inputs = [code.read(code.at(at, "", 0, i * width), number) for i in range(len(places))]
            for r, left in enumerate(lefts):
                factor = code.broadcast(code.read(code.at(left, s, 1), code.real.name))
                for i, vector in enumerate(inputs, r * len(places)):
                    totals[i] = code.fused(factor, vector, totals[i])
        points = product(tile, zip(columns, places, strict=True))
        for (row, (column, place)), total in zip(points, totals, strict=True):
            kept, goal = code.pointer(outer.kept, (row, place)), code.new()
            before = code.chosen("i1 %first", zero, code.read(kept, number))
            scaled = code.binary("fmul", code.binary("fadd", before, total), scale)
            target = code.pointer(outer.target, (row, column))
            code.emit(f"{goal} = select i1 %last, ptr {target}, ptr {kept}")
            code.write(scaled, goal, number)

    whole = columns // width

    def over(indices: list[list[Index]]) -> None:
        (tile,) = indices
        register = tile[0][0]
        begin = code.new() if register else ""
        if register:
            code.emit(f"{begin} = mul nsw i64 {register}, {width}")
        vectors = [(begin, k * width) for _, k in tile]
        panel(vectors, vectors)

    code.tiled((whole,), [PANEL], over)
    if columns % width:
        # Once more some that the last whole vector has, kept in a place of their own.
        panel([("", columns - width)], [("", whole * width)])
