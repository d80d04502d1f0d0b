"""Compare gradients with finite differences, and say how far the comparison can be trusted."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.errors import DomainError, GradientError
from autograd.modes import no_grad
from autograd.transforms import grad

EPSILON = sys.float_info.epsilon
SHRINK = 1.6
"""Ratio of successive steps of the extrapolation."""
ROWS = 10
"""Rows of the extrapolation table: each takes two evaluations."""


class Difference(NamedTuple):
    """A numeric derivative, with an estimate of its absolute error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The comparison for one scalar input.

    Attributes:
        index: which scalar, counted through lists.
        label: the input's name.
        analytic: the derivative by the chain rule.
        numeric: the derivative by differences; NaN if there is none.
        error: the estimated absolute error of ``numeric``.
        tolerance: the largest difference that counts as agreement.
        verdict: ``ok``; ``wrong``; ``kink``: the slopes from left and right differ;
            ``noise``: rounding drowns the differences; ``undefined``: no derivative there.
    """

    index: int
    label: str
    analytic: float
    numeric: float
    error: float
    tolerance: float
    verdict: str


class Report:
    """What `gradcheck` found, input by input. ``print`` it, or call `raise_if_wrong`."""

    def __init__(self, inputs: tuple[InputCheck, ...]) -> None:
        self.inputs = inputs

    @property
    def ok(self) -> bool:
        """Whether no input is wrong and at least one was found right."""
        verdicts = {check.verdict for check in self.inputs}
        return "wrong" not in verdicts and (not verdicts or "ok" in verdicts)

    def raise_if_wrong(self) -> None:
        """Raise `GradientError`, with the table, if an input is wrong."""
        if any(check.verdict == "wrong" for check in self.inputs):
            raise GradientError(f"the gradient disagrees with finite differences\n{self}")

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data; non-finite numbers are strings."""
        inputs = [
            {
                key: str(x) if isinstance(x, float) and not math.isfinite(x) else x
                for key, x in asdict(check).items()
            }
            for check in self.inputs
        ]
        return {"ok": self.ok, "inputs": inputs}

    def __str__(self) -> str:
        header = ("input", "analytic", "numeric", "difference", "tolerance", "verdict")
        rows = [header] + [
            (
                c.label,
                f"{c.analytic:.12g}",
                f"{c.numeric:.12g}",
                f"{abs(c.analytic - c.numeric):.1e}",
                f"{c.tolerance:.1e}",
                c.verdict,
            )
            for c in self.inputs
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [
                cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)
            ]
            lines.append("  ".join([*cells, row[-1]]))
        return "\n".join(lines)

    __repr__ = __str__


def gradcheck(
    f: Callable[..., Any], *args: Any, rtol: float | None = None, atol: float | None = None
) -> Report:
    """Return a report that compares the gradient of ``f`` at ``args`` with differences.

    Args:
        f: takes scalars and flat lists of scalars, returns a scalar.
        args: where to check; Values give their labels to the report.
        rtol, atol: tolerance, relative and absolute; by default it follows from the
            estimated error of the differences.

    Raises:
        TypeError: ``args`` is empty, or not of scalars and lists of scalars.
        DomainError: ``f`` is undefined at ``args``.

    Cost: at most 50 evaluations of ``f`` per scalar input, mostly 20.

    >>> print(gradcheck(lambda x, y: x**2 * y, 3.0, 5.0))  # doctest: +ELLIPSIS
    input  analytic  numeric  difference  tolerance  verdict
    x            30       30     ...  ok
    y             9        9     ...  ok
    """
    if not args:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    point = [list(arg) if isinstance(arg, list | tuple) else arg for arg in args]
    numbers = [[_number(x) for x in _items(arg)] for arg in point]
    analytic = _analytic(f, point, numbers)
    labels = _labels(f, point)
    checks: list[InputCheck] = []
    for i, xs in enumerate(numbers):
        for j, x in enumerate(xs):

            def along(t: float, i: int = i, j: int = j) -> float:
                moved = [list(row) for row in numbers]
                moved[i][j] = t
                with no_grad():
                    return _number(f(*_like(point, moved)))

            index = len(checks)
            checks.append(_judge(index, labels[index], analytic[index], along, x, rtol, atol))
    return Report(tuple(checks))


def central_difference(f: Callable[[float], float], x: float) -> Difference:
    """Return f'(x) by symmetric differences, extrapolated to step 0.

    The steps shrink until extrapolation (which removes h**2, h**4, ...) no longer gains on
    rounding, whose share is estimated as eps * |f| / h.

    Raises:
        DomainError: no step leaves both x - h and x + h where f is defined and finite.

    Source: Ridders 1982, Accurate computation of F'(x) and F'(x) F''(x), Adv. Eng. Software 4.
    """
    best = Difference(math.nan, math.inf)
    for scale in dict.fromkeys((max(abs(x), 1.0), abs(x))):
        if scale and not best.error <= 1e-6 * abs(best.value):
            best = min(best, _extrapolate(f, x, 0.1 * scale), key=lambda d: d.error)
    if best.error == math.inf:
        raise DomainError(f"no differences can be taken at {x!r}: the function is undefined nearby")
    return best


def _extrapolate(f: Callable[[float], float], x: float, h: float) -> Difference:
    """Return the best entry of Richardson's table for steps from ``h`` down."""
    best = Difference(math.nan, math.inf)
    previous: list[float] = []
    for _ in range(ROWS):
        low, high = x - h, x + h
        h /= SHRINK
        try:
            f_low, f_high = f(low), f(high)
        except (DomainError, ArithmeticError):
            h /= 50  # far outside: approach quickly
            continue
        if not math.isfinite(f_high - f_low) or high == low:
            continue
        rounding = EPSILON * max(abs(f_low), abs(f_high)) / (high - low)
        row = [(f_high - f_low) / (high - low)]
        gain = SHRINK**2
        for k, coarser in enumerate(previous):
            row.append((row[k] * gain - coarser) / (gain - 1))
            gain *= SHRINK**2
        for k in range(1, len(row)):
            error = max(abs(row[k] - row[k - 1]), abs(row[k] - previous[k - 1])) + 2 * rounding
            if error < best.error:
                best = Difference(row[k], error)
        previous = row
    return best


def _judge(
    index: int,
    label: str,
    analytic: float,
    f: Callable[[float], float],
    x: float,
    rtol: float | None,
    atol: float | None,
) -> InputCheck:
    try:
        numeric = central_difference(f, x)
    except DomainError:
        return InputCheck(index, label, analytic, math.nan, math.inf, 0.0, "undefined")
    if rtol is None and atol is None:
        tolerance = 10 * numeric.error + 8 * EPSILON * abs(analytic)
    else:
        tolerance = (atol or 0.0) + (rtol or 0.0) * abs(numeric.value)
    difference = abs(analytic - numeric.value)
    if not math.isfinite(analytic):
        verdict = "undefined"
    elif numeric.error > 1e-3 * max(abs(analytic), abs(numeric.value)) and numeric.error > 1e-12:
        verdict = "kink" if _has_kink(f, x) else "noise"
    elif difference <= tolerance:
        verdict = "ok"
    else:
        verdict = "kink" if _has_kink(f, x) else "wrong"
    return InputCheck(index, label, analytic, numeric.value, numeric.error, tolerance, verdict)


def _has_kink(f: Callable[[float], float], x: float) -> bool:
    """Return whether the slopes to the left and right differ, at two scales alike.

    For a smooth function the difference of the slopes shrinks with the step; across a kink
    it stays.
    """
    jumps = []
    for h in (1e-4 * max(1.0, abs(x)), 1e-5 * max(1.0, abs(x))):
        try:
            left, middle, right = f(x - h), f(x), f(x + h)
        except (DomainError, ArithmeticError):
            return False
        jumps.append((right - 2 * middle + left) / h)
    return abs(jumps[1]) > 1e-6 and 0.5 < jumps[0] / jumps[1] < 2


def _analytic(f: Callable[..., Any], point: list[Any], numbers: list[list[float]]) -> list[float]:
    parts = grad(f, range(len(point)))(*_like(point, numbers))
    return [_number(g) for part in parts for g in _items(part)]


def _labels(f: Callable[..., Any], point: list[Any]) -> list[str]:
    code = getattr(f, "__code__", None)
    names = list(code.co_varnames[: code.co_argcount]) if code else []
    labels = []
    for i, arg in enumerate(point):
        name = names[i] if i < len(names) else f"arg{i}"
        for j, x in enumerate(_items(arg)):
            own = x.label if isinstance(x, Value) else ""
            labels.append(own or (f"{name}[{j}]" if isinstance(arg, list) else name))
    return labels


def _items(arg: Any) -> list[Any]:
    return list(arg) if isinstance(arg, list | tuple) else [arg]


def _like(point: list[Any], numbers: list[list[float]]) -> list[Any]:
    return [
        list(row) if isinstance(arg, list) else row[0]
        for arg, row in zip(point, numbers, strict=True)
    ]


def _number(x: Any) -> float:
    return x.data if isinstance(x, Value) else float(x)
