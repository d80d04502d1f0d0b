"""`Value`: a number that remembers how it was computed, and the sweep that differentiates it.

A node is data, never a closure: ``data, grad, op, args, label, origin``. The table holds the ops
and their derivative rules (`autograd.ops`); here ops are recorded, and the rules applied, from the
output back to the leaves.
"""

from __future__ import annotations

from _thread import RLock  # as functools does: threading takes longer to load than this
from collections.abc import Callable, Iterator, Sequence
from numbers import Real

from autograd.acceleration import accelerated
from autograd.annotations import TYPE_CHECKING, Any, NamedTuple, final
from autograd.errors import DomainError
from autograd.forms import Form, describe, floats_of, form_of
from autograd.graph import topological_order
from autograd.lowering import value_function
from autograd.modes import current_mode, source_line
from autograd.operand import Operand, real, refusal
from autograd.operation import Op, plain
from autograd.place import Origin
from autograd.schedule import backward_order

DECIDED = (
    "so none can decide; write where(c, a, b), maximum or minimum, autograd.max(values) for the "
    "largest of many, heaviside(v) for v > 0, and functions of autograd in place of math's"
)
FINAL = (
    "Value is final: keep your own data beside it, in a dict by Value; a method of your own is "
    "Value.cube = cube, a function with its derivative Op(name, forward, rules)"
)
clock = [0.0]  # of all nodes: a coarse one, as none has a float of its own for its age


@final
@accelerated
class Value(Operand):
    """A scalar node of a computation graph.

    Args:
        data: any real number; kept as a float. A bool is 0.0 or 1.0: a comparison is a mask.
        children, op: of a node built by hand, its arguments and what it is called, or its
            slopes, one for each of them; `autograd.byhand` builds it. Micrograd calls them
            ``_children`` and ``_op``.
        label: a name for messages and drawings; ``Value(data, label)`` will do.

    Attributes:
        grad: d root / d self after ``root.backward()``, 0.0 before. Leaves accumulate over
            passes until it is set back to 0.0, as in PyTorch; inner nodes start afresh.
        op: the row of the table that computed this node; None for a leaf.
        args: its arguments in order, nodes and plain floats; ``x * x`` has x twice.
        origin: (scope, file, line) where known.

    ``==`` and ``hash`` are identity; ``<``, ``<=``, ``>``, ``>=`` and ``bool`` look at the data.

    >>> x = Value(3.0, label="x")
    >>> y = x * x + 1
    >>> y.backward()
    >>> y.data, x.grad
    (10.0, 6.0)
    """

    # Two argument slots instead of a tuple: most nodes then need no container, and Python's
    # gc nothing to track but the node itself. For three or more, _a is the tuple of all;
    # an unused slot holds a float, which every walk passes over anyway.
    __slots__ = ("_a", "_age", "_b", "_form", "_mark", "data", "grad", "label", "origin")

    data: float
    grad: float
    label: str
    origin: Origin | None
    _a: Any
    _b: Any
    _form: Form | None
    _mark: object

    def __init__(
        self,
        data: float,
        children: str | Sequence[Value] = (),
        op: str | Sequence[float] = "",
        label: str = "",
        *,
        _children: Sequence[Value] = (),
        _op: str | Sequence[float] = "",
    ) -> None:
        if isinstance(children, str) and not label:
            label, children = children, ()
        mode = current_mode()
        self.data = mode.tracing.number(data) if mode.tracing else real(data)
        self.grad = 0.0
        self.label = label
        self.origin = (mode.scope, *source_line()) if mode.debug else None
        self._form = None
        self._a, self._b, self._age = 0.0, 0.0, clock[0]
        self._mark = mode.tracing.mark if mode.tracing else None
        if children.__class__ is not tuple or children or _children or label.__class__ is not str:
            self._build(children or _children, op or _op, label)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.data, self.grad, op, args, self.label, self.origin = state[-1]
        self._a, self._b = (args, 0.0) if len(args) > 2 else (*args, 0.0, 0.0)[:2]
        self._form = form_of(op, args) if op else None
        self._mark, self._age = None, clock[0]

    def __init_subclass__(cls) -> None:
        raise TypeError(FINAL)

    if TYPE_CHECKING:  # what `scalar` attaches and, for nodes that a user builds, `byhand`
        _backward: Callable[[], object]

        def item(self) -> float: ...
        def __float__(self) -> float: ...
        def _build(self, children: object, op: object, label: object) -> None: ...
        def __lt__(self, other: Value | float) -> bool: ...

        __le__ = __gt__ = __ge__ = __lt__

    @property
    def op(self) -> Op | None:
        return self._form.op if self._form else None

    @property
    def args(self) -> tuple[Value | float, ...]:
        if self._form is None:
            return ()
        arity = len(self._form.pattern)
        return self._a if arity > 2 else (self._a, self._b)[:arity]

    @property
    def _prev(self) -> tuple[Value, ...]:
        """The distinct nodes among the arguments (micrograd's name)."""
        return tuple(dict.fromkeys(arg for arg in self.args if isinstance(arg, Value)))

    @property
    def _op(self) -> str:
        """The op's symbol, "" for a leaf (micrograd's name)."""
        return str(self.op or "")

    def backward(self, seed: float = 1.0) -> None:
        """Add d self / d leaf, times ``seed``, to the grad of every leaf below this node.

        Inner nodes get this pass's adjoint as their grad. All or nothing: a pass that fails
        leaves the leaves' grads as they were.

        Raises:
            DomainError: a local derivative is infinite or NaN at finite arguments.
            RuleError: a node was built by hand, and has no derivative.
            CycleError: the graph was tampered with.
            TypeError: the grad of a leaf is no number; None counts as 0.0.
            StaleValueError: under `debug`, a ``.data`` changed after the forward pass.

        Cost: linear in nodes and edges; one pass at a time, other threads wait.
        """
        self._refuse_if_traced("backward()", "as do grad(f) and gradients(out, wrt): write these")
        seed = real(seed)
        with _backward_lock:
            order, leaves = backward_order(self)
            if inspector := current_mode().debug:
                inspector.check_fresh(order)
            before = [0.0 if leaf.grad is None else real(leaf.grad) for leaf in leaves]
            try:
                for leaf in leaves:
                    leaf.grad = 0.0
                self.grad = seed
                for node in reversed(order):
                    node._form.pull(node, node.grad)
                after = [leaf.grad + grad for leaf, grad in zip(leaves, before, strict=True)]
            except BaseException as error:
                for touched in (*order, *leaves):
                    touched.grad, touched._mark = 0.0, None
                after = before
                if inspector and isinstance(error, DomainError):
                    raise DomainError(inspector.explain_edge(str(error), self, node)) from None
                raise
            finally:
                for leaf, grad in zip(leaves, after, strict=True):
                    leaf.grad = grad

    def _refuse_if_traced(self, asked: str, instead: str = DECIDED) -> None:
        """Raise while a function is being compiled: its code must not depend on a number."""
        if tracer := current_mode().tracing:
            raise tracer.refused(
                f"{asked} of a recorded value{describe(self)}: what is compiled holds for all "
                f"numbers, {instead}"
            )

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Value:
        return record(op, args)  # `autograd.recorders` has a quicker way where nothing is asked


# The backward pass

_backward_lock = RLock()


class Step(NamedTuple):
    """One edge of the backward pass: ``product = upstream * local``, added to arg's ``total``."""

    node: Value
    slot: int
    arg: Value
    upstream: float
    local: float
    product: float
    total: float


def sweep(root: Value, seed: float = 1.0, order: Sequence[Value] | None = None) -> Iterator[Step]:
    """Yield the backward pass from ``root``, edge by edge, without touching any ``grad``.

    The readable form of `Value.backward`, which runs the same arithmetic in generated code:
    the last ``total`` of an inner node is the grad that ``backward`` gives it, to the bit.

    Args:
        order: the topological order, where it is known already.

    Raises:
        DomainError, CycleError: as `Value.backward`.
    """
    order = topological_order(root) if order is None else order
    adjoint = dict.fromkeys(order, 0.0) | {root: real(seed)}
    for node in reversed(order):
        if node._form is None:
            continue
        args: tuple[Any, ...] = node.args
        upstream = adjoint[node]
        for slot, local, contribution, total in node._form.passed(node, upstream, adjoint):
            adjoint[args[slot]] = total
            yield Step(node, slot, args[slot], upstream, local, contribution, total)


# Recording


def record(op: Op, args: tuple[Any, ...]) -> Value:
    """Return the node of ``op`` applied to ``args``: the general path, obeying every mode.

    Raises:
        DomainError: outside the op's domain; under `debug` also at overflow, or where NaN arises.
        TypeError: an argument is neither a Value nor a real number, or its ``.data`` is none.
    """
    mode = current_mode()
    if mode.tracing:
        return mode.tracing.record(op, args)  # type: ignore[no-any-return]
    inspector = mode.debug if mode.checked else None
    args = tuple([arg if arg.__class__ is Value else real(plain(arg)) for arg in args])
    floats = floats_of(args)
    origin = (mode.scope, *source_line()) if mode.debug else mode.origin
    try:
        problem = op.violation(floats) if mode.checked else ""
        data = 0.0 if problem else value_function(op, len(args))(*floats)
    except TypeError as error:  # a .data may have been set to anything
        wrong = (TypeError(refusal(x)) for x in floats if not isinstance(x, Real))
        raise next(wrong, error) from None
    if inspector and (problem := problem or inspector.inspect(op, floats, data)):
        raise op.domain_error(inspector.explain(problem, op, args, origin), floats) from None
    if problem:
        labels = dict.fromkeys(repr(a.label) for a in args if isinstance(a, Value) and a.label)
        of = f" (of node {', '.join(labels)})" if labels else ""
        raise op.domain_error(problem + of, floats) from None  # not after what libm raised
    node = Value.__new__(Value)
    kept = (op, args) if mode.grad else (None, ())
    node.__setstate__(((data, 0.0, *kept, "", origin),))
    return node
