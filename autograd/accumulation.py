"""Jacobians of whole graphs, with the entries that can be other than 0 and no others.

A scalar graph is its own pattern of sparsity. By the chain rule an entry is the sum, over the ways
from an input to an output, of the products of the local derivatives; it is accumulated node by
node, from the inputs on or from the outputs back, whichever takes fewer products.

Source: Griewank & Walther 2008, Evaluating Derivatives, 2nd ed., chapters 3 and 7.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from autograd import ops
from autograd.contexts import unchecked
from autograd.engine import Value
from autograd.extras import missing_extra
from autograd.graph import topological_order
from autograd.operation import Number, plain

FUSED = 4
"""From so many terms on, a sum of products is one node."""

Row = dict[int, Any]
"""Entries, Values or floats, by the number of an input or an output."""

Apply = Callable[[Any, list[Any]], Any]
"""How a row of the table is applied to Values and floats."""


class Dependence(NamedTuple):
    """How one node depends on another: d node / d arg, a Value or a float.

    Attributes:
        singular: whether it may be infinite where what it is multiplied with is 0.
    """

    arg: Value
    node: Value
    local: Any
    singular: bool


class Pattern(NamedTuple):
    """Where a matrix can be other than 0, in SciPy's order: row by row, `columns` ascending.

    Attributes:
        ends: where in `columns` each row begins, and the last one ends.
    """

    shape: tuple[int, int]
    ends: list[int]
    columns: list[int]

    def array(self, numbers: Any) -> Any:
        """Return a `scipy.sparse.csr_array` of these entries.

        Raises:
            MissingExtraError: SciPy is not installed.
        """
        try:
            from scipy.sparse import csr_array
        except ImportError as error:
            missing_extra("scipy", "data", error)
        import numpy

        whole = numpy.int32 if len(self.columns) < 2**31 else numpy.int64
        ends, columns = numpy.array(self.ends, whole), numpy.array(self.columns, whole)
        numbers = numpy.array(numbers, numpy.float64)
        return csr_array((numbers, columns, ends), shape=self.shape)


def edges_of(outs: Iterable[Any], wrt: Sequence[Value]) -> list[Dependence]:
    """Return the edges between ``wrt`` and ``outs``, in topological order of their nodes.

    Those that by their rule are 0 for all numbers, such as that of `heaviside`, are left out.
    """
    roots = [out for out in outs if isinstance(out, Value)]
    order = topological_order(*roots, ends=wrt, since=oldest(wrt))
    moving = set(wrt)
    edges: list[Dependence] = []
    with unchecked():
        for node in order:
            slots = [slot for slot, arg in enumerate(node.args) if arg in moving]
            if node.op is None or not slots:
                continue
            args = tuple(arg if isinstance(arg, Value) else Number(arg) for arg in node.args)
            found: dict[Any, Any] = {}
            for slot, local in zip(slots, node.op.locals(node, args, slots), strict=True):
                local = plain(local)
                if local.__class__ is float and local == 0:
                    continue
                arg = node.args[slot]
                found[arg] = found[arg] + local if arg in found else local
            edges += [
                Dependence(arg, node, local, node.op.singular) for arg, local in found.items()
            ]
            if found:
                moving.add(node)
    return edges


def oldest(nodes: Iterable[Value]) -> float:
    """Return the age of the oldest of some nodes: what is older doesn't depend on any of them."""
    return min(map(attrgetter("_age"), nodes), default=0.0)


def accumulated(
    edges: Sequence[Dependence],
    outs: Sequence[Any],
    wrt: Sequence[Value],
    apply: Apply,
    *,
    symmetric: bool = False,
) -> tuple[Pattern, list[Any]]:
    """Return where the Jacobian can be other than 0, and its entries there.

    Args:
        edges: between them, as from `edges_of`; equal nodes may have become one since.
        symmetric: whether it is known to be; then entries above the diagonal are those below.

    Cost: for each edge, the inputs that lie before it, or the outputs behind, and twice the edges.
    """
    inputs, outputs = _numbered(wrt), _numbered(outs)
    onward, back = _onward(edges), _back(edges)
    forward, reverse = _Forward(), _Reverse()
    if _cost(onward, inputs, forward) <= _cost(back, outputs, reverse):
        found = _rows(onward, inputs, forward, apply)
        rows = [found.get(out, {}) if isinstance(out, Value) else {} for out in outs]
    else:
        found = _rows(back, outputs, reverse, apply)
        rows = [{} for _ in outs]
        for j, leaf in enumerate(wrt):
            for i, entry in found.get(leaf, {}).items():
                rows[i][j] = entry
    ends, columns, entries = [0], [], []
    for i, row in enumerate(rows):
        for j in sorted(row):
            entry = rows[j].get(i, row[j]) if symmetric and j > i else row[j]
            if entry.__class__ is not float or entry != 0:
                columns.append(j)
                entries.append(entry)
        ends.append(len(columns))
    return Pattern((len(outs), len(wrt)), ends, columns), entries


def applied(op: Any, args: list[Any]) -> Any:
    """Return a row of the table applied to Values and floats, by IEEE 754."""
    return op(*args) if any(isinstance(arg, Value) for arg in args) else op.ieee(*args)


def _numbered(nodes: Sequence[Any]) -> dict[Value, Row]:
    """Return for each node that it is itself: 1 at its own number, or numbers."""
    rows: dict[Value, Row] = {}
    for i, node in enumerate(nodes):
        if isinstance(node, Value):
            rows.setdefault(node, {})[i] = 1.0
    return rows


def _onward(edges: Sequence[Dependence]) -> dict[Value, list[Dependence]]:
    """Return the edges by their nodes, each after the nodes that it depends on."""
    steps: dict[Value, list[Dependence]] = {}
    for edge in edges:
        steps.setdefault(edge.node, []).append(edge)
    return steps


def _back(edges: Sequence[Dependence]) -> dict[Value, list[Dependence]]:
    """Return the edges by their arguments, each after the nodes that depend on it."""
    steps: dict[Value, list[Dependence]] = {}
    place: dict[Value, int] = {}
    for i, edge in enumerate(edges):
        steps.setdefault(edge.arg, []).append(edge)
        place.setdefault(edge.node, i)
    # What has no edges of its own, as the inputs, comes last.
    return {arg: steps[arg][::-1] for arg in sorted(steps, key=lambda n: -place.get(n, -1))}


def _cost(steps: Mapping[Value, list[Dependence]], seeds: Mapping[Value, Row], way: _Way) -> int:
    """Return how many products `_rows` takes."""
    masks = {node: reduce(operator.or_, (1 << i for i in row)) for node, row in seeds.items()}
    total = 0
    for node, parts in steps.items():
        mask = masks.get(node, 0)
        for part in parts:
            source: Any = part[way.source]
            before = masks.get(source, 0)
            total += before.bit_count()
            mask |= before
        masks[node] = mask
    return total


def _rows(
    steps: Mapping[Value, list[Dependence]], seeds: Mapping[Value, Row], way: _Way, apply: Apply
) -> dict[Value, Row]:
    """Return for each node the derivatives by, or of, each seed."""
    rows: dict[Value, Row] = dict(seeds)
    for node, parts in steps.items():
        terms: dict[int, list[Term]] = {}
        for i, entry in seeds.get(node, {}).items():
            terms[i] = [(1.0, entry, False)]
        for part in parts:
            source: Any = part[way.source]
            row = rows.get(source)
            if row:
                for i, term in way.terms(node, part, row):
                    if i in terms:
                        terms[i].append(term)
                    else:
                        terms[i] = [term]
        rows[node] = {i: _summed(products, apply) for i, products in terms.items()}
    return rows


Term = tuple[Any, Any, bool]
"""A product: what lies towards the output, what lies towards the input, and whether it is 0 where
the former is, however infinite the latter."""


class _Way(Protocol):
    """How edges are passed: from the inputs on, or from the outputs back.

    Attributes:
        source: the place in an edge of what is known, which is passed on.
    """

    source: int

    def terms(self, node: Value, part: Dependence, row: Row) -> Iterator[tuple[int, Term]]:
        """Yield the products of the entries that are known with the local derivative."""


class _Reverse:
    """As `gradients`: an infinite local derivative counts for nothing where nothing arrives."""

    source = 1

    def terms(self, _: Value, part: Dependence, row: Row) -> Iterator[tuple[int, Term]]:
        for i, entry in row.items():
            yield i, (entry, part.local, part.singular)


class _Forward:
    """What an infinite local derivative has led to counts for nothing where it isn't passed on."""

    source = 0

    def __init__(self) -> None:
        self._after_singular: set[Value] = set()

    def terms(self, node: Value, part: Dependence, row: Row) -> Iterator[tuple[int, Term]]:
        arg, _, local, singular = part
        follows = arg in self._after_singular
        if singular or follows:
            self._after_singular.add(node)
        guarded = follows and local.__class__ is not float  # a constant is not 0
        for i, entry in row.items():
            yield i, (local, entry, guarded)


def _summed(terms: list[Term], apply: Apply) -> Any:
    """Return the sum of products, from left to right."""
    if len(terms) >= FUSED:
        left, right, guarded = zip(*terms, strict=True)
        if {*map(type, left), *map(type, right)} == {float}:
            return reduce(operator.add, map(operator.mul, left, right))
        if True not in guarded:
            return apply(ops.dot, [*left, *right])
    total: Any = None
    for x, y, is_guarded in terms:
        part = _product(x, y, is_guarded, apply)
        total = part if total is None else apply(ops.add, [total, part])
    return total


def _product(x: Any, y: Any, guarded: bool, apply: Apply) -> Any:
    for factor, other in ((x, y), (y, x)):
        if factor.__class__ is float and factor in (1, -1):
            if factor == 1:
                return other
            return -other if other.__class__ is float else apply(ops.neg, [other])
    return apply(ops.mul_no_nan if guarded else ops.mul, [x, y])
