"""Inputs at kinks, moved together: no subgradient is wrong, and what is none mostly is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autograd import Op, gradcheck, maximum, minimum, relu, tanh
from autograd.checking import measured
from autograd.checking.claim import Claim
from autograd.checking.differences import Sampler, compare
from autograd.checking.line import BUDGET
from autograd.checking.point import Point
from autograd.checking.report import Report
from autograd.checking.tie import ANYWHERE, Sides, joint_directions, places_around
from tests.test_stencil import line_of


def verdicts(report: Report) -> list[str]:
    return [check.verdict for check in report.inputs]


def relu_(t: float) -> float:
    return max(t, 0.0)


F = Callable[[Sequence[float]], float]

TIES: dict[str, tuple[F, list[float], list[list[float]], list[list[float]]]] = {
    "max": (max, [1, 1], [[1, 0], [0, 1], [0.5, 0.5]], [[1, 1], [0, 0], [0.9, 0], [0.6, 0.6]]),
    "max, at 0": (max, [0, 0], [[1, 0], [0.5, 0.5]], [[1, 1], [0, 0]]),
    "max, far out": (max, [1e6, 1e6], [[1, 0], [0.5, 0.5]], [[1, 1], [0, 0]]),
    "max of three": (max, [2, 2, 2], [[1, 0, 0], [1 / 3] * 3], [[1, 1, 1], [1, 1, 0], [0] * 3]),
    "unlike speeds": (
        lambda v: max(2 * v[0], 3 * v[1]), [3, 2], [[2, 0], [1, 1.5]], [[2, 3], [0, 0]],
    ),
    "unlike signs": (lambda v: max(v[0], -v[1]), [1, -1], [[1, 0], [0.5, -0.5]], [[1, -1], [0, 0]]),
    "min": (min, [1, 1], [[1, 0], [0.5, 0.5]], [[1, 1], [0, 0]]),
    "max, curved": (
        lambda v: math.exp(max(v)), [1, 1], [[math.e, 0], [math.e / 2] * 2], [[math.e] * 2, [0, 0]],
    ),
    "max and a slope": (
        lambda v: max(v) + 0.5 * v[0] - v[1], [1, 1],
        [[1.5, -1], [0.5, 0], [1, -0.5]], [[1.5, 0], [0.5, -1]],
    ),
    "max and |c|": (
        lambda v: max(v[0], v[1]) + abs(v[2]), [1, 1, 0],
        [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 1]], [[1, 1, 0]],
    ),
    "max and many relus": (
        lambda v: max(v[0], v[1]) + sum(map(relu_, v[2:])), [1, 1, 0, 0],
        [[1, 0, 0, 0], [0, 1, 1, 1], [0.5, 0.5, 1, 0]], [[1, 1, 0, 0]],
    ),
    "|a - b|": (
        lambda v: abs(v[0] - v[1]), [1, 1], [[0, 0], [1, -1], [-0.5, 0.5]], [[1, 1], [1, 0]],
    ),
    "relu of a sum": (lambda v: relu_(v[0] + v[1]), [0, 0], [[0, 0], [1, 1], [0.5, 0.5]], [[1, 0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", TIES)
def test_a_subgradient_is_a_kink_and_what_is_none_is_wrong(name: str) -> None:
    f, x, right, wrong = TIES[name]
    for gradient in right:
        report = gradcheck(f, x, gradient=[gradient])
        assert report.ok
        assert not report.notes
        assert report.evaluations <= (BUDGET + 2) * len(x) + 128
    for gradient in wrong:
        report = gradcheck(f, x, gradient=[gradient])
        assert verdicts(report).count("wrong") >= 2
        assert report.evaluations <= (BUDGET + 2) * len(x) + 128


LENIENT: dict[str, tuple[F, list[float], list[float]]] = {
    # As engines have them: 0 for relu at 0, though f is a there along (1, -1).
    "relu - relu": (lambda v: relu_(v[0]) - relu_(v[1]), [0, 0], [0, 0]),
    "relu - relu of minus": (lambda v: relu_(v[0]) - relu_(-v[1]), [0, 0], [0, 0]),
    "|a| - |b|": (lambda v: abs(v[0]) - abs(v[1]), [0, 0], [1, 1]),
    "weights of 0": (
        lambda v: 2 * relu_(v[0] + 2 * v[1]) - 2 * relu_(v[2] - v[3]), [0, 0, 0, 0], [0] * 4,
    ),
    "three pairs": (
        lambda v: max(v[:2]) - 2 * max(v[2:4]) + max(v[4:]) / 2, [1, 1, 2, 2, 3, 3],
        [1, 0, 0, -2, 0.25, 0.25],
    ),
    "weighted ranks": (
        lambda v: sum(w * t for w, t in zip((1, -2, 3), sorted(v), strict=True)), [1, 1, 5],
        [-2, 1, 3],
    ),
    "norm": (lambda v: math.hypot(*v), [0, 0], [0.6, -0.8]),
    "hinges": (lambda v: relu_(v[0] - v[1]) + relu_(v[1] - 2 * v[0]), [0, 0], [0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", LENIENT)
def test_what_some_choice_of_subgradients_explains_is_a_kink(name: str) -> None:
    f, x, gradient = LENIENT[name]
    assert "wrong" not in verdicts(gradcheck(f, x, gradient=[gradient]))


def test_what_the_engine_says_at_ties_is_right() -> None:
    functions: list[Callable[[Any, Any], Any]] = [
        maximum, minimum, lambda a, b: tanh(maximum(a, b)), lambda a, b: relu(a) - relu(b),
        lambda a, b: relu(a - b) + b, lambda a, b: abs(a - b), lambda a, b: maximum(a, b) * a,
        lambda a, b: maximum(a, b) - 2 * minimum(a, b), lambda a, b: abs(maximum(a, b) - b),
    ]  # fmt: skip
    for f in functions:
        for x in (0.0, 0.3, -2.0):
            assert gradcheck(f, x, x).ok


@pytest.mark.parametrize(("slopes", "is_wrong"), [((1, 1), True), ((0, 0), True), ((0, 1), False)])
def test_a_row_of_ones_own_at_its_tie(slopes: tuple[float, float], is_wrong: bool) -> None:
    rules = [lambda y, a, b, s=s: s + 0 * a for s in slopes]
    larger = Op("larger", max, tuple(rules), kinks=lambda a, b: (a - b,))
    report = gradcheck(lambda a, b: 2 * larger(a, b), 0.3, 0.3)
    assert verdicts(report) == ["wrong" if is_wrong else "kink"] * 2


def test_the_report_says_which_inputs_and_what_f_does() -> None:
    report = gradcheck(lambda a, c, b: max(2 * a, 3 * b) + c, 3.0, 1.0, 2.0, gradient=[2, 1, 3])
    assert verdicts(report) == ["wrong", "ok", "wrong"]
    assert report.notes == (
        "a and b: each between the slopes to both sides, but not together: moved at once, f has "
        "the slope 6, by these 12",
    )


def test_each_result_has_ties_of_its_own() -> None:
    def f(a: float, b: float, c: float) -> list[float]:
        return [max(a, b), max(b, c), a]

    report = gradcheck(f, 1.0, 1.0, 1.0, gradient=[[0.5, 0.5, 0], [0, 1, 1], [1, 0, 0]])
    assert verdicts(report) == ["kink", "kink", "ok", "ok", "wrong", "wrong", "ok", "ok", "ok"]


def test_where_f_ends_around_the_tie_nothing_more_is_known() -> None:
    def f(a: float, b: float) -> float:
        if a != b and a != 1 and b != 1:
            raise ValueError("off the axes and off the tie")
        return max(a, b)

    assert verdicts(gradcheck(f, 1.0, 1.0, gradient=[1, 1])) == ["kink", "kink"]


def test_slopes_around_need_to_be_one_to_a_tenth_of_what_is_off() -> None:
    """Along (1, 1) f has the slope 1 + steep * c, and c moves as well; these say 2."""
    for steep, verdict in ((50, "wrong"), (200, "kink")):
        f = lambda a, b, c, steep=steep: max(a, b) * (1 + steep * c)
        report = gradcheck(f, 1.0, 1.0, 0.0, gradient=[1, 1, steep])
        assert verdicts(report) == [verdict, verdict, "ok"]


def test_the_slopes_to_both_sides_are_told_from_left_to_right() -> None:
    line = line_of(lambda t: max(-t, 3 * t))
    assert measured.judge(line, Claim(1.0)).sides == pytest.approx((-1.0, 3.0))
    line = line_of(lambda t: max(-t, 3 * t))
    sides = compare(Sampler(line, 1e-16), Claim(1.0), [0.125]).sides
    assert sides == pytest.approx((-1.0, 3.0))


def test_jumps_have_no_part_in_a_tie() -> None:
    report = gradcheck(lambda a, b: math.floor(a) + abs(b), 2.0, 0.0, gradient=[0, 0])
    assert verdicts(report) == ["kink", "kink"]


def ways(
    sides: dict[int, Sides], gradient: list[float], x: Sequence[float] = (0.0,) * 4, seed: int = 0
) -> list[tuple[int, str, dict[int, float]]]:
    return [tuple(d) for d in joint_directions(Point((list(x),), ("v",)), sides, gradient, seed)]  # type: ignore[misc]


def test_all_are_moved_so_that_f_bends_alike_then_those_that_claim_alike() -> None:
    sides = {0: (0.0, 2.0), 1: (-4.0, 0.0), 3: (1.0, 0.0)}
    names = "v[0] and v[1] and v[3]"
    assert ways(sides, [2.0, -4.0, 9.0, 0.0]) == [
        (0, names, {0: 0.5, 1: -0.25, 3: 1.0}),
        (0, "v[0] and v[1]", {0: 1.0, 1: -0.5}),
    ]
    assert ways(sides, [1.0, -4.0, 9.0, 0.5])[1] == (0, "v[0] and v[3]", {0: 0.5, 3: 1.0})
    assert ways(sides, [1.001, 0.0, 9.0, 0.501])[1] == (0, "v[0] and v[3]", {0: 0.5, 3: 1.0})
    both = {1: (0.0, 1.0), 2: (0.0, 1.0)}
    assert [way[2] for way in ways(both, [0.0, 1.0, 1.0])] == [{1: 1.0, 2: 1.0}, {1: 1.0, 2: -1.0}]
    assert [way[2] for way in ways(both, [0.0, 1.0, 0.0])] == [{1: 1.0, 2: 1.0}, {1: 1.0, 2: -1.0}]


def test_some_are_turned_at_random_where_all_claim_alike() -> None:
    sides = dict.fromkeys(range(4), (0.0, 1.0))
    for seed, turned in ((0, {1}), (1, {1, 2}), (2, {1}), (29, {1, 3})):
        speeds = {i: -1.0 if i in turned else 1.0 for i in range(4)}
        assert ways(sides, [1.0] * 4, seed=seed)[1][2] == speeds


def test_f_rises_by_each_or_as_is_claimed_where_it_rises_to_both_sides() -> None:
    for left, right, claims, sign in [
        (-1.0, 1.0, 0.5, 1), (-1.0, 1.0, -0.5, -1), (-1.0, 1.0, 0.0, 1), (1.0, -1.0, -0.5, -1),
        (-1.0, 1.2, -0.5, -1), (-1.0, 1.3, -0.5, 1), (-1.3, 1.0, 0.5, -1), (1.3, -1.0, -0.5, 1),
    ]:  # fmt: skip
        first, *_ = ways({0: (0.0, 1.0), 1: (left, right)}, [0.0, claims])
        assert math.copysign(1, first[2][1]) == sign


def test_nothing_moves_by_more_than_itself_or_1() -> None:
    sides = {0: (0.0, 1.0), 1: (0.0, 2.0)}
    for x, speeds in (
        ((4.0, -0.5, 0.0, 0.0), {0: 1.0, 1: 0.5}),
        ((4.0, 100.0, 0.0, 0.0), {0: 4.0, 1: 2.0}),
        ((0.0, 1e-3, 0.0, 0.0), {0: 2e-3, 1: 1e-3}),
    ):
        assert ways(sides, [0.0, 0.0], x)[0][2] == pytest.approx(speeds)


def test_places_around_lie_where_f_rises_least_then_most_then_anywhere() -> None:
    x, speeds = [1.0, -2.0, 0.0, 50.0], {0: 0.5, 1: -0.25}
    sides = {0: (0.0, 1.0), 1: (0.0, -1.0)}
    places = list(places_around(x, speeds, sides, 0))
    assert len(places) == 2 + ANYWHERE == 18
    offsets = []
    for above, below in places:
        apart = [a - b for a, b in zip(above, below, strict=True)]
        assert apart == pytest.approx([1e-4, -5e-5, 0.0, 0.0], abs=1e-12)
        offsets.append([(a + b) / 2 - t for a, b, t in zip(above, below, x, strict=True)])
    # In units of the way, where the first slope grows to the right and so does the second.
    units = [(dx / 5e-4, dy / 2.5e-4, dz / 1e-3, dw / 0.05) for dx, dy, dz, dw in offsets]
    assert all(-1.5 < u < -0.5 for u in units[0][:2])
    assert all(0.5 < u < 1.5 for u in units[1][:2])
    rest = [*units[0][2:], *units[1][2:], *(u for unit in units[2:] for u in unit)]
    assert all(abs(u) < 1.5 for u in rest)
    far = [p[0][2] / 1e-3 for seed in range(20) for p in places_around(x, speeds, sides, seed)]
    assert min(far) < -1.4
    assert max(far) > 1.4
    assert min(map(abs, far)) < 0.1
    least = [next(places_around(x, speeds, sides, seed))[0][0] - 1.0 for seed in range(20)]
    assert -7e-4 < min(least) < -6e-4
    assert -3e-4 < max(least) < -2e-4
    assert places == list(places_around(x, speeds, sides, 0))
    assert places != list(places_around(x, speeds, sides, 1))
    turned, _ = next(places_around(x, {0: -0.5, 1: 0.25}, sides, 0))
    assert turned[0] > 1.0
    assert turned[1] > -2.0


def test_many_inputs_at_kinks_are_named_in_short() -> None:
    report = gradcheck(lambda v: max(v), [1.0] * 5, gradient=[[1.0] * 5])
    assert set(verdicts(report)) == {"wrong"}
    assert report.notes[0].startswith("5 inputs, v[0] ... v[4]: each between")
    report = gradcheck(lambda v: max(v), [1.0] * 4, gradient=[[1.0] * 4])
    assert report.notes[0].startswith("v[0] and v[1] and v[2] and v[3]: each between")
