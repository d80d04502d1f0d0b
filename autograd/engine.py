"""`Value`: a number that remembers how it was computed, and the sweep that differentiates it.

A node is data, never a closure: ``data, grad, op, args, label, origin``. The derivative rules
stand in the table (`autograd.ops`); here they are applied, from the output back to the leaves.
"""

from __future__ import annotations

import copyreg
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import lru_cache
from typing import Any, NamedTuple, cast, final

from autograd import ops
from autograd.errors import DomainError, GraphCutWarning, StaleValueError
from autograd.graph import topological_order
from autograd.kernels import Form, describe, form, product, value_function
from autograd.operation import Op, Operand, Primitive, plain, real

Origin = tuple[str, str | None, int | None]
"""Where a node was recorded: the scope's dotted path, and under `debug` the file and line."""


class Mode:
    """How operations are recorded just now; one per thread and task."""

    __slots__ = ("checked", "debug", "grad", "origin", "scope", "slow")

    def __init__(self, scope: str, *, grad: bool = True, debug: bool = False, checked: bool = True):
        self.scope = scope
        self.grad = grad
        self.debug = debug
        self.checked = checked
        self.slow = debug or not grad or not checked
        self.origin: Origin | None = (scope, None, None) if scope else None

    def but(self, **changes: Any) -> Mode:
        """Return this mode with some of its settings changed."""
        settings = {"grad": self.grad, "debug": self.debug, "checked": self.checked}
        return Mode(changes.pop("scope", self.scope), **(settings | changes))


_mode: ContextVar[Mode] = ContextVar("mode", default=Mode(""))  # noqa: B039 - never mutated
current_mode = _mode.get


@final
class Value(Operand):
    """A scalar node of a computation graph.

    Args:
        data: any real number; kept as a float.
        label: a name for messages and drawings.

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
    __slots__ = ("_a", "_b", "_form", "_mark", "data", "grad", "label", "origin")

    data: float
    grad: float
    label: str
    origin: Origin | None
    _a: Any
    _b: Any
    _form: Form | None
    _mark: object

    def __init__(self, data: float, label: str = "") -> None:
        self.data = real(data)
        self.grad = 0.0
        self.label = label
        mode = current_mode()
        self.origin = (mode.scope, *_user_line()) if mode.debug else None
        self._form = None
        self._a = self._b = 0.0
        self._mark = None

    def __init_subclass__(cls) -> None:
        raise TypeError("Value is final: keep your own data beside it, or subclass nn.Module")

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
            CycleError: the graph was tampered with.
            StaleValueError: under `debug`, a ``.data`` changed after the forward pass.

        Cost: linear in nodes and edges; one pass at a time, other threads wait.
        """
        seed = real(seed)
        with _backward_lock:
            order, leaves = _schedule(self)
            if current_mode().debug:
                _check_fresh(order)
            before = [leaf.grad for leaf in leaves]
            try:
                for leaf in leaves:
                    leaf.grad = 0.0
                self.grad = seed
                for node in reversed(order):
                    node._form.pull(node, node.grad)
            except BaseException:
                for node in order:
                    node.grad = 0.0
                for leaf in leaves:
                    leaf.grad = 0.0
                raise
            finally:
                for leaf, grad in zip(leaves, before, strict=True):
                    leaf.grad += grad

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Value:
        if len(args) == 1:
            return _unary(op)(args[0])
        return _record_many(op, args) if op.arity is None else record(op, args)

    def exp(self) -> Value:
        return ops.exp(self)

    def log(self) -> Value:
        return ops.log(self)

    def log1p(self) -> Value:
        return ops.log1p(self)

    def expm1(self) -> Value:
        return ops.expm1(self)

    def sqrt(self) -> Value:
        return ops.sqrt(self)

    def sin(self) -> Value:
        return ops.sin(self)

    def cos(self) -> Value:
        return ops.cos(self)

    def tan(self) -> Value:
        return ops.tan(self)

    def asin(self) -> Value:
        return ops.asin(self)

    def acos(self) -> Value:
        return ops.acos(self)

    def atan(self) -> Value:
        return ops.atan(self)

    def sinh(self) -> Value:
        return ops.sinh(self)

    def cosh(self) -> Value:
        return ops.cosh(self)

    def tanh(self) -> Value:
        return ops.tanh(self)

    def asinh(self) -> Value:
        return ops.asinh(self)

    def acosh(self) -> Value:
        return ops.acosh(self)

    def atanh(self) -> Value:
        return ops.atanh(self)

    def erf(self) -> Value:
        return ops.erf(self)

    def erfc(self) -> Value:
        return ops.erfc(self)

    def sigmoid(self) -> Value:
        return ops.sigmoid(self)

    def softplus(self) -> Value:
        return ops.softplus(self)

    def relu(self) -> Value:
        return ops.relu(self)

    def gelu(self) -> Value:
        return ops.gelu(self)

    def silu(self) -> Value:
        return ops.silu(self)

    def abs(self) -> Value:
        return ops.abs(self)

    def sign(self) -> Value:
        return ops.sign(self)

    def heaviside(self) -> Value:
        return ops.heaviside(self)

    def __lt__(self, other: Value | float) -> bool:
        return self.data < _number(other)

    def __le__(self, other: Value | float) -> bool:
        return self.data <= _number(other)

    def __gt__(self, other: Value | float) -> bool:
        return self.data > _number(other)

    def __ge__(self, other: Value | float) -> bool:
        return self.data >= _number(other)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        if self._form is not None and current_mode().debug:
            warnings.warn(
                f"float() of an inner node cuts the graph: what follows has no gradient"
                f"{describe(self)}; use the functions of autograd in place of math's",
                GraphCutWarning,
                stacklevel=2,
            )
        return self.data

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    def __copy__(self) -> Value:
        twin = Value.__new__(Value)
        twin.__setstate__(([], None, self._fields()))
        return twin

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Give pickle and deepcopy the ancestors in topological order, each before its users.

        They save what they meet by recursion; in this order every argument has been met, so
        the depth stays constant. `_Cover` marks the end of the order.
        """
        covered = _cover.nodes
        if self._form is None or id(self) in covered:
            return copyreg.__newobj__, (Value,), ([], None, self._fields())  # type: ignore[attr-defined]
        ancestors = [node for node in topological_order(self)[:-1] if id(node) not in covered]
        cover = _Cover(frozenset(map(id, ancestors)))
        covered |= cover.ids
        return copyreg.__newobj__, (Value,), (ancestors, cover, self._fields())  # type: ignore[attr-defined]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.data, self.grad, op, args, self.label, self.origin = state[-1]
        self._mark = None
        _link(self, op, args)

    def _fields(self) -> tuple[Any, ...]:
        return self.data, self.grad, self.op, self.args, self.label, self.origin


class Step(NamedTuple):
    """One edge of the backward pass: ``product = upstream * local``, added to arg's ``total``."""

    node: Value
    slot: int
    arg: Value
    upstream: float
    local: float
    product: float
    total: float


def sweep(
    root: Value, seed: float = 1.0, order: Sequence[Value] | None = None
) -> Iterator[Step]:
    """Yield the backward pass from ``root``, edge by edge, without touching any ``grad``.

    ``order`` spares the sort where the topological order is known already.

    The readable form of `Value.backward`, which runs the same arithmetic in generated code:
    the last ``total`` of an inner node is the grad that ``backward`` gives it, to the bit.

    Raises:
        DomainError, CycleError: as `Value.backward`.
    """
    order = topological_order(root) if order is None else order
    adjoint = dict.fromkeys(order, 0.0)
    adjoint[root] = real(seed)
    for node in reversed(order):
        form, args, upstream = node._form, node.args, adjoint[node]
        if form is None:
            continue
        locals_ = form.locals(node.data, *[_number(arg) for arg in args])
        for slot, arg in enumerate(args):
            if isinstance(arg, Value):
                contribution = product(node, slot, upstream, locals_[slot])
                total = adjoint[arg] = adjoint[arg] + contribution
                yield Step(node, slot, arg, upstream, locals_[slot], contribution, total)


def record(op: Op, args: tuple[Any, ...]) -> Value:
    """Return the node of ``op`` applied to ``args``: the general path, obeying every mode.

    Raises:
        DomainError: the arguments lie outside the op's domain, or, under `debug`, NaN arises.
        TypeError: an argument is neither a Value nor a real number.
    """
    mode = current_mode()
    args = tuple(arg if isinstance(arg, Value) else real(plain(arg)) for arg in args)
    floats = [_number(arg) for arg in args]
    origin = (mode.scope, *_user_line()) if mode.debug else mode.origin
    problem = op.violation(floats) if mode.checked else ""
    if not problem:
        data = value_function(op, len(args))(*floats)
        if mode.debug and data != data and not any(x != x for x in floats):
            problem = f"{op.spell(*floats)} is NaN"
    if problem:
        labels = [repr(arg.label) for arg in args if isinstance(arg, Value) and arg.label]
        where = f" at {origin[1]}:{origin[2]}" if origin and origin[1] else ""
        raise DomainError(problem + (f" (of node {', '.join(labels)})" if labels else "") + where)
    node = Value.__new__(Value)
    _set_data(node, data)
    node.grad = 0.0
    node.label = ""
    node.origin = origin
    node._mark = None
    _link(node, *((op, args) if mode.grad else (None, ())))
    return node


def _link(node: Value, op: Op | None, args: tuple[Any, ...]) -> None:
    """Store op and arguments in the node's slots."""
    node._form = form(op, tuple(isinstance(arg, Value) for arg in args)) if op else None
    node._a, node._b = (args, 0.0) if len(args) > 2 else (*args, 0.0, 0.0)[:2]


# The three recorders below are `record` for the common case, without its questions.


def _fast_forward(op: Op) -> Callable[..., float]:
    """Return a forward for floats that raises wherever `record` must have a closer look.

    The libm functions of the table's own rows raise outside their domain; those of a user's
    row may know nothing of the domain it declares.
    """
    trusted = not op.domain or getattr(ops, op.name, None) is op
    if trusted and isinstance(op.forward, Primitive) and op.forward.ieee is not op.forward.function:
        return op.forward.function
    if not op.domain and op.arity:
        return value_function(op, op.arity)

    def forward(*args: float) -> float:
        if op.violation(list(args)):
            raise ValueError
        return op.ieee(*args)

    return forward


_unary_recorders: dict[Op, Callable[[Any], Value]] = {}


def _unary(op: Op) -> Callable[[Any], Value]:
    """Return the recorder of a row applied to one argument."""
    if op in _unary_recorders:
        return _unary_recorders[op]
    if op.arity is None:
        return lambda x: record(op, (x,))
    forward = _fast_forward(op)
    how = form(op, (True,))
    new = Value.__new__

    def apply(x: Value) -> Value:
        mode = current_mode()
        if mode.slow:
            return record(op, (x,))
        try:
            data = forward(x.data)
        except (ValueError, ArithmeticError):
            return record(op, (x,))
        node = new(Value)
        node.data = data
        node.grad = 0.0
        node.label = ""
        node.origin = mode.origin
        node._form = how
        node._a = x
        node._b = 0.0
        node._mark = None
        return node

    _unary_recorders[op] = apply
    return apply


def _binary(op: Op) -> tuple[Callable[[Value, Any], Value], Callable[[Value, Any], Value]]:
    """Return the methods that record ``self op other`` and ``other op self``."""
    forward = _fast_forward(op)
    both, left, right = (form(op, p) for p in ((True, True), (True, False), (False, True)))
    new = Value.__new__

    def apply(self: Value, other: Any) -> Value:
        mode = current_mode()
        try:
            if other.__class__ is Value:
                data = forward(self.data, other.data)
                how = both
            else:
                other = real(plain(other))
                data = forward(self.data, other)
                how = left
        except (ValueError, ArithmeticError):
            return record(op, (self, other))
        if mode.slow:
            return record(op, (self, other))
        node = new(Value)
        node.data = data
        node.grad = 0.0
        node.label = ""
        node.origin = mode.origin
        node._form = how
        node._a = self
        node._b = other
        node._mark = None
        return node

    def reflected(self: Value, other: Any) -> Value:
        mode = current_mode()
        try:
            other = real(plain(other))
            data = forward(other, self.data)
        except (ValueError, ArithmeticError):
            return record(op, (other, self))
        if mode.slow:
            return record(op, (other, self))
        node = new(Value)
        node.data = data
        node.grad = 0.0
        node.label = ""
        node.origin = mode.origin
        node._form = right
        node._a = other
        node._b = self
        node._mark = None
        return node

    return apply, reflected


_variadic_forms: dict[tuple[Op, int], tuple[Callable[..., float], Form]] = {}


def _record_many(op: Op, args: tuple[Any, ...]) -> Value:
    """Record a row of any number of arguments, quickly if all of them are nodes."""
    mode = current_mode()
    if mode.slow or op.domain or len(args) < 3:
        return record(op, args)
    try:
        forward, how = _variadic_forms[op, len(args)]
    except KeyError:
        every = form(op, (True,) * len(args))
        forward, how = _variadic_forms[op, len(args)] = value_function(op, len(args)), every
    try:
        data = forward(*[arg.data for arg in args])
    except (AttributeError, TypeError):
        return record(op, args)
    if data.__class__ is not float:  # arrays have a .data too
        return record(op, args)
    node = Value.__new__(Value)
    node.data = data
    node.grad = 0.0
    node.label = ""
    node.origin = mode.origin
    node._form = how
    node._a = args
    node._b = 0.0
    node._mark = None
    return node


for _op in (ops.add, ops.sub, ops.mul, ops.div, ops.pow):
    _name = {"div": "truediv"}.get(_op.name, _op.name)
    for _prefix, _method in zip(("__", "__r"), _binary(_op), strict=True):
        setattr(Value, f"{_prefix}{_name}__", _method)


def _number(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else real(x)


_backward_lock = threading.RLock()


def _schedule(root: Value) -> tuple[list[Any], list[Value]]:
    """Return the inner nodes in topological order, their grads reset, and the leaves.

    The order is that of `topological_order`; marks in the nodes make it several times faster.
    """
    open_, done = object(), object()
    order: list[Value] = []
    leaves: list[Value] = []
    stack: list[Value] = []
    if root._form is None:
        return order, [root]
    stack.append(root)
    while stack:
        node = stack.pop()
        mark = node._mark
        if mark is open_:
            node._mark = done
            order.append(node)
        elif mark is not done:
            node._mark = open_
            node.grad = 0.0
            stack.append(node)
            first = node._a
            args = (node._b, first) if first.__class__ is not tuple else reversed(first)
            for arg in args:
                if arg.__class__ is not float:
                    mark = arg._mark
                    if mark is not done:
                        if arg._form is None:
                            arg._mark = done
                            leaves.append(arg)
                        elif mark is open_:
                            topological_order(root)  # raises the CycleError
                        else:
                            stack.append(arg)
    return order, leaves


class _Cover:
    """Stands at the end of a pickled order: saving it means that the order has been saved."""

    def __init__(self, ids: frozenset[int]) -> None:
        self.ids = ids

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        _cover.nodes -= self.ids
        return _Cover, (frozenset(),)


class _Covered(threading.local):
    """The ids of the nodes that the pickling under way will meet in topological order.

    Should pickling fail half-way, stale ids remain. They cost nothing but depth: a node
    found here is saved by its arguments, which is right in any order.
    """

    def __init__(self) -> None:
        self.nodes: set[int] = set()


_cover = _Covered()


@lru_cache(maxsize=4096)
def _mode_inside(mode: Mode, name: str) -> Mode:
    """Return ``mode`` with its scope deepened; a network enters the same few again and again."""
    return mode.but(scope=f"{mode.scope}.{name}" if mode.scope and name else mode.scope or name)


class scope:  # noqa: N801 - a context manager, used like a function
    """Make new nodes remember a dotted module path: ``with scope("layers.0"): ...``.

    Scopes nest: the paths are joined with a dot. An empty name adds nothing.
    """

    __slots__ = ("_name", "_token")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._token: Token[Mode] = _mode.set(_mode_inside(current_mode(), self._name))

    def __exit__(self, *_: object) -> None:
        _mode.reset(self._token)


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing inside: results are leaves. Also usable as a decorator."""
    token = _mode.set(current_mode().but(grad=False))
    try:
        yield
    finally:
        _mode.reset(token)


@contextmanager
def unchecked() -> Iterator[None]:
    """Record by IEEE 754, without domain errors: for graphs made of rules."""
    token = _mode.set(current_mode().but(checked=False))
    try:
        yield
    finally:
        _mode.reset(token)


@contextmanager
def debug() -> Iterator[None]:
    """Record where every node comes from, and be strict. Also usable as a decorator.

    Inside, domain errors name the source line; a NaN made from infinities raises; `backward`
    raises where a ``.data`` was changed after it had been used; ``float()`` of an inner node
    warns. Costs several times the plain recording.
    """
    token = _mode.set(current_mode().but(debug=True))
    with _watch:
        try:
            yield
        finally:
            _mode.reset(token)


def detach(v: Value) -> Value:
    """Return a new leaf with the same number and label, cut off from the graph."""
    return Value(v.data, v.label)


def trace(out: Value) -> tuple[list[Value], list[tuple[Value, Value]]]:
    """Return the nodes below ``out`` in topological order, and the edges ``(arg, node)``."""
    order = topological_order(out)
    return order, [(arg, node) for node in order for arg in node.args if isinstance(arg, Value)]


def _user_line() -> tuple[str | None, int | None]:
    """Return file and line of the innermost frame outside these packages."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("autograd", "nn"):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


class _Watch:
    """While `debug` is on anywhere, remembers which line last set each node's ``.data``."""

    def __init__(self) -> None:
        self.slot = cast(Any, Value.__dict__["data"])
        self.lines: dict[Value, tuple[str | None, int | None]] = {}
        self.depth = 0
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.depth += 1
            type.__setattr__(Value, "data", self)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.depth -= 1
            if not self.depth:
                type.__setattr__(Value, "data", self.slot)
                self.lines.clear()

    def __get__(self, node: Value | None, owner: type) -> Any:
        return self if node is None else self.slot.__get__(node, owner)

    def __set__(self, node: Value, data: float) -> None:
        if hasattr(node, "_mark"):  # else it is being made, which is no change
            self.lines[node] = _user_line()
        self.slot.__set__(node, data)


_watch = _Watch()


def _set_data(node: Value, data: float) -> None:
    """Set ``.data`` as part of recording, which the watch doesn't count as a change."""
    _watch.slot.__set__(node, data)


def _check_fresh(order: list[Value]) -> None:
    """Raise if a node's number no longer follows from its arguments."""
    for node in order:
        op = cast(Op, node.op)
        floats = [_number(arg) for arg in node.args]
        again = value_function(op, len(floats))(*floats)
        if again != node.data and not (again != again and node.data != node.data):
            sets = [
                f", {arg.label or 'its .data'} set at {line[0]}:{line[1]}"
                for arg in (node, *node._prev)
                if (line := _watch.lines.get(arg))
            ]
            raise StaleValueError(
                f"{op.spell(*floats)} is {again} now, but its node holds {node.data}"
                f"{describe(node)}{''.join(sets)}; compute the loss again before backward()"
            )
