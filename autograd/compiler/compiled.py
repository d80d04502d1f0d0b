"""`Compiled`: what `compile` returns, a function of arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from functools import reduce as fold
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from autograd.compiler.arguments import Batch, formed, read
from autograd.compiler.choices import Choices
from autograd.compiler.code import Code
from autograd.compiler.derivatives import (
    Matrix,
    Objective,
    Residuals,
    array_of,
    objective_of,
    residuals_of,
)
from autograd.compiler.examples import Example
from autograd.compiler.forks import lazy
from autograd.compiler.gradient import ExactGradient, FastGradient
from autograd.compiler.held import Held
from autograd.compiler.lengths import Mixture, groups_of, recorded_for
from autograd.compiler.original import Original
from autograd.compiler.program import Program
from autograd.compiler.python import parted
from autograd.compiler.reals import DOUBLE, Real
from autograd.compiler.recall import Maker, Recalled, recalled
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.repetition import Shape
from autograd.compiler.unrolling import unrolled
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.operand import real
from autograd.tree import nested

if TYPE_CHECKING:
    from autograd.compiler.objects import Slots


class Compiled:
    """A compiled function; see `compile`.

    Each argument has a leading axis, the samples: an array of shape (n,) for a number, (n, k)
    for a list of k; without that axis it is one sample. NumPy's arrays give arrays, lists give
    lists. Threads may call it at once.

    Lists may be of other lengths than the example's, and the samples of one call of several. What
    there is for each sample is then a list.

    Attributes:
        parameters: the leaves besides the arguments, those to differentiate first.
        backend: "llvm", "python", "jax" or "torch".
        dtype: "float64" or "float32": of what it computes with, and of the arrays it returns.
    """

    def __init__(
        self,
        known: Recalled,
        moving: list[int],
        leaves: list[Value],
        *,
        alone: bool,
        reduce: str | None,
        backend: str,
        exact: bool,
        real: Real = DOUBLE,
        matrices: tuple[Matrix, ...] = (),
        f: Callable[..., Any] | None = None,
        held: Sequence[Held] = (),
        original: Original | None = None,
    ) -> None:
        self._f = f
        self._matrices = matrices
        self._moving = moving
        self._alone = alone
        self._reduce = reduce
        self._is_strict = exact
        is_exact = exact or backend == "python"
        self._real = real
        self.dtype = real.dtype
        self._keeps_loops = backend == "llvm" and not is_exact
        is_unchanged = known.is_unchanged
        if not self._keeps_loops:
            graph = known.graph
            flat = unrolled(graph)
            known = known if flat is graph else Recalled.of(flat)
        self._graph = known
        self._original = original or Original(
            f,
            known,
            known.parameters[: len(leaves)],
            held,
            is_unchanged=is_unchanged,
            keeps_loops=self._keeps_loops,
            is_fast=backend == "llvm",
        )
        self._choices = Choices(known, real)
        self._weights = len(leaves)
        self.backend = backend
        self.parameters = known.parameters
        self._code = Code(
            known,
            moving,
            len(leaves),
            reduced=reduce is not None,
            backend=backend,
            real=real,
            exact=is_exact,
            strict=exact,
            matrices=bool(matrices),
        )
        self._gradient = (ExactGradient if is_exact else FastGradient)(self._code)
        # Whether the value is a sum, and the gradient the program's own: a call may take a short
        # way then; and whether it may be given plain numbers, of which none chooses a row.
        is_sum = not (is_exact or reduce is None)
        self._is_short = backend == "llvm" and is_sum and bool(leaves or moving)
        self._takes_plain = (
            backend == "llvm"
            and bool(known.shapes and known.outputs)
            and not (known.choices or matrices)
        )

    def __repr__(self) -> str:
        return (
            f"<compiled {self._graph.name}: {self.backend}, "
            f"{len(self._graph.shapes)} argument(s), {len(self.parameters)} parameters>"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} is code of this process, which can't be pickled or copied: compile the "
            "function where it is to be called"
        )

    @property
    def makers(self) -> list[list[Maker | None]]:
        """Scope and op that have made each number of each result; None where there is no such."""
        left = iter(self._graph.makers)
        return [[*islice(left, prod(shape))] for shape in self._graph.results]

    @property
    def program(self) -> Program:
        """What computes the values of one sample."""
        return self._code.unrolled.program

    @property
    def gradient_program(self) -> Program:
        """What computes value and gradient of one sample: parameters first, then arguments.

        Where every bit is kept, a parameter has one contribution for each of its uses, and
        the last parameter is the derivative of the whole cost by this sample.
        """
        return self._code.unrolled.gradient_program

    @property
    def summed_program(self) -> Program:
        """What computes value and gradient, the contributions to each parameter added up."""
        return self._code.unrolled.summed_program

    def source(
        self,
        target: str = "python",
        *,
        form: str = "program",
        name: str = "model",
        real: str = "double",
    ) -> str:
        """Return the program of value and gradient as source code; of a list, which has none,
        that of the values.

        Args:
            target: "python", "c", "jax" or "torch"; or "llvm", for this machine.
            form: "program" is a function of inputs and parameters. "header", for C, has the
                parameters' numbers inside: ``NAME_predict(x, out)`` for the values, and for one
                number differentiated by its parameters alone ``NAME_step(p, x, rate)``, a step
                of gradient descent on parameters of the caller's own.
            name, real: of a header: what every identifier begins with; "double" or "float".

        Raises:
            CompileError: there is no such target or form, or the target has no spelling for a
                primitive.
        """
        if form not in ("program", "header") or (form == "header" and target != "c"):
            raise CompileError(f"{target!r:.60} has no form {form!r:.60}: a header is of c")
        if form == "header":
            from autograd.compiler.headers import header

            numbers = [p.data for p in self.parameters]
            is_loss = self._graph.results == ((),) and not self._moving
            is_step = is_loss and 0 < self._weights == len(numbers)
            step = self.summed_program if is_step else None
            return header(self.program, numbers, name, real, step)
        code, has_gradient = self._code, self._graph.results[:1] == ((),)
        if target == "llvm":
            return (code.native_gradient if has_gradient else code.native_values).source()
        from autograd.compiler.targets import source

        return source(self.gradient_program if has_gradient else self.program, target)

    def __call__(self, *arguments: Any, params: Any = None) -> Any:
        """Return the values of all samples.

        Args:
            params: the parameters as one flat array, in the order of `parameters`; by default
                their own numbers.
        """
        if held := self._original.watch.replaced():
            self._original.refuse_replaced(held)
        if params is None and self._takes_plain:
            plain = self._code.native_values.plain(arguments, self._read_slots)
            if plain:
                _, results = plain
                return tuple(results) if self._graph.several else results[0]
        # The short way gives arrays of samples, which a function of nothing doesn't have.
        is_quick = self.backend == "llvm" and (params is not None or not self.parameters)
        if arguments and is_quick and self._choices.hold(arguments):
            given = self._nothing if params is None else params
            found = self._code.native_values.again((*arguments, given), alone=True)
            if found:
                parts = found[1]
                is_batch = arguments[0].ndim > len(self._graph.shapes[0])
                return self._given(parts if is_batch else [part[0] for part in parts], is_batch)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting(*arguments, params=params)
        batch = self._read(arguments)
        numbers = self._numbers(params)
        if self.backend != "python" and self._graph.outputs:
            _, parts = self._code.values(batch.arrays(), numbers, batch.n)
        else:
            rows = self._code.python_values(batch.rows(), numbers)
            parts = parted(rows, self._graph.results)
        shapes = self._graph.results
        results = [batch.given(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return self._given(results, batch.is_batch)

    def is_current(self) -> bool:
        """Return whether the function is the one that was compiled, with what it holds by now.

        A call looks as well, and raises where it isn't; at large arrays it looks now and then.
        """
        try:
            self.look(now=True)
        except CompileError:
            return False
        return True

    def look(self, *, now: bool = False) -> None:
        """Look at what the function holds, as a call does.

        Args:
            now: whether also at large arrays, which takes longer.

        Raises:
            CompileError: it is another function with that.
        """
        self._original.look(now=now)

    def _fitting(self, arguments: Sequence[Any]) -> Any:
        """Return what takes samples of such lengths: this, another, or a `Mixture` of several."""
        groups = groups_of(self._graph.shapes, arguments) if self._f else []
        if not groups:
            return self
        found = [(self.of(group.shapes), group) for group in groups]
        return found[0][0] if len(found) == 1 else Mixture(self, found)

    def of(self, shapes: tuple[Shape, ...]) -> Compiled:
        """Return the function compiled for lists of other lengths.

        Args:
            shapes: of the arguments: () for a number, (n,) for a list of n.

        Raises:
            ValueError: the function doesn't take them, or makes no use of some of the numbers.
            CompileError: it has other parameters then.
        """
        if shapes == self._graph.shapes:
            return self
        kin: dict[tuple[Shape, ...], Compiled] = self._original.kin
        if shapes not in kin:
            assert self._f
            known = self._graph
            record = partial(recorded_for, self._f, known, shapes)
            sample = Example(known.name, shapes, [[0.0] * prod(shape) for shape in shapes])
            is_kept = self.backend == "llvm" and not self._is_strict
            kin[shapes] = Compiled(
                recalled(self._f, sample, known.parameters, record, kept=is_kept),
                self._moving,
                self.parameters[: self._weights],
                alone=self._alone,
                reduce=self._reduce,
                backend=self.backend,
                exact=self._is_strict,
                real=self._real,
            )
        return kin[shapes]

    def _given(self, results: Sequence[Any], is_batch: bool, times: int = 1) -> Any:
        """Return what a call returns; of matrices of several samples there is a list.

        Args:
            times: of how many samples they are sums.
        """
        if self._matrices:
            results = [
                [matrix.filled(array_of(row), sparse=True) for row in part]
                if is_batch
                else matrix.filled(array_of(part), sparse=True, times=times)
                for matrix, part in zip(self._matrices, results, strict=True)
            ]
        return tuple(results) if self._graph.several else results[0]

    def value_and_grad(self, *arguments: Any, params: Any = None) -> tuple[Any, Any]:
        """Return the value, reduced over the samples, and its gradient.

        The gradient with respect to parameters is one flat array; with respect to an argument,
        it is of the argument's shape. Of several there is a tuple: the arguments in the order
        of ``wrt``, the parameters last. Without samples the value and the parameters' gradient
        are 0.

        Of a function that returns a tuple, the first is differentiated; the value is then a
        tuple too, and the others are in it as they are, sample by sample.

        Args:
            params: as for calling.

        Raises:
            CompileError: the function's output, or the first of them, is no single number.
        """
        if held := self._original.watch.replaced():
            self._original.refuse_replaced(held)
        several = self._graph.several
        if params is None and self._takes_plain and self._is_short:
            plain = self._code.native_gradient.plain(arguments, self._read_slots)
            if plain:
                (value, *weights), parts = plain
                return self._value_and_parts(value, parts, weights)
        # As in a call: others than the value are arrays of samples.
        is_quick = self._is_short and (params is not None or not self.parameters)
        if is_quick and (arguments or not several) and self._choices.hold(arguments):
            given = self._nothing if params is None else params
            found = self._code.native_gradient.again((*arguments, given), alone=True)
            if found:
                sums, parts = found
                if not parts and not several:
                    return sums.item(0), sums[1:]
                moved = parts[: len(self._moving)]
                if not arguments or arguments[0].ndim > len(self._graph.shapes[0]):
                    if moved and self._reduce == "mean":
                        for array in moved:
                            array *= 1.0 / len(array)
                else:
                    parts = [part[0] for part in parts]
                return self._value_and_parts(sums.item(0), parts, sums[1:])
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.value_and_grad(*arguments, params=params)  # type: ignore[no-any-return]
        batch = self._read(arguments)
        numbers, scale = self._numbers(params), self._scale(batch)
        value, weights, parts = self._gradient.of(batch, numbers, scale)
        shapes = self._code.moved_shapes()
        given = [batch.given(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        if self._weights:
            if self._reduce is None:
                weights = batch.given(weights, (self._weights,))
            else:
                weights = formed(weights, batch.numpy or hasattr(params, "dtype"))
        if self._reduce is None:
            value = batch.given(value, ())
        result: tuple[Any, Any] = self._value_and_parts(value, given, weights)
        return result

    def _value_and_parts(self, value: Any, parts: list[Any], weights: Any) -> tuple[Any, Any]:
        """Return value and gradient as a call does, given what is of each sample in its form."""
        count = len(self._moving)
        gradient: Any = parts[:count]
        if self._weights:
            gradient.append(weights)
        if self._graph.several:
            value = (value, *parts[count:])
        return value, (gradient[0] if self._alone else tuple(gradient))

    def reduced(self, *arguments: Any, params: Any = None) -> Any:
        """Return all that the function returns, reduced over the samples: of one sample's shape.

        So the Hessian of each sample's loss becomes that of the whole, and no other is stored.
        Without samples all is 0.

        Args:
            params: as for calling.

        Raises:
            CompileError: ``reduce`` is None.

        >>> from autograd import compile
        >>> f = compile(lambda x, w: [[w[0] * x, x * x], [w[1], 3.0]], 0.0, [0.0, 0.0])
        >>> f.reduced([1.0, 2.0], [[5.0, 1.0], [2.0, 3.0]])
        [[4.5, 2.5], [2.0, 3.0]]
        """
        if self._reduce is None:
            raise CompileError(f'{self._graph.name}: compile it with reduce="mean" or "sum"')
        if held := self._original.watch.replaced():
            self._original.refuse_replaced(held)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.reduced(*arguments, params=params)
        batch = self._read(arguments)
        numbers = self._numbers(params)
        count = batch.n if self._reduce == "mean" and batch.n else 1
        shapes = self._graph.results
        if self._code.is_exact or not self._graph.outputs:
            # In the order of the eager sum, which has no start.
            rows = self._code.rows(batch, numbers)
            sums: Any = [fold(operator.add, column) / count for column in zip(*rows, strict=True)]
            sums = sums or [0.0] * self._graph.outputs
        else:
            sums, _ = self._code.sums(batch.arrays(), numbers, batch.n, 1.0 / count)
        parts = []
        for shape in shapes:
            part, sums = sums[: prod(shape)], sums[prod(shape) :]
            whole = part.reshape(shape) if hasattr(part, "reshape") else nested(part, shape)
            parts.append(formed(whole, shape != () and (batch.numpy or hasattr(params, "dtype"))))
        return self._given(parts, is_batch=False, times=batch.n // count)

    def _read(self, arguments: Sequence[Any]) -> Batch:
        """Return the arguments made ready, and looked at; see `arguments.read`.

        Raises:
            IndexError: one chooses a row that a table doesn't have.
        """
        batch = read(self._graph.name, self._graph.shapes, arguments, self._real)
        self._choices.check(batch.columns)
        return batch

    def backward(self, *arguments: Any) -> Any:
        """Return the value, and add the gradient to the ``grad`` of the parameters.

        Raises:
            CompileError: there are no parameters to differentiate, or nothing is reduced.
        """
        if not self._weights or self._reduce is None:
            raise CompileError(
                f"{self._graph.name}: backward needs parameters among wrt, and a reduction"
            )
        if held := self._original.watch.replaced():
            self._original.refuse_replaced(held)
        if self._is_short and not self._moving and self._choices.hold(arguments):
            found = self._code.native_gradient.again(arguments, self._slots)
            if found:
                return found[0].item(0)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.backward(*arguments)
        batch = self._read(arguments)
        value, weights, _ = self._gradient.of(batch, self._numbers(None), self._scale(batch))
        self._add(weights)
        return value

    def _add(self, weights: Any) -> None:
        """Add a gradient to the grad of the parameters."""
        if self.backend == "llvm":
            gains = weights.astype(float, copy=False)
            self._slots.add(gains, gains.ctypes.data)
            return
        # All or nothing: what isn't a number raises before anything is changed.
        pairs = zip(self.parameters, formed(weights, as_array=False), strict=False)
        for leaf, total in [(leaf, real(leaf.grad) + g) for leaf, g in pairs]:
            leaf.grad = total

    # For SciPy's optimisers

    def objective(self, *, sparse: bool = False) -> Objective:
        """Return what `scipy.optimize.minimize` asks for, of a function of one list.

        Parameters have the numbers that they have when one of these is called.

        Args:
            sparse: whether the Hessian is a `scipy.sparse.csr_array` of the entries that can be
                other than 0; without it, a matrix.

        Raises:
            CompileError: the function has another signature.
            MissingExtraError: SciPy is not installed, and asked for.

        >>> from autograd import compile
        >>> banana = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        >>> o = compile(banana, [0.0, 0.0]).objective()
        >>> float(o.fun([1.0, 0.0])), o.jac([1.0, 0.0]).tolist(), o.hess([1.0, 0.0]).tolist()
        (100.0, [400.0, -200.0], [[1202.0, -400.0], [-400.0, 200.0]])
        >>> from scipy.optimize import minimize
        >>> found = minimize(o.fun, [-1.0, 1.0], jac=o.jac, hess=o.hess, method="trust-exact")
        >>> found.x.round(6).tolist()
        [1.0, 1.0]
        """
        return objective_of(self._of_one_list(), self._like, sparse=sparse)

    def residuals(self, *, sparse: bool = False) -> Residuals:
        """Return what `scipy.optimize.least_squares` asks for, of a function from list to list.

        Args:
            sparse: as for `objective`, of the Jacobian.

        Raises:
            CompileError, MissingExtraError: as `objective`.

        >>> from autograd import compile, exp
        >>> f = compile(lambda p: [p[0] * exp(p[1] * t) - 3 * 2**-t for t in range(4)], [0.0] * 2)
        >>> from scipy.optimize import least_squares
        >>> r = f.residuals()
        >>> least_squares(r.fun, [1.0, 0.0], jac=r.jac).x.round(6).tolist()
        [3.0, -0.693147]
        """
        return residuals_of(self._of_one_list(), self._like, sparse=sparse)

    def _of_one_list(self) -> FunctionGraph:
        graph = self._code.unrolled.shared
        if len(graph.shapes) != 1 or len(graph.shapes[0]) != 1:
            raise CompileError(
                f"{graph.name} takes {len(graph.shapes)} argument(s): SciPy's optimisers give one "
                "flat list; the rest may be parameters"
            )
        return graph

    def _like(self, graph: FunctionGraph) -> Compiled:
        """Return another function, of distinct nodes, compiled in the same way."""
        return Compiled(
            Recalled.of(graph, graph),
            [],
            [],
            alone=True,
            reduce=None,
            backend=self.backend,
            exact=self._code.is_exact,
            real=self._real,
            original=self._original,
        )

    def _scale(self, batch: Batch) -> float:
        return 1.0 / batch.n if self._reduce == "mean" and batch.n else 1.0

    def _numbers(self, params: Any) -> Any:
        """Return the numbers of the parameters, as an array or a list.

        Raises:
            TypeError, ValueError: ``params`` is no flat array of the right length.
        """
        if params is None:
            if self.backend != "llvm":
                return [leaf.data for leaf in self.parameters]
            import numpy

            numbers = numpy.empty(len(self.parameters))
            self._slots.read(numbers, numbers.ctypes.data)
            return numbers
        count = len(self.parameters)
        if self.backend != "python":
            import numpy

            array = numpy.asarray(params)
            if array.shape != (count,):
                raise ValueError(f"params must be of shape ({count},): got {array.shape}")
            if array.dtype.kind not in "fiu":
                raise TypeError(f"params must be real numbers: got {array.dtype}")
            return array
        flat = params.tolist() if hasattr(params, "tolist") else list(params)
        if len(flat) != count:
            raise ValueError(f"params must be {count} numbers: got {len(flat)}")
        return [real(x) for x in flat]

    @lazy
    def _slots(self) -> Slots:
        from autograd.compiler.objects import Slots

        return Slots(self.parameters)

    @lazy
    def _read_slots(self) -> Slots | None:
        return self._slots if self.parameters else None

    @lazy
    def _nothing(self) -> Any:
        import numpy

        return numpy.empty(0, self.dtype)
