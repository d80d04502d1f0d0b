"""The wrong ways to run backprop, runnable beside the right one.

Each is a mistake that people make when they write their own engine or training loop; seeing
where it parts from the right run shows what the rule it breaks is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from textwrap import wrap

from autograd.engine import Step, Value
from autograd.errors import quoted
from autograd.forms import product
from autograd.stepping.events import Recording
from autograd.stepping.notation import show

WAYS = {
    "no sort": "recursion into the arguments, without a topological sort: a node passes on "
    "before it has received everything, and again each time it is reached",
    "overwrite": "'=' in place of '+=': a node used twice keeps its last contribution only",
    "no zero_grad": "a second backward pass without zero_grad: the leaves start from the "
    "gradients of the first",
}

HARMLESS = {
    "no sort": "no node passes anything on before it has received all that is not 0",
    "overwrite": "no node loses a contribution that is not 0",
    "no zero_grad": "the gradients of the first are all 0",
}
"""Why a mistake did no harm."""

LONGER = 20
"""A wrong run is cut off at this many times the length of the right one."""

WRONG_LISTED = 10
"""Wrong gradients that are printed before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong backward pass beside the right one.

    Attributes:
        way: which mistake, a key of `WAYS`.
        steps: the wrong pass, edge by edge; ``cut`` if it was stopped for its length.
        parting: index of the first step after which a sum is wrong; None if the mistake does
            no harm on this graph. To add up the right contributions in another order is none.
        wrong, right: that step, and the same edge in the right pass; None without a parting.
        gradients: node -> (right, wrong), for the nodes that end up wrong.
    """

    recording: Recording
    way: str
    steps: tuple[Step, ...]
    cut: bool
    parting: int | None
    right: Step | None
    wrong: Step | None
    gradients: dict[Value, tuple[float, float]]

    def __str__(self) -> str:
        name = self.recording.name
        lines = wrap(f"{self.way}: {WAYS[self.way]}", 80, subsequent_indent="  ")
        if self.parting is None and not self.gradients:
            lines.append(f"  on this graph it makes no difference: {HARMLESS[self.way]}")
        if self.parting is not None:
            lines.append(f"  parts from the right pass at step {self.parting + 1}:")
        for side, step in (("right", self.right), ("wrong", self.wrong)):
            if step is not None:
                lines.append(f"    {side}  {self._spell(step)}")
        if self.gradients:
            lines.append("  gradients that come out wrong:")
            width = max(len(name(node)) for node in self.gradients)
            lines += [
                f"    {name(node):<{width}}  {show(wrong)} instead of {show(right)}"
                for node, (right, wrong) in islice(self.gradients.items(), WRONG_LISTED)
            ]
            if len(self.gradients) > WRONG_LISTED:
                lines.append(f"    and {len(self.gradients) - WRONG_LISTED} more")
        if self.cut:
            lines.append(f"  stopped after {len(self.steps):,} steps: it grows with every path")
        return "\n".join(lines)

    __repr__ = __str__

    def _spell(self, step: Step) -> str:
        run = self.recording
        return (
            f"{run.partial(step.arg)} from {run.name(step.node)}: {show(step.upstream)} * "
            f"{show(step.local)} = {show(step.product)}   (total {show(step.total)})"
        )


def make_mistake(recording: Recording, way: str) -> Mistake:
    """Return the wrong pass over a recorded graph, compared with the right one.

    Args:
        way: "no sort", "overwrite" or "no zero_grad"; see `WAYS`.

    Raises:
        ValueError: there is no such mistake.
    """
    if way not in WAYS:
        raise ValueError(f"the wrong ways are {', '.join(map(repr, WAYS))}; got {quoted(way)}")
    limit = LONGER * len(recording.steps) + 100
    adjoint = dict.fromkeys(recording.nodes, 0.0)
    adjoint[recording.root] = recording.seed
    walks = {"no sort": _without_sort, "overwrite": _overwriting, "no zero_grad": _accumulating}
    steps = list(islice(walks[way](recording, adjoint), limit + 1))
    cut = len(steps) > limit
    del steps[limit:]
    # Right is what each edge adds once, in whatever order: another order rounds differently.
    missing = {(step.node, step.slot): step for step in recording.steps}
    same_edge = dict(missing)
    sums = dict.fromkeys(recording.nodes, 0.0)
    sums[recording.root] = recording.seed
    parting = None
    for i, step in enumerate(steps):
        if once := missing.pop(step[:2], None):
            sums[step.arg] += once.product
        if parting is None and not _is_same(step.total, sums[step.arg]):
            parting = i
    for step in missing.values():  # of a pass that was cut
        sums[step.arg] += step.product
    gradients = {
        node: (recording.adjoint(node), adjoint[node])
        for node in recording.nodes
        if not _is_same(adjoint[node], sums[node])
    }
    wrong = None if parting is None else steps[parting]
    right = wrong and same_edge[wrong[:2]]
    return Mistake(recording, way, tuple(steps), cut, parting, right, wrong, gradients)


def _pass_on(
    recording: Recording, node: Value, adjoint: dict[Value, float], *, overwrite: bool = False
) -> Iterator[Step]:
    """Yield the steps in which ``node`` passes its adjoint, whatever it is, to its arguments."""
    if node.op is None:
        return
    upstream = adjoint[node]
    for slot, (arg, local) in enumerate(zip(node.args, recording.locals(node), strict=True)):
        if isinstance(arg, Value):
            contribution = product(node, slot, upstream, local)
            adjoint[arg] = contribution if overwrite else adjoint[arg] + contribution
            yield Step(node, slot, arg, upstream, local, contribution, adjoint[arg])


def _without_sort(recording: Recording, adjoint: dict[Value, float]) -> Iterator[Step]:
    """Yield the pass that recurs into the arguments in place of sorting (with a stack here)."""
    stack = [recording.root]
    while stack:
        node = stack.pop()
        yield from _pass_on(recording, node, adjoint)
        stack.extend(reversed(node._prev))


def _overwriting(recording: Recording, adjoint: dict[Value, float]) -> Iterator[Step]:
    for node in reversed(recording.nodes):
        yield from _pass_on(recording, node, adjoint, overwrite=True)


def _accumulating(recording: Recording, adjoint: dict[Value, float]) -> Iterator[Step]:
    """Yield a second pass whose leaves still hold the gradients of the first."""
    for node in recording.nodes:
        if node.op is None:
            adjoint[node] = recording.adjoint(node)
    for node in reversed(recording.nodes):
        yield from _pass_on(recording, node, adjoint)


def _is_same(a: float, b: float) -> bool:
    return a == b or (a != a and b != b)
