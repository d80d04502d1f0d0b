"""Learning-rate schedules, beside PyTorch's rules."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from nn import Neuron, fit
from nn.losses import half_squared_error
from nn.optim import SGD
from nn.schedules import Cosine, Exponential, ReduceOnPlateau, Staircase, WarmUp


def test_step_exponential_and_cosine() -> None:
    assert [Staircase(3, 0.5)(e) for e in range(7)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert [Exponential(0.5)(e) for e in range(4)] == [1, 0.5, 0.25, 0.125]
    cosine = Cosine(8, floor=0.1)
    # One rounding each of cos, sum and product: a few 1.1e-16.
    assert cosine(0) == 1.0
    assert cosine(2) == pytest.approx(0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2, abs=1e-15)
    assert cosine(8) == cosine(20) == 0.1


def test_warm_up_rises_and_hands_over() -> None:
    schedule = WarmUp(4, start=0.5, then=Staircase(1, 0.5))
    assert [schedule(e) for e in (0, 1, 2, 4, 4.5, 5)] == [0.5, 0.625, 0.75, 1.0, 1.0, 0.5]
    assert WarmUp(2)(3) == 1.0


def test_a_plateau_reduces_once_patience_is_over() -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=2)
    scales = []
    for loss in (1.0, 0.5, 0.5, 0.6, 0.5, 0.5, 0.4, 0.4):
        schedule.observe(loss)
        scales.append(schedule(0.0))
    # The best is 0.5; the third loss after it that is no better exceeds the patience of 2.
    assert scales == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    twin = ReduceOnPlateau(factor=0.5, patience=2)
    twin.load_state_dict(schedule.state_dict())
    for loss in (0.4, 0.4):
        schedule.observe(loss)
        twin.observe(loss)
    assert schedule(0.0) == twin(0.0) == 0.25


def test_warm_up_keeps_the_state_of_what_follows() -> None:
    schedule, twin = (WarmUp(1, then=ReduceOnPlateau(0.5, patience=1)) for _ in range(2))
    for _ in range(3):
        schedule.observe(1.0)
    twin.load_state_dict(schedule.state_dict())
    assert twin(1) == schedule(1) == 0.5
    plain = WarmUp(1)
    plain.observe(1.0)
    plain.load_state_dict(plain.state_dict())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Staircase(0), "every must be a whole number, at least 1: got 0"),
        (lambda: Staircase(1, -0.1), "factor must be finite and above 0"),
        (lambda: Exponential(math.nan), "factor must be finite and above 0"),
        (lambda: Cosine(2.5), "epochs must be a whole number"),  # type: ignore[arg-type]
        (lambda: WarmUp(2, start=0), "start must be finite and above 0"),
        (lambda: WarmUp(2, then=0.1), "then must be a schedule: got 0.1"),  # type: ignore[arg-type]
        (lambda: ReduceOnPlateau(1.0), "factor must be below 1"),
    ],
)
def test_bad_settings_are_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_schedules_print_what_they_are() -> None:
    assert repr(WarmUp(2, then=Cosine(8))) == "WarmUp(2, start=0.1, then=Cosine(8, floor=0))"
    assert repr(Staircase(3)) == "Staircase(every=3, factor=0.1)"
    assert repr(Exponential(0.9)) == "Exponential(0.9)"
    assert repr(ReduceOnPlateau()) == "ReduceOnPlateau(factor=0.1, patience=10)"


def test_a_factor_beyond_all_floats_is_named_and_no_overflow() -> None:
    for schedule in (Exponential(1.5), Staircase(1, 1.5)):
        assert schedule(1e6) == math.inf
        assert schedule(2) == 2.25
    model = Neuron(1, seed=0)
    optimizer = SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match="the schedule's factor must be finite and at least 0"):
        fit(
            model,
            ([[1.0]], [1.0]),
            half_squared_error,
            optimizer,
            epochs=2,
            schedule=lambda epoch: Exponential(1.5)(1e6 * epoch),
        )
