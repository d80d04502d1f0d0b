"""One sample's code: indices of a loop as lanes, of all sizes around those of a vector."""

import ctypes
import math
import random
from typing import Any

import pytest

from autograd import Value, compile, dot, exp, maximum, take, tanh
from autograd.compiler.rolling import loops_of

pytest.importorskip("llvmlite")

import numpy as np

from autograd.compiler import machine
from autograd.compiler.llvm import (
    ARRAYS,
    PARAMETERS,
    SCALE,
    START,
    STOP,
    SUMS,
    WORKSPACE,
    block_for,
    kernel_of,
)
from autograd.compiler.lone import SHARED
from autograd.compiler.loops import Access, Loop
from autograd.compiler.machine import Machine
from autograd.compiler.rooms import MOST_LANES, aligned

PAPER = Machine("x86_64-unknown-linux-gnu", "", "", 8, ("exp", "tanh"), "")

SIZES = [1, 3, 5, 8, 9, 16, 33]
"""Below and above every width of a vector, and of several side by side."""


def numbers(count: int, seed: int) -> list[float]:
    source = random.Random(seed)
    return [source.uniform(-1, 1) for _ in range(count)]


def matrix(rows: int, columns: int, seed: int) -> list[list[Value]]:
    flat = numbers(rows * columns, seed)
    return [[Value(x) for x in flat[i * columns : (i + 1) * columns]] for i in range(rows)]


def assert_as_readable(f: Any, x: list[float], wrt: list[Value], terms: int) -> None:
    """Compare one sample's value and gradient with those of the eager engine.

    A sum of n terms in another order differs by n ulp of the sum of their sizes; they pass
    through three layers at most here, and no size is above 100.
    """
    for leaf in wrt:
        leaf.grad = 0.0
    expected = f([Value(number) for number in x])
    expected.backward()
    value, slopes = compile(f, x, wrt=wrt).value_and_grad(x)
    bound = 3 * (terms + 8) * 2.0**-52 * 100
    assert math.isclose(value, expected.data, rel_tol=0, abs_tol=bound)
    for slope, leaf in zip(slopes, wrt, strict=True):
        assert math.isclose(slope, leaf.grad, rel_tol=0, abs_tol=bound)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.long
def test_rows_and_columns_of_every_size(size: int) -> None:
    columns = 23 - size if size < 20 else 9
    rows = matrix(size, columns, seed=size)
    back = matrix(size, columns, seed=size + 50)

    def f(x: list[Any]) -> Any:
        hidden = [tanh(dot(row, x)) for row in rows]  # rows across: terms are beside each other
        turned = [dot([row[j] for row in back], hidden) for j in range(columns)]  # neurons are
        return sum(exp(t * 0.1) * maximum(t, 0.0) for t in turned)

    wrt = [w for row in rows + back for w in row]
    assert_as_readable(f, numbers(columns, seed=1), wrt, size + columns)


def through_matrices(positions: int, width: int) -> tuple[Any, list[Value]]:
    """Return a function of positions that all go through two matrices, and these, flat."""
    rows = matrix(6 if width > 9 else 2 * width + 1, width, seed=width)
    back = matrix(width, len(rows), seed=width + 50)

    def f(x: list[Any]) -> Any:
        total: Any = 0.0
        for t in range(positions):
            hidden = [tanh(dot(row, x[t * width : (t + 1) * width])) for row in rows]
            total = total + sum(exp(0.1 * dot(row, hidden)) for row in back)
        return total

    return f, [w for row in rows + back for w in row]


@pytest.mark.parametrize(
    ("positions", "width"), [(2, 1), (3, 5), (5, 17), (8, 3), (9, 16), (4, 33)]
)
@pytest.mark.long
def test_tiles_of_positions_and_neurons(positions: int, width: int) -> None:
    f, wrt = through_matrices(positions, width)
    assert_as_readable(f, numbers(positions * width, seed=3), wrt, positions * width)


@pytest.mark.long
def test_what_is_done_once_is_code_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE", "off")
    f, wrt = through_matrices(4, 16)
    x = numbers(4 * 16, seed=3)
    whole = compile(f, x, wrt=wrt)
    expected = whole.value_and_grad(x)
    assert whole.value_and_grad(x) == expected  # and what all functions share is made
    text = whole._code.native_gradient.source()
    monkeypatch.setattr(machine, "LONG", 0)
    levels, generated = [], machine._generated
    monkeypatch.setattr(
        machine, "_generated", lambda text, level: levels.append(level) or generated(text, level)
    )
    alone = compile(f, x, wrt=wrt)
    assert alone.value_and_grad(x)[0] == expected[0]
    assert levels == [1]
    value, slopes = alone.value_and_grad([x, x])
    assert levels == [1, 2, 0]
    # The quickest code generator does not fuse: an error of each of the terms, as above.
    assert math.isclose(value, expected[0], rel_tol=1e-12)
    assert slopes == pytest.approx(expected[1], rel=0, abs=1e-10)
    often, once = machine._divided(text)
    assert "declare void @rest" in often
    assert "define void @rest" in once
    assert "@run" not in once


def test_what_lies_apart_is_gathered() -> None:
    size = 24
    rows = matrix(3, size, seed=0)

    def f(x: list[Any]) -> Any:
        # Every third number, and backwards: strides of 3 and of -1.
        thirds = [tanh(x[3 * i % size] * rows[0][i]) for i in range(size)]
        backward = [thirds[size - 1 - i] * rows[1][i] for i in range(size)]
        return sum(b * r for b, r in zip(backward, rows[2], strict=True))

    assert_as_readable(f, numbers(size, seed=2), [w for row in rows for w in row], size)


@pytest.mark.parametrize("size", SIZES)
def test_a_row_that_is_looked_up_is_vectors(size: int) -> None:
    """One look for a whole row, read and added to; a table of few rows is gone through."""
    many, few = matrix(7, size, seed=4), matrix(3, size, seed=5)
    wrt = [w for row in many + few for w in row]

    def f(i: Any, j: Any, k: Any) -> Any:
        rows = zip(take(many, i), take(few, j), take(many, k), strict=True)
        return sum(tanh(a) * b + a * c for a, b, c in rows)

    compiled = compile(f, 0, 0, 0, wrt=wrt)
    for places in ((0, 0, 6), (6, 2, 6), (3, 1, 0)):
        for leaf in wrt:
            leaf.grad = 0.0
        expected = f(*places)
        expected.backward()
        value, slopes = compiled.value_and_grad(*places)
        bound = 4 * (size + 8) * 2.0**-52
        assert math.isclose(value, expected.data, rel_tol=0, abs_tol=bound * size)
        assert slopes == pytest.approx([leaf.grad for leaf in wrt], rel=0, abs=bound)


@pytest.mark.parametrize(("size", "width", "vectors"), [(1, 1, 1), (7, 4, 2), (8, 8, 1), (9, 8, 2)])
def test_vectors_are_as_wide_as_there_are_numbers_for(size: int, width: int, vectors: int) -> None:
    """The last one overlaps the one before: there are no numbers left over."""
    w = [Value(x) for x in numbers(size, 3)]
    f = compile(lambda x: [a * b for a, b in zip(x, w, strict=True)], [0.0] * size)
    text = text_of(f, [size], size)
    kind = "double" if width == 1 else f"<{width} x double>"
    assert text.count("= fmul contract") == text.count(f"= fmul contract {kind} ") == vectors


def text_of(f: Any, sizes: list[int], outputs: int) -> str:
    """Return the code of the values of one sample."""
    loops = loops_of(f.program, [False] * outputs)
    block = block_for(loops, PAPER, exact=False, single=True)
    return kernel_of(loops, sizes, [outputs], PAPER, block).text


def test_a_look_is_for_a_whole_vector() -> None:
    rows = matrix(7, 16, seed=4)
    wrt = [w for row in rows for w in row]
    f = compile(lambda i: [tanh(w) for w in take(rows, i)], 0, wrt=wrt)
    assert text_of(f, [1], 16).count("= call i64 @llvm.fptosi") == 2


def test_few_sums_are_added_in_turns() -> None:
    """An addition takes as long as several begin in: one vector of sums is several at first."""
    rows = matrix(128, 8, seed=6)
    wrt = [w for row in rows for w in row]
    columns = list(zip(*rows, strict=True))
    f = compile(lambda x: [dot(column, x) for column in columns], [0.0] * 128, wrt=wrt)
    block = block_for(loops_of(f.program, [False] * 8), PAPER, exact=False, single=True)
    phis = text_of(f, [128], 8).count("= phi <8 x double>")
    assert phis == 2 * block.totals  # in the loop, and behind it


@pytest.mark.parametrize(("positions", "tiles"), [(5, [5]), (11, [6, 5])])
def test_positions_share_what_is_read_of_weights(positions: int, tiles: list[int]) -> None:
    """Two vectors of sums for each of as many positions as registers hold, in tiles of one size."""
    terms, neurons = 17, 32
    rows = matrix(terms, neurons, seed=6)
    columns = list(zip(*rows, strict=True))

    def f(x: list[Any]) -> list[Any]:
        parts = [x[terms * t : terms * (t + 1)] for t in range(positions)]
        return [dot(column, part) for part in parts for column in columns]

    size, wrt = positions * terms, [w for row in rows for w in row]
    text = text_of(compile(f, [0.0] * size, wrt=wrt), [size], positions * neurons)
    phis = [part.count("= phi <8 x double>") for part in text.split(".loop:")]
    # In a loop of terms, and behind it.
    assert [count for count in phis if count] == [2 * SHARED * tile for tile in tiles]


def test_neurons_of_a_position_lie_side_by_side() -> None:
    rows = matrix(5, 8, seed=7)

    def f(x: list[Any]) -> Any:
        parts = [x[8 * t : 8 * t + 8] for t in range(3)]
        return sum(tanh(dot(row, part)) for part in parts for row in rows)

    first = loops_of(compile(f, [0.0] * 24).program, [True]).lanes[0]
    assert isinstance(first, Loop)
    assert first.dims == (3, 5)
    assert first.statements[0].target == Access("t", 0, (5, 1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sums_may_be_added_to_what_is_there(dtype: str) -> None:
    """As they are: whoever adds up several calls clears and scales but once."""
    w, shared = [Value(0.25 * i - 1) for i in range(9)], Value(3.0)
    f = compile(lambda x: dot(w, x) + shared * shared, [0.0] * 9, wrt=[*w, shared], dtype=dtype)
    gradient = f._code.native_gradient
    made = gradient.made(single=True)
    numbers = np.array([leaf.data for leaf in f.parameters], dtype)
    samples = np.arange(27, dtype=dtype).reshape(3, 9)
    room, sums = aligned(made.workspace, dtype), np.full(11 + MOST_LANES, 5, dtype)
    words = np.zeros(ARRAYS + 1, np.int64)
    words[PARAMETERS], words[WORKSPACE] = numbers.ctypes.data, room.ctypes.data
    words[START], words[STOP], words[SUMS] = 1, 3, sums.ctypes.data
    words[ARRAYS] = samples.ctypes.data
    words.view(float)[SCALE] = 0.5
    values = [float(numbers[:9] @ x + 9) for x in samples]
    parts = [values[1] + values[2], *(samples[1] + samples[2]), 12.0]
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(made.add)(words.ctypes.data)
    # All are small multiples of a quarter: every operation is exact.
    assert sums[:11].tolist() == [5 + part for part in parts]
    made.call(words.ctypes.data)
    assert sums[:11].tolist() == [0.5 * part for part in parts]
    assert (sums[11:] == 5).all()


def test_exact_code_has_no_vectors() -> None:
    loops = loops_of(compile(lambda x: [a * 3.0 for a in x], [0.0] * 16).program, [False] * 16)
    block = block_for(loops, PAPER, exact=True, single=True)
    assert "x double>" not in kernel_of(loops, [16], [16], PAPER, block).text


@pytest.mark.parametrize("fixed", range(5))
@pytest.mark.parametrize("form", ["products", "sums of products"])
def test_a_vector_may_begin_with_what_another_one_repeats(fixed: int, form: str) -> None:
    x = [0.23, 0.77, -1.41, 0.75, 0.4, -0.6, 1.3]

    def f(x: Any) -> Any:
        if form == "products":
            return [x[i] * x[fixed] + x[i] for i in range(1, 6)]
        return [dot([x[0], x[i]], [2.0, x[fixed]]) for i in range(1, 6)]

    expected = [v.data for v in f([Value(number) for number in x])]
    # Two products of numbers below 2, and their sum.
    assert compile(f, x)(x) == pytest.approx(expected, abs=4 * 2.0**-52)
    assert compile(f, x)([x] * 2) == [pytest.approx(expected, abs=4 * 2.0**-52)] * 2
