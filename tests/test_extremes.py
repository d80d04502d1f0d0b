"""The largest and the smallest of many, as one node."""

from __future__ import annotations

import math
import pickle
import random
from functools import reduce
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import (
    TABLE,
    CompileError,
    Stepper,
    Value,
    detach,
    exp,
    gradcheck,
    gradients,
    hessian,
    jvp,
    maximum,
    minimum,
    softmax,
    tanh,
)
from autograd.lowering import UNROLLED

compile = autograd.compile

EXTREMES = [(autograd.max, max, maximum), (autograd.min, min, minimum)]


def slopes(f: Any, xs: list[float]) -> list[float]:
    """Return the gradient as `backward` has it, once it is that of `gradients` to the bit."""
    leaves = [Value(x) for x in xs]
    f(leaves).backward()
    found = [leaf.grad for leaf in leaves]
    assert np.array_equal(found, [g.data for g in gradients(f(leaves), leaves)], equal_nan=True)
    return found


@pytest.mark.parametrize(("f", "pythons", "binary"), EXTREMES)
def test_each_that_ties_has_an_even_share(f: Any, pythons: Any, binary: Any) -> None:
    for n in (1, 2, 3, 7, UNROLLED + 1):
        source = random.Random(n)
        for _ in range(20):
            xs = [float(source.randint(-2, 2)) for _ in range(n)]
            best = pythons(xs)
            assert f(xs) == f(iter(xs)) == best
            assert slopes(f, xs) == [(x == best) / xs.count(best) for x in xs]
    xs = [0.3, -1.5, 2.0, 1.75]
    assert slopes(f, xs) == slopes(lambda values: reduce(binary, values), xs)
    assert slopes(lambda values: reduce(maximum, values), [1.0] * 5) == [
        1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2
    ]  # fmt: skip


@pytest.mark.parametrize(("f", "pythons"), [case[:2] for case in EXTREMES])
def test_infinities_tie_and_nan_stays(f: Any, pythons: Any) -> None:
    for xs in ([math.inf, 1.0], [-math.inf, 1.0], [math.inf] * 2, [-math.inf] * 3, [0.0, -0.0]):
        best = pythons(xs)
        assert slopes(f, xs) == [(x == best) / xs.count(best) for x in xs]
    for xs in ([math.nan, 1.0], [1.0, math.nan]):
        assert math.isnan(f(xs))
        assert np.isnan(slopes(f, xs)).all()


def test_of_no_numbers_there_is_none() -> None:
    for f, name in ((autograd.max, "max"), (autograd.min, "min")):
        with pytest.raises(ValueError, match=f"{name} of no numbers"):
            f([])
    for name in ("max", "min"):
        assert name not in autograd.__all__  # a star import leaves Python's own


def test_floats_among_values() -> None:
    x, y = Value(2.0), Value(3.0)
    out = autograd.max([1.0, x, y, 3])
    out.backward()
    assert (out.data, x.grad, y.grad) == (3.0, 0.0, 0.5)
    assert pickle.loads(pickle.dumps(out)).op is TABLE["max"]


def test_pythons_own_compares_and_has_all_of_it() -> None:
    x, y = Value(2.0), Value(2.0)
    assert max([x, y]) is x
    with pytest.raises(CompileError, match="maximum"):
        compile(lambda v: max(v) * 2.0, [0.0, 0.0])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_compiled_at_ties_and_away_from_them(exact: bool, backend: str) -> None:
    def f(v: list[Any]) -> Any:
        return autograd.max(v) * tanh(v[0]) - autograd.min([v[1], v[2], 0.5]) * v[3]

    compiled = compile(f, [0.0] * 4, exact=exact, backend=backend)
    source = random.Random(0)
    for _ in range(50):
        xs = [float(source.randint(-1, 1)) for _ in range(4)]
        value, gradient = compiled.value_and_grad(xs)
        # A few operations near 1: contracted, they differ by an ulp of the largest term.
        tolerance = {"rel": 0, "abs": 0 if exact or backend == "python" else 1e-15}
        assert value == pytest.approx(f(xs), **tolerance)
        assert gradient == pytest.approx(slopes(f, xs), **tolerance)


def by_hand(logits: list[Any]) -> list[Any]:
    """Return softmax as tutorials write it, the way that a refusal advises."""
    largest = detach(autograd.max(logits))
    powers = [exp(x - largest) for x in logits]
    total = autograd.sum(powers)
    return [power / total for power in powers]


@pytest.mark.parametrize("exact", [False, True])
def test_softmax_by_hand_as_advised(exact: bool) -> None:
    def cost(softmax: Any) -> Any:
        return lambda v: -autograd.log(softmax(v)[1])

    compiled = compile(cost(by_hand), [0.0] * 3, exact=exact)
    values = compile(by_hand, [0.0] * 3, exact=exact)
    for xs in ([1.0, 2.0, 3.0], [1e4, 1e4, -1e4], [0.0, 0.0, 0.0], [-5.0, 700.0, 699.0]):
        value, gradient = compiled.value_and_grad(xs)
        if exact:
            assert (value, gradient) == (
                cost(by_hand)(list(map(Value, xs))).data,
                slopes(cost(by_hand), xs),
            )
        # Errors of a few ulp of 1, times the distance of logits, in exp(x - largest).
        assert values(xs) == pytest.approx(softmax(xs), rel=1e-12)
        wanted = [p - (i == 1) for i, p in enumerate(softmax(xs))]
        assert gradient == pytest.approx(wanted, rel=1e-12, abs=1e-15)


def test_higher_derivatives() -> None:
    f = lambda v: autograd.max([v[0] * v[1], v[1], 0.25]) ** 2
    assert hessian(f)([3.0, 2.0]) == [[8.0, 24.0], [24.0, 18.0]]
    assert hessian(autograd.max)([1.0, 1.0, 0.0]) == [[0.0] * 3] * 3
    assert jvp(autograd.max, ([1.0, 1.0, 0.0],), ([1.0, 0.0, 7.0],)) == (1.0, 0.5)


def test_the_debugger_and_the_check() -> None:
    x, y = Value(2.0, "x"), Value(2.0, "y")
    stepper = Stepper(autograd.max([x, y, 1.0]) * x)
    assert "n2 = max(x, y, 1) = max(2.0, 2.0, 1.0) = 2.0" in "\n".join(map(str, stepper.events))
    assert stepper.what_if(y, 1.0).reason.startswith("a kink")
    assert r"n_{2} = \max\left(x, y, 1\right)" in stepper.derivation(y).latex()
    report = gradcheck(autograd.max, [1.0, 1.0, 0.0])
    assert [check.verdict for check in report.inputs] == ["kink", "kink", "ok"]
    assert [check.verdict for check in gradcheck(autograd.min, [1.0, 1.0, 0.0]).inputs] == [
        "ok"
    ] * 3
