"""The walks: order and cycles, at any depth."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from autograd import CycleError
from autograd.graph import node_args, topological_order
from autograd.testing.straightline import StraightLine
from autograd.testing.strategies import expressions


class Node:
    """The least that a walk needs."""

    def __init__(self, name: str, *args: Any) -> None:
        self.name = name
        self.args = args

    def __repr__(self) -> str:
        return self.name


def names(nodes: list[Node]) -> str:
    return " ".join(map(repr, nodes))


def test_arguments_come_first_from_left_to_right() -> None:
    a, b = Node("a"), Node("b")
    left, right = Node("left", a, b), Node("right", b, 2.0, a)
    assert names(topological_order(Node("top", left, right))) == "a b left right top"
    assert names(topological_order(Node("top", right, left))) == "b a right left top"


def test_the_case_that_a_recursion_without_a_sort_gets_wrong() -> None:
    a = Node("a")
    b = Node("b", a, a)
    c = Node("c", b, b)
    assert names(topological_order(c)) == "a b c"
    assert [node_args(node) for node in topological_order(c)] == [[], [a, a], [b, b]]


def test_plain_numbers_are_no_nodes() -> None:
    a = Node("a")
    assert node_args(Node("b", 1.0, a, 2.0, a)) == [a, a]


def test_a_cycle_is_shown_with_its_nodes() -> None:
    a = Node("a")
    b = Node("b", a)
    c = Node("c", b)
    a.args = (c,)
    with pytest.raises(CycleError, match=r"a cycle of 3 node\(s\): c -> b -> a -> c"):
        topological_order(Node("top", c))


def test_a_node_of_itself_is_a_cycle() -> None:
    a = Node("a")
    a.args = (a,)
    with pytest.raises(CycleError, match=r"a cycle of 1 node\(s\): a -> a"):
        topological_order(a)


def test_a_long_cycle_is_abridged() -> None:
    first = node = Node("n0")
    for i in range(1, 1000):
        node = Node(f"n{i}", node)
    first.args = (node,)
    with pytest.raises(CycleError, match=r"1000 node\(s\): .* \.\.\. 993 more \.\.\. "):
        topological_order(node)


@pytest.mark.long
def test_no_depth_is_too_much() -> None:
    node = Node("0")
    for i in range(100_000):
        node = Node(str(i + 1), node, node)
    assert len(topological_order(node)) == 100_001


@settings(max_examples=25)
@given(expressions())
def test_every_node_once_and_after_its_arguments(program: StraightLine) -> None:
    results = program.values()
    order = topological_order(results[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order) == len(results)
    assert order[-1] is results[-1]
    assert all(place[arg] < place[node] for node in order for arg in node_args(node))
