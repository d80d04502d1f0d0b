"""Derivatives of a recorded function as recorded functions; matrices of them, dense and sparse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from math import prod
from typing import Any, NamedTuple

from autograd.accumulation import Dependence, accumulated, edges_of
from autograd.compiler.forks import lazy
from autograd.compiler.garbage import without_gc
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.sharing import Sharer, shared
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.graph import topological_order
from autograd.modes import changed_mode
from autograd.transforms import SparseDerivative, gradients

FEW_CONSTANTS = 8
"""Constants among the entries are computed like the others where no more than each eighth is one:
cheaper than to put those that vary in their places."""


class Matrix:
    """Derivatives of a function's outputs, a row each, by some of its inputs, a column each.

    Args:
        wrt: the inputs.
        symmetric: whether the matrix is known to be.

    Attributes:
        graph: a function of the same arguments that returns entries, row by row: those that vary,
            or all.
    """

    def __init__(
        self, graph: FunctionGraph, wrt: Sequence[Value], *, symmetric: bool = False
    ) -> None:
        import numpy

        sharer = Sharer()
        with without_gc(), changed_mode(checked=False, grad=True, debug=None):
            edges = edges_of(graph.outputs, wrt)
            once = sharer.share(_returning(graph, [edge.local for edge in edges]))
            pairs = zip(edges, once.outputs, strict=True)
            edges = [
                Dependence(arg, node, local, singular) for (arg, node, _, singular), local in pairs
            ]
            self._pattern, entries = accumulated(
                edges, graph.outputs, wrt, sharer.apply, symmetric=symmetric
            )
        varied = [i for i, entry in enumerate(entries) if isinstance(entry, Value)]
        self._numbers: Any = None
        if FEW_CONSTANTS * (len(entries) - len(varied)) > len(entries):
            self._varied = numpy.array(varied, int)
            self._numbers = numpy.array([0.0 if isinstance(x, Value) else x for x in entries])
            entries = [entries[i] for i in varied]
        shape = ((len(entries),),)
        self.graph = sharer.returning(once, entries)._replace(results=shape, several=False)

    @lazy
    def _sparse(self) -> Any:
        found = self._pattern.array([0.0] * len(self._pattern.columns))
        found.has_canonical_format = True
        return found

    @lazy
    def _places(self) -> Any:
        """Where the entries stand in a matrix, counted row by row."""
        import numpy

        _, ends, columns = self._pattern
        rows = numpy.repeat(numpy.arange(len(ends) - 1), numpy.diff(ends))
        return rows * self._pattern.shape[1] + numpy.array(columns, int)

    def filled(self, entries: Any, *, sparse: bool, times: int = 1) -> Any:
        """Return the matrix, given an array of what `graph` returns: NumPy's, or one of SciPy's.

        Args:
            times: what the constant entries are multiplied with, in a sum of so many.

        Raises:
            MissingExtraError: SciPy is not installed.
        """
        if self._numbers is not None:
            numbers = self._numbers * times
            numbers[self._varied] = entries
            entries = numbers
        if sparse:
            # The constructor takes ten times as long, to look at what is known to be right.
            found = copy(self._sparse)
            found.indices, found.indptr = found.indices.copy(), found.indptr.copy()
            found.data = entries
            return found
        import numpy

        dense = numpy.zeros(self._pattern.shape)
        dense.put(self._places, entries)
        return dense


class Objective(NamedTuple):
    """What `scipy.optimize.minimize` asks for: value, gradient, Hessian, its product with p."""

    fun: Callable[[Any], Any]
    jac: Callable[[Any], Any]
    hess: Callable[[Any], Any]
    hessp: Callable[[Any, Any], Any]


class Residuals(NamedTuple):
    """What `scipy.optimize.least_squares` asks for: the residuals and their Jacobian."""

    fun: Callable[[Any], Any]
    jac: Callable[[Any], Any]


Compile = Callable[[FunctionGraph], Callable[..., Any]]
"""Makes a function of arrays out of a recorded one, of distinct nodes."""


def objective_of(graph: FunctionGraph, compiled: Compile, *, sparse: bool) -> Objective:
    """Return what is to be minimised, of a function of one list with distinct nodes."""
    slopes = shared(gradient_of(graph, graph.inputs))
    values, gradient = compiled(graph), compiled(slopes)
    hessian = cache(lambda: Matrix(slopes, slopes.inputs, symmetric=True))
    entries = cache(lambda: compiled(hessian().graph))
    product = cache(lambda: compiled(shared(product_of(graph))))
    return Objective(
        lambda x: values(array_of(x)),
        lambda x: gradient(array_of(x)),
        lambda x: hessian().filled(entries()(array_of(x)), sparse=sparse),
        lambda x, p: product()(array_of(x), array_of(p)),
    )


def residuals_of(graph: FunctionGraph, compiled: Compile, *, sparse: bool) -> Residuals:
    """Return residuals, of a function from list to list with distinct nodes."""
    values, jacobian = compiled(graph), cache(lambda: Matrix(graph, graph.inputs))
    entries = cache(lambda: compiled(jacobian().graph))
    return Residuals(
        lambda x: values(array_of(x)),
        lambda x: jacobian().filled(entries()(array_of(x)), sparse=sparse),
    )


def array_of(x: Any) -> Any:
    """Return what an optimiser gives as an array of floats."""
    import numpy

    return numpy.asarray(x, dtype=float)


def matrices_of(
    derivative: SparseDerivative, graph: FunctionGraph, *, exact: bool
) -> tuple[Matrix, ...]:
    """Return the derivatives of a recorded function by each of the arguments that are asked for.

    Args:
        exact: whether every node stays: what gathers the shares of equal ones rounds otherwise.

    Raises:
        IndexError: there is no such argument.
        CompileError: it has no Hessian, as it returns a list.
    """
    numbers, count = derivative.argnums, len(graph.shapes)
    merged = (lambda graph: graph) if exact else shared
    graph = merged(graph)
    found = []
    for number in (numbers,) if isinstance(numbers, int) else numbers:
        if not -count <= number < count:
            raise IndexError(f"argnums={numbers!r}, but there are {count} argument(s)")
        begin = sum(map(prod, graph.shapes[: number % count]))
        wrt = graph.inputs[begin : begin + prod(graph.shapes[number])]
        rows = merged(gradient_of(graph, wrt)) if derivative.second else graph
        found.append(Matrix(rows, wrt, symmetric=derivative.second))
    return tuple(found)


def together(matrices: Sequence[Matrix], *, several: bool) -> FunctionGraph:
    """Return a function of the same arguments that returns the entries of each matrix."""
    graphs = [matrix.graph for matrix in matrices]
    return graphs[0]._replace(
        outputs=[out for graph in graphs for out in graph.outputs],
        results=tuple(shape for graph in graphs for shape in graph.results),
        several=several,
        follows={leaf: node for graph in graphs for leaf, node in graph.follows.items()},
        nodes=list(dict.fromkeys(node for graph in graphs for node in graph.nodes)),
    )


def gradient_of(graph: FunctionGraph, wrt: Sequence[Value]) -> FunctionGraph:
    """Return the derivatives of a function's one output by some of its inputs, as a list.

    Raises:
        CompileError: it returns a list, or several results.
    """
    out, *others = graph.outputs or [0.0, 0.0]
    if others or graph.results != ((),):
        raise CompileError(
            f"{graph.name} returns {len(graph.outputs)} numbers in lists: a Hessian or objective "
            "is of a single one; jacobian and residuals() are for lists"
        )
    with changed_mode(checked=False, grad=True, debug=None):
        slopes = gradients(out, wrt) if isinstance(out, Value) else [0.0] * len(wrt)
    return _returning(graph, slopes)


def product_of(graph: FunctionGraph) -> FunctionGraph:
    """Return the product of the second derivatives with a direction, the second argument."""
    direction = [Value(0.0) for _ in graph.inputs]
    slopes = gradient_of(graph, graph.inputs).outputs
    with changed_mode(checked=False, grad=True, debug=None):
        along: Value | float = 0.0
        for slope, way in zip(slopes, direction, strict=True):
            along = along + slope * way
        found = gradients(along, graph.inputs) if isinstance(along, Value) else []
    inputs, shapes = [*graph.inputs, *direction], (*graph.shapes, *graph.shapes)
    return _returning(graph._replace(inputs=inputs, shapes=shapes), found)


def _returning(graph: FunctionGraph, outputs: Sequence[Value | float]) -> FunctionGraph:
    """Return a function of the same arguments that returns a list of other nodes."""
    found = [out for out in outputs if isinstance(out, Value)]
    return graph._replace(
        outputs=list(outputs),
        results=((len(outputs),),),
        several=False,
        nodes=topological_order(*graph.follows.values(), *found),
    )
