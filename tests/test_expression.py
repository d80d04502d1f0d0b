"""Expressions: what the whitelist lets through means what Python means; nothing else gets in."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autograd
from autograd import DomainError, ExpressionError, Value
from autograd.command import grammar
from autograd.command.expression import FUNCTIONS, parse
from autograd.command.grammar import MAX_CHARACTERS, MAX_DEPTH


def refusal(source: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse(source)
    return str(caught.value)


def marked(source: str) -> str:
    """Return the part of ``source`` above the carets."""
    _, line, carets = refusal(source).split("\n")
    return line[carets.index("^") : carets.rindex("^") + 1]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-2 ** 2", -4.0),
        ("2 ** 3 ** 2", 512.0),
        ("2 ** -1", 0.5),
        ("8 / 4 / 2", 1.0),
        ("- + - 3", 3.0),
        (" ( 1.5e1 ) ", 15.0),
        ("1_000 + .5 + 2.", 1002.5),
        ("cos(pi) + log(e)", 0.0),
        ("9 ** 9 ** 9", math.inf),
        ("atan2(1, 1) * 4", math.pi),
        ("leaky_relu(-2) + leaky_relu(-2, 0.5)", -1.02),
        ("elu(-1) - elu(-1, 1)", 0.0),
        ("sum(1, 2, 3) + sum([4])", 10.0),
        ("mean([1, 2, 6])", 3.0),
        ("dot([1, 2], [3, 4]) + dot([1], [2], 3)", 16.0),
        ("softmax(1, 1)[0] + softmax([0, 0])[1]", 1.0),
        ("dot(softmax(0, 0), [2, 4])", 3.0),
        ("clamp(7, 0, 1) + where(-1, 2, 3)", 4.0),
        ("1\n+\t2\u00a0", 3.0),
    ],
)
def test_constant_expressions(source: str, value: float) -> None:
    # A few operations, each within 1 ulp.
    assert parse(source).evaluate({}) == pytest.approx(value, rel=1e-15)


def test_names_come_in_order_of_appearance() -> None:
    assert parse("b * a + sin(b) - pi * e * α").names == ("b", "a", "α")


def test_values_make_a_graph_and_floats_a_float() -> None:
    parsed = parse("x * x + 3")
    x = Value(2.0)
    y = parsed.evaluate({"x": x})
    assert isinstance(y, Value)
    y.backward()
    assert (y.data, x.grad) == (7.0, 4.0)
    assert parsed.evaluate({"x": 2.0}) == 7.0


def test_it_records_what_python_records() -> None:
    x, y = Value(0.5), Value(1.5)
    theirs = autograd.trace(-x * y**2 + autograd.tanh(x / y))[0]
    ours = autograd.trace(parse("-x * y**2 + tanh(x / y)").evaluate({"x": x, "y": y}))[0]
    assert [(node.op, node.data) for node in ours] == [(node.op, node.data) for node in theirs]


def test_every_public_function_of_scalars_can_be_called() -> None:
    assert all(callable(getattr(autograd, name)) for name in FUNCTIONS)
    assert set(autograd.ops.__all__) <= set(FUNCTIONS)


def test_unbound_names_are_named() -> None:
    with pytest.raises(ExpressionError, match="no value for y, z"):
        parse("x + y * z").evaluate({"x": 1.0})


def test_a_domain_error_comes_through() -> None:
    with pytest.raises(DomainError, match=r"log\(-1.0\) is undefined"):
        parse("log(x)").evaluate({"x": Value(-1.0)})
    with pytest.raises(DomainError, match=r"1.0 / 0.0 is undefined"):
        parse("1 / 0").evaluate({})


@pytest.mark.parametrize(
    ("source", "part", "problem"),
    [
        ("x ^ 2", "^", "a power is written **"),
        ("x − 2", "−", "a minus is written -"),
        ("x × y", "×", "a product is written *"),
        ("x // 2", "//", "is not allowed"),
        ("x % 2", "%", "is not allowed"),
        ("x < 3", "<", "where(c, a, b)"),
        ("x == 3", "==", "where(c, a, b)"),
        ("1 if x else 2", "if", "where(c, a, b)"),
        ("2x", "x", "an operator is missing between '2' and this"),
        ("x y", "y", "an operator is missing"),
        ("2 (3)", "2", "a product is written *"),
        ("x(3)", "x", "if it is a variable, write *"),
        ("f(x)(y)", "f(x)", "a product is written *"),
        ("1j", "j", "an operator is missing"),
        ("0x10", "x10", "an operator is missing"),
        ("007", "0", "can't be read"),
        ("True", "True", "'True' is not allowed"),
        ("None", "None", "'None' is not allowed"),
        ("...", ".", "is not allowed"),
        ("'a'", "'", "is not allowed"),
        ("b''", "'", "is not allowed"),
        ("lambda: x", "lambda", "is not allowed"),
        ("x and y", "and", "is not allowed"),
        ("(x := 3)", ":", "is not allowed"),
        ("{x}", "{", "is not allowed"),
        ("math.exp(x)", ".", "exp(x), not math.exp(x)"),
        ("x.__class__", ".", "is not allowed"),
        ("__import__(x)", "__import__", "there is no function '__import__'"),
        ("eval(x)", "eval", "there is no function 'eval'"),
        ("leaky_relu(x, slope=3)", "=", "arguments go by position"),
        ("sum(*x)", "*", "a number or a name is missing before this '*'"),
        ("sum(**x)", "**", "a number or a name is missing"),
        ("sine(x)", "sine", "did you mean sin?"),
        ("ln(x)", "ln", "did you mean log?"),
        ("sgn(x)", "sgn", "did you mean sign?"),
        ("1 + sin", "sin", "write sin(x)"),
        ("hypot(x) + 1", "hypot(x)", "hypot(x, y) got 1 argument(s)"),
        ("elu(x, y, z)", "elu(x, y, z)", "got 3 argument(s)"),
        ("sum()", "sum()", "got no arguments"),
        ("[x, y]", "[x, y]", "a list where a number is needed"),
        ("softmax(x, y)", "softmax(x, y)", "a list where a number is needed"),
        ("1 + softmax(x, y)[2]", "2", "the list has 2 element(s)"),
        ("softmax(x, y)[x]", "x", "must be a whole number"),
        ("x[0]", "x", "only softmax(...)"),
        ("[x, y][0]", "[x, y]", "only softmax(...)"),
        ("sum(x, [y])", "[y]", "numbers or one list"),
        ("sum([x, [y]])", "[y]", "a list where a number is needed"),
        ("sin([x])", "[x]", "needs a number here, not a list"),
        ("dot(x, [y])", "x", "needs a list here, not a number"),
        ("dot([x, y], [z])", "dot([x, y], [z])", "two lists of one length"),
        ("(x, y)", "(x, y)", "is not allowed"),
        ("αβγ + (x, y)", "(x, y)", "is not allowed"),
        ("x + ()", "()", "is not allowed"),
        ("x + * y", "*", "a number or a name is missing before this '*'"),
        ("x, y", "x, y", "is not allowed"),
        ("(x", "(", "is never closed"),
        ("(x]", "]", "closes nothing"),
        ("x)", ")", "closes nothing"),
        ("x²", "x²", "is not a name"),
        ("x + 1e999", "1e999", "too large for a float"),
        ("x + 1" + "0" * 309, "1" + "0" * 309, "too large for a float"),
        ("x\0y", "�", "is not allowed"),
        ("x + \ud800", "�", "is not allowed"),
        ("x # 2", "#", "is not allowed"),
    ],
)
def test_what_is_refused_is_marked(source: str, part: str, problem: str) -> None:
    assert problem in refusal(source).split("\n")[0]
    assert marked(source) == part[:68]  # the longest is cropped after 72 characters


def test_what_is_missing_at_the_end_is_marked_there() -> None:
    assert refusal("x + ") == "a number or a name is missing at the end\n  x +\n     ^"


def test_the_mark_stands_under_wide_and_cropped_text() -> None:
    # 変 takes two columns of a terminal.
    assert refusal("変 ^ 2").endswith("\n  変 ^ 2\n     ^")
    source = "+".join(["x"] * 40) + "^2" + "+x" * 40
    _, line, carets = refusal(source).split("\n")
    assert line[len(carets) - 1] == "^"
    assert len(line) <= 80
    assert line.strip()[0] == line.strip()[-1] == "…"


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u00a0"])
def test_nothing_is_refused(blank: str) -> None:
    assert refusal(blank) == "the expression is empty"


@pytest.mark.parametrize(
    "source",
    [
        "(" * 200 + "x" + ")" * 200,
        "[" * 200 + "x" + "]" * 200,
        "sin(" * 200 + "x" + ")" * 200,
        "-" * 5000 + "x",
        "+ " * 4000 + "x",
        "**".join("x" * 3000),
        "x ** -" * 1500 + "x",
        "x * (-" * 1400 + "x" + ")" * 1400,
        "+".join("x" * (MAX_DEPTH + 1)),
        "*".join("x" * 5000),
        "x" + "[0]" * 3000,
        "f" + "()" * 3000,
    ],
)
def test_deep_nesting_is_refused(source: str) -> None:
    message = refusal(source)
    assert "nested deeper than 100 levels" in message
    assert "sum(a, b, ...)" in message


NOT_OURS = """
True; None; 1j; 'a'; b'a'; f'{x}'; ...; x.y; x and y; not x; ~x; x // 2; x @ y; x < 3; lambda: x
1 if x else 2; (y := 3); {x}; {x: 1}; [y for y in x]; sum(y for y in x); sum(*x); sum(**x)
leaky_relu(x, slope=1); x[0]; x[0:1]; softmax(x)[True]; softmax(x)[-1]; sin(x)(y); (x, y); []
"""


@pytest.mark.parametrize("source", NOT_OURS.strip().replace("\n", "; ").split("; "))
def test_the_second_gate_needs_no_first(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammar, "_scan", lambda *_: None)
    refusal(source)


def test_many_shallow_terms_are_not_deep() -> None:
    assert parse(" + ".join(["-x ** 2"] * 90)).evaluate({"x": 1.0}) == -90.0
    assert parse(f"sum({', '.join(['-x'] * 1000)})").evaluate({"x": 1.0}) == -1000.0


def test_the_limits_are_sharp() -> None:
    assert parse("-" * (MAX_DEPTH - 1) + "x").evaluate({"x": 1.0}) == -1.0
    assert "deeper" in refusal("-" * MAX_DEPTH + "x")
    assert parse("+".join("x" * MAX_DEPTH)).evaluate({"x": 1.0}) == 100.0
    assert parse("1" + " " * (MAX_CHARACTERS - 1)).evaluate({}) == 1.0
    assert refusal("1" * (MAX_CHARACTERS + 1)).startswith("the expression has 10,001 characters")


def test_the_deepest_the_scan_lets_through_needs_little_of_the_parser() -> None:
    # In a process of its own: a crash would take the tests down with it.
    code = """if True:
        import sys
        from autograd.command.expression import parse
        def at_depth(n):
            return at_depth(n - 1) if n else parse("hypot(-1," * 49 + "x" + ")" * 49).names
        assert at_depth(600) == ("x",)
        try:
            parse("*".join("x" * 5000))
        except ValueError as error:
            assert "deeper than 100" in str(error)
        else:
            sys.exit("not refused")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# A soup of what the grammar is made of gets deep into it; plain text tests the gate.
SYMBOLS = [*"xyze()[],+-*/. ", "**", "//", "=", "==", ":=", "@", "~", "#", "{", "}", ":"]
NUMERALS = ["0", "1", "2.5", "1e9", "9" * 20, "1j", "0x", "[0]", "pi"]
WORDS = ["sin(", "hypot(", "sum(", "dot(", "softmax(", "leaky_relu(", "if", "else", "lambda", "not"]
TRAPS = ["'", '"', "f'", "\\", "\n", "\0", "α", "𝐢𝐟"]
PIECES = st.sampled_from(SYMBOLS + NUMERALS + WORDS + TRAPS)
SOURCES = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@example("𝐓𝐫𝐮𝐞")
@example("1if x")
@example("x" * 9999 + "(")
@given(SOURCES)
def test_any_text_is_parsed_or_refused(source: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            parsed = parse(source)
        except ExpressionError as error:
            first, *pointer = str(error).split("\n")
            assert first
            assert len(pointer) in (0, 2)
            return
    values = {name: Value(0.5) for name in parsed.names}
    try:
        value = parsed.evaluate(values)
    except DomainError:
        return
    assert isinstance(value, Value if values else float)


NUMBERS = st.integers(0, 99).map(str) | st.floats(0, 1e6).map(repr)
VARIABLES = st.sampled_from("xy")
TREES = st.recursive(
    NUMBERS | VARIABLES,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", " - -"]), inner).map(
            "({0[0]}{0[1]}{0[2]})".format
        )
        | st.tuples(inner, st.sampled_from("+-*"), inner).map("".join)
        | inner.map("-{}".format)
        | inner.map("abs({})".format)
        | st.tuples(inner, inner).map("sum({0[0]}, {0[1]})".format)
    ),
    max_leaves=20,
)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(TREES, st.floats(-10, 10), st.floats(-10, 10))
def test_arithmetic_agrees_with_python(source: str, x: float, y: float) -> None:
    # The same operations on the same floats in the same order: the same bits.
    names = {"x": x, "y": y, "abs": math.fabs, "sum": lambda a, b: a + b}
    theirs = eval(source, {"__builtins__": {}}, names)
    assert parse(source).evaluate({"x": x, "y": y}) == theirs
