"""A gradient use by use: the contributions that an eager sweep adds up, each by itself."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import compress
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.recording import FunctionGraph
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.graph import topological_order
from autograd.modes import changed_mode
from autograd.pullbacks import shares
from autograd.transforms import descendants


class Chosen(NamedTuple):
    """Whichever of several parameters an input chooses.

    Attributes:
        chooser: the input's place.
        places: those of the parameters; -1 for what is none, or isn't differentiated.
    """

    chooser: int
    places: tuple[int, ...]


class Uses(NamedTuple):
    """The gradient of one output, times a seed, before anything is added up.

    Attributes:
        contributions: to parameters, in the order in which the eager sweep adds them up.
        places: for each of them, which parameter it is of.
        moved: the derivatives by arguments, whole.
        seed: the leaf that the output is multiplied with.
    """

    contributions: list[Value | float]
    places: list[int | Chosen]
    moved: list[Value | float]
    seed: Value

    @property
    def chosen(self) -> dict[int, Chosen]:
        """Those of the places that a sample chooses."""
        return {i: place for i, place in enumerate(self.places) if isinstance(place, Chosen)}

    def placed(self, row: Sequence[float]) -> list[int]:
        """Return the places for one sample, given its inputs."""
        return [
            place if isinstance(place, int) else place.places[int(row[place.chooser])]
            for place in self.places
        ]


def uses_apart(
    graph: FunctionGraph, parameters: Sequence[Value], moved: Sequence[Value], *, strict: bool
) -> Uses:
    """Return the gradient of a function's first output, the uses of the parameters kept apart.

    So a compiled gradient can be summed up contribution by contribution, as `Value.backward`
    does it over a whole batch, where the seed is the derivative of the cost by this sample. What
    is taken from a table has no node there: a contribution goes to the row at once.

    Args:
        strict: whether to refuse what another index would have added up in another order.

    Raises:
        CompileError: that is so.
    """
    out = graph.outputs[0]
    seed = Value(1.0, label="seed")
    if not isinstance(out, Value):
        return Uses([], [], [0.0] * len(moved), seed)
    order = topological_order(out)
    choosing: dict[Any, int] = {graph.inputs[i]: i for i in graph.choices}
    takes: dict[Any, int] = {
        node: choosing[node.args[0]]
        for node in order
        if node.op is ops.take and node.args[0] in choosing
    }
    if strict and _is_open(out, takes):
        raise CompileError(
            f"{graph.name} takes a row that is computed there for the first time, so that the "
            "index decides in which order a gradient is added up: without exact=True it may, or "
            "use the rows before, as logsumexp(xs) - take(xs, i) does"
        )
    concerned = descendants(order, [*parameters, *moved])
    place: dict[Any, int] = {leaf: i for i, leaf in enumerate(parameters)}
    found = Uses([], [], [], seed)
    adjoint: dict[Value, Any] = {}

    def pass_on(node: Value, contribution: Any) -> None:
        """Add a contribution to a node; of one that is taken, to the row it is."""
        waiting = [(node, contribution)]
        while waiting:
            node, g = waiting.pop()
            at: int | Chosen | None = place.get(node)
            if node in takes:
                index, *rows = node.args
                assert isinstance(index, Value)
                at = Chosen(takes[node], tuple([place.get(row, -1) for row in rows]))
                waiting += [
                    (row, ops.where(abs(index - k), 0.0, g))
                    for k, row in enumerate(rows)
                    if isinstance(row, Value) and row in concerned and row not in place
                ]
                if set(at.places) == {-1}:
                    continue
            if at is not None:
                found.contributions.append(g)
                found.places.append(at)
            elif node in concerned:
                adjoint[node] = adjoint[node] + g if node in adjoint else g

    with changed_mode(checked=False, grad=True, debug=None):
        pass_on(out, seed)
        for node in reversed(order):
            if node.op is None or node not in adjoint:
                continue
            args: tuple[Any, ...] = node.args
            asked = tuple(map(concerned.__contains__, args))
            parts = shares(node, args, adjoint[node], asked)
            for arg, part in zip(compress(args, asked), parts, strict=True):
                pass_on(arg, part)
        # The grad of a leaf begins at 0.0, which -0.0 doesn't change.
        found.moved.extend([adjoint.get(leaf, 0.0) + 0.0 for leaf in moved])
    return found


def _is_open(out: Value, takes: Container[Value]) -> bool:
    """Return whether a walk meets several computed rows of a table where it takes one of them."""
    done: set[Value] = set()
    waiting = [(out, False)]
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            done.add(node)
        elif node not in done:
            args = [arg for arg in node.args if isinstance(arg, Value)]
            if node in takes:
                if any(arg.op and arg not in done for arg in args):
                    return True
                done.add(node)
                continue
            waiting.append((node, True))
            waiting += [(arg, False) for arg in reversed(args)]
    return False
