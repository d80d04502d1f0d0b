"""What a graph says of steps, rounding and kinks, beside numbers that are known exactly."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import pytest

from autograd import Op, Value, exp, gelu, hypot, maximum, relu, sin, where
from autograd.checking.linearization import (
    TINY,
    Linearization,
    branch,
    is_same_piece,
    times,
    total,
)

EPS = sys.float_info.epsilon


def test_each_node_adds_its_rounding_as_far_as_it_reaches_the_root() -> None:
    x, y, z = Value(3.0), Value(5.0), Value(7.0)
    # One rounding of 15, times 7, and one of 105.
    assert Linearization((x * y) * z).noise == pytest.approx(2 * 105 * EPS)
    assert Linearization(x * y).noise == pytest.approx(15 * EPS)
    assert Linearization((x * y) - z).noise == pytest.approx((15 + 8) * EPS)
    assert Linearization(sin(x * y) * 0.0).noise == pytest.approx(4 * TINY, abs=4 * TINY)
    twice = x * y
    assert Linearization(twice + twice).noise == pytest.approx((2 * 15 + 30) * EPS)


def test_the_noise_bounds_what_rounding_does() -> None:
    x, y, z = Value(0.1), Value(0.7), Value(-0.3)
    out = (x * y + z) * x - y * z
    exact = [Fraction(v.data) for v in (x, y, z)]
    a, b, c = exact
    error = abs(Fraction(out.data) - ((a * b + c) * a - b * c))
    assert 0 < error <= Linearization(out).noise < 1e-15


def test_a_formula_may_round_more_often_than_a_primitive() -> None:
    x = Value(2.0)
    primitive, formula = exp(x), gelu(x)
    assert Linearization(primitive).noise == pytest.approx(EPS * primitive.data)
    formula.backward()
    carried = abs(x.data * x.grad)  # an error of the argument, as it arrives
    assert Linearization(formula).noise == pytest.approx(4 * EPS * (formula.data + carried))


def test_a_number_that_underflows_is_wrong_by_something() -> None:
    assert Linearization(Value(0.0) * Value(0.0)).noise == 2 * TINY


def test_a_graph_is_at_a_kink_where_one_of_its_ops_is() -> None:
    assert Linearization(abs(Value(0.0)) + 1.0).is_at_kink()
    assert not Linearization(abs(Value(0.5)) + 1.0).is_at_kink()
    assert not Linearization(Value(0.0) * 2.0).is_at_kink()
    x = Value(1.0)
    assert Linearization(maximum(x, x * 1.0)).is_at_kink()
    assert Linearization(abs(Value(1.0)) + relu(Value(0.0))).is_at_kink()


@pytest.mark.parametrize(("start", "kink"), [(0.5, 0.5), (-2.0, 2.0)])
def test_how_far_a_kink_lies(start: float, kink: float) -> None:
    x = Value(start)
    motion = Linearization(abs(x)).along({x: 1.0}, 1e-12)
    assert (motion.kink, motion.radius) == (kink, kink)
    motion = Linearization(abs(x)).along({x: 4.0}, 1e-12)
    assert (motion.kink, motion.radius) == (kink / 4, kink / 4)
    assert Linearization(abs(x) + 0.0 * x).along({}, 1e-12).kink == math.inf


def test_a_kink_at_hand_is_told_and_limits_nothing() -> None:
    x, y = Value(0.0), Value(0.0)
    motion = Linearization(abs(x)).along({x: 1.0}, 1e-12)
    assert (motion.kink, motion.radius) == (0.0, math.inf)
    motion = Linearization(hypot(x, y)).along({x: 1.0}, 1e-12)
    assert motion.kink == 0.0
    a, b = Value(1.0), Value(3.0)
    two = Linearization(abs(a) + abs(b)).along({a: 1.0, b: 1.0}, 1e-12)
    assert two.kink == 1.0


def test_pieces_are_told_by_their_ops_and_signs() -> None:
    def f(x: float) -> Value:
        v = Value(x)
        return where(v, sin(v), v) + abs(v - 1.0)

    assert branch(f(2.0)) == branch(f(3.0)) != branch(f(0.5)) != branch(f(-1.0))
    assert is_same_piece(branch(f(2.0)), branch(f(3.0)))
    assert not is_same_piece(branch(f(2.0)), branch(f(0.5)))
    assert is_same_piece(branch(f(1.0)), branch(f(1.0)))
    assert is_same_piece(branch(f(2.0)), branch(f(2.0)))
    assert not is_same_piece(branch(f(2.0)), branch(Value(2.0) * 2.0))
    assert not is_same_piece(branch(f(2.0)), None)
    assert is_same_piece(None, None)
    # A middle at the kink borders on both pieces; no way leads across one.
    assert is_same_piece(branch(f(1.0)), branch(f(2.0)))
    assert is_same_piece(branch(f(1.0)), branch(f(0.5)))
    assert not is_same_piece(branch(f(2.0)), branch(f(1.0)))


def test_nodes_built_by_hand_are_of_one_piece_by_their_symbol() -> None:
    def made(symbol: str) -> Value:
        x = Value(2.0)
        out = Value(4.0, (x,), symbol)
        out._backward = lambda: None  # type: ignore[attr-defined]
        return out + 1.0

    assert branch(made("sq")) == branch(made("sq")) != branch(made("cube"))
    square = Op("own_square", lambda x: x * x, (lambda y, x: 2 * x,))
    cube = Op("own_square", lambda x: x * x * x, (lambda y, x: 3 * x * x,))
    assert branch(square(Value(1.0))) == branch(square(Value(2.0))) != branch(cube(Value(1.0)))


def test_sums_and_products_of_what_is_not_finite() -> None:
    assert total([1e100, 1.0, -1e100]) == 1.0
    assert total([1e308, 1e308]) == math.inf
    assert math.isnan(total([math.inf, -math.inf]))
    assert total([0.1] * 10) == 1.0
    assert times(0.0, math.inf) == times(math.nan, 0.0) == 0.0
    assert times(2.0, 3.0) == 6.0
