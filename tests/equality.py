"""What random programs give, to be compared between the engines.

``python -m tests.equality FIRST LAST`` prints a line for each seed: a digest of all that a
program's nodes hold, of its errors, copies and pickles; with a third argument the whole text.
"""

from __future__ import annotations

import copy
import math
import pickle
import random
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd import TABLE, Value, debug, gradients, no_grad, scope
from autograd.acceleration import engine_name
from autograd.contexts import unchecked
from autograd.engine import sweep
from tests.floats import bits

NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.5, 0.1, 1e-300, 1e300, 5e-324, math.inf, -math.inf,
    math.nan, 700.0, -750.0, 1 + 2**-52, 2.0**53,
]  # fmt: skip

OTHERS: list[Any] = [2, -1, 0, 3, True, 10**400, 2**60 + 1, "a", None, 1j, [1.0], 2.0, 0.25]

MODES: list[Callable[[], AbstractContextManager[None]]] = [
    nullcontext, nullcontext, nullcontext, lambda: scope("layers.0"), no_grad, unchecked, debug,
]  # fmt: skip

OPERATORS: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y,
    lambda x, y: x**y,
]  # fmt: skip


def story(seed: int) -> Iterator[str]:
    """Yield all there is to know about the program with this seed."""
    rng = random.Random(seed)
    nodes = [_leaf(rng, i) for i in range(rng.randint(1, 4))]
    for _ in range(rng.randint(1, 25)):
        with rng.choice(MODES)():
            try:
                made = _step(rng, nodes)
            except Exception as error:
                yield f"{type(error).__name__}: {error}"
                continue
        if isinstance(made, Value):
            nodes.append(made)
        else:
            yield f"{made!r}"
    number = {node: i for i, node in enumerate(nodes)}
    for node in nodes:
        yield _told(node, number)
    for root in rng.sample(nodes, min(3, len(nodes))):
        if rng.random() < 0.2:
            rng.choice(nodes).data = rng.choice([3, 0.5, True, 2.0])  # type: ignore[assignment]
        if rng.random() < 0.2:
            rng.choice(nodes).grad = rng.choice([3, None, 2.0, "b"])  # type: ignore[assignment]
        seed_ = rng.choice([1.0, 1.0, -2.5, 0.0, math.inf, math.nan])
        for way in (_backward, _swept, _differentiated):
            try:
                yield way(root, seed_, nodes)
            except Exception as error:
                yield f"{type(error).__name__}: {error}"
        yield from (_told(node, number) for node in nodes)
    try:
        again = pickle.loads(pickle.dumps(nodes))
        yield from (_told(node, {node: i for i, node in enumerate(again)}) for node in again)
        yield from (repr(node) for node in copy.deepcopy(nodes))
        yield from (repr(copy.copy(node)) for node in nodes)
    except TypeError as error:
        yield f"{error}"


def _leaf(rng: random.Random, i: int) -> Value:
    x = rng.choice(NUMBERS) if rng.random() < 0.3 else rng.uniform(-3, 3)
    if rng.random() < 0.1:
        x = rng.choice([2, True, 0])
    return Value(x, *[f"v{i}"][: rng.random() < 0.5])


def _number(rng: random.Random) -> Any:
    if rng.random() < 0.05:
        return rng.choice(OTHERS)
    return rng.choice(NUMBERS) if rng.random() < 0.2 else rng.uniform(-3, 3)


def _step(rng: random.Random, nodes: list[Value]) -> Any:
    def one() -> Any:
        return rng.choice(nodes[-6:]) if rng.random() < 0.7 else _number(rng)

    way = rng.random()
    x = rng.choice(nodes[-6:])
    if way < 0.35:
        return rng.choice(OPERATORS)(*rng.sample([x, one()], 2))
    if way < 0.4:
        return -x if rng.random() < 0.5 else abs(x)
    if way < 0.55:
        names = [op.name for op in TABLE.values() if op.arity == 1 and not op.binds]
        return getattr(x, rng.choice(names))()
    if way < 0.6:
        return _by_hand(rng, x, one())
    op = rng.choice(list(TABLE.values()))
    arity = op.arity or rng.choice([1, 2, 3, 4, 5, 9, 400 if rng.random() < 0.02 else 6])
    args = [one() for _ in range(arity)]
    args[rng.randrange(arity)] = x
    return op(*args)


def _by_hand(rng: random.Random, x: Value, other: Any) -> Value:
    if rng.random() < 0.5:
        return Value(x.data * 2.0, (x,), (rng.choice([2.0, math.inf]),))
    y = Value(x.data + 1.0, (x, x), "twice")

    def backward() -> None:
        x.grad += 0.5 * y.grad
        if isinstance(other, int):
            x.grad = other

    y._backward = backward
    return y


def _told(node: Value, number: dict[Value, int]) -> str:
    args = [number.get(a, "?") if isinstance(a, Value) else bits(a).hex() for a in node.args]
    data, grad = (bits(x).hex() if type(x) is float else f"{x!r}" for x in (node.data, node.grad))
    origin = node.origin and (node.origin[0], node.origin[2])
    return f"{node!r} {data} {grad} {node.op!r} {args} {origin} {node._mark is None}"


def _backward(root: Value, seed: float, nodes: list[Value]) -> str:
    root.backward(seed)
    return "passed"


def _swept(root: Value, seed: float, nodes: list[Value]) -> str:
    return " ".join(bits(step.total).hex() for step in sweep(root, seed))


def _differentiated(root: Value, seed: float, nodes: list[Value]) -> str:
    return " ".join(bits(g.data).hex() for g in gradients(root, nodes[:2]))


def main(first: int, last: int, *, whole: bool) -> None:
    sys.stdout.write(f"{engine_name()}\n")
    for seed in range(first, last):
        text = "\n".join(story(seed))
        sys.stdout.write(f"{seed} {text if whole else zlib.crc32(text.encode())}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), whole=len(sys.argv) > 3)
