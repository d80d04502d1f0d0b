"""One function at one point, tried input by input, or in random directions."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace

from autograd.checking.claim import Claim, Comparison
from autograd.checking.direction import Direction, random_directions, single
from autograd.checking.function import Function
from autograd.checking.inquiry import Inquiry
from autograd.checking.line import FEWEST_LEFT, Sample, drawn_speed
from autograd.checking.linearization import total
from autograd.checking.report import InputCheck
from autograd.checking.tie import HAIR, SAME, Sides, joint_directions, places_around

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
        self._sides: dict[int, Sides] = {}

    def results(self) -> Iterator[InputCheck]:
        """Yield the verdicts on every result, in every direction."""
        for result, weights in self.function.combinations(self._inquiry.seed):
            middle = self.function.select(weights)
            for check in self._inputs(middle):
                label = f"{result} by {check.label}" if result else check.label
                yield replace(check, label=label)

    def _together(self, middle: Sample, checks: list[InputCheck]) -> list[InputCheck]:
        """Return the verdicts on one result, those at kinks after these were moved together."""
        sides, self._sides = self._sides, {}
        if len(sides) < 2:
            return checks
        seed = self._inquiry.seed
        for direction in joint_directions(self.function.point, sides, self.function.gradient, seed):
            claimed, found = self._compare(middle, direction)
            if found.verdict != "wrong":
                continue
            allowed = SAME * abs(claimed - found.numeric)
            pairs = places_around(self.x, direction.speeds, sides, seed)
            if all(abs(self._slope(*pair) - found.numeric) <= allowed for pair in pairs):
                self._inquiry.note(
                    f"{direction.label}: each between the slopes to both sides, but not together: "
                    f"moved at once, f has the slope {found.numeric:.6g}, by these {claimed:.6g}"
                )
                return [
                    replace(check, verdict="wrong") if check.index in direction.speeds else check
                    for check in checks
                ]
        return checks

    def _slope(self, above: list[float], below: list[float]) -> float:
        """Return the slope between two points, 2 hairs apart; NaN where f has none."""
        samples = map(self.function.at, (above, below))
        high, low = (math.nan if sample is None else sample.value for sample in samples)
        return (high - low) / (2 * HAIR)

    def _inputs(self, middle: Sample) -> Iterator[InputCheck]:
        """Yield the verdicts on one result, in every direction, or as far as the budget goes."""
        budget = self._inquiry.budget
        if budget is None and len(self.x) < MANY_SCALARS:
            directions = [single(self.function.point, i) for i in range(len(self.x))]
            yield from self._together(middle, [self.judge(middle, d) for d in directions])
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
        claimed, found = self._compare(middle, direction)
        culprit = None
        single = len(speeds) == 1
        left, right = found.sides
        if found.verdict == "kink" and 0 < abs(right - left) < math.inf:
            self._sides[number] = found.sides
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

    def _compare(self, middle: Sample, direction: Direction) -> tuple[float, Comparison]:
        """Return what the gradient says in one direction, and the verdict on that."""
        speeds = direction.speeds
        claimed = total(self.function.gradient[j] * speed for j, speed in speeds.items())
        claim = Claim(claimed, 0.0, self._inquiry.rtol, self._inquiry.atol)
        found = self.function.compare(speeds, self.x, middle, claim, self._inquiry.left)
        return claimed, found
