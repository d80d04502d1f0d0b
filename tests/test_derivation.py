"""Derivations read like those of a textbook, in three notations."""

import pytest

from autograd import Stepper, Value, relu
from tests.test_stepper import lecture_neuron


def test_text_of_the_lecture_neuron() -> None:
    o, leaves = lecture_neuron()
    assert str(Stepper(o).derivation(leaves["w1"])).splitlines() == [
        "1. d o/d o = 1.0",
        "2. d o/d n = d o/d o * (1 - o * o) = 1.0 * 0.5 = 0.5   as o = tanh(n)",
        "3. d o/d n6 = d o/d n * 1 = 0.5 * 1.0 = 0.5   as n = n6 + b",
        "4. d o/d n2 = d o/d n6 * 1 = 0.5 * 1.0 = 0.5   as n6 = n2 + n5",
        "5. d o/d w1 = d o/d n2 * x1 = 0.5 * 2.0 = 1.0   as n2 = x1 * w1",
    ]


def test_sums_over_uses() -> None:
    x = Value(3.0, "x")
    last = str(Stepper(x * x + relu(x)).derivation(x)).splitlines()[-1]
    assert last == (
        "4. d n3/d x = d n3/d n2 * heaviside(x) + d n3/d n1 * x + d n3/d n1 * x"
        " = 1.0 * 1.0 + 1.0 * 3.0 + 1.0 * 3.0 = 7.0   as n2 = relu(x), n1 = x * x"
    )


def test_many_uses_are_counted() -> None:
    x = Value(1.0, "x")
    y = sum(x * i for i in range(10))
    last = str(Stepper(y).derivation(x)).splitlines()[-1]
    assert last.count("(6 more)") == 2


def test_latex_and_markdown() -> None:
    o, leaves = lecture_neuron()
    derivation = Stepper(o).derivation(leaves["x1"])
    latex = derivation.latex()
    assert latex.startswith("\\begin{align*}\n\\frac{\\partial o}{\\partial o} &= 1.0 \\\\\n")
    assert r"\frac{\partial o}{\partial x_{1}} &= " in latex
    assert latex.count("&=") == 5
    lines = derivation.markdown().splitlines()
    assert lines[1].startswith("2. $\\frac{\\partial o}{\\partial n} = ")
    assert all(line.endswith("$") for line in lines)
    bundle = derivation._repr_mimebundle_()
    assert bundle == {"text/plain": str(derivation), "text/markdown": derivation.markdown()}


@pytest.mark.parametrize("label", ["layers.0.w_1", "a & b", "50 %", "x^2", "{", "\\"])
def test_hostile_labels_are_escaped_in_latex(label: str) -> None:
    x = Value(2.0, label)
    latex = Stepper(x * 3).derivation(x).latex()
    body = latex.removeprefix("\\begin{align*}").removesuffix("\\end{align*}")
    assert body.replace("\\{", "").replace("\\}", "").count("{") == body.replace("\\{", "").replace(
        "\\}", ""
    ).count("}")
    unescaped = body.replace("\\%", "").replace("\\&", "").replace("&=", "").replace("\\_", "")
    assert not set("%&") & set(unescaped)


def test_negative_factors_are_in_parentheses_in_latex() -> None:
    x = Value(3.0, "x")
    derivation = Stepper((x * -2 - x * x) * -1.0).derivation(x)
    assert derivation.latex().count(r"= 1.0 \cdot (-1.0) = -1.0") == 1
    assert r"= 1.0 \cdot 3.0 + 1.0 \cdot 3.0 + (-1.0) \cdot (-2.0) = 8.0" in derivation.latex()
    assert " = 1.0 * -1.0 = -1.0" in str(derivation)


def test_an_equals_sign_in_a_label_is_no_place_to_align() -> None:
    x = Value(3.0, "a=b")
    assert r"\partial \text{a=b}} &= " in Stepper(x * 2).derivation(x).latex()


def test_long_derivations_leave_out_the_middle_and_say_so() -> None:
    x = y = Value(1.0, "x")
    for _ in range(100):
        y = y * 2
    derivation = Stepper(y).derivation(x, most=10)
    lines = str(derivation).splitlines()
    assert len(lines) == 11
    assert lines[5] == "   ... 91 more steps ..."
    assert lines[-1].startswith("101. ")
    assert "91 more steps" in derivation.latex()
    assert str(Stepper(y).derivation(x, most=0)) == "   ... 101 more steps ..."
