"""Programs printed for Python, C, JAX and PyTorch compute what the rows do."""

from __future__ import annotations

import ctypes
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autograd import TABLE, Op, Value, gradients, ops, primitive, tanh
from autograd.compiler import spelling
from autograd.compiler.program import Instruction, Program, run
from autograd.compiler.targets import TARGETS, source
from autograd.compiler.writer import program_of
from autograd.contexts import unchecked
from autograd.errors import CompileError
from autograd.operation import Primitive
from autograd.testing.straightline import StraightLine
from autograd.testing.strategies import expressions, floats_in
from tests.floats import bits

EPS = sys.float_info.epsilon
inf, nan = math.inf, math.nan

EDGES = [spelling.MAX_EXP, spelling.MAX_SINH]
XS = [0.0, 5e-324, 1e-310, 1e-200, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 30.0, 800.0, 1e17, 1e200]
XS += [sys.float_info.max, *EDGES, *(math.nextafter(x, 0.0) for x in (1.0, *EDGES))]
XS = [*XS, *(-x for x in XS), inf, -inf, nan]

WIDTH = 5
"""How many arguments a row of any number is given."""

Compute = Callable[[Sequence[float]], Sequence[float]]


def as_python(program: Program) -> Compute:
    names: dict[str, Any] = {}
    exec(source(program, "python"), names)
    first = program.inputs
    return lambda numbers: names["program"](numbers[:first], numbers[first:])


COMPILER = shutil.which("cc")
needs_cc = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler called cc")


def as_c(program: Program, folder: Path) -> Compute:
    """Return the program compiled with the options that its first lines name."""
    text = source(program, "c")
    folder.mkdir(exist_ok=True)
    (folder / "program.c").write_text(text, encoding="utf-8")
    options = text[text.index("cc -") + 3 : text.index(", with")].split()
    library = folder / f"{len(list(folder.iterdir()))}.so"
    subprocess.run(
        ["cc", *options, "-Wall", "-Werror", "-shared", "-fPIC", "program.c", "-o", library, "-lm"],
        cwd=folder,
        check=True,
    )
    function = ctypes.CDLL(str(library)).program
    function.restype = None

    def compute(numbers: Sequence[float]) -> list[float]:
        out = (ctypes.c_double * len(program.outputs))()
        x, p = numbers[: program.inputs], numbers[program.inputs :]
        function((ctypes.c_double * len(x))(*x), (ctypes.c_double * len(p))(*p), out)
        return list(out)

    return compute


def as_jax(program: Program) -> Callable[[list[list[float]]], list[list[float]]]:
    """Return the program as jit of vmap, for many samples at once."""
    jax = pytest.importorskip("jax")
    numpy = pytest.importorskip("numpy")
    jax.config.update("jax_enable_x64", True)
    names: dict[str, Any] = {}
    exec(source(program, "jax"), names)
    call = jax.jit(jax.vmap(names["program"], in_axes=(0, None)))

    def compute(samples: list[list[float]]) -> list[list[float]]:
        return numpy.stack(call(numpy.array(samples), numpy.zeros(0)), axis=1).tolist()

    return compute


def as_torch(program: Program) -> Callable[[list[list[float]]], list[list[float]]]:
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(source(program, "torch"), names)

    def compute(samples: list[list[float]]) -> list[list[float]]:
        x = torch.tensor(samples, dtype=torch.float64)
        results = names["program"](x, torch.zeros(0, dtype=torch.float64))
        assert all(r.dtype == torch.float64 and r.shape == x.shape[:-1] for r in results)
        return torch.stack(results, dim=-1).tolist()

    return compute


def program_for(op: Op, pattern: Sequence[float | None]) -> Program:
    """Return the program that applies ``op`` to inputs where the pattern has None."""
    inputs = [Value(0.5) for arg in pattern if arg is None]
    places = iter(inputs)
    with unchecked():
        out = op(*(next(places) if arg is None else arg for arg in pattern))
    return program_of(inputs, [], [out])


def points(op: Op) -> Iterator[tuple[float, ...]]:
    """Return every special number in every argument, or a sample of the combinations."""
    rng = random.Random(op.name)
    arity = op.arity or WIDTH
    yield from (
        product(XS, repeat=arity)
        if arity <= 2
        else (tuple(rng.choices(XS, k=arity)) for _ in range(800))
    )


# One program of all rows, so that a target's compiler runs once.


def all_rows() -> tuple[Program, list[Op]]:
    """Return the program whose output i is row i of its first inputs."""
    x = [Value(0.5) for _ in range(WIDTH)]
    with unchecked():
        return program_of(x, [], [op(*x[: op.arity or WIDTH]) for op in TABLE.values()]), list(
            TABLE.values()
        )


def rows_with_constants() -> tuple[Program, list[Op]]:
    """Return the program of the rows of two and three arguments, with special constants."""
    x = [Value(0.5) for _ in range(WIDTH)]
    constants = [0.0, -0.0, 0.5, -1.0, 2.0, 3.0, 0.01, 1e-300, inf, -inf, nan]
    outs, rows = [], []
    with unchecked():
        for op in TABLE.values():
            for c in constants if op.arity in (2, 3) else []:
                for slot in range(op.arity):
                    args: list[Any] = [c, c, c]
                    args[slot] = x[slot]
                    outs.append(op(*args[: op.arity]))
                    rows.append(op)
    return program_of(x, [], outs), rows


def table_points() -> list[list[float]]:
    """Return all pairs of special numbers, each with three more, and ordinary numbers."""
    rng = random.Random(0)
    special = [[*pair, *rng.choices(XS, k=3)] for pair in product(XS, repeat=2)]
    return special + [[rng.uniform(-4, 4) for _ in range(WIDTH)] for _ in range(200)]


TABLES = {"rows": all_rows, "constants": rows_with_constants}


# The tables


def test_every_table_spells_every_primitive_and_nothing_else() -> None:
    rows = [op for op in TABLE.values() if op.is_built_in]
    primitives = {op.name for op in rows if isinstance(op.forward, Primitive)}
    for target in TARGETS.values():
        assert set(target.spelled) == primitives


def test_an_unknown_target_is_named() -> None:
    x = Value(1.0)
    with pytest.raises(CompileError, match=r"no target 'fortran'; choose from python, c, jax"):
        source(program_of([x], [], [x * x]), "fortran")


@pytest.mark.parametrize("target", TARGETS)
def test_a_primitive_without_a_spelling_is_named(target: str) -> None:
    cube_root = Op("cube_root", primitive(math.cbrt), (lambda y, x: 1 / (3 * y * y),))
    program = Program(1, 0, [Instruction(cube_root, (0,))], [1])
    with pytest.raises(CompileError, match=f"cube_root can't be written for '{target}'"):
        source(program, target)


# Python


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_python_has_the_bits_of_the_row(op: Op) -> None:
    program = program_for(op, [None] * (op.arity or WIDTH))
    compute = as_python(program)
    for args in points(op):
        expected = op.ieee(*args)
        assert bits(run(program, args)[0]) == bits(expected), args
        assert bits(compute(args)[0]) == bits(expected), args


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.kinks])
@settings(max_examples=20)
@given(data=st.data())
@pytest.mark.long
def test_python_has_the_bits_of_the_row_at_kinks(name: str, data: st.DataObject) -> None:
    args = data.draw(floats_in(name, kinks=True))
    program = program_for(TABLE[name], [None] * len(args))
    assert bits(as_python(program)(args)[0]) == bits(TABLE[name].ieee(*args))


def test_python_has_the_bits_of_rows_with_constants() -> None:
    program, _ = rows_with_constants()
    compute = as_python(program)
    for x in XS:
        numbers = [x] * WIDTH
        assert list(map(bits, compute(numbers))) == list(map(bits, run(program, numbers)))


def gradient_program(expression: StraightLine) -> Program:
    """Return the result of a random graph and its gradient, as one program."""
    values = expression.values()
    inputs = values[: len(expression.inputs)]
    return program_of(inputs, [], [values[-1], *gradients(values[-1], inputs)])


@pytest.mark.long
@given(expressions(smooth=False), st.data())
def test_python_has_the_bits_of_random_graphs_and_their_gradients(
    expression: StraightLine, data: st.DataObject
) -> None:
    program = gradient_program(expression)
    other = data.draw(st.lists(st.floats(), min_size=program.inputs, max_size=program.inputs))
    compute = as_python(program.validate())
    for numbers in (list(expression.inputs), other):
        assert list(map(bits, compute(numbers))) == list(map(bits, run(program, numbers)))


def test_python_code_is_a_module_of_its_own() -> None:
    x, w = Value(0.5), Value(-2.0)
    program = program_of([x], [w], [(x**w).tanh()])
    script = source(program, "python") + "\nprint(*program([0.5], [-2.0]))\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == math.tanh(4.0)


@pytest.mark.parametrize("n", [1, 6, 7, 5000])
@pytest.mark.long
def test_a_long_sum_is_no_limit_to_parsers(n: int) -> None:
    """CPython's parser gives up at an expression of some thousand terms."""
    x, w = [Value(0.1 * i) for i in range(n)], [Value(1 / (i + 1)) for i in range(n)]
    program = program_of(x, w, [ops.dot(*w, *x, Value(3.0)), ops.sum(*x)])
    numbers = [leaf.data for leaf in (*x, *w)]
    assert list(map(bits, as_python(program)(numbers))) == list(map(bits, run(program, numbers)))


@pytest.mark.long
def test_deep_programs_are_no_limit() -> None:
    v = x = Value(0.5)
    for i in range(20_000):
        v = tanh(v) if i % 2 else v * 1.5
    program = program_of([x], [], [v])
    assert len(program.instructions) == 20_000
    assert bits(as_python(program)([0.5])[0]) == bits(v.data)


@pytest.mark.slow
def test_a_program_of_300_000_instructions_is_compiled() -> None:
    v = x = Value(0.5)
    for i in range(300_000):
        v = (tanh(v), v * 1.5, v / x)[i % 3]
    program = program_of([x], [], [v])
    assert bits(as_python(program)([0.5])[0]) == bits(v.data)


def test_a_program_may_have_no_inputs_and_return_what_it_got() -> None:
    p = Value(2.0)
    assert as_python(program_of([], [p], [p, 1.5]))([2.0]) == (2.0, 1.5)
    assert as_python(Program(0, 0, [], []))([]) == ()


def test_a_program_of_constants_alone_is_written_as_well() -> None:
    program = Program(0, 0, [Instruction(ops.neg, (-1.0,)), Instruction(ops.sub, (0, -inf))], [1])
    assert as_python(program)([]) == (inf,)
    assert "double v0 = -(-1.0);" in source(program, "c")


# C: the same libm, so the same bits. Python has a hypot of its own: it and C's are within an ulp.


@needs_cc
@pytest.mark.parametrize("table", ["rows", pytest.param("constants", marks=pytest.mark.long)])
def test_c_has_the_bits_of_the_rows(table: str, tmp_path: Path) -> None:
    program, rows = TABLES[table]()
    compute = as_c(program, tmp_path)
    for numbers in table_points():
        got, expected = compute(numbers), run(program, numbers)
        for op, a, b in zip(rows, got, expected, strict=True):
            if op is ops.hypot and math.isfinite(b):
                assert abs(a - b) <= 2 * math.ulp(b), numbers
            else:
                assert bits(a) == bits(b), (op, numbers)


@pytest.mark.long
@needs_cc
def test_c_has_the_bits_of_random_graphs_and_their_gradients(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("programs")

    @settings(max_examples=15)
    @given(expressions(smooth=False))
    def check(expression: StraightLine) -> None:
        program = gradient_program(expression)
        assume(all(op is not ops.hypot for op, _ in program.instructions))
        numbers = list(expression.inputs)
        got = as_c(program, folder)(numbers)
        assert list(map(bits, got)) == list(map(bits, run(program, numbers)))

    check()


# JAX and PyTorch have functions of their own


def torch_ulps(op: Op, x: float) -> float:
    """Return how far a function may be off: within 4 ulp in either library, 8 ulp apart."""
    return 8.0


def jax_ulps(op: Op, x: float) -> float:
    """Return as `torch_ulps`, and what XLA's functions lack.

    It computes sinh and cosh as exp(x - log(2)), erfc as exp(-x * x) times a correction, and
    rounds these exponents by half an ulp, abs(x) or x**2 times 2**-53: so much is the relative
    error of the result. Its log1p uses Cephes' rational function, good from sqrt(1 / 2) - 1 to
    sqrt(2) - 1, already from 1 - sqrt(2): found to be 128 ulp off there. It is in atanh, too.
    To divide by a constant it multiplies with the reciprocal: an ulp, of which the erfc(z) of
    gelu makes 2 * z**2 = x**2.
    """
    if op in (ops.sinh, ops.cosh):
        return 8 + abs(x)
    if op is ops.erfc:
        return 8 + x * x if abs(x) < 1e3 else 8.0
    if op is ops.gelu:
        return 8 + 2 * x * x if abs(x) < 1e3 else 8.0
    if op in (ops.log1p, ops.atanh) and 1 - math.sqrt(0.5) <= abs(x) <= math.sqrt(2) - 1:
        return 160.0
    return 8.0


def is_near(a: float, b: float, ulps: float) -> bool:
    if not math.isfinite(b):
        return bits(a) == bits(b)
    return abs(a - b) <= ulps * math.ulp(b)


@pytest.mark.peer
@pytest.mark.parametrize("table", TABLES)
def test_torch_computes_the_rows(table: str) -> None:
    program, rows = TABLES[table]()
    samples = table_points()
    for numbers, got in zip(samples, as_torch(program)(samples), strict=True):
        for op, a, b in zip(rows, got, run(program, numbers), strict=True):
            assert is_near(a, b, torch_ulps(op, numbers[0])), (op, numbers, a, b)
            if b == 0:
                assert bits(a) == bits(b), (op, numbers)


@pytest.mark.peer
@pytest.mark.parametrize("table", TABLES)
def test_jax_computes_the_rows(table: str) -> None:
    """XLA takes subnormal numbers for 0, also where they are to be multiplied by x.

    It fuses products with sums. A dot of two products and a bias is within 3 * 2**-53 times
    the sum of their magnitudes either way (the row's note); but a product that overflows on its
    own may not any more.
    """
    program, rows = TABLES[table]()
    tiny = sys.float_info.min
    samples = [xs for xs in table_points() if not any(0 < abs(x) < tiny for x in xs)]
    compared = 0
    for numbers, got in zip(samples, as_jax(program)(samples), strict=True):
        x = numbers[0]
        factors = list(zip(numbers[:2], numbers[2:4], strict=True))
        size = sum([abs(w * y) for w, y in factors], abs(numbers[4]))
        overflow = any(math.isinf(w * y) and not math.isinf(w + y) for w, y in factors)
        for op, a, b in zip(rows, got, run(program, numbers), strict=True):
            if op is ops.dot and overflow:
                continue
            compared += 1
            if op is ops.dot and math.isfinite(size):
                assert abs(a - b) <= 3 * EPS * size, (numbers, a, b)
                continue
            vanished = a == 0 and abs(b) < tiny * max(1.0, abs(x))
            assert vanished or is_near(a, b, jax_ulps(op, x)), (op, numbers, a, b)
    assert compared > 0.99 * len(samples) * len(rows)


def error_bounds(
    program: Program, numbers: Sequence[float], ulps: Callable[[Op, float], float]
) -> list[float]:
    """Return bounds on the differences between two runs whose functions are some ulp apart.

    Each instruction's result is perturbed by that, and the derivative of an output with
    respect to it says how much of it arrives, to first order. A dot's products are rounded
    on their own, or not at all where they are fused: another ulp of each, and of each sum.
    """
    results: list[Any] = [Value(x) for x in numbers]
    with unchecked():
        for op, args in program.instructions:
            results.append(op(*(results[arg] if isinstance(arg, int) else arg for arg in args)))
    sizes = []
    for value in results:
        size = 0.0
        if value.op is not None:
            floats = [arg if isinstance(arg, float) else arg.data for arg in value.args]
            size = abs(value.data) * ulps(value.op, floats[0])
            if value.op is ops.dot:
                half = len(floats) // 2
                terms = [w * x for w, x in zip(floats[:half], floats[half:], strict=False)]
                size += 2 * len(floats) * sum(map(abs, [*terms, *floats[2 * half :]]))
        sizes.append(size * EPS)
    bounds = []
    for out in program.outputs:
        for value in results:
            value.grad = 0.0
        if isinstance(out, int):
            results[out].backward()
        errors = [abs(v.grad) * size for v, size in zip(results, sizes, strict=True) if v.grad]
        bounds.append(math.fsum(errors))
    return bounds


@pytest.mark.peer
@pytest.mark.parametrize(("load", "ulps"), [(as_jax, jax_ulps), (as_torch, torch_ulps)])
def test_random_graphs_and_their_gradients_agree(
    load: Callable[[Program], Any], ulps: Callable[[Op, float], float]
) -> None:
    pytest.importorskip(load.__name__.removeprefix("as_"))
    compared = 0

    @settings(max_examples=60, deadline=None)
    @given(expressions())
    def check(expression: StraightLine) -> None:
        nonlocal compared
        program = gradient_program(expression)
        numbers = list(expression.inputs)
        expected = run(program, numbers)
        bounds = error_bounds(program, numbers, ulps)
        # Beyond that the first order isn't the whole of it.
        assume(all(b < 1e-9 * (1 + abs(x)) for b, x in zip(bounds, expected, strict=True)))
        (got,) = load(program)([numbers])
        for a, b, bound in zip(got, expected, bounds, strict=True):
            assert abs(a - b) <= bound
        compared += len(program.instructions)

    check()
    assert compared > 200


@pytest.mark.peer
@pytest.mark.parametrize("load", [as_jax, as_torch])
def test_results_that_need_no_input_have_the_shape_of_the_batch(
    load: Callable[[Program], Any],
) -> None:
    x = Value(0.5)
    program = program_of([x], [], [x * 2.0, 1.5, -inf])
    assert load(program)([[1.0], [2.0], [3.0]]) == [[2 * i, 1.5, -inf] for i in (1.0, 2.0, 3.0)]


@pytest.mark.peer
def test_torch_takes_parameters_and_any_batch() -> None:
    torch = pytest.importorskip("torch")
    x, y, w = Value(0.5), Value(0.25), Value(3.0)
    program = program_of([x, y], [w], [w * x + y, w * w])
    names: dict[str, Any] = {}
    exec(source(program, "torch"), names)
    weights = torch.tensor([3.0], dtype=torch.float64)
    for shape in ((), (4,), (2, 3), (0,)):
        samples = torch.arange(2.0 * math.prod(shape), dtype=torch.float64).reshape(*shape, 2)
        value, square = names["program"](samples, weights)
        assert torch.equal(value, 3 * samples[..., 0] + samples[..., 1])
        assert torch.equal(square, torch.full(shape, 9.0, dtype=torch.float64))
