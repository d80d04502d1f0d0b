"""Targets and samples in code that holds for all: whether a loss takes them as plain numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from traceback import walk_tb
from typing import Any

import nn.losses
from autograd import ChainruleError, CompileError, Value, no_grad, topological_order
from nn.losses import bare
from nn.training.plan import Plan, name_of

SAMPLES_TRIED = 100
"""Targets or samples that a loss is tried out with, the most frequent ones first."""

SAMPLES_LOOKED_AT = 10_000
"""Samples, the first ones, among which the most frequent ones are sought."""

ARGUMENTS_TRIED = 50_000
"""Arguments in the graphs of the samples that are tried out, about: a tenth of a second."""

OWN = ("autograd", "nn")

ADVICE = (
    "what is compiled holds for all samples, so their numbers come as Values, and none can decide, "
    "be looked up or become a whole number; write arithmetic, where(c, a, b) and take(values, i), "
    "or give each sample what it decides, such as a weight, as a further number"
)


def check_targets(plan: Plan) -> None:
    """Try the loss out with some targets, as floats and as the Values that compiled code has.

    A Value is another object than the number it holds: ``target == 1`` is False, and no key of a
    dict is the same.

    Raises:
        CompileError: it doesn't answer both alike.
    """
    loss, samples = plan.loss, plan.samples
    if bare(loss).__module__ == nn.losses.__name__:
        return
    met: dict[int, Counter[Any]] = {length: Counter() for length in samples.firsts}
    for row, target in zip(samples.inputs, samples.targets, strict=True):
        met[len(row)][tuple(target) if isinstance(target, list) else target] += 1
    with plan.in_mode(training=False), no_grad():
        for length, first in samples.firsts.items():
            prediction = plan.model(samples[first][0])
            for target, _ in met[length].most_common(SAMPLES_TRIED):
                _try(loss, partial(loss, prediction), target)


def check_samples(loss: Callable[[Any], Value], samples: Iterable[tuple[float, ...]]) -> None:
    """Try a loss out likewise that takes all of a sample.

    Raises:
        CompileError: it doesn't answer both alike.
    """
    left = ARGUMENTS_TRIED
    for sample, _ in Counter(islice(samples, SAMPLES_LOOKED_AT)).most_common(SAMPLES_TRIED):
        term = _try(loss, loss, sample)
        left -= sum(len(node.args) for node in topological_order(term)) if term is not None else 0
        if left < 0:
            break


def _try(loss: Any, of: Callable[[Any], Any], given: float | tuple[float, ...]) -> Any:
    """Return the loss of what is given as Values; None where that of floats fails.

    Raises:
        CompileError: it is another of what is given as floats.
    """
    try:
        wanted = _number(of([*given] if isinstance(given, tuple) else given))
    except Exception:
        return None  # so it fails in the eager engine, too, which has no other answer
    with values_refused():
        term = of([*map(Value, given)] if isinstance(given, tuple) else Value(given))
    found = _number(term)
    if not math.isclose(found, wanted, rel_tol=1e-9) and not math.isnan(found + wanted):
        code = getattr(bare(loss), "__code__", getattr(type(loss).__call__, "__code__", None))
        at = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
        shown = [*given] if isinstance(given, tuple) else given
        raise CompileError(
            f"{at}{name_of(loss)} of {shown} is {wanted:g}, and {found:g} of a Value of it, "
            f"which is no float and equals none: {ADVICE}"
        )
    return term


def _number(term: Any) -> float:
    return float(getattr(term, "data", term))


@contextmanager
def values_refused() -> Iterator[None]:
    """Make of any other error a refusal: what works with floats doesn't with Values.

    Raises:
        CompileError: something was raised, such as a KeyError.
    """
    try:
        yield
    except ChainruleError:
        raise
    except Exception as error:
        frames = [
            f"{frame.f_code.co_filename}:{line}: "
            for frame, line in walk_tb(error.__traceback__)
            if frame.f_globals.get("__name__", "").partition(".")[0] not in OWN
        ]
        raise CompileError(
            f"{''.join(frames[-1:])}{type(error).__name__}: {error}: {ADVICE}"
        ) from error
