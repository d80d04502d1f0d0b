"""Loops as LLVM's intermediate language: vectors of samples, loops over memory.

A call goes through the samples in blocks of a few vectors. The inputs of a block are first laid
out number by number, so that a vector holds the same number of neighbouring samples; then every
instruction works on a whole vector, weights being broadcast. Samples that don't fill a block are
done one vector at a time, its idle places repeating the last sample and left out of all sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from autograd.compiler.body import Body
from autograd.compiler.emitter import Shape, Types, bits
from autograd.compiler.loops import Loop, Loops, loops_of
from autograd.compiler.machine import PYTHONS_OWN, Machine, host, python_name, vector_name
from autograd.compiler.program import Program
from autograd.compiler.spelling import LIBM
from autograd.compiler.sums import Outer, sums_of

LARGE = 4000
"""Statements from which on code is made for one vector at a time, to be compiled in time."""

LONGEST_FUNCTION = 3000
"""Lines from which on a function is cut: an optimiser's time grows faster than the code."""

POINTERS = ", ".join(f"ptr %{array}" for array in "uxtrqo")
"""What every function is given: the memory of loops and, as ``q``, sums that are numbers."""

# What a kernel is called with: eight-byte words, then one pointer for each array in and out.
PARAMETERS, WORKSPACE, START, STOP, SUMS, SCALE, ARRAYS = range(7)


class Kernel(NamedTuple):
    """A program as LLVM's text, and how its function ``run`` is to be called.

    Attributes:
        workspace: doubles of memory it needs.
    """

    text: str
    workspace: int


def kernel_of(
    loops: Loops,
    arguments: Sequence[int],
    results: Sequence[int],
    machine: Machine,
    shape: Shape,
) -> Kernel:
    """Return the kernel of a program.

    Args:
        arguments: how many of the inputs each array holds for a sample.
        results: likewise for the outputs of each sample.
    """
    return _Module(loops, arguments, results, machine, shape).kernel()


def shape_for(loops: Loops, machine: Machine, *, exact: bool, single: bool) -> Shape:
    """Return the shape that suits a program; ``single`` where it is called with one sample."""
    size = sum(len(loop.statements) for loop in loops.lanes)
    if exact or (single and size > LARGE):
        return Shape(1, 1, exact)
    return Shape(machine.width, 1 if size > LARGE else 4)


def source_of(program: Program) -> str:
    """Return the kernel that computes a program's outputs for many samples, as text."""
    loops = loops_of(program, [False] * len(program.outputs))
    ones = [1] * program.inputs, [1] * len(program.outputs)
    shape = shape_for(loops, host(), exact=False, single=False)
    return kernel_of(loops, *ones, host(), shape).text


class _Module:
    """Writes the functions of one kernel."""

    def __init__(
        self,
        loops: Loops,
        arguments: Sequence[int],
        results: Sequence[int],
        machine: Machine,
        shape: Shape,
    ) -> None:
        self.loops = loops
        self.arguments = arguments
        self.results = results
        self.machine = machine
        self.shape = shape
        self.sums = sums_of(loops, arguments, shape)
        self.rows = sorted({(outer.argument, outer.size) for outer in self.sums.outers})
        self.functions: list[str] = []
        self.called: set[tuple[str, int]] = set()

    def kernel(self) -> Kernel:
        shape = self.shape
        sizes = self.loops.sizes
        self._blocks("uniform", self.loops.uniform, Shape(1, 1, shape.exact), masked=False)
        single = Shape(shape.width, 1, shape.exact)
        masked = shape.width > 1
        if shape.vectors > 1:
            self._blocks("block", self.sums.lanes, shape, masked=False)
        self._blocks("rest", self.sums.lanes, single, masked=masked)
        offsets = {}
        total = 0
        for array, size in (
            ("u", sizes["u"]),
            ("x", sizes["x"] * shape.lanes),
            ("t", sizes["t"] * shape.lanes),
            ("r", _padded(self.sums.vectors, shape.width) * shape.width),
            ("q", self.sums.numbers),
            ("ordered", _padded(self.sums.vectors, shape.width) if self.sums.outers else 0),
            ("o", sizes["o"] * shape.lanes),
        ):
            offsets[array] = total
            total += -(-size // 8) * 8
        self._run(offsets)
        sums = _padded(sizes["r"], shape.width)
        about = [
            "; run(args): args are words of 8 bytes, in this order: the address of the parameters,",
            f"; of {total} doubles to work in (at a multiple of 64), the first sample, where to",
            f"; stop, the address of room for {sums} sums, what they are",
            "; multiplied by (a double), and the address of each array in and out, row by row.",
        ]
        return Kernel("\n".join([*about, *self._declarations(), *self.functions]), total)

    def _blocks(
        self, name: str, loops: Sequence[Loop | Outer], shape: Shape, *, masked: bool
    ) -> None:
        """Write ``name``, which does all loops for one block, in functions of some length."""
        parts = []
        code = Body(self.function, shape, masked=masked)
        for loop in loops:
            if len(code.lines) > LONGEST_FUNCTION:
                parts.append(code)
                code = Body(self.function, shape, masked=masked)
            if isinstance(loop, Outer):
                code.outer(loop)
            else:
                code.loop(loop)
        parts.append(code)
        given = POINTERS
        if name != "uniform":
            given = ", ".join([given, *(f"ptr %y{i}" for i, _ in self.rows)])
        if masked:
            given += f", {Types(shape.width).truth} %mask, i64 %live, i1 %first"
        taken = given.replace("ptr ", "ptr noalias ")
        for i, part in enumerate(parts):
            body = "\n".join(part.lines)
            self.functions.append(
                f"define internal void @{name}{i}({taken}) #0 {{\nentry:\n{body}\n  ret void\n}}\n"
            )
        calls = "\n".join(f"  call void @{name}{i}({given})" for i in range(len(parts)))
        self.functions.append(
            f"define internal void @{name}({taken}) #0 {{\n{calls}\n  ret void\n}}\n"
        )

    def _run(self, offsets: dict[str, int]) -> None:
        """Write the function that is called from outside."""
        shape, sizes = self.shape, self.loops.sizes
        parameters = sizes["u"] - len(self.loops.constants) - self._uniform_results()
        code = Body(self.function, shape, masked=False)
        emit = code.emit

        def word(name: str, place: int, kind: str) -> None:
            emit(f"%{name}.p = getelementptr i64, ptr %args, i64 {place}")
            emit(f"%{name} = load {kind}, ptr %{name}.p")

        word("parameters", PARAMETERS, "ptr")
        word("work", WORKSPACE, "ptr")
        word("start", START, "i64")
        word("stop", STOP, "i64")
        word("sums", SUMS, "ptr")
        word("scale", SCALE, "double")
        for i in range(len(self.arguments) + len(self.results)):
            word(f"array{i}", ARRAYS + i, "ptr")
        for array, offset in offsets.items():
            alone = array == "u" and sizes["u"] == parameters
            base = "parameters" if alone else "work"
            emit(f"%{array} = getelementptr double, ptr %{base}, i64 {0 if alone else offset}")
        if sizes["u"] > parameters:
            emit(
                f"call void @llvm.memcpy.p0.p0.i64(ptr %u, ptr %parameters, i64 {8 * parameters}, "
                "i1 false)"
            )
        constants = self.loops.constants
        if constants:
            emit(f"%constants = getelementptr double, ptr %u, i64 {parameters}")
            emit(
                "call void @llvm.memcpy.p0.p0.i64(ptr %constants, ptr @constants, "
                f"i64 {8 * len(constants)}, i1 false)"
            )
        emit(f"call void @uniform({POINTERS})")
        emit("%count = sub i64 %stop, %start")
        if shape.exact:
            self._exact_lanes(code)
        else:
            self._lanes(code)
        self._finish(code)
        if self.loops.totals:
            emit("%many = sitofp i64 %count to double")
            emit("%weight = fmul double %many, %scale")
        for place, operand in self.loops.totals:
            value = code.scalar(operand)
            at, scaled = code.new(), code.new()
            emit(f"{scaled} = fmul double {value}, %weight")
            emit(f"{at} = getelementptr double, ptr %sums, i64 {place}")
            emit(f"store double {scaled}, ptr {at}")
        body = "\n".join(code.lines)
        self.functions.append(
            f"define void @run(ptr %args) #0 {{\nentry:\n{body}\n  ret void\n}}\n"
        )

    def _finish(self, code: Body) -> None:
        """Write what adds up the places of each sum's vector, and puts all sums in order."""
        width, number, sums = self.shape.width, code.types.number, self.sums
        factor = code.broadcast("%scale")
        target = "%ordered" if sums.outers else "%sums"
        with code.counted("0", str(_padded(sums.vectors, width)), width) as k:
            places = code.at("%r", k, width)
            parts = [code.read(code.at(places, "", 0, i * width), number) for i in range(width)]
            step = 1
            while len(parts) > 1:
                pairs = [
                    code.crossed(parts[i], parts[i + 1], step) for i in range(0, len(parts), 2)
                ]
                parts = [code.binary("fadd", low, high) for low, high in pairs]
                step *= 2
            code.write(code.binary("fmul", parts[0], factor), code.at(target, k, 1), number)
        for dims, source, goal in sums.moved:
            code.copy(dims, source, goal)
        for outer in sums.outers:
            code.collect(outer, factor)

    def _uniform_results(self) -> int:
        """Return how many numbers the uniform loops store."""
        return sum(
            _count(loop.dims)
            for loop in self.loops.uniform
            for statement in loop.statements
            if statement.target
        )

    def _lanes(self, code: Body) -> None:
        """Write the loops over the samples: those that fill no block first, then the blocks.

        The first vector sets the sums, which spares it to clear and to load them.
        """
        shape, emit = self.shape, code.emit
        rest = Shape(shape.width, 1)
        if shape.width == 1:
            self._clear(code)
            with code.counted("%start", "%stop") as b:
                self._inputs(code, rest, b)
                emit(f"call void @rest({POINTERS})")
                self._outputs(code, rest, b, "%stop")
            return
        whole = shape.lanes if shape.vectors > 1 else 0
        tail, end = "%count", "%stop"
        if whole:
            tail, end = code.new(), code.new()
            emit(f"{tail} = urem i64 %count, {whole}")
            emit(f"{end} = add i64 %start, {tail}")
            with code.counted(tail, "1"):
                self._clear(code)
        with code.counted("%start", end, shape.width) as b:
            self._inputs(code, rest, b)
            pointers = self._pointers(code, b)
            live, mask, first = *self._mask(code, end, b), code.new()
            emit(f"{first} = icmp eq i64 {b}, %start")
            masks = f"{code.types.truth} {mask}, i64 {live}, i1 {first}"
            emit(f"call void @rest({pointers}, {masks})")
            self._outputs(code, rest, b, end)
        if whole:
            with code.counted(end, "%stop", whole) as b:
                self._inputs(code, shape, b)
                emit(f"call void @block({self._pointers(code, b)})")
                self._outputs(code, shape, b, "%stop")

    def _pointers(self, code: Body, b: str) -> str:
        """Return what a block is given that begins at sample ``b``."""
        rows = [code.at(f"%array{argument}", b, size) for argument, size in self.rows]
        return ", ".join([POINTERS, *(f"ptr {row}" for row in rows)])

    def _clear(self, code: Body) -> None:
        """Write what sets all sums to 0."""
        width = self.shape.width
        for array, size in (
            ("r", _padded(self.sums.vectors, width) * width),
            ("q", self.sums.numbers),
        ):
            if size:
                code.emit(
                    f"call void @llvm.memset.p0.i64(ptr %{array}, i8 0, i64 {8 * size}, i1 false)"
                )

    def _mask(self, code: Body, end: str, b: str) -> tuple[str, str]:
        """Return how many places of the vector at ``b`` lie before ``end``, and which."""
        width, left, lane, mask = self.shape.width, code.new(), code.new(), code.new()
        live = code.new()
        code.emit(f"{left}.n = sub i64 {end}, {b}")
        code.emit(f"{live} = call i64 @llvm.smin.i64(i64 {left}.n, i64 {width})")
        code.emit(f"{left} = insertelement <{width} x i64> poison, i64 {left}.n, i32 0")
        code.emit(
            f"{lane} = shufflevector <{width} x i64> {left}, <{width} x i64> poison, "
            f"<{width} x i32> zeroinitializer"
        )
        numbers = ", ".join(f"i64 {i}" for i in range(width))
        code.emit(f"{mask} = icmp sgt <{width} x i64> {lane}, <{numbers}>")
        return live, mask

    def _exact_lanes(self, code: Body) -> None:
        """Write the loop over the samples, the last one first: the order of the eager sweep."""
        with code.counted("0", "%count") as k:
            row = code.new()
            code.emit(f"{row}.o = sub i64 %stop, {k}")
            code.emit(f"{row} = sub i64 {row}.o, 1")
            one = Shape(1, 1, exact=True)
            self._inputs(code, one, row)
            code.emit(f"call void @rest({POINTERS})")
            self._outputs(code, one, row, "%stop")

    def _inputs(self, code: Body, shape: Shape, b: str) -> None:
        """Lay the inputs of a block out number by number."""
        emit = code.emit
        offsets = list(accumulate(self.arguments, initial=0))
        one_by_one = []
        for i, size in enumerate(self.arguments):
            if shape.vectors > 1 and (size == 1 or size >= shape.width):
                self._turned(code, shape, b, i, offsets[i])
            elif size:
                one_by_one.append(i)
        if not one_by_one:
            return
        last = code.new()
        emit(f"{last} = sub i64 %stop, 1")
        with code.counted("0", str(shape.lanes)) as lane:
            row = code.new()
            emit(f"{row}.b = add i64 {b}, {lane}")
            emit(f"{row} = call i64 @llvm.smin.i64(i64 {row}.b, i64 {last})")
            for i in one_by_one:
                size = self.arguments[i]
                source = code.at(f"%array{i}", row, size)
                target = code.at("%x", lane, 1, offsets[i] * shape.lanes)
                code.moved(size, source, 1, target, shape.lanes)

    def _turned(self, code: Body, shape: Shape, b: str, i: int, offset: int) -> None:
        """Turn rows into columns, a square of vectors at a time; all rows are there."""
        size, width, number = self.arguments[i], shape.width, code.types.number
        source = code.at(f"%array{i}", b, size)
        target = code.at("%x", "", 0, offset * shape.lanes)
        for v in range(shape.vectors):
            rows = code.at(source, "", 0, v * width * size)
            columns = code.at(target, "", 0, v * width)
            if size == 1:
                code.write(code.read(rows, number), columns, number)
                continue

            def square(first: str, rows: str = rows, columns: str = columns) -> None:
                start = code.at(rows, first, 1)
                parts = [code.read(code.at(start, "", 0, r * size), number) for r in range(width)]
                step = 1
                while step < width:
                    for r in range(width):
                        if not r & step:
                            parts[r], parts[r + step] = code.crossed(
                                parts[r], parts[r + step], step
                            )
                    step *= 2
                end = code.at(columns, first, shape.lanes)
                for c, part in enumerate(parts):
                    code.write(part, code.at(end, "", 0, c * shape.lanes), number)

            with code.counted("0", str(size - width + 1), width) as k:
                square(k)
            if size % width:
                square(str(size - width))  # once more what the last whole square has done

    def _outputs(self, code: Body, shape: Shape, b: str, stop: str) -> None:
        """Put the outputs of a block's samples before ``stop`` where they belong."""
        offsets = list(accumulate(self.results, initial=0))
        one_by_one = []
        for i, size in enumerate(self.results):
            if shape.vectors > 1 and size == 1:
                source = code.at("%o", "", 0, offsets[i] * shape.lanes)
                target = code.at(f"%array{len(self.arguments) + i}", b, 1)
                for v in range(shape.vectors):
                    column = code.at(source, "", 0, v * shape.width)
                    code.write(
                        code.read(column, code.types.number),
                        code.at(target, "", 0, v * shape.width),
                        code.types.number,
                    )
            elif size:
                one_by_one.append(i)
        if not one_by_one:
            return
        left, end = code.new(), code.new()
        code.emit(f"{left} = sub i64 {stop}, {b}")
        code.emit(f"{end} = call i64 @llvm.smin.i64(i64 {left}, i64 {shape.lanes})")
        with code.counted("0", end) as lane:
            row = code.new()
            code.emit(f"{row} = add i64 {b}, {lane}")
            for i in one_by_one:
                source = code.at("%o", lane, 1, offsets[i] * shape.lanes)
                target = code.at(f"%array{len(self.arguments) + i}", row, self.results[i])
                code.moved(self.results[i], source, shape.lanes, target, 1)

    def function(self, name: str, width: int) -> str:
        """Return the name under which a function of libm is called for some width."""
        self.called.add((name, width))
        if self.shape.exact and name in PYTHONS_OWN:
            return python_name(name)
        if width == 1:
            return name
        if name in self.machine.vector_functions:
            return vector_name(name, LIBM[name], width)
        return f"each_{name}"

    def _declarations(self) -> Iterator[str]:
        yield f'target triple = "{self.machine.triple}"'
        yield 'attributes #0 = { nounwind "no-trapping-math"="true" }'
        yield "declare i64 @llvm.smin.i64(i64, i64)"
        yield "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
        yield "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"
        for width in {1, self.shape.width}:
            types = Types(width)
            for name in ("fabs", "sqrt"):
                yield f"declare {types.number} @llvm.{name}.{types.suffix}({types.number})"
        if self.loops.constants:
            numbers = ", ".join(f"double {bits(constant)}" for constant in self.loops.constants)
            count = len(self.loops.constants)
            yield f"@constants = private constant [{count} x double] [{numbers}]"
        for name, width in sorted(self.called):
            number = Types(width).number
            arity = LIBM[name]
            declared = self.function(name, width)
            if declared.startswith("each_"):
                if (name, 1) not in self.called:
                    yield f"declare double @{name}({', '.join(['double'] * arity)})"
                yield from _each(name, arity, width)
            else:
                yield f"declare {number} @{declared}({', '.join([number] * arity)})"


def _each(name: str, arity: int, width: int) -> Iterator[str]:
    """Yield the function that calls libm for each number of a vector."""
    number = Types(width).number
    parameters = ", ".join(f"{number} %x{i}" for i in range(arity))
    yield f"define internal {number} @each_{name}({parameters}) {{"
    whole = "poison"
    for lane in range(width):
        for i in range(arity):
            yield f"  %a{lane}.{i} = extractelement {number} %x{i}, i32 {lane}"
        args = ", ".join(f"double %a{lane}.{i}" for i in range(arity))
        yield f"  %y{lane} = call double @{name}({args})"
        yield f"  %v{lane} = insertelement {number} {whole}, double %y{lane}, i32 {lane}"
        whole = f"%v{lane}"
    yield f"  ret {number} {whole}"
    yield "}"


def _padded(size: int, width: int) -> int:
    return -(-size // width) * width


def _count(dims: tuple[int, ...]) -> int:
    n = 1
    for dim in dims:
        n *= dim
    return n
