"""Plain functions of rows, for floats and Values alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from autograd import ops
from autograd.acceleration import accelerator
from autograd.annotations import Any, TypeVar, overload
from autograd.engine import Value
from autograd.errors import quoted
from autograd.forms import describe
from autograd.graph import node_args, topological_order
from autograd.modes import current_mode
from autograd.operand import Operand, real

T = TypeVar("T", bound=Operand)
Row = TypeVar("Row")


@overload
def sum(xs: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def sum(xs: Iterable[Value | float]) -> Value: ...
def sum(xs: Iterable[Any]) -> Any:
    """Return x1 + ... + xn as one node; 0.0 if empty.

    >>> sum([1.0, 2.0, 4.0])
    7.0
    """
    args = tuple(xs)
    return ops.sum(*args) if args else 0.0


@overload
def mean(xs: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def mean(xs: Iterable[Value | float]) -> Value: ...
def mean(xs: Iterable[Any]) -> Any:
    """Return the arithmetic mean.

    Raises:
        ValueError: there are no numbers.
    """
    args = _some(xs, "mean")
    return ops.sum(*args) / len(args)


@overload
def dot(  # type: ignore[overload-overlap]
    weights: Iterable[float], inputs: Iterable[float], bias: float | None = None
) -> float: ...
@overload
def dot(
    weights: Iterable[Value | float],
    inputs: Iterable[Value | float],
    bias: Value | float | None = None,
) -> Value: ...
def dot(weights: Iterable[Any], inputs: Iterable[Any], bias: Any = None) -> Any:
    """Return w1*x1 + ... + wn*xn (+ bias) as one node.

    Raises:
        ValueError: the lengths differ, or are 0.

    >>> dot([1.0, 2.0], [3.0, 4.0], 5.0)
    16.0
    """
    if accelerator:  # which takes the items where they are; a tuple of all is as long to make
        found = accelerator.weighted(ops.dot, weights, inputs, bias)
        if found is not None:
            return found
    try:
        n, given = len(weights), len(inputs)  # type: ignore[arg-type]
    except TypeError:
        return dot(tuple(weights), tuple(inputs), bias)
    if n != given or not n:
        raise ValueError(f"dot needs as many weights as inputs, at least one: got {n} and {given}")
    if bias is None:
        return ops.dot(*weights, *inputs)
    return ops.dot(*weights, *inputs, bias)


@overload
def max(xs: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def max(xs: Iterable[Value | float]) -> Value: ...
def max(xs: Iterable[Any]) -> Any:
    """Return the largest number as one node; at a tie each has an even share of the derivative.

    Python's own ``max`` compares instead, and returns the first of the largest, which has all of
    it; so it decides by a number, which a function that is compiled can't.

    Raises:
        ValueError: there are no numbers.

    >>> x, y = Value(2.0), Value(2.0)
    >>> max([x, 1.0, y]).backward()
    >>> x.grad, y.grad
    (0.5, 0.5)
    """
    return ops.max(*_some(xs, "max"))


@overload
def min(xs: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def min(xs: Iterable[Value | float]) -> Value: ...
def min(xs: Iterable[Any]) -> Any:
    """Return the smallest number as one node; see `max`.

    Raises:
        ValueError: there are no numbers.
    """
    return ops.min(*_some(xs, "min"))


@overload
def logsumexp(xs: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def logsumexp(xs: Iterable[Value | float]) -> Value: ...
def logsumexp(xs: Iterable[Any]) -> Any:
    """Return log(exp(x1) + ... + exp(xn)) as one node, right for any finite numbers.

    Raises:
        ValueError: there are no numbers.
    """
    return ops.logsumexp(*_some(xs, "logsumexp"))


@overload
def log_softmax(xs: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def log_softmax(xs: Iterable[Value | float]) -> list[Value]: ...
def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """Return x - logsumexp(xs) for each x: log-probabilities, right for any finite logits.

    Error: that of logsumexp, relative to max(1, |x|).
    """
    xs = _some(xs, "log_softmax")
    total = ops.logsumexp(*xs)
    return [x - total for x in xs]


@overload
def softmax(xs: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def softmax(xs: Iterable[Value | float]) -> list[Value]: ...
def softmax(xs: Iterable[Any]) -> list[Any]:
    """Return exp(x) / sum(exp(xs)) for each x: probabilities, right for any finite logits.

    Error: a few 1e-16 times max(1, |x - largest x|), relative.

    >>> softmax([1e4, 1e4])
    [0.5, 0.5]
    """
    xs = _some(xs, "softmax")
    top = reduce(ops.maximum, xs)
    powers = [ops.exp(x - top) for x in xs]
    total = ops.sum(*powers)
    return [power / total for power in powers]


@overload
def leaky_relu(x: T, slope: T | float = 0.01) -> T: ...
@overload
def leaky_relu(x: float, slope: T) -> T: ...
@overload
def leaky_relu(x: float, slope: float = 0.01) -> float: ...
def leaky_relu(x: Any, slope: Any = 0.01) -> Any:
    """Return x for x > 0, else slope * x (Maas et al. 2013)."""
    return ops.leaky_relu(x, slope)


@overload
def elu(x: T, alpha: T | float = 1.0) -> T: ...
@overload
def elu(x: float, alpha: T) -> T: ...
@overload
def elu(x: float, alpha: float = 1.0) -> float: ...
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Return x for x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015)."""
    return ops.elu(x, alpha)


def take(table: Sequence[Row], index: float | Value) -> Row:
    """Return ``table[index]``: an element, or a row of a list of lists.

    It makes no node: what is taken is what the table holds, and the index has no derivative. In a
    function that is compiled, the index may be an argument; elsewhere a Value that was given its
    number will do as well. A computed one is refused.

    Raises:
        IndexError: the table has no such row, counted from 0.
        TypeError: the index is no real number, or a Value that was computed.

    >>> table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    >>> take(table, 1) is table[1]
    True
    """
    number: Any = index
    if isinstance(index, Value):
        tracer: Any = current_mode().tracing
        if index.op is not None:
            if tracer:
                tracer.refuse_loops()  # written out, it may be an argument
            raise TypeError(
                f"take is told which row to take, by an argument or a number; a computed index"
                f"{describe(index)} has no derivative, and is refused"
            )
        if tracer and tracer.chooses(index, len(table)):
            return _chosen(index, table)  # type: ignore[no-any-return]
        number = index.data
    try:
        place = real(number)
    except TypeError as error:
        raise TypeError(f"take: {error}") from None
    if isinstance(number, bool) or place not in range(len(table)):
        named = describe(index) if isinstance(index, Value) else ""
        raise IndexError(
            f"take: there is no row {quoted(number)}{named}: the table has the rows 0 to "
            f"{len(table) - 1}"
            if len(table)
            else "take: the table is empty"
        )
    return table[int(place)]


def _chosen(index: Value, rows: Sequence[Any]) -> Any:
    """Return the row that will be taken, recorded: an element, or a list with one of each column.

    Raises:
        ValueError: some rows are longer than others.
    """
    if not isinstance(rows[0], list | tuple):
        return ops.take(index, *rows)
    lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in rows}
    if len(lengths) > 1:
        raise ValueError("take: to be compiled, the rows of a table must be of one length")
    return [_chosen(index, column) for column in zip(*rows, strict=True)]


def _some(xs: Iterable[Any], name: str) -> tuple[Any, ...]:
    args = tuple(xs)
    if not args:
        raise ValueError(f"{name} of no numbers")
    return args


def detach(v: Value) -> Value:
    """Return a new leaf with the same number and label, cut off from the graph."""
    if not isinstance(v, Value):
        raise TypeError(f"only a Value can be detached: got {quoted(v)}")
    if tracer := current_mode().tracing:
        tracer.meet(v)
    return Value(v.data, v.label)


def trace(out: Value) -> tuple[list[Value], list[tuple[Value, Value]]]:
    """Return the nodes below ``out`` in topological order, and the edges ``(arg, node)``."""
    if not isinstance(out, Value):
        raise TypeError(f"trace takes the Value that was computed: got {quoted(out)}")
    order = topological_order(out)
    return order, [(arg, node) for node in order for arg in node_args(node)]


def is_compiling() -> bool:
    """Return whether what is recorded just now is to be compiled, so that nothing may vary.

    For what draws random numbers: compiled, they would be the same in every call.
    """
    return current_mode().tracing is not None
