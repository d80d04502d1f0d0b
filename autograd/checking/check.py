"""Compare gradients with differences, say how far that can be trusted, and name what is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from autograd.checking.adapter import adapted
from autograd.checking.claim import Claim
from autograd.checking.direction import Direction, random_directions, single
from autograd.checking.foreign import Foreign, Gradient
from autograd.checking.function import Function
from autograd.checking.line import BUDGET, Sample, drawn_speed
from autograd.checking.linearization import total
from autograd.checking.point import Point
from autograd.checking.recorded import Closure, Recorded
from autograd.checking.report import InputCheck, Report
from autograd.checking.signature import names_of, takes_leaves
from autograd.errors import quoted
from autograd.operand import real

MANY = 200
"""From this many scalars on, random directions are checked in place of single inputs."""

NAMED = 10
"""Of inputs among many whose derivative is not finite, this many are checked one by one."""

FEWEST = 9
"""With fewer evaluations left, nothing more is tried."""

LITTLE = 0.02
"""What is off by less may be the fault of an approximate function."""

NEARBY = 0.0137
"""Where a point nearby lies, per unit of the input or of 1."""


class Request(NamedTuple):
    """What was asked for, beside the function and the point: see `gradcheck`."""

    rtol: float | None
    atol: float | None
    evaluations: int | None
    seed: int


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
        TypeError: ``args`` is empty or malformed, or doesn't fit ``f``.
        DomainError: ``f`` is undefined at ``args``.

    Cost: at most 30 evaluations of ``f`` per input, mostly 9; in random directions, at most 90
    in all. Each result of ``f`` costs as much, or three combinations if there are more than 8.

    >>> print(gradcheck(lambda x, y: x**2 * y, 3.0, 5.0))  # doctest: +ELLIPSIS
    input  analytic  numeric  difference  tolerance  verdict
    x            30       30     ...  ok
    y             9        9     ...  ok
    """
    if not args:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is 1, 2, ..., got {quoted(order)}")
    if order > 1 and gradient is not None and not callable(gradient):
        raise ValueError("order 2 looks at the gradient nearby: give gradient as a function")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not real(tolerance) >= 0:
            raise ValueError(f"{name} is a number of at least 0, got {quoted(tolerance)}")
    if evaluations is not None and evaluations < FEWEST + 1:
        raise ValueError(f"evaluations is at least {FEWEST + 1}, got {quoted(evaluations)}")
    request = Request(rtol, atol, evaluations, seed)
    if (other := adapted(f, args, gradient)) is not None:
        f, args, gradient = other

    def new(k: int) -> Function:
        return _function_of(f, args, gradient, k, seed)

    check = Check(request, new)
    check.run(order)
    return check.report()


class Check:
    """A check as it goes on: functions, verdicts, notes."""

    def __init__(self, request: Request, new: Callable[[int], Function]) -> None:
        self.request = request
        self._new = new
        self._functions: list[Function] = []
        self._checks: list[InputCheck] = []
        self._notes: dict[str, None] = {}

    def run(self, order: int) -> None:
        """Check all orders, one after the other."""
        for k in range(1, order + 1):
            function = self._start(k)
            x = function.point.numbers
            function.look(x)
            if k == 1 or not isinstance(function, Foreign):
                self._checks += self._results(function, x, k)
            if k == 1:
                self._use_twice(function, x)
            if k == 2:
                self._look_nearby(x)
        self._try_the_vacuous()

    def report(self) -> Report:
        """Return what was found."""
        self._tell_of_approximation()
        first = self._functions[0]
        return Report(
            tuple(self._checks),
            sum(function.evaluations for function in self._functions),
            first.root if first.is_scalar else None,
            list(self._notes),
            first.point,
        )

    def _tell_of_approximation(self) -> None:
        """Say which tolerance would accept what is off by little, each wrong input alike."""
        wrong = [c for c in self._checks if c.verdict == "wrong"]
        shares = [abs(c.analytic / c.numeric - 1) if c.numeric else math.inf for c in wrong]
        if wrong and isinstance(self._functions[0], Foreign) and max(shares) <= LITTLE:
            rtol = _rounded_up(max(shares))
            self._notes[
                f"off by {max(shares):.1e} of the differences at most; if f is itself approximate "
                f"(a solver's tolerance), rtol={rtol:g} accepts it"
            ] = None

    def _start(self, k: int) -> Function:
        self._functions.append(self._new(k))
        return self._functions[-1]

    def _left(self) -> int:
        """Return how many evaluations may still be made, along one line at most."""
        if self.request.evaluations is None:
            return BUDGET
        made = sum(function.evaluations for function in self._functions)
        return min(BUDGET, self.request.evaluations - made)

    def _results(self, function: Function, x: list[float], order: int) -> Iterator[InputCheck]:
        """Yield the verdicts on every result, in every direction."""
        for result, weights in function.combinations(self.request.seed):
            middle = function.select(weights)
            for check in self._inputs(function, x, middle, order):
                label = f"{result} by {check.label}" if result else check.label
                yield replace(check, label=label)

    def _inputs(
        self, function: Function, x: list[float], middle: Sample, order: int
    ) -> Iterator[InputCheck]:
        """Yield the verdicts on one result, in every direction, or as far as the budget goes."""
        budget = self.request.evaluations
        if budget is None and len(x) < MANY:
            for i in range(len(x)):
                yield self._judge(function, x, middle, single(function.point, i), order)
            return
        finite = [i for i in range(len(x)) if math.isfinite(function.gradient[i])]
        odd = [i for i in range(len(x)) if not math.isfinite(function.gradient[i])]
        for i in odd[:NAMED]:
            if self._left() >= FEWEST:
                yield self._judge(function, x, middle, single(function.point, i), order)
        if len(odd) > NAMED:
            self._notes[f"{len(odd):,} derivatives are not finite; {NAMED} were looked at"] = None
        if not finite:
            return
        wrong = False
        for direction in random_directions(finite, len(x), self.request.seed):
            if self._left() >= FEWEST:
                check = self._judge(function, x, middle, direction, order)
                wrong = wrong or check.verdict == "wrong"
                yield check
        if budget is not None:
            yield from self._halve(function, x, middle, finite if wrong else [], order)

    def _halve(
        self, function: Function, x: list[float], middle: Sample, suspects: list[int], order: int
    ) -> Iterator[InputCheck]:
        """Yield verdicts on fewer and fewer inputs, one of which at least is wrong."""
        draw = random.Random(self.request.seed)
        name = function.point.label
        found = False
        while suspects and not found and self._left() >= FEWEST:
            half = suspects[: (len(suspects) + 1) // 2]
            label = f"{len(half):,} inputs, {name(half[0])} ... {name(half[-1])}"
            speeds = {i: drawn_speed(draw) for i in half}
            direction = Direction(half[0], label, speeds)
            if len(half) == 1:
                direction = single(function.point, half[0])
            check = self._judge(function, x, middle, direction, order)
            yield check
            found = check.verdict == "wrong" and len(half) == 1
            suspects = half if check.verdict == "wrong" else suspects[len(half) :]
        if suspects and not found:
            self._notes[
                f"the wrong input is one of {len(suspects):,}, {name(suspects[0])} ... "
                f"{name(suspects[-1])}; more evaluations would tell"
            ] = None
        elif not found:
            self._notes[f"left untried: {len(x):,} input(s) one by one"] = None

    def _judge(
        self, function: Function, x: list[float], middle: Sample, direction: Direction, order: int
    ) -> InputCheck:
        """Return the verdict in one direction, with the culprit if an op is to blame."""
        number, label, speeds = direction
        claimed = total(function.gradient[j] * speed for j, speed in speeds.items())
        claim = Claim(claimed, 0.0, self.request.rtol, self.request.atol)
        found = function.compare(speeds, x, middle, claim, self._left())
        culprit = None
        single = len(speeds) == 1
        if found.verdict == "wrong":
            culprit = function.culprit(number if single else None)
            if culprit is None and function.excuse:
                self._notes[function.excuse] = None
        if found.verdict == "noise" and 0 < found.error < math.inf and found.numeric:
            self._notes[
                f"noise: {label} is known to {found.error:.1e} of {abs(found.numeric):.1e}; "
                f"rtol={found.error / abs(found.numeric):.0e} would trust that"
            ] = None
        return InputCheck(
            number, label, claimed, found.numeric, found.error, found.tolerance, found.verdict,
            culprit, found.rate, order, found.verdict == "ok" and claimed == 0 and single,
        )  # fmt: skip

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
        if not function.is_by_hand or not function.is_scalar or self._left() < FEWEST:
            return
        self._functions.append(again)
        again.look_twice(x, _beside(x, 1))
        again.select(None)
        for check in [c for c in self._checks if c.verdict == "ok" and c.index < len(x)]:
            slope = again.gradient[check.index]
            if len(x) < MANY and abs(slope - check.numeric) > check.tolerance:
                self._checks.append(
                    replace(
                        check, label=f"{check.label}, used twice", analytic=slope, verdict="wrong"
                    )
                )
                self._notes[
                    "right if used once: what computes the slopes keeps them where the next use "
                    "overwrites them"
                ] = None

    def _try_the_vacuous(self) -> None:
        """Say of derivatives that are 0 on both sides what a point nearby says."""
        vacuous = [c for c in self._checks if c.vacuous and c.order == 1][:NAMED]
        if not vacuous:
            return
        function = self._functions[0]
        names = ", ".join(check.label for check in vacuous)
        said = f"vacuous: 0 for {names}, as many a wrong rule is there"
        if self._left() >= FEWEST and _has_a_gradient_nearby(function):
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
        self._notes[said] = None

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
            self._functions.append(function)
            return [
                self._judge(function, moved, middle, single(function.point, i), 1)
                for i in which[:MANY]
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
