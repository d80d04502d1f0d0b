"""Clipping by norm and by value."""

import math
import sys
from typing import Any

import pytest

from autograd import Value
from nn import clip_grad_norm, clip_grad_value


def leaves(*grads: float) -> list[Value]:
    made = [Value(0.0, label=f"w{i}") for i in range(len(grads))]
    for leaf, grad in zip(made, grads, strict=True):
        leaf.grad = grad
    return made


def test_a_norm_above_the_bound_is_scaled_to_it() -> None:
    ws = leaves(3.0, -4.0, 12.0)
    assert clip_grad_norm(ws, 6.5) == 13.0
    assert [w.grad for w in ws] == [1.5, -2.0, 6.0]


def test_a_norm_within_the_bound_stays() -> None:
    ws = leaves(3.0, -4.0)
    assert clip_grad_norm(ws, 5.0) == 5.0
    assert [w.grad for w in ws] == [3.0, -4.0]


def test_the_norm_neither_overflows_nor_underflows() -> None:
    ws = leaves(3e200, 4e200)
    assert clip_grad_norm(ws, 1.0) == pytest.approx(5e200)
    assert [w.grad for w in ws] == pytest.approx([0.6, 0.8])
    assert clip_grad_norm(leaves(3e-200, 4e-200), 1.0) == pytest.approx(5e-200)


def test_a_tied_parameter_counts_once() -> None:
    (w,) = leaves(3.0)
    assert clip_grad_norm([w, w], 10.0) == 3.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_named(bad: float) -> None:
    ws = leaves(1.0, bad)
    with pytest.raises(FloatingPointError, match=f"the gradient of w1 is {bad}"):
        clip_grad_norm(ws, 1.0)
    assert ws[0].grad == 1.0


def test_values_are_cut_to_the_interval() -> None:
    ws = leaves(3.0, -0.5, -7.0)
    clip_grad_value(ws, 2.0)
    assert [w.grad for w in ws] == [2.0, -0.5, -2.0]


@pytest.mark.parametrize("bound", [0, -1.0, math.nan, "1", None])
def test_a_bad_bound_is_named(bound: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="max_norm must be finite and above 0"):
        clip_grad_norm(leaves(1.0), bound)
    with pytest.raises((TypeError, ValueError), match="max_value must be finite and above 0"):
        clip_grad_value(leaves(1.0), bound)


@pytest.mark.parametrize("grads", [(1.5e308, 1.5e308), (1e308, -1.7e308, 3.0), (1.7e308, 1.7e308)])
def test_a_norm_beyond_all_floats_is_scaled_down(grads: tuple[float, ...]) -> None:
    leaves = [Value(0.0) for _ in grads]
    for leaf, grad in zip(leaves, grads, strict=True):
        leaf.grad = grad
    norm = clip_grad_norm(leaves, 5.0)
    assert norm > sys.float_info.max / 2
    clipped = [leaf.grad for leaf in leaves]
    # A few roundings in each.
    assert math.hypot(*clipped) == pytest.approx(5.0, rel=1e-14)
    for a, b in zip(clipped, grads, strict=True):
        assert a / clipped[0] == pytest.approx(b / grads[0], rel=1e-14)
