"""Why a gradient is what it is: every contribution to it, and the paths that weigh most."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from autograd.engine import Value
from autograd.stepping.events import Recording
from autograd.stepping.notation import padded, show

PATH_NAMES = 12
"""Nodes of a path that are printed; the middle of a longer one is counted."""

CANCELLED = 1e-8
"""Contributions that cancel to less than this share of their size leave mostly rounding."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One incoming edge: what ``node`` passes on to the node in question.

    Attributes:
        event: index of the edge in the recording.
        node: the node that used it, whose adjoint is ``upstream``.
        slot: as which argument.
        rule: the local derivative as a formula in the nodes' names.
        upstream, local, product: the numbers; ``product = upstream * local``.
        total: the sum so far, in the order of the backward pass.
    """

    event: int
    node: Value
    slot: int
    rule: str
    upstream: float
    local: float
    product: float
    total: float


@dataclass(frozen=True, slots=True)
class Path:
    """One way from the root down to the node.

    Attributes:
        nodes: from the root to the node, both included.
        product: the product of the local derivatives, times the seed.
        share: product / adjoint; the shares of all paths add up to 1. NaN if the adjoint is 0.
    """

    nodes: tuple[Value, ...]
    product: float
    share: float


class Ledger:
    """The account of d root / d node.

    Args:
        recording: the run to explain.
        node: a node of it.
        heaviest: how many of the heaviest paths to find.

    Attributes:
        entries: the contributions, in order; their running sum ends at ``adjoint`` exactly.
        adjoint: d root / d node in this pass.
        paths: the paths whose products are largest in size, heaviest first.
        cancels: whether the contributions cancel almost wholly.

    Cost: linear in the edges between root and node, times ``heaviest``; paths are never
    enumerated, so their number doesn't matter.
    """

    def __init__(self, recording: Recording, node: Value, heaviest: int = 3) -> None:
        self.recording = recording
        self.node = recording.known(node)
        self.heaviest = heaviest
        self.adjoint = recording.adjoint(node)
        self.entries = tuple(self._entry(index) for index in recording.incoming[node])

    def _entry(self, index: int) -> Entry:
        step = self.recording.step(index)
        written = self.recording.named_rule(step.node, step.slot)
        return Entry(
            index, step.node, step.slot, written,
            step.upstream, step.local, step.product, step.total,
        )  # fmt: skip

    @property
    def cancels(self) -> bool:
        # A part of each, whose sum does not overflow.
        return abs(self.adjoint) < math.fsum(CANCELLED * abs(e.product) for e in self.entries)

    @property
    def has_shares(self) -> bool:
        """Whether shares of the adjoint mean something: nothing on the way is of both signs.

        As far as the contributions and the heaviest paths tell.
        """
        products = [entry.product for entry in self.entries]
        of_one_sign = all(x >= 0 for x in products) or all(x <= 0 for x in products)
        # A product and a sum of products are rounded differently.
        return of_one_sign and all(0 <= path.share <= 1 + 1e-9 for path in self.paths)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The heaviest paths, by dynamic programming from the root down."""
        best = self._tails()
        found = tuple(self._unroll(tail) for _, tail in best[self.node])
        while best:  # from the end on: no chain of links is let go of at once (`autograd.freeing`)
            best.popitem()
        return found

    def _tails(self) -> dict[Value, list[tuple[float, Any]]]:
        """Return the heaviest paths to each node in between, as weight and links.

        A node's heaviest paths extend those of the nodes that use it. Weights are sums of
        log |local|, which neither overflow nor underflow on deep graphs.
        """
        recording, root = self.recording, self.recording.root
        best: dict[Value, list[tuple[float, Any]]] = {root: [(0.0, (root, None, 1.0))]}
        for node in recording.between(self.node)[1:]:
            candidates = []
            for index in recording.incoming[node]:
                step = recording.step(index)
                weight = math.log(abs(step.local)) if step.local else -math.inf
                for heaviness, tail in best[step.node]:
                    candidates.append((heaviness + weight, (node, tail, step.local)))
            candidates.sort(key=itemgetter(0), reverse=True)
            best[node] = candidates[: self.heaviest]
        return best

    def _unroll(self, link: Any) -> Path:
        nodes: list[Value] = []
        factors: list[float] = []
        while link is not None:
            node, link, local = link
            nodes.append(node)
            factors.append(local)
        product = self.recording.seed
        for factor in reversed(factors):
            product *= factor
        share = product / self.adjoint if self.adjoint else math.nan
        return Path(tuple(reversed(nodes)), product, share)

    def __str__(self) -> str:
        run, name = self.recording, self.recording.name
        lines = [f"{run.partial(self.node)} = {show(self.adjoint)}"]
        if self.node is run.root:
            lines.append("  the seed: this is where the backward pass starts")
        if self.entries:
            rows = [
                (
                    f"via {name(e.node)}",
                    f"{run.partial(e.node)} * ({e.rule})",
                    f"{show(e.upstream + 0.0)} * {show(e.local + 0.0)}",  # no -0.0
                    show(e.product + 0.0),
                    e.node.origin[0] if e.node.origin else "",
                )
                for e in self.entries
            ]
            lines += [
                f"  {via}  {rule}  = {numbers}  = {product}   {scope}".rstrip()
                for via, rule, numbers, product, scope in padded(rows, "<<<><")
            ]
        if self.cancels:
            lines.append(
                "  warning: the contributions cancel almost wholly; what remains is mostly rounding"
            )
        if self.entries and self.paths:
            lines.append("heaviest paths")
            for path in self.paths:
                # Of contributions of both signs, a part may be more than the whole.
                share = f"   {100 * path.share + 0.0:.3g} %" if self.has_shares else ""
                lines.append(
                    f"  {' > '.join(_short(map(name, path.nodes)))}"
                    f"   {show(path.product + 0.0)}{share}"
                )
        return "\n".join(lines)

    __repr__ = __str__


def _short(path: Iterable[str]) -> list[str]:
    """Return the names, the middle of a long path left out and counted."""
    names = list(path)
    if len(names) <= PATH_NAMES:
        return names
    half = PATH_NAMES // 2
    return [*names[:half], f"... {len(names) - 2 * half} more ...", *names[-half:]]
