"""The first wrong op: each op's rules against its own forward, in topological order."""

from __future__ import annotations

import math
from functools import reduce
from operator import add

import pytest

from autograd import Op, Value, atan2, dot, exp, sin
from autograd import sum as sum_of
from autograd.checking.culprit import MANY_EDGES, check_edges, first_culprit, first_steps
from autograd.checking.linearization import Linearization
from autograd.operation import TABLE


def test_the_first_in_order_between_a_leaf_and_the_root() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    wrong = Op("wrong_square", lambda x: x * x, (lambda y, x: 2.5 * x,))
    first, second = wrong(x), wrong(y)
    out = sin(first * 0.1) + exp(second * 0.1)
    graph = Linearization(out)
    found = first_culprit(graph)
    assert found is not None
    assert (found.op, found.slot, found.parameter) == ("wrong_square", 0, "x")
    assert (found.local, round(found.numeric, 6)) == (5.0, 4.0)
    by_y = first_culprit(graph, y)
    assert by_y is not None
    assert (by_y.local, round(by_y.numeric, 6)) == (7.5, 6.0)
    assert graph.order[by_y.position] is second
    assert first_culprit(Linearization(sin(x) * y), x) is None


@pytest.mark.parametrize(
    ("edges", "lines"), [(MANY_EDGES, MANY_EDGES), (MANY_EDGES + 1, 1), (100, 1)]
)
def test_an_op_with_many_edges_that_are_right_costs_no_more_than_one(
    edges: int, lines: int
) -> None:
    calls: list[int] = []

    def counted(*xs: float) -> float:
        calls.append(len(xs))
        return math.fsum(map(float, xs))

    op = Op("counted", counted, pullback=lambda g, z, xs: [g for _ in xs])
    graph = Linearization(op(*[Value(0.1 * i) for i in range(edges)]))
    calls.clear()
    assert first_culprit(graph) is None
    assert 6 * lines <= len(calls) <= 30 * lines


def test_a_nan_that_infinities_make_is_no_fault_of_a_rule() -> None:
    x = Value(1.0)
    graph = Linearization(atan2(x, math.inf))
    assert math.isnan(graph.locals[graph.order[-1]][0])
    assert first_culprit(graph) is None


def test_an_argument_that_is_not_concerned_is_not_to_blame() -> None:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    rules = (lambda z, x, y: y, lambda z, x, y: 1.5 * x)
    half_wrong = Op("half_wrong", lambda x, y: x * y, rules)
    graph = Linearization(half_wrong(x, y))
    assert first_culprit(graph, x) is None
    found = first_culprit(graph, y)
    assert found is not None
    assert (found.slot, found.parameter, round(found.numeric, 6)) == (1, "y", 2.0)
    assert first_culprit(graph) == found


@pytest.mark.parametrize("n", [2, MANY_EDGES, MANY_EDGES + 1, 100])
def test_one_wrong_edge_among_many(n: int) -> None:
    def pull(g: float, out: float, args: tuple[float, ...]) -> list[float]:
        return [g * (1.0 if i != n // 2 else 1.5) for i in range(len(args))]

    leaves = [Value(float(i + 1), f"x{i}") for i in range(n)]
    assert first_culprit(Linearization(sum_of(leaves))) is None
    assert first_culprit(Linearization(dot(leaves, [0.5] * n))) is None
    wrong = Op("wrong_sum", lambda *xs: reduce(add, xs), pullback=pull)
    found = first_culprit(Linearization(wrong(*leaves)))
    assert found is not None
    assert (found.slot, round(found.numeric, 6)) == (n // 2, 1.0)


def test_an_edge_is_judged_alone_or_with_others() -> None:
    sine = TABLE["sin"]
    right = check_edges(sine, [0], (0.5,), (math.cos(0.5),))
    assert (right.verdict, right.numeric) == ("ok", pytest.approx(math.cos(0.5), abs=1e-9))
    assert check_edges(sine, [0], (0.5,), (1.01 * math.cos(0.5),)).verdict == "wrong"
    times = TABLE["mul"]
    both = check_edges(times, [0, 1], (3.0, 5.0), (5.0, 3.0))
    assert both.verdict == "ok"
    assert check_edges(times, [0, 1], (3.0, 5.0), (5.0, 3.1)).verdict == "wrong"
    assert check_edges(times, [0, 1], (3.0, 5.0), (3.0, 5.0)).verdict == "wrong"
    bend = TABLE["abs"]
    assert check_edges(bend, [0], (-2.0,), (-1.0,)).verdict == "ok"
    assert check_edges(bend, [0], (-2.0,), (1.0,)).verdict == "wrong"
    assert check_edges(bend, [0], (0.0,), (0.5,)).verdict == "kink"


def test_steps_go_by_the_graph_then_by_the_input() -> None:
    assert first_steps(800.0, 2.0) == [100.0, 0.25]  # not another one so near to it
    assert first_steps(0.008, 2.0) == [0.001, 0.25]
    assert first_steps(0.0, 16.0) == [2.0, 0.125]
    assert first_steps(0.0, 0.0) == first_steps(math.inf, 0.0) == [0.125]
