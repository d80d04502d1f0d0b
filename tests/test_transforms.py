"""Gradients that are values again, and the functions built on them."""

import gc
import math
import random
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest

import autograd
from autograd import (
    DomainError,
    Value,
    dot,
    exp,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    logsumexp,
    no_grad,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    where,
)
from autograd.graph import topological_order


def test_gradients_equal_backward() -> None:
    x, y = Value(0.7), Value(-1.3)
    out = tanh(x * y) / (x + 2) ** y + dot([x, y], [y, 3.0], x) * autograd.clamp(x, y, 2.0)
    found = gradients(out, [x, y])
    out.backward()
    assert [g.data for g in found] == [x.grad, y.grad]


def test_gradients_of_an_inner_node_and_of_a_stranger() -> None:
    x, stranger = Value(2.0), Value(1.0)
    h = x * x
    out = h * h
    dh, ds, dout = gradients(out, [h, stranger, out])
    assert (dh.data, ds.data, dout.data) == (8.0, 0.0, 1.0)
    assert (x.grad, h.grad) == (0.0, 0.0)
    with pytest.raises(TypeError, match="gradients needs Values, got 3"):
        gradients(out, [3])  # type: ignore[list-item]


def test_any_order() -> None:
    f = sin
    for order in range(6):
        expected = math.sin(0.3 + order * math.pi / 2)
        assert f(0.3) == pytest.approx(expected, abs=1e-15)
        f = grad(f)


def test_no_perturbation_confusion() -> None:
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: x * y)(2.0))(3.0) == 1.0


def test_floats_give_floats_and_values_values() -> None:
    assert type(grad(tanh)(0.5)) is float
    x = Value(0.5)
    result = grad(tanh)(x)
    assert isinstance(result, Value)
    (second,) = gradients(result, [x])
    assert second.data == grad(grad(tanh))(0.5)


def test_argnums_and_lists() -> None:
    def f(w: list[Value], b: Value) -> Value:
        return w[0] * w[1] + b**2

    assert grad(f)([2.0, 3.0], 4.0) == [3.0, 2.0]
    assert grad(f, 1)([2.0, 3.0], 4.0) == 8.0
    assert grad(f, (0, -1))([2.0, 3.0], 4.0) == ([3.0, 2.0], 8.0)
    assert value_and_grad(f, 1)([2.0, 3.0], 4.0) == (22.0, 8.0)
    assert grad(lambda x: 7.0)(1.0) == 0.0


def test_jacobian_and_hessian() -> None:
    assert jacobian(lambda v: [v[0] * v[1], v[0] ** 2])([2.0, 5.0]) == [[5.0, 2.0], [4.0, 0.0]]
    assert jacobian(lambda x: [x, 2 * x])(3.0) == [1.0, 2.0]
    assert jacobian(lambda x: x**2)(3.0) == 6.0
    assert hessian(lambda x: x**3)(2.0) == 12.0
    p = [math.exp(x) / sum(map(math.exp, (1.0, 2.0, 3.0))) for x in (1.0, 2.0, 3.0)]
    for i, row in enumerate(hessian(logsumexp)([1.0, 2.0, 3.0])):
        # diag(p) - p p^T; each entry is two or three roundings of numbers below 1
        assert row == pytest.approx([p[i] * ((i == j) - p[j]) for j in range(3)], abs=1e-15)


def test_forward_mode_agrees_with_reverse_mode() -> None:
    def f(v: list[Value]) -> Value:
        return exp(v[0] / v[1]) * dot(v, v) + v[1] ** v[0] - log(v[1])

    point, direction = [0.7, 1.9], [0.3, -2.0]
    value, slope = jvp(f, (point,), (direction,))
    assert value == value_and_grad(f)(point)[0]
    by_gradient = sum(g * d for g, d in zip(grad(f)(point), direction, strict=True))
    assert slope == pytest.approx(by_gradient, rel=1e-14)
    by_matrix = [
        sum(h * d for h, d in zip(row, direction, strict=True)) for row in hessian(f)(point)
    ]
    assert hvp(f, (point,), (direction,)) == pytest.approx(by_matrix, rel=1e-13)


def test_jvp_of_lists_and_constants() -> None:
    assert jvp(lambda x, y: [x * y, 1.0, y], (2.0, 3.0), (1.0, 0.0)) == (
        [6.0, 1.0, 3.0],
        [3.0, 0.0, 0.0],
    )
    pair = namedtuple("pair", "x y")
    assert jvp(lambda x: pair(x, 2 * x), (3.0,), (1.0,)) == ((3.0, 6.0), [1.0, 2.0])
    with pytest.raises(ValueError, match="don't have the shape"):
        jvp(lambda x: x, (2.0,), ([1.0],))
    with pytest.raises(TypeError, match="sequence of primals"):
        jvp(lambda x: x, 2.0, 1.0)  # type: ignore[arg-type]


def test_hvp_walks_the_graph_of_the_gradient_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []

    def counted(*roots: Value, **limits: Any) -> list[Value]:
        order = topological_order(*roots, **limits)
        walked.append(len(order))
        return order

    for module in ("transforms", "evaluation"):
        monkeypatch.setattr(f"autograd.{module}.topological_order", counted)
    totals = []
    for n in (10, 20):
        walked.clear()
        hvp(lambda v: dot(v, v) ** 2, ([1.0] * n,), ([1.0] * n,))
        totals.append(sum(walked))
    assert totals[1] < 2.2 * totals[0]  # quadratic: 4 times


def test_graphs_of_rules_follow_ieee() -> None:
    """sqrt'(0) is infinite; a branch that `where` doesn't take contributes 0 all the same."""
    assert grad(lambda x: where(x, sqrt(x), 2 * x))(0.0) == 2.0
    x = Value(0.0)
    assert gradients(sqrt(x), [x])[0].data == math.inf
    assert grad(lambda x: log(x) * 0.0)(5.0) == 0.0
    assert grad(grad(lambda x: log(x) * (x - 1)))(1.0) == 2.0  # upstream 0 at first order


def test_gradients_under_no_grad_record_nothing() -> None:
    x = Value(2.0)
    y = x**3
    with no_grad():
        (g,) = gradients(y, [x])
    assert (g.data, g.op) == (12.0, None)


@pytest.mark.parametrize(
    "derivative",
    [
        grad,
        hessian,
        lambda f: lambda x: value_and_grad(f)(x),
        lambda f: jacobian(lambda x: [f(x), x * f(x)]),
        lambda f: lambda x: jvp(f, [x], [0.5]),
        lambda f: lambda x: hvp(f, [x], [0.5]),
        lambda f: grad(lambda x: grad(f)(x) * x),
    ],
)
def test_derivatives_under_no_grad_are_the_same_and_have_no_graph(derivative: Any) -> None:
    def numbers(x: Any) -> list[float]:
        parts = x if isinstance(x, list | tuple) else [x]
        return [part.data if isinstance(part, Value) else part for part in parts]

    p = Value(1.5)
    for f, x in ((tanh, 0.4), (lambda x: tanh(p * x) * p, 0.4), (tanh, Value(0.4))):
        outside = derivative(f)(x)
        with no_grad():
            inside = derivative(f)(x)
        assert numbers(inside) == numbers(outside)
        parts = inside if isinstance(inside, list | tuple) else [inside]
        assert all(part.op is None for part in parts if isinstance(part, Value))


@pytest.mark.long
def test_deep_graphs() -> None:
    def f(x: Value) -> Value:
        y = x
        for _ in range(20_000):
            y = y * 1.00001 + 0.00001
        return y

    assert grad(f)(1.0) == pytest.approx(1.00001**20_000, rel=1e-11)  # 20,000 roundings
    assert jvp(f, (1.0,), (1.0,))[1] == pytest.approx(grad(f)(1.0), rel=1e-11)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: [x])(1.0), TypeError, "must return a scalar"),
        (lambda: grad(lambda x: None)(1.0), TypeError, "must return a scalar.*NoneType"),
        (lambda: jacobian(lambda x: [[x]])(1.0), TypeError, "a flat list of scalars"),
        (lambda: grad(lambda x: x, 3)(1.0), IndexError, "argnums=3, but there are 1"),
        (lambda: grad(lambda x: x)("a"), TypeError, "expected a real number, got 'a'"),
        (lambda: grad(lambda x: x)([[1.0]]), TypeError, "expected a real number"),
        (lambda: grad(lambda x: x)("2"), TypeError, "str"),
    ],
)
def test_bad_input_is_named(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_hessian_of_the_argument_that_is_asked_for() -> None:
    def f(x, v):
        return x**3 * v[0] * v[0] * v[1]

    assert hessian(f)(2.0, [3.0, 5.0]) == 6 * 2.0 * 9.0 * 5.0
    assert hessian(f, 1)(2.0, [3.0, 5.0]) == [[2 * 8.0 * 5.0, 2 * 8.0 * 3.0], [2 * 8.0 * 3.0, 0.0]]


def test_jvp_along_a_value_is_a_value_that_depends_on_it() -> None:
    direction = Value(0.5)
    value, slope = jvp(lambda x: x**3, (2.0,), (direction,))
    assert (value.data, slope.data) == (8.0, 6.0)
    assert [g.data for g in gradients(slope, [direction])] == [12.0]


@pytest.mark.parametrize(
    ("f", "x", "edge"),
    [
        (sqrt, 0.0, "sqrt(0.0) with respect to its argument x is inf"),
        (lambda x: sqrt(exp(-877.3 * x)), 1.0, "sqrt(0.0) with respect to its argument x is inf"),
        (lambda x: autograd.asin(x) * x, 1.0, "asin(1.0) with respect to its argument x is inf"),
    ],
)
def test_floats_raise_where_backward_does(f, x: float, edge: str) -> None:
    leaf = Value(x)
    with pytest.raises(DomainError) as by_backward:
        f(leaf).backward()
    assert edge in str(by_backward.value)
    for ask in (grad(f), value_and_grad(f), jacobian(f), hessian(f)):
        with pytest.raises(DomainError, match="with respect to its argument"):
            ask(x)


def test_forward_mode_raises_unless_the_tangent_is_exactly_zero() -> None:
    with pytest.raises(DomainError, match="sqrt"):
        jvp(sqrt, (0.0,), (1.0,))
    assert jvp(sqrt, (0.0,), (0.0,)) == (0.0, 0.0)
    with pytest.raises(DomainError, match="sqrt"):
        hvp(sqrt, (0.0,), (1.0,))


def test_an_overflow_is_no_error_as_in_backward() -> None:
    assert grad(lambda x: x * x)(1e308) == 2e308 == math.inf
    assert grad(lambda x: math.inf * x)(1.0) == math.inf


TRANSFORMS: dict[str, Callable[..., Value]] = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: value_and_grad(f)(x)[1],
    "jacobian": lambda f, x: jacobian(f)(x),
    "hessian": lambda f, x: hessian(f)(x),
    "jvp": lambda f, x: jvp(f, (x,), (1.0,))[1],
    "hvp": lambda f, x: hvp(f, (x,), (1.0,)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_closed_over_values_are_followed(name: str) -> None:
    """d result / d w through each transform, of leaves and inner nodes, beside differences."""
    rng = random.Random(name)
    for _ in range(20):
        point, start, h = rng.uniform(0.5, 2), rng.uniform(0.5, 2), 1e-6

        def result(w: Value, point: float = point) -> Value:
            deep = tanh(w) + 0.1
            return TRANSFORMS[name](lambda x: (deep * x) ** 3 + w * x * x, point)

        w = Value(start)
        out = result(w)
        assert isinstance(out, Value)
        out.backward()
        low, high = (result(Value(start + side)).data for side in (-h, h))
        # Truncation h**2 times a third derivative below 1e3; rounding 1e-16 * 1e2 / h.
        assert w.grad == pytest.approx((high - low) / (2 * h), rel=1e-6, abs=1e-7)


def test_a_leaf_of_just_now_is_closed_over_and_one_of_its_own_is_not() -> None:
    with no_grad():
        w = Value(2.0) * 1.5
    out = grad(lambda a: w * a * a)(2.0)
    assert isinstance(out, Value)
    assert gradients(out, [w])[0].data == 4.0

    def own(a: Any) -> Any:
        with no_grad():
            scale = a * 2.0
        return scale * a + Value(1.0)

    assert type(grad(own)(3.0)) is float


def test_a_gradient_penalty_reaches_the_parameters() -> None:
    x = Value(3.0)
    (x * grad(lambda a: x * a * a)(2.0)).backward()
    assert x.grad == 24.0
    w = [Value(0.5), Value(-1.5)]
    slopes = grad(lambda v: tanh(dot(w, v)))([0.3, -0.2])
    penalty = dot(slopes, slopes)
    penalty.backward()
    assert all(parameter.grad for parameter in w)


def test_values_made_inside_are_nobodys_and_give_floats() -> None:
    def f(x: Value) -> Value:
        with no_grad():
            scale = x * 2
        return Value(3.0) * x * x * autograd.detach(x) * scale

    assert type(grad(f)(2.0)) is float
    assert type(hessian(f)(2.0)) is float
    older = Value(1.0)
    assert isinstance(grad(lambda x: x * older)(2.0), Value)
    assert type(grad(lambda x: x * older.data)(2.0)) is float


def chain(x: Value, n: int) -> Value:
    for _ in range(n):
        x = x * 1.0001
    gc.collect()  # in pure Python, what gc has looked after is known to be older
    return x


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[Value]:
    """Return what the functions of this module walk over, from now on."""
    walked: list[Value] = []

    def noted(*roots: Value, **limits: Any) -> list[Value]:
        walked.extend(order := topological_order(*roots, **limits))
        return order

    for name in ("transforms", "accumulation"):
        monkeypatch.setattr(f"autograd.{name}.topological_order", noted)
    return walked


def test_gradients_walk_what_lies_between_and_nothing_behind(walked: list[Value]) -> None:
    first = Value(1.0)
    x, z = chain(first, 1000) * 1.0, Value(2.0)
    y = x * 3.0
    out = y.sin() * z * x
    dx, dy, dz = gradients(out, [x, y, z])
    assert len(walked) <= 8  # out, its three inner nodes, x, y, z, and what x is computed from
    assert dy.data == out.data / y.sin().data * math.cos(y.data)
    assert dx.data == pytest.approx(dy.data * 3.0 + out.data / x.data, rel=1e-15)
    assert dz.data == pytest.approx(out.data / 2.0, rel=1e-15)  # a few roundings each
    walked.clear()
    (by_first,) = gradients(out, [first])
    assert by_first.data == pytest.approx(dx.data * x.data, rel=1e-12)  # 1,000 roundings
    assert len(walked) > 1000


def test_one_of_several_may_stand_behind_another() -> None:
    x = Value(1.0)
    y = chain(x, 300)
    by_y, by_x = gradients(y * y + x, [y, x])
    # 300 roundings
    assert (by_y.data, by_x.data) == (2 * y.data, pytest.approx(2 * y.data**2 + 1, rel=1e-13))


@pytest.mark.parametrize(
    "derivative",
    [
        lambda f: grad(f)(2.0),
        lambda f: hessian(f)(2.0),
        lambda f: jvp(f, [2.0], [1.0])[1],
        lambda f: jacobian(lambda x: [f(x), x])(2.0)[0],
        lambda f: hvp(f, [2.0], [1.0]),
    ],
)
def test_what_a_closed_over_value_was_computed_from_is_not_walked(
    derivative: Any, walked: list[Value]
) -> None:
    old = chain(Value(1.0), 1000)
    slope = derivative(lambda x: x * x * old)
    assert len(walked) < 40
    assert isinstance(slope, Value)
    assert gradients(slope, [old])[0].data == pytest.approx(slope.data / old.data, rel=1e-15)


def test_hessian_of_another_argument_and_jvp_along_values() -> None:
    f = lambda x, y: x**2 * y**3
    assert hessian(f, 1)(2.0, 5.0) == 4 * 6 * 5.0
    assert hessian(f, 0)(2.0, 5.0) == 2 * 125.0
    assert hessian(lambda a, v: a * v[0] * v[1], 1)(3.0, [1.0, 2.0]) == [[0.0, 3.0], [3.0, 0.0]]
    t = Value(0.5)
    value, slope = jvp(lambda x: x**3, (2.0,), (t,))
    assert isinstance(slope, Value)
    slope.backward()
    assert (value.data, slope.data, t.grad) == (8.0, 6.0, 12.0)


@pytest.mark.parametrize("factor", [1.0, -1.0, 2.0, 0.5, 3.0])
def test_no_upstream_is_passed_over(factor: float) -> None:
    x = Value(3.0)
    assert [g.data for g in gradients(factor * (x * x), [x])] == [6.0 * factor]


def test_what_is_cut_off_is_nested_as_it_was() -> None:
    x = Value(2.0)
    with no_grad():
        value, slope = both = value_and_grad(lambda a: a**3)(x)
        rows = jacobian(lambda v: [v[0] * v[0], v[0] ** 3])([x])
    assert type(both) is tuple
    assert [v.data for v in (value, slope)] == [8.0, 12.0]
    assert [[v.data for v in row] for row in rows] == [[4.0], [12.0]]
    assert type(rows) is type(rows[0]) is list
    assert not any(v.args for v in (value, slope, *rows[0], *rows[1]))
