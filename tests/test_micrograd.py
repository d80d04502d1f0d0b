"""The code that a micrograd user has, after changing two import lines.

The numbers were recorded by running the same code on micrograd 0.1.0.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value
from nn import MLP
from nn.data import moons

# micrograd sums b + w1*x1 + w2*x2, the fused neuron w1*x1 + w2*x2 + b: each sum of up to 17
# terms may differ by up to 17 roundings of 1.1e-16, about 2e-15. Six updates enlarge that by
# less than 500: the step along a gradient of size ~1 is at most 1.
REL = 1e-12

FIRST_LOSSES = [
    0.9073484115658917,
    1.6557411550266987,
    1.0070096346249142,
    1.0980729058607268,
    0.52210107691479,
    0.40517407250570026,
]
FIRST_ACCURACIES = [0.5, 0.75, 0.75, 0.75, 0.8, 0.8]


def readme_example(value: Callable[[float], Any]) -> tuple[float, float, float]:
    """Return g and the gradients of a and b, as in micrograd's README."""
    a = value(-4.0)
    b = value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def sanity_check(value: Callable[[float], Any]) -> tuple[float, float]:
    """Return the output and the gradient of micrograd's first engine test."""
    x = value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    return y.data, x.grad


def more_ops(value: Callable[[float], Any]) -> tuple[float, float, float]:
    """Return the output and the gradients of micrograd's second engine test."""
    a = value(-4.0)
    b = value(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def demo_training(
    value: Callable[[float], Any], mlp: Callable[..., Any], steps: int
) -> tuple[list[float], list[float]]:
    """Return losses and accuracies of the first steps of micrograd's demo notebook."""
    points, bits = moons(20, noise=0.0, seed=5)
    labels = [2 * bit - 1 for bit in bits]
    random.seed(1337)
    model = mlp(2, [16, 16, 1])
    totals, accuracies = [], []
    for k in range(steps):
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        hits = [(label > 0) == (s.data > 0) for label, s in zip(labels, scores, strict=True)]
        accuracies.append(sum(hits) / len(hits))
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        totals.append(total_loss.data)
    return totals, accuracies


def trace(root: Any) -> tuple[set[Any], set[tuple[Any, Any]]]:
    """Return nodes and edges, as the cell of micrograd's trace_graph notebook does."""
    nodes, edges = set(), set()

    def build(v: Any) -> None:
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def test_readme_example() -> None:
    g, a, b = readme_example(Value)
    assert f"{g:.4f} {a:.4f} {b:.4f}" == "24.7041 138.8338 645.5773"
    assert (g, a, b) == (24.70408163265306, 138.83381924198252, 645.5772594752186)


def test_sanity_check() -> None:
    # By hand: x = -4 gives z = -10, so relu(z) = 0, q = z x = 40, h = z^2 = 100,
    # y = h + q + q x = 100 + 40 - 160; dy/dx = 2 z 3 + (1 + x) (3 x + z) + q = -60 + 66 + 40.
    assert sanity_check(Value) == (-20.0, 46.0)


def test_more_ops() -> None:
    assert more_ops(Value) == (24.70408163265306, 138.83381924198252, 645.5772594752186)


def test_demo_training_loop() -> None:
    losses, accuracies = demo_training(Value, MLP, len(FIRST_LOSSES))
    assert losses == pytest.approx(FIRST_LOSSES, rel=REL)
    assert accuracies == FIRST_ACCURACIES


def test_weights_come_from_the_global_random_in_the_same_order() -> None:
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    data = [p.data for p in model.parameters()]
    assert data[:4] == [0.23550571390294128, 0.06653114721000164, 0, -0.26830328150124894]
    assert sum(data) == pytest.approx(6.8621742082939665, rel=REL)


def test_the_model_prints_as_in_the_demo() -> None:
    assert str(MLP(2, [2, 1])) == (
        "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(2)]]"
    )


def test_trace_graph_cell() -> None:
    a = Value(2.0)
    b = a * a + 1.0
    y = b.relu()
    nodes, edges = trace(y)
    assert sorted(node._op for node in nodes) == ["", "*", "+", "relu"]
    assert edges == {(a, b._prev[0]), (b._prev[0], b), (b, y)}


def test_draw_dot_cell() -> None:
    graphviz = pytest.importorskip("graphviz")
    x = Value(1.0)
    y = (x * 2 + 1).relu()
    y.backward()
    nodes, edges = trace(y)
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    for n in nodes:
        label = "{ data %.4f | grad %.4f }" % (n.data, n.grad)  # noqa: UP031 - the user's code
        dot.node(name=str(id(n)), label=label, shape="record")
        if n._op:
            dot.node(name=str(id(n)) + n._op, label=n._op)
            dot.edge(str(id(n)) + n._op, str(id(n)))
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    assert "data 3.0000 | grad 1.0000" in dot.source
    assert "data 1.0000 | grad 2.0000" in dot.source


@pytest.mark.peer
def test_beside_micrograd() -> None:
    engine = pytest.importorskip("micrograd.engine")
    peer = pytest.importorskip("micrograd.nn")
    for example in (readme_example, sanity_check, more_ops):
        # Its order of summation follows addresses, so its own last digits change from run to run.
        assert example(Value) == pytest.approx(example(engine.Value), rel=REL)
    losses, accuracies = demo_training(Value, MLP, 4)
    their_losses, their_accuracies = demo_training(engine.Value, peer.MLP, 4)
    assert losses == pytest.approx(their_losses, rel=REL)
    assert accuracies == their_accuracies
