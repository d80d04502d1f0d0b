"""A recorded run is the backward pass, told event by event."""

import json
import math
from collections.abc import Callable

import pytest

from autograd import DomainError, Event, StaleValueError, Stepper, Value, dot, scope, sqrt, tanh
from autograd.engine import sweep


def lecture_neuron() -> tuple[Value, dict[str, Value]]:
    """The neuron of micrograd's lecture."""
    numbers = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
    leaves = {name: Value(x, label=name) for name, x in numbers.items()}
    n = leaves["x1"] * leaves["w1"] + leaves["x2"] * leaves["w2"] + leaves["b"]
    n.label = "n"
    o = tanh(n)
    o.label = "o"
    return o, leaves


def fan_by_hand() -> Value:
    """Nodes used often: twice by one node, by three arguments, by a node built by hand."""
    x, y = Value(3.0), Value(2.0)
    both = dot([x, y, x], [y, x * x, 2.0])
    made = Value(12.0, (x, both), "*")

    def backward() -> None:
        x.grad += both.data * made.grad
        both.grad += x.data * made.grad

    made._backward = backward
    return made * y + made * 2.0


def test_events_print_node_rule_and_numbers() -> None:
    o, _ = lecture_neuron()
    printed = [str(event) for event in Stepper(o).events]
    assert printed[2] == "n2 = x1 * w1 = 2.0 * -3.0 = -6.0"
    assert printed[10] == "d o/d o = 1.0   complete"
    assert (
        "d o/d n += upstream * local = 1.0 * 0.5 = 0.5   (total 0.5)"
        "   o = tanh(n), d o/d n = 1 - o * o"
    ) in printed
    assert (
        "d o/d x1 += upstream * local = 0.5 * -3.0 = -1.5   (total -1.5)"
        "   n2 = x1 * w1, d n2/d x1 = w1"
    ) in printed
    assert printed[-1] == "d o/d x1 = -1.5   complete"


def test_totals_are_what_backward_gives() -> None:
    o, leaves = lecture_neuron()
    stepper = Stepper(o)
    o.backward()
    complete = {event.node: event.total for event in stepper.events if event.kind == "done"}
    assert {leaf: leaf.grad for leaf in leaves.values()}.items() <= complete.items()
    assert all(node.grad == total for node, total in complete.items())


@pytest.mark.parametrize("graph", [lambda: lecture_neuron()[0], fan_by_hand, lambda: Value(2.0)])
def test_the_steps_recorded_are_those_of_the_sweep(graph: Callable[[], Value]) -> None:
    root = graph()
    recording = Stepper(root, seed=-1.5).recording
    assert recording.steps == tuple(sweep(root, seed=-1.5))
    edges = [event for event in recording.events if event.kind == "edge"]
    assert [event.step for event in edges] == [*recording.steps]
    assert all(event.arg is event.node.args[event.slot] for event in edges)


def test_a_stale_graph_is_refused_with_the_node_and_what_to_do() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = x * w
    y.label = "y"
    out = (y + 1).exp()
    for changed, number in ((x, 10.0), (y, 5.0)):
        kept, changed.data = changed.data, number
        with pytest.raises(StaleValueError, match=r"but y holds .* compute the root again, and"):
            Stepper(out)
        changed.data = kept
        assert Stepper(out).events
    out.label = "loss"
    w.data = math.nan  # what is not a number is no number's equal
    with pytest.raises(StaleValueError, match=r"nan now, but y holds 6\.0: .* compute loss again"):
        Stepper(out)
    assert Stepper(x * w).events


def test_after_an_optimizers_step_nothing_is_told_of_the_old_loss() -> None:
    w = Value(3.0, "w")
    loss = (w * w - 2) ** 2
    loss.backward()
    stepper = Stepper(loss)
    w.data -= 0.1 * w.grad
    assert stepper.why(w).adjoint == w.grad  # of the numbers that were recorded
    with pytest.raises(StaleValueError):
        Stepper(loss)


def test_recording_changes_nothing_and_is_not_changed() -> None:
    o, leaves = lecture_neuron()
    leaves["x1"].grad = 42.0
    stepper = Stepper(o, seed=2.0)
    before = list(map(str, stepper.events))
    assert leaves["x1"].grad == 42.0
    assert o.grad == 0.0
    leaves["x1"].data = 7.0
    o.backward()
    assert list(map(str, stepper.events)) == before
    with pytest.raises(AttributeError):
        stepper.events[0].total = 1.0  # type: ignore[misc]


def test_an_edge_comes_after_its_node_is_complete() -> None:
    x = Value(3.0, "x")
    stepper = Stepper(x * x + x)
    done = set()
    for event in stepper.events:
        if event.kind == "done":
            done.add(event.node)
        elif event.kind == "edge":
            assert event.node in done
            assert event.arg not in done
    assert [event.index for event in stepper.events] == list(range(len(stepper.events)))


def test_walking() -> None:
    o, leaves = lecture_neuron()
    stepper = Stepper(o)
    assert stepper.back() is None
    first = stepper.next()
    assert isinstance(first, Event)
    assert first.index == 0
    assert stepper.position == 1
    assert stepper.back() == first
    assert stepper.position == 0
    while stepper.next():
        pass
    assert stepper.position == len(stepper.events)
    assert stepper.next() is None
    arrived = stepper.goto(leaves["b"])
    assert arrived is not None
    assert (arrived.kind, arrived.node) == ("done", leaves["b"])
    assert stepper.events[stepper.position - 1] == arrived
    assert repr(stepper).startswith(f"<Stepper at {stepper.position} of 29: d o/d b = 0.5")
    assert stepper.goto(0) is None
    stepper.goto(5)
    stepper.reset()
    assert stepper.position == 0


def test_gradients_are_shown_no_earlier_than_they_are_known() -> None:
    x = Value(3.0, "x")
    y = x * x
    stepper = Stepper(y)
    seen = []
    assert stepper.value(x) is None
    while stepper.next():
        seen.append(str(stepper.gradient(x)))
    assert seen == [
        "unknown",
        "unknown",
        "unknown",
        "3.0 (partial)",
        "6.0 (partial)",
        "6.0 (complete)",
    ]
    assert stepper.value(y) == 9.0
    stepper.back()
    assert stepper.gradient(x) == ("partial", 6.0)


def test_bad_destinations() -> None:
    o, _ = lecture_neuron()
    stepper = Stepper(o)
    with pytest.raises(IndexError, match="position 99 is outside 0 to 29"):
        stepper.goto(99)
    with pytest.raises(ValueError, match="not part of this run"):
        stepper.goto(Value(1.0))
    assert stepper.position == 0
    with pytest.raises(
        ValueError,
        match=r"more than max_events=10 events \(10 nodes\): step through a smaller part",
    ):
        Stepper(o, max_events=10)
    with pytest.raises(ValueError, match="max_events=28 events"):
        Stepper(o, max_events=28)
    assert Stepper(o, max_events=29).recording.length == 29
    with pytest.raises(TypeError, match="expected the Value"):
        Stepper(3.0)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="derivative of sqrt"):
        Stepper(sqrt(Value(0.0)))


def test_rules_fold_plain_numbers_and_keep_names_apart() -> None:
    x = Value(3.0, "x")
    assert "d n1/d x = 2 * x ** 1" in str(Stepper(x**2).events[3])
    twins = Stepper(Value(1.0, "a") * Value(2.0, "a"))
    assert str(twins.events[2]).startswith("n2 = n0 * n1 = ")
    fused = Stepper(dot([x, 2.0], [Value(4.0, "y"), 5.0]))
    assert "dot(x, 2, y, 5)" in str(fused.events[2])
    assert fused.events[4].rule == "x3"


def test_no_two_nodes_have_one_name() -> None:
    root = Value(2.0, "n1") * Value(3.0, "two\nlines") + Value(1.0, " ")
    run = Stepper(root).recording
    assert list(map(run.name, run.nodes)) == ["n0", "two lines", "n2", "n3", "n4"]


def test_json_follows_the_schema() -> None:
    with scope("layers.0"):
        x = Value(1.0, "x")
        y = x * math.inf
    document = json.loads(json.dumps(Stepper(y).to_json(), allow_nan=False))
    assert document["schema"] == 1
    assert document["nodes"][1] == {
        "id": 1,
        "name": "n1",
        "label": "",
        "op": "mul",
        "args": [{"node": 0}, {"number": "inf"}],
        "data": "inf",
        "scope": "layers.0",
        "file": None,
        "line": None,
    }
    assert document["events"][3] == {
        "index": 3,
        "kind": "edge",
        "node": 1,
        "slot": 0,
        "arg": 0,
        "rule": "inf",
        "upstream": 1.0,
        "local": "inf",
        "product": "inf",
        "total": "inf",
    }


def test_a_notebook_sees_where_the_stepper_stands() -> None:
    o, leaves = lecture_neuron()
    stepper = Stepper(o)
    stepper.goto(leaves["b"])
    bundle = stepper._repr_mimebundle_()
    assert '"position":16,' in bundle["text/javascript"].replace("\\", "")
    at_start = Stepper(o)._repr_mimebundle_()
    assert bundle["image/png"] != at_start["image/png"]
