"""Single precision: what ``dtype="float32"`` computes, beside the same in double precision.

Every tolerance is in halves of an ulp, the unit roundoff u = 2**-24: a float32 operation is off by
u at most, libmvec's functions by 4 ulp, 8 u (glibc manual, Errors in Math Functions).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import (
    TABLE,
    CompileError,
    MissingExtraError,
    Value,
    compile,
    exp,
    hessian,
    jvp,
    scan,
    sum,
    take,
    tanh,
)
from autograd.compiler import compilation, native
from autograd.compiler.choices import Choices
from autograd.compiler.llvm import block_for, kernel_of
from autograd.compiler.machine import host
from autograd.compiler.reals import DOUBLE, SINGLE, real_of
from autograd.compiler.recording import record
from autograd.compiler.rolling import loops_of
from nn import MLP
from nn.losses import cross_entropy

U = 2.0**-24
LARGEST = float(np.finfo(np.float32).max)

BEYOND_4_ULP: dict[str, Callable[[Any], Any]] = {
    # By the notes of the rows; x times a sigmoid that is subnormal, down to -104, is off by that.
    "gelu": lambda x: 4 + 2 * np.minimum(x, 0.0) ** 2,
    "silu": lambda x: np.where(x < -80, 104 * 4, 4),
}


def numbers(n: int, seed: int) -> Any:
    """Return numbers of all sizes, the subnormal ones included, and some about 1 and about 10."""
    rng = np.random.default_rng(seed)
    every = rng.integers(0, 2**32, n, dtype=np.uint32).view(np.float32)
    parts = [every[np.isfinite(every)], rng.normal(size=n), 10 * rng.normal(size=n)]
    special = [0.0, -0.0, 1.0, -1.0, 0.5, LARGEST, 1e-45, np.inf, -np.inf, np.nan]
    return np.concatenate([*parts, special]).astype(np.float32)[-2 * n :]


def ulps(single: Any, double: Any) -> Any:
    """Return how many ulp float32 numbers are from doubles; they are infinite or NaN together."""
    with np.errstate(over="ignore", invalid="ignore"):
        nearest = double.astype(np.float32)
        off = np.abs(single - double) / np.spacing(np.abs(nearest)).astype(float)
    assert np.array_equal(np.isnan(single), np.isnan(nearest))
    infinite = ~np.isfinite(nearest) | ~np.isfinite(single)
    assert not (np.abs(double[infinite]) < LARGEST * (1 - 8 * U)).any()
    return np.where(infinite, 0.0, off)


@pytest.mark.long
@pytest.mark.parametrize("arity", [1, 2, 3])
def test_every_row_is_within_four_ulp(arity: int) -> None:
    rows = {name: op for name, op in TABLE.items() if op.arity == arity and op.is_built_in}
    assert rows
    columns = [numbers(2000, seed) for seed in range(arity)]
    single, double = (
        compile(lambda *args: tuple(op(*args) for op in rows.values()), *[1.0] * arity, dtype=dtype)
        for dtype in ("float32", "float64")
    )
    wanted = double(*[column.astype(float) for column in columns])
    # One sample alone: as vectors of 16, 8, 4 and 2 numbers, and one by itself.
    each = lambda *lists: tuple(
        [op(*args) for args in zip(*lists, strict=True)] for op in rows.values()
    )
    lone = compile(each, *[[1.0] * 31] * arity, dtype="float32")
    alone = lone(*[column[-31:].tolist() for column in columns])
    for name, found, right, few in zip(rows, single(*columns), wanted, alone, strict=True):
        assert found.dtype == np.float32
        bound = BEYOND_4_ULP.get(name, lambda x: 4)(columns[0])
        assert not (ulps(found, right) > bound).any(), name
        assert not (ulps(np.array(few, np.float32), right[-31:]) > np.max(bound)).any(), name


def _digits(n: int, widths: tuple[int, ...]) -> tuple[Any, Any, Any]:
    model = MLP(widths[0], list(widths[1:]), activation="tanh", seed=0)
    rng = np.random.default_rng(n)
    inputs, labels = rng.normal(size=(n, widths[0])), rng.integers(0, widths[-1], n)
    return model, inputs.astype(np.float32), labels.astype(np.float32)


@pytest.mark.parametrize("n", [1, 15, 64, 81])
@pytest.mark.long
def test_value_and_gradient_are_near_the_double_ones(n: int) -> None:
    model, x, y = _digits(n, (20, 5, 3))
    loss = lambda x, y: cross_entropy(model(x), y)
    single = compile(loss, [0.0] * 20, 0.0, wrt=[model, 0], dtype="float32")
    double = compile(loss, [0.0] * 20, 0.0, wrt=[model, 0])
    p = np.array([p.data for p in model.parameters()], np.float32)
    value, (by_x, by_p) = single.value_and_grad(x, y, params=p)
    wanted, (wanted_x, wanted_p) = double.value_and_grad(
        x.astype(float), y.astype(float), params=p.astype(float)
    )
    assert type(value) is float
    assert by_x.dtype == by_p.dtype == np.float32
    # Sums of 21 and 6 terms, whose sizes are below 10 all together, and a dozen operations and
    # functions: the way there, and back, is off by less than 100 u of that, on each sample.
    assert abs(value - wanted) <= 1000 * U
    assert np.abs(by_p - wanted_p).max() <= 1000 * U
    assert np.abs(by_x * n - wanted_x * n).max() <= 1000 * U
    assert np.abs(by_p - wanted_p).max() > 0  # and it is not the double code that was called


def test_all_forms_of_a_call_give_the_same_numbers() -> None:
    w = [Value(0.5), Value(-2.0)]
    f = compile(lambda x, y: tanh(w[0] * x) * w[1] + y, 1.0, 1.0, dtype="float32")
    x, y = np.linspace(-1, 1, 9, dtype=np.float32), np.full(9, 0.25, np.float32)
    p = np.array([0.5, -2.0], np.float32)
    value, slopes = f.value_and_grad(x, y, params=p)
    for _ in range(4):  # arrays that come again are read where they are
        assert f.value_and_grad(x, y, params=p)[0] == value
        assert f.value_and_grad(x, y, params=p)[1].tolist() == slopes.tolist()
    doubles = x.astype(float), y.astype(float)
    forms: list[Callable[[], Any]] = [
        lambda: f.value_and_grad(*doubles, params=p.astype(float)),
        lambda: f.value_and_grad(x, doubles[1]),
        lambda: f.value_and_grad(x.tolist(), y.tolist(), params=[0.5, -2.0]),
        lambda: f.value_and_grad(np.repeat(x, 2)[::2], y),
    ]
    for form in forms:
        again, gradient = form()
        assert (again, list(gradient)) == (value, slopes.tolist())
    assert f(x, y).dtype == f(*doubles).dtype == np.float32
    assert f(x.tolist(), y.tolist()) == f(x, y).tolist()
    one = f(1.0, 0.25)
    assert type(one) is float
    assert one == SINGLE.rounded(one)
    for _ in range(4):
        for leaf in w:
            leaf.grad = 1.0
        assert f.backward(x, y) == value
        assert [leaf.grad - 1.0 for leaf in w] == pytest.approx(slopes.tolist(), abs=1e-15)


@pytest.mark.long
def test_what_is_too_large_or_too_small() -> None:
    w = Value(1.0)
    f = compile(lambda x: w * x, 1.0, dtype="float32")
    given = [1e39, -1e300, 3.4028235e38, 1e-45, 1e-46, math.inf, math.nan, 2**24 + 1]
    wanted = [math.inf, -math.inf, LARGEST, 2.0**-149, 0.0, math.inf, math.nan, 2.0**24]
    for found in (f(given), f(np.array(given)).tolist(), [f(x) for x in given]):
        assert list(map(repr, found)) == list(map(repr, wanted))
    assert f(np.array([2**24 + 1, 3])).tolist() == [2.0**24, 3.0]
    # Numbers of Values, and given ones, are rounded likewise.
    w.data = 1e300
    assert f.value_and_grad([1.0, 2.0]) == (math.inf, [1.5])
    assert f(2.0) == math.inf
    assert f([2.0], params=[1e300]) == [math.inf]
    # What is written in the function.
    g = compile(lambda x: x * 1e300 + 1e-300 / x, 1.0, dtype="float32")
    assert g([0.5, 0.0])[0] == math.inf
    assert math.isnan(g([0.5, 0.0])[1])
    assert exp(88.7) < LARGEST < exp(88.73)
    h = compile(exp, 1.0, dtype="float32")
    assert h([88.73, -104.0]) == [math.inf, 0.0]


def test_rows_are_chosen_exactly() -> None:
    table = [Value(float(k)) for k in range(5)]
    f = compile(
        lambda word: sum([take(table, i) for i in word]), [0, 0], wrt=table, dtype="float32"
    )
    assert f.value_and_grad([[4], [4, 0, 1]])[1] == [0.5, 0.5, 0.0, 0.0, 1.0]
    # Rounded to a float32, each of these would be a whole number.
    for wrong in (2.00000001, 2**24 + 1, 4.9999999999):
        for given in ([[0, wrong]], np.array([[0.0, wrong]])):
            with pytest.raises(
                IndexError, match=re.escape(f"by {float(wrong)!r}".removesuffix(".0"))
            ):
                f(given)
            with pytest.raises(IndexError):
                f.value_and_grad(given, params=np.ones(5, np.float32))
    graph = record(lambda i: take(table, i), [0.0], [])
    assert Choices(graph._replace(choices={0: 2**24}), SINGLE)
    with pytest.raises(CompileError, match="float32 tells whole numbers apart up to 16,777,216"):
        Choices(graph._replace(choices={0: 2**24 + 1}), SINGLE)
    assert Choices(graph._replace(choices={0: 2**24 + 1}), DOUBLE)


@pytest.mark.long
def test_matrices_of_derivatives() -> None:
    banana = lambda v: v[0] ** 2 * tanh(v[1]) + v[2] ** 2
    x = [1.0, 0.5, 2.0]
    wanted = np.array(compile(hessian(banana), x)(x))
    dense = compile(hessian(banana), x, dtype="float32")(np.array(x, np.float32))
    assert dense.dtype == np.float32
    # A dozen operations on numbers below 2, and tanh.
    assert np.abs(dense - wanted).max() <= 40 * U
    sparse = compile(hessian(banana, sparse=True), x, dtype="float32")(x)
    assert np.abs(sparse.toarray() - wanted).max() <= 40 * U
    push = lambda x, d: jvp(banana, (x,), (d,))[1]
    along = compile(push, x, x, dtype="float32")(x, [1.0, 0.0, 0.0])
    assert abs(along - 2 * math.tanh(0.5)) <= 40 * U
    objective = compile(banana, x, dtype="float32").objective()
    assert objective.fun(x) == compile(banana, x, dtype="float32")(x)
    assert np.abs(objective.hess(x) - wanted).max() <= 40 * U
    both = compile(lambda x: [x * 0.1, x], 1.0, dtype="float32")
    assert both.reduced(np.array([1.0, 2.0])).dtype == np.float32
    assert both.reduced([1.0, 3.0]) == [SINGLE.rounded(0.2), 2.0]


@pytest.mark.long
def test_loops_that_stay_loops() -> None:
    w = [Value(0.5), Value(-0.3), Value(0.1)]

    def f(xs: list[Any]) -> Any:
        def step(carry: Any, x: Any) -> Any:
            h = tanh(w[0] * carry[0] + w[1] * x + w[2] * carry[1])
            return [h, carry[0] * 0.9], h

        return sum([y * y for y in scan(step, [0.1, 0.2], xs)[1]])

    single, double = (compile(f, [0.0] * 20, wrt=w, dtype=d) for d in ("float32", "float64"))
    for n in (1, 5, 80):
        x = np.random.default_rng(n).normal(size=(n, 20)).astype(np.float32)
        value, slopes = single.value_and_grad(x)
        wanted, exact = double.value_and_grad(x.astype(float))
        # Twenty steps, each off by two dozen roundings; the next one halves what they come to, and
        # the sums of numbers below 1 are below 20 (their slopes below 100).
        assert abs(value - wanted) <= 20 * 50 * U
        assert slopes.dtype == np.float32
        assert np.abs(slopes - exact).max() <= 100 * 50 * U


def test_sums_of_many_samples_are_double(monkeypatch: pytest.MonkeyPatch) -> None:
    w = Value(0.1)
    # Parts are chosen once for a number of samples.
    f, whole = (compile(lambda x: w * x, 0.0, reduce="sum", dtype="float32") for _ in range(2))
    n = 300_001
    x = np.full(n, np.float32(0.1))
    for _ in range(2):
        value, slope = f.value_and_grad(x, params=np.ones(1, np.float32))
    # Of equal numbers roundings go either way: 16,384 of them come to far less than their bound.
    assert abs(value / (n * float(x[0])) - 1) <= 300 * U
    assert abs(slope.item() / (n * float(x[0])) - 1) <= 300 * U
    monkeypatch.setattr(native, "LONGEST_SUM", n)
    naive, _ = whole.value_and_grad(x, params=np.ones(1, np.float32))
    assert abs(naive / value - 1) > 1e-5  # else the parts are good for nothing


def test_a_sum_is_within_its_bound_at_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    """After large numbers, all that a vector adds to them one by one are rounded away."""
    w, side = Value(0.1), host().lanes(SINGLE)
    f, whole = (compile(lambda x: w * x, 0.0, reduce="sum", dtype="float32") for _ in range(2))
    x = np.full(4 * native.LONGEST_SUM, np.float32(0.99 * U))
    x[:side] = 1.0
    wanted = x.sum(dtype=float)

    def error(f: Any) -> float:
        value, slope = f.value_and_grad(x, params=np.ones(1, np.float32))
        return max(abs(value / wanted - 1), abs(slope.item() / wanted - 1))

    bound = (native.LONGEST_SUM / side + 20) * U
    assert error(f) <= bound
    monkeypatch.setattr(native, "LONGEST_SUM", len(x))
    assert error(whole) > bound


def test_code_is_kept_apart_and_printed_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []
    digest = native._digest

    def kept(*args: Any) -> str:
        stored.append(digest(*args))
        return stored[-1]

    monkeypatch.setattr(native, "_digest", kept)
    f, g = (compile(lambda x: x * 0.1, 1.0, dtype=dtype) for dtype in ("float32", "float64"))
    assert f([3.0]) != g([3.0])
    assert len(stored) == len(set(stored)) == 2
    assert "x float>" in f.source("llvm")
    assert "x double>" not in f.source("llvm").split("@run")[0]
    assert f.source("python") == g.source("python")
    assert f.source("c") == g.source("c")


def test_vectors_are_twice_as_many_numbers() -> None:
    loops = loops_of(compile(lambda x: x * 3.0, 1.0).program, (False,))
    machine = host()._replace(width=4, vector_functions=("exp",))
    for real, width in ((DOUBLE, 4), (SINGLE, 8)):
        block = block_for(loops, machine, exact=False, single=False, real=real)
        assert (block.width, block.lanes, block.real) == (width, 4 * width, real)
    loops = loops_of(compile(exp, 1.0).program, (False,))
    block = block_for(loops, machine, exact=False, single=False, real=SINGLE)
    assert "<8 x float> @_ZGVdN8v_expf" in kernel_of(loops, [1], [1], machine, block).text
    text = kernel_of(loops, [1], [1], machine._replace(vector_functions=()), block).text
    assert text.count("float @expf(float") == 1 + 8
    assert " @exp(" not in text


def test_numbers_are_rounded_as_struct_rounds_them() -> None:
    for x in (0.1, -1e-46, 3.4028235677973362e38, 5e-324, 2**24 + 1.0):
        assert SINGLE.rounded(x) == struct.unpack("f", struct.pack("f", x))[0]
    # From half an ulp above the largest on, it is infinity.
    assert SINGLE.rounded(3.4028235677973366e38) == math.inf
    assert SINGLE.rounded(-1e300) == -math.inf
    assert math.isnan(SINGLE.rounded(math.nan))
    for dtype in ("float32", np.float32, np.dtype(np.float32)):
        assert real_of(dtype) is SINGLE


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "float16"}, r"dtype must be .* got 'float16'"),
        ({"dtype": None}, r"dtype must be .* got None"),
        ({"dtype": "float32", "exact": True}, "exact=True is of float64"),
        ({"dtype": "float32", "backend": "python"}, 'backend="python" computes in float64'),
    ],
)
def test_what_can_not_be_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile(lambda x: x * x, 1.0, **settings)


def test_without_llvm_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="llvmlite"):
        compile(lambda x: x * x, 1.0, dtype="float32")
