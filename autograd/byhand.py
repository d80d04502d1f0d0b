"""Nodes that a user builds by hand, as lectures do: with slopes, or a ``_backward`` of their own.

``Value(math.log(c), (p,), (1 / c,))`` states the local derivatives as numbers;
``out._backward = f`` brings a function that adds to the arguments' ``grad`` itself. Neither is a
row of the table: there is no forward to compute again, and no rule to differentiate once more.
What would need one refuses, and says what to write instead. The engine is whole without this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import compress
from math import isfinite

from autograd.annotations import Any, NoReturn
from autograd.engine import Value
from autograd.errors import RuleError, quoted
from autograd.forms import Form, describe, floats_of, product
from autograd.graph import node_args
from autograd.modes import current_mode
from autograd.operand import real
from autograd.operation import TABLE, Op, Symbol

Backward = Callable[[], object]
"""What adds a node's contributions to the ``grad`` of its arguments, from its own ``grad``."""

ROW = "declare it as a row, Op(name, forward, rules)"


class HandMade(Op):
    """The op of one node that was built by hand; it stands in no table.

    Args:
        symbol: what its user calls it, any text.
        pattern: of each argument, whether it is a node.
        slopes: d node / d arg for each argument, where they were given.
        backward: in place of slopes, the node's own function, and the node.

    Attributes:
        form: what the engine has to know of it.
    """

    by_hand = True

    def __init__(
        self,
        symbol: str,
        pattern: tuple[bool, ...],
        slopes: tuple[float, ...] | None = None,
        backward: tuple[Backward, Value] | None = None,
    ) -> None:
        # The page and formulas know a row by its name: tanh by hand is not the table's tanh.
        own = f"own_{symbol}" if symbol in TABLE else symbol
        super().__init__(
            own if own.isidentifier() else "by_hand",
            self._refuse_to_compute,
            (self._refuse_to_compute,) * len(pattern),
            singular=slopes is not None and not all(map(isfinite, slopes)),
            symbol=symbol or "by hand",
        )
        self.opaque = True
        self.form: _Slopes | _Closure = (
            _Closure(self, pattern, *backward) if backward else _Slopes(self, pattern, slopes)
        )

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(f"x{i + 1}" for i in range(len(self.form.pattern)))

    def locals(
        self, out: Any, args: tuple[Any, ...], slots: Iterable[int] | None = None
    ) -> list[Any]:
        """Return the local derivatives as numbers; for a formula, a ``_backward`` is a name.

        Raises:
            RuleError: of nodes: as constants, slopes would have derivatives of 0, in silence.
        """
        if isinstance(out, Value):
            raise RuleError(
                "the derivative of a node built by hand can't be differentiated"
                f"{describe(out)}: {ROW}"
            )
        if isinstance(self.form, _Closure) and isinstance(out, Symbol):
            every: tuple[Any, ...] = (Symbol("_backward()"),) * len(args)
        else:
            every = self.form.slopes()
        return [every[slot] for slot in (range(len(args)) if slots is None else slots)]

    def refuse_copies(self) -> None:
        """Raise where a copy would go on adding to the arguments of the original.

        Raises:
            TypeError: the node has a ``_backward`` of its own.
        """
        if isinstance(self.form, _Closure):
            raise TypeError(
                "a node with a _backward of its own can't be copied or pickled"
                f"{describe(self.form.node)}: the function refers to this very node; {ROW}"
            )

    def _refuse_to_compute(self, *_: object) -> NoReturn:
        raise RuleError(
            f"a node built by hand ({self}) can't be computed again for other numbers: {ROW}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        self.refuse_copies()
        return HandMade, (self.symbol, self.form.pattern, self.form.slopes())


class _Slopes(Form):
    """The form of a node with constant slopes, or with nothing to say what they are."""

    __slots__ = ("_given",)

    def __init__(self, op: Op, pattern: tuple[bool, ...], given: tuple[float, ...] | None) -> None:
        self.op = op
        self.pattern = pattern
        self.pull = self._add
        self.locals = lambda *_: self.slopes()
        self._given = given

    def slopes(self, node: Any = None) -> tuple[float, ...]:
        if self._given is None:
            where = "" if node is None else describe(node)
            raise RuleError(
                f"a node ({self.op}) was built by hand, without a derivative{where}: set its "
                f"_backward, give its slopes, Value(data, (a, b), (d_a, d_b)), or {ROW}"
            )
        return self._given

    def _add(self, node: Any, g: float) -> None:
        for slot, (arg, slope) in enumerate(zip(node.args, self.slopes(node), strict=True)):
            arg.grad += product(node, slot, g, slope)


class _Closure(Form):
    """The form of a node with a ``_backward`` of its own: its effect is what is shown of it."""

    __slots__ = ("function", "node")

    def __init__(self, op: Op, pattern: tuple[bool, ...], function: Backward, node: Value) -> None:
        self.op = op
        self.pattern = pattern
        self.pull = self._call
        self.locals = lambda *_: self.slopes()
        self.function = function
        self.node = node

    def _call(self, node: Any, g: float) -> None:
        self.function()

    def slopes(self) -> tuple[float, ...]:
        """Return what the function does with an upstream of 1; 0.0 for plain numbers."""
        found = {slot: local for slot, local, _, _ in self.passed(self.node, 1.0, {})}
        return tuple(found.get(slot, 0.0) for slot in range(len(self.pattern)))

    def passed(
        self, node: Any, upstream: float, adjoint: Mapping[Any, float]
    ) -> Iterator[tuple[int, float, float, float]]:
        """Yield what the function does, called once with the adjoints as the ``grad`` of all.

        An argument that stands in two slots gets everything in the first. In the end no
        ``grad`` is changed.
        """
        before = {arg: adjoint.get(arg, 0.0) for arg in node._prev}
        kept = [(each, each.grad) for each in (node, *before)]
        try:
            node.grad = upstream
            for arg, so_far in before.items():
                arg.grad = so_far
            self.function()
            after = {arg: real(arg.grad) for arg in before}
        finally:
            for each, grad in kept:
                each.grad = grad
        locals_ = self.slopes() if upstream == 0 else ()  # contributions of 0 don't tell them
        for slot, arg in enumerate(node.args):
            if self.pattern[slot]:
                contribution = after[arg] - before[arg]
                before[arg] = after[arg]
                yield (
                    slot,
                    locals_[slot] if locals_ else contribution / upstream,
                    contribution,
                    after[arg],
                )


def _build(self: Value, children: object, op: object, label: object) -> None:
    """Give a node the arguments that ``Value(data, children, op, label)`` names."""
    written = f"Value({self.data}, {quoted(children)})"
    if not isinstance(label, str):
        raise TypeError(f"a label is a string, got {quoted(label)}")
    if isinstance(children, str):
        raise TypeError(f"{written} has two labels, {quoted(children)} and {quoted(label)}")
    if isinstance(children, set | frozenset):
        raise TypeError(f"{written}: a set has no order; give the children in a tuple")
    if not isinstance(children, tuple | list):
        raise TypeError(
            f"{written}: a label is a string, children are a tuple of nodes; got "
            f"{type(children).__qualname__:.60}"
        )
    for child in children:
        if not isinstance(child, Value):
            raise TypeError(
                f"{written}: a child is a Value, got {quoted(child)} of type "
                f"{type(child).__qualname__:.60}; wrap it, as in Value(2.0)"
            )
    mode = current_mode()
    if children and mode.grad:
        made = _op_of(op, (True,) * len(children))
        origin = self.origin or mode.origin
        self.__setstate__(((self.data, 0.0, made, tuple(children), label, origin),))


def _op_of(given: object, pattern: tuple[bool, ...]) -> HandMade:
    """Return the op of a node for what it is called, or for one slope for each argument."""
    if isinstance(given, str):
        return HandMade(given, pattern)
    if not isinstance(given, tuple | list) or len(given) != len(pattern):
        raise TypeError(
            "Value(data, children, ...) takes the operation's name or one slope for each of its "
            f"{len(pattern)} children, in a tuple; got {quoted(given)}"
        )
    return HandMade("", pattern, tuple(map(real, given)))


def _backward_of(node: Value) -> Backward:
    """What adds this node's contributions to its arguments' grad, from its own grad.

    Micrograd's name, for going through backprop by hand; a leaf passes nothing on. Set it, and
    `backward` calls what was set in place of the rules.
    """
    how = node._form
    if how is None:
        return lambda: None
    if isinstance(how, _Closure):
        return how.function

    def backward() -> None:
        for each in (node, *node._prev):
            each.grad = 0.0 if each.grad is None else each.grad
        how.pull(node, node.grad)

    return backward


def _set_backward(node: Value, function: Any) -> None:
    if function is None and not isinstance(node._form, _Closure):
        return  # closures, of which a node here has none, are taken off before they are pickled
    if not callable(function):
        raise TypeError(f"_backward is a function without arguments, got {quoted(function)}")
    if node._form is None:
        raise TypeError(
            "a leaf passes nothing on, so it needs no _backward; build the node with what it is "
            "computed from: Value(data, (a, b), 'name')"
        )
    node._form = HandMade(str(node.op), node._form.pattern, backward=(function, node)).form


def _children(node: Value) -> tuple[Value, ...]:
    """The nodes among the arguments, duplicates kept (microgpt's name)."""
    return tuple(node_args(node))


def _local_grads(node: Value) -> tuple[float, ...]:
    """The local derivative in each of ``_children`` (microgpt's name)."""
    if node._form is None:
        return ()
    return tuple(compress(node._form.locals(node.data, *floats_of(node.args)), node._form.pattern))


Value._children = property(_children)  # type: ignore[attr-defined]
Value._local_grads = property(_local_grads)  # type: ignore[attr-defined]
Value._build = _build  # type: ignore[method-assign]
Value._backward = property(_backward_of, _set_backward)  # type: ignore[assignment]
