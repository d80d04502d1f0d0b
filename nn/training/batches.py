"""`Data`: the samples of all steps, by step and by length."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from autograd import quoted
from nn.arguments import real

Sample = Sequence[float]

PLAIN, LISTS = {int, float}, {list, tuple}
"""Types of numbers, and of lists, that are taken as they are."""


class Data(NamedTuple):
    """The samples of all steps.

    Attributes:
        numbers: theirs, one sample after the other.
        lengths: of each sample.
        ends: after how many samples a step ends, and first where the first one begins.
    """

    numbers: list[float]
    lengths: list[int]
    ends: list[int]

    def samples(self) -> Iterator[tuple[float, ...]]:
        """Yield the samples, one by one."""
        for begin, end in self.spans():
            yield tuple(self.numbers[begin:end])

    def spans(self) -> Iterator[tuple[int, int]]:
        """Return from where to where in the numbers each sample is."""
        return pairwise(accumulate(self.lengths, initial=0))


def gathered(batches: Iterable[Iterable[Sample]]) -> Data:
    """Return the samples of each step, as they are while they are gone through."""
    numbers: list[float] = []
    lengths: list[int] = []
    ends = [0]
    for i, given in enumerate(_each("batches", "batches, which are lists of samples", batches)):
        batch = list(_each(f"batch {i}", "samples, which are lists of numbers", given))
        if not batch:
            raise ValueError(f"batch {i} has no sample")
        row: list[Any] = []
        for sample in batch:  # faster than a chain of them
            row += sample
        if not {*map(type, row)} <= PLAIN:
            row = [x if type(x) is int else real(f"a number of batch {i}", x) for x in row]
        numbers += row
        lengths += map(len, batch)
        ends.append(len(lengths))
    return Data(numbers, lengths, ends)


def _each(name: str, what: str, given: Any) -> Iterable[Any]:
    """Return what is in a list of lists; of anything else, the error says what it must be."""
    if type(given) is list and {*map(type, given)} <= LISTS:
        return given
    return _as_lists(name, what, given)


def _as_lists(name: str, what: str, given: Any) -> Iterator[Any]:
    try:
        for each in given:
            yield each if isinstance(each, list | tuple) else list(each)
    except TypeError:
        raise TypeError(f"{name} must be a list of {what}: got {quoted(given)}") from None


def by_length(data: Data, lengths: Sequence[int]) -> tuple[list[Any], Any, Any]:
    """Return an array of the samples of each length, and what a `Descent` is planned by.

    A step's samples of one length are side by side among all of that length.
    """
    import numpy

    numbers = numpy.frombuffer(array("d", data.numbers))  # made faster than by numpy
    sizes = numpy.array(data.lengths)
    starts = sizes.cumsum() - sizes
    kinds = numpy.searchsorted(-numpy.array(lengths), -sizes)
    steps = numpy.repeat(numpy.arange(len(data.ends) - 1), numpy.diff(data.ends))
    # Of few bytes, it is sorted by its digits: several times as fast.
    order = numpy.argsort(kinds.astype(numpy.min_scalar_type(len(lengths))), kind="stable")
    counts = numpy.bincount(kinds)
    befores = counts.cumsum() - counts
    arrays = [
        numbers[starts[order[before : before + count], None] + numpy.arange(length)]
        for length, before, count in zip(lengths, befores, counts, strict=True)
    ]
    cells = (kinds * len(data.ends) + steps)[order]
    _, firsts, many = numpy.unique(cells, return_index=True, return_counts=True)
    kind, step = kinds[order[firsts]], steps[order[firsts]]
    begins = firsts - befores[kind]
    spans = numpy.stack((kind, begins, begins + many), axis=1)
    ends = numpy.concatenate(([0], numpy.bincount(step).cumsum()))
    return arrays, spans[numpy.argsort(step, kind="stable")], ends
