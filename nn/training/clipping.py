"""Gradients clipped as arrays, with the numbers that `nn.clip` gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autograd import CompileError, Value
from nn.arguments import number
from nn.clip import clip_grad_value
from nn.training.plan import Clip, name_of
from nn.training.rows import Rows


class Clipping:
    """What `nn.fit` was asked to do with the gradients of a step.

    Args:
        parameters: whose gradients they are.
        exact: every bit as in the eager engine.

    Raises:
        CompileError: it is a function that only takes Values.
    """

    def __init__(self, clip: Clip | None, parameters: Sequence[Value], *, exact: bool) -> None:
        import numpy

        self.numpy = numpy
        self.parameters = parameters
        self.norm = None if callable(clip) else clip
        self.largest = _largest(clip) if callable(clip) else None
        if callable(clip) and self.largest is None:
            raise CompileError(
                f"clip is the function {name_of(clip)}, which needs the parameters' Values: write "
                "clip=1.0 for a largest norm, functools.partial(clip_grad_value, max_value=1.0) "
                "for a largest value, or compile=False"
            )
        self.rows = Rows(parameters, [parameters], exact=exact)

    def __call__(self, g: Any) -> Any:
        """Return the gradients as the step is to use them.

        Raises:
            FloatingPointError: their norm is asked for, and one of them is not finite.
        """
        numpy = self.numpy
        if self.largest is not None:
            return numpy.clip(g, -self.largest, self.largest)
        if self.norm is None:
            return g
        if not numpy.isfinite(g).all():
            leaf = self.parameters[int(numpy.argmin(numpy.isfinite(g)))]
            raise FloatingPointError(f"the gradient of {leaf.label or 'a parameter'} is not finite")
        norm = float(self.rows.norms(g[None])[0, 0])
        if math.isinf(norm):  # of finite numbers, but beyond all floats
            g = g / numpy.abs(g).max()
            return g / float(self.rows.norms(g[None])[0, 0]) * self.norm
        return g / norm * self.norm if norm > self.norm else g


def _largest(clip: Callable[..., Any]) -> float | None:
    """Return the bound of a `clip_grad_value` with its bound filled in; None for another."""
    if isinstance(clip, partial) and clip.func is clip_grad_value and not clip.args:
        bound = clip.keywords.get("max_value")
        return None if bound is None else number("max_value", bound, positive=True)
    return None
