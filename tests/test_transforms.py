"""Gradients that are values again, and the functions built on them."""

import math
from collections import namedtuple

import pytest

import autograd
from autograd import (
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

    def counted(*roots: Value) -> list[Value]:
        order = topological_order(*roots)
        walked.append(len(order))
        return order

    monkeypatch.setattr("autograd.transforms.topological_order", counted)
    totals = []
    for n in (10, 20):
        walked.clear()
        hvp(lambda v: dot(v, v) ** 2, ([1.0] * n,), ([1.0] * n,))
        totals.append(sum(walked))
    assert totals[1] < 2.2 * totals[0]  # quadratic: 4 times


def test_graphs_of_rules_follow_ieee() -> None:
    """sqrt'(0) is infinite; a branch that `where` doesn't take contributes 0 all the same."""
    assert grad(lambda x: where(x, sqrt(x), 2 * x))(0.0) == 2.0
    assert grad(sqrt)(0.0) == math.inf
    assert grad(lambda x: log(x) * 0.0)(5.0) == 0.0
    assert grad(grad(lambda x: log(x) * (x - 1)))(1.0) == 2.0  # upstream 0 at first order


def test_gradients_under_no_grad_record_nothing() -> None:
    x = Value(2.0)
    y = x**3
    with no_grad():
        (g,) = gradients(y, [x])
    assert (g.data, g.op) == (12.0, None)


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
        (lambda: grad(lambda x: x)(True), TypeError, "bool"),
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
