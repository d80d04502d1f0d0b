"""What-if: predicted against actual, and why they differ."""

import pytest

from autograd import DomainError, Stepper, Value, exp, log, no_grad, relu, sqrt


def test_linear_functions_are_predicted_exactly() -> None:
    x = Value(3.0, "x")
    outcome = Stepper(2 * x + 1).what_if(x, 5.0)
    assert (outcome.predicted, outcome.actual) == (4.0, 4.0)
    assert outcome.reason.startswith("as predicted")


def test_curvature_is_named() -> None:
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    outcome = Stepper(y).what_if(x, 4.0)
    assert (outcome.predicted, outcome.actual) == (6.0, 7.0)
    assert (outcome.gradient, outcome.new_gradient) == (6.0, 8.0)
    assert str(outcome).splitlines() == [
        "if x were 4.0 instead of 3.0:",
        "  predicted change of y: 6.0 * 1.0 = 6.0",
        "  actual change:         16.0 - 9.0 = 7.0",
        "  curvature: on the way the gradient goes from 6.0 to 8.0",
    ]


def test_a_kink_crossed_is_named() -> None:
    x = Value(-1.0, "x")
    outcome = Stepper(relu(x) * 3).what_if(x, 2.0)
    assert (outcome.predicted, outcome.actual) == (0.0, 6.0)
    assert outcome.kinks == ("n1 = relu(x)",)
    assert outcome.reason == "a kink lies in between: n1 = relu(x)"


def test_an_inner_node_with_value_zero() -> None:
    x = Value(0.0, "x")
    h = x * 2
    h.label = "h"
    y = h * h + x + h
    outcome = Stepper(y).what_if(h, 1.0)
    assert (outcome.before, outcome.after) == (0.0, 2.0)
    outcome = Stepper(y).what_if(x, 1.0)
    assert (outcome.before, outcome.after) == (0.0, 7.0)


def test_the_root_itself() -> None:
    y = Value(3.0) * 2
    outcome = Stepper(y).what_if(y, 1.0)
    assert (outcome.predicted, outcome.actual) == (-5.0, -5.0)


def test_the_original_is_untouched() -> None:
    x = Value(3.0, "x")
    y = x * x
    y.backward()
    stepper = Stepper(y)
    before = [str(event) for event in stepper.events]
    stepper.what_if(x, 10.0)
    assert (x.data, x.grad, y.data) == (3.0, 6.0, 9.0)
    assert [str(event) for event in stepper.events] == before


@pytest.mark.parametrize("value", [1000.0, -1000.0])
def test_an_overflow_on_the_way_is_no_agreement(value: float) -> None:
    x = Value(1.0, "x")
    outcome = Stepper(exp(x) - exp(-x)).what_if(x, value)
    assert outcome.reason == "not to be compared: a number on the way is infinite or NaN"


def test_without_recording_there_is_a_new_gradient_all_the_same() -> None:
    x = Value(3.0, "x")
    stepper = Stepper(x * x)
    with no_grad():
        assert stepper.what_if(x, 4.0).new_gradient == 8.0


def test_bad_input() -> None:
    x = Value(3.0, "x")
    stepper = Stepper(log(x) + 1)
    with pytest.raises(DomainError, match=r"x can't be -1.0: log\(-1.0\) .* in n1 = log\(x\)"):
        stepper.what_if(x, -1.0)
    with pytest.raises(TypeError, match="expected a real number"):
        stepper.what_if(x, "a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not part of this run"):
        stepper.what_if(Value(1.0), 2.0)


def test_a_gradient_that_is_undefined_at_the_new_value() -> None:
    x = Value(4.0, "x")
    outcome = Stepper(sqrt(x)).what_if(x, 0.0)
    assert outcome.after == 0.0
    assert "curvature" in outcome.reason
