"""`Code`: what a recorded function becomes, each part made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any

from autograd.compiler.adjoints import gradient_program
from autograd.compiler.arguments import Batch
from autograd.compiler.bundles import Bundles, bundles_of
from autograd.compiler.forks import lazy
from autograd.compiler.garbage import without_gc
from autograd.compiler.program import Program
from autograd.compiler.python import PythonFunction
from autograd.compiler.reals import Real
from autograd.compiler.recall import Recalled
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.sharing import text_of
from autograd.compiler.unrolling import unrolled
from autograd.compiler.uses import Uses, uses_apart
from autograd.compiler.writer import program_of
from autograd.engine import Value
from autograd.errors import CompileError

if TYPE_CHECKING:
    from autograd.compiler.libraries import LibraryFunction
    from autograd.compiler.native import NativeFunction, Part


class Code:
    """The programs of a function and of its gradient, and what runs them.

    Args:
        known: what the function does.
        moving: the arguments to differentiate.
        weights: how many parameters to differentiate, which come first.
        reduced: whether the gradient is added up over the samples.
        backend: "llvm", "python", "jax" or "torch".
        real: what it computes with.
        exact: whether every bit is that of the eager engine.
        strict: whether that was asked for, so that what could not keep it is refused.
        matrices: whether it returns matrices, which have no gradient.
    """

    def __init__(
        self,
        known: Recalled,
        moving: list[int],
        weights: int,
        *,
        reduced: bool,
        backend: str,
        real: Real,
        exact: bool,
        strict: bool,
        matrices: bool,
    ) -> None:
        self.known = known
        self.moving = moving
        self.weights = weights
        self.is_reduced = reduced
        self.backend = backend
        self.real = real
        self.is_exact = exact
        self._is_strict = strict
        self._has_matrices = matrices
        if not known.is_built_in:
            self.program  # noqa: B018 - it raises for what can't be compiled

    @property
    def graph(self) -> FunctionGraph:
        """The function as it was recorded."""
        return self.known.graph

    @property
    def shared(self) -> FunctionGraph:
        """The same with each distinct node once."""
        return self.known.shared

    @lazy
    def unrolled(self) -> Code:
        """The same without loops, for all but machine code."""
        graph = unrolled(self.graph)
        if graph is self.graph:
            return self
        return Code(
            Recalled.of(graph),
            self.moving,
            self.weights,
            reduced=self.is_reduced,
            backend=self.backend,
            real=self.real,
            exact=self.is_exact,
            strict=self._is_strict,
            matrices=self._has_matrices,
        )

    @lazy
    def program(self) -> Program:
        """What computes the values of one sample."""
        return _program_of(self.shared)

    @lazy
    def gradient_program(self) -> Program:
        """What computes value and gradient of one sample: parameters first, then arguments.

        Where every bit is kept, a parameter has one contribution for each of its uses, and
        the last parameter is the derivative of the whole cost by this sample.
        """
        with without_gc():
            return self._program_of_gradient()

    def _program_of_gradient(self) -> Program:
        graph = self.graph
        self.check_scalar()
        if self.is_exact:
            uses = self.uses
            parameters = [*graph.parameters, uses.seed]
            outputs = [graph.outputs[0], *uses.contributions, *uses.moved, *graph.outputs[1:]]
            choices = graph.choices
            return program_of(graph.inputs, parameters, outputs, graph.follows, choices=choices)
        return self.summed_program

    @property
    def summed_program(self) -> Program:
        """What computes value and gradient, the contributions to each parameter added up."""
        self.check_scalar()
        weights = self.graph.parameters[: self.weights]
        return gradient_program(self.shared, [*weights, *self._moved_leaves()])

    def check_scalar(self) -> None:
        """Raise if the output to differentiate is a list.

        Raises:
            CompileError: it is.
        """
        graph = self.known
        if self._has_matrices:
            raise CompileError(f"only a single number has a gradient: {graph.name} gives matrices")
        if graph.results[:1] != ((),):
            raise CompileError(
                f"only a single number has a gradient, and {graph.name} returns a list of "
                f"{graph.outputs}: compile jacobian({graph.name}), or reduce them"
            )

    @lazy
    def bundles(self) -> Bundles:
        """The samples that the function writes out itself."""
        if self.is_exact or self._has_matrices:
            return Bundles([])
        with without_gc():
            return bundles_of(self.graph)

    def value_parts(self) -> list[Part]:
        """Return what computes the value of samples that are written out."""
        parts, around = self.bundles
        found: list[Part] = [(_program_of(part.graph), part.rows) for part in parts]
        return [*found, (_program_of(around), None)] if around else found

    def gradient_parts(self) -> list[Part]:
        """Return what computes value and gradient of samples that are written out."""
        parts, around = self.bundles
        wrt = [*self.graph.parameters[: self.weights], *self._moved_leaves()]
        with without_gc():
            found: list[Part] = [(gradient_program(part.graph, wrt), part.rows) for part in parts]
            if around:
                found.append((gradient_program(around, [*wrt, *around.inputs]), None))
        return found

    @lazy
    def uses(self) -> Uses:
        """The gradient use by use, for every bit of it."""
        self.check_scalar()
        weights, moved = self.graph.parameters[: self.weights], list(self._moved_leaves())
        return uses_apart(self.graph, weights, moved, strict=self._is_strict)

    def _moved_leaves(self) -> Iterator[Value]:
        """Yield the leaves of the arguments to differentiate."""
        ends = [0]
        for shape in self.known.shapes:
            ends.append(ends[-1] + prod(shape))
        for i in self.moving:
            yield from self.graph.inputs[ends[i] : ends[i + 1]]

    def parts(self) -> tuple[Shape, ...]:
        """Return the shapes of what the gradient's program gives for each sample."""
        moved = self.moved_shapes()
        if self.is_exact:
            return ((), (len(self.uses.places),), *moved)
        if not self.is_reduced:
            return ((), *(((self.weights,),) if self.weights else ()), *moved)
        return moved

    def moved_shapes(self) -> tuple[Shape, ...]:
        """Return the shapes of the gradients by arguments, and of the other outputs."""
        graph = self.known
        return (*(graph.shapes[i] for i in self.moving), *graph.results[1:])

    def rows(self, batch: Batch, numbers: Any) -> list[Any]:
        """Return the outputs of each sample, flat."""
        if self.backend == "python" or not self.known.outputs:
            return self.python_values(batch.rows(), numbers)
        _, parts = self.values(batch.arrays(), numbers, batch.n)
        each = [part.reshape(batch.n, -1).tolist() for part in parts] if batch.n else []
        return [list(chain.from_iterable(row)) for row in zip(*each, strict=True)]

    # The back ends

    @lazy
    def python_values(self) -> PythonFunction:
        """The values, by Python."""
        return PythonFunction(lambda: self.program)

    @lazy
    def python_gradient(self) -> PythonFunction:
        """Value and gradient, by Python."""
        return PythonFunction(lambda: self.gradient_program)

    @lazy
    def values(self) -> NativeFunction | LibraryFunction:
        """The values, by what is fast."""
        if self.backend == "llvm":
            return self.native_values
        return self._in_library(lambda: self.program, self.known.results, 0)

    @lazy
    def sums(self) -> NativeFunction | LibraryFunction:
        """The values added up over the samples, by what is fast."""
        if self.backend == "llvm":
            return self.native_sums
        return self._in_library(lambda: self.program, (), self.known.outputs)

    @lazy
    def gradient(self) -> NativeFunction | LibraryFunction:
        """Value and gradient, by what is fast."""
        if self.backend == "llvm":
            return self.native_gradient
        summed = 1 + self.weights if self.is_reduced else 0
        return self._in_library(lambda: self.gradient_program, self.parts(), summed)

    def _in_library(
        self, program: Callable[[], Program], results: Sequence[Shape], summed: int
    ) -> LibraryFunction:
        from autograd.compiler.libraries import LIBRARIES

        return LIBRARIES[self.backend](program, results, summed, self.real)

    @lazy
    def native_values(self) -> NativeFunction:
        """The values, in machine code."""
        from autograd.compiler.frames import Signature
        from autograd.compiler.native import NativeFunction

        graph = self.known
        signature = Signature(
            graph.shapes,
            graph.results,
            (False,) * graph.outputs,
            len(graph.parameters),
            self.real,
        )
        return NativeFunction(
            lambda: self.program,
            self._key_of_values(),
            signature,
            exact=self.is_exact,
            parts=self.value_parts,
        )

    def _key_of_values(self) -> str:
        """Return what the program of the values follows from, as text."""
        # Rows of the user's own may mean something else another time.
        return self.known.digest if self.known.is_built_in else str(self.program)

    @lazy
    def native_sums(self) -> NativeFunction:
        """The values added up over the samples, in machine code."""
        from autograd.compiler.frames import Signature
        from autograd.compiler.native import NativeFunction

        graph = self.known
        count = len(graph.parameters)
        signature = Signature(graph.shapes, (), (True,) * graph.outputs, count, self.real)
        return NativeFunction(lambda: self.program, self._key_of_values(), signature, exact=False)

    @lazy
    def native_gradient(self) -> NativeFunction:
        """Value and gradient, in machine code."""
        from autograd.compiler.frames import Signature
        from autograd.compiler.native import NativeFunction

        parts = self.parts()
        outside = sum(map(prod, parts))
        summed = 0 if self.is_exact or not self.is_reduced else 1 + self.weights
        signature = Signature(
            self.known.shapes,
            parts,
            (True,) * summed + (False,) * outside,
            len(self.known.parameters) + self.is_exact,
            self.real,
        )
        # The gradient follows from the graph that is differentiated, row by row: rows of equal
        # value, such as relu(x) and maximum(x, 0.0), differ in it. Rows of the user's own may mean
        # something else another time.
        key = text_of(self.graph) if self.is_exact else self.known.digest
        if not self.known.is_built_in:
            key += f"\n{self.gradient_program}"
        key += f"\nwrt {self.weights} {self.moving}"
        return NativeFunction(
            lambda: self.gradient_program,
            key,
            signature,
            exact=self.is_exact,
            parts=self.gradient_parts,
        )


def _program_of(graph: FunctionGraph) -> Program:
    """Return what computes a function of distinct nodes."""
    return program_of(
        graph.inputs,
        graph.parameters,
        graph.outputs,
        graph.follows,
        graph.nodes,
        graph.choices,
    )
