"""Loops as LLVM's intermediate language: vectors of samples, loops over memory.

A call goes through the samples in blocks of a few vectors. The inputs of a block are first laid
out number by number, so that a vector holds the same number of neighbouring samples; then every
instruction works on a whole vector, weights being broadcast. Samples that don't fill a block are
done one vector at a time, its idle places repeating the last sample and left out of all sums. One
sample alone has code of its own, whose vectors are neighbouring indices of a loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from math import prod
from typing import NamedTuple

from autograd.compiler.blocks import Passage, SampleBlock
from autograd.compiler.calls import Calls
from autograd.compiler.emitter import Types
from autograd.compiler.kernel import Body
from autograd.compiler.lone import LoneBody
from autograd.compiler.loops import Loop, Loops, Repeat, loops_in
from autograd.compiler.machine import OFTEN, ONCE, Machine
from autograd.compiler.products import add_outer, multiply, room
from autograd.compiler.reals import DOUBLE, Real
from autograd.compiler.sums import sums_of

LARGE_PROGRAM = 4000
"""Statements from which on code is made for one vector at a time, to be compiled in time."""

MOST_VECTORS = 4
"""How many vectors of samples a block has otherwise."""

LANES = (1, 2, 4, 8, 16)
"""How many numbers a vector may have."""

LONGEST_FUNCTION = 3000
"""Lines from which on a function is cut: an optimiser's time grows faster than the code."""

REPEATED_WORK = 400
"""Operations of each statement, or stretch of a sum, from which on a loop repeats what it does."""

ARRAYS_OF_LOOPS = "uxtarohd"
"""The memory of loops; ``h`` is what was computed for a sample ahead, ``d`` what is kept of it."""

ARRAYS_OF_PRODUCTS = ("u", "h", "d", "q", "c", "sums")
"""The memory of products, beside the rows of arguments."""

POINTERS = ", ".join(f"ptr %{array}" for array in ARRAYS_OF_LOOPS)
"""What every function is given."""

# What a kernel is called with: eight-byte words, then one pointer for each array in and out.
PARAMETERS, WORKSPACE, START, STOP, SUMS, SCALE, ARRAYS = range(7)


class Kernel(NamedTuple):
    """A program as LLVM's text, and how its function ``run`` is to be called.

    Attributes:
        workspace: for how many numbers it needs memory.
    """

    text: str
    workspace: int


def kernel_of(
    loops: Loops,
    arguments: Sequence[int],
    results: Sequence[int],
    machine: Machine,
    block: SampleBlock,
) -> Kernel:
    """Return the kernel of a program.

    Args:
        arguments: how many of the inputs each array holds for a sample.
        results: likewise for the outputs of each sample.
    """
    return _Module(loops, arguments, results, machine, block).kernel()


def block_for(
    loops: Loops, machine: Machine, *, exact: bool, single: bool, real: Real = DOUBLE
) -> SampleBlock:
    """Return the block that suits a program; ``single`` where samples are done one by one.

    One would have vectors of samples to itself, and the code of whole blocks is never run.
    """
    width = machine.lanes(real)
    if exact or single:
        totals = machine.registers // 2
        return SampleBlock(1, 1, exact, 1 if exact else width, real, totals)
    size = sum(len(loop.statements) for _, loop in loops_in(loops.lanes))
    vectors = 1 if size > LARGE_PROGRAM else MOST_VECTORS
    return SampleBlock(width, vectors, real=real, totals=machine.registers // 2)


class _Module:
    """Writes the functions of one kernel."""

    def __init__(
        self,
        loops: Loops,
        arguments: Sequence[int],
        results: Sequence[int],
        machine: Machine,
        block: SampleBlock,
    ) -> None:
        self.loops = loops
        self.arguments = arguments
        self.results = results
        self.machine = machine
        self.block = block
        self.rest = block._replace(vectors=1)
        self.real = block.real
        across = 1 if block.exact else machine.lanes(block.real)
        self.lone = SampleBlock(1, 1, block.exact, across, block.real, block.totals)
        self.sums = sums_of(loops, arguments, block)
        self.together = bool(self.sums.products or self.sums.outers)
        self.functions: list[str] = []
        self.calls = Calls(machine, block.exact, block.real)

    def kernel(self) -> Kernel:
        block = self.block
        sizes = self.loops.sizes
        self._blocks("uniform", self.loops.uniform, self.lone, masked=False)
        if block.vectors > 1:
            self._blocks("block", self.sums.lanes, block, masked=False)
        self._blocks("rest", self.sums.lanes, self.rest, masked=block.width > 1)
        if self.together:
            self._products("", block)
            self._products("_rest", self.rest)
        offsets = {}
        total, apart = 0, 64 // self.real.size
        for array, size in (
            ("u", sizes["u"]),
            ("x", sizes["x"] * block.lanes),
            ("t", sizes["t"] * block.lanes),
            ("a", sizes["a"] * block.lanes),
            ("r", block.padded(self.sums.vectors) * block.width if block.width > 1 else 0),
            ("h", self.sums.ahead * block.together),
            ("d", self.sums.behind * block.together),
            ("c", room(self.sums, block)),
            ("q", self.sums.numbers),
            ("sums_in_order", block.padded(self.sums.vectors) if self.sums.outers else 0),
            ("o", sizes["o"] * block.lanes),
        ):
            offsets[array] = total
            total += -(-size // apart) * apart
        if block.width > 1:
            self._function("run", offsets)
        else:
            self._function("add", offsets)
            self._run_one_by_one()
        sums = block.padded(sizes["r"])
        about = [
            "; run(args): args are words of 8 bytes, in this order: the address of the parameters,",
            f"; of {total} {self.real.name}s to work in (at a multiple of 64), the first sample,",
            f"; where to stop, the address of room for {sums} sums, what they are",
            "; multiplied by (a double), and the address of each array in and out, row by row.",
            "; add(args), where samples are done one by one, adds to the sums as they are.",
        ]
        return Kernel("\n".join([*about, *self._declarations(), *self.functions]), total)

    def _blocks(
        self, name: str, loops: Sequence[Loop | Repeat], block: SampleBlock, *, masked: bool
    ) -> None:
        """Write ``name``, which does all loops for one block, in functions of some length."""
        parts: list[tuple[Body, bool]] = []
        for loop in loops:
            often = _is_repeated(loop)
            if not parts or parts[-1][1] != often or len(parts[-1][0].lines) > LONGEST_FUNCTION:
                parts.append((self._body(block, masked=masked), often))
            parts[-1][0].nest([loop])
        if not parts:
            parts.append((self._body(block, masked=masked), False))
        given = POINTERS
        if masked:
            given += f", {Types(block.width, self.real).truth} %mask, i1 %first"
        taken = given.replace("ptr ", "ptr noalias ")
        for i, (part, often) in enumerate(parts):
            body = "\n".join(part.lines)
            group = OFTEN if often else ONCE
            self.functions.append(
                f"define internal void @{name}{i}({taken}) {group} {{\n"
                f"entry:\n{body}\n  ret void\n}}\n"
            )
        calls = "\n".join(f"  call void @{name}{i}({given})" for i in range(len(parts)))
        self.functions.append(
            f"define internal void @{name}({taken}) {OFTEN} {{\nentry:\n{calls}\n  ret void\n}}\n"
        )

    def _body(self, block: SampleBlock, *, masked: bool) -> Body:
        if block.across > 1:
            return LoneBody(self.calls.name, block)
        return Body(self.calls.name, block, masked=masked)

    def _run_one_by_one(self) -> None:
        """Write ``run`` where there is ``add``."""
        code = Body(self.calls.name, self.block, masked=False)
        code.load_word("sums", "%args", SUMS, "ptr")
        code.load_word("scale", "%args", SCALE, "double")
        self._zero(code, "sums", 0, self.sums.vectors)
        code.emit("call void @add(ptr %args)")
        self._scale(code)
        self._define("run", code)

    def _define(self, name: str, code: Body) -> None:
        body = "\n".join(code.lines)
        self.functions.append(
            f"define void @{name}(ptr %args) {OFTEN} {{\nentry:\n{body}\n  ret void\n}}\n"
        )

    def _function(self, name: str, offsets: dict[str, int]) -> None:
        """Write a function that is called from outside."""
        sizes, parameters, real = self.loops.sizes, self.loops.parameters, self.real
        code = Body(self.calls.name, self.block, masked=False)
        emit = code.emit

        words = [
            ("parameters", PARAMETERS, "ptr"),
            ("work", WORKSPACE, "ptr"),
            ("start", START, "i64"),
            ("stop", STOP, "i64"),
            ("sums", SUMS, "ptr"),
            ("scale", SCALE, "double"),
        ]
        count = len(self.arguments) + len(self.results)
        words += [(f"array{i}", ARRAYS + i, "ptr") for i in range(count)]
        for word, place, kind in words:
            code.load_word(word, "%args", place, kind)
        for array, offset in offsets.items():
            alone = array == "u" and sizes["u"] == parameters
            base = "parameters" if alone else "work"
            place = 0 if alone else offset
            if array == "r" and self.block.width == 1:
                base, place = "sums", 0
            emit(f"%{array} = getelementptr {real.name}, ptr %{base}, i64 {place}")
        if sizes["u"] > parameters:
            emit(
                "call void @llvm.memcpy.p0.p0.i64(ptr %u, ptr %parameters, "
                f"i64 {real.size * parameters}, i1 false)"
            )
        constants = self.loops.constants
        if constants:
            emit(f"%constants = getelementptr {real.name}, ptr %u, i64 {parameters}")
            emit(
                "call void @llvm.memcpy.p0.p0.i64(ptr %constants, ptr @constants, "
                f"i64 {real.size * len(constants)}, i1 false)"
            )
        emit(f"call void @uniform({POINTERS})")
        emit("%count = sub i64 %stop, %start")
        self._lanes(code)
        if self.block.width > 1:
            self._finish(code)
        if self.loops.totals:
            self._totals(code)
        self._define(name, code)

    def _totals(self, code: Body) -> None:
        """Write the sums of what all samples share."""
        number, emit, is_one_by_one = self.real.name, code.emit, self.block.width == 1
        emit("%many = sitofp i64 %count to double")
        emit(f"%share = fmul double %many, {'1.0' if is_one_by_one else '%scale'}")
        weight = self._narrowed(code, "%share")
        for place, operand in self.loops.totals:
            value = code.scalar(operand)
            at, total = code.at("%sums", "", 0, place), code.new()
            emit(f"{total} = fmul {number} {value}, {weight}")
            if is_one_by_one:
                before, part, total = code.read(at, number), total, code.new()
                emit(f"{total} = fadd {number} {before}, {part}")
            code.write(total, at, number)

    def _finish(self, code: Body) -> None:
        """Write what adds up the places of each sum's vector, and puts all sums in order."""
        width, number, sums = self.block.width, code.types.number, self.sums
        factor = code.broadcast(self._narrowed(code, "%scale"))
        target = "%sums_in_order" if sums.outers else "%sums"
        with code.counted("0", str(self.block.padded(sums.vectors)), width) as k:
            places = code.at("%r", k, width)
            parts = [code.read(code.at(places, "", 0, i * width), number) for i in range(width)]
            total = code.merged(parts, partial(code.binary, "fadd"))
            code.write(code.binary("fmul", total, factor), code.at(target, k, 1), number)
        for dims, source, goal in sums.moved:
            code.copy(dims, source, goal)

    def _scale(self, code: Body) -> None:
        """Write what multiplies sums that are numbers where they are, a vector at a time."""
        begin, size = 0, self.sums.vectors
        scale = self._narrowed(code, "%scale")
        for width in sorted({self.lone.across, 1}, reverse=True):
            code.use(width)
            factor, number, end = code.broadcast(scale), code.types.number, size - size % width
            with code.counted(str(begin), str(end), width) as k:
                at = code.at("%sums", k, 1)
                code.write(code.binary("fmul", code.read(at, number), factor), at, number)
            begin = end
        code.use(1)

    def _narrowed(self, code: Body, number: str) -> str:
        """Return a double as one of the kernel's numbers."""
        if self.real is DOUBLE:
            return number
        name = code.new()
        code.emit(f"{name} = fptrunc double {number} to {self.real.name}")
        return name

    def _products(self, name: str, block: SampleBlock) -> None:
        """Write ``ahead`` and ``behind``: products of many samples, in blocks of some kind."""
        pointers = [f"%{x}" for x in (*ARRAYS_OF_PRODUCTS, *(f"y{i}" for i, _ in self.sums.rows()))]
        given = ", ".join(f"ptr noalias {pointer}" for pointer in pointers)
        ahead, behind = (Body(self.calls.name, block, masked=False) for _ in range(2))
        for product in self.sums.products:
            multiply(ahead, product, self.sums.ahead)
        for outer in self.sums.outers:
            add_outer(behind, outer)
        given += ", i64 %live"
        place = f", i1 %first, i1 %last, {self.real.name} %factor"
        for which, code, taken in (("ahead", ahead, given), ("behind", behind, given + place)):
            body = "\n".join(code.lines)
            self.functions.append(
                f"define internal void @{which}{name}({taken}) {OFTEN} {{\n"
                f"entry:\n{body}\n  ret void\n}}\n"
            )

    def _lanes(self, code: Body) -> None:
        """Write the loops over the samples: those that fill no block first, then the blocks.

        The first vector sets the sums, which spares it to clear and to load them.
        """
        block, rest, emit = self.block, self.rest, code.emit
        samples = Passage(code, self.arguments, self.results, self._left())
        if block.width == 1:
            with code.counted("%start", "%stop") as b:
                samples.enter(rest, b)
                emit(f"call void @rest({POINTERS})")
                samples.leave(rest, b, "%stop")
            return
        whole = block.lanes if block.vectors > 1 else 0
        tail, end = "%count", "%stop"
        if whole:
            tail, end = code.new(), code.new()
            emit(f"{tail} = urem i64 %count, {whole}")
            emit(f"{end} = add i64 %start, {tail}")
            with code.counted(tail, "1"):
                self._clear(code)
        for low, high in self.sums.scattered:
            self._zero(code, "r", low * block.width, high * block.width)
        with self._blocks_of(code, "_rest", "%start", end, block.width) as (b, pointers):
            samples.enter(rest, b)
            mask, first = self._mask(code, end, b), code.new()
            emit(f"{first} = icmp eq i64 {b}, %start")
            emit(f"call void @rest({pointers}, {code.types.truth} {mask}, i1 {first})")
            samples.leave(rest, b, end)
        if whole:
            with self._blocks_of(code, "", end, "%stop", whole) as (b, pointers):
                samples.enter(block, b)
                emit(f"call void @block({pointers})")
                samples.leave(block, b, "%stop")

    @contextmanager
    def _blocks_of(
        self, code: Body, name: str, start: str, stop: str, lanes: int
    ) -> Iterator[tuple[str, str]]:
        """Write a loop over blocks, and products of all their samples around it, if there are any.

        Yields:
            Where a block begins, and the pointers that it is given.
        """
        if not self.together:
            with code.counted(start, stop, lanes) as b:
                yield b, POINTERS
            return
        with code.counted(start, stop, self.block.together) as begin:
            left, live, end, first, last, factor = (code.new() for _ in range(6))
            code.emit(f"{left} = sub i64 {stop}, {begin}")
            code.emit(f"{live} = call i64 @llvm.smin.i64(i64 {left}, i64 {self.block.together})")
            code.emit(f"{end} = add i64 {begin}, {live}")
            code.emit(f"{first} = icmp eq i64 {begin}, %start")
            code.emit(f"{last} = icmp eq i64 {end}, %stop")
            number, one = self.real.name, self.real.written(1.0)
            scale = self._narrowed(code, "%scale")
            code.emit(f"{factor} = select i1 {last}, {number} {scale}, {number} {one}")
            rows = [code.at(f"%array{i}", begin, size) for i, size in self.sums.rows()]
            pointers = [*(f"%{array}" for array in ARRAYS_OF_PRODUCTS), *rows]
            given = f"{', '.join(f'ptr {pointer}' for pointer in pointers)}, i64 {live}"
            code.emit(f"call void @ahead{name}({given})")
            with code.counted(begin, end, lanes) as b:
                yield b, self._pointers(code, begin, b)
            place = f"i1 {first}, i1 {last}, {number} {factor}"
            code.emit(f"call void @behind{name}({given}, {place})")

    def _left(self) -> set[int]:
        """Return the arguments of which no number is wanted in a place of its own."""
        ends = [*accumulate(self.arguments, initial=0)]
        return {i for i, _ in self.sums.rows() if not self.sums.reads(*ends[i : i + 2])}

    def _pointers(self, code: Body, begin: str, b: str) -> str:
        """Return what the block at sample ``b`` is given, among those from ``begin`` on."""
        place = code.new()
        code.emit(f"{place} = sub i64 {b}, {begin}")
        places = {"h": code.at("%h", place, self.sums.ahead), "d": code.at("%d", place, 1)}
        return ", ".join(f"ptr {places.get(x, f'%{x}')}" for x in ARRAYS_OF_LOOPS)

    def _clear(self, code: Body) -> None:
        """Write what sets all sums to 0, but those that are set by the first."""
        self._zero(code, "r", 0, self.block.padded(self.sums.vectors) * self.block.width)

    def _zero(self, code: Body, array: str, begin: int, end: int) -> None:
        if begin < end:
            size, at = self.real.size * (end - begin), code.at(f"%{array}", "", 0, begin)
            code.emit(f"call void @llvm.memset.p0.i64(ptr {at}, i8 0, i64 {size}, i1 false)")

    def _mask(self, code: Body, end: str, b: str) -> str:
        """Return which places of the vector at ``b`` lie before ``end``."""
        width, left, lane, mask = self.block.width, code.new(), code.new(), code.new()
        code.emit(f"{left}.n = sub i64 {end}, {b}")
        code.emit(f"{left} = insertelement <{width} x i64> poison, i64 {left}.n, i32 0")
        code.emit(
            f"{lane} = shufflevector <{width} x i64> {left}, <{width} x i64> poison, "
            f"<{width} x i32> zeroinitializer"
        )
        numbers = ", ".join(f"i64 {i}" for i in range(width))
        code.emit(f"{mask} = icmp sgt <{width} x i64> {lane}, <{numbers}>")
        return mask

    def _declarations(self) -> Iterator[str]:
        real = self.real
        yield f'target triple = "{self.machine.triple}"'
        for group in (OFTEN, ONCE):
            yield f'attributes {group} = {{ nounwind "no-trapping-math"="true" }}'
        yield "declare i64 @llvm.smin.i64(i64, i64)"
        yield "declare i64 @llvm.umin.i64(i64, i64)"
        yield f"declare i64 @llvm.fptosi.sat.i64.{real.suffix}({real.name})"
        yield "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
        yield "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"
        for width in sorted({1, self.block.width, *LANES[: LANES.index(self.lone.across) + 1]}):
            types = Types(width, real)
            for name in ("fabs", "sqrt"):
                yield f"declare {types.number} @llvm.{name}.{types.suffix}({types.number})"
        if self.loops.constants:
            constants = self.loops.constants
            numbers = ", ".join(f"{real.name} {real.written(x)}" for x in constants)
            yield f"@constants = private constant [{len(constants)} x {real.name}] [{numbers}]"
        yield from self.calls.declared()


def _is_repeated(loop: Loop | Repeat) -> bool:
    """Return whether most of a loop's time is spent on lines that are done again and again."""
    if not isinstance(loop, Loop):
        return True
    lines = operations = 0
    for statement in loop.statements:
        lines += 1 + len(statement.stretches)
        operations += 1 + sum(stretch.length for stretch in statement.stretches)
    return prod(loop.dims) * operations >= REPEATED_WORK * lines
