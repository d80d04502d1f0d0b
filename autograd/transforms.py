"""Derivatives as values: gradients that are graphs again, and functions of functions.

`gradients` runs the rules of the table on Values instead of floats, so its results can be
differentiated once more, to any order. The others are named and called as in JAX, for
functions of scalars and of flat lists of scalars.

Given floats, the returned functions give floats. Given Values, or where the function has used
one that is older than the call, they give Values: nobody's gradient is lost on the way. So they
do inside a function that is itself being differentiated. Under `no_grad` the numbers are the same,
and Values are leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import compress, takewhile
from typing import Any

from autograd.acceleration import accelerator
from autograd.accumulation import accumulated, applied, edges_of, oldest
from autograd.contexts import unchecked
from autograd.engine import Value
from autograd.errors import DomainError, quoted
from autograd.evaluation import flat, floats, is_finite, outputs, recorded, shape, shaped
from autograd.graph import topological_order
from autograd.pullbacks import product, shares, slopes
from autograd.recorders import tick


def gradients(out: Value, wrt: Iterable[Value]) -> list[Value]:
    """Return d out / d w for each w of ``wrt``, as Values that can be differentiated again.

    No ``grad`` is touched. The numbers are those of ``out.backward()`` to the bit, but for
    the sign of a zero. A node that ``out`` doesn't depend on gives 0.

    Raises:
        TypeError: ``out`` or an element of ``wrt`` isn't a Value.
        CycleError: the graph was tampered with.

    Cost: linear in what lies between ``out`` and the oldest node of ``wrt``, whatever is older
    than that; the result is a graph of a few times that size. In pure Python nodes are told apart
    by when gc looked after them, or by an earlier call: some hundred older ones may be walked.

    >>> x = Value(3.0)
    >>> (first,) = gradients(x**4, [x])
    >>> (second,) = gradients(first, [x])
    >>> first.data, second.data
    (108.0, 108.0)
    """
    wrt = list(wrt)
    for value in (out, *wrt):
        if not isinstance(value, Value):
            raise TypeError(f"gradients needs Values, got {quoted(value)}")
    tick()
    (results,) = _gradients([out], wrt, ends=wrt if len(set(wrt)) == 1 else [])
    return list(map(_as_value, results))


def _gradients(
    outs: Iterable[Any], wrt: list[Value], ends: list[Value]
) -> list[list[Value | float]]:
    """Return `gradients` of each of ``outs``, numbers among them, as floats what they are.

    Behind ``ends`` is no other node of ``wrt``.
    """
    since, rows = oldest(wrt), []
    with unchecked():
        for out in outs:
            adjoint: dict[Any, Value | float] = {out: 1.0}
            order = topological_order(out, ends=ends, since=since) if isinstance(out, Value) else []
            for node, args, asked in reversed(dependent(order, wrt)):
                parts = shares(node, args, adjoint[node], asked)
                for arg, part in zip(compress(args, asked), parts, strict=True):
                    adjoint[arg] = adjoint[arg] + part if arg in adjoint else part
            rows.append([adjoint.get(w, 0.0) for w in wrt])
    return rows


def _slopes(outs: list[Any], wrt: list[Value]) -> list[list[float]]:
    """Return `gradients` of each of ``outs`` as floats, by leaves that nothing is older than."""
    swept: Any = (accelerator.slopes(out, *wrt) for out in outs) if accelerator else ()
    rows = [*takewhile(lambda row: row is not None, swept)]  # None is what C leaves to Python
    return rows if len(rows) == len(outs) else list(map(floats, _gradients(outs, wrt, ends=wrt)))


def _as_value(x: Any) -> Value:
    return x if x.__class__ is Value else Value(x)


def descendants(order: Iterable[Value], sources: Iterable[Value]) -> set[Value]:
    """Return the sources and the nodes of a graph in topological order that depend on them."""
    found: set[Any] = set(sources)
    for node in order:
        if not found.isdisjoint(node.args):
            found.add(node)
    return found


def dependent(
    order: Iterable[Value], sources: Iterable[Value]
) -> list[tuple[Value, tuple[Any, ...], tuple[bool, ...]]]:
    """Return the nodes that depend on sources, with their arguments, and which of those do."""
    found: set[Any] = set(sources)
    reached = []
    for node in order:
        args = node.args
        if not found.isdisjoint(args):
            found.add(node)
            reached.append((node, args, tuple(map(found.__contains__, args))))
    return reached


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``f``.

    Args:
        f: returns a scalar; takes scalars and flat lists of scalars.
        argnums: which argument, or arguments (the result is then a tuple).

    Raises (when called):
        TypeError: ``f`` doesn't return a scalar, or an argument is no scalar or flat list.
        IndexError: there is no argument of that number.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> grad(lambda w: w[0] * w[1])([2.0, 5.0])
    [5.0, 2.0]
    """
    both = value_and_grad(f, argnums)
    return lambda *args: both(*args)[1]


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """Return the function that computes ``(value, gradient)`` of ``f``; see `grad`."""

    def evaluate(*args: Any) -> Any:
        inside, out, wrt = recorded(f, args, argnums)
        return outputs(inside, [out], (out, *_shaped_gradients([out], wrt, argnums, inside)))

    return evaluate


def jacobian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, sparse: bool = False
) -> Callable[..., Any]:
    """Return the function that computes the derivative of every output of ``f``.

    For a list of outputs the result is a list, one gradient each, else as `grad`.

    Args:
        sparse: whether it is a `scipy.sparse.csr_array`, a row for each output and a column for
            each input, of the entries that can be other than 0; see `SparseDerivative`.

    Cost: one backward pass per output.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    if sparse:
        return SparseDerivative(f, argnums, second=False)

    def evaluate(*args: Any) -> Any:
        inside, outs, wrt = recorded(f, args, argnums, lists=True)
        rows = _shaped_gradients(flat(outs), wrt, argnums, inside)
        return outputs(inside, flat(outs), rows if isinstance(outs, list | tuple) else rows[0])

    return evaluate


def _shaped_gradients(
    outs: list[Any], wrt: list[Any], argnums: int | Sequence[int], inside: bool
) -> list[Any]:
    """Return d out / d w of each out, shaped like the one w of ``wrt``, or for each in a tuple."""
    leaves = [leaf for w in wrt for leaf in flat(w)]
    rows = []
    for found in _gradients(outs, leaves, ends=leaves) if inside else _slopes(outs, leaves):
        rest = map(_as_value, found) if inside else iter(found)
        parts = tuple(shaped(w, rest) for w in wrt)
        rows.append(parts[0] if isinstance(argnums, int) else parts)
    return rows


def hessian(f: Callable[..., Any], argnums: int = 0, *, sparse: bool = False) -> Callable[..., Any]:
    """Return the function that computes the second derivatives of a scalar ``f``.

    For a list of n inputs the result is n lists of n.

    Args:
        sparse: as for `jacobian`.

    >>> hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    if sparse:
        return SparseDerivative(f, argnums, second=True)
    second = jacobian(grad(f, argnums), argnums)
    return lambda *args: _after_gradient(f, argnums, args, lambda: second(*args))


class SparseDerivative:
    """The function that computes a Jacobian or a Hessian as one of SciPy's sparse arrays.

    Its entries are those that the graph says can be other than 0, whatever the numbers are. They
    are accumulated node by node and may differ from those of a dense one in the last bits.
    `compile` takes it as any function, and is quick to compile and to call.

    Attributes:
        f, argnums: as for `jacobian`.
        second: whether it is the Hessian.

    Raises (when called):
        TypeError: the results would have to be Values: in a function that is differentiated or
            compiled itself, or where ``f`` uses Values of yours.
        MissingExtraError: SciPy is not installed.
        DomainError, IndexError: as `grad`.

    Cost: for each edge of the graph, the inputs that lie before it or the outputs that lie behind.

    >>> h = hessian(lambda v: v[0] ** 2 * v[1] + v[2] ** 3, sparse=True)([3.0, 5.0, 1.0])
    >>> h.nnz, h.toarray().tolist()
    (4, [[10.0, 6.0, 0.0], [6.0, 0.0, 0.0], [0.0, 0.0, 6.0]])
    """

    def __init__(
        self, f: Callable[..., Any], argnums: int | Sequence[int], *, second: bool
    ) -> None:
        self.f = f
        self.argnums = argnums
        self.second = second
        self.__name__ = getattr(f, "__name__", "the function")

    def __call__(self, *args: Any) -> Any:
        inside, outs, wrt = recorded(self.f, args, self.argnums, lists=not self.second)
        if inside:
            raise TypeError(
                f"the sparse derivative of {self.__name__} is an array of SciPy's, which holds no "
                "Values: leave out sparse=True inside of what is differentiated or compiled, and "
                "where Values of yours are used; or compile it by itself, which reads their numbers"
            )
        found = tuple(self._array(flat(outs), flat(w), args) for w in wrt)
        return found[0] if isinstance(self.argnums, int) else found

    def _array(self, outs: list[Any], wrt: list[Value], args: tuple[Any, ...]) -> Any:
        with unchecked():
            if self.second:
                outs = _gradients(outs, wrt, ends=wrt)[0]
            pattern, entries = accumulated(
                edges_of(outs, wrt), outs, wrt, applied, symmetric=self.second
            )
        if self.second and not is_finite(floats(entries)):
            grad(self.f, self.argnums)(*args)  # where it raises, its error comes before
        return pattern.array(outputs(False, outs, entries))


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``(f(*primals), d f(*primals) . tangents)``, by the forward mode.

    Args:
        primals: the arguments of ``f``: scalars and flat lists.
        tangents: the direction, of the same shape.

    Raises:
        TypeError: ``primals`` or ``tangents`` is no list or tuple; else as `jacobian`.
        ValueError: the shapes differ.

    Cost: one pass over the graph of ``f``, whatever the number of inputs and outputs.

    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    if not isinstance(primals, list | tuple) or not isinstance(tangents, list | tuple):
        raise TypeError("jvp takes a sequence of primals and one of tangents, one per argument")
    if [shape(p) for p in primals] != [shape(t) for t in tangents]:
        raise ValueError(
            f"tangents {quoted(tangents)} don't have the shape of primals {quoted(primals)}"
        )
    inside, outs, wrt = recorded(f, tuple(primals), range(len(primals)), lists=True)
    moving: dict[Value, Value | float] = {}
    for point, direction in zip(wrt, tangents, strict=True):
        moving.update(zip(flat(point), flat(direction), strict=True))
    inside = inside or any(isinstance(t, Value) for t in moving.values())
    nodes = [out for out in flat(outs) if isinstance(out, Value)]
    with unchecked():
        _push_forward(nodes, moving)
    slopes = shaped(outs, (moving.get(out, 0.0) for out in flat(outs)))
    return outputs(inside, nodes, (outs, slopes))  # type: ignore[no-any-return]


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the product of the Hessian of ``f`` in its first argument with a direction.

    Forward over reverse: costs a few gradients, and never forms the matrix.

    Source: Pearlmutter 1994, Fast exact multiplication by the Hessian.

    >>> hvp(lambda v: v[0] ** 2 * v[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    return _after_gradient(f, 0, primals, lambda: jvp(grad(f), primals, tangents)[1])


def _push_forward(outs: list[Value], moving: dict[Value, Value | float]) -> None:
    """Enter the tangent of every node below ``outs`` that moves into ``moving``."""
    for node in topological_order(*outs, since=oldest(moving)):
        if node.op is None or node in moving:  # a list may hold what it is differentiated by
            continue
        args: tuple[Any, ...] = node.args
        asked = tuple(map(moving.__contains__, args))
        if True not in asked:
            continue
        total: Any = None
        for arg, local in zip(compress(args, asked), slopes(node, args, asked), strict=True):
            part = product(moving[arg], local, node.op.singular)
            total = part if total is None else total + part
        moving[node] = total


def _after_gradient(
    f: Callable[..., Any], argnums: int, args: Sequence[Any], second: Callable[[], Any]
) -> Any:
    """Return second derivatives; where the first ones raise, their error comes before."""
    try:
        result = second()
        if is_finite(result):
            return result
    except DomainError:
        grad(f, argnums)(*args)
        raise
    grad(f, argnums)(*args)
    return result
