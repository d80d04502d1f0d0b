"""One function at one point, tried input by input, or in random directions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace

from autograd.checking.claim import Claim
from autograd.checking.direction import Direction, random_directions, single
from autograd.checking.function import Function
from autograd.checking.inquiry import Inquiry
from autograd.checking.line import FEWEST_LEFT, Sample, drawn_speed
from autograd.checking.linearization import total
from autograd.checking.report import InputCheck

MANY_SCALARS = 200
"""From this many scalars on, random directions are checked in place of single inputs."""

CHECKED_SINGLY = 10
"""Of inputs among many whose derivative is not finite, this many are checked one by one."""


class Trial:
    """A function at one point, on trial."""

    def __init__(
        self, inquiry: Inquiry, function: Function, x: list[float], order: int = 1
    ) -> None:
        self.function, self.x, self.order = function, x, order
        self._inquiry = inquiry

    def results(self) -> Iterator[InputCheck]:
        """Yield the verdicts on every result, in every direction."""
        for result, weights in self.function.combinations(self._inquiry.seed):
            middle = self.function.select(weights)
            for check in self._inputs(middle):
                label = f"{result} by {check.label}" if result else check.label
                yield replace(check, label=label)

    def _inputs(self, middle: Sample) -> Iterator[InputCheck]:
        """Yield the verdicts on one result, in every direction, or as far as the budget goes."""
        budget = self._inquiry.budget
        if budget is None and len(self.x) < MANY_SCALARS:
            for i in range(len(self.x)):
                yield self.judge(middle, single(self.function.point, i))
            return
        finite = [i for i in range(len(self.x)) if math.isfinite(self.function.gradient[i])]
        odd = [i for i in range(len(self.x)) if not math.isfinite(self.function.gradient[i])]
        for i in odd[:CHECKED_SINGLY]:
            if self._inquiry.left >= FEWEST_LEFT:
                yield self.judge(middle, single(self.function.point, i))
        if len(odd) > CHECKED_SINGLY:
            self._inquiry.note(
                f"{len(odd):,} derivatives are not finite; {CHECKED_SINGLY} were looked at"
            )
        if not finite:
            return
        wrong = False
        for direction in random_directions(finite, len(self.x), self._inquiry.seed):
            if self._inquiry.left >= FEWEST_LEFT:
                check = self.judge(middle, direction)
                wrong = wrong or check.verdict == "wrong"
                yield check
        if budget is not None:
            yield from self._halve(middle, finite if wrong else [])

    def _halve(self, middle: Sample, suspects: list[int]) -> Iterator[InputCheck]:
        """Yield verdicts on fewer and fewer inputs, one of which at least is wrong."""
        draw = random.Random(self._inquiry.seed)
        name = self.function.point.label
        found = False
        while suspects and not found and self._inquiry.left >= FEWEST_LEFT:
            half = suspects[: (len(suspects) + 1) // 2]
            label = f"{len(half):,} inputs, {name(half[0])} ... {name(half[-1])}"
            speeds = {i: drawn_speed(draw) for i in half}
            direction = Direction(half[0], label, speeds)
            if len(half) == 1:
                direction = single(self.function.point, half[0])
            check = self.judge(middle, direction)
            yield check
            found = check.verdict == "wrong" and len(half) == 1
            suspects = half if check.verdict == "wrong" else suspects[len(half) :]
        if suspects and not found:
            self._inquiry.note(
                f"the wrong input is one of {len(suspects):,}, {name(suspects[0])} ... "
                f"{name(suspects[-1])}; more evaluations would tell"
            )
        elif not found:
            self._inquiry.note(f"left untried: {len(self.x):,} input(s) one by one")

    def judge(self, middle: Sample, direction: Direction) -> InputCheck:
        """Return the verdict in one direction, with the culprit if an op is to blame."""
        number, label, speeds = direction
        claimed = total(self.function.gradient[j] * speed for j, speed in speeds.items())
        claim = Claim(claimed, 0.0, self._inquiry.rtol, self._inquiry.atol)
        found = self.function.compare(speeds, self.x, middle, claim, self._inquiry.left)
        culprit = None
        single = len(speeds) == 1
        if found.verdict == "wrong":
            culprit = self.function.culprit(number if single else None)
            if culprit is None and self.function.excuse:
                self._inquiry.note(self.function.excuse)
        if found.remark:
            self._inquiry.note(f"{label}: {found.remark}")
        elif found.verdict == "noise" and 0 < found.error < abs(found.numeric):
            self._inquiry.note(
                f"noise: {label} is known to {found.error:.1e} of {abs(found.numeric):.1e}; "
                f"rtol={found.error / abs(found.numeric):.0e} would trust that"
            )
        return InputCheck(
            number, label, claimed, found.numeric, found.error, found.tolerance, found.verdict,
            culprit, found.rate, self.order, found.verdict == "ok" and claimed == 0 and single,
        )  # fmt: skip
