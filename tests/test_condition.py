"""Typed conditions select the events they name; what can't be compared is refused, marked."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd import ExpressionError, Stepper, Value, scope
from autograd import breakpoints as at
from autograd.command.condition import NUMBERS, TEXTS, parse_condition
from tests.test_stepper import lecture_neuron


def holds(source: str, stepper: Stepper) -> list[int]:
    condition = parse_condition(source)
    return [event.index for event in stepper.events if condition(event)]


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("abs(grad) > 0.9", at.gradient_above(0.9)),
        ('label == "w1"', at.on_label("w1")),
        ("'w1' == label", at.on_label("w1")),
        ('op == "tanh"', at.on_op("tanh")),
        ('op == "*"', at.on_op("*")),
        ('op != "*"', ~at.on_op("*")),
        ('kind == "edge" and not label == "n"', at.on_kind("edge") & ~at.on_label("n")),
        ('label == "w1" or label == "w2"', at.on_label("w1") | at.on_label("w2")),
        ("contribution == 1", at.contribution(1)),
        ("not finite(total)", at.non_finite()),
        ("sign_change", at.sign_change()),
        ("upstream * local == product", at.on_kind("edge")),
        ("0.4 < grad <= 0.5", lambda e: e.kind != "forward" and 0.4 < e.total <= 0.5),
        ("data < 0", lambda e: e.subject.data < 0),
        ("position == index + 1", lambda e: True),
        ('name == "n2"', lambda e: e.recording.name(e.subject) == "n2"),
    ],
)
def test_what_is_typed_is_what_the_library_has(source: str, same: at.Condition) -> None:
    stepper = Stepper(lecture_neuron()[0])
    assert holds(source, stepper) == [event.index for event in stepper.events if same(event)]


def test_modules_accidents_and_signs() -> None:
    x = Value(2.0, "x")
    with scope("layers.1"):
        h = x * 3
    with scope("layers.10"):
        y = h * math.inf - h - x * 9
    stepper = Stepper(y)
    for source, same in {
        'module == "layers.1"': at.in_module("layers.1"),
        "not finite(total)": at.non_finite(),
        "sign_change": at.sign_change(),
    }.items():
        found = holds(source, stepper)
        assert found == [event.index for event in stepper.events if same(event)]
        assert found


def test_the_unknown_never_holds() -> None:
    # A forward event has no gradient, an edge's sign of log is undefined: neither holds, nor
    # does its negation.
    stepper = Stepper(lecture_neuron()[0])
    forward = holds('kind == "forward"', stepper)
    for source in ("grad < 9", "not grad < 9", "not finite(local)", "log(grad - 99) < 0"):
        assert not set(holds(source, stepper)) & set(forward), source
    assert holds("log(grad - 99) < 0 or index == 3", stepper) == [3]
    assert holds("grad < 9 and index == 3", stepper) == []


def test_lines_of_the_source() -> None:
    from autograd import debug

    with debug():
        x = Value(2.0, "x")
        y = x * x
    assert y.origin is not None
    stepper = Stepper(y)
    assert holds(f"line == {y.origin[2]}", stepper) == [1, 2, 3, 4]
    assert holds("line > 0", Stepper(Value(2.0) * 3)) == []


@pytest.mark.parametrize(
    ("source", "part", "problem"),
    [
        ("gard > 1", "gard", "did you mean grad?"),
        ("abs(gradd) > 1", "gradd", "did you mean grad?"),
        ('lable == "x"', "lable", "did you mean label?"),
        ("zzz > 1", "zzz", "a condition knows grad"),
        ("grad", "grad", "compare it, as in grad > 0.1"),
        ("sin(grad) + 1", "sin(grad) + 1", "compare it, as in sin(grad) + 1 > 0.1"),
        ("label", "label", 'label == "..."'),
        ("label == x1", "x1", 'write label == "x1"'),
        ("label < 'x1'", "label < 'x1'", "texts are compared with == and !="),
        ("label == 1", "1", 'write label == "..."'),
        ("grad == 'x'", "grad", "only label, name, op, kind, module"),
        ("'x' == 'y'", "'y'", "only label"),
        ("label + 1 > 2", "label", "a text where a number is needed"),
        ("sign_change > 0", "sign_change", "a test where a number is needed"),
        ("kind == 'backward'", "'backward'", "'forward', 'edge' or 'done'"),
        ("'x'", "'x'", "no condition"),
        ("grad = 1", "=", "a comparison is written =="),
        ("grad is 1", "is", "a comparison is written =="),
        ("grad > 1 & kind == 'edge'", "&", "write and"),
        ("grad > 1 | grad < 0", "|", "write or"),
        ("~sign_change", "~", "write not"),
        ("grad in (1, 2)", "in", "is not allowed"),
        ("grad > 1 if index else 2", "if", "is not allowed"),
        ("grad.real > 1", ".", "is not allowed"),
        ("label == 'x", "'", "ends with the quote"),
        ("label == 'a\\'b'", "'", "ends with the quote"),
        ("label == b'x'", "'x'", "an operator is missing"),
        ("label == 'a' 'b'", "'b'", "an operator is missing"),
        ("grad > 1 not", "not", "an operator is missing"),
        ("1and grad > 1", "and", "a blank is missing"),
        ("grad > 1 and or grad < 2", "or", "is missing before this 'or'"),
        ("finite(grad, 1)", "finite(grad, 1)", "finite(x) takes one number"),
        ("finite(grad) > 0", "finite", "a test where a number is needed"),
        ("finite(label)", "label", "a text where a number is needed"),
        ("[grad] > 1", "[grad]", "a list where a number is needed"),
        ("(lambda: 1) > 0", "lambda", "is not allowed"),
        ("data > 1 and (grad > 0) == 0", "grad > 0", "is not allowed"),
    ],
)
def test_what_is_refused_is_marked(source: str, part: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition(source)
    message, line, carets = str(caught.value).split("\n")
    assert problem in message
    assert line[carets.index("^") : carets.rindex("^") + 1] == part


@pytest.mark.parametrize(
    "source",
    [
        "not " * 200 + "sign_change",
        "(" * 200 + "grad > 1" + ")" * 200,
        "not(" * 90 + "not " * 90 + "grad > 1" + ")" * 90,
        "grad < " + "-" * 200 + "1",
    ],
)
def test_deep_nesting_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError, match="deeper than 100"):
        parse_condition(source)


def test_the_parser_never_sees_many_negations() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_condition("not " * 1000 + "sign_change")
    assert str(caught.value).endswith(" ^^^")  # one token marked: it was the scan that refused


def test_many_shallow_terms_are_not_deep() -> None:
    source = " or ".join(f"index == {i}" for i in range(500))
    assert len(holds(source, Stepper(lecture_neuron()[0]))) == 29


WORDS = [*NUMBERS, *TEXTS, "sign_change", "finite", "and", "or", "not", "abs", "pi", "if", "in"]
TOKENS = st.sampled_from(
    [*WORDS, *"0 1 2.5 1e9 + - * / ** ( ) [ ] , < <= > >= == != = ! 'x' \"+\" ' .".split()]
)


@pytest.mark.long
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(TOKENS, max_size=12).map(" ".join) | st.text(max_size=20))
@example("1 < 2 < 3")
@example("not not finite(grad)")
@example("grad == grad == grad")
def test_any_text_is_a_condition_or_an_expression_error(source: str) -> None:
    stepper = Stepper(Value(2.0, "x") ** 2)
    refusal = ""
    try:
        condition = parse_condition(source)
        assert all(condition(event) in (True, False) for event in stepper.events)
    except ExpressionError as error:
        refusal = str(error)
    assert refusal.count("\n") in (0, 2)


NUMERIC = st.recursive(
    st.sampled_from(["grad", "total", "index", "local", "data", "2", "0.5"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map("({0[0]} {0[1]} {0[2]})".format)
        | inner.map("-{}".format)
    ),
    max_leaves=4,
)
LOGICAL = st.recursive(
    st.tuples(NUMERIC, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMERIC).map(" ".join)
    | st.sampled_from(["label == 'x1'", "kind != 'edge'", "finite(total)"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format)
        | inner.map("(not {})".format)
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(LOGICAL)
@pytest.mark.long
def test_conditions_agree_with_python_where_everything_is_known(source: str) -> None:
    condition = parse_condition(source)
    for event in Stepper(lecture_neuron()[0]).events:
        if event.kind == "edge":
            names = {name: NUMBERS[name](event) for name in NUMBERS}
            names |= {"label": event.subject.label, "kind": event.kind}
            theirs = eval(source, {"__builtins__": {}, "finite": math.isfinite}, names)
            assert condition(event) is theirs
