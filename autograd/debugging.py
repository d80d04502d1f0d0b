"""`debug`: where every node comes from, and the genealogy of the first bad number.

Inside the context, what is silent or brief elsewhere becomes an error that tells the whole
story: the op and the rule that broke, its line, how its inputs came about, whose gradients it
would poison, and what to write instead.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from autograd.advice import cause_of_nan, instead
from autograd.engine import Value
from autograd.errors import StaleValueError
from autograd.forms import floats_of
from autograd.graph import topological_order
from autograd.lowering import value_function
from autograd.modes import changed_mode, current_mode, source_line
from autograd.operand import real
from autograd.operation import Op
from autograd.place import Origin, place_of

GENERATIONS = 6
"""How far back a genealogy goes."""

LEAVES_NAMED = 6
"""How many leaves a message names before it counts the rest."""

SPELLED = 12
"""Of more arguments than these, a message spells the first and the last."""


@contextmanager
def debug() -> Iterator[None]:
    """Record where every node comes from, and be strict. Also usable as a decorator.

    Inside, every node remembers the file and line that made it. The first number that leaves
    an op's domain, overflows or turns NaN raises at once, with its genealogy; so does a
    backward pass through a derivative that isn't finite. `backward` raises where a ``.data``
    was changed after it had been used, assigning anything but a real number to it is a
    `TypeError`, and ``float()`` of an inner node warns.

    Cost: several times the plain recording.
    """
    with _inspector, changed_mode(debug=_inspector):
        yield


class _Inspector:
    """Answers the engine's questions while `debug` is on, and watches ``Value.data``.

    The watch replaces the slot's descriptor, so that it sees every assignment in any thread;
    without `debug`, assignments cost nothing extra.
    """

    def __init__(self) -> None:
        self._slot = cast(Any, Value.__dict__["data"])
        self._assigned: dict[Value, tuple[str, int]] = {}
        self._depth = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            type.__setattr__(Value, "data", self)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                type.__setattr__(Value, "data", self._slot)
                self._assigned.clear()

    def __get__(self, node: Value | None, owner: type) -> Any:
        return self if node is None else self._slot.__get__(node, owner)

    def __set__(self, node: Value, data: float) -> None:
        # Else it is being made, or recorded by the compiler, which hides numbers: no change.
        if hasattr(node, "_mark") and not current_mode().tracing:
            data = real(data)
            self._assigned[node] = source_line()
        self._slot.__set__(node, data)

    def inspect(self, op: Op, floats: list[float], out: float) -> str:
        """Return what is wrong with a result whose inputs were in order; "" if nothing is."""
        applied = _spelled(op, floats)
        if math.isnan(out) and not any(map(math.isnan, floats)):
            return f"{applied} is NaN{cause_of_nan(op, floats)}"
        if math.isinf(out) and all(map(math.isfinite, floats)):
            return f"{applied} overflows: the result is {out}"
        return ""

    def explain(self, problem: str, op: Op, args: tuple[Any, ...], origin: Origin | None) -> str:
        """Return ``problem`` with its line, genealogy, victims and remedy."""
        return _story([problem + _at(origin)], args, op, args)

    def explain_edge(self, problem: str, root: Value, node: Value) -> str:
        """Return ``problem`` with the way from the root to where the derivative broke."""
        way = " > ".join(_way_down(root, node))
        return _story([problem, f"  on the way {way}"], (node,), cast(Op, node.op), node.args)

    def check_fresh(self, order: list[Value]) -> None:
        """Raise if a node's number no longer follows from its arguments.

        Raises:
            StaleValueError: names the node, its line, and the line that set ``.data``.
        """
        if found := first_stale(order):
            sets = [
                f", {_name(arg)} set at {line[0]}:{line[1]}"
                for arg in (found.node, *found.node._prev)
                if (line := self._assigned.get(arg))
            ]
            raise StaleValueError(
                f"{found}{''.join(sets)}: compute the loss again before backward()"
            )


class Stale(NamedTuple):
    """A node whose number no longer follows from its arguments', which would make it ``again``."""

    node: Value
    again: float

    def __str__(self) -> str:
        node = self.node
        spelled = _spelled(cast(Op, node.op), floats_of(node.args))
        return (
            f"{spelled} is {self.again} now, but {_name(node)} holds {node.data}{_at(node.origin)}"
        )


def first_stale(order: Iterable[Value]) -> Stale | None:
    """Return the first node of a graph whose ``.data``, or an argument's, was changed since.

    Of a node that was built by hand nobody knows what it should be.

    Cost: one forward pass.
    """
    for node in order:
        op = node.op
        if op is not None and not op.by_hand:
            floats = floats_of(node.args)
            again = value_function(op, len(floats))(*floats)
            if again != node.data and not (math.isnan(again) and math.isnan(node.data)):
                return Stale(node, again)
    return None


def _story(lines: list[str], suspects: tuple[Any, ...], op: Op, args: tuple[Any, ...]) -> str:
    """Return ``lines`` with the suspects' genealogy, their leaves, and what to write instead."""
    lines += [f"  {line}" for line in genealogy(suspects)]
    victims = [leaf for arg in suspects if isinstance(arg, Value) for leaf in _leaves(arg)]
    if victims:
        lines.append(f"  it would poison the gradient of {_listed(victims)}")
    remedy = instead(op, args)
    if remedy:
        lines.append(f"  instead: {remedy}")
    return "\n".join(lines)


def genealogy(args: tuple[Any, ...]) -> list[str]:
    """Return how ``args`` came about: one line per ancestor, the suspect's line of descent.

    At each generation the suspect is the argument that isn't finite, else the one of the
    most extreme size.
    """
    lines = []
    suspects = [arg for arg in args if isinstance(arg, Value)]
    for _ in range(GENERATIONS):
        if not suspects:
            break
        node = max(suspects, key=_extremity)
        if node.op is None:
            lines.append(f"{_name(node)} = {node.data}{_at(node.origin)}")
            break
        lines.append(
            f"{_name(node)} = {_spelled(node.op, map(_name, node.args))} = "
            f"{_spelled(node.op, floats_of(node.args))} = {node.data}{_at(node.origin)}"
        )
        suspects = list(node._prev)
    return lines


def _way_down(root: Value, node: Value) -> list[str]:
    """Return the names on one way from ``root`` to ``node``; the middle of a long one is "..."."""
    user: dict[Value, Value] = {}
    for candidate in reversed(topological_order(root)):
        for arg in candidate._prev:
            user[arg] = candidate
    way = [node]
    while way[-1] is not root:
        way.append(user[way[-1]])
    return _abridged([_name(step) for step in reversed(way)], 2 * GENERATIONS)


def _extremity(node: Value) -> float:
    x = abs(node.data)
    return math.inf if not math.isfinite(x) or x == 0 else abs(math.log(x))


def _leaves(node: Value) -> list[Value]:
    return [leaf for leaf in topological_order(node) if leaf.op is None]


def _listed(nodes: list[Value]) -> str:
    names = list(dict.fromkeys(map(_name, nodes)))
    more = f" and {len(names) - LEAVES_NAMED} more" if len(names) > LEAVES_NAMED else ""
    return ", ".join(names[:LEAVES_NAMED]) + more


def _spelled(op: Op, args: Iterable[object]) -> str:
    return op.spell(*_abridged(list(args), SPELLED))


def _abridged(items: list[Any], limit: int) -> list[Any]:
    """Return ``items``, or the first and the last of them with "..." between."""
    half = limit // 2
    return items if len(items) <= limit else [*items[:half], "...", *items[-half:]]


def _name(arg: Any) -> str:
    if not isinstance(arg, Value):
        return str(arg)
    return arg.label or (f"({arg.op.name} node)" if arg.op else "(leaf)")


def _at(origin: Origin | None) -> str:
    place = place_of(origin)
    return f"   at {place}" if place else ""


_inspector = _Inspector()
