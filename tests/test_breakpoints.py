"""Conditions select events, combine, and stop a run in both directions."""

import math

import pytest

from autograd import Stepper, Value, scope, tanh
from autograd import breakpoints as at
from tests.test_stepper import lecture_neuron


def test_run_and_reverse_run() -> None:
    o, leaves = lecture_neuron()
    stepper = Stepper(o)
    event = stepper.run(at.on_label("x1") & at.on_kind("edge"))
    assert event is not None
    assert event.arg is leaves["x1"]
    assert event.product == pytest.approx(-1.5)
    assert stepper.current == event
    event = stepper.reverse_run(at.on_op("tanh"))
    assert event is not None
    assert (event.kind, event.node) == ("edge", o)
    event = stepper.reverse_run(at.on_op("tanh"))
    assert event is not None
    assert event.kind == "done"
    assert stepper.run(lambda e: False) is None
    assert stepper.position == len(stepper.events)
    assert stepper.reverse_run(lambda e: False) is None
    assert stepper.position == 0
    assert stepper.run() is None


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (at.on_kind("forward"), 10),
        (at.on_label("n"), 3),
        (at.on_op("+"), 8),
        (at.on_op(tanh), 3),
        (~at.on_kind("forward") & ~at.on_kind("done"), 9),
        (at.on_label("w1") | at.on_label("w2"), 6),
        (at.gradient_above(0.9), 5),
        (at.contribution(1), 9),
        (at.contribution(2), 0),
    ],
    ids=str,
)
def test_conditions(condition: at.Condition, count: int) -> None:
    o, _ = lecture_neuron()
    assert sum(map(condition, Stepper(o).events)) == count


def test_modules_nodes_and_accidents() -> None:
    x = Value(2.0, "x")
    with scope("layers.1"):
        h = x * 3
    with scope("layers.10"):
        y = h * math.inf - h
    stepper = Stepper(y)
    assert {e.node for e in stepper.events if at.in_module("layers.1")(e)} == {h}
    assert {e.node for e in stepper.events if at.in_module("layers")(e)} >= {h, y}
    assert {e.subject for e in stepper.events if at.on_node(x)(e)} == {x}
    first = stepper.run(at.non_finite())
    assert first is not None
    assert first.kind == "forward"


def test_sign_change() -> None:
    x = Value(1.0, "x")
    y = x * 9 - x * 3 - x * 4
    stepper = Stepper(y)
    event = stepper.run(at.sign_change())
    assert event is not None
    totals = [e.total for e in stepper.events if e.kind == "edge" and e.arg is x]
    assert event.total in totals
    assert totals[totals.index(event.total) - 1] * event.total < 0
    tiny = Stepper(x * 2e-200 - x * 1e-200)
    assert [e.total for e in tiny.events if at.sign_change()(e)] == [1e-200]


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="'forward', 'edge' or 'done', not 'backward'"):
        at.on_kind("backward")
    with pytest.raises(TypeError, match="combine conditions with &"):
        at.on_label("a") and at.on_label("b")
    assert repr(at.on_label("a") & ~at.on_op("+")) == "<Condition (on_label('a') & ~on_op('+'))>"
