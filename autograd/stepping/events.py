"""A recorded run: the forward and backward pass of a graph as one immutable list of events.

The list is in the order in which things happen: the value of every node, from the leaves up;
then, from the root down, each node's adjoint complete (``done``) followed by the contribution
it passes along each of its edges. Any front end can replay it; the JSON is described at
`Recording.to_json`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, overload

from autograd.engine import Step, Value, sweep
from autograd.formula import rule, rule_symbols, short, text
from autograd.graph import topological_order
from autograd.kernels import form
from autograd.operand import Number, Symbol, real
from autograd.operation import Op

SCHEMA = 1


class Event(NamedTuple):
    """One moment of a run.

    Attributes:
        index: position in the run.
        kind: ``"forward"``: the node's value is known; ``"done"``: its adjoint is complete;
            ``"edge"``: the node passes ``product = upstream * local`` to its argument.
        node: the node that is computed, completed, or passes on.
        slot: which argument receives, for an edge.
        arg: the node that receives, for an edge.
        rule: formula of the op (forward) or of the local derivative (edge), in x, y, z.
        upstream: adjoint of ``node``: d root / d node.
        local: d node / d arg.
        product: what this edge contributes to d root / d arg.
        total: the value (forward) or the adjoint so far (edge, done).
        recording: the run this belongs to; it knows the nodes' names.
    """

    index: int  # type: ignore[assignment]  # the field's name wins over tuple's method
    kind: str
    node: Value
    slot: int | None
    arg: Value | None
    rule: str
    upstream: float | None
    local: float | None
    product: float | None
    total: float
    recording: Recording

    def __str__(self) -> str:
        run, node = self.recording, self.node
        name, root = run.name(node), run.name(run.root)
        if self.kind == "forward":
            if node.op is None:
                return f"{name} = {show(self.total)}"
            numbers = node.op.spell(*(show(run.value(arg)) for arg in node.args))
            return f"{run.definition(node)} = {numbers} = {show(self.total)}"
        if self.kind == "done":
            return f"d {root}/d {name} = {show(self.total)}   complete"
        assert self.arg is not None
        assert self.slot is not None
        upstream, local, product = map(show, (self.upstream, self.local, self.product))
        return (
            f"d {root}/d {run.name(self.arg)} += upstream * local = {upstream} * {local}"
            f" = {product}   (total {show(self.total)})   {run.definition(node)},"
            f" d {name}/d {run.name(self.arg)} = {run.named_rule(node, self.slot)}"
        )

    def __repr__(self) -> str:
        return f"<{self.index} {self.kind}: {self}>"


class Events(Sequence[Event]):
    """The events of a run as an immutable sequence; each is made when it is looked at."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def __len__(self) -> int:
        return self._recording.length

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, index: int | slice) -> Event | tuple[Event, ...]:
        positions = range(len(self))[index]
        if isinstance(positions, range):
            return tuple(map(self._recording.event, positions))
        return self._recording.event(positions)

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


class Recording:
    """A graph with the events of one forward and backward pass over it.

    Args:
        root: the node to differentiate.
        seed: the adjoint the root starts with.
        max_events: the length above which recording is refused.

    Attributes:
        nodes: the graph in topological order.
        position: where each node stands in ``nodes``.
        events: the run, in the order in which things happen; ``length`` of them.
        steps: the backward pass alone, edge by edge.
        done: the index of the event that completes each node's adjoint.
        incoming: the indices of the edges that contribute to each node, in order.

    Nothing is changed: not the graph, nor any ``data`` or ``grad``.

    Raises:
        ValueError: the run would be longer than ``max_events``.
        DomainError, CycleError: as `Value.backward`.
    """

    def __init__(self, root: Value, seed: float = 1.0, max_events: int = 1_000_000) -> None:
        if not isinstance(root, Value):
            raise TypeError(f"expected the Value to differentiate, got {type(root).__name__}")
        self.root = root
        self.seed = real(seed)
        self.nodes = tuple(topological_order(root))
        self.position = {node: i for i, node in enumerate(self.nodes)}
        self._values = {node: node.data for node in self.nodes}
        self._names = dict(zip(self.nodes, names_of(self.nodes), strict=True))
        edges = max(max_events - 2 * len(self.nodes), 0)
        self.steps = tuple(islice(sweep(root, self.seed, self.nodes), edges + 1))
        self.length = 2 * len(self.nodes) + len(self.steps)
        if self.length > max_events:
            raise ValueError(
                f"this run has more than max_events={max_events:,} events ({len(self.nodes):,} "
                "nodes): step through a smaller part (the loss of one sample, or an inner node), "
                "or raise it"
            )
        self.incoming: dict[Value, list[int]] = {node: [] for node in self.nodes}
        self.done: dict[Value, int] = {}
        self._number_events()
        self.events = Events(self)

    def _number_events(self) -> None:
        """Number the events: each node's completion, then the edges it passes on along."""
        index, incoming = len(self.nodes), self.incoming
        remaining = reversed(self.nodes)
        current = None
        for step in self.steps:
            if step.node is not current:
                current = step.node
                for node in remaining:
                    self.done[node] = index
                    index += 1
                    if node is current:
                        break
            incoming[step.arg].append(index)
            index += 1
        for node in remaining:
            self.done[node] = index
            index += 1
        self._completions = list(self.done.values())

    def event(self, index: int) -> Event:
        """Return the event at ``index``, from 0 to ``length - 1``."""
        count = len(self.nodes)
        if index < count:
            node = self.nodes[index]
            value = self._values[node]
            written = _formulas(node.op, _constants(node))[0] if node.op else ""
            return Event(index, "forward", node, None, None, written, None, None, None, value, self)
        rank = bisect_right(self._completions, index) - 1
        if self._completions[rank] == index:
            node = self.nodes[-1 - rank]
            total = self.adjoint(node)
            return Event(index, "done", node, None, None, "", total, None, None, total, self)
        node, slot, arg, upstream, local, product, total = self.step(index)
        assert node.op is not None
        written = _formulas(node.op, _constants(node))[slot + 1]
        return Event(index, "edge", node, slot, arg, written, upstream, local, product, total, self)

    def step(self, index: int) -> Step:
        """Return the step of the edge event at ``index``."""
        rank = bisect_right(self._completions, index) - 1
        return self.steps[index - len(self.nodes) - rank - 1]

    def known(self, node: Value) -> Value:
        """Return ``node``.

        Raises:
            ValueError: it isn't part of this run.
        """
        if node not in self.position:
            raise ValueError(
                f"{node!r:.80} is not part of this run: it is not below "
                f"{self.name(self.root)}, whose backward pass was recorded"
            )
        return node

    def between(self, node: Value) -> list[Value]:
        """Return the nodes that depend on ``node``, from the root down to itself."""
        concerned = {node}
        order = [node]
        for user in self.nodes[self.position[node] + 1 :]:
            if any(arg in concerned for arg in user.args):
                concerned.add(user)
                order.append(user)
        return order[::-1]

    def adjoint(self, node: Value) -> float:
        """Return d root / d node in this pass."""
        if node is self.root:
            return self.seed
        return self.step(self.incoming[node][-1]).total

    def name(self, node: Value) -> str:
        """Return how a node is called; see `names_of`."""
        return self._names[node]

    def value(self, arg: Value | float) -> float:
        """Return the number an argument had when the run was recorded."""
        return self._values[arg] if isinstance(arg, Value) else arg

    def locals(self, node: Value) -> tuple[float, ...]:
        """Return d node / d arg for each argument of a computed node; 0.0 for a plain number."""
        assert node.op is not None
        pattern = tuple(isinstance(arg, Value) for arg in node.args)
        return form(node.op, pattern).locals(self._values[node], *map(self.value, node.args))

    def definition(self, node: Value) -> str:
        """Return how a node was computed, such as ``n4 = x1 * w1``; a leaf's name alone."""
        if node.op is None:
            return self.name(node)
        args = [short(a) if isinstance(a, float) else self.name(a) for a in node.args]
        return f"{self.name(node)} = {node.op.spell(*args)}"

    def named_rule(self, node: Value, slot: int) -> str:
        """Return the rule of one edge in the nodes' own names, such as ``1 - o * o``."""
        assert node.op is not None
        args = named_args(node, self.name)
        return text(rule(node.op, slot, Symbol(self.name(node)), args), short)

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain data for any front end.

        ``{"schema": 1, "nodes": [...], "events": [...]}``. Nodes stand in topological order and
        are referred to by their position, ``id``:

        - a node: ``{"id", "name", "label", "op": name | null, "args": [{"node": id} |
          {"number": x}], "data", "scope", "file", "line"}``
        - an event: ``{"index", "kind", "node": id, "slot", "arg": id, "rule", "upstream",
          "local", "product", "total"}``, the fields of `Event`

        What does not apply is null. Numbers that JSON lacks are the strings "inf", "-inf", "nan".
        """
        nodes = []
        for i, node in enumerate(self.nodes):
            scope, file, line = node.origin or ("", None, None)
            args = [
                {"node": self.position[a]} if isinstance(a, Value) else {"number": _json(a)}
                for a in node.args
            ]
            nodes.append(
                {
                    "id": i,
                    "name": self.name(node),
                    "label": node.label,
                    "op": node.op.name if node.op else None,
                    "args": args,
                    "data": _json(self.value(node)),
                    "scope": scope,
                    "file": file,
                    "line": line,
                }
            )
        events = [
            {
                "index": e.index,
                "kind": e.kind,
                "node": self.position[e.node],
                "slot": e.slot,
                "arg": None if e.arg is None else self.position[e.arg],
                "rule": e.rule,
                "upstream": _json(e.upstream),
                "local": _json(e.local),
                "product": _json(e.product),
                "total": _json(e.total),
            }
            for e in self.events
        ]
        return {"schema": SCHEMA, "nodes": nodes, "events": events}


def show(x: float | None) -> str:
    """Return a number for reading: as Python writes it if that is short, else 6 digits.

    >>> show(0.5), show(-3.0), show(0.1 + 0.2)
    ('0.5', '-3.0', '0.3')
    """
    written = repr(x)
    return written if len(written) <= 9 else repr(float(f"{x:.6g}"))


def _json(x: float | None) -> float | str | None:
    return x if x is None or math.isfinite(x) else str(x)


def names_of(nodes: Sequence[Value]) -> list[str]:
    """Return what each node is called: its label on one line, or ``n<position>`` if that is taken.

    >>> names_of([Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "b"), Value(4.0, "n0"), Value(5.0)])
    ['a', 'n1', 'n2', 'n3', 'n4']
    """
    positions = [f"n{i}" for i in range(len(nodes))]
    labels = [" ".join(node.label.split()) for node in nodes]
    counts = Counter(positions + labels)
    return [
        label if label and counts[label] == 1 else position
        for label, position in zip(labels, positions, strict=True)
    ]


def named_args(node: Value, name: Callable[[Value], str]) -> tuple[Any, ...]:
    """Return the arguments of a node for a formula: its plain numbers, and a symbol per node."""
    return tuple(Number(arg) if isinstance(arg, float) else Symbol(name(arg)) for arg in node.args)


def _constants(node: Value) -> tuple[float | None, ...]:
    """Return the plain numbers among the arguments, None where an argument is a node."""
    return tuple(arg if isinstance(arg, float) else None for arg in node.args)


@lru_cache(maxsize=4096)
def _formulas(op: Op, constants: tuple[float | None, ...]) -> list[str]:
    return formulas(op, *rule_symbols(op, tuple("" if c is None else c for c in constants)))


def formulas(op: Op, out: Symbol, args: tuple[Any, ...]) -> list[str]:
    """Return the op applied to its arguments and, per argument, its local derivative, as text."""
    if op.pullback is None:
        rules = [rule(op, slot, out, args) for slot in range(len(args))]
    else:
        rules = op.pullback(Number(1.0), out, args)
    return [text(Symbol._apply(op, args)), *map(text, rules)]
