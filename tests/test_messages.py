"""Whatever a message quotes, it is one short sentence, and it can be written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import (
    TABLE,
    ChainruleError,
    DomainError,
    Op,
    Stepper,
    Value,
    breakpoints,
    detach,
    drawing,
    grad,
    gradcheck,
    gradients,
    jvp,
    quoted,
    scope,
    tanh,
    trace,
    where,
)
from nn import losses, metrics, optim, schedules
from tests.fuzz.mangling import Unwritable, nested

LONGEST = 1_000
"""Characters of a message, a screenful."""


WRONG = {
    "digits": 10**5000,
    "text": "x" * 5000,
    "texts": ["x" * 5000],
    "keys": {"x" * 5000: 1.0},
    "deep": nested(100_000),
    "class": type("X" * 5000, (), {}),
    "instance": type("X" * 5000, (), {})(),
    "unwritable": Unwritable(),
}

SQUARE = lambda x: x * x
X = Value(2.0, "x")
Y = tanh(X * X)
RUN = Stepper(Y)
TEXT = nn.GPT(3, block_size=4, embedding=2, heads=1, seed=0)

DOORS: dict[str, Callable[[Any], object]] = {
    "Value": lambda x: Value(x),
    "label": lambda x: Value(1.0, (X,), "f", x),
    "children": lambda x: Value(1.0, x, "f"),
    "times": lambda x: X * x,
    "below": lambda x: x > X,
    "where": lambda x: where(1.0, x, 2.0),
    "seed": lambda x: Y.backward(x),
    "detach": detach,
    "trace": trace,
    "gradients": lambda x: gradients(Y, [x]),
    "argnums": lambda x: grad(SQUARE, x)(2.0),
    "jvp": lambda x: jvp(SQUARE, [2.0], [x]),
    "goto": lambda x: Stepper(Y).goto(x),
    "what_if": lambda x: RUN.what_if(X, x),
    "why": lambda x: RUN.why(x),
    "wrong_way": lambda x: RUN.wrong_way(x),
    "on_kind": breakpoints.on_kind,
    "on_node": breakpoints.on_node,
    "level": lambda x: drawing.draw_dot(Y, level=x),
    "budget": lambda x: drawing.draw_dot(Y, budget=x),
    "moment": drawing.draw_moment,
    "order": lambda x: gradcheck(SQUARE, 2.0, order=x),
    "tolerance": lambda x: gradcheck(SQUARE, 2.0, rtol=x),
    "row": lambda x: Op(x, SQUARE, (lambda y, x: 2 * x,)),
    "rule": lambda x: Op("own_square", SQUARE, (lambda y, _: x,)),
    "MLP": lambda x: nn.MLP(2, x),
    "init": lambda x: nn.Layer(2, 2, activation=x),
    "Sequential": nn.Sequential,
    "Residual": nn.Residual,
    "Dropout": nn.Dropout,
    "tokens": lambda x: TEXT(x),
    "token": lambda x: TEXT([x]),
    "document": lambda x: nn.next_token_loss(TEXT, x),
    "model of a text": lambda x: nn.next_token_loss(x, [0, 1]),
    "generate": lambda x: nn.generate(TEXT, x),
    "writer": nn.generate,
    "stop": lambda x: nn.generate(TEXT, [0], stop=x),
    "Linear": lambda x: nn.Linear(2, 1)(x),
    "Block": lambda x: nn.Block(2, 1)(x),
    "attention": lambda x: nn.CausalSelfAttention(2, 1)(x),
    "LayerNorm": lambda x: nn.LayerNorm(2)(x),
    "weights": lambda x: nn.Linear(2, 1, init=x),
    "seed of a layer": lambda x: nn.Layer(2, 2, seed=x),
    "optimizer": lambda x: optim.SGD(x, 0.1),
    "rate": lambda x: optim.SGD([X], x),
    "clip": lambda x: nn.clip_grad_norm(x, 1.0),
    "save": lambda x: nn.save(x, "model.json"),
    "cross_entropy": lambda x: losses.cross_entropy([X, X], x),
    "accuracy": lambda x: metrics.accuracy([X], x),
    "r2": lambda x: metrics.r2([1.0, 2.0], [x, 1.0]),
    "schedule": schedules.Cosine,
    "state": lambda x: nn.MLP(1, [1]).load_state_dict({"layers.0.neurons.0.b": x}, strict=False),
}
"""What takes something from outside."""


RIGHT = {"label-text", "children-text", "row-text", "rule-digits", "schedule-digits"}
RIGHT |= {"stop-digits", "order-digits", "budget-digits", "tolerance-digits"}
"""What is no mistake there, be it as long as it is."""

CASES = [
    pytest.param(DOORS[door], wrong, id=f"{door}-{kind}")
    for door in DOORS
    for kind, wrong in WRONG.items()
    if f"{door}-{kind}" not in RIGHT
]


@pytest.mark.parametrize(("door", "wrong"), CASES)
def test_what_is_refused_is_quoted_in_short(door: Callable[[Any], object], wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError, IndexError, ArithmeticError)) as caught:
        door(wrong)
    assert 0 < len(str(caught.value)) <= LONGEST
    # Python's own words for what it can't write say nothing of what was asked for.
    assert "sys.set_int_max_str_digits" not in str(caught.value)


def test_what_cannot_be_written_is_named() -> None:
    assert quoted([1.0, "a"]) == "[1.0, 'a']"
    assert quoted("x" * 5000) == "'" + "x" * 59
    for x, name in ((10**5000, "int"), (nested(100_000), "list"), (Unwritable(), "Unwritable")):
        assert quoted(x) == f"<{name} that can't be written>"


def test_a_number_beyond_all_floats() -> None:
    with pytest.raises(ValueError, match=r"^1000+ is beyond the range of floats$"):
        Value(10**400)
    with pytest.raises(ValueError, match=r"^<int that can't be written> is beyond"):
        X * 10**5000


def test_errors_of_the_package_keep_what_they_begin_and_end_with() -> None:
    message = str(ChainruleError(f"first line\nthe label {'x' * 100_000} is wrong: mend it"))
    first, second = message.split("\n")
    assert first == "first line"
    assert second.startswith("the label xxx")
    assert second.endswith("xxx is wrong: mend it")
    assert len(second) < LONGEST
    assert str(ChainruleError("short")) == "short"
    assert str(ChainruleError()) == ""


def test_labels_may_be_of_any_length() -> None:
    with pytest.raises(DomainError) as caught:
        TABLE["log"](Value(-1.0, "x" * 100_000))
    assert len(str(caught.value)) < LONGEST
    x = Value(0.0, "x" * 100_000)
    with pytest.raises(DomainError) as caught:
        TABLE["sqrt"](x).backward()
    assert len(str(caught.value)) < LONGEST


@pytest.mark.parametrize(
    "label", ["]", "]]", "]]>", "\0", "\x1b[31m", "\ud800", "]" * 20_000, "\n\n", " " * 5000]
)
def test_any_label_can_be_drawn_and_typeset(label: str) -> None:
    pytest.importorskip("graphviz")
    x = Value(2.0, label)
    with scope(label):
        y = tanh(x * x)
    y.label = label
    for level in ("op", "layer"):
        drawn = drawing.draw_dot(y, level=level).pipe("svg")
        assert 0 < len(drawn) < 200_000
    typeset = Stepper(y).derivation(x).latex()
    assert len(typeset) < 5_000
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in typeset.replace("\n", ""))
