"""The body of a function: loops over memory, as `autograd.compiler.loops` has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import product

from autograd import ops
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.emitter import Emitter, Types
from autograd.compiler.lookups import Place, add_at, read_at
from autograd.compiler.loops import Access, Loop, Read, Repeat, Statement, Stretch
from autograd.compiler.spelling import LLVM, LLVM_OF_NUMBER
from autograd.operation import Op

UNROLLED_TERMS = 4
"""Stretches of up to so many terms are written out."""

MULTIPLIED = (-6.0, -5.0, -4.0, -3.0, -2.0, -1.0, -0.5, 0.5, 2.0, 3.0, 4.0, 5.0, 6.0)
"""Exponents of powers that are multiplied out, or roots, instead of calls of ``pow``."""

NEUTRAL = {ops.add: -0.0, ops.maximum: -math.inf}
"""What chains begin with: -0.0 + x is x for every x."""

Index = tuple[str, int]
"""An index as a register, or "" for none, plus a constant."""

Point = tuple[Index, ...]
"""The indices of all loops at one point."""


def looks_up(statement: Statement) -> bool:
    """Return whether each sample has an address of its own."""
    return statement.op is ops.take or statement.scatter is not None


def _place(access: Access, point: Point) -> tuple[int, dict[str, int]]:
    """Return the constant part of an address, and the stride of each register in it."""
    offset = access.offset
    moving: dict[str, int] = {}
    for stride, (register, constant) in zip(access.strides, point, strict=True):
        offset += stride * constant
        if register and stride:
            moving[register] = moving.get(register, 0) + stride
    return offset, moving


class Body(Emitter):
    """Statements and loop nests, for one kind of block.

    Args:
        function: returns the name under which a function of libm is called, for some width.
        masked: whether some places of a vector may be idle, as ``%mask`` says.
    """

    def __init__(
        self, function: Callable[[str, int], str], block: SampleBlock, *, masked: bool
    ) -> None:
        super().__init__(block.width, block.real)
        self.function = function
        self.block = block
        self.masked = masked
        self._loaded: dict[tuple[object, ...], str] = {}
        self._scales = dict.fromkeys("xtaoh", block.lanes) | {"r": block.width}
        self.use(block.width)

    def use(self, width: int) -> None:
        """Write vectors of some width from now on."""
        types = self.types = Types(width, self.real)
        self._words = {
            "t": types.number,
            "m": types.truth,
            "s": types.suffix,
            "fast": "" if self.block.exact else " contract",
            "zero": types.constant(0.0),
            "one": types.constant(1.0),
            "minus_one": types.constant(-1.0),
        }
        self._exponents = {types.constant(c): c for c in MULTIPLIED}

    def pointer(self, access: Access, point: Point, vector: int = 0) -> str:
        """Return where something is kept, for a point of its loops."""
        scale = self._scales.get(access.array[0], 1)
        offset, moving = _place(access, point)
        key: tuple[object, ...] = (access.array, *moving.items())
        base = self.known.get(key)
        if base is None:
            base = f"%{access.array}"
            for register, stride in moving.items():
                step, at = self.new(), self.new()
                self.emit(f"{step} = mul nsw i64 {register}, {stride * scale}")
                self.emit(f"{at} = getelementptr {self.real.name}, ptr {base}, i64 {step}")
                base = at
            self.known[key] = base
        place = offset * scale + vector * self.block.width
        key = (*key, place)
        if place and key not in self.known:
            self.known[key] = self.new()
            self.emit(
                f"{self.known[key]} = getelementptr {self.real.name}, ptr {base}, i64 {place}"
            )
        return self.known[key] if place else base

    def scalar(self, operand: Access | float) -> str:
        """Return a number that all samples share."""
        if isinstance(operand, float):
            return self.real.written(operand)
        name = self.new()
        self.emit(f"{name} = load {self.real.name}, ptr {self.pointer(operand, ())}")
        return name

    def _load(self, access: Access, point: Point, vector: int) -> str:
        name = self.new()
        if access.array[0] == "u" and self.block.width > 1:
            key = ("broadcast", *access, point)
            if key in self.known:
                return self.known[key]
            pointer = self.pointer(access, point)
            self.known[key] = self.broadcast(self.read(pointer, self.real.name))
            return self.known[key]
        pointer = self.pointer(access, point, 0 if access.array[0] == "u" else vector)
        self.emit(f"{name} = load {self.types.number}, ptr {pointer}, align {self._align(access)}")
        return name

    def _store(self, value: str, access: Access, point: Point, vector: int) -> None:
        pointer = self.pointer(access, point, vector)
        self.emit(f"store {self.types.number} {value}, ptr {pointer}, align {self._align(access)}")

    def _align(self, access: Access) -> int:
        return self.real.size * (1 if access.array[0] == "u" else self.block.width)

    # Loops and statements

    def nest(self, loops: Iterable[Loop | Repeat]) -> None:
        """Write loops, one after the other."""
        for loop in loops:
            if isinstance(loop, Repeat):
                self.repeat(loop)
            else:
                self.loop(loop)

    def repeat(self, repeat: Repeat) -> None:
        """Write what is done step by step."""
        self.nest(repeat.begin)
        with self.counted("0", str(repeat.steps)) as step:
            for name, array, offset, stride in repeat.walks:
                scale = self._scales.get(array[0], 1)
                at = self.at(f"%{array}", step, stride * scale, offset * scale)
                self.emit(f"%{name} = getelementptr i8, ptr {at}, i64 0")
            self.nest(repeat.loops)

    def loop(self, loop: Loop) -> None:
        """Write one loop nest."""
        chains = any(statement.stretches for statement in loop.statements)
        matrix = len(loop.dims) == 2
        if self.block.vectors > 1:
            tile = self.block.totals // self.block.vectors if chains or matrix else 1
        else:
            tile = 8 if chains and not matrix else 4
        if len(loop.statements) > 12 or any(map(looks_up, loop.statements)):
            tile = 1
        tiles = [1] * len(loop.dims)
        if loop.dims:
            tiles[-1] = tile
            if matrix and not chains:
                tiles[0] = min(tile, self.block.totals // 4)
        self.tiled(
            loop.dims, tiles, lambda points: self._body(loop.statements, list(product(*points)))
        )

    def tiled(
        self,
        dims: tuple[int, ...],
        tiles: Sequence[int],
        write: Callable[[list[list[Index]]], None],
        chosen: tuple[list[Index], ...] = (),
    ) -> None:
        """Write loops over tiles; ``write`` is given the indices of one, a list for each loop."""
        depth = len(chosen)
        if depth == len(dims):
            write(list(chosen))
            return
        size, tile = dims[depth], tiles[depth]
        whole = size - size % tile
        if whole > tile:
            with self.counted("0", str(whole), tile) as i:
                self.tiled(dims, tiles, write, (*chosen, [(i, k) for k in range(tile)]))
        elif whole:
            self.tiled(dims, tiles, write, (*chosen, [("", k) for k in range(tile)]))
        if size > whole:
            self.tiled(dims, tiles, write, (*chosen, [("", k) for k in range(whole, size)]))

    def copy(self, dims: tuple[int, ...], source: Access, target: Access) -> None:
        """Write loops that copy numbers which all samples share."""

        def write(indices: list[list[Index]]) -> None:
            point = tuple([index for (index,) in indices])
            x = self.read(self.pointer(source, point), self.real.name)
            self.write(x, self.pointer(target, point), self.real.name)

        self.tiled(dims, [1] * len(dims), write)

    def _body(self, statements: tuple[Statement, ...], points: list[Point]) -> None:
        vectors = range(self.block.vectors)
        results: list[dict[tuple[int, int], str]] = []

        def value(operand: Read, p: int, v: int) -> str:
            if isinstance(operand, float):
                return self.types.constant(operand)
            if isinstance(operand, Access):
                return self._load(operand, points[p], v)
            return results[operand.place][p, v]

        for statement in statements:
            found: dict[tuple[int, int], str] = {}
            if statement.scatter:
                self._scatter(statement, points, value)
            elif statement.sums:
                self._sum(statement, points, value)
            elif looks_up(statement):
                found = self._gather(statement, points, value)
            elif statement.stretches:
                found = self._chain(statement, points, value)
            else:
                for p in range(len(points)):
                    for v in vectors:
                        args = [value(arg, p, v) for arg in statement.args]
                        found[p, v] = self._apply(statement.op, args) if statement.op else args[0]
            for access in (statement.target, statement.column):
                if access:
                    for (p, v), name in found.items():
                        self._store(name, access, points[p], v)
            results.append(found)

    def _chain(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Read, int, int], str],
    ) -> dict[tuple[int, int], str]:
        """Write a sum of terms, or the largest, all points and vectors side by side."""
        places = list(product(range(len(points)), range(self.block.vectors)))
        op = statement.op or ops.add
        totals = [self.types.constant(NEUTRAL[op])] * len(places)
        last = statement.args[0] if statement.args else None
        if last is not None and not self.block.exact:
            totals = [value(last, p, v) for p, v in places]
        for stretch in statement.stretches:
            self._add_stretch(op, stretch, points, places, totals)
        if last is not None and self.block.exact:
            totals = [
                self._apply(ops.add, [total, value(last, p, v)])
                for total, (p, v) in zip(totals, places, strict=True)
            ]
        return dict(zip(places, totals, strict=True))

    def _add_stretch(
        self,
        op: Op,
        stretch: Stretch,
        points: list[Point],
        places: list[tuple[int, int]],
        totals: list[str],
    ) -> None:
        """Add the terms of a stretch to the totals of points and vectors; ``op`` says how."""

        def add_terms(j: Index) -> None:
            self._loaded = {}
            for i, (p, v) in enumerate(places):
                term = self._term(stretch, (*points[p], j), v)
                totals[i] = self._apply(op, [totals[i], term])

        self._along(stretch.length, 1, totals, add_terms)

    def _term(self, stretch: Stretch, point: Point, vector: int) -> str:
        """Return one term of a stretch: a number, or the product of two."""
        term = self._cached_load(stretch.left, point, vector)
        if stretch.right:
            right = self._cached_load(stretch.right, point, vector)
            term = self._apply(ops.mul, [term, right])
        return term

    def _along(
        self, length: int, step: int, totals: list[str], add_terms: Callable[[Index], None]
    ) -> None:
        """Write what adds terms to totals, ``step`` at a time: one after the other, or a loop."""
        if length <= UNROLLED_TERMS * step:
            for begin in range(0, length, step):
                add_terms(("", begin))
        else:
            with self.counted("0", str(length), step, totals) as j:
                add_terms((j, 0))

    def _gather(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Read, int, int], str],
    ) -> dict[tuple[int, int], str]:
        """Write what reads one of the stretches' numbers, each sample its own."""
        found: dict[tuple[int, int], str] = {}
        for p, v in product(range(len(points)), range(self.block.vectors)):
            chooser = value(statement.args[0], p, v)
            taken, begin = self.types.constant(0.0), 0
            for table, _, length in statement.stretches:
                if length <= UNROLLED_TERMS:
                    for row in range(length):
                        number = self._load(table, (*points[p], ("", row)), v)
                        taken = self._if_row(chooser, begin + row, number, taken)
                else:
                    taken = self._read_rows(chooser, begin, length, table, points[p], v, taken)
                begin += length
            found[p, v] = taken
        return found

    def _if_row(self, chooser: str, row: int, number: str, other: str) -> str:
        """Return the vector of ``number`` for those samples that choose a row."""
        is_row = self.new()
        self.emit(
            f"{is_row} = fcmp oeq {self.types.number} {chooser}, {self.types.constant(float(row))}"
        )
        return self.chosen(f"{self.types.truth} {is_row}", number, other)

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
        """Return the vector of what the samples that choose one of some rows read there."""
        is_shared = table.array[0] == "u"
        pointer = self.pointer(table, (*point, ("", 0)), 0 if is_shared else vector)
        stride = table.strides[-1] * (1 if is_shared else self.block.lanes)
        numbers = []
        for lane in range(self.block.width):
            place = Place(self, self.one_of(chooser, lane), begin, rows)
            at = pointer if is_shared else self.at(pointer, "", 0, lane)
            was = self.one_of(other, lane)
            numbers.append(read_at(self, place, at, stride, was, self.real.name))
        return self.vector_of(numbers)

    def _scatter(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Read, int, int], str],
    ) -> None:
        """Write what adds to one of many sums, each sample to its own."""
        first, rows, stride = statement.scatter or (0, 0, 0)
        assert statement.sums
        for p, v in product(range(len(points)), range(self.block.vectors)):
            chooser, gain = (value(arg, p, v) for arg in statement.args)
            if self.masked:
                gain = self.chosen(f"{self.types.truth} %mask", gain, self.types.constant(0.0))
            pointer = self.pointer(statement.sums, points[p])
            for lane in range(self.block.width):
                place = Place(self, self.one_of(chooser, lane), first, rows)
                at = self.at(pointer, "", 0, lane)
                more, apart = self.one_of(gain, lane), stride * self.block.width
                add_at(self, place, at, apart, more, self.real.name)

    def _cached_load(self, access: Access, point: Point, vector: int) -> str:
        """Load what several points share only once."""
        offset, moving = _place(access, point)
        which = vector if access.array[0] != "u" else None
        key = (access.array, offset, which, self._spacing(access), *moving.items())
        if key not in self._loaded:
            self._loaded[key] = self._load(access, point, vector)
        return self._loaded[key]

    def _spacing(self, access: Access) -> int:
        """Return how many numbers further each place of a vector reads, besides the sample's."""
        return 0

    def _sum(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Read, int, int], str],
    ) -> None:
        """Add what is summed over the samples to its places in ``r``."""
        access = statement.sums
        assert access
        terms = self._chain(statement, points, value) if statement.stretches else {}
        totals = [self._load(access, point, 0) for point in points]
        if self.masked:
            zero = self.types.constant(0.0)
            totals = [self.chosen("i1 %first", zero, total) for total in totals]
        for v in range(self.block.vectors):
            self._loaded = {}
            for p, point in enumerate(points):
                if terms:
                    term = terms[p, v]
                else:
                    args = [
                        self._cached_load(arg, point, v)
                        if isinstance(arg, Access) and arg.array[0] != "u"
                        else value(arg, p, v)
                        for arg in statement.args
                    ]
                    term = self._apply(statement.op, args) if statement.op else args[0]
                if self.masked:
                    mask = f"{self.types.truth} %mask"
                    term = self.chosen(mask, term, self.types.constant(0.0))
                totals[p] = self._apply(ops.add, [totals[p], term])
        for total, point in zip(totals, points, strict=True):
            self._store(total, access, point, 0)

    def fused(self, x: str, y: str, total: str) -> str:
        """Write ``total + x * y``; return its result."""
        return self._apply(ops.add, [total, self._apply(ops.mul, [x, y])])

    def _apply(self, op: Op, args: list[str]) -> str:
        """Write one primitive; return its result."""
        if op is ops.pow and not self.block.exact and args[1] in self._exponents:
            return self._power(args[0], self._exponents[args[1]])
        result = self.new()
        template = LLVM.get(op.name)
        if args[-1] in self.types.numbers and op.name in LLVM_OF_NUMBER:
            template = LLVM_OF_NUMBER[op.name]
        if template:
            for line in template.format(*args, r=result, **self._words).splitlines():
                self.emit(line)
            return result
        function = self.function(op.name, self.types.width)
        typed = ", ".join(f"{self.types.number} {arg}" for arg in args)
        # An optimiser that meets the text makes x * x of pow(x, 2.0), which glibc rounds otherwise.
        kept = " nobuiltin" if self.block.exact else ""
        self.emit(f"{result} = call {self.types.number} @{function}({typed}){kept}")
        return result

    def _power(self, x: str, exponent: float) -> str:
        """Write a power by multiplication or as a root, in a quarter of the time of ``pow``.

        Error: below max(1.5, abs(exponent)) ulp, and of a negative power where its reciprocal
        overflows, below 2**-1022, or 2**-126 in single precision: it is 0. Zeros, infinities
        and NaN are those of ``pow``.

        Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1.
        """
        times = partial(self._apply, ops.mul)
        size = abs(exponent)
        if size == 0.5:
            # The root of -0.0 is -0.0, and of -inf NaN; these powers are 0.0 and inf.
            root = self._apply(ops.sqrt, [self._apply(ops.add, [x, self._words["zero"]])])
            is_infinite, infinite = self.new(), self.types.constant(math.inf)
            least = self.types.constant(-math.inf)
            self.emit(f"{is_infinite} = fcmp oeq {self.types.number} {x}, {least}")
            power = self.chosen(f"{self.types.truth} {is_infinite}", infinite, root)
        elif size == 1:
            power = x
        else:
            square = times([x, x])
            odd = times([square, x]) if size in (3, 5, 6) else square
            power = {2: square, 3: odd}.get(int(size)) or times([odd, odd if size == 6 else square])
        return power if exponent > 0 else self._apply(ops.div, [self._words["one"], power])
