"""How a check fares: right gradients that it refuses, wrong ones that pass."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

from autograd import GradientError, gradcheck
from tests.watchman import (  # noqa: F401 - they fill the registry
    cancellation,
    geometry,
    kinks,
    learning,
    matrices,
    precision,
    scales,
    solvers,
    special,
)
from tests.watchman.case import REGISTRY, Case, mutants

Check = Callable[[Callable[[Any], Any], Any, Any], bool]
"""Takes a function, a point, a gradient; returns whether it passes."""


def raises(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return whether `raise_if_wrong` lets a gradient pass."""
    try:
        gradcheck(f, x, gradient=[gradient]).raise_if_wrong()
    except GradientError:
        return False
    return True


def is_ok(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return whether a report finds a gradient right."""
    return gradcheck(f, x, gradient=[gradient]).ok


def of_scipy(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return what `scipy.optimize.check_grad` says, at 1e-5 of the gradient."""
    from scipy.optimize import check_grad

    distance = check_grad(lambda v: float(f(v)), lambda v: gradient, x)
    return bool(distance <= 1e-5 * max(1.0, float(np.linalg.norm(gradient))))


def of_torch(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return what `torch.autograd.gradcheck` says."""
    import torch

    class Foreign(torch.autograd.Function):  # type: ignore[misc]  # PyTorch may be missing
        @staticmethod
        def forward(ctx: Any, v: Any) -> Any:
            return torch.tensor(float(f(v.numpy())), dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * torch.tensor(gradient)

    point = torch.tensor(x, requires_grad=True)
    return bool(torch.autograd.gradcheck(Foreign.apply, point, raise_exception=False))


def of_jax(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return what `jax.test_util.check_grads` says."""
    from jax.test_util import check_grads

    _told[:] = [f, gradient]
    try:
        check_grads(_row_of_jax(), (x,), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


_told: list[Any] = []


@cache
def _row_of_jax() -> Any:
    """Return a function of JAX that is what was told last: compiled once, not for each."""
    import jax

    jax.config.update("jax_enable_x64", True)

    def value(v: Any) -> Any:
        return np.float64(_told[0](np.asarray(v)))

    def slopes(v: Any) -> Any:
        return np.asarray(_told[1], dtype=float)

    def call(v: Any) -> Any:
        return jax.pure_callback(value, jax.ShapeDtypeStruct((), "float64"), v)

    def backward(v: Any, g: Any) -> Any:
        return (g * jax.pure_callback(slopes, jax.ShapeDtypeStruct(v.shape, "float64"), v),)

    row = jax.custom_vjp(call)
    row.defvjp(lambda v: (call(v), v), backward)
    return row


def of_numdifftools(f: Callable[[Any], Any], x: Any, gradient: Any) -> bool:
    """Return whether a gradient is that of `numdifftools`, to 1e-5 of it."""
    from numdifftools import Gradient

    numeric = np.atleast_1d(Gradient(lambda v: float(f(v)))(x))
    return bool(np.allclose(gradient, numeric, rtol=1e-5, atol=1e-5))


CHECKS: dict[str, Check] = {"raise_if_wrong": raises, "report.ok": is_ok}

PEERS: dict[str, tuple[str, Check]] = {
    "torch.autograd.gradcheck": ("torch", of_torch),
    "jax.test_util.check_grads": ("jax", of_jax),
    "numdifftools (1e-5)": ("numdifftools", of_numdifftools),
    "scipy check_grad (1e-5)": ("scipy", of_scipy),
}
"""Checks of others, with what they need."""

COLUMNS = ("caught", "missed", "passes", "false alarms", "crashes")


def cases(half: int | None = None) -> list[Case]:
    """Return all cases, or every other one."""
    return list(REGISTRY.values())[slice(half, None, None if half is None else 2)]


def trials(case: Case, seed: int = 0) -> Iterator[tuple[Any, str, Any]]:
    """Yield points with gradients, and what is wrong with them, "" if nothing is."""
    for x in case.points(seed=seed):
        right = case.gradient(x)
        if not np.isfinite(right).all():
            continue
        yield x, "", right
        for what, wrong in mutants(case, x, right):
            yield x, what, wrong


def judge(check: Check, f: Any, x: Any, what: str, gradient: Any) -> str:
    """Return how a check fares at one trial: one of the `COLUMNS`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            passes = check(f, x.copy(), gradient)
        except Exception:
            return "crashes"
    if what:
        return "missed" if passes else "caught"
    return "passes" if passes else "false alarms"


def score(checks: dict[str, Check], chosen: Iterable[Case]) -> dict[str, Counter[str]]:
    """Return how often each check fares how."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in checks}
    for case in chosen:
        for x, what, gradient in trials(case):
            for name, check in checks.items():
                counts[name][judge(check, case.f, x, what, gradient)] += 1
    return counts


def table(counts: dict[str, Counter[str]]) -> str:
    """Return the counts as text."""
    lines = [f"{'':26}" + "".join(f"{column:>14}" for column in COLUMNS)]
    for name, count in counts.items():
        lines.append(f"{name:26}" + "".join(f"{count[column]:14,}" for column in COLUMNS))
    return "\n".join(lines)
