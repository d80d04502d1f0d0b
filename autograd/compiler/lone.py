"""The body of a function for one sample: neighbouring indices of a loop are lanes of a vector.

Where there are many samples, a vector holds the same number of each. One alone leaves the vectors
to its loops: neurons that lie side by side, or the terms of their sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from autograd import ops
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.kernel import NEUTRAL, Body, Index, Point, looks_up
from autograd.compiler.lookups import Place, add_at, read_at
from autograd.compiler.loops import Access, Loop, Read, Statement, Stretch
from autograd.operation import Op

SIDE_BY_SIDE = 4
"""So many vectors of sums are worked on at a time: an addition takes as long as four begin in."""

SHARED = 2
"""So many, where rows share the vectors of terms: more rows, for which these are read but once."""

FEWEST_TERMS = 4
"""Rows of fewer terms are gathered, number by number."""

LONG_BODY = 12
"""Statements from which on one vector at a time has to do."""

GATHERED = 3.0
"""What a number costs that is not beside the one before, in loads of a whole vector."""


class LoneBody(Body):
    """Statements and loop nests for one sample.

    Args:
        function: as of a `Body`.
    """

    def __init__(self, function: Callable[[str, int], str], block: SampleBlock) -> None:
        super().__init__(function, block, masked=False)
        self._lane = -1
        """The loop whose indices are lanes, counted from the outermost."""

    def loop(self, loop: Loop) -> None:
        lane, gain = max(
            ((lane, _gain(loop, lane, self.block.across)) for lane in range(len(loop.dims))),
            key=lambda found: found[1],
            default=(-1, 0.0),
        )
        if gain <= 1:
            super().loop(loop)
            return
        self._lane = lane
        others = tuple(size for k, size in enumerate(loop.dims) if k != lane)
        tiles = [1] * len(others)
        many = SIDE_BY_SIDE
        # The last vector does some once more what the one before has done; not so a sum.
        again = not any(map(_adds_up, loop.statements))
        is_product = bool(others) and _shares(loop)
        stays = is_product and again
        if is_product:
            width = _width(loop, lane, self.block.across)
            many = SHARED if stays else SIDE_BY_SIDE
            side_by_side = min(many, max(1, loop.dims[lane] // width))
            if any(_is_across(stretch, lane) for stretch in loop.statements[0].stretches):
                side_by_side = width
            most = max(1, self.block.totals // side_by_side)
            # Tiles of nearly one size: few that are left over would wait for their additions.
            tiles[-1] = -(-others[-1] // -(-others[-1] // most))

        def write(lanes: list[Index], indices: list[list[Index]]) -> None:
            points = [(*at[:lane], i, *at[lane:]) for i in lanes for at in product(*indices)]
            self._body(loop.statements, points)

        if stays:
            # What vectors of weights are multiplied by goes by, while they stay in a near cache.
            rows = lambda lanes: self.tiled(others, tiles, partial(write, lanes))
            self._vectors(loop, many, rows, again=again)
        else:
            vectors = lambda at: self._vectors(loop, many, lambda i: write(i, at), again=again)
            self.tiled(others, tiles, vectors)
        self._lane = -1
        self.use(1)

    def _vectors(
        self, loop: Loop, many: int, write: Callable[[list[Index]], None], *, again: bool
    ) -> None:
        """Write a loop for all indices of its lane, ``many`` vectors of them at a time."""
        begin, size, width = 0, loop.dims[self._lane], _width(loop, self._lane, self.block.across)
        is_long = len(loop.statements) > LONG_BODY or any(
            _is_across(stretch, self._lane) for s in loop.statements for stretch in s.stretches
        )
        tile = 1 if is_long else many
        while begin < size:
            self.use(width)
            count = (size - begin) // width
            whole = count - count % tile
            if whole > tile:
                end = begin + whole * width
                with self.counted(str(begin), str(end), tile * width) as i:
                    write([(i, k * width) for k in range(tile)])
                begin, count = end, count - whole
            rest = [begin + k * width for k in range(count)]
            begin += count * width
            if again and begin < size:
                rest.append(size - width)
                begin = size
            for k in range(0, len(rest), tile):
                write([("", at) for at in rest[k : k + tile]])
            width //= 2

    def _load(self, access: Access, point: Point, vector: int) -> str:
        if self._lane < 0:
            return super()._load(access, point, vector)
        stride = access.strides[self._lane]
        if stride == 1:
            return self.read(self.pointer(access, point), self.types.number)
        if stride == 0:
            return self.broadcast(self.read(self.pointer(access, point), self.real.name))
        at = [self.pointer(access, self._beside(point, k)) for k in range(self.types.width)]
        return self.vector_of([self.read(pointer, self.real.name) for pointer in at])

    def _spacing(self, access: Access) -> int:
        return access.strides[self._lane] if self._lane >= 0 else 0

    def _store(self, value: str, access: Access, point: Point, vector: int) -> None:
        if self._lane < 0:
            super()._store(value, access, point, vector)
        elif access.strides[self._lane] == 1:
            self.write(value, self.pointer(access, point), self.types.number)
        else:
            for k in range(self.types.width):
                at = self.pointer(access, self._beside(point, k))
                self.write(self.one_of(value, k), at, self.real.name)

    def _beside(self, point: Point, k: int) -> Point:
        """Return the point that is ``k`` further in the loop of lanes."""
        register, constant = point[self._lane]
        return (*point[: self._lane], (register, constant + k), *point[self._lane + 1 :])

    def _add_stretch(
        self,
        op: Op,
        stretch: Stretch,
        points: list[Point],
        places: list[tuple[int, int]],
        totals: list[str],
    ) -> None:
        width = self.types.width
        if self._lane < 0 or width == 1 or not _is_across(stretch, self._lane):
            self._add_in_turns(op, stretch, points, places, totals)
            return
        whole = stretch.length - stretch.length % width
        found = self._across(op, stretch, whole, points)
        totals[:] = [self._apply(op, [total, x]) for total, x in zip(totals, found, strict=True)]
        if whole < stretch.length:
            rest = _from(stretch, whole)
            super()._add_stretch(op, rest, points, places, totals)

    def _add_in_turns(
        self,
        op: Op,
        stretch: Stretch,
        points: list[Point],
        places: list[tuple[int, int]],
        totals: list[str],
    ) -> None:
        """Add terms to few totals at a time by several parts of each: none waits for another.

        Error: that of a sum in any order.
        """
        size = len(totals)
        most = max(1, min(self.block.totals // size, stretch.length // FEWEST_TERMS))
        turns = 1 << most.bit_length() - 1
        if turns == 1:
            super()._add_stretch(op, stretch, points, places, totals)
            return
        whole = stretch.length - stretch.length % turns
        parts = totals + [self.types.constant(NEUTRAL[op])] * (turns - 1) * size

        def add_terms(j: Index) -> None:
            self._loaded = {}
            register, constant = j
            for k, part in enumerate(parts):
                turn, i = divmod(k, size)
                point = (*points[places[i][0]], (register, constant + turn))
                parts[k] = self._apply(op, [part, self._term(stretch, point, 0)])

        self._along(whole, turns, parts, add_terms)
        while len(parts) > size:
            half = len(parts) // 2
            pairs = zip(parts[:half], parts[half:], strict=True)
            parts = [self._apply(op, list(pair)) for pair in pairs]
        totals[:] = parts
        if whole < stretch.length:
            super()._add_stretch(op, _from(stretch, whole), points, places, totals)

    def _read_rows(
        self,
        chooser: str,
        begin: int,
        rows: int,
        table: Access,
        point: Point,
        vector: int,
        other: str,
    ) -> str:
        if self._lane < 0:
            return super()._read_rows(chooser, begin, rows, table, point, vector, other)
        place = Place(self, self.one_of(chooser, 0), begin, rows)
        pointer = self.pointer(table, (*point, ("", 0)))
        return read_at(self, place, pointer, table.strides[-1], other, self.types.number)

    def _scatter(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Read, int, int], str],
    ) -> None:
        if self._lane < 0:
            super()._scatter(statement, points, value)
            return
        first, rows, stride = statement.scatter or (0, 0, 0)
        assert statement.sums
        for p, point in enumerate(points):
            chooser, gain = (value(arg, p, 0) for arg in statement.args)
            place = Place(self, self.one_of(chooser, 0), first, rows)
            pointer = self.pointer(statement.sums, point)
            add_at(self, place, pointer, stride, gain, self.types.number)

    def _across(self, op: Op, stretch: Stretch, length: int, points: list[Point]) -> list[str]:
        """Return, for each point, the sums of as many rows as a vector has lanes, vectors of terms
        added up.

        Error: that of a sum in any order, below ``length`` ulp of the sum of the terms' sizes.
        """
        width = self.types.width
        rows = [self._beside(point, k) for point in points for k in range(width)]
        parts = [self.types.constant(NEUTRAL[op])] * len(rows)

        def add_terms(j: Index) -> None:
            self._loaded = {}
            for k, row in enumerate(rows):
                term = self._terms(stretch.left, (*row, j))
                if stretch.right:
                    term = self._apply(ops.mul, [term, self._terms(stretch.right, (*row, j))])
                parts[k] = self._apply(op, [parts[k], term])

        self._along(length, width, parts, add_terms)
        merge = lambda low, high: self._apply(op, [low, high])
        return [self.merged(parts[i : i + width], merge) for i in range(0, len(rows), width)]

    def _terms(self, access: Access, point: Point) -> str:
        """Load what neighbouring terms have, for several rows only once."""
        pointer = self.pointer(access, point)
        key = ("terms", pointer)
        if key not in self._loaded:
            self._loaded[key] = self.read(pointer, self.types.number)
        return self._loaded[key]


def _adds_up(statement: Statement) -> bool:
    return bool(statement.sums or (statement.column and statement.column.array == "a"))


def _is_row(statement: Statement, lane: int) -> bool:
    """Return whether all indices of a loop look up one row, whose numbers are beside each other."""
    chooser = statement.args[0]
    rows = [statement.sums, *(stretch.left for stretch in statement.stretches)]
    return (
        isinstance(chooser, Access)
        and not chooser.strides[lane]
        and all(row.strides[lane] == 1 for row in rows if row)
    )


def _is_across(stretch: Stretch, lane: int) -> bool:
    """Return whether the terms of a stretch are beside each other, and those of its rows not."""
    sides = [side for side in (stretch.left, stretch.right) if side]
    return (
        stretch.length >= FEWEST_TERMS
        and all(side.strides[-1] == 1 for side in sides)
        and any(side.strides[lane] not in (0, 1) for side in sides)
    )


def _shares(loop: Loop) -> bool:
    """Return whether a loop is of sums whose vectors of terms are for several rows the same."""
    (first, *others) = loop.statements
    return (
        bool(first.stretches)
        and len(others) < 3
        and not any(looks_up(s) or s.stretches for s in others)
        and any(
            0 in side.strides[:-1]
            for stretch in first.stretches
            for side in (stretch.left, stretch.right)
            if side
        )
    )


def _from(stretch: Stretch, begin: int) -> Stretch:
    """Return a stretch without its first terms."""

    def moved(access: Access) -> Access:
        return access._replace(offset=access.offset + begin * access.strides[-1])

    left, right, length = stretch
    return Stretch(moved(left), right and moved(right), length - begin)


def _width(loop: Loop, lane: int, most: int) -> int:
    """Return how many indices are a vector: no more than there are, nor than rows have terms."""
    sizes = [most, loop.dims[lane]]
    for statement in loop.statements:
        sizes += [x.length for x in statement.stretches if _is_across(x, lane)]
    return 1 << min(sizes).bit_length() - 1


def _gain(loop: Loop, lane: int, most: int) -> float:
    """Return about how many times as fast a loop is if indices of one of its loops are lanes."""
    if not all(_is_row(s, lane) for s in loop.statements if looks_up(s)):
        return 0.0
    width = _width(loop, lane, most)
    alone = together = 0.0
    for statement in loop.statements:
        for size, access in _accesses(statement, lane):
            alone += size
            together += size * (1 / width if access.strides[lane] in (0, 1) else GATHERED)
        for stretch in statement.stretches:
            if _is_across(stretch, lane):
                sides = 1 + bool(stretch.right)
                alone += sides * stretch.length
                together += sides * stretch.length / width + GATHERED
        alone += 1
        together += 1 / width
    return alone / together


def _accesses(statement: Statement, lane: int) -> Iterator[tuple[int, Access]]:
    """Yield what a statement reads and writes, and how many numbers for an index."""
    for access in (*statement.args, statement.target, statement.sums, statement.column):
        if isinstance(access, Access):
            yield 1, access
    for stretch in statement.stretches:
        if not _is_across(stretch, lane):
            for side in (stretch.left, stretch.right):
                if side:
                    yield stretch.length, side
