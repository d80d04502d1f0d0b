"""A recorded run: the forward and backward pass of a graph as one immutable list of events.

The list is in the order in which things happen: the value of every node, from the leaves up;
then, from the root down, each node's adjoint complete (``done``) followed by the contribution
it passes along each of its edges. Any front end can replay it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, final, overload

from autograd.debugging import first_stale
from autograd.engine import Step, Value
from autograd.errors import StaleValueError, quoted
from autograd.forms import form_of
from autograd.formula import rule, short, text
from autograd.graph import topological_order
from autograd.operand import real
from autograd.operation import Symbol
from autograd.stepping.notation import formulas_of, named_args, names_of, show
from autograd.transforms import descendants

STEP_WIDTH = len(Step._fields)
"""Entries of a step where steps are kept flat."""


@dataclass(frozen=True, slots=True)
class Event(ABC):
    """One moment of a run: a `Forward`, an `Edge` or a `Done`.

    Attributes:
        index: position in the run.
        kind: ``"forward"``: the node's value is known; ``"done"``: its adjoint is complete;
            ``"edge"``: the node passes ``product = upstream * local`` to its argument.
        node: the node that is computed, completed, or passes on.
        slot: which argument receives; None but for an edge.
        arg: the node that receives; None but for an edge.
        rule: formula of the op (forward) or of the local derivative (edge), in x, y, z; else "".
        upstream: adjoint of ``node``: d root / d node; None before it is known (forward).
        local: d node / d arg; None but for an edge.
        product: what the edge contributes to d root / d arg; None but for an edge.
        total: the value (forward) or the adjoint so far (edge, done).
        recording: the run this belongs to; it knows the nodes' names.
    """

    kind: ClassVar[str]

    index: int
    node: Value
    rule: str
    total: float
    recording: Recording

    @property
    def slot(self) -> int | None:
        return None

    @property
    def arg(self) -> Value | None:
        return None

    @property
    def upstream(self) -> float | None:
        return None

    @property
    def local(self) -> float | None:
        return None

    @property
    def product(self) -> float | None:
        return None

    @property
    def subject(self) -> Value:
        """The node whose number the event sets."""
        return self.node

    @abstractmethod
    def __str__(self) -> str: ...

    def __repr__(self) -> str:
        return f"<{self.index} {self.kind}: {self}>"


@final
@dataclass(frozen=True, slots=True, repr=False)
class Forward(Event):
    """A node's value is known."""

    kind = "forward"

    def __str__(self) -> str:
        run, node = self.recording, self.node
        if node.op is None:
            return f"{run.name(node)} = {show(self.total)}"
        numbers = node.op.spell(*(show(run.value(arg)) for arg in node.args))
        return f"{run.definition(node)} = {numbers} = {show(self.total)}"


@final
@dataclass(frozen=True, slots=True, repr=False)
class Done(Event):
    """A node's adjoint is complete."""

    kind = "done"

    @property
    def upstream(self) -> float:
        return self.total

    def __str__(self) -> str:
        return f"{self.recording.partial(self.node)} = {show(self.total)}   complete"


@final
@dataclass(frozen=True, slots=True, repr=False)
class Edge(Event):
    """A node passes ``product = upstream * local`` on to one of its arguments."""

    kind = "edge"

    step: Step

    @property
    def slot(self) -> int:
        return self.step.slot

    @property
    def arg(self) -> Value:
        return self.step.arg

    @property
    def upstream(self) -> float:
        return self.step.upstream

    @property
    def local(self) -> float:
        return self.step.local

    @property
    def product(self) -> float:
        return self.step.product

    @property
    def subject(self) -> Value:
        return self.arg

    def __str__(self) -> str:
        run, node = self.recording, self.node
        upstream, local, product = map(show, (self.upstream, self.local, self.product))
        return (
            f"{run.partial(self.arg)} += upstream * local = {upstream} * {local} = {product}"
            f"   (total {show(self.total)})   {run.definition(node)},"
            f" d {run.name(node)}/d {run.name(self.arg)} = {run.named_rule(node, self.slot)}"
        )


class Gradient(NamedTuple):
    """What is known of a node's gradient at some moment of the backward pass.

    Attributes:
        status: ``"unknown"``: nothing has arrived; ``"partial"``: some contributions have;
            ``"complete"``.
        so_far: the sum of what has arrived; None while unknown.
    """

    status: str
    so_far: float | None

    def __str__(self) -> str:
        return "unknown" if self.so_far is None else f"{show(self.so_far)} ({self.status})"


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
        done: the index of the event that completes each node's adjoint.
        incoming: the indices of the edges that contribute to each node, in order.

    Nothing is changed: not the graph, nor any ``data`` or ``grad``.

    Raises:
        ValueError: the run would be longer than ``max_events``.
        StaleValueError: a ``.data`` was changed after other nodes had been computed from it.
        DomainError, CycleError: as `Value.backward`.
    """

    def __init__(self, root: Value, seed: float = 1.0, max_events: int = 1_000_000) -> None:
        if not isinstance(root, Value):
            raise TypeError(f"expected the Value to differentiate, got {quoted(root)}")
        self.root = root
        self.seed = real(seed)
        self.nodes = tuple(topological_order(root))
        self.position = {node: i for i, node in enumerate(self.nodes)}
        if stale := first_stale(self.nodes):
            raise StaleValueError(
                f"{stale}: a .data was changed since, as an optimizer's step does; compute "
                f"{root.label or 'the root'} again, and record that"
            )
        self._values = {node: node.data for node in self.nodes}
        self._names = dict(zip(self.nodes, names_of(self.nodes), strict=True))
        self.incoming: dict[Value, list[int]] = {node: [] for node in self.nodes}
        self.done: dict[Value, int] = {}
        self._adjoints = dict.fromkeys(self.nodes, 0.0)
        self._steps: list[Any] = []  # flat: Python's gc would go through tuples, one an edge
        self.length = self._run_back(max_events)
        self._completions = list(self.done.values())
        self.events = Events(self)

    def _run_back(self, max_events: int) -> int:
        """Run the pass that `sweep` yields, number its events, and return how long the run is."""
        index, steps = len(self.nodes), self._steps
        adjoints, incoming = self._adjoints, self.incoming
        adjoints[self.root] = self.seed
        for node in reversed(self.nodes):
            self.done[node] = index
            index += 1
            if node._form is not None:
                args: tuple[Any, ...] = node.args
                upstream = adjoints[node]
                for slot, *numbers in node._form.passed(node, upstream, adjoints):
                    arg = args[slot]
                    adjoints[arg] = numbers[-1]
                    steps += (node, slot, arg, upstream, *numbers)
                    incoming[arg].append(index)
                    index += 1
            if index > max_events:
                raise ValueError(
                    f"this run has more than max_events={max_events:,} events ({len(self.nodes):,} "
                    "nodes): step through a smaller part (the loss of one sample, or an inner "
                    "node), or raise it"
                )
        return index

    def event(self, index: int) -> Event:
        """Return the event at ``index``, from 0 to ``length - 1``."""
        count = len(self.nodes)
        if index < count:
            node = self.nodes[index]
            value = self._values[node]
            written = formulas_of(node)[0] if node.op else ""
            return Forward(index, node, written, value, self)
        rank = bisect_right(self._completions, index) - 1
        if self._completions[rank] == index:
            node = self.nodes[-1 - rank]
            return Done(index, node, "", self.adjoint(node), self)
        step = self.step(index)
        written = formulas_of(step.node)[step.slot + 1]
        return Edge(index, step.node, written, step.total, self, step)

    def step(self, index: int) -> Step:
        """Return the step of the edge event at ``index``."""
        rank = bisect_right(self._completions, index) - 1
        at = STEP_WIDTH * (index - len(self.nodes) - rank - 1)
        return Step._make(self._steps[at : at + STEP_WIDTH])

    @property
    def steps(self) -> tuple[Step, ...]:
        """The backward pass alone, edge by edge."""
        starts = range(0, len(self._steps), STEP_WIDTH)
        return tuple(Step._make(self._steps[at : at + STEP_WIDTH]) for at in starts)

    def known(self, node: Value) -> Value:
        """Return ``node``.

        Raises:
            ValueError: it isn't part of this run.
        """
        if node not in self.position:
            raise ValueError(
                f"{quoted(node)} is not part of this run: it is not below "
                f"{self.name(self.root)}, whose backward pass was recorded"
            )
        return node

    def between(self, node: Value) -> list[Value]:
        """Return the nodes that depend on ``node``, from the root down to itself."""
        order = self.nodes[self.position[node] :]
        users = descendants(order, [node])
        return [user for user in reversed(order) if user in users]

    def adjoint(self, node: Value) -> float:
        """Return d root / d node in this pass."""
        return self._adjoints[node]

    def gradient_at(self, position: int, node: Value) -> Gradient:
        """Return what is known of d root / d node after the first ``position`` events."""
        if self.done[self.known(node)] < position:
            return Gradient("complete", self.adjoint(node))
        arrived = bisect_left(self.incoming[node], position)
        if not arrived:
            return Gradient("unknown", None)
        return Gradient("partial", self.step(self.incoming[node][arrived - 1]).total)

    def value_at(self, position: int, node: Value) -> float | None:
        """Return the number of a node; None while it isn't among the first ``position`` events."""
        return self.value(node) if self.position[self.known(node)] < position else None

    def name(self, node: Value) -> str:
        """Return how a node is called; see `names_of`."""
        return self._names[node]

    def partial(self, node: Value) -> str:
        """Return how d root / d node is written, in the nodes' names."""
        return f"d {self.name(self.root)}/d {self.name(node)}"

    def value(self, arg: Value | float) -> float:
        """Return the number an argument had when the run was recorded."""
        return self._values[arg] if isinstance(arg, Value) else arg

    def locals(self, node: Value) -> tuple[float, ...]:
        """Return d node / d arg for each argument of a computed node; 0.0 for a plain number."""
        assert node.op is not None
        how = form_of(node.op, node.args)
        return how.locals(self._values[node], *map(self.value, node.args))

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
