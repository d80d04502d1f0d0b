"""Compare gradients with differences, say how far that can be trusted, and name what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autograd.checking.adapter import adapted
from autograd.checking.direction import single
from autograd.checking.foreign import Foreign, Gradient
from autograd.checking.function import Function
from autograd.checking.inquiry import Inquiry
from autograd.checking.line import BUDGET, FEWEST_LEFT
from autograd.checking.point import Point
from autograd.checking.recorded import Closure, Recorded
from autograd.checking.report import InputCheck, Report
from autograd.checking.signature import names_of, takes_leaves
from autograd.checking.trial import CHECKED_SINGLY, MANY_SCALARS, Trial
from autograd.errors import quoted
from autograd.operand import real

LITTLE = 0.05
"""What is off by less may be the fault of an approximate function."""

NEARBY = 0.0137
"""Where a point nearby lies, per unit of the input or of 1."""


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    gradient: Gradient = None,
    order: int = 1,
    rtol: float | None = None,
    atol: float | None = None,
    evaluations: int | None = None,
    seed: int = 0,
) -> Report:
    """Return a report that compares the gradient of ``f`` at ``args`` with differences.

    No step size and no tolerance is asked for. For a function of Values both follow from its
    graph and its rounding errors; for any other, from the noise that is measured. Where an
    input is wrong, the first wrong op of the graph is named: first in topological order, so
    that everything it depends on is right.

    At a kink, a right derivative lies between the slopes to both sides. Where several inputs
    are at kinks, they are moved together, too; wrong is what no choice among subgradients
    explains: f has one slope in that direction, at the point and all around it, and the
    derivatives say another. So relu(a) - relu(b) at 0 may have (0, 0), as engines say,
    though f rises by 1 along (1, -1): beside the point it has other slopes there, 0 as well.

    Args:
        f: takes numbers and NumPy arrays, nested in lists, tuples and dicts as you like, and
            returns a number, or several in the same ways. With ``gradient``, it is called with
            plain floats (and NumPy arrays where ``args`` has arrays) and may compute with
            anything. A module of PyTorch, or a function of its tensors or of JAX's arrays, is
            checked with the gradient that these two compute, in the dtypes of ``args``.
        args: where to check; Values give their labels to the report. If ``f`` takes no
            arguments, these are leaves that it uses otherwise, such as ``model.parameters()``:
            their ``.data`` is moved, and set back whatever happens.
        gradient: the derivatives to check in place of the engine's: numbers shaped like
            ``args``, or a function of ``args`` that returns them. If ``f`` returns several
            numbers, there are such derivatives for each, as in ``jax.jacobian``. An argument
            whose derivatives are None stays as it is given: a label, a count, a setting.
        order: 2 checks the gradient's gradient as well, and so on, for a fixed random
            combination of the first derivatives, in which each of them has a part; and that
            the gradient is that of ``f`` nearby, too.
        rtol, atol: tolerance, relative and absolute, in place of the one that follows from
            the estimated error of the differences.
        evaluations: how often ``f`` may be called in all. They are spent on random
            directions, then on finding the wrong input by halving.
        seed: of the random directions; from 200 scalars on, three of them are checked in
            place of the single inputs.

    Raises:
        TypeError: ``f`` can't be called; ``args`` is empty or malformed, or doesn't fit ``f``.
        DomainError: ``f`` is undefined at ``args``.

    Cost: at most 30 evaluations of ``f`` per input, mostly 9; in random directions, at most 90
    in all; for inputs at kinks together, at most 128. Each result of ``f`` costs as much, or
    three combinations if there are more than 8.

    >>> print(gradcheck(lambda x, y: x**2 * y, 3.0, 5.0))  # doctest: +ELLIPSIS
    input  analytic  numeric  difference  tolerance  verdict
    x            30       30     ...  ok
    y             9        9     ...  ok
    """
    if not callable(f):
        raise TypeError(f"gradcheck takes a function first, then its arguments: got {quoted(f)}")
    if not args:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is 1, 2, ..., got {quoted(order)}")
    if order > 1 and gradient is not None and not callable(gradient):
        raise ValueError("order 2 looks at the gradient nearby: give gradient as a function")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not real(tolerance) >= 0:
            raise ValueError(f"{name} is a number of at least 0, got {quoted(tolerance)}")
    if evaluations is not None and evaluations < FEWEST_LEFT + 1:
        raise ValueError(f"evaluations is at least {FEWEST_LEFT + 1}, got {quoted(evaluations)}")
    if (other := adapted(f, args, gradient)) is not None:
        f, args, gradient = other

    def new(k: int) -> Function:
        return _function_of(f, args, gradient, k, seed)

    check = Check(Inquiry(rtol, atol, evaluations, seed), new)
    check.run(order)
    return check.report()


class Check:
    """A check as it goes on: verdicts of all orders, and second looks at those that are right."""

    def __init__(self, inquiry: Inquiry, new: Callable[[int], Function]) -> None:
        self._inquiry = inquiry
        self._new = new
        self._checks: list[InputCheck] = []

    def run(self, order: int) -> None:
        """Check all orders, one after the other."""
        for k in range(1, order + 1):
            function = self._start(k)
            x = function.point.numbers
            function.look(x)
            if k == 1 or not isinstance(function, Foreign):
                self._checks += Trial(self._inquiry, function, x, k).results()
            if k == 1:
                self._repeat(function, x)
                self._use_twice(function, x)
            if k == 2:
                self._look_nearby(x)
        self._try_the_vacuous()

    def report(self) -> Report:
        """Return what was found."""
        self._tell_of_approximation()
        first = self._inquiry.functions[0]
        return Report(
            tuple(self._checks),
            self._inquiry.evaluations,
            first.root if first.is_scalar else None,
            list(self._inquiry.notes),
            first.point,
        )

    def _start(self, k: int) -> Function:
        self._inquiry.functions.append(self._new(k))
        return self._inquiry.functions[-1]

    def _repeat(self, function: Function, x: list[float]) -> None:
        """Say if f gives something else at the same point: then a kink may be that as well."""
        if self._inquiry.left < 1:
            return
        changed = function.repeated(x)
        if changed is not None:
            before, after = changed
            self._inquiry.note(
                f"f is not deterministic: at the same point it gave {before!r}, then "
                f"{after!r}; take away what is random, or what it remembers"
            )
            self._checks = [
                replace(check, verdict="noise") if check.verdict == "kink" else check
                for check in self._checks
            ]

    def _tell_of_approximation(self) -> None:
        """Say which tolerance would accept what is off by little, each wrong input alike."""
        wrong = [c for c in self._checks if c.verdict == "wrong"]
        shares = [abs(c.analytic / c.numeric - 1) if c.numeric else math.inf for c in wrong]
        if wrong and isinstance(self._inquiry.functions[0], Foreign) and max(shares) <= LITTLE:
            rtol = _rounded_up(max(shares))
            self._inquiry.note(
                f"off by {max(shares):.1e} of the differences at most; if f is itself approximate "
                f"(a solver's tolerance), rtol={rtol:g} accepts it"
            )

    def _look_nearby(self, x: list[float]) -> None:
        """Check the gradient beside the point: a right slope of a wrong bend is right by chance."""
        found = self._nearby(x, range(len(x)))
        self._checks += [
            replace(check, label=f"{check.label}, nearby", order=2)
            for check in found
            if check.verdict == "wrong"
        ]

    def _use_twice(self, function: Function, x: list[float]) -> None:
        """Check that the gradient stays what it is if f is used once more before it is taken.

        Nodes built by hand may keep their slopes where the next use overwrites them.
        """
        again = self._new(1)
        if not (isinstance(function, Recorded) and isinstance(again, Recorded)):
            return
        if not function.is_by_hand or not function.is_scalar or self._inquiry.left < FEWEST_LEFT:
            return
        self._inquiry.functions.append(again)
        again.look_twice(x, _beside(x, 1))
        again.select(None)
        for check in [c for c in self._checks if c.verdict == "ok" and c.index < len(x)]:
            slope = again.gradient[check.index]
            if len(x) < MANY_SCALARS and abs(slope - check.numeric) > check.tolerance:
                self._checks.append(
                    replace(
                        check, label=f"{check.label}, used twice", analytic=slope, verdict="wrong"
                    )
                )
                self._inquiry.note(
                    "right if used once: what computes the slopes keeps them where the next use "
                    "overwrites them"
                )

    def _try_the_vacuous(self) -> None:
        """Say of derivatives that are 0 on both sides what a point nearby says."""
        vacuous = [c for c in self._checks if c.vacuous and c.order == 1][:CHECKED_SINGLY]
        if not vacuous:
            return
        function = self._inquiry.functions[0]
        names = ", ".join(check.label for check in vacuous)
        said = f"vacuous: 0 for {names}, as many a wrong rule is there"
        if self._inquiry.budget is None:
            self._inquiry.budget = (BUDGET + 2) * sum(check.order == 1 for check in self._checks)
        if self._inquiry.left >= FEWEST_LEFT and _has_a_gradient_nearby(function):
            found = self._nearby(function.point.numbers, [check.index for check in vacuous])
            wrong = [check for check in found if check.verdict == "wrong"]
            verdicts = sorted({check.verdict for check in found if not check.vacuous})
            if wrong:
                first = wrong[0]
                said += (
                    f"; nearby, {first.label} is wrong: {first.analytic:.6g}, "
                    f"differences give {first.numeric:.6g}"
                )
            elif verdicts:
                said += f"; nearby: {', '.join(verdicts)}"
        self._inquiry.note(said)

    def _nearby(self, x: list[float], which: Sequence[int]) -> list[InputCheck]:
        """Return verdicts at a point beside, none if f or its gradient ends before."""
        for side in (1, -1):
            moved = _beside(x, side)
            function = self._new(1)
            try:
                function.look(moved)
                middle = function.select(None if function.is_scalar else {0: 1.0})
            except Exception:
                continue
            self._inquiry.functions.append(function)
            trial = Trial(self._inquiry, function, moved)
            return [
                trial.judge(middle, single(function.point, i))
                for i in which[:MANY_SCALARS]
                if self._inquiry.left >= FEWEST_LEFT
            ]
        return []


def _beside(x: list[float], side: int) -> list[float]:
    """Return a point nearby."""
    return [t + side * NEARBY * max(1.0, abs(t)) for t in x]


def _rounded_up(x: float) -> float:
    """Return the next larger number of one digit."""
    power = 10.0 ** math.floor(math.log10(x)) if x else 1.0
    return float(f"{math.ceil(x / power * 1.01) * power:.0e}")


def _has_a_gradient_nearby(function: Function) -> bool:
    return not isinstance(function, Foreign) or function.is_callable


def _function_of(
    f: Callable[..., Any], args: tuple[Any, ...], gradient: Gradient, order: int, seed: int
) -> Function:
    """Return the user's function with its arguments, ready to be evaluated."""
    point = Point(args, names_of(f, len(args)))
    if gradient is not None:
        return Foreign(f, point, gradient)
    return (Closure if takes_leaves(f, args) else Recorded)(f, point, order, seed)
