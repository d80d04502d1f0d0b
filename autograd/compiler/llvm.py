"""Loops as LLVM's intermediate language: vectors of samples, loops over memory.

A call goes through the samples in blocks of a few vectors. The inputs of a block are first laid
out number by number, so that a vector holds the same number of neighbouring samples; then every
instruction works on a whole vector, weights being broadcast. Samples that don't fill a block are
done one vector at a time, its idle places repeating the last sample and left out of all sums.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, product
from typing import NamedTuple

from autograd import ops
from autograd.compiler.loops import Access, Loop, Loops, Operand, Statement
from autograd.compiler.machine import PYTHONS_OWN, Machine, python_name, vector_name
from autograd.compiler.spelling import LIBM, LLVM, LLVM_OF_NUMBER
from autograd.operation import Op

WRITTEN_OUT = 8
"""Rows of up to so many inputs are copied without a loop."""

UNROLLED = 4
"""Shorter runs of a chain are written out."""

LARGE = 4000
"""Statements from which on code is made for one vector at a time, to be compiled in time."""

LONGEST_FUNCTION = 3000
"""Lines from which on a function is cut: an optimiser's time grows faster than the code."""

POINTERS = "ptr noalias %u, ptr noalias %x, ptr noalias %t, ptr noalias %r, ptr noalias %o"

# What a kernel is called with: eight-byte words, then one pointer for each array in and out.
PARAMETERS, WORKSPACE, START, STOP, SUMS, SCALE, ARRAYS = range(7)


class Shape(NamedTuple):
    """How a program meets its samples.

    Attributes:
        width: samples in a vector; 1 for scalar code.
        vectors: vectors in a block.
        exact: whether every bit is that of the rows, called one after the other.
    """

    width: int
    vectors: int
    exact: bool = False

    @property
    def lanes(self) -> int:
        """Samples in a block."""
        return self.width * self.vectors


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


def bits(x: float) -> str:
    """Return a double as LLVM writes it.

    >>> bits(1.0)
    '0x3FF0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


class _Types:
    """How vectors of some width are written."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.number = "double" if width == 1 else f"<{width} x double>"
        self.truth = "i1" if width == 1 else f"<{width} x i1>"
        self.suffix = "f64" if width == 1 else f"v{width}f64"

        self.numbers: set[str] = set()

    def constant(self, x: float) -> str:
        """Return how a constant is written; noted in ``numbers`` unless it is NaN."""
        text = bits(x) if self.width == 1 else f"splat (double {bits(x)})"
        if x == x:
            self.numbers.add(text)
        return text


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
        self.functions: list[str] = []
        self.called: set[tuple[str, int]] = set()

    def kernel(self) -> Kernel:
        shape = self.shape
        sizes = self.loops.sizes
        self._blocks("uniform", self.loops.uniform, Shape(1, 1, shape.exact), masked=False)
        single = Shape(shape.width, 1, shape.exact)
        masked = shape.width > 1
        if shape.vectors > 1:
            self._blocks("block", self.loops.lanes, shape, masked=False)
        self._blocks("rest", self.loops.lanes, single, masked=masked)
        offsets = {}
        total = 0
        for array, size in (
            ("u", sizes["u"]),
            ("x", sizes["x"] * shape.lanes),
            ("t", sizes["t"] * shape.lanes),
            ("r", _padded(sizes["r"], shape.width) * shape.width),
            ("o", sizes["o"] * shape.lanes),
        ):
            offsets[array] = total
            total += -(-size // 8) * 8
        self._run(offsets)
        return Kernel("\n".join([*self._declarations(), *self.functions]), total)

    def _blocks(self, name: str, loops: Sequence[Loop], shape: Shape, *, masked: bool) -> None:
        """Write ``name``, which does all loops for one block, in functions of some length."""
        parts = []
        code = _Code(self, shape, masked)
        for loop in loops:
            if len(code.lines) > LONGEST_FUNCTION:
                parts.append(code)
                code = _Code(self, shape, masked)
            code.loop(loop)
        parts.append(code)
        mask = f", {_Types(shape.width).truth} %mask, i1 %first" if masked else ""
        for i, part in enumerate(parts):
            body = "\n".join(part.lines)
            self.functions.append(
                f"define internal void @{name}{i}({POINTERS}{mask}) #0 {{\nentry:\n{body}\n"
                "  ret void\n}\n"
            )
        calls = "\n".join(f"  call void @{name}{i}({POINTERS}{mask})" for i in range(len(parts)))
        self.functions.append(
            f"define internal void @{name}({POINTERS}{mask}) #0 {{\n"
            + calls.replace(" noalias", "")
            + "\n  ret void\n}\n"
        )

    def _run(self, offsets: dict[str, int]) -> None:
        """Write the function that is called from outside."""
        shape, sizes = self.shape, self.loops.sizes
        parameters = sizes["u"] - len(self.loops.constants) - self._uniform_results()
        code = _Code(self, shape, masked=False)
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
        pointers = "ptr %u, ptr %x, ptr %t, ptr %r, ptr %o"
        emit(f"call void @uniform({pointers})")
        emit("%count = sub i64 %stop, %start")
        if shape.exact:
            self._exact_lanes(code, pointers)
        else:
            self._lanes(code, pointers)
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

    def _finish(self, code: _Code) -> None:
        """Write the loop that adds up the places of each sum's vector, a vector of sums at once."""
        width, number = self.shape.width, code.types.number
        factor = code.broadcast("%scale")
        with code.counted("0", str(_padded(self.loops.sizes["r"], width)), width) as k:
            sums = code.at("%r", k, width)
            parts = [code.read(code.at(sums, "", 0, i * width), number) for i in range(width)]
            step = 1
            while len(parts) > 1:
                pairs = [
                    code.crossed(parts[i], parts[i + 1], step) for i in range(0, len(parts), 2)
                ]
                parts = [code.binary("fadd", low, high) for low, high in pairs]
                step *= 2
            code.write(code.binary("fmul", parts[0], factor), code.at("%sums", k, 1), number)

    def _uniform_results(self) -> int:
        """Return how many numbers the uniform loops store."""
        return sum(
            _count(loop.dims)
            for loop in self.loops.uniform
            for statement in loop.statements
            if statement.target
        )

    def _lanes(self, code: _Code, pointers: str) -> None:
        """Write the loops over the samples: those that fill no block first, then the blocks.

        The first vector sets the sums, which spares it to clear and to load them.
        """
        shape, emit = self.shape, code.emit
        rest = Shape(shape.width, 1)
        if shape.width == 1:
            self._clear(code)
            with code.counted("%start", "%stop") as b:
                self._inputs(code, rest, b)
                emit(f"call void @rest({pointers})")
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
            mask, first = self._mask(code, end, b), code.new()
            emit(f"{first} = icmp eq i64 {b}, %start")
            emit(f"call void @rest({pointers}, {code.types.truth} {mask}, i1 {first})")
            self._outputs(code, rest, b, end)
        if whole:
            with code.counted(end, "%stop", whole) as b:
                self._inputs(code, shape, b)
                emit(f"call void @block({pointers})")
                self._outputs(code, shape, b, "%stop")

    def _clear(self, code: _Code) -> None:
        """Write what sets all sums to 0."""
        size = 8 * _padded(self.loops.sizes["r"], self.shape.width) * self.shape.width
        code.emit(f"call void @llvm.memset.p0.i64(ptr %r, i8 0, i64 {size}, i1 false)")

    def _mask(self, code: _Code, end: str, b: str) -> str:
        """Return which places of the vector that begins at ``b`` lie before ``end``."""
        width, left, lane, mask = self.shape.width, code.new(), code.new(), code.new()
        code.emit(f"{left}.n = sub i64 {end}, {b}")
        code.emit(f"{left} = insertelement <{width} x i64> poison, i64 {left}.n, i32 0")
        code.emit(
            f"{lane} = shufflevector <{width} x i64> {left}, <{width} x i64> poison, "
            f"<{width} x i32> zeroinitializer"
        )
        numbers = ", ".join(f"i64 {i}" for i in range(width))
        code.emit(f"{mask} = icmp sgt <{width} x i64> {lane}, <{numbers}>")
        return mask

    def _exact_lanes(self, code: _Code, pointers: str) -> None:
        """Write the loop over the samples, the last one first: the order of the eager sweep."""
        with code.counted("0", "%count") as k:
            row = code.new()
            code.emit(f"{row}.o = sub i64 %stop, {k}")
            code.emit(f"{row} = sub i64 {row}.o, 1")
            one = Shape(1, 1, exact=True)
            self._inputs(code, one, row)
            code.emit(f"call void @rest({pointers})")
            self._outputs(code, one, row, "%stop")

    def _inputs(self, code: _Code, shape: Shape, b: str) -> None:
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

    def _turned(self, code: _Code, shape: Shape, b: str, i: int, offset: int) -> None:
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

    def _outputs(self, code: _Code, shape: Shape, b: str, stop: str) -> None:
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
            types = _Types(width)
            for name in ("fabs", "sqrt"):
                yield f"declare {types.number} @llvm.{name}.{types.suffix}({types.number})"
        if self.loops.constants:
            numbers = ", ".join(f"double {bits(constant)}" for constant in self.loops.constants)
            count = len(self.loops.constants)
            yield f"@constants = private constant [{count} x double] [{numbers}]"
        for name, width in sorted(self.called):
            number = _Types(width).number
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
    number = _Types(width).number
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


Index = tuple[str, int]
"""An index as a register, or "" for none, plus a constant."""

Point = tuple[Index, ...]
"""The indices of all loops at one point."""


class _Code:
    """The body of one function, written line by line."""

    def __init__(self, module: _Module, shape: Shape, masked: bool) -> None:
        self.module = module
        self.shape = shape
        self.masked = masked
        self.types = _Types(shape.width)
        self.lines: list[str] = []
        self.label = "entry"
        self._names = 0
        self._pointers: dict[tuple[object, ...], str] = {}
        self._loaded: dict[tuple[object, ...], str] = {}
        self.scales = {"x": shape.lanes, "t": shape.lanes, "o": shape.lanes, "r": shape.width}
        self.fast = "" if shape.exact else " contract"
        self.constants = {
            "t": self.types.number,
            "m": self.types.truth,
            "s": self.types.suffix,
            "fast": self.fast,
            "zero": self.types.constant(0.0),
            "one": self.types.constant(1.0),
            "minus_one": self.types.constant(-1.0),
        }

    def emit(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def new(self) -> str:
        self._names += 1
        return f"%n{self._names}"

    def _begin(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.label = label
        self._pointers.clear()

    @contextmanager
    def counted(
        self, start: str, end: str, step: int = 1, carried: list[str] | None = None
    ) -> Iterator[str]:
        """Write a loop; yield its index. What is ``carried`` is updated in place by the body."""
        name = self.new()[1:]
        before = self.label
        self.emit(f"%{name}.any = icmp slt i64 {start}, {end}")
        self.emit(f"br i1 %{name}.any, label %{name}.loop, label %{name}.end")
        self._begin(f"{name}.loop")
        hole = len(self.lines)
        initial = list(carried or ())
        phis = [self.new() for _ in initial]
        if carried is not None:
            carried[:] = phis
        yield f"%{name}"
        self.emit(f"%{name}.next = add nsw i64 %{name}, {step}")
        self.emit(f"%{name}.more = icmp slt i64 %{name}.next, {end}")
        self.emit(f"br i1 %{name}.more, label %{name}.loop, label %{name}.end")
        head = [f"  %{name} = phi i64 [ {start}, %{before} ], [ %{name}.next, %{self.label} ]"]
        results = list(carried or ())
        for phi, old, result in zip(phis, initial, results, strict=True):
            head.append(
                f"  {phi} = phi {self.types.number} [ {old}, %{before} ], "
                f"[ {result}, %{self.label} ]"
            )
        self.lines[hole:hole] = head
        last = self.label
        self._begin(f"{name}.end")
        if carried is not None:
            for i, (old, result) in enumerate(zip(initial, results, strict=True)):
                carried[i] = self.new()
                self.emit(
                    f"{carried[i]} = phi {self.types.number} [ {old}, %{before} ], "
                    f"[ {result}, %{last} ]"
                )

    # Memory and vectors

    def at(self, pointer: str, index: str, scale: int, offset: int = 0) -> str:
        """Return the address of the double ``index * scale + offset`` from a pointer on."""
        if index and scale:
            moved, place = self.new(), self.new()
            self.emit(f"{place} = mul i64 {index}, {scale}")
            self.emit(f"{moved} = getelementptr double, ptr {pointer}, i64 {place}")
            pointer = moved
        if not offset:
            return pointer
        moved = self.new()
        self.emit(f"{moved} = getelementptr double, ptr {pointer}, i64 {offset}")
        return moved

    def read(self, pointer: str, kind: str) -> str:
        name = self.new()
        self.emit(f"{name} = load {kind}, ptr {pointer}, align 8")
        return name

    def write(self, value: str, pointer: str, kind: str) -> None:
        self.emit(f"store {kind} {value}, ptr {pointer}, align 8")

    def moved(self, count: int, source: str, step: int, target: str, stride: int) -> None:
        """Copy doubles that are ``step`` apart to places that are ``stride`` apart."""
        if count <= WRITTEN_OUT:
            for j in range(count):
                x = self.read(self.at(source, "", 0, j * step), "double")
                self.write(x, self.at(target, "", 0, j * stride), "double")
            return
        with self.counted("0", str(count)) as k:
            x = self.read(self.at(source, k, step), "double")
            self.write(x, self.at(target, k, stride), "double")

    def binary(self, name: str, x: str, y: str) -> str:
        result = self.new()
        self.emit(f"{result} = {name} {self.types.number} {x}, {y}")
        return result

    def broadcast(self, number: str) -> str:
        """Return the vector of a number everywhere."""
        if self.shape.width == 1:
            return number
        kind, first, name = self.types.number, self.new(), self.new()
        self.emit(f"{first} = insertelement {kind} poison, double {number}, i32 0")
        self.emit(
            f"{name} = shufflevector {kind} {first}, {kind} poison, "
            f"<{self.shape.width} x i32> zeroinitializer"
        )
        return name

    def crossed(self, a: str, b: str, step: int) -> tuple[str, str]:
        """Return two vectors with every other ``step`` places of one and the other exchanged.

        Repeated with steps 1, 2, 4, ... it turns a square of rows into its columns.
        """
        kind, width = self.types.number, self.shape.width
        results = []
        for begin in (0, step):
            places = [
                side * width + group + begin + i
                for group in range(0, width, 2 * step)
                for side in (0, 1)
                for i in range(step)
            ]
            name, mask = self.new(), ", ".join(f"i32 {place}" for place in places)
            self.emit(f"{name} = shufflevector {kind} {a}, {kind} {b}, <{width} x i32> <{mask}>")
            results.append(name)
        return results[0], results[1]

    # Addresses

    def _pointer(self, access: Access, point: Point, vector: int = 0) -> str:
        scale = self.scales.get(access.array, 1)
        moving: dict[str, int] = {}
        offset = access.offset
        for stride, (register, constant) in zip(access.strides, point, strict=True):
            offset += stride * constant
            if register and stride:
                moving[register] = moving.get(register, 0) + stride
        key: tuple[object, ...] = (access.array, *moving.items())
        base = self._pointers.get(key)
        if base is None:
            base = f"%{access.array}"
            for register, stride in moving.items():
                step, at = self.new(), self.new()
                self.emit(f"{step} = mul nsw i64 {register}, {stride * scale}")
                self.emit(f"{at} = getelementptr double, ptr {base}, i64 {step}")
                base = at
            self._pointers[key] = base
        place = offset * scale + vector * self.shape.width
        key = (*key, place)
        if place and key not in self._pointers:
            self._pointers[key] = self.new()
            self.emit(f"{self._pointers[key]} = getelementptr double, ptr {base}, i64 {place}")
        return self._pointers[key] if place else base

    def scalar(self, operand: Access | float) -> str:
        """Return a number that all samples share."""
        if isinstance(operand, float):
            return bits(operand)
        name = self.new()
        self.emit(f"{name} = load double, ptr {self._pointer(operand, ())}")
        return name

    def _load(self, access: Access, point: Point, vector: int) -> str:
        name = self.new()
        if access.array == "u" and self.shape.width > 1:
            key = ("broadcast", access.offset, access.strides, point)
            if key in self._pointers:
                return self._pointers[key]
            pointer = self._pointer(access, point)
            self._pointers[key] = self.broadcast(self.read(pointer, "double"))
            return self._pointers[key]
        pointer = self._pointer(access, point, 0 if access.array == "u" else vector)
        self.emit(f"{name} = load {self.types.number}, ptr {pointer}, align {self._align(access)}")
        return name

    def _store(self, value: str, access: Access, point: Point, vector: int) -> None:
        pointer = self._pointer(access, point, vector)
        self.emit(f"store {self.types.number} {value}, ptr {pointer}, align {self._align(access)}")

    def _align(self, access: Access) -> int:
        return 8 if access.array == "u" else 8 * self.shape.width

    # Loops and statements

    def loop(self, loop: Loop) -> None:
        """Write one loop nest."""
        chains = any(statement.runs for statement in loop.statements)
        matrix = len(loop.dims) == 2
        if self.shape.vectors > 1:
            tile = 4 if chains or matrix else 1
        else:
            tile = 8 if chains and not matrix else 4
        if len(loop.statements) > 12:
            tile = 1
        tiles = [1] * len(loop.dims)
        if loop.dims:
            tiles[-1] = tile
            if matrix and not chains:
                tiles[0] = tile

        def level(depth: int, choices: list[list[Index]]) -> None:
            if depth == len(loop.dims):
                self._body(loop.statements, list(product(*choices)))
                return
            size, tile = loop.dims[depth], tiles[depth]
            whole = size - size % tile
            if whole > tile:
                with self.counted("0", str(whole), tile) as i:
                    level(depth + 1, [*choices, [(i, k) for k in range(tile)]])
            elif whole:
                level(depth + 1, [*choices, [("", k) for k in range(tile)]])
            if size > whole:
                level(depth + 1, [*choices, [("", k) for k in range(whole, size)]])

        level(0, [])

    def _body(self, statements: tuple[Statement, ...], points: list[Point]) -> None:
        vectors = range(self.shape.vectors)
        results: list[dict[tuple[int, int], str]] = []

        def value(operand: Operand, p: int, v: int) -> str:
            if isinstance(operand, float):
                return self.types.constant(operand)
            if isinstance(operand, Access):
                return self._load(operand, points[p], v)
            return results[operand.place][p, v]

        for statement in statements:
            found: dict[tuple[int, int], str] = {}
            if statement.sums:
                self._sum(statement, points, value)
            elif statement.runs:
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
        value: Callable[[Operand, int, int], str],
    ) -> dict[tuple[int, int], str]:
        """Write a sum of terms, all points and vectors side by side."""
        places = list(product(range(len(points)), range(self.shape.vectors)))
        # -0.0 + x is x for every x.
        totals = [self.types.constant(-0.0)] * len(places)
        last = statement.args[0] if statement.args else None
        if last is not None and not self.shape.exact:
            totals = [value(last, p, v) for p, v in places]
        for run in statement.runs:

            def add_terms(j: Index, run=run) -> None:  # type: ignore[no-untyped-def]
                for i, (p, v) in enumerate(places):
                    point = (*points[p], j)
                    term = self._cached_load(run.left, point, v)
                    if run.right:
                        term = self._apply(ops.mul, [term, self._cached_load(run.right, point, v)])
                    totals[i] = self._apply(ops.add, [totals[i], term])

            if run.length <= UNROLLED:
                for term in range(run.length):
                    self._loaded = {}
                    add_terms(("", term))
            else:
                with self.counted("0", str(run.length), 1, totals) as j:
                    self._loaded = {}
                    add_terms((j, 0))
        if last is not None and self.shape.exact:
            totals = [
                self._apply(ops.add, [total, value(last, p, v)])
                for total, (p, v) in zip(totals, places, strict=True)
            ]
        return dict(zip(places, totals, strict=True))

    def _cached_load(self, access: Access, point: Point, vector: int) -> str:
        """Load what several points share only once."""
        address: dict[str, int] = {}
        offset = access.offset
        for stride, (register, constant) in zip(access.strides, point, strict=True):
            offset += stride * constant
            if register and stride:
                address[register] = address.get(register, 0) + stride
        key = (access.array, offset, vector if access.array != "u" else 0, *address.items())
        if key not in self._loaded:
            self._loaded[key] = self._load(access, point, vector)
        return self._loaded[key]

    def _sum(
        self,
        statement: Statement,
        points: list[Point],
        value: Callable[[Operand, int, int], str],
    ) -> None:
        """Add what is summed over the samples to its places in ``r``."""
        access = statement.sums
        assert access
        totals = [self._load(access, point, 0) for point in points]
        if self.masked:
            zero = self.types.constant(0.0)
            totals = [self._chosen("i1 %first", zero, total) for total in totals]
        for v in range(self.shape.vectors):
            self._loaded = {}
            for p, point in enumerate(points):
                args = [
                    self._cached_load(arg, point, v)
                    if isinstance(arg, Access) and arg.array != "u"
                    else value(arg, p, v)
                    for arg in statement.args
                ]
                term = self._apply(statement.op, args) if statement.op else args[0]
                if self.masked:
                    mask = f"{self.types.truth} %mask"
                    term = self._chosen(mask, term, self.types.constant(0.0))
                totals[p] = self._apply(ops.add, [totals[p], term])
        for total, point in zip(totals, points, strict=True):
            self._store(total, access, point, 0)

    def _chosen(self, condition: str, x: str, y: str) -> str:
        name, number = self.new(), self.types.number
        self.emit(f"{name} = select {condition}, {number} {x}, {number} {y}")
        return name

    def _apply(self, op: Op, args: list[str]) -> str:
        """Write one primitive; return its result."""
        result = self.new()
        template = LLVM.get(op.name)
        if args[-1] in self.types.numbers and op.name in LLVM_OF_NUMBER:
            template = LLVM_OF_NUMBER[op.name]
        if template:
            for line in template.format(*args, r=result, **self.constants).splitlines():
                self.emit(line)
            return result
        function = self.module.function(op.name, self.shape.width)
        typed = ", ".join(f"{self.types.number} {arg}" for arg in args)
        # LLVM knows libm: it makes x * x of pow(x, 2.0), which glibc rounds otherwise.
        kept = " nobuiltin" if self.shape.exact else ""
        self.emit(f"{result} = call {self.types.number} @{function}({typed}){kept}")
        return result
