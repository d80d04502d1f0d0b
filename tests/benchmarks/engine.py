"""The engine and micrograd, one measurement a process.

``python -m tests.benchmarks.engine MEASURE`` prints JSON. Run alone so that no contender pays for
what another left behind for Python's gc; with ``off`` after the measure, it runs without any.
"""

from __future__ import annotations

import copy
import gc
import json
import pickle
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from typing import Any

POINTS = 100


def data() -> tuple[list[tuple[float, float]], list[int]]:
    """Return 100 points in the square and labels -1 or 1."""
    rng = random.Random(0)
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(POINTS)]
    return points, [1 if x * y > 0 else -1 for x, y in points]


def moons_step(
    value: Callable[[float], Any], model: Callable[[list[Any]], Any], parameters: list[Any]
) -> Callable[[], float]:
    """Return one step of the hinge loss: forward, zero the gradients, backward."""
    points, labels = data()

    def step() -> float:
        inputs = [list(map(value, point)) for point in points]
        scores = list(map(model, inputs))
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
        loss: Any = sum(losses) * (1.0 / len(losses))
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        return float(loss.data)

    return step


def micrograd() -> Callable[[], float]:
    """micrograd 0.1.0, as its demo uses it."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    return moons_step(Value, model, model.parameters())


def scalars() -> Callable[[], float]:
    """Our engine, one node for each multiplication and addition, as micrograd records them."""
    from autograd import Value
    from nn import MLP

    random.seed(1337)
    mlp = MLP(2, [16, 16, 1])

    def neuron(n: Any, x: list[Any]) -> Any:
        act = sum((wi * xi for wi, xi in zip(n.w, x, strict=True)), n.b)
        return act.relu() if n.nonlin else act

    def model(x: list[Any]) -> Any:
        for layer in mlp.layers:
            x = [neuron(n, x) for n in layer.neurons]
        return x[0]

    return moons_step(Value, model, mlp.parameters())


def mlp() -> Callable[[], float]:
    """nn.MLP as shipped, a weighted sum being one node."""
    from autograd import Value
    from nn import MLP

    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    return moons_step(Value, model, model.parameters())


class Lean:
    """A number as microgpt has it: slots, and the local gradients in place of closures.

    Source: A. Karpathy, microgpt.py, 2026; from the facts, with the ops that the step needs.
    """

    __slots__ = ("_children", "_slopes", "data", "grad")

    def __init__(
        self, data: float, children: tuple[Lean, ...] = (), slopes: tuple[float, ...] = ()
    ) -> None:
        self.data = data
        self.grad = 0.0
        self._children = children
        self._slopes = slopes

    def __add__(self, other: Lean | float) -> Lean:
        other = other if isinstance(other, Lean) else Lean(other)
        return Lean(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Lean | float) -> Lean:
        other = other if isinstance(other, Lean) else Lean(other)
        return Lean(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def relu(self) -> Lean:
        return Lean(max(0.0, self.data), (self,), (float(self.data > 0),))

    def backward(self) -> None:
        """Walk as microgpt does, by recursion."""
        order: list[Lean] = []
        seen: set[Lean] = set()

        def visit(node: Lean) -> None:
            if node not in seen:
                seen.add(node)
                for child in node._children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node._children, node._slopes, strict=True):
                child.grad += slope * node.grad


def lean() -> Callable[[], float]:
    """The lean class on the network of the others, node by node."""
    from nn import MLP

    random.seed(1337)
    layers = [
        [([Lean(w.data) for w in n.w], Lean(n.b.data), n.nonlin) for n in layer.neurons]
        for layer in MLP(2, [16, 16, 1]).layers
    ]

    def neuron(w: list[Lean], b: Lean, nonlin: bool, x: list[Any]) -> Lean:
        act = sum((wi * xi for wi, xi in zip(w, x, strict=True)), b)
        return act.relu() if nonlin else act

    def model(x: list[Any]) -> Any:
        for layer in layers:
            x = [neuron(*parts, x) for parts in layer]
        return x[0]

    parameters = [p for layer in layers for w, b, _ in layer for p in (*w, b)]
    return moons_step(Lean, model, parameters)


def time_step(contender: Callable[[], Callable[[], float]]) -> dict[str, float]:
    """Return the loss and the seconds of one step after one to warm up."""
    step = contender()
    step()
    start = time.perf_counter()
    loss = step()
    return {"seconds": time.perf_counter() - start, "loss": loss}


def time_work(work: Callable[[], object]) -> dict[str, float]:
    """Return the least seconds of five calls after one to warm up."""
    work()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds)}


def chained(v: list[Any]) -> Any:
    """Return Rosenbrock's function in its chained form."""
    return sum((100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(v)), 0.0)


POINT = [0.1 * i for i in range(20)]


def check() -> object:
    """Check a gradient in 20 inputs."""
    from autograd import gradcheck

    return gradcheck(chained, POINT)


def hessian() -> object:
    """Compute a Hessian of 20 by 20."""
    from autograd import hessian

    return hessian(chained)(POINT)


def dropout() -> object:
    """Train with dropout for three epochs, in the eager engine."""
    from nn import Dropout, Layer, Sequential, fit
    from nn.data import moons
    from nn.losses import binary_cross_entropy_with_logits
    from nn.optim import Adam

    model = Sequential(
        Layer(2, 16, activation="tanh", seed=0),
        Dropout(0.2, seed=1),
        Layer(16, 1, activation="linear", seed=2),
    )
    optimizer = Adam(model.parameters(), 0.01)
    loss = binary_cross_entropy_with_logits
    return fit(model, moons(60, seed=0), loss, optimizer, epochs=3, compile=False)


def bytes_per_node() -> float:
    """Return the memory a node of a chain holds after backward, by tracemalloc."""
    from autograd import Value

    length = 100_000
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = Value(1.0)
    for _ in range(length):
        y = y * 1.000001
    y.backward()
    gc.collect()
    return (tracemalloc.get_traced_memory()[0] - before) / (length + 1)


def long_chain() -> dict[str, float]:
    """Return the seconds of each stage in the life of a chain of a million operations."""
    from autograd import Value

    stages = {}
    x = Value(1.0)

    def stage(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        stages[name] = time.perf_counter() - start
        return result

    def build() -> Value:
        y = x
        for _ in range(500_000):
            y = y * 1.0000001 + x
        return y

    y: Value = stage("build", build)
    stage("backward", y.backward)
    first = x.grad
    stage("backward again", y.backward)
    assert x.grad == 2 * first
    twin_x, twin = stage("deepcopy", lambda: copy.deepcopy((x, y)))
    saved = stage("pickle", lambda: pickle.dumps((x, y)))
    again_x, again = stage("unpickle", lambda: pickle.loads(saved))
    for leaf, root in ((twin_x, twin), (again_x, again)):
        leaf.grad = 0.0
        root.backward()
        assert leaf.grad == first
    del twin, again, root

    def free() -> None:
        nonlocal y
        del y
        gc.collect()

    stage("free", free)
    return stages


MEASURES: dict[str, Callable[[], Any]] = {
    "micrograd": lambda: time_step(micrograd),
    "scalars": lambda: time_step(scalars),
    "mlp": lambda: time_step(mlp),
    "lean": lambda: time_step(lean),
    "check": lambda: time_work(check),
    "hessian": lambda: time_work(hessian),
    "dropout": lambda: time_work(dropout),
    "memory": bytes_per_node,
    "chain": long_chain,
}

if __name__ == "__main__":
    if "off" in sys.argv[2:]:
        gc.disable()
    print(json.dumps(MEASURES[sys.argv[1]]()))
