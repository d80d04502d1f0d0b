"""What a compiled function is called with: arrays, lists and numbers, checked and made ready."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from autograd.compiler.reals import DOUBLE, Real
from autograd.compiler.repetition import Shape
from autograd.operand import real
from autograd.tree import rectangle

EMPTY = (0, -1)
"""The shape of ``[]`` where lists are expected in it: no samples, or one without numbers."""


class Batch(NamedTuple):
    """The arguments of a call.

    Attributes:
        columns: for each argument its numbers, or rows of them, sample by sample: NumPy's
            arrays if ``numpy``, else lists.
        n: how many samples.
        is_batch: whether there was an axis of samples at all.
        numpy: whether arrays were given, and are to come back.
    """

    columns: list[Any]
    n: int
    is_batch: bool
    numpy: bool

    def arrays(self) -> list[Any]:
        """Return the arguments as NumPy's arrays."""
        if self.numpy:
            return self.columns
        import numpy

        return [numpy.array(column, dtype=numpy.float64) for column in self.columns]

    def rows(self) -> list[list[float]]:
        """Return the samples as flat lists."""
        columns = [column.tolist() if self.numpy else column for column in self.columns]
        flat = [
            column if column and isinstance(column[0], list) else [[x] for x in column]
            for column in columns
        ]
        return [list(chain.from_iterable(parts)) for parts in zip(*flat, strict=True)] or (
            [[] for _ in range(self.n)]
        )

    def given(self, part: Any, shape: Shape) -> Any:
        """Return a result of all samples, each of some shape, in the form of the arguments."""
        if self.numpy and isinstance(part, list):
            import numpy

            # Without samples, lists don't say how long the rows are.
            part = numpy.array(part, dtype=numpy.float64).reshape(self.n, *shape)
        return formed(part if self.is_batch else part[0], self.numpy)


def formed(part: Any, as_array: bool) -> Any:
    """Return a result as an array or as a list; a number stays one."""
    if as_array:
        import numpy

        return numpy.asarray(part, dtype=numpy.float64) if isinstance(part, list) else part
    return part.tolist() if hasattr(part, "tolist") else part


def read(
    name: str, shapes: Sequence[Shape], arguments: Sequence[Any], real: Real = DOUBLE
) -> Batch:
    """Return the arguments made ready: arrays of that kind of numbers as they are, others as
    doubles, so that what is looked at in them has not been rounded.

    Raises:
        TypeError: a wrong number of arguments, or one that doesn't hold real numbers.
        ValueError: a wrong shape, or not the same number of samples.
    """
    if len(arguments) != len(shapes):
        raise TypeError(f"{name} takes {len(shapes)} argument(s), got {len(arguments)}")
    numpy = sys.modules.get("numpy")
    if numpy and _are_ready(shapes, arguments, numpy.ndarray, numpy.dtype(real.dtype)):
        return Batch(list(arguments), len(arguments[0]), is_batch=True, numpy=True)
    arrays = [numpy is not None and isinstance(arg, numpy.ndarray) for arg in arguments]
    if any(arrays):
        return _arrays(name, shapes, arguments, numpy, real)
    return _lists(name, shapes, arguments)


def _are_ready(
    shapes: Sequence[Shape], arguments: Sequence[Any], kind: type[Any], number: object
) -> bool:
    """Return whether all are arrays of one batch that can be used as they are.

    The common case, asked with little more than a microsecond to spare for a whole call.
    """
    n = None
    for shape, arg in zip(shapes, arguments, strict=True):
        if arg.__class__ is not kind or arg.dtype is not number or not arg.flags.c_contiguous:
            return False
        given, *rest = arg.shape or (None,)
        if given is None or n not in (None, given) or tuple(rest) != shape:
            return False
        n = given
    return n is not None


def _arrays(
    name: str, shapes: Sequence[Shape], arguments: Sequence[Any], numpy: Any, real: Real
) -> Batch:
    columns = []
    found = []
    for i, (shape, arg) in enumerate(zip(shapes, arguments, strict=True)):
        what = f"argument {i} of {name}"
        if isinstance(arg, numpy.ndarray):
            if numpy.any(getattr(arg, "mask", False)):
                raise TypeError(f"{what} is masked, which would count for nothing: fill it first")
            if arg.dtype.kind not in "fiu":
                raise TypeError(f"{what} holds {arg.dtype}: give an array of real numbers")
            found.append(arg.shape)
            kind = real.dtype if arg.dtype == real.dtype else DOUBLE.dtype
        else:
            kind = DOUBLE.dtype
            arg = _plain(what, arg)
            found.append(_shape(what, arg, len(shape)))
        columns.append(numpy.require(arg, kind, "CAE"))
    return _batch(name, shapes, columns, found, numpy=True)


def _lists(name: str, shapes: Sequence[Shape], arguments: Sequence[Any]) -> Batch:
    columns = []
    found = []
    for i, (shape, arg) in enumerate(zip(shapes, arguments, strict=True)):
        what = f"argument {i} of {name}"
        try:
            columns.append(_plain(what, arg))
        except RecursionError:
            raise TypeError(f"{what} is nested too deep") from None
        found.append(_shape(what, columns[-1], len(shape)))
    return _batch(name, shapes, columns, found, numpy=False)


def _plain(what: str, arg: Any) -> Any:
    """Return lists of floats, or a float.

    Raises:
        TypeError: an element is no real number.
    """
    if hasattr(arg, "tolist"):  # a row of NumPy's among lists
        arg = arg.tolist()
    elif hasattr(arg, "to_numpy"):  # a table of pandas'
        raise TypeError(f"{what} is a {type(arg).__name__}: give an array, its .to_numpy()")
    if isinstance(arg, list | tuple):
        return [_plain(what, x) for x in arg]
    try:
        return real(arg)
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None


def _shape(what: str, column: Any, dimensions: int) -> Shape:
    """Return the shape of nested lists; `EMPTY` where no list says how long the rows are."""
    try:
        shape, _ = rectangle(column)
    except ValueError as error:
        raise ValueError(f"{what} is ragged: {error}") from None
    return EMPTY if shape == (0,) and dimensions else shape


def _batch(
    name: str,
    shapes: Sequence[Shape],
    columns: list[Any],
    found: Sequence[Shape],
    *,
    numpy: bool,
) -> Batch:
    """Return the batch, once all shapes are known to fit."""
    is_batch = any(
        len(given) > len(shape) and (given, shape) != (EMPTY, (0,))
        for given, shape in zip(found, shapes, strict=True)
    )
    n: int | None = None
    for i, (shape, given) in enumerate(zip(shapes, found, strict=True)):
        rest = given[1:] if is_batch else given
        fits = rest == shape or given == EMPTY
        if not fits or (is_batch and not given):
            wanted = ", ".join(["n", *map(str, shape)])
            raise ValueError(
                f"argument {i} of {name} has shape {given}: give ({wanted}{',' * (not shape)}), "
                f"n samples{', as the others' if is_batch else ''}, or {shape} for one"
            )
        if is_batch:
            if n not in (None, given[0]):
                raise ValueError(f"argument {i} of {name} has {given[0]} samples, others {n}")
            n = given[0]
    if not is_batch:
        columns = [column[None] if numpy else [column] for column in columns]
    return Batch(columns, 1 if n is None else n, is_batch, numpy)
