"""Programs as loops and vector code: few loops, whatever the widths, and the meaning of the rows.

What a program means is `autograd.compiler.program.run`; whatever the loops, the vectors and the
machine, the compiled code must give that: to the bit where it is exact, else within an error
that follows from libmvec's.
"""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from cProfile import Profile
from functools import reduce
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd import TABLE, DomainError, Value, compile, gradients, ops, relu, sin, tanh
from autograd.compiler import fusion, llvm, machine, native
from autograd.compiler.blocks import SampleBlock
from autograd.compiler.frames import Signature
from autograd.compiler.fusion import LONGEST_SEGMENT
from autograd.compiler.kernel import MULTIPLIED
from autograd.compiler.llvm import block_for, kernel_of
from autograd.compiler.loops import Loop, Loops
from autograd.compiler.machine import Machine, host
from autograd.compiler.native import NativeFunction
from autograd.compiler.program import Instruction, Program, run
from autograd.compiler.recording import record
from autograd.compiler.rolling import loops_of
from autograd.compiler.sums import WORTH_A_PRODUCT, sums_of
from autograd.compiler.writer import program_of
from autograd.contexts import unchecked
from autograd.testing.strategies import expressions
from nn import MLP
from tests.floats import bits

PAPER = Machine("x86_64-unknown-linux-gnu", "", "", 8, ("exp", "tanh"), "")
"""A machine to write text for, which need not be this one."""


# What the tests put to the compiler, and what they hold it to.


def native_function(program: Program, *, exact: bool = False) -> Callable[..., Any]:
    """Return the program compiled: a function of rows of inputs, and parameters, to rows."""
    signature = Signature(
        ((program.inputs,),),
        ((len(program.outputs),),),
        (False,) * len(program.outputs),
        program.parameters,
    )
    function = NativeFunction(lambda: program, str(program), signature, exact=exact)

    def call(rows: Sequence[Sequence[float]], parameters: Sequence[float] = ()) -> Any:
        samples = np.array(rows, dtype=float).reshape(len(rows), program.inputs)
        return function([samples], np.array(parameters, dtype=float), len(rows))[1][0]

    return call


def gradient_program(inputs: list[Value], parameters: list[Value], out: Value) -> Program:
    """Return the program of a node and its derivatives by all leaves."""
    wrt = [*inputs, *parameters]
    return program_of(inputs, parameters, [out, *gradients(out, wrt)])


def error_bound(program: Program, numbers: Sequence[float], output: int) -> float:
    """Return how far compiled code may be from `run`; infinite where a derivative is.

    Each instruction is wrong by at most 4 ulp (libmvec's bound, glibc manual, "Errors in Math
    Functions"; a fused multiply-add is better), the reference's by 1, and the derivative of the
    output by its result says how much of it arrives. One ulp more is for the higher orders: the
    errors are so small that their products don't count.
    """
    with unchecked():
        nodes: list[Any] = [Value(x) for x in numbers]
        pick: Callable[[Any], Any] = lambda arg: nodes[arg] if isinstance(arg, int) else arg
        for op, args in program.instructions:
            nodes.append(op(*map(pick, args)))
        out = pick(program.outputs[output])
    if not isinstance(out, Value):
        return 0.0
    try:
        out.backward()
    except DomainError:
        return math.inf
    inner = nodes[program.first :]
    return math.fsum(6 * abs(v.grad) * math.ulp(v.data) for v in inner if v.grad)


def overflows(program: Program, numbers: Sequence[float], output: int) -> bool:
    """Return whether finite products or sums are infinite on the way to an output.

    A fused multiply-add has no product in between, and a bias may come first in a sum: there,
    compiled code may still have finite numbers.
    """
    results = list(numbers)
    for op, args in program.instructions:
        results.append(op.ieee(*[results[x] if isinstance(x, int) else x for x in args]))
    needed = {program.outputs[output]}
    for number in range(len(results) - 1, program.first - 1, -1):
        if number not in needed:
            continue
        op, args = program.instructions[number - program.first]
        needed.update(x for x in args if isinstance(x, int))
        floats = [results[x] if isinstance(x, int) else x for x in args]
        half = len(floats) // 2 if op in (ops.dot, ops.mul) else 0
        pairs = zip(floats[:half], floats[half : 2 * half], strict=True)
        terms = [x * y for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
        terms += [x for x in floats[2 * half :] if math.isfinite(x)]
        if op in (ops.mul, ops.dot, ops.sum, ops.add) and math.isinf(sum(map(abs, terms))):
            return True
    return False


def check(
    program: Program,
    rows: Sequence[Sequence[float]],
    parameters: Sequence[float] = (),
    *,
    exact: bool,
) -> None:
    """Compare compiled code with what the program means, sample by sample."""
    found = native_function(program, exact=exact)(rows, parameters)
    assert len(found) == len(rows)
    for row, outputs in zip(rows, found.tolist(), strict=True):
        numbers = [*row, *parameters]
        for i, (x, y) in enumerate(zip(outputs, run(program, numbers), strict=True)):
            where = f"output {i} at {numbers} is {x!r}, not {y!r}, in\n{program}"
            if exact:
                assert bits(x) == bits(y), where
            elif bits(x) != bits(y) and not overflows(program, numbers, i):
                assert (x != x) == (y != y), where
                assert math.isinf(x) == math.isinf(y), where
                if math.isinf(x):
                    assert x == y, where
                elif x == x:
                    assert abs(x - y) <= error_bound(program, numbers, i), where


def check_sums(
    program: Program, rows: Sequence[Sequence[float]], parameters: Sequence[float]
) -> None:
    """Compare sums over the samples with those of what the program means."""
    count = len(program.outputs)
    shapes = ((program.inputs,),)
    signature = Signature(shapes, (), (True,) * count, program.parameters)
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    sums, _ = function([np.array(rows)], np.array(parameters), len(rows))
    points = [[*row, *parameters] for row in rows]
    each = [run(program, point) for point in points]
    for i, found in enumerate(sums.tolist()):
        terms = [values[i] for values in each]
        # Besides the errors of the terms, n additions round (Higham 2002, section 4.2).
        bound = math.fsum(error_bound(program, point, i) for point in points)
        bound += len(terms) * 2.0**-52 * math.fsum(map(abs, terms))
        assert abs(found - math.fsum(terms)) <= bound, f"sum of output {i} in\n{program}"


class Written(NamedTuple):
    """A program as loops and as text for the machine on paper."""

    program: Program
    loops: Loops
    text: str

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many loops, how many statements in them, how many lines."""
        loops = [*self.loops.uniform, *self.loops.lanes]
        return len(loops), sum(len(loop.statements) for loop in loops), self.text.count("\n")


def written(f: Callable[..., Any], *example: Any, wrt: Iterable[Value] = ()) -> Written:
    """Return a function's value and gradient by its parameters, summed over the samples."""
    recording = record(f, example, wrt)
    (out,) = recording.outputs
    assert isinstance(out, Value)
    program = program_of(
        recording.inputs,
        recording.parameters,
        [out, *gradients(out, recording.parameters)],
    )
    loops = loops_of(program, [True] * len(program.outputs))
    arguments = [math.prod(shape) for shape in recording.shapes]
    return Written(program, loops, kernel_of(loops, arguments, [], PAPER, SampleBlock(8, 4)).text)


def network(inputs: int, widths: list[int]) -> Written:
    """Return the value and gradient of a network's squared error."""
    model = MLP(inputs, widths, activation="tanh", seed=0)

    def loss(x: list[Any], y: list[Any]) -> Any:
        out = model(x) if widths[-1] > 1 else [model(x)]
        return ops.sum(*[(a - b) * (a - b) for a, b in zip(out, y, strict=True)])

    return written(loss, [0.0] * inputs, [0.0] * widths[-1], wrt=model.parameters())


def by_hand(inputs: int, width: int) -> Written:
    """Return a network as micrograd's lecture writes it: sums by Python's own ``sum``."""
    weights = [[Value(0.1 * (i - j)) for i in range(inputs)] for j in range(width)]
    biases = [Value(0.1 * j) for j in range(width)]
    last = [Value(0.2) for _ in range(width)]

    def loss(x: list[Any], y: Any) -> Any:
        hidden = [
            relu(sum((wi * xi for wi, xi in zip(w, x, strict=True)), b))
            for w, b in zip(weights, biases, strict=True)
        ]
        out = sum(v * h for v, h in zip(last, hidden, strict=True))
        return (out - y) ** 2

    return written(loss, [0.0] * inputs, 0.0)


# Few loops, whatever the widths.


@pytest.mark.long
def test_a_network_is_as_many_loops_whatever_its_widths() -> None:
    # Several whole panels of columns, and what remains of one, alike in both.
    small, large = network(64, [40, 10]), network(208, [88, 10])
    assert len(large.program.instructions) > 4 * len(small.program.instructions)
    assert small.sizes == large.sizes
    # Forward, the error and its derivative, back through each layer, and the sums.
    assert small.sizes[0] <= 8


def test_the_network_of_the_digits_is_a_few_loops() -> None:
    digits = network(64, [32, 10])
    assert len(digits.loops.lanes) <= 8
    assert {loop.dims for loop in digits.loops.lanes} >= {(32,), (10,), (32, 64), (10, 32)}


@pytest.mark.parametrize("widths", [(5, [3, 2]), (17, [11, 7]), (20, [19, 18]), (9, [13, 10])])
def test_widths_that_fill_no_tile_make_hardly_more_loops(widths: tuple[int, list[int]]) -> None:
    # Two alike stay two statements, so the smallest have a few more; the tiles' ends are lines.
    loops, statements, _ = network(*widths).sizes
    assert loops <= 10
    assert statements <= 30


@pytest.mark.long
def test_the_code_of_a_network_grows_with_its_layers() -> None:
    sizes = [network(16, [16] * layers).sizes for layers in (2, 3, 4)]
    for size, larger in itertools.pairwise(sizes):
        assert larger[0] - size[0] <= 4
        assert larger[2] - size[2] <= 1500
    assert sizes[2][2] - sizes[1][2] == sizes[1][2] - sizes[0][2]


@pytest.mark.long
def test_neurons_written_as_sums_are_as_few_loops() -> None:
    small, large = by_hand(128, 16), by_hand(224, 48)
    assert len(large.program.instructions) > 4 * len(small.program.instructions)
    assert small.sizes == large.sizes
    assert small.sizes[0] <= 6


@pytest.mark.parametrize("order", ["reversed", "every other", "joined"])
@pytest.mark.long
def test_inputs_in_another_order_are_loops_too(order: str) -> None:
    def of(n: int) -> Written:
        weights = [[Value(1.0) for _ in range(n)] for _ in range(8)]

        def f(x: list[Any], y: list[Any]) -> Any:
            taken = {"reversed": x[::-1], "every other": [*x, *y][::2], "joined": [*x, *y][-n:]}
            rows = [ops.dot(*w, *taken[order]) for w in weights]
            return ops.sum(*[tanh(row) for row in rows])

        return written(f, [0.0] * n, [0.0] * n)

    assert of(68).sizes[0] <= 5
    # Several whole tiles, and what remains of one, come out alike.
    assert of(68).sizes == of(140).sizes


def test_constants_in_a_sum_are_memory_not_code() -> None:
    def of(n: int) -> Written:
        weight = Value(1.0)

        def f(x: list[Any]) -> Any:
            rows = [ops.dot(*[0.1 * (i + j) for i in range(n)], *x) for j in range(n)]
            return ops.sum(*[weight * row for row in rows])

        return written(f, [0.0] * n)

    small, large = of(16), of(32)
    assert len(large.loops.constants) == 32 * 32
    # The constants are one line, however many.
    assert small.sizes == large.sizes


def test_a_sum_within_a_sum_keeps_its_terms() -> None:
    x = [Value(float(2**i)) for i in range(16)]
    left = (x[0] * x[1] + x[2] * x[3]) + (x[4] * x[5] + x[6] * x[7])
    right = (x[8] + x[9] + x[10] + x[11]) + (x[12] + x[13] + (x[14] + x[15]))
    program = program_of(x, [], [left + right, left, right])
    check(program, [[float(3**i) for i in range(16)]], exact=True)
    program = program_of(x, [], [left + right])
    check(program, [[float(3**i) for i in range(16)]], exact=True)


@pytest.mark.parametrize("exact", [False, True])
def test_the_largest_of_many_is_one_loop(exact: bool) -> None:
    """Of each of several rows; with what `maximum` makes of zeros, infinities and NaN, in order."""
    x = [Value(0.0) for _ in range(4 * 9)]
    rows = [x[9 * i : 9 * i + 9] for i in range(4)]
    program = program_of(x, [], [reduce(ops.maximum, row) for row in rows])
    loops = loops_of(program, [False] * 4)
    assert sum(len(loop.statements) for loop in loops.lanes if isinstance(loop, Loop)) == 2
    numbers = [0.5, -1.0, math.inf, -math.inf, 3.0, -2.5, 1.0]
    samples = [[numbers[(7 * i + k) % (7 - k % 3)] for i in range(36)] for k in range(20)]
    samples += [[math.nan if i % 9 == k else float(i) for i in range(36)] for k in range(9)]
    samples += [[-math.inf] * 36]
    samples += [[0.0 if i % 9 == k else -0.0 for i in range(36)] for k in range(9)] * exact
    for some in (samples, samples[:1], samples[20:21]):
        found = native_function(program, exact=exact)(some)
        wanted = [run(program, sample) for sample in some]
        assert [list(map(bits, row)) for row in found.tolist()] == [
            list(map(bits, row)) for row in wanted
        ]


def irregular(n: int) -> Program:
    """Return a program of n instructions that are not alike."""
    program = [Instruction(ops.sin, (0,)), Instruction(ops.mul, (0, 1))]
    for number in range(2, n):
        op = (ops.add, ops.mul, ops.maximum, ops.sub)[number * number % 7 % 4]
        program.append(Instruction(op, (number, number * 37 % number)))
    return Program(1, 0, program, [n]).validate()


@pytest.mark.long
def test_large_programs_are_cut_into_functions() -> None:
    for size in (2_000, 8_000):
        loops = loops_of(irregular(size), [False])
        assert max(len(loop.statements) for loop in loops.lanes) <= LONGEST_SEGMENT
        text = kernel_of(loops, [1], [1], PAPER, SampleBlock(8, 1)).text
        functions = text.split("\ndefine ")
        # A segment is not cut again: the limit on lines may be exceeded by one.
        assert max(f.count("\n") for f in functions) <= llvm.LONGEST_FUNCTION + 8 * LONGEST_SEGMENT
        assert text.count("define internal void @rest") >= size / llvm.LONGEST_FUNCTION


def test_large_programs_come_one_vector_at_a_time_and_one_sample_as_scalars() -> None:
    small, large = (loops_of(irregular(size), [False]) for size in (100, llvm.LARGE_PROGRAM + 900))
    assert block_for(small, PAPER, exact=False, single=False) == SampleBlock(8, 4)
    assert block_for(small, PAPER, exact=False, single=True) == SampleBlock(1, 1, across=8)
    assert block_for(large, PAPER, exact=False, single=False) == SampleBlock(8, 1)
    assert block_for(large, PAPER, exact=False, single=True) == SampleBlock(1, 1, across=8)
    assert block_for(small, PAPER, exact=True, single=False) == SampleBlock(1, 1, exact=True)


@pytest.mark.long
@pytest.mark.parametrize("registers", [16, 32])
def test_sums_side_by_side_fit_into_the_registers(registers: int) -> None:
    """Those that a loop carries take half of them, of products of matrices three quarters."""
    for inputs, share in ((20, 2), (WORTH_A_PRODUCT, 3)):
        net = network(inputs, [16, 10])
        machine = PAPER._replace(registers=registers)
        block = block_for(net.loops, machine, exact=False, single=False)
        text = kernel_of(net.loops, [inputs, 10], [], machine, block).text
        carried = [
            len(re.findall(r"= phi <8 x double>", code)) for code in re.split(r"(?m)^\S+:$", text)
        ]
        assert max(carried) == registers * share // 4


def test_one_sample_as_scalars_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llvm, "LARGE_PROGRAM", 10)
    check(irregular(60), [[0.7]], exact=False)
    check(irregular(60), [[0.7], [0.3], [-1.0]], exact=False)


def test_a_program_in_many_functions_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llvm, "LONGEST_FUNCTION", 40)
    monkeypatch.setattr(fusion, "LONGEST_SEGMENT", 20)
    monkeypatch.setattr(native, "kernel_of", counted := Counted(kernel_of))
    check(irregular(200), [[0.7], [0.3]], exact=False)
    assert counted.kernels[0].count("define internal void @block") > 3


class Counted:
    """A function that keeps the text of the kernels it made."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make
        self.kernels: list[str] = []

    def __call__(self, *args: Any) -> Any:
        kernel = self.make(*args)
        self.kernels.append(kernel.text)
        return kernel


# Structured programs mean what their instructions say.


class Case(NamedTuple):
    """A program, a few samples, and the parameters."""

    program: Program
    rows: list[list[float]]
    parameters: list[float]


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "none": lambda x: x,
    "tanh": tanh,
    "relu": relu,
    "square": lambda x: x * x,
    "half": lambda x: 0.5 * x,
}

STYLES = ("dot", "bias", "sum", "by hand", "reversed", "constants", "shared")


@st.composite
def networks(draw: st.DrawFn, *, widest: int) -> Case:
    """Return a network in one of the many ways to write one, with all of its derivatives."""
    n = draw(st.integers(1, widest))
    inputs = [Value(draw(st.integers(-8, 8)) / 4) for _ in range(n)]
    parameters: list[Value] = []
    numbers = itertools.cycle([0.5, -0.25, 1.0, -1.0, 0.75, 0.0, -0.5])

    def fresh() -> Value:
        parameters.append(Value(next(numbers)))
        return parameters[-1]

    with unchecked():
        layer: list[Any] = list(inputs)
        for _ in range(draw(st.integers(1, 3))):
            style = draw(st.sampled_from(STYLES))
            activation = ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]
            source = [*layer, *inputs] if draw(st.booleans()) else layer
            if style == "reversed":
                source = source[::-1]
            shared = [fresh() for _ in source]
            rows = []
            for j in range(draw(st.integers(1, widest))):
                if style == "shared":
                    weights: list[Any] = shared
                elif style == "constants":
                    weights = [i - j / 2 if (i + j) % 3 else fresh() for i in range(len(source))]
                else:
                    weights = [fresh() for _ in source]
                products = [w * x for w, x in zip(weights, source, strict=True)]
                if style == "by hand":
                    row = sum(products, fresh())
                elif style == "sum":
                    row = ops.sum(*products)
                elif style == "bias":
                    row = ops.dot(*weights, *source, fresh())
                else:
                    row = ops.dot(*weights, *source)
                rows.append(activation(row))
            layer = rows
        out = ops.sum(*[x * (i % 5 - 2.0) for i, x in enumerate(layer)])
    rows_of_numbers = [[x.data + k / 8 for x in inputs] for k in (0, 1, -3)]
    program = gradient_program(inputs, parameters, out)
    return Case(program, rows_of_numbers, [p.data for p in parameters])


@pytest.mark.long
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(widest=6))
def test_networks_mean_what_their_instructions_say(case: Case) -> None:
    check(*case, exact=True)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(widest=20))
def test_wide_networks_mean_what_their_instructions_say(case: Case) -> None:
    check(*case, exact=True)
    check(*case, exact=False)
    check_sums(*case)


@pytest.mark.long
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(widest=7))
def test_networks_as_vectors_are_as_good(case: Case) -> None:
    check(*case, exact=False)
    check_sums(*case)


@pytest.mark.slow
@pytest.mark.parametrize("width", range(1, 21))
def test_every_width_fills_its_tiles(width: int) -> None:
    weights = [[Value(math.sin(i * j)) for i in range(width)] for j in range(width)]
    x = [Value(math.cos(i)) for i in range(width)]
    hidden = [tanh(ops.dot(*w, *x)) for w in weights] if width > 1 else [tanh(weights[0][0] * x[0])]
    out = ops.sum(*hidden)
    program = gradient_program(x, [w for row in weights for w in row], out)
    parameters = [w.data for row in weights for w in row]
    rows = [[v.data * k for v in x] for k in range(5)]
    check(program, rows, parameters, exact=True)
    check(program, rows, parameters, exact=False)
    check_sums(program, rows, parameters)


# Random graphs.


def straight(program: Any) -> tuple[Program, list[float]]:
    """Return a random graph's value and derivatives as a program, and its inputs."""
    with unchecked():
        inputs = [Value(x) for x in program.inputs]
        return gradient_program(inputs, [], program(*inputs)), list(program.inputs)


@settings(max_examples=15, deadline=None)
@given(expressions(smooth=False))
@pytest.mark.long
def test_random_graphs_are_exact_at_any_numbers(expression: Any) -> None:
    program, inputs = straight(expression)
    check(program, [inputs, [-x for x in inputs]], exact=True)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(expressions())
def test_random_graphs_as_vectors_are_as_good(expression: Any) -> None:
    program, inputs = straight(expression)
    check(program, [inputs], exact=False)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(expressions(max_nodes=40, smooth=False))
def test_many_random_graphs_are_exact_at_any_numbers(expression: Any) -> None:
    program, inputs = straight(expression)
    check(program, [inputs, [-x for x in inputs]], exact=True)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(expressions(max_nodes=40))
def test_many_random_graphs_as_vectors_are_as_good(expression: Any) -> None:
    program, inputs = straight(expression)
    check(program, [inputs], exact=False)


# Every row of the table, at every kind of number, on every kind of machine.

NUMBERS = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, math.pi, 30.0, -30.0),
    *(math.inf, -math.inf, math.nan),
    *(5e-324, -5e-324, 1e-310, -2.2250738585072014e-308),  # subnormal, and the least normal
    *(1e-8, -1e-17, 1e300, -1e300, 1.7976931348623157e308, 1e22),
    *(709.7, 710.4, -745.0, -746.0),  # where exp and sinh overflow, and exp vanishes
    *(1 - 2**-53, 1 + 2**-52, 2**-53 - 1, 2.0**53),
]
FEW = [0.0, -0.0, 1.0, -2.5, 1e-310, -1e300, math.inf, -math.inf, math.nan]
SOME = [*FEW, -1.0, 0.5, -3.0, 2.0, 5e-324, 1e300, 710.4, 2**-53 - 1]


def table_program(arity: int) -> Program:
    """Return all rows of an arity, each with its derivatives, as one program."""
    with unchecked():
        xs = [Value(0.3 + i / 7) for i in range(arity)]
        nodes = []
        for op in TABLE.values():
            if op.is_built_in and op.arity in (arity, None):
                out = op(*xs)
                nodes += [out, *gradients(out, xs)]
    return program_of(xs, [], nodes)


def points(arity: int) -> list[tuple[float, ...]]:
    return list(itertools.product((NUMBERS, SOME, FEW)[arity - 1], repeat=arity))


def without_libmvec() -> Machine:
    return host()._replace(vector_functions=())


def with_vectors_of(width: int) -> Machine:
    functions = machine._vector_functions(width) if host().vector_functions else []
    return host()._replace(width=width, vector_functions=tuple(functions))


@pytest.mark.parametrize("arity", [1, 2, 3])
def test_every_row_is_exact_at_every_kind_of_number(arity: int) -> None:
    check(table_program(arity), points(arity), exact=True)


@pytest.mark.parametrize("arity", [1, 2, 3])
@pytest.mark.long
def test_every_row_as_vectors_is_as_good_at_every_kind_of_number(arity: int) -> None:
    check(table_program(arity), points(arity), exact=False)


@pytest.mark.parametrize(
    ("kind", "arity"),
    [
        ("no libmvec", 1),
        ("no libmvec", 2),
        (4, 1),
        (2, 1),
        *[pytest.param(width, 2, marks=pytest.mark.slow) for width in (4, 2)],
    ],
)
def test_other_machines_are_as_good(
    kind: int | str, arity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(kind, int) and kind > host().width:
        pytest.skip(f"this machine has no vectors of {kind}")
    other = with_vectors_of(kind) if isinstance(kind, int) else without_libmvec()
    monkeypatch.setattr(native, "host", lambda: other)
    check(table_program(arity), points(arity), exact=False)


@pytest.mark.slow
@pytest.mark.parametrize("exact", [True, False])
def test_every_row_of_two_at_all_pairs_of_numbers(exact: bool) -> None:
    check(table_program(2), list(itertools.product(NUMBERS, repeat=2)), exact=exact)


def test_powers_to_constants_are_exact() -> None:
    # LLVM knows shorter ways for these, some of which glibc rounds otherwise.
    x = Value(0.5)
    with unchecked():
        powers = [x**c for c in (0.5, -0.5, 2.0, 3.0, -1.0, -2.0, 0.0)]
        powers += [c**x for c in (2.0, 4.0, 10.0, 0.5, math.e)]
    numbers = [math.ldexp(math.sin(i), i % 7 - 3) for i in range(2000)]
    check(program_of([x], [], powers), [[x] for x in numbers], exact=True)


@pytest.mark.parametrize("exponent", [0.5, 1.5, 2.5, *map(float, range(2, 9))])
def test_small_powers_call_nothing(exponent: float) -> None:
    x = Value(0.5)
    for signed in (exponent, -exponent):
        program = program_of([x], [], [x**signed])
        for exact in (False, True):
            signature = Signature(((),), ((),), (False,), 0)
            function = NativeFunction(lambda p=program: p, str(program), signature, exact=exact)
            multiplied = not exact and (exponent == 0.5 or exponent in range(2, 7))
            assert ("pow" in function.source()) is not multiplied


@pytest.mark.parametrize("exponent", MULTIPLIED)
def test_powers_that_are_multiplied_out_keep_their_bound(exponent: float) -> None:
    x = Value(0.5)
    with unchecked():
        program = program_of([x], [], [x**exponent])
    signature = Signature(((),), ((),), (False,), 0)
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    source = random.Random(0)
    numbers = [math.ldexp(source.uniform(1, 2), source.randint(-340, 340)) for _ in range(100)]
    numbers += [source.uniform(0.5, 2.0) for _ in range(100)]
    if exponent % 1 == 0:
        numbers += [-x for x in numbers]
    _, (found,) = function([np.array(numbers)], np.empty(0), len(numbers))
    for x, y in zip(numbers, found.tolist(), strict=True):
        with mpmath.workprec(200):
            wanted = mpmath.power(x, exponent)
            if abs(wanted) >= mpmath.mpf(2) ** 1024:
                assert math.isinf(y)
                continue
            error = abs(mpmath.mpf(y) - wanted)
            if abs(wanted) < 2.0**-1022:
                assert error < 2.0**-1022
            elif abs(wanted) < 2.0**1022:
                assert error <= max(1.5, abs(exponent)) * math.ulp(float(wanted)), x
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, -2.0]
    _, (found,) = function([np.array(special)], np.empty(0), len(special))
    for x, y in zip(special, found.tolist(), strict=True):
        assert bits(y) == bits(ops.pow.ieee(x, exponent)), x


@pytest.mark.parametrize("name", ["hypot", "log", "tanh", "exp", "sin"])
def test_functions_are_exact_at_thousands_of_points(name: str) -> None:
    op = TABLE[name]
    xs = [Value(0.5) for _ in range(op.arity or 2)]
    program = program_of(xs, [], [op(*xs)])
    numbers = [abs(math.ldexp(math.sin(i), i % 11 - 5)) for i in range(8000)]
    rows = [numbers[i : i + len(xs)] for i in range(4000)]
    check(program, rows, exact=True)


# Slopes of weights: outer products with inputs.


def linear(rows: int, columns: int) -> tuple[Program, Signature]:
    """Return half the squares of some neurons' sums, and the slopes of their weights.

    The inputs are behind three others in the second of two arguments.
    """
    others, x = [Value(1.0) for _ in range(5)], [Value(1.0) for _ in range(columns)]
    weights = [[Value(1.0) for _ in x] for _ in range(rows)]
    outs = [ops.dot(*w, *x) for w in weights]
    flat = [leaf for w in weights for leaf in w]
    out = ops.sum(*[0.5 * out * out for out in outs])
    program = program_of([*others, *x], flat, [out, *gradients(out, flat)])
    return program, Signature(((2,), (3 + columns,)), (), (True,) * (1 + len(flat)), len(flat))


@pytest.mark.parametrize("width", [8, 4, 2])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (3, 8),
        (9, 31),
        *(pytest.param(*s, marks=pytest.mark.long) for s in [(4, 9), (5, 64), (7, 77)]),
    ],
)
def test_slopes_of_weights_are_sums_of_products(
    width: int, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if width > host().width:
        pytest.skip(f"this machine has no vectors of {width}")
    other = with_vectors_of(width)
    monkeypatch.setattr(native, "host", lambda: other)
    program, signature = linear(rows, columns)
    arguments, block = [2, 3 + columns], SampleBlock(width, 4)
    (outer,) = sums_of(loops_of(program, signature.summed), arguments, block).outers
    assert outer.dims == (rows, columns)
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    source = np.random.default_rng(columns)
    weights = source.normal(size=(rows, columns))
    for n in (1, width - 1, width, width + 1, 4 * width, 8 * width + 3):
        given = [source.normal(size=(n, 2)), source.normal(size=(n, 3 + columns))]
        x = given[1][:, 3:]
        sums, _ = function(given, weights.ravel(), n, 0.5)
        slopes = 0.5 * np.einsum("nj,ij,nk->ik", x, weights, x)
        # Inner products of some columns, then sums of n products (Higham 2002, section 3.1),
        # both here and there.
        size = np.einsum("nj,ij,nk->ik", abs(x), abs(weights), abs(x))
        bound = 2 * (columns + n + 4) * 2.0**-53 * size
        assert (abs(sums[1:].reshape(rows, columns) - slopes) <= bound).all()


@pytest.mark.long
@pytest.mark.parametrize("width", [8, 4, 2])
def test_several_outer_products_may_share_the_rows(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if width > host().width:
        pytest.skip(f"this machine has no vectors of {width}")
    other = with_vectors_of(width)
    monkeypatch.setattr(native, "host", lambda: other)
    x, y = ([Value(1.0) for _ in range(20)] for _ in range(2))
    parts = [(x, 0, 9), (x, 4, 20), (y, 0, 20)]
    models = [[[Value(1.0) for _ in range(i, j)] for _ in range(3)] for _, i, j in parts]
    outs = [
        ops.dot(*w, *inputs[i:j])
        for (inputs, i, j), rows in zip(parts, models, strict=True)
        for w in rows
    ]
    flat = [leaf for rows in models for w in rows for leaf in w]
    program = program_of(
        [*x, *y], flat, gradients(ops.sum(*[0.5 * out * out for out in outs]), flat)
    )
    signature = Signature(((20,), (20,)), (), (True,) * len(flat), len(flat))
    found = sums_of(loops_of(program, signature.summed), [20, 20], SampleBlock(width, 4)).outers
    assert [(o.row.argument, o.row.column, *o.dims) for o in found] == [
        (0, 0, 3, 9),
        (0, 4, 3, 16),
        (1, 0, 3, 20),
    ]
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    # Small whole numbers: all sums are exact.
    source = np.random.default_rng(0)
    weights = source.integers(-3, 4, len(flat)).astype(float)
    for n in (1, width + 1, 5 * width + 1):
        rows = source.integers(-3, 4, (n, 20)).astype(float)
        sums, _ = function([rows, rows], weights, n)  # one array twice
        wanted, begin = [], 0
        for _, i, j in parts:
            w = weights[begin : begin + 3 * (j - i)].reshape(3, j - i)
            wanted += (w @ rows[:, i:j].T @ rows[:, i:j]).ravel().tolist()
            begin += w.size
        assert sums.tolist() == wanted


@pytest.mark.parametrize("start", [False, True])
def test_a_sum_that_the_samples_add_up_is_kept_nowhere_else(start: bool) -> None:
    """Each sample's sum of terms goes to that over the samples, one by one and side by side."""
    x, y = ([Value(1.0) for _ in range(25)] for _ in range(2))
    rows = [(x[5 * i : 5 * i + 5], y[5 * i : 5 * i + 5]) for i in range(5)]
    outs = [ops.dot(*a, *b, *([a[0]] if start else [])) for a, b in rows]
    program = program_of([*x, *y], [], outs)
    assert loops_of(program, [True] * 5).sizes["t"] == 0
    function = NativeFunction(
        lambda: program, str(program), Signature(((50,),), (), (True,) * 5, 0), exact=False
    )
    # Small whole numbers: all sums are exact.
    source = np.random.default_rng(0)
    for n in (1, 2, host().width + 1, 9 * host().width + 3):
        given = source.integers(-3, 4, (n, 50)).astype(float)
        a, b = given[:, :25].reshape(n, 5, 5), given[:, 25:].reshape(n, 5, 5)
        wanted = (a * b).sum(axis=(0, 2)) + (a[:, :, 0].sum(axis=0) if start else 0.0)
        assert function([given], np.empty(0), n)[0].tolist() == wanted.tolist()


def test_an_idle_place_of_a_vector_adds_nothing_to_a_slope() -> None:
    program, signature = linear(3, 9)
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    rows = np.ones((host().width + 1, 12))
    rows[-1, 3] = math.inf
    sums, _ = function([np.ones((len(rows), 2)), rows], np.ones(27), len(rows))
    # Were the last sample's product with 0 added for the places behind it, these were NaN.
    assert (sums == math.inf).all()


# Batches of every size.


@pytest.fixture(scope="module")
def small() -> tuple[NativeFunction, Program]:
    """Return a kernel with sums and outputs of each sample, and its program."""
    x, w = [Value(0.5), Value(0.25)], [Value(1.0), Value(-2.0)]
    out = tanh(ops.dot(*x, *w)) * x[0]
    program = program_of(x, w, [out, *gradients(out, w), out, w[0] * 3.0])
    signature = Signature(((2,),), ((),), (True, True, True, False, True), 2)
    return NativeFunction(lambda: program, str(program), signature, exact=False), program


def samples(n: int) -> Any:
    return np.random.default_rng(n).normal(size=(n, 2))


def assert_sums(
    small: tuple[NativeFunction, Program], rows: Any, sums: Any, outputs: Any, scale: float
) -> None:
    _, program = small
    weights = [1.5, -0.5]
    each = [run(program, [*row, *weights]) for row in rows.tolist()]
    for i in range(5):
        terms = [values[i] for values in each]
        # A term is wrong by 6 ulp at each of the at most 9 instructions, none of which
        # amplifies (|tanh'| <= 1), and a sum of n terms by n more (Higham 2002, section 4.2).
        scale_of_terms = math.fsum(map(abs, terms)) + len(terms) * 3.0
        bound = (54 + len(terms)) * 2.0**-52 * scale_of_terms
        if i == 3:
            assert np.abs(outputs - terms).max(initial=0.0) <= bound
        else:
            place = i - (i > 3)
            assert abs(sums[place] - scale * math.fsum(terms)) <= bound * scale


def test_every_batch_size_gives_its_sums_and_outputs(
    small: tuple[NativeFunction, Program],
) -> None:
    width = host().width
    for n in [*range(3 * width + 1), *range(30, 35), *range(62, 67), 4 * width - 1, 200]:
        rows = samples(n)
        sums, (outputs,) = small[0]([rows], np.array([1.5, -0.5]), n, 0.25)
        assert outputs.shape == (n,)
        assert_sums(small, rows, sums, outputs, 0.25)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_sample_spoils_its_own_outputs_and_the_sums(
    bad: float, small: tuple[NativeFunction, Program]
) -> None:
    for n in (1, 2, 7, 8, 9, 31, 33, 40):
        for place in {0, n // 2, n - 1}:
            rows = samples(n)
            rows[place, 0] = bad
            sums, (outputs,) = small[0]([rows], np.array([0.0, 1.0]), n)
            # inf * 0 is NaN, by IEEE 754.
            assert np.isnan(outputs[place])
            assert not np.isnan(np.delete(outputs, place)).any()
            assert np.isnan(sums[:3]).all()
            assert sums[3] == 0.0


def test_idle_places_of_the_last_vector_count_for_nothing() -> None:
    x = Value(1.0)
    reciprocal = 1 / x
    program = program_of([x], [], [x, reciprocal])
    function = NativeFunction(
        lambda: program, str(program), Signature(((),), (), (True, True), 0), exact=False
    )
    for n in range(1, 70):
        # The last sample is what idle places repeat: twice 2.0**60 would show.
        rows = np.ones(n)
        rows[-1] = 2.0**60
        sums, _ = function([rows], np.empty(0), n)
        assert sums[0] == n - 1 + 2.0**60
        assert sums[1] == n - 1 + 2.0**-60
        rows[-1] = 0.0
        sums, _ = function([rows], np.empty(0), n)
        assert (sums[0], sums[1]) == (n - 1, math.inf)


# Corners.


def test_programs_without_lanes_or_without_anything() -> None:
    w = Value(3.0)
    for outputs in ([w * w, w, 2.0], [], [math.nan, -0.0, math.inf]):
        program = program_of([], [w], outputs)
        check(program, [[], [], []], [5.0], exact=True)
        check(program, [[], [], []], [5.0], exact=False)


def test_several_outputs_of_one_result_and_of_leaves() -> None:
    x, w = Value(0.5), Value(0.25)
    y = sin(x) * w
    program = program_of([x], [w], [y, x, y, w, w + 1.0, 7.0, y * y, x, -0.0])
    summed = [True, True, False, True, False, True, True, False, False]
    check(program, [[0.3], [-2.0]], [1.5], exact=True)
    signature = Signature(((),), ((),) * 4, tuple(summed), 1)
    function = NativeFunction(lambda: program, str(program), signature, exact=False)
    rows = [0.3, -2.0, 8.0]
    sums, outputs = function([np.array(rows)], np.array([1.5]), 3, 2.0)
    each = [run(program, [row, 1.5]) for row in rows]
    wanted = [2 * math.fsum(values[i] for values in each) for i in (0, 1, 3, 5, 6)]
    # The largest term is 8, and few roundings lie on the way: 2**-45 is 16 ulp of the sums.
    assert np.abs(sums - wanted).max() <= 2.0**-45
    for array, i in zip(outputs, (2, 4, 7, 8), strict=True):
        assert np.abs(array - [values[i] for values in each]).max() <= 2.0**-45


def test_constants_on_both_sides_of_a_sum() -> None:
    x, w = Value(0.5), Value(0.25)
    mixed = ops.dot(2.0, x, 3.0, w, 4.0, 5.0, x, 6.0, math.inf)
    odd = ops.dot(2.0, x, 4.0, 5.0, -0.0)
    pair = ops.dot(2.0, x)
    shared = ops.dot(2.0, w, 4.0, w, 1.0)
    alone = ops.sum(x)
    program = program_of([x], [w], [mixed, odd, pair, shared, alone, ops.sum(1.0, x, 2.0, w, x)])
    rows = [[0.5], [-0.0], [math.nan], [-math.inf]]
    check(program, rows, [1.5], exact=True)
    check(program, rows, [1.5], exact=False)


@pytest.mark.long
def test_a_sum_over_windows_takes_work_in_proportion() -> None:
    """Twice the terms are twice the calls, of Python's functions and of C's, and no more code."""

    def work(n: int) -> tuple[int, int]:
        profile = Profile()
        with profile:
            f = compile(
                lambda x: sum(tanh(a - b) ** 2 for a, b in itertools.pairwise(x)), [0.0] * n, wrt=0
            )
            kernels = f._code.native_gradient
            text = kernels._kernel(kernels._loops(), single=True).text
        return sum(entry.callcount for entry in profile.getstats()), text.count("\n")

    work(20)  # what is made once
    (few, lines), (many, more_lines) = work(200), work(400)
    # What doesn't grow with the terms makes it less than twice.
    assert many < 2.02 * few
    assert more_lines < 1.2 * lines


def test_sums_of_outer_products_stand_beside_others() -> None:
    """Weights of inputs are summed as an outer product, biases and layers behind them are not."""
    model = MLP(4, [8, 3], activation="tanh", seed=0)
    loss = lambda x: sum([y * y for y in model(x)], Value(0.0))
    rows = [[math.sin(4 * i + j) for j in range(4)] for i in range(8)]
    found, exact = (
        compile(loss, rows[0], wrt=model, backend=backend).value_and_grad(rows)[1]
        for backend in ("llvm", "python")
    )
    # Sums of 8 terms below 10 in another order, through functions right to 4 ulp.
    assert found == pytest.approx(exact, abs=1e-12)
