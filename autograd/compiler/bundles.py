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
>>> len(graph.nodes) > 100, len(bundle.graph.nodes), bundle.rows[4]
(True, 12, (0.4, 1.0))
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.scans import LoopOp
from autograd.compiler.sharing import Sharer
from autograd.engine import Value

FEWEST = 8
"""Fewer terms that are alike stay as they were written: they would not fill a vector."""

MOST_ROOTS = (1, 4, 32)
"""How many terms may be of one sample, such as those of its several outputs; tried one after the
other. What more terms have in common is taken to be of none, such as a regularised weight."""

MOST_ROWS = 64
"""What a sample chooses from, such as the logit of its class, has at most so many rows, ..."""

FEW_AROUND = 4
"""What becomes of a sum inside of a function is at most so small a part of it."""

EACH_ROW = 4
"""... each of which so many samples choose, on average: else, they are no batch."""

DEEPEST = 4
"""In the sum, or in what that is computed from, samples are looked for so many times."""

MOST_CHOSEN = 2
"""For each step of a sample, it has so many rows to choose from at most."""


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


class _Sample(NamedTuple):
    """What is of one sample alone.

    Attributes:
        steps: for each of its nodes, after their arguments, which op is applied to what kinds of
            arguments; at the end of what kinds the terms are. Two samples that have the same do
            the same, with what the others say.
        numbers: of constants, in the order in which the steps use them.
        inner: likewise, which of its nodes; at the end, which of them are the terms.
        outer: likewise, which nodes of outside.
        roots, weights: the terms in the whole, and what they are multiplied with.
    """

    steps: tuple[tuple[Any, str], ...]
    numbers: list[float]
    inner: list[int]
    outer: list[Any]
    roots: list[Value]
    weights: list[float]

    @property
    def key(self) -> tuple[object, ...]:
        """What samples that compute the same have in common."""
        numbers = array("d", self.numbers).tobytes()  # 0.0 is not -0.0
        return self.steps, numbers, *self.inner, *self.outer


CONSTANT, INNER, OUTER = "cio"


def bundles_of(graph: FunctionGraph) -> Bundles:
    """Return what a function of a single number adds up, in bundles.

    Sums are in another order, weights are multiplied into their terms: for fast code.
    """
    out = graph.outputs[0] if len(graph.outputs) == 1 else 0.0
    is_loop = any(isinstance(node.op, LoopOp) for node in graph.nodes)
    if not isinstance(out, Value) or graph.choices or is_loop:
        return Bundles([])
    whole = _Whole(graph)
    at: Any = out
    for _ in range(DEEPEST):
        terms, constant = whole.terms(at)
        parts = whole.bundles(terms, constant) if len(terms) >= FEWEST else []
        if parts:
            return Bundles(parts) if at is out else whole.around(out, at, parts)
        within = whole.arguments(whole.deepest(terms)) if terms else []
        if not within:
            break
        at = whole.deepest(within)
    return Bundles([])


class _Whole:
    """A recording that may be a batch.

    Args:
        graph: of one output, without loops.
    """

    def __init__(self, graph: FunctionGraph) -> None:
        self.graph = graph
        self._given = {*graph.inputs, *graph.parameters}
        # How far a node is from the leaves: what is visited first in a sample is what is deepest,
        # so that a logit that only some samples use by itself is numbered as in all of them.
        self._height: dict[Any, int] = {}
        self._uses: dict[Any, int] = {}
        height, uses = self._height, self._uses
        for node in graph.nodes:
            if args := self._args(node):
                deepest = 0
                for arg in args:
                    if arg.__class__ is not float:
                        deepest = max(deepest, height.get(arg, 0))
                        uses[arg] = uses.get(arg, 0) + 1
                height[node] = deepest + 1

    def _args(self, node: Any) -> tuple[Any, ...]:
        """Return what a node is made of; of a leaf that follows another node, that one."""
        found: tuple[Any, ...] = node.args
        return found or ((self.graph.follows[node],) if node in self.graph.follows else ())

    def _number(self, x: Any) -> float | None:
        """Return the number of a constant."""
        if x.__class__ is float:
            return x
        return None if x in self._height or x in self._given else x.data

    def deepest(self, nodes: Iterable[Any]) -> Any:
        """Return the node that is the furthest from the leaves."""
        return max(nodes, key=lambda node: self._height.get(node, 0))

    def arguments(self, node: Any) -> list[Any]:
        """Return what a node is made of, but for leaves and constants."""
        return [x for x in self._args(node) if x in self._height]

    def bundles(self, terms: dict[Value, float], constant: float) -> list[Bundle]:
        """Return what a weighted sum adds up in bundles; none if most is in no batch."""
        fewest = 0.0
        for most in MOST_ROOTS:
            if most < fewest:
                continue  # nothing else is shared
            shared, parts, fewest = self._parts(list(terms), most)
            own = [roots for roots in parts if roots[0] not in shared]
            tops = [self.deepest(roots) for roots in own]
            looks = Counter((top.op, self._height.get(top, 0)) for top in tops)
            if max(looks.values(), default=0) < FEWEST:
                continue  # no two of them can be alike otherwise
            samples = [self._sample(roots, terms, shared) for roots in own]
            rest = dict(terms)
            alike: dict[Any, list[_Sample]] = {}
            spared = 0
            for sample, again in _distinct(samples):
                alike.setdefault(sample.steps, []).append(sample)
                spared += again * len(sample.steps)
            for sample in samples:
                for root in sample.roots:
                    del rest[root]
            groups: list[list[_Sample]] = []
            for found in alike.values():
                if len(found) >= FEWEST and _is_narrow(found):
                    groups.append(found)
                    spared += len(found) * len(found[0].steps)
                else:
                    for sample in found:
                        rest |= zip(sample.roots, sample.weights, strict=True)
            if groups and 2 * spared > len(self._height) - len(self._linear):
                writers = [_SampleWriter(self, found) for found in groups]
                writers[0].add(rest, constant)
                return [writer.bundle() for writer in writers]
        return []

    def around(self, out: Value, at: Value, parts: list[Bundle]) -> Bundles:
        """Return bundles that add up to a node inside, if little is around it."""
        total = Value(0.0)
        writer = _Writer(self)
        writer.known[at] = total
        self.written(writer, [out])
        if FEW_AROUND * len(writer.sharer.made) > len(self._height):
            return Bundles([])
        return Bundles(parts, writer.graph([total], writer.known[out]))

    def terms(self, out: Value) -> tuple[dict[Value, float], float]:
        """Return the nodes that a node is a weighted sum of, their weights, and a constant."""
        uses = self._uses.copy()
        uses[out] = 0
        weights: dict[Any, float] = {out: 1.0}
        terms: dict[Value, float] = {}
        self._linear: set[Value] = set()
        constant = 0.0
        for node in reversed(self.graph.nodes):
            if node not in weights:
                continue
            weight = weights.pop(node)
            # What is needed elsewhere, such as a logit, is of its sample as it is.
            parts = [] if uses[node] else list(self._weighted(node, weight))
            if not parts or any(x is None or not math.isfinite(w) for x, w in parts):
                terms[node] = weight
                continue
            self._linear.add(node)
            for x, w in parts:
                number = self._number(x)
                if number is None:
                    weights[x] = weights.get(x, 0.0) + w
                    uses[x] -= 1
                else:
                    constant += w * number
        return dict(reversed(terms.items())), constant

    def _weighted(self, node: Value, weight: float) -> Iterator[tuple[Any, float]]:
        """Yield what a node, times a weight, adds up: nodes and their weights; nothing if none.

        A None among them is for a leaf that is multiplied, and for what is no number's multiple:
        the product is a term then.
        """
        op, args = node.op, node.args

        def times(number: float | None, x: Any) -> tuple[Any, float]:
            if number is None or (weight and number and not weight * number):
                return None, weight  # a weight of 0 is none that is too small
            return x if x in self._height else None, weight * number

        if op is ops.add or op is ops.sum:
            yield from ((x, weight) for x in args)
        elif op is ops.sub:
            yield args[0], weight
            yield args[1], -weight
        elif op is ops.neg:
            yield times(-1.0, args[0])
        elif op is ops.div:
            number = self._number(args[1])
            yield times(1.0 / number if number else None, args[0])
        elif op is ops.mul or op is ops.dot:
            half = len(args) // 2
            for x, y in zip(args[:half], args[half : 2 * half], strict=True):
                a = self._number(x)
                yield times(self._number(y), x) if a is None else times(a, y)
            yield from ((x, weight) for x in args[2 * half :])

    def _parts(self, terms: list[Value], most: int) -> tuple[set[Value], list[list[Value]], float]:
        """Return which nodes are of no sample, the terms sample by sample, and a number.

        Terms with a node in common are of one sample, unless these are more than ``most``: the
        number is that from which on there would be less of no sample.
        """
        parent = list(range(len(terms)))

        def find(i: int) -> int:
            while parent[i] != i:
                parent[i] = i = parent[parent[i]]
            return i

        users: dict[Any, set[int]] = {term: {i} for i, term in enumerate(terms)}
        shared: set[Value] = set()
        fewest = math.inf
        for node in reversed(self.graph.nodes):
            using = users.pop(node, None)
            if using is None or node not in self._height:
                continue
            if len(using) > 1:
                using = {find(i) for i in using}
                if len(using) > most:
                    shared.add(node)
                    fewest = min(fewest, len(using))
                    continue
            first = min(using)
            for i in using:
                parent[i] = first
            for arg in self._args(node):
                if arg in self._height:
                    users.setdefault(arg, set()).add(first)
        parts: dict[int, list[Value]] = {}
        for i, term in enumerate(terms):
            parts.setdefault(find(i), []).append(term)
        return shared, list(parts.values()), fewest

    def _sample(
        self, roots: list[Value], weights: dict[Value, float], shared: set[Value]
    ) -> _Sample:
        """Return what some terms compute, but for what is shared."""
        height = self._height
        place: dict[Any, int] = {}
        steps: list[tuple[Any, str]] = []
        numbers: list[float] = []
        inner: list[int] = []
        outer: list[Any] = []

        def is_open(x: Any) -> bool:
            return x in height and x not in place and x not in shared

        def kind(x: Any) -> str:
            if x in place:
                inner.append(place[x])
                return INNER
            number = self._number(x)
            if number is None:
                outer.append(x)
                return OUTER
            numbers.append(number)
            return CONSTANT

        roots = sorted(roots, key=lambda root: -height.get(root, 0))
        stack = roots[::-1]
        while stack:
            node = stack[-1]
            args = self._args(node)
            missing = [arg for arg in args if is_open(arg)] if is_open(node) else []
            if missing:
                missing.sort(key=height.__getitem__)
                stack += missing
                continue
            stack.pop()
            if is_open(node):
                steps.append((node.op, "".join(map(kind, args))))
                place[node] = len(place)
        steps.append((None, "".join(map(kind, roots))))
        factors = [weights[root] for root in roots]
        return _Sample(tuple(steps), numbers, inner, outer, roots, factors)

    def written(self, writer: _Writer, wanted: Iterable[Any]) -> None:
        """Let a writer know some nodes, and all that these need."""
        needed: set[Any] = set()
        stack = [x for x in wanted if x not in writer.known]
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                missing = (x for x in self._args(node) if x.__class__ is not float)
                stack += [x for x in missing if x not in writer.known]
        for node in self.graph.nodes if needed else ():
            if node in needed:
                args = [writer.known.get(arg, arg) for arg in self._args(node)]
                writer.known[node] = writer.applied(node.op, args) if args else node.data


def _is_narrow(samples: list[_Sample]) -> bool:
    """Return whether samples of the same steps choose from little, if at all."""
    most = min(MOST_ROWS, len(samples) // EACH_ROW)
    choosing = 0
    for sides in ([x.inner for x in samples], [x.outer for x in samples]):
        for column in set(zip(*sides, strict=True)):
            rows = len({*column})
            if rows > max(most, 1):
                return False
            choosing += rows - 1
    return choosing <= MOST_CHOSEN * len(samples[0].steps)


def _distinct(samples: list[_Sample]) -> list[tuple[_Sample, int]]:
    """Return samples that don't compute the same, and how many more of each there were.

    Such as what pulls weights to 0, once for each sample: the weights of the terms are added up.
    """
    same: dict[Any, list[_Sample]] = {}
    for sample in samples:
        same.setdefault(sample.key, []).append(sample)
    found = []
    for first, *others in same.values():
        sums = [sum(ws) for ws in zip(*(x.weights for x in (first, *others)), strict=True)]
        found.append((first._replace(weights=sums), len(others)))
    return found


class _Writer:
    """Writes a part of a recording down.

    Args:
        whole: the recording.

    Attributes:
        known: what was written, by the whole's nodes; each leaf is itself.
        sharer: has made it.
    """

    def __init__(self, whole: _Whole) -> None:
        self.whole = whole
        leaves = (*whole.graph.inputs, *whole.graph.parameters)
        self.known: dict[Any, Any] = {leaf: leaf for leaf in leaves}
        self.sharer = Sharer()

    def applied(self, op: Any, args: list[Any]) -> Any:
        """Return an op of some arguments; without one, what follows the argument."""
        return self.sharer.apply(op, args) if op else self.sharer.detached(args[0])

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

    def __init__(self, whole: _Whole, samples: list[_Sample]) -> None:
        super().__init__(whole)
        self.columns: dict[bytes, Value] = {}
        self._count = len(samples)
        self._choices: dict[Value, int] = {}
        whole.written(self, dict.fromkeys(x for each in samples for x in each.outer))
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
        self.whole.written(self, terms)
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
