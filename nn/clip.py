"""Clipping: gradients that grew too large are cut back before the optimiser's step."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd import Value
from nn.arguments import leaves, number


def clip_grad_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Return the norm of all gradients together; one above ``max_norm`` is scaled down to it.

    The direction stays. The norm neither overflows nor underflows on the way; one beyond all
    floats is inf, and is scaled down as well.

    Raises:
        FloatingPointError: a gradient is not finite, so no scale would help.

    Source: Pascanu, Mikolov & Bengio 2013, On the difficulty of training recurrent neural
    networks, algorithm 1.

    >>> w, b = Value(0.0), Value(0.0)
    >>> w.grad, b.grad = 3.0, 4.0
    >>> clip_grad_norm([w, b], 1.0), (w.grad, b.grad)
    (5.0, (0.6, 0.8))
    """
    number("max_norm", max_norm, positive=True)
    clipped = leaves(parameters)
    for leaf in clipped:
        if not math.isfinite(leaf.grad):
            raise FloatingPointError(
                f"the gradient of {leaf.label or 'a parameter'} is {leaf.grad}"
            )
    norm = scaled = math.hypot(*(leaf.grad for leaf in clipped))
    if norm > max_norm:
        if math.isinf(norm):
            largest = max(abs(leaf.grad) for leaf in clipped)
            for leaf in clipped:
                leaf.grad /= largest
            scaled = math.hypot(*(leaf.grad for leaf in clipped))
        for leaf in clipped:
            leaf.grad = leaf.grad / scaled * max_norm
    return norm


def clip_grad_value(parameters: Iterable[Value], max_value: float) -> None:
    """Cut each gradient to the interval [-max_value, max_value]; NaN stays NaN.

    >>> w = Value(0.0)
    >>> w.grad = -7.0
    >>> clip_grad_value([w], 2.0)
    >>> w.grad
    -2.0
    """
    number("max_value", max_value, positive=True)
    for leaf in leaves(parameters):
        if abs(leaf.grad) > max_value:
            leaf.grad = math.copysign(max_value, leaf.grad)
