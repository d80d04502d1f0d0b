"""A sample that was written out: what is of it alone, and how far it is like others."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

from autograd.compiler.terms import Whole
from autograd.engine import Value

MOST_ROWS = 64
"""What a sample chooses from, such as the logit of its class, has at most so many rows, ..."""

EACH_ROW = 4
"""... each of which so many samples choose, on average: else, they are no batch."""

MOST_CHOSEN = 2
"""For each step of a sample, it has so many rows to choose from at most."""

CONSTANT, INNER, OUTER = "cio"


class WrittenSample(NamedTuple):
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


def sample_of(
    whole: Whole, roots: list[Value], weights: dict[Value, float], shared: set[Value]
) -> WrittenSample:
    """Return what some terms compute, but for what is shared.

    What is deepest is visited first, so that a logit that only some samples use by itself is
    numbered as in all of them.
    """
    height = whole.height
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
        number = whole.number(x)
        if number is None:
            outer.append(x)
            return OUTER
        numbers.append(number)
        return CONSTANT

    roots = sorted(roots, key=lambda root: -height.get(root, 0))
    stack = roots[::-1]
    while stack:
        node = stack[-1]
        args = whole.args_of(node)
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
    return WrittenSample(tuple(steps), numbers, inner, outer, roots, factors)


def is_narrow(samples: list[WrittenSample]) -> bool:
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


def distinct(samples: list[WrittenSample]) -> list[tuple[WrittenSample, int]]:
    """Return samples that don't compute the same, and how many more of each there were.

    Such as what pulls weights to 0, once for each sample: the weights of the terms are added up.
    """
    same: dict[Any, list[WrittenSample]] = {}
    for sample in samples:
        same.setdefault(sample.key, []).append(sample)
    found = []
    for first, *others in same.values():
        sums = [sum(ws) for ws in zip(*(x.weights for x in (first, *others)), strict=True)]
        found.append((first._replace(weights=sums), len(others)))
    return found
