"""Predict mode asks, hints, keeps score, and never shows the answer first."""

import pytest

from autograd import Stepper, Value
from tests.test_stepper import lecture_neuron


def test_a_perfect_learner() -> None:
    o, _ = lecture_neuron()
    stepper = Stepper(o)
    quiz = stepper.quiz()
    while quiz.event is not None:
        assert quiz.answer(quiz.event.product)
    assert quiz.score == "9 of 9 at the first try"
    assert quiz.question == "that was the last one: 9 of 9 at the first try"
    with pytest.raises(ValueError, match="all questions"):
        quiz.answer(1.0)


def test_a_second_try_counts_less() -> None:
    o, _ = lecture_neuron()
    quiz = Stepper(o).quiz()
    assert quiz.answer(0.9) is False
    assert "d o/d n = 1 - o * o, which is 0.5 here" in quiz.hint()
    assert quiz.answer(0.5) is True
    assert (quiz.asked, quiz.right) == (1, 0)
    assert quiz.give_up() == pytest.approx(0.5)
    assert (quiz.asked, quiz.right) == (2, 0)


def test_the_question_hides_the_answer() -> None:
    x = Value(7.0, "x")
    quiz = Stepper((x * 0.125).exp()).quiz()
    assert quiz.event is not None
    assert str(quiz.event.product)[:6] not in quiz.question


def test_answers_within_tolerance() -> None:
    x = Value(3.0)
    quiz = Stepper(x * (1 / 3)).quiz(tolerance=0.01)
    assert not quiz.answer(0.34)
    assert quiz.answer(0.333)
