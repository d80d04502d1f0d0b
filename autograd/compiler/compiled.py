"""`compile`: a function on Values, recorded once, at the speed of machine code.

>>> from autograd import compile, tanh
>>> f = compile(lambda x, w: tanh(w * x), 1.0, 1.0, wrt=1, reduce="sum")
>>> f([0.0, 1.0], [3.0, 0.0])
[0.0, 0.0]
>>> value, slope = f.value_and_grad([0.0, 1.0], [3.0, 0.0])
>>> value, slope
(0.0, [0.0, 1.0])
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from functools import reduce as fold
from importlib.util import find_spec
from itertools import chain
from math import prod
from struct import Struct
from typing import TYPE_CHECKING, Any

from autograd.compiler.adjoints import adjoints_of
from autograd.compiler.arguments import Batch, formed, read
from autograd.compiler.choices import Choices
from autograd.compiler.derivatives import (
    Matrix,
    Objective,
    Residuals,
    array_of,
    gradient_of,
    matrices_of,
    product_of,
    together,
)
from autograd.compiler.forks import lazy
from autograd.compiler.lengths import Mixture, groups_of
from autograd.compiler.program import Program, program_of, without_gc
from autograd.compiler.python import PythonFunction, nested, parted
from autograd.compiler.recording import FunctionGraph, Shape, record
from autograd.compiler.sharing import shared, text_of
from autograd.compiler.uses import Uses, uses_apart
from autograd.compiler.watch import Held, Watch, held_by
from autograd.engine import Value
from autograd.errors import CompileError, quoted
from autograd.extras import missing_extra
from autograd.forms import describe
from autograd.operand import real
from autograd.transforms import SparseDerivative

if TYPE_CHECKING:
    from autograd.compiler.native import NativeFunction
    from autograd.compiler.objects import Slots

REDUCTIONS = ("mean", "sum", None)
BACKENDS = ("llvm", "python")


def compile(
    f: Callable[..., Any],
    *example: Any,
    wrt: Any = None,
    reduce: str | None = "mean",
    backend: str | None = None,
    exact: bool = False,
) -> Compiled:
    """Return ``f`` compiled: a function of arrays, with the gradient for no more than a few calls.

    ``f`` is recorded once, so it must do the same for all numbers: no ``if`` on a Value, no
    ``float()``, no random numbers. Other leaf Values it uses, such as a model's weights, are
    parameters: their numbers are read at each call. All else it has as it was: plain numbers that
    it closes over, attributes, arrays, and which Values the parameters are. A call that finds one
    of these replaced, where that makes a difference, raises. Some are not looked at: what longer
    lists and arrays than 256 hold, what another function computes from a file or a clock; and more
    than a dozen places in a hundredth of the time only. Two floats that are one object,
    ``p.data is q.data``, are so for ever.

    Args:
        f: takes numbers and flat lists of numbers (one sample), and returns a number, or lists,
            or a tuple of these.
        example: one sample; only the lengths matter, and of a list, others may be given: ``f`` is
            recorded again for each length when it first comes.
        wrt: what to differentiate with respect to: the number of an argument, parameters (Values
            or something with ``parameters()``, such as a model), or a list of these. By default
            all parameters, or without any, all arguments.
        reduce: "mean" or "sum" over the samples, for `Compiled.value_and_grad` and
            `Compiled.reduced`; None for each sample by itself.
        backend: "llvm" (needs the extra ``fast``) or "python"; by default LLVM if it is there.
        exact: every bit as in the eager engine: scalar code of libm, sums in the order of the
            source, one thread. The Python back end always is.

    Raises:
        CompileError: ``f`` decides by a recorded number, changes from run to run, or uses a row
            whose forward is opaque; when called, something it was recorded with is another.
        MissingExtraError: the back end asked for is not installed.
        TypeError, ValueError: an argument is unusable.

    Cost: three runs of ``f`` now; machine code is made when first called, and kept on disk.
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f'reduce must be "mean", "sum" or None: got {reduce!r:.40}')
    if backend not in (None, *BACKENDS):
        raise ValueError(f'backend must be "llvm" or "python": got {backend!r:.40}')
    if not callable(f):
        raise TypeError(f"compile takes a function: got {f!r:.60}")
    if backend == "llvm":
        for library in ("llvmlite", "numpy"):
            if not find_spec(library):
                missing_extra(library, "fast", ImportError(library))
    elif backend is None:
        backend = "llvm" if find_spec("llvmlite") and find_spec("numpy") else "python"
    moving, leaves = _wrt(wrt, len(example))
    derivative = f if isinstance(f, SparseDerivative) else None
    matrices: tuple[Matrix, ...] = ()
    with without_gc():
        held = held_by(derivative.f if derivative else f)
        graph = record(derivative.f if derivative else f, example, leaves or ())
        if derivative:
            is_exact = exact or backend == "python"
            matrices = matrices_of(derivative, graph, exact=is_exact)
            graph = together(matrices, several=not isinstance(derivative.argnums, int))
        once = graph if derivative else shared(graph)
    if wrt is None:
        leaves = graph.parameters
        moving = [] if leaves else list(range(len(example)))
    elif leaves is None:
        leaves = []
    parts = len(moving) + bool(leaves)
    alone = parts == 1 and not (isinstance(wrt, list | tuple) and moving)
    return Compiled(
        graph,
        once,
        moving,
        leaves,
        alone=alone,
        reduce=reduce,
        backend=backend,
        exact=exact,
        matrices=matrices,
        f=None if derivative else f,
        held=held,
    )


def _wrt(wrt: Any, arguments: int) -> tuple[list[int], list[Value] | None]:
    """Return the arguments and the parameters among ``wrt``; None for no word of the latter."""
    if wrt is None:
        return [], None
    parts = list(wrt) if isinstance(wrt, list | tuple) else [wrt]
    numbers: list[int] = []
    leaves: list[Value] = []
    for part in parts:
        if isinstance(part, int) and not isinstance(part, bool):
            if not -arguments <= part < arguments:
                raise IndexError(f"wrt={part}, but there are {arguments} argument(s)")
            numbers.append(part % arguments)
        elif isinstance(part, Value):
            leaves.append(part)
        elif hasattr(part, "parameters"):
            leaves += part.parameters()
        else:
            raise TypeError(
                "wrt takes numbers of arguments, Values, or a model with parameters(): "
                f"got {part!r:.60}"
            )
    for leaf in leaves:
        if leaf.op is not None:
            raise TypeError(f"wrt takes leaves, not what is computed from them: got {leaf!r:.60}")
    return list(dict.fromkeys(numbers)), list(dict.fromkeys(leaves))


class Compiled:
    """A compiled function; see `compile`.

    Each argument has a leading axis, the samples: an array of shape (n,) for a number, (n, k)
    for a list of k; without that axis it is one sample. NumPy's arrays give arrays, lists give
    lists. Threads may call it at once.

    Lists may be of other lengths than the example's, and the samples of one call of several. What
    there is for each sample is then a list.

    Attributes:
        parameters: the leaves besides the arguments, those to differentiate first.
        backend: "llvm" or "python".
    """

    def __init__(
        self,
        graph: FunctionGraph,
        once: FunctionGraph,
        moving: list[int],
        leaves: list[Value],
        *,
        alone: bool,
        reduce: str | None,
        backend: str,
        exact: bool,
        matrices: tuple[Matrix, ...] = (),
        f: Callable[..., Any] | None = None,
        held: Sequence[Held] = (),
    ) -> None:
        self._f = f
        self._watch = Watch(held)
        self._kin: dict[tuple[Shape, ...], Compiled] = {}
        self._matrices = matrices
        self._graph = graph
        self._shared = once
        self._moving = moving
        self._alone = alone
        self._reduce = reduce
        self._exact = exact or backend == "python"
        self._is_strict = exact
        self._choices = Choices(graph)
        self._weights = len(leaves)
        self.backend = backend
        self.parameters = graph.parameters
        self._is_built_in = all(node.op is None or node.op.is_built_in for node in graph.nodes)
        if not self._is_built_in:
            self.program  # noqa: B018 - it raises for what can't be compiled
        # Whether the gradient is sums of the parameters' alone: a call may take a short way then.
        self._is_plain = bool(leaves) and not (self._exact or reduce is None or moving)

    def __repr__(self) -> str:
        return (
            f"<compiled {self._graph.name}: {self.backend}, "
            f"{len(self._graph.shapes)} argument(s), {len(self.parameters)} parameters>"
        )

    @lazy
    def program(self) -> Program:
        """What computes the values of one sample."""
        graph = self._shared
        return program_of(
            graph.inputs,
            graph.parameters,
            graph.outputs,
            graph.follows,
            graph.nodes,
            graph.choices,
        )

    @lazy
    def gradient_program(self) -> Program:
        """What computes value and gradient of one sample: parameters first, then arguments.

        Where every bit is kept, a parameter has one contribution for each of its uses, and
        the last parameter is the derivative of the whole cost by this sample.
        """
        with without_gc():
            return self._program_of_gradient()

    def _program_of_gradient(self) -> Program:
        graph = self._graph
        self._check_scalar()
        if self._exact:
            uses = self._uses
            parameters = [*self.parameters, uses.seed]
            outputs = [graph.outputs[0], *uses.contributions, *uses.moved, *graph.outputs[1:]]
            choices = graph.choices
            return program_of(graph.inputs, parameters, outputs, graph.follows, choices=choices)
        return self.summed_program

    @property
    def summed_program(self) -> Program:
        """What computes value and gradient, the contributions to each parameter added up."""
        self._check_scalar()
        graph = self._shared
        value = graph.outputs[0]
        out = value if isinstance(value, Value) else Value(value)
        found = adjoints_of(out, [*self.parameters[: self._weights], *self._moved_leaves()])
        outputs = [value, *found, *graph.outputs[1:]]
        return program_of(
            graph.inputs, self.parameters, outputs, graph.follows, choices=graph.choices
        )

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
        has_gradient = self._graph.results[:1] == ((),)
        if target == "llvm":
            return (self._native_gradient if has_gradient else self._native_values).source()
        from autograd.compiler.targets import source

        return source(self.gradient_program if has_gradient else self.program, target)

    def __call__(self, *arguments: Any, params: Any = None) -> Any:
        """Return the values of all samples.

        Args:
            params: the parameters as one flat array, in the order of `parameters`; by default
                their own numbers.
        """
        if held := self._watch.replaced():
            self._refuse_replaced(held)
        # The short way gives arrays of samples, which a function of nothing doesn't have.
        is_quick = self.backend == "llvm" and (params is not None or not self.parameters)
        if arguments and is_quick and self._choices.hold(arguments):
            given = self._nothing if params is None else params
            found = self._native_values.again((*arguments, given), alone=True)
            if found:
                parts = found[1]
                is_batch = arguments[0].ndim > len(self._graph.shapes[0])
                return self._given(parts if is_batch else [part[0] for part in parts], is_batch)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting(*arguments, params=params)
        batch = self._read(arguments)
        numbers = self._numbers(params)
        if self.backend == "llvm" and self._graph.outputs:
            _, parts = self._native_values(batch.arrays(), numbers, batch.n)
        else:
            rows = self._python_values(batch.rows(), numbers)
            parts = parted(rows, self._graph.results)
        shapes = self._graph.results
        results = [batch.given(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        return self._given(results, batch.is_batch)

    def _refuse_replaced(self, held: Held) -> None:
        """Raise if the function is another one with what it holds now.

        Raises:
            CompileError: it is.
        """
        graph = self._graph
        instead = "pass what changes as an argument, or make a Value of it, whose number is read"
        change = (
            f"{graph.name} was compiled when {held.name} was {quoted(held.value)}, and it is "
            f"another now: {instead}; or compile it again"
        )
        if not self._f:
            raise CompileError(change)
        example = [[0.0] * shape[0] if shape else 0.0 for shape in graph.shapes]
        try:
            now = record(self._f, example, self.parameters[: self._weights])
        except Exception as error:
            raise CompileError(f"{change} ({error})") from error
        if now.parameters != graph.parameters or text_of(now) != text_of(graph):
            raise CompileError(change)
        self._watch.renew(held)

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
        if shapes not in self._kin:
            self._kin[shapes] = self._made_for(shapes)
        return self._kin[shapes]

    def _made_for(self, shapes: tuple[Shape, ...]) -> Compiled:
        assert self._f
        name, known = self._graph.name, self._graph.shapes
        pairs = enumerate(zip(shapes, known, strict=True))
        given = " and ".join(
            f"argument {i} of {name} is a list of {x[0]}, where it was compiled for {y[0]}"
            for i, (x, y) in pairs
            if x != y
        )
        example = [[0.0] * shape[0] if shape else 0.0 for shape in shapes]
        with without_gc():
            try:
                graph = record(self._f, example, self.parameters)
            except CompileError:
                raise
            except Exception as error:
                raise ValueError(f"{given}, and {name} fails for that: {error}") from error
            once = shared(graph)
        more = graph.parameters[len(self.parameters) :]
        if more:
            raise CompileError(
                f"{given}, and uses a parameter{describe(more[0])} that it didn't use then: name "
                "all of them in wrt"
            )
        self._refuse_unused(graph, given)
        leaves = self.parameters[: self._weights]
        return Compiled(
            graph,
            once,
            self._moving,
            leaves,
            alone=self._alone,
            reduce=self._reduce,
            backend=self.backend,
            exact=self._is_strict,
        )

    def _refuse_unused(self, graph: FunctionGraph, given: str) -> None:
        """Raise if a longer list is used in its beginning only: it may be another kind of list.

        Raises:
            ValueError: that is so.
        """
        used, begin = set(graph.nodes), 0
        for i, (shape, known) in enumerate(zip(graph.shapes, self._graph.shapes, strict=True)):
            leaves = graph.inputs[begin : begin + prod(shape)]
            begin += len(leaves)
            unused = [k for k in range(prod(known), len(leaves)) if leaves[k] not in used]
            if unused:
                raise ValueError(
                    f"{given}, and {graph.name} makes no use of x{i}[{unused[0]}]: leave that out"
                )

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
        if held := self._watch.replaced():
            self._refuse_replaced(held)
        several = self._graph.several
        # As in a call: others than the value are arrays of samples.
        is_quick = self._is_plain and params is not None and (arguments or not several)
        if is_quick and self._choices.hold(arguments):
            found = self._native_gradient.again((*arguments, params))
            if found:
                sums, others = found
                value: Any = sums.item(0)
                return (value, *others) if several else value, sums[1:]
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.value_and_grad(*arguments, params=params)  # type: ignore[no-any-return]
        batch = self._read(arguments)
        numbers, scale = self._numbers(params), self._scale(batch)
        value, weights, parts = self._gradient(batch, numbers, scale)
        shapes = self._moved_shapes()
        given = [batch.given(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        gradient = given[: len(self._moving)]
        if self._weights:
            if self._reduce is None:
                gradient.append(batch.given(weights, (self._weights,)))
            else:
                gradient.append(formed(weights, batch.numpy or hasattr(params, "dtype")))
        if self._reduce is None:
            value = batch.given(value, ())
        if several:
            value = (value, *given[len(self._moving) :])
        return value, gradient[0] if self._alone else tuple(gradient)

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
        if held := self._watch.replaced():
            self._refuse_replaced(held)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.reduced(*arguments, params=params)
        batch = self._read(arguments)
        numbers = self._numbers(params)
        count = batch.n if self._reduce == "mean" and batch.n else 1
        shapes = self._graph.results
        if self._exact or not self._graph.outputs:
            # In the order of the eager sum, which has no start.
            rows = self._rows(batch, numbers)
            sums: Any = [fold(operator.add, column) / count for column in zip(*rows, strict=True)]
            sums = sums or [0.0] * len(self._graph.outputs)
        else:
            sums, _ = self._native_sums(batch.arrays(), numbers, batch.n, 1.0 / count)
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
        batch = read(self._graph.name, self._graph.shapes, arguments)
        self._choices.check(batch.columns)
        return batch

    def _rows(self, batch: Batch, numbers: Any) -> list[Any]:
        """Return the outputs of each sample, flat."""
        if self.backend == "python" or not self._graph.outputs:
            return self._python_values(batch.rows(), numbers)
        _, parts = self._native_values(batch.arrays(), numbers, batch.n)
        each = [part.reshape(batch.n, -1).tolist() for part in parts] if batch.n else []
        return [list(chain.from_iterable(row)) for row in zip(*each, strict=True)]

    def backward(self, *arguments: Any) -> Any:
        """Return the value, and add the gradient to the ``grad`` of the parameters.

        Raises:
            CompileError: there are no parameters to differentiate, or nothing is reduced.
        """
        if not self._weights or self._reduce is None:
            raise CompileError(
                f"{self._graph.name}: backward needs parameters among wrt, and a reduction"
            )
        if held := self._watch.replaced():
            self._refuse_replaced(held)
        if self._is_plain and self._choices.hold(arguments):
            found = self._native_gradient.again(arguments, self._slots)
            if found:
                return found[0].item(0)
        if (fitting := self._fitting(arguments)) is not self:
            return fitting.backward(*arguments)
        batch = self._read(arguments)
        value, weights, _ = self._gradient(batch, self._numbers(None), self._scale(batch))
        self._add(weights)
        return value

    def _add(self, weights: Any) -> None:
        """Add a gradient to the grad of the parameters."""
        slopes = formed(weights, as_array=False)
        pairs = zip(self.parameters, slopes, strict=False)
        # All or nothing: what isn't a number raises before anything is changed.
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
        graph = self._of_one_list()
        slopes = shared(gradient_of(graph, graph.inputs))
        values, gradient = self._like(graph), self._like(slopes)
        hessian = cache(lambda: Matrix(slopes, slopes.inputs, symmetric=True))
        entries = cache(lambda: self._like(hessian().graph))
        product = cache(lambda: self._like(shared(product_of(graph))))
        return Objective(
            lambda x: values(array_of(x)),
            lambda x: gradient(array_of(x)),
            lambda x: hessian().filled(entries()(array_of(x)), sparse=sparse),
            lambda x, p: product()(array_of(x), array_of(p)),
        )

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
        graph = self._of_one_list()
        values, jacobian = self._like(graph), cache(lambda: Matrix(graph, graph.inputs))
        entries = cache(lambda: self._like(jacobian().graph))
        return Residuals(
            lambda x: values(array_of(x)),
            lambda x: jacobian().filled(entries()(array_of(x)), sparse=sparse),
        )

    def _of_one_list(self) -> FunctionGraph:
        graph = self._shared
        if len(graph.shapes) != 1 or len(graph.shapes[0]) != 1:
            raise CompileError(
                f"{graph.name} takes {len(graph.shapes)} argument(s): SciPy's optimisers give one "
                "flat list; the rest may be parameters"
            )
        return graph

    def _like(self, graph: FunctionGraph) -> Compiled:
        """Return another function, of distinct nodes, compiled in the same way."""
        return Compiled(
            graph,
            graph,
            [],
            [],
            alone=True,
            reduce=None,
            backend=self.backend,
            exact=self._exact,
        )

    # What is computed

    def _check_scalar(self) -> None:
        """Raise if the output to differentiate is a list.

        Raises:
            CompileError: it is.
        """
        graph = self._graph
        if self._matrices:
            raise CompileError(f"only a single number has a gradient: {graph.name} gives matrices")
        if graph.results[:1] != ((),):
            raise CompileError(
                f"only a single number has a gradient, and {graph.name} returns a list of "
                f"{len(graph.outputs)}: compile jacobian({graph.name}), or reduce them"
            )

    @lazy
    def _uses(self) -> Uses:
        self._check_scalar()
        weights, moved = self.parameters[: self._weights], list(self._moved_leaves())
        return uses_apart(self._graph, weights, moved, strict=self._is_strict)

    def _moved_leaves(self) -> Iterator[Value]:
        """Yield the leaves of the arguments to differentiate."""
        ends = [0]
        for shape in self._graph.shapes:
            ends.append(ends[-1] + prod(shape))
        for i in self._moving:
            yield from self._graph.inputs[ends[i] : ends[i + 1]]

    def _scale(self, batch: Batch) -> float:
        return 1.0 / batch.n if self._reduce == "mean" and batch.n else 1.0

    def _gradient(self, batch: Batch, numbers: Any, scale: float) -> tuple[Any, Any, list[Any]]:
        """Return value, gradient of the parameters, of each argument, and the other outputs.

        Args:
            scale: of value and gradients.
        """
        if self._exact:
            return self._exact_gradient(batch, numbers, scale)
        sums, outputs = self._native_gradient(batch.arrays(), numbers, batch.n, scale)
        if self._reduce is None:
            value, *rest = outputs
            return value, rest[0] if self._weights else None, rest[bool(self._weights) :]
        if scale != 1:
            for array in outputs[: len(self._moving)]:
                array *= scale
        return float(sums[0]), sums[1:], outputs

    def _exact_gradient(
        self, batch: Batch, numbers: Any, scale: float
    ) -> tuple[Any, Any, list[Any]]:
        values, uses, moved = self._contributions(batch, numbers, scale)
        weights = self._added_up(uses, self._placed(batch))
        if self._reduce is None:
            return values, weights, moved
        # In the order of the eager sum, which has no start.
        value = float(fold(operator.add, values)) if batch.n else 0.0
        return value / batch.n if self._reduce == "mean" and batch.n else value, weights, moved

    def _contributions(self, batch: Batch, numbers: Any, scale: float) -> tuple[Any, Any, Any]:
        """Return each sample's value, what it gives to each use of a parameter, and the rest."""
        if self.backend == "llvm":
            import numpy

            numbers = numpy.append(numbers, scale)
            _, (values, uses, *moved) = self._native_gradient(batch.arrays(), numbers, batch.n)
        else:
            rows = self._python_gradient(batch.rows(), [*numbers, scale])
            values, uses, *moved = parted(rows, self._parts())
        return values, uses, moved

    def _parts(self) -> tuple[Shape, ...]:
        """Return the shapes of what the gradient's program gives for each sample."""
        moved = self._moved_shapes()
        if self._exact:
            return ((), (len(self._uses.places),), *moved)
        if self._reduce is None:
            return ((), *(((self._weights,),) if self._weights else ()), *moved)
        return moved

    def _moved_shapes(self) -> tuple[Shape, ...]:
        """Return the shapes of the gradients by arguments, and of the other outputs."""
        graph = self._graph
        return (*(graph.shapes[i] for i in self._moving), *graph.results[1:])

    def _placed(self, batch: Batch) -> Any:
        """Return for each sample, and each use of a parameter, which parameter it is.

        The last place is for what is none; see `Uses`.
        """
        uses = self._uses
        chosen = uses.chosen
        rows = batch.rows() if chosen else []
        if self.backend == "python":
            return [uses.placed(row) for row in rows] if chosen else [uses.placed([])] * batch.n
        import numpy

        fixed = [0 if isinstance(place, tuple) else place for place in uses.places]
        places = numpy.tile(numpy.array(fixed, int), (batch.n, 1))
        for i, (index, table) in chosen.items():
            places[:, i] = numpy.array(table)[[int(row[index]) for row in rows]]
        return places

    def _added_up(self, uses: Any, places: Any) -> Any:
        """Return the contributions of all uses by parameter, added in the eager sweep's order.

        Args:
            places: as `_placed` has them.

        Source: the order of `Value.backward`, which meets the last sample first.
        """
        if self.backend == "llvm":
            import numpy

            if self._reduce is None:
                each = numpy.zeros((len(uses), self._weights + 1))
                samples = numpy.arange(len(uses))
                for i in range(len(self._uses.places)):
                    each[samples, places[:, i]] += uses[:, i]
                return each[:, : self._weights]
            total = numpy.zeros(self._weights + 1)
            if isinstance(uses, list):  # of several lengths
                numpy.add.at(total, numpy.concatenate(places[::-1]), numpy.concatenate(uses[::-1]))
            else:
                numpy.add.at(total, places[::-1].ravel(), uses[::-1].ravel())
            return total[: self._weights]
        if self._reduce is None:
            return [self._summed([row], [at]) for row, at in zip(uses, places, strict=True)]
        return self._summed(uses[::-1], places[::-1])

    def _summed(self, rows: Any, places: Any) -> list[float]:
        total = [0.0] * (self._weights + 1)
        for row, at in zip(rows, places, strict=True):
            for place, g in zip(at, row, strict=True):
                total[place] += g
        return total[: self._weights]

    def _numbers(self, params: Any) -> Any:
        """Return the numbers of the parameters, as an array or a list.

        Raises:
            TypeError, ValueError: ``params`` is no flat array of the right length.
        """
        if params is None:
            numbers = [leaf.data for leaf in self.parameters]
            if self.backend == "python":
                return numbers
            import numpy

            # Several times faster than to make the array of the list.
            return numpy.frombuffer(self._packing.pack(*numbers))
        count = len(self.parameters)
        if self.backend == "llvm":
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
    def _nothing(self) -> Any:
        import numpy

        return numpy.empty(0)

    @lazy
    def _packing(self) -> Struct:
        return Struct(f"{len(self.parameters)}d")

    # The back ends

    @lazy
    def _python_values(self) -> PythonFunction:
        return PythonFunction(lambda: self.program)

    @lazy
    def _python_gradient(self) -> PythonFunction:
        return PythonFunction(lambda: self.gradient_program)

    @lazy
    def _native_values(self) -> NativeFunction:
        from autograd.compiler.native import NativeFunction, Signature

        graph = self._graph
        signature = Signature(
            graph.shapes,
            graph.results,
            (False,) * len(graph.outputs),
            len(self.parameters),
        )
        return NativeFunction(lambda: self.program, str(self.program), signature, exact=self._exact)

    @lazy
    def _native_sums(self) -> NativeFunction:
        from autograd.compiler.native import NativeFunction, Signature

        graph = self._graph
        count = len(self.parameters)
        signature = Signature(graph.shapes, (), (True,) * len(graph.outputs), count)
        return NativeFunction(lambda: self.program, str(self.program), signature, exact=False)

    @lazy
    def _native_gradient(self) -> NativeFunction:
        from autograd.compiler.native import NativeFunction, Signature

        parts = self._parts()
        outside = sum(map(prod, parts))
        summed = 0 if self._exact or self._reduce is None else 1 + self._weights
        signature = Signature(
            self._graph.shapes,
            parts,
            (True,) * summed + (False,) * outside,
            len(self.parameters) + self._exact,
        )
        # The gradient follows from the graph that is differentiated, row by row: rows of equal
        # value, such as relu(x) and maximum(x, 0.0), differ in it. Rows of the user's own may mean
        # something else another time.
        key = text_of(self._graph if self._exact else self._shared)
        if not self._is_built_in:
            key += f"\n{self.gradient_program}"
        key += f"\nwrt {self._weights} {self._moving}"
        return NativeFunction(lambda: self.gradient_program, key, signature, exact=self._exact)
