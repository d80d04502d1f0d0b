"""Derivatives of a recorded function as recorded functions, with the entries that can be other
than 0 and no others: a scalar graph is its own pattern of sparsity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.compiler.recording import FunctionGraph
from autograd.compiler.sharing import shared
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.extras import missing_extra
from autograd.graph import topological_order
from autograd.modes import changed_mode
from autograd.transforms import gradients


class Matrix:
    """Derivatives of a function's outputs, a row each, by its inputs, a column each.

    Where they can be other than 0 is known: a scalar graph is its own pattern of sparsity.

    Attributes:
        graph: a function of the same arguments that returns the entries which vary, row by row.

    Cost: for each output, linear in what it depends on.
    """

    def __init__(self, graph: FunctionGraph) -> None:
        import numpy

        column = {leaf: i for i, leaf in enumerate(graph.inputs)}
        ends, columns = [0], []
        entries: list[Value] = []
        with changed_mode(checked=False, grad=True, debug=None):
            for out in graph.outputs:
                if isinstance(out, Value):
                    below = [leaf for leaf in topological_order(out) if leaf in column]
                    below.sort(key=column.__getitem__)
                    columns += [column[leaf] for leaf in below]
                    entries += gradients(out, below)
                ends.append(len(columns))
        once = shared(_returning(graph, entries))
        every = once.outputs
        self.graph = _returning(once, [x for x in every if isinstance(x, Value)])
        self._shape = len(graph.outputs), len(graph.inputs)
        self._ends, self._columns = numpy.array(ends), numpy.array(columns, dtype=int)
        self._rows = numpy.repeat(numpy.arange(len(graph.outputs)), numpy.diff(self._ends))
        self._numbers = numpy.array([0.0 if isinstance(x, Value) else x for x in every])
        self._varied = numpy.array([isinstance(x, Value) for x in every], dtype=bool)

    def filled(self, varied: Any, *, sparse: bool) -> Any:
        """Return the matrix, given the entries that vary: an array, or one of SciPy's.

        Raises:
            MissingExtraError: SciPy is not installed.
        """
        numbers = self._numbers.copy()
        numbers[self._varied] = varied
        if not sparse:
            import numpy

            dense = numpy.zeros(self._shape)
            dense[self._rows, self._columns] = numbers
            return dense
        try:
            from scipy.sparse import csr_array
        except ImportError as error:
            missing_extra("scipy", "data", error)
        parts = numbers, self._columns.copy(), self._ends.copy()
        return csr_array(parts, shape=self._shape)


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


def array_of(x: Any) -> Any:
    """Return what an optimiser gives as an array of floats."""
    import numpy

    return numpy.asarray(x, dtype=float)


def gradient_of(graph: FunctionGraph) -> FunctionGraph:
    """Return the derivatives of a function's one output by its inputs, as a list.

    Raises:
        CompileError: it returns a list, or several results.
    """
    (out, *others), n = graph.outputs, len(graph.inputs)
    if others or graph.results != ((),):
        raise CompileError(
            f"{graph.name} returns {len(graph.outputs)} numbers: an objective is a single one; "
            "residuals() is for lists"
        )
    with changed_mode(checked=False, grad=True, debug=None):
        slopes = gradients(out, graph.inputs) if isinstance(out, Value) else [0.0] * n
    return _returning(graph, slopes)


def product_of(graph: FunctionGraph) -> FunctionGraph:
    """Return the product of the second derivatives with a direction, the second argument."""
    direction = [Value(0.0) for _ in graph.inputs]
    slopes = gradient_of(graph).outputs
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
