"""Samples of different lengths: each length has code of its own, and a call's results are one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce as fold
from itertools import compress
from math import prod
from typing import Any, NamedTuple

from autograd.compiler.arguments import formed
from autograd.compiler.garbage import without_gc
from autograd.compiler.recall import Recalled
from autograd.compiler.recording import FunctionGraph, record
from autograd.compiler.repetition import Shape
from autograd.errors import CompileError
from autograd.forms import describe


class Group(NamedTuple):
    """The samples of a call that are of one length.

    Attributes:
        shapes: of their arguments.
        places: which they are.
        arguments: theirs, lists with an axis of samples, unless the call has none.
    """

    shapes: tuple[Shape, ...]
    places: list[int]
    arguments: list[Any]


def groups_of(shapes: Sequence[Shape], arguments: Sequence[Any]) -> list[Group]:
    """Return the samples of a call by their lengths, in the order in which these first come.

    There are none where all are of the given shapes, nor where they can't be told, as for a list
    that is none. NumPy's arrays are to be of the given length.
    """
    depths = [_depth(arg) - len(shape) for shape, arg in zip(shapes, arguments, strict=False)]
    if len(arguments) != len(shapes) or depths not in ([0] * len(shapes), [1] * len(shapes)):
        return []
    free = [
        isinstance(arg, list | tuple) and shape != ()
        for shape, arg in zip(shapes, arguments, strict=True)
    ]
    if not any(free) or not all(map(len, compress(arguments, free))):
        return []  # [] is no samples
    is_batch = depths[0] == 1
    samples = [list(arg) if is_batch else [arg] for arg in arguments]
    groups: dict[tuple[Shape, ...], list[int]] = {}
    if len(set(map(len, samples))) > 1:
        return []
    for i, parts in enumerate(zip(*samples, strict=True)):
        if any(is_free and not _is_list(x) for is_free, x in zip(free, parts, strict=True)):
            return []
        found = tuple(
            (len(x),) if is_free else shape
            for is_free, x, shape in zip(free, parts, shapes, strict=True)
        )
        groups.setdefault(found, []).append(i)
    if list(groups) in ([], [tuple(shapes)]):
        return []
    return [
        Group(found, places, [[column[i] for i in places] for column in samples])
        for found, places in groups.items()
    ]


def _is_list(x: Any) -> bool:
    return isinstance(x, list | tuple) or getattr(x, "ndim", 0) == 1


def _depth(arg: Any) -> int:
    """Return how deep lists are nested where they begin, or the number of an array's axes."""
    if isinstance(arg, list | tuple):
        return 1 + (_depth(arg[0]) if arg else 0)
    return getattr(arg, "ndim", 0)


def recorded_for(
    f: Callable[..., Any],
    known: Recalled,
    shapes: tuple[Shape, ...],
    tells_all: Callable[[], bool] | None = None,
) -> FunctionGraph:
    """Return a function recorded for lists of other lengths.

    Args:
        known: what was recorded of it before, with all parameters.
        tells_all: as of `record`.

    Raises:
        ValueError: the function doesn't take them, or makes no use of some of the numbers.
        CompileError: it has other parameters then.
    """
    name = known.name
    pairs = enumerate(zip(shapes, known.shapes, strict=True))
    given = " and ".join(
        f"argument {i} of {name} is a list of {x[0]}, where it was compiled for {y[0]}"
        for i, (x, y) in pairs
        if x != y
    )
    example = [[0.0] * shape[0] if shape else 0.0 for shape in shapes]
    with without_gc():
        try:
            graph = record(f, example, known.parameters, tells_all=tells_all)
        except CompileError:
            raise
        except Exception as error:
            raise ValueError(f"{given}, and {name} fails for that: {error}") from error
    more = graph.parameters[len(known.parameters) :]
    if more:
        raise CompileError(
            f"{given}, and uses a parameter{describe(more[0])} that it didn't use then: name "
            "all of them in wrt"
        )
    _refuse_unused(graph, known, given)
    return graph


def _refuse_unused(graph: FunctionGraph, known: Recalled, given: str) -> None:
    """Raise if a longer list is used in its beginning only: it may be another kind of list.

    Raises:
        ValueError: that is so.
    """
    used, begin = set(graph.nodes), 0
    for i, (shape, before) in enumerate(zip(graph.shapes, known.shapes, strict=True)):
        leaves = graph.inputs[begin : begin + prod(shape)]
        begin += len(leaves)
        unused = [k for k in range(prod(before), len(leaves)) if leaves[k] not in used]
        if unused:
            raise ValueError(
                f"{given}, and {graph.name} makes no use of x{i}[{unused[0]}]: leave that out"
            )


class Mixture:
    """A call with samples of several lengths, which offers what a `Compiled` does.

    Args:
        whole: for the example's length.
        groups: the samples of each length, with what is compiled for it.
    """

    def __init__(self, whole: Any, groups: Sequence[tuple[Any, Group]]) -> None:
        self.whole = whole
        self.groups = groups
        self.n = sum(len(group.places) for _, group in groups)

    def __call__(self, *arguments: Any, params: Any = None) -> Any:
        found = self._of_each(lambda one, group: one(*group.arguments, params=params))
        return tuple(found) if self.whole._graph.several else found[0]

    def _of_each(self, results: Callable[[Any, Group], Any]) -> list[list[Any]]:
        """Return what each group gives for its samples, a list or a tuple of some, in order."""
        parts = []
        for one, group in self.groups:
            given = results(one, group)
            parts.append(given if isinstance(given, tuple) else (given,))
        return [self._in_order([part[k] for part in parts]) for k in range(len(parts[0]))]

    def _in_order(self, parts: Sequence[Any]) -> list[Any]:
        """Return the samples' results, given those of each group."""
        each: list[Any] = [None] * self.n
        for (_, group), part in zip(self.groups, parts, strict=True):
            for place, x in zip(group.places, part, strict=True):
                each[place] = x
        return each

    @property
    def _scale(self) -> float:
        return 1.0 / self.n if self.whole._reduce == "mean" else 1.0

    def value_and_grad(self, *arguments: Any, params: Any = None) -> tuple[Any, Any]:
        whole = self.whole
        several = whole._graph.several
        value: Any
        if whole._reduce is None:
            found = self._of_each(
                lambda one, group: _flat(one.value_and_grad(*group.arguments, params=params))
            )
            count = len(whole._graph.results) if several else 1
            value, others, gradient = found[0], found[1:count], found[count:]
        else:
            value, weights, parts = self._gradient(whole._numbers(params))
            gradient, others = parts[: len(whole._moving)], parts[len(whole._moving) :]
            if whole._weights:
                gradient.append(formed(weights, hasattr(params, "dtype")))
        if several:
            value = (value, *others)
        return value, gradient[0] if whole._alone else tuple(gradient)

    def _gradient(self, numbers: Any) -> tuple[Any, Any, list[Any]]:
        """Return value, gradient of the parameters, and what is of each sample."""
        whole = self.whole
        read = [(one, one._read(group.arguments)) for one, group in self.groups]
        batches = [(one._gradient, batch) for one, batch in read]
        value, weights, moved = whole._gradient.of_several(
            batches, numbers, self._scale, self._in_order
        )
        parts = []
        for k in range(len(moved[0])):
            shaped = [
                batch.given(part[k], one._code.moved_shapes()[k])
                for (one, batch), part in zip(read, moved, strict=True)
            ]
            parts.append(self._in_order(shaped))
        return value, weights, parts

    def backward(self, *arguments: Any) -> Any:
        value, weights, _ = self._gradient(self.whole._numbers(None))
        self.whole._add(weights)
        return value

    def reduced(self, *arguments: Any, params: Any = None) -> Any:
        shapes = {one._graph.results for one, _ in self.groups}
        if len(shapes) > 1:
            raise CompileError(
                f"{self.whole._graph.name} returns lists of other lengths for other samples, which "
                "have no sum: call it without reducing"
            )
        each = self._of_each(lambda one, group: one(*group.arguments, params=params))
        count = self.n if self.whole._reduce == "mean" else 1
        parts = [_over(fold(_plus, part), count) for part in each]
        return tuple(parts) if self.whole._graph.several else parts[0]


def _flat(result: tuple[Any, Any]) -> tuple[Any, ...]:
    """Return value and gradient, each of one or several, side by side."""
    return tuple(x for part in result for x in (part if isinstance(part, tuple) else (part,)))


def _plus(x: Any, y: Any) -> Any:
    if isinstance(x, list):
        return [_plus(a, b) for a, b in zip(x, y, strict=True)]
    return x + y


def _over(x: Any, count: int) -> Any:
    return [_over(a, count) for a in x] if isinstance(x, list) else x / count
