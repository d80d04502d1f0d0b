"""A batch that a function writes out itself: terms of a sum that are one function of a sample.

A loss over a data set, as micrograd's demo has it, records every sample's nodes. What is added up
in the end tells the samples apart: what only one of the terms depends on is of that sample. Those
that do the same with other numbers are one function of a row of numbers, and what is made of it is
as large as for a single sample, however many there are. Whatever else there is, such as what pulls
weights to 0, stays as it is.

>>> from autograd import Value, tanh
>>> from autograd.compiler.recording import record
>>> w = Value(0.5)
>>> data = [(0.1 * k, k % 3) for k in range(20)]
>>> graph = record(lambda: sum((tanh(w * x) - y) ** 2 for x, y in data) / 20 + w * w, (), ())
>>> (bundle,), _ = bundles_of(graph)
>>> len(graph.nodes), len(bundle.graph.nodes), bundle.rows[4]
(104, 11, (0.4, 1.0))
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.samples import (
    CONSTANT,
    INNER,
    OUTER,
    WrittenSample,
    distinct,
    is_narrow,
    sample_of,
)
from autograd.compiler.scans import LoopOp
from autograd.compiler.sharing import Sharer
from autograd.compiler.terms import Whole
from autograd.engine import Value

FEWEST_ALIKE = 8
"""Fewer terms that are alike stay as they were written: they would not fill a vector."""

MOST_ROOTS = (1, 4, 32)
"""How many terms may be of one sample, such as those of its several outputs; tried one after the
other. What more terms have in common is taken to be of none, such as a regularised weight."""

MANY_STEPS = 4_000
"""Steps of all samples from which on sums that are made apart are worth putting together: what a
call takes longer, these take less."""

FEW_AROUND = 4
"""What becomes of a sum inside of a function is at most so small a part of it."""

DEEPEST_SEARCH = 4
"""In the sum, or in what that is computed from, samples are looked for so many times."""


class Bundle(NamedTuple):
    """Terms of a sum, as one function of a sample.

    Attributes:
        graph: the function, of a list of numbers; what the whole was a function of are its last
            parameters. What it returns for all rows adds up to what the whole returns.
        rows: the samples.
    """

    graph: FunctionGraph
    rows: Sequence[Sequence[float]]


class Bundles(NamedTuple):
    """A function of a single number, which adds up samples.

    Attributes:
        parts: what adds up to the sum; none if most of the function is in no batch.
        around: what becomes of the sum, such as its root: a function of a list, of the sum alone,
            with the parameters of the parts; None if it is the whole.
    """

    parts: list[Bundle]
    around: FunctionGraph | None = None


def bundles_of(graph: FunctionGraph) -> Bundles:
    """Return what a function of a single number adds up, in bundles.

    Sums are in another order, weights are multiplied into their terms: for fast code.
    """
    out = graph.outputs[0] if len(graph.outputs) == 1 else 0.0
    is_loop = any(isinstance(node.op, LoopOp) for node in graph.nodes)
    if not isinstance(out, Value) or graph.choices or is_loop:
        return Bundles([])
    whole = Whole(graph)
    at: Any = out
    for _ in range(DEEPEST_SEARCH):
        terms, constant = whole.terms(at)
        is_inside = at is not out
        found = len(terms) >= FEWEST_ALIKE
        parts = _bundles(whole, terms, constant, is_inside=is_inside) if found else []
        if parts:
            return _around(whole, out, at, parts) if is_inside else Bundles(parts)
        within = whole.arguments(whole.deepest(terms)) if terms else []
        if not within:
            break
        at = whole.deepest(within)
    return Bundles([])


def _bundles(
    whole: Whole, terms: dict[Value, float], constant: float, *, is_inside: bool
) -> list[Bundle]:
    """Return what a weighted sum adds up in bundles; none if most is in no batch.

    Args:
        is_inside: whether something becomes of the sum.
    """
    fewest = 0.0
    for most in MOST_ROOTS:
        if most < fewest:
            continue  # nothing else is shared
        shared, parts, fewest = whole.parts(list(terms), most)
        own = [roots for roots in parts if roots[0] not in shared]
        tops = [whole.deepest(roots) for roots in own]
        looks = Counter((top.op, whole.height.get(top, 0)) for top in tops)
        if max(looks.values(), default=0) < FEWEST_ALIKE:
            continue  # no two of them can be alike otherwise
        samples = [sample_of(whole, roots, terms, shared) for roots in own]
        rest = dict(terms)
        alike: dict[Any, list[WrittenSample]] = {}
        spared = 0
        for sample, again in distinct(samples):
            alike.setdefault(sample.steps, []).append(sample)
            spared += again * len(sample.steps)
        for sample in samples:
            for root in sample.roots:
                del rest[root]
        groups: list[list[WrittenSample]] = []
        for found in alike.values():
            if len(found) >= FEWEST_ALIKE and is_narrow(found):
                groups.append(found)
                spared += len(found) * len(found[0].steps)
            else:
                for sample in found:
                    rest |= zip(sample.roots, sample.weights, strict=True)
        is_alone = len(groups) == 1 and not is_inside
        if not groups or (spared < MANY_STEPS and not is_alone):
            continue
        if 2 * spared > len(whole.height) - len(whole.linear):
            writers = [_SampleWriter(whole, found) for found in groups]
            writers[0].add(rest, constant)
            return [writer.bundle() for writer in writers]
    return []


def _around(whole: Whole, out: Value, at: Value, parts: list[Bundle]) -> Bundles:
    """Return bundles that add up to a node inside, if little is around it."""
    total = Value(0.0)
    writer = _Writer(whole)
    writer.known[at] = total
    writer.written([out])
    if FEW_AROUND * len(writer.sharer.made) > len(whole.height):
        return Bundles([])
    return Bundles(parts, writer.graph([total], writer.known[out]))


class _Writer:
    """Writes a part of a recording down.

    Args:
        whole: the recording.

    Attributes:
        known: what was written, by the whole's nodes; each leaf is itself.
        sharer: has made it.
    """

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        leaves = (*whole.graph.inputs, *whole.graph.parameters)
        self.known: dict[Any, Any] = {leaf: leaf for leaf in leaves}
        self.sharer = Sharer()

    def applied(self, op: Any, args: list[Any]) -> Any:
        """Return an op of some arguments; without one, what follows the argument."""
        return self.sharer.apply(op, args) if op else self.sharer.detached(args[0])

    def written(self, wanted: Iterable[Any]) -> None:
        """Write some nodes, and all that these need."""
        whole, known = self.whole, self.known
        needed: set[Any] = set()
        stack = [x for x in wanted if x not in known]
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                missing = (x for x in whole.args_of(node) if x.__class__ is not float)
                stack += [x for x in missing if x not in known]
        for node in whole.graph.nodes if needed else ():
            if node in needed:
                args = [known.get(arg, arg) for arg in whole.args_of(node)]
                known[node] = self.applied(node.op, args) if args else node.data

    def graph(
        self, inputs: list[Value], out: Any, choices: dict[int, int] | None = None
    ) -> FunctionGraph:
        """Return a function of a list."""
        whole = self.whole.graph
        parameters = [*whole.parameters, *whole.inputs]
        nodes = [*inputs, *parameters, *self.sharer.made]
        shapes: tuple[Shape, ...] = ((len(inputs),),)
        follows = self.sharer.follows
        return FunctionGraph(
            whole.name,
            shapes,
            inputs,
            [out],
            ((),),
            False,
            follows,
            parameters,
            nodes,
            choices or {},
        )


class _SampleWriter(_Writer):
    """Writes samples of the same steps down as one.

    Attributes:
        columns: of the samples' rows.
    """

    def __init__(self, whole: Whole, samples: list[WrittenSample]) -> None:
        super().__init__(whole)
        self.columns: dict[bytes, Value] = {}
        self._count = len(samples)
        self._choices: dict[Value, int] = {}
        self.written(dict.fromkeys(x for each in samples for x in each.outer))
        numbers = map(self._column, zip(*(x.numbers for x in samples), strict=True))
        inner = zip(*(x.inner for x in samples), strict=True)
        outer = zip(*(x.outer for x in samples), strict=True)
        done: list[Any] = []
        kinds = {
            CONSTANT: lambda: next(numbers),
            INNER: lambda: self._chosen(next(inner), done),
            OUTER: lambda: self._chosen(next(outer), self.known),
        }
        *steps, (_, ends) = samples[0].steps
        for op, args in steps:
            done.append(self.applied(op, [kinds[kind]() for kind in args]))
        roots = [kinds[kind]() for kind in ends]
        weights = map(self._column, zip(*(x.weights for x in samples), strict=True))
        self._total = self._sum(zip(roots, weights, strict=True))

    def _column(self, numbers: Sequence[float]) -> Any:
        """Return what stands for a number of each sample: the same where it is one for all."""
        key = array("d", numbers).tobytes()  # 0.0 is not -0.0
        if key == key[:8] * self._count:
            return numbers[0]
        if key not in self.columns:
            self.columns[key] = Value(numbers[0])
        return self.columns[key]

    def _chosen(self, keys: tuple[Any, ...], known: Any) -> Any:
        """Return what each sample has of what is known."""
        rows = list(dict.fromkeys(keys))
        if len(rows) == 1:
            return known[rows[0]]
        place = {row: float(i) for i, row in enumerate(rows)}
        index = self._column([place[key] for key in keys])
        table = [known[row] for row in rows]
        self._choices[index] = min(len(table), self._choices.get(index, len(table)))
        return self.applied(ops.take, [index, *table])

    def _sum(self, terms: Iterable[tuple[Any, Any]]) -> Any:
        """Return a weighted sum; terms of the same weight are added before it is multiplied."""
        sums: dict[Any, Any] = {}
        for x, weight in terms:
            sums[weight] = self.applied(ops.add, [sums[weight], x]) if weight in sums else x
        parts = [self.applied(ops.mul, [weight, x]) for weight, x in sums.items()]
        total = parts[0] if parts else 0.0
        for part in parts[1:]:
            total = self.applied(ops.add, [total, part])
        return total

    def add(self, terms: dict[Value, float], constant: float) -> None:
        """Add terms that are of no sample: to each, its share."""
        self.written(terms)
        rest = self._sum((self.known[x], weight) for x, weight in terms.items())
        if constant:
            rest = self.applied(ops.add, [rest, constant]) if terms else constant
        if terms or constant:
            share = self.applied(ops.mul, [1.0 / self._count, rest])
            self._total = self.applied(ops.add, [self._total, share])

    def bundle(self) -> Bundle:
        """Return the samples."""
        inputs = [*self.columns.values()]
        places = {leaf: i for i, leaf in enumerate(inputs)}
        choices = {places[leaf]: rows for leaf, rows in self._choices.items()}
        columns = [array("d", key) for key in self.columns]
        return Bundle(self.graph(inputs, self._total, choices), [*zip(*columns, strict=True)])
