"""Nodes built by hand: as lectures, exercises and microgpt build them."""

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import pytest

from autograd import (
    CompileError,
    DomainError,
    Op,
    RuleError,
    Stepper,
    Value,
    compile,
    debug,
    draw_dot,
    grad,
    gradcheck,
    gradients,
    hessian,
    hvp,
    jvp,
    no_grad,
    tanh,
    trace,
)
from autograd.engine import sweep


def by_slopes(x: Value) -> Value:
    """Return tanh of ``x`` in microgpt's way."""
    t = math.tanh(x.data)
    return Value(t, (x,), (1 - t * t,))


def by_closure(x: Value) -> Value:
    """Return tanh of ``x`` in the lecture's way."""
    t = math.tanh(x.data)
    out = Value(t, (x,), "tanh")

    def _backward() -> None:
        x.grad += (1 - t * t) * out.grad

    out._backward = _backward
    return out


WAYS = [by_slopes, by_closure]


@pytest.mark.parametrize("own", WAYS)
def test_a_node_built_by_hand_is_as_any_other(own: Any) -> None:
    found = []
    for function in (tanh, own):
        x, w = Value(0.5, "x"), Value(-1.5, "w")
        t = function(x * w)
        y = t * t + x
        y.backward()
        found.append((y.data, x.grad, w.grad, t.grad))
    assert found[0] == found[1]


@pytest.mark.parametrize("own", WAYS)
def test_the_stepper_walks_through_it(own: Any) -> None:
    x = Value(0.5, "x")
    t = own(x)
    y = t * x
    ledger = Stepper(y).why(x)
    totals = {step.arg: step.total for step in sweep(y)}
    assert (x.grad, t.grad) == (0.0, 0.0)  # nothing was changed
    y.backward()
    assert (totals[x], totals[t]) == (x.grad, t.grad)
    assert ledger.adjoint == x.grad
    assert math.isclose(ledger.entries[-1].local, 1 - t.data**2, rel_tol=1e-15)  # one rounding
    assert ("tanh" if own is by_closure else "by hand") in draw_dot(y).source


@pytest.mark.parametrize("own", WAYS)
def test_every_view_of_a_run_shows_it(own: Any, tmp_path: Path) -> None:
    """By its own numbers: they are asked of the node, not of a rule that it doesn't have."""
    x = Value(0.5, "x")
    y = own(x) * x
    y.label = "y"
    local = 1 - math.tanh(0.5) ** 2
    assert f"{local:.6g}" in draw_dot(y, local=True).source
    stepper = Stepper(y)
    assert stepper.recording.locals(y.args[0]) == pytest.approx((local,), rel=1e-15)
    assert str(stepper.derivation(x)) and stepper.exercises()  # noqa: PT018
    assert stepper.wrong_way("no sort").parting is None
    assert stepper.to_json()["events"]
    page = stepper.save(tmp_path / "y.html").read_text(encoding="utf-8")
    assert page.count("own_tanh" if own is by_closure else "by_hand")
    y.backward()
    assert x.grad == stepper.why(x).adjoint


def test_what_a_backward_does_is_what_is_shown_even_where_it_is_wrong() -> None:
    """The commonest slip: the upstream is forgotten."""
    x = Value(3.0, "x")
    out = Value(9.0, (x,), "square")

    def _backward() -> None:
        x.grad += 2 * x.data

    out._backward = _backward
    y = out * 5.0
    (edge,) = [e for e in Stepper(y).events if e.kind == "edge" and e.arg is x]
    assert (edge.upstream, edge.product, edge.total) == (5.0, 6.0, 6.0)
    y.backward()
    assert x.grad == 6.0


def test_an_argument_in_two_slots_gets_everything_once() -> None:
    x = Value(3.0)
    out = Value(9.0, (x, x), "*")

    def _backward() -> None:
        x.grad += 3.0 * out.grad
        x.grad += 3.0 * out.grad

    out._backward = _backward
    steps = list(sweep(out))
    assert [(step.product, step.total) for step in steps] == [(6.0, 6.0), (0.0, 6.0)]
    out.backward()
    assert x.grad == 6.0
    y = Value(9.0, (x, x), (3.0, 3.0))
    x.grad = 0.0
    y.backward()
    assert x.grad == 6.0


def test_an_upstream_of_zero_still_shows_the_local_derivative() -> None:
    y = by_closure(Value(0.5, "x")) * 0.0
    edge = [e for e in Stepper(y).events if e.kind == "edge"][-1]
    assert (edge.upstream, edge.product) == (0.0, 0.0)
    assert math.isclose(edge.local, 1 - math.tanh(0.5) ** 2, rel_tol=1e-15)


def test_backward_by_hand_as_in_the_lecture() -> None:
    x1, x2, w1, w2, b = (Value(v) for v in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    x1w1, x2w2 = x1 * w1, x2 * w2
    total = x1w1 + x2w2
    n = total + b
    o = n.tanh()
    o.grad = 1.0
    for node in (o, n, b, total, x1w1, x2w2):
        node._backward()
    by_hand = [v.grad for v in (x1, x2, w1, w2, b, n)]
    for v in (x1, x2, w1, w2, b):
        v.grad = 0.0
    o.backward()
    assert by_hand == [v.grad for v in (x1, x2, w1, w2, b, n)]
    assert x1._backward() is None


def test_a_loop_over_a_sort_of_ones_own() -> None:
    a, b = Value(2.0), Value(-3.0)
    c = a * b + (a - b).relu() ** 2 / 3 + a.exp()
    order: list[Value] = []
    seen: set[Value] = set()

    def build(v: Value) -> None:
        if v not in seen:
            seen.add(v)
            for child in v._prev:
                build(child)
            order.append(v)

    build(c)
    for v in order:
        v.grad = None  # type: ignore[assignment]
    c.grad = 1
    for v in reversed(order):
        v._backward()
    found = (a.grad, b.grad)
    a.grad = b.grad = 0.0
    c.backward()
    assert found == (a.grad, b.grad)


def test_without_a_derivative_backward_raises_at_the_node() -> None:
    x = Value(1.0, "x")
    x.grad = 7.0
    y = Value(2.0, (x,), "double") * 3.0
    with pytest.raises(
        RuleError, match=r"\(double\) was built by hand, without a derivative \(node 'x'\): set"
    ):
        y.backward()
    assert x.grad == 7.0  # all or nothing
    with pytest.raises(RuleError, match="built by hand"):
        Stepper(y)


@pytest.mark.parametrize("own", WAYS)
@pytest.mark.parametrize(
    "higher",
    [
        lambda own: grad(own)(0.5),
        lambda own: hessian(own)(0.5),
        lambda own: jvp(own, (0.5,), (1.0,)),
        lambda own: hvp(own, (0.5,), (1.0,)),
        lambda own: gradients(own(x := Value(0.5)) * 2.0, [x]),
    ],
)
def test_what_would_be_differentiated_again_refuses(own: Any, higher: Any) -> None:
    with pytest.raises(RuleError, match=r"can't be differentiated.*declare it as a row"):
        higher(own)


@pytest.mark.parametrize("own", WAYS)
def test_what_would_be_computed_again_refuses(own: Any) -> None:
    x = Value(0.5, "x")
    with pytest.raises(RuleError, match="can't be computed again"):
        Stepper(own(x) * x).what_if(x, 1.0)
    with pytest.raises(CompileError):
        compile(own, 0.5)


def test_slopes_are_copied_and_pickled_a_closure_refuses() -> None:
    x = Value(0.5, "x")
    y = by_slopes(x) * x
    for twin in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        twin.backward()
        leaf = next(node for node in twin.args if node.op is None)
        y.backward()
        assert leaf.grad == x.grad
        assert twin.args[0].op.symbol == "by hand"
        x.grad = 0.0
    assert copy.copy(y.args[0]).args == (x,)
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="_backward of its own can't be copied or pickled"):
            way(by_closure(x))


@pytest.mark.long
def test_many_nodes_by_hand_leave_nothing_behind() -> None:
    """A row is kept for ever; the op of one node must not be."""
    import gc

    from autograd.byhand import HandMade

    def kept() -> int:
        for _ in range(5):  # in C, gc doesn't know the nodes between two of them: one at a time
            gc.collect()
        return sum(isinstance(found, HandMade) for found in gc.get_objects())

    before = kept()
    for _ in range(50):
        Stepper(by_slopes(Value(0.5)) * by_closure(Value(0.1)))
    assert kept() < before + 10


def test_it_may_bear_the_name_of_a_row() -> None:
    x = Value(0.5, "x")
    y = by_closure(x) + tanh(x)
    assert [node.op.name for node in y.args] == ["own_tanh", "tanh"]
    assert [node._op for node in y.args] == ["tanh", "tanh"]


def test_a_backward_may_be_set_on_a_node_of_the_table() -> None:
    x = Value(3.0, "x")
    y = x * x
    y._backward = lambda: setattr(x, "grad", x.grad + 100.0 * y.grad)
    (y * 2.0).backward()
    assert x.grad == 200.0
    with pytest.raises(TypeError, match="a leaf passes nothing on"):
        x._backward = lambda: None


def test_forms_of_the_constructor() -> None:
    x, y = Value(1.0, "x"), Value(2.0, label="y")
    assert (x.label, y.label) == ("x", "y")
    z = Value(3.0, (x, y), "+", "z")
    assert (z.args, z._op, z.label) == ((x, y), "+", "z")
    assert Value(3.0, [x, y], [1, 1], label="z").args == (x, y)
    assert Value(3.0, ()).op is None
    assert Value(3.0, (), "init").op is None
    assert Value(3.0, (), ()).op is None


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda x: Value(1.0, 5), "a label is a string, children are a tuple of nodes; got int"),
        (lambda x: Value(1.0, x), "children are a tuple of nodes; got Value"),
        (lambda x: Value(1.0, label=5), "a label is a string, got 5"),
        (lambda x: Value(1.0, "x", label="y"), "two labels"),
        (lambda x: Value(1.0, {x}, "+"), "a set has no order"),
        (lambda x: Value(1.0, (x, 2.0), "+"), "a child is a Value, got 2.0"),
        (lambda x: Value(1.0, (x,), 0.5), "one slope for each of its 1 children"),
        (lambda x: Value(1.0, (x,), (0.5, 0.5)), "one slope for each of its 1 children"),
        (lambda x: Value(1.0, (x,), ("a",)), "expected a real number"),
        (lambda x: Value(x), "it already is one"),
    ],
)
def test_what_is_neither_is_refused_at_the_door(make: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        make(Value(1.0, "x"))


def test_a_slope_that_is_not_finite_is_an_error_unless_nothing_comes_down() -> None:
    x = Value(0.0, "x")
    root = Value(0.0, (x,), (math.inf,))
    (root * 0.0).backward()
    assert x.grad == 0.0
    with pytest.raises(DomainError, match="derivative of by_hand"):
        root.backward()


@pytest.mark.parametrize("own", WAYS)
def test_the_gradient_check_judges_it(own: Any) -> None:
    assert gradcheck(lambda x: own(x * x), 0.7).ok
    wrong = lambda x: Value(x.data**2, (x,), (2.1 * x.data,))
    report = gradcheck(lambda x: tanh(wrong(x)), 0.7)
    assert [check.verdict for check in report.inputs] == ["wrong"]


def test_debug_and_no_grad() -> None:
    x = Value(0.5, "x")
    with debug():
        y = by_slopes(x) * 2.0
        y.backward()
    assert y.args[0].origin[1] == __file__
    with no_grad():
        assert by_slopes(x).op is None


def test_a_row_and_nodes_by_hand_mix() -> None:
    double = Op("double_for_this", lambda x: 2 * x, (lambda y, x: 2.0,))
    x = Value(0.5)
    double(by_slopes(x)).backward()
    assert x.grad == 2.0 * (1 - math.tanh(0.5) ** 2)


@pytest.mark.parametrize("first", [False, True])
def test_a_function_that_leaves_no_number_in_a_grad_changes_none(first: bool) -> None:
    """All or nothing, whichever leaf it is that has no number in the end."""
    x, y = Value(2.0), Value(3.0)
    out = Value(6.0, (x, y)[:: -1 if first else 1], "out")
    x.grad, y.grad = 5.0, -0.0

    def backward() -> None:
        x.grad, y.grad = None, 7.0  # type: ignore[assignment]

    out._backward = backward
    with pytest.raises(TypeError, match=r"for \+: 'NoneType' and 'float'"):
        out.backward()
    assert (x.grad, str(y.grad), out.grad) == (5.0, "-0.0", 0.0)
    assert x._mark is y._mark is out._mark is None


def test_a_backward_that_is_taken_off_is_none_to_begin_with() -> None:
    """As those do who pickle a graph of micrograd's, closures and all."""
    a, b = Value(2.0), Value(3.0)
    out = (a * b + a).tanh()
    out.backward()
    for node in trace(out)[0]:
        node._backward = None  # type: ignore[assignment]
    again = pickle.loads(pickle.dumps(out))
    assert (again.data, again.grad, len(again._prev)) == (out.data, 1.0, 1)
    gradient = a.grad
    a.grad = 0.0
    out.backward()
    assert a.grad == gradient
    own = Value(1.0, (a,), "own")
    own._backward = lambda: None
    with pytest.raises(TypeError, match="a function without arguments, got None"):
        own._backward = None  # type: ignore[assignment]
