"""Formulas as text and as LaTeX: what is printed means what is computed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import TABLE, Op
from autograd.formula import latex, number, rule, rule_symbols, text
from autograd.operation import Number, Symbol, plain
from tests.floats import bits

x, y, z = Symbol("x"), Symbol("y"), Symbol("z")


@pytest.mark.parametrize(
    ("formula", "printed"),
    [
        (x + y + z, "x + y + z"),
        (x + (y + z), "x + (y + z)"),  # never re-associated
        (x - (y - z), "x - (y - z)"),
        ((x - y) - z, "x - y - z"),
        (x * (y + z), "x * (y + z)"),
        (x / (y * z), "x / (y * z)"),
        (x * y / z, "x * y / z"),
        (-x * y, "-x * y"),
        (-(x * y), "-(x * y)"),
        (-(TABLE["neg"](x)), "-(-x)"),
        ((-x) ** 2, "(-x) ** 2"),
        (-(x**2), "-x ** 2"),
        (x**y**z, "x ** (y ** z)"),
        ((x**y) ** z, "(x ** y) ** z"),
        (x - -2, "x - -2"),
        (x ** (-2), "x ** -2"),
        (x ** (-y), "x ** -y"),
        (x ** (-y) ** z, "x ** ((-y) ** z)"),
        ((-3) ** x, "(-3) ** x"),
        (TABLE["tanh"](x + 1) * 2, "tanh(x + 1) * 2"),
        (TABLE["where"](x, y + 1, -z), "where(x, y + 1, -z)"),
        (Number(2.5), "2.5"),
        (-0.5, "-0.5"),
    ],
)
def test_text(formula: Any, printed: str) -> None:
    assert text(formula) == printed


@pytest.mark.parametrize(
    ("formula", "printed"),
    [
        (x * y + 1, r"x \cdot y + 1"),
        ((x + 1) / (y - 1), r"\frac{x + 1}{y - 1}"),
        (x / y + 1, r"\frac{x}{y} + 1"),
        (TABLE["tanh"](x), r"\tanh\left(x\right)"),
        (TABLE["sqrt"](x + y), r"\sqrt{x + y}"),
        (x**2, "{x}^{2}"),
        (x**-1, "{x}^{-1}"),
        ((-3) ** x, "{(-3)}^{x}"),
        (x * -3, r"x \cdot (-3)"),
        (-3 * x, r"-3 \cdot x"),
        (x - -3, "x - (-3)"),
        (x + -y, "x + (-y)"),
        (x + -3 * y, r"x + (-3 \cdot y)"),
        (x / -3, r"\frac{x}{-3}"),
        (TABLE["maximum"](x, -3), r"\max\left(x, -3\right)"),
        (math.inf - x, r"\infty - x"),
        ((x + 1) ** 2, "{(x + 1)}^{2}"),
        (TABLE["sum"](x, y, z), r"\sum\left(x, y, z\right)"),
        (TABLE["mul_no_nan"](x, y), r"\operatorname{mul\_no\_nan}\left(x, y\right)"),
    ],
)
def test_latex(formula: Any, printed: str) -> None:
    assert latex(formula) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (2.0, "2"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (-1e14, "-100000000000000"),
        (1e15, "1000000000000000.0"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_number(value: float, printed: str) -> None:
    assert number(value) == printed


def rules(op: Op) -> list[Any]:
    """Return the forward, if it is a formula, and the rules of a row, on symbols."""
    n = op.arity or 3
    args = tuple(Symbol(name) for name in "abc"[:n])
    forward = [op.forward(*args)] if callable(op.forward) else []
    return [*forward, *(rule(op, slot, Symbol("out"), args) for slot in range(n))]


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_every_printed_rule_evaluates_to_what_the_rule_computes(op: Op) -> None:
    names: dict[str, Any] = {**TABLE, "inf": math.inf}
    names |= dict(zip(["a", "b", "c", "out"], map(Number, (0.7, -1.3, 2.1, 0.4)), strict=True))

    def evaluate(part: Any) -> Any:
        if not isinstance(part, Symbol):
            return part
        return part.op(*map(evaluate, part.args)) if part.op else names[part.name]

    for formula in rules(op):
        again = plain(eval(text(formula), names))
        assert bits(again) == bits(plain(evaluate(formula)))


@pytest.mark.parametrize("op", TABLE.values(), ids=TABLE)
def test_every_rule_has_balanced_latex(op: Op) -> None:
    for formula in [*rules(op), op(*map(Symbol, "abc"[: op.arity or 3]))]:
        printed = latex(formula)
        assert printed.count("{") == printed.count("}")
        assert printed.count(r"\left") == printed.count(r"\right")


FORMULAS = st.recursive(
    st.sampled_from([x, y, z]) | st.integers(-3, 3).map(float),
    lambda inner: (
        st.builds(
            lambda op, a, b: op(a, b) if isinstance(a, Symbol) or isinstance(b, Symbol) else x,
            st.sampled_from(
                [TABLE[name] for name in ("add", "sub", "mul", "div", "pow", "maximum")]
            ),
            inner,
            inner,
        )
        | inner.map(lambda a: -a)
    ),
)


@given(FORMULAS)
@pytest.mark.long
def test_text_parses_back_to_the_same_formula(formula: Any) -> None:
    """Printed, parsed by Python and printed again: the same text, so the same structure."""
    again = eval(text(formula), {"x": x, "y": y, "z": z, "maximum": TABLE["maximum"]})
    assert structure(again) == structure(formula)


def structure(part: Any) -> Any:
    if not isinstance(part, Symbol):
        return float(plain(part))
    return (part.op.name, *map(structure, part.args)) if part.op else part.name


def test_a_plain_exponent_stays_a_number() -> None:
    out, args = rule_symbols(TABLE["pow"], (Symbol("v"), 2.0))
    assert text(rule(TABLE["pow"], 0, out, args)) == "2 * x ** 1"


def test_no_depth_is_too_much() -> None:
    formula: Any = x
    for _ in range(5000):
        formula = -formula
    assert text(formula).count("-") == 5000
