"""The wrong ways go wrong where they should, and only there."""

import math

import pytest
from hypothesis import given

from autograd import DomainError, Stepper, Value
from autograd.testing.strategies import expressions


def diamond() -> tuple[Value, Value, Stepper]:
    a = Value(1.0, "a")
    b = a + a
    b.label = "b"
    return a, b, Stepper(b + b * a)


def test_without_a_sort() -> None:
    a, b, stepper = diamond()
    mistake = stepper.wrong_way("no sort")
    assert mistake.parting == 2
    assert mistake.right is not None
    assert mistake.wrong is not None
    assert mistake.right[:3] == mistake.wrong[:3] == (b, 0, a)
    assert (mistake.right.upstream, mistake.wrong.upstream) == (2.0, 1.0)
    assert mistake.gradients == {a: (6.0, 8.0)}
    assert "a  8.0 instead of 6.0" in str(mistake)


def test_the_expression_of_the_threads() -> None:
    """b = a + a; c = b + b: the counter-example to every recursion without a sort."""
    a = Value(1.0, "a")
    b = a + a
    mistake = Stepper(b + b).wrong_way("no sort")
    assert mistake.parting is None  # b is one node of _prev, though it is used twice
    assert "no node passes anything on before it has received all that is not 0" in str(mistake)
    assert Stepper(b + b * b).wrong_way("no sort").gradients == {a: (10.0, 12.0)}


def test_another_order_alone_is_no_mistake() -> None:
    a, c = Value(2.0, "a"), Value(3.0, "c")
    mistake = Stepper((a * c) + (a - c)).wrong_way("no sort")
    assert mistake.steps != mistake.recording.steps
    assert (mistake.parting, mistake.right, mistake.gradients) == (None, None, {})
    assert "makes no difference" in str(mistake)
    assert "instead of" not in str(mistake)


def test_what_only_rounds_differently_is_no_mistake() -> None:
    x = Value(1.0, "x")
    mistake = Stepper((x * 0.1 + x * 0.2) + x * 0.3).wrong_way("no sort")
    assert mistake.steps[-1].total != mistake.recording.steps[-1].total
    assert (mistake.parting, mistake.gradients) == (None, {})


def test_a_contribution_of_0_may_be_lost() -> None:
    x = Value(0.0, "x")
    mistake = Stepper(3 * x + x * x).wrong_way("overwrite")
    assert (mistake.parting, mistake.gradients) == (None, {})
    assert "no node loses a contribution that is not 0" in str(mistake)


def test_overwriting() -> None:
    a, b, stepper = diamond()
    mistake = stepper.wrong_way("overwrite")
    assert mistake.gradients == {a: (6.0, 1.0), b: (2.0, 1.0)}


def test_without_zero_grad() -> None:
    a, _, stepper = diamond()
    mistake = stepper.wrong_way("no zero_grad")
    assert mistake.gradients == {a: (6.0, 12.0)}
    a.grad = 0.0
    stepper.recording.root.backward()
    stepper.recording.root.backward()
    assert a.grad == 12.0


def test_a_second_pass_after_one_without_gradients_does_no_harm() -> None:
    mistake = Stepper(Value(2.0) * 3, seed=0.0).wrong_way("no zero_grad")
    assert "the gradients of the first are all 0" in str(mistake)


def test_harmless_on_a_chain() -> None:
    x = Value(2.0, "x")
    stepper = Stepper((x * 3).exp())
    for way in ("no sort", "overwrite"):
        mistake = stepper.wrong_way(way)
        assert mistake.parting is None
        assert not mistake.gradients
        assert "makes no difference" in str(mistake)


def test_undefined_numbers_are_no_difference() -> None:
    x = Value(2.0, "x")
    stepper = Stepper((x * 3).exp() * math.nan)
    for way in ("no sort", "overwrite"):
        mistake = stepper.wrong_way(way)
        assert (mistake.parting, mistake.gradients) == (None, {})


def test_the_wrong_pass_is_over_the_numbers_recorded() -> None:
    x = Value(2.0, "x")
    stepper = Stepper((x * x).exp())
    before = str(stepper.wrong_way("overwrite"))
    x.data = 5.0
    assert str(stepper.wrong_way("overwrite")) == before


def test_an_exponential_walk_is_cut() -> None:
    y = Value(1.0)
    for _ in range(40):
        y = y * y.tanh()
    mistake = Stepper(y).wrong_way("no sort")
    assert mistake.cut
    assert "stopped after" in str(mistake)


@pytest.mark.long
@given(expressions())
def test_a_difference_in_the_end_starts_at_a_parting(program) -> None:
    try:
        stepper = Stepper(program.values()[-1])
    except DomainError:
        return
    for way in ("no sort", "overwrite", "no zero_grad"):
        mistake = stepper.wrong_way(way)
        if mistake.gradients:
            assert mistake.parting is not None
            assert mistake.right != mistake.wrong


def test_an_unknown_way() -> None:
    with pytest.raises(ValueError, match="the wrong ways are 'no sort', 'overwrite'"):
        diamond()[2].wrong_way("sideways")
