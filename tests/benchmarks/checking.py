"""The gradient check: what it detects, what it leaves alone, what it costs.

``python -m tests.benchmarks.checking MEASURE`` prints JSON.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from autograd import TABLE, DomainError, Op, clamp, grad, gradcheck, hypot, maximum, relu, where
from autograd import abs as absolute
from autograd.testing.strategies import expressions, floats_in
from tests.benchmarks.mutations import find_mutants, judge

EXPRESSIONS = 10_000
WIDE = 150
"""Points per row, from 1e-300 to 1e300."""

PEERS = 50
"""The peers get every fiftieth of these points: they take longer."""

NORMAL = sys.float_info.min

KINKS: dict[str, tuple[Callable[..., Any], float]] = {
    "abs": (absolute, 0.0),
    "relu": (relu, 0.0),
    "maximum": (lambda x: maximum(x, 2.0), 2.0),
    "clamp": (lambda x: clamp(x, -1.0, 2.0), 2.0),
    "where": (lambda x: where(x, x, 2 * x), 0.0),
    "hypot": (lambda x: hypot(x, 0.0), 0.0),
}
"""Functions, and where they have a kink."""


def drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Return what a strategy gives in a fixed sequence."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


def wide_points() -> list[tuple[Op, tuple[float, ...]]]:
    """Return rows with arguments from 1e-300 to 1e300."""
    return [(op, args) for op in TABLE.values() for args in drawn(floats_in(op, wide=True), WIDE)]


def is_representable(op: Op, args: tuple[float, ...], slot: int) -> bool:
    """Return whether value and derivative are ordinary floats, which differences can show.

    An overflow isn't, nor a subnormal number, nor a wave shorter than the floats' spacing.
    """
    value = op(*args)
    try:
        slope = grad(op, slot)(*args)
    except DomainError:  # it is infinite, or none
        return False
    ordinary = all(math.isfinite(x) and (x == 0 or abs(x) > NORMAL) for x in (value, slope))
    waves = op.name in ("sin", "cos", "tan") and math.ulp(args[0]) > 1e-3
    return ordinary and not waves


def mutations() -> Counter[str]:
    """Return what becomes of wrong rules: see `tests.benchmarks.mutations.judge`."""
    return Counter(
        judge(mutant, args)
        for op in list(TABLE.values())
        for mutant, args in find_mutants(op, points=5)
    )


def random_expressions() -> dict[str, Any]:
    """Return the verdicts on right gradients, and the most evaluations for an input."""
    verdicts: Counter[str] = Counter()
    worst = 0.0
    programs = drawn(expressions(), EXPRESSIONS)
    for program in programs:
        report = gradcheck(program, *program.inputs)
        verdicts.update(check.verdict for check in report.inputs)
        worst = max(worst, (report.evaluations - 1) / len(program.inputs))
    return {"expressions": len(programs), "verdicts": verdicts, "evaluations": worst}


def wide_range() -> dict[str, Counter[str]]:
    """Return the verdicts on the rows of the table: all, and those where differences can tell."""
    every: Counter[str] = Counter()
    smooth: Counter[str] = Counter()
    for op, args in wide_points():
        for slot, check in enumerate(gradcheck(op, *args).inputs):
            every[check.verdict] += 1
            if check.verdict != "kink" and is_representable(op, args, slot):
                smooth[check.verdict] += 1
    return {"every": every, "smooth": smooth}


def kinks() -> Counter[str]:
    """Return the verdicts at kinks and beside them."""
    return Counter(
        gradcheck(f, x + beside).inputs[0].verdict
        for f, x in KINKS.values()
        for beside in (0.0, 1e-12, -1e-12, 1e-13, -1e-13, 1e-15, 1e-300)
    )


def directions() -> dict[int, int]:
    """Return the evaluations of functions of many inputs, by their number."""
    counts = {}
    for n in (200, 2000):
        report = gradcheck(lambda v: sum(x * x for x in v).tanh(), [1 / n] * n)
        report.raise_if_wrong()
        counts[n] = report.evaluations
    return counts


def pytorch() -> dict[str, int]:
    """Return what PyTorch's gradcheck makes of right and wrong rules."""
    import torch

    def passes(op: Op, change: float, args: tuple[float, ...]) -> bool:
        class Row(torch.autograd.Function):  # type: ignore[misc]  # PyTorch may be missing
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.save_for_backward(*xs)
                return torch.tensor(op(*map(float, xs)), dtype=torch.float64)

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                floats = tuple(map(float, ctx.saved_tensors))
                slopes = grad(op, range(len(floats)))(*floats)
                return tuple(g * change * slope for slope in slopes)

        xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in args]
        return bool(torch.autograd.gradcheck(Row.apply, xs, raise_exception=False))

    return compare(passes)


def jax() -> dict[str, int]:
    """Return what JAX's check_grads makes of right and wrong rules."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    shape = jax.ShapeDtypeStruct((), "float64")

    def passes(op: Op, change: float, args: tuple[float, ...]) -> bool:
        def call(*xs: Any) -> Any:
            return jax.pure_callback(lambda *xs: jax.numpy.float64(op(*map(float, xs))), shape, *xs)

        row = jax.custom_vjp(call)

        def backward(xs: Any, g: Any) -> Any:
            slopes = grad(op, range(len(args)))(*args)
            return tuple(g * change * slope for slope in slopes)

        row.defvjp(lambda *xs: (call(*xs), xs), backward)
        try:
            check_grads(row, args, order=1, modes=["rev"])
        except Exception:
            return False
        return True

    return compare(passes)


def compare(passes: Callable[[Op, float, tuple[float, ...]], bool]) -> dict[str, int]:
    """Return how often a peer, with its defaults, rejects a right rule and accepts a wrong one."""
    alarms = misses = 0
    smooth = [
        (op, args)
        for op, args in wide_points()
        if all(is_representable(op, args, slot) for slot in range(len(args)))
    ][::PEERS]
    for op, args in smooth:
        try:
            alarms += not passes(op, 1.0, args)
            misses += passes(op, 1.001, args)
        except DomainError:
            alarms += 1
            misses += 1
    return {"points": len(smooth), "alarms": alarms, "misses": misses}


MEASURES: dict[str, Callable[[], Any]] = {
    "mutations": mutations,
    "expressions": random_expressions,
    "range": wide_range,
    "kinks": kinks,
    "directions": directions,
    "torch": pytorch,
    "jax": jax,
}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]]()))
