"""Long formulas without repetition: a tape that is played, in place of code of their own."""

import math
import random
from itertools import pairwise
from typing import Any

import pytest

from autograd import Value, compile, dot, sin, sum, tanh
from autograd.compiler.program import Instruction, Program, run
from autograd.operation import TABLE

pytest.importorskip("llvmlite")

import numpy as np

from autograd.compiler import native, tape
from autograd.compiler.frames import Signature
from autograd.compiler.native import NativeFunction
from autograd.compiler.reals import DOUBLE, SINGLE
from autograd.compiler.tape import BIASED, PLAYED, tape_of

INPUTS, PARAMETERS = 5, 4


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shorter programs be played, so that they are made in no time."""
    monkeypatch.setattr(tape, "SHORTEST", 200)


@pytest.fixture
def any_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what repeats itself be played, too."""
    monkeypatch.setattr(tape, "REPEATED", 2.0)


def scribbled(names: list[str], length: int, seed: int) -> Program:
    """Return a program of these operations, of leaves, constants, and sines of what came before."""
    source = random.Random(seed)
    first = INPUTS + PARAMETERS
    sine = TABLE["sin"]

    def arg(end: int) -> int | float:
        if source.random() < 0.2:
            return source.choice((2.0, 0.5, -3.0, -0.0, 0.0, 1.5, source.gauss(0, 1)))
        return source.choice((source.randrange(first), *range(first + 1, end, 2)[-20:]))

    instructions = []
    for end in range(first, first + length, 2):
        name = names[end // 2 % len(names)]
        count = TABLE[name].arity or 8 if name != BIASED else 1 + 2 * source.randrange(1, 6)
        args = (source.randrange(first), *(arg(end) for _ in range(count - 1)))
        instructions.append(Instruction(TABLE["dot" if name == BIASED else name], args))
        instructions.append(Instruction(sine, (end,)))
    outputs = [*range(first, first + length), 0, INPUTS, 2.5]
    return Program(INPUTS, PARAMETERS, instructions, outputs).validate()


def called(program: Program, rows: Any, weights: Any, **options: Any) -> tuple[Any, Any]:
    """Return half of the outputs, added up and halved, and the other half of each sample."""
    summed = [i % 2 == 0 for i in range(len(program.outputs))]
    real = options.pop("real", DOUBLE)
    shapes = ((len(summed) - len([x for x in summed if x]),),)
    signature = Signature(((INPUTS - 1,), ()), shapes, tuple(summed), PARAMETERS, real)
    function = NativeFunction(lambda: program, f"{program}", signature, **options)
    arrays = [np.ascontiguousarray(rows[:, :-1]), np.ascontiguousarray(rows[:, -1])]
    sums, (each,) = function(arrays, weights, len(rows), 0.5)
    return sums, each


@pytest.mark.usefixtures("any_program")
def test_every_operation_is_played_to_the_bit() -> None:
    """In exact code all is as the rows themselves have it, the sums in the order of the samples."""
    program = scribbled(sorted(PLAYED), 400, seed=1)
    assert tape_of(program, exact=True)
    source = np.random.default_rng(1)
    rows, weights = source.uniform(-1, 1, (3, INPUTS)), source.uniform(-1, 1, PARAMETERS)
    expected = np.array([run(program, [*row, *weights.tolist()]) for row in rows.tolist()])
    assert np.isfinite(expected).mean() > 0.7
    sums, each = called(program, rows, weights, exact=True)
    assert repr(each.tolist()) == repr(expected[:, 1::2].tolist())
    total = (0.0 + expected[0, ::2] + expected[1, ::2] + expected[2, ::2]) * 0.5
    np.testing.assert_array_equal(sums, total)


@pytest.mark.usefixtures("any_program")
@pytest.mark.parametrize("n", [1, 2, 7, 8, 19])
@pytest.mark.parametrize("real", [DOUBLE, SINGLE])
def test_samples_that_fill_no_vector(n: int, real: Any) -> None:
    names = ["add", "sub", "mul", "tanh", "where", "maximum", "sum", "dot", BIASED, "neg"]
    program = scribbled(names, 300, seed=2)
    source = np.random.default_rng(n)
    rows, weights = source.uniform(-1, 1, (n, INPUTS)), source.uniform(-1, 1, PARAMETERS)
    rows, weights = (x.astype(np.float32).astype(float) for x in (rows, weights))
    expected = np.array([run(program, [*row, *weights.tolist()]) for row in rows.tolist()])
    sums, each = called(
        program, rows.astype(real.dtype), weights.astype(real.dtype), exact=False, real=real
    )
    # Numbers are below 100 in size, a step errs by 4 ulp of that; what errors grow to on the way
    # through is measured: 30 times as much in single precision, where none of it is chance.
    bound = 30 * 4 * 100 * np.finfo(real.dtype).eps
    np.testing.assert_allclose(each, expected[:, 1::2], rtol=0, atol=bound)
    np.testing.assert_allclose(sums, expected[:, ::2].sum(0) * 0.5, rtol=0, atol=n * bound)


@pytest.mark.long
def test_powers_are_multiplied_out_but_where_every_bit_counts() -> None:
    f = compile(wandering(200, lambda x: x**2 + abs(x + 3) ** -0.5 - abs(x) ** 2.5), [0.5] * 4)
    for exact, names in ((True, ["pow"]), (False, ["pow", "pow -0.5", "pow 2.0"])):
        found = tape_of(f.program, exact=exact)
        assert found
        assert [name for name in found.ops if name.startswith("pow")] == names
    x = [0.3, -0.2, 0.7, 0.1]
    assert math.isclose(f(x), run(f.program, x)[0], rel_tol=1e-12)


def wandering(steps: int, last: Any = lambda x: x) -> Any:
    """Return a function of four numbers that does something of its own in each step."""
    source = random.Random(7)
    plan = [
        (*source.choices(range(1, 9), k=2), *source.choices(range(3), k=2)) for _ in range(steps)
    ]

    def f(x: list[Any]) -> Any:
        known = [*x, *x]
        for i, j, way, then in plan:
            a, b = known[-i], known[-j]
            found = (a * b, sin(a) - b, a + b)[way]
            known.append((tanh(found), found * 0.5, last(found * 0.25))[then])
        return dot(known[-9:-1], known[-8:]) + known[-1]

    return f


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.long
def test_a_long_formula_is_played_and_has_the_engines_gradient(exact: bool) -> None:
    f = wandering(150)
    x = [0.3, -0.2, 0.7, 0.1]
    g = compile(f, x, exact=exact)
    assert tape_of(g.gradient_program, exact=exact)
    value, slopes = g.value_and_grad(x)
    leaves = [Value(number) for number in x]
    expected = f(leaves)
    expected.backward()
    if exact:
        assert (value, slopes) == (expected.data, [leaf.grad for leaf in leaves])
    # The same up to the order of sums: some 100 terms and factors, none above 100.
    assert math.isclose(value, expected.data, rel_tol=0, abs_tol=1e-12)
    for slope, leaf in zip(slopes, leaves, strict=True):
        assert math.isclose(slope, leaf.grad, rel_tol=0, abs_tol=1e-12)


def test_what_repeats_itself_becomes_loops() -> None:
    chain = compile(lambda x: sum([tanh(a * b) for a, b in pairwise(x)]), [0.1] * 64)
    assert len(chain.gradient_program.instructions) >= tape.SHORTEST
    assert tape_of(chain.gradient_program, exact=False) is None

    def tree(x: list[Any]) -> Any:
        while len(x) > 1:
            x = [tanh(a * b) for a, b in zip(x[::2], x[1::2], strict=True)]
        return x[0]

    assert tape_of(compile(tree, [0.1] * 64).gradient_program, exact=False) is None


def test_from_how_many_instructions_on(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compile(wandering(150), [0.1] * 4).gradient_program
    count = len(program.instructions)
    for shortest, is_played in ((count, True), (count + 1, False)):
        monkeypatch.setattr(tape, "SHORTEST", shortest)
        assert (tape_of(program, exact=False) is not None) == is_played


def test_from_the_cache_it_is_the_same(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path))
    f, x = wandering(150), [0.5, 0.25, 0.1, -0.7]
    first = compile(f, x).value_and_grad(x)
    monkeypatch.setattr(native.NativeFunction, "_compile", None)
    assert compile(f, x).value_and_grad(x) == first


def test_what_all_samples_share_is_computed_once() -> None:
    weights = [Value(0.1 * i) for i in range(1, 5)]
    shared = wandering(150)
    f = compile(lambda x: shared(weights) * x, 1.0)
    found = tape_of(f.program, exact=False)
    assert found
    assert len(found.code) - found.shared_code < 8
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(f(x), x * shared(weights).data, rtol=1e-13)
