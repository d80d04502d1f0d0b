"""An exercise sheet asks without answering, and its solutions are the run's numbers."""

import re

import pytest
from hypothesis import given

from autograd import DomainError, Stepper, Value, relu, scope
from autograd.stepping.notation import show
from autograd.testing.strategies import expressions
from tests.test_stepper import lecture_neuron


def test_the_lectures_neuron_as_text() -> None:
    o, _ = lecture_neuron()
    lines = str(Stepper(o).exercises(most=3)).splitlines()
    assert lines == [
        "Exercises on the gradients of o",
        "",
        "Given: n2 = -6.0, x2 = 0.0, w2 = 1.0, b = 6.88137",
        "Computed: n5 = x2 * w2, n6 = n2 + n5, n = n6 + b, o = tanh(n)",
        "",
        "1. What are n5, n6, n and o?",
        "2. o = tanh(n) passes d o/d o = 1.0 on to n. What does it add to d o/d n?",
        "3. n = n6 + b passes d o/d n on to n6. What does it add to d o/d n6?",
        "4. n5 = x2 * w2 passes d o/d n5 = 0.5 on to x2. What does it add to d o/d x2?",
        "",
        "Solutions",
        "",
        "1. n5 = 0.0, n6 = -6.0, n = 0.881374, o = 0.707107",
        "2. d o/d n = 1 - o * o = 0.5, so 1.0 * 0.5 = 0.5",
        "3. d n/d n6 = 1.0, so 0.5 * 1.0 = 0.5",
        "4. d n5/d x2 = w2 = 1.0, so 0.5 * 1.0 = 0.5",
    ]


def test_every_rule_is_asked_for_before_any_comes_again() -> None:
    x = Value(0.5, "x")
    y = x
    for _ in range(20):
        y = y * 1.5
    sheet = Stepper(relu(y.tanh()) + x.exp()).exercises(most=5)
    assert sorted(edge.node.op.name for edge in sheet.edges if edge.node.op) == [
        "add", "exp", "mul", "relu", "tanh",
    ]  # fmt: skip
    assert [edge.index for edge in sheet.edges] == sorted(edge.index for edge in sheet.edges)


@pytest.mark.long
@given(expressions())
def test_solutions_are_the_numbers_of_the_run_and_no_question_gives_one_away(program) -> None:
    try:
        stepper = Stepper(program.values()[-1])
    except DomainError:
        return
    sheet = stepper.exercises(most=4)
    found = sheet.exercises()
    values, rest = (found[:1], found[1:]) if sheet.edges else ([], found)
    assert len(values) == bool(sheet.edges)
    for edge, exercise in zip(sheet.edges, rest, strict=False):
        assert exercise.solution.endswith(f" = {show(edge.product + 0.0)}")
        asked = exercise.question.rpartition(". What does it add to ")[2].rstrip("?")
        given_away = [f"{asked} = " in other.question for other in rest]
        users = stepper.recording.incoming[edge.arg]
        if {event.index for event in sheet.edges}.issuperset(users):
            assert not any(given_away)


def test_sums_are_asked_for_where_several_contributions_meet() -> None:
    x = Value(3.0, "x")
    (_, *edges, total) = Stepper(x * x + 2 * x).exercises().exercises()
    assert len(edges) == 5
    assert total.question == "3 contributions reach x. What is d n3/d x?"
    assert total.solution == "2.0 + 3.0 + 3.0 = 8.0"
    (*_, partial) = Stepper(x * x + 2 * x).exercises(most=3).exercises()
    assert partial.question == (
        "3 contributions reach x. The one not asked for here is 3.0. What is d n3/d x?"
    )
    assert partial.solution == "2.0 + 3.0 + 3.0 = 8.0"
    assert [edge.question.partition(" on to ")[2] for edge in edges[-2:]] == [
        f"x as argument {k}. What does it add to d n3/d x?" for k in (1, 2)
    ]
    many = Value(1.0, "x")
    assert "(6 more)" in str(Stepper(sum(many * i for i in range(10))).exercises(most=100))


def test_no_sum_is_asked_for_that_another_question_tells() -> None:
    x = Value(3.0, "x")
    h = x * x
    h.label = "h"
    sheet = Stepper(h * 2 + h * 2 + h * 2 + h.exp()).exercises(most=5).exercises()
    asked = [exercise.question for exercise in sheet]
    assert any("passes d n8/d h = 8109.08 on to x" in question for question in asked)
    assert not any("reach h" in question for question in asked)


def test_a_zero_has_no_sign_on_a_sheet() -> None:
    sheet = str(Stepper(-(Value(2.0, "x") * 0.0)).exercises())
    assert "0.0" in sheet
    assert not re.search(r"-0\.0(?!\d)", sheet)


def test_markdown_and_latex() -> None:
    with scope("layers.0"):
        w = Value(2.0, "layers.0.w_1")
        out = w * Value(-3.0, "θ₁")
    sheet = Stepper(out).exercises()
    markdown = sheet.markdown()
    assert markdown.startswith("# Exercises on the gradients of $n_{2}$\n\nGiven: ")
    assert r"$\theta_{1} = -3.0$" in markdown
    assert r"\text{layers.0.w}\_\text{1}" in markdown
    assert r"so $1.0 \cdot (-3.0) = -3.0$" in markdown
    assert markdown.count("$") % 2 == 0
    latex = sheet.latex()
    assert latex.count(r"\begin{enumerate}") == latex.count(r"\end{enumerate}") == 2
    assert latex.count(r"\item") == 2 * len(sheet.exercises())
    assert latex.count("{") == latex.count("}")
    # Outside math, there is prose only.
    package, _, body = latex.partition("\n")
    assert package == r"% Needs \usepackage{amsmath}."
    prose = re.sub(r"\$[^$]*\$", "", body)
    assert set(re.findall(r"\\(\w+)", prose)) == {
        "section", "par", "begin", "end", "item", "begingroup", "raggedright", "endgroup",
    }  # fmt: skip
    assert not set("_^&#%") & set(prose)


def test_a_notebook_shows_the_questions_alone() -> None:
    bundle = Stepper(Value(2.0, "x") * 3).exercises()._repr_mimebundle_()
    assert "What does it add" in bundle["text/markdown"]
    assert "so $" not in bundle["text/markdown"]


def test_a_leaf_alone_has_nothing_to_ask() -> None:
    sheet = Stepper(Value(2.0, "x")).exercises()
    assert (sheet.edges, sheet.exercises()) == ([], [])
    assert "Given: x = 2.0" in str(sheet)
    with pytest.raises(ValueError, match="one edge or more, not 0"):
        Stepper(Value(2.0)).exercises(most=0)
