"""What an operation is: a row of the table.

A row (`Op`) holds a forward function and, per argument, a rule for the derivative. Both are
ordinary arithmetic, so whoever calls them decides what they mean: called on `Number` they
compute by IEEE 754, on `Symbol` they write down the formula, on the engine's `Value` they
record a graph.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any, NamedTuple, cast, overload

from autograd.domain import Domain, Joint
from autograd.errors import DomainError, RuleError
from autograd.operand import TABLE, Number, Operand, Symbol, T, plain, real

Rule = Callable[..., Any]

_built_in: dict[str, Op] = {}


class Primitive(NamedTuple):
    """A function of one libm (or IEEE) operation: what every target spells on its own.

    Attributes:
        function: the fastest form for floats; may raise where Python does.
        ieee: the same bits, with infinities and NaN in place of exceptions.
    """

    function: Callable[..., float]
    ieee: Callable[..., float]


def primitive(
    function: Callable[..., float], ieee: Callable[..., float] | None = None
) -> Primitive:
    """Return ``function`` marked as a primitive; ``ieee`` is needed where it can raise."""
    return Primitive(function, ieee or function)


class Op:
    """One row of the table: an operation, declared once.

    Args:
        name: the identifier under which code and messages know it.
        forward: a `Primitive`, or a formula over rows (a function that only does arithmetic
            and calls rows). Any other function is accepted as *opaque*: it evaluates and
            differentiates, but can't be compiled or sent to the page.
        partials: for argument i, the rule ``(out, *args) -> d out / d args[i]``.
        domain: one `Domain` per argument, or one `Joint`; empty means all reals.
        pullback: for a row of any number of arguments, in place of ``partials``:
            ``(g, out, args) -> [g * d out / d arg for arg in args]``, in linear time.
        kinks: ``(*args) -> expressions`` that are zero where the derivative jumps.
        singular: whether a partial may be infinite or NaN at finite arguments.
        symbol: how a drawing shows it; the name if empty.
        binds: precedence as infix (1 sum, 2 product, 3 sign, 4 power) or 0 for a call.
        latex: template with ``{0}``, ``{1}`` for the arguments; the name upright if empty.
        note: accuracy bounds and conventions, with their source.

    Attributes:
        arity: the number of arguments; None for a row of any number.
        opaque: whether the forward is neither a primitive nor a formula.

    Raises:
        RuleError: a rule branches on its argument, leaves the table, or the columns disagree.

    >>> square = Op("square", lambda x: x * x, (lambda y, x: 2 * x,))
    >>> square(3.0)
    9.0
    """

    def __init__(
        self,
        name: str,
        forward: Primitive | Rule,
        partials: tuple[Rule, ...] = (),
        domain: tuple[Domain, ...] | Joint = (),
        *,
        pullback: Rule | None = None,
        kinks: Rule | None = None,
        singular: bool = False,
        symbol: str = "",
        binds: int = 0,
        latex: str = "",
        note: str = "",
    ) -> None:
        self.name = name
        self.forward = forward
        self.partials = partials
        self.domain = domain
        self.pullback = pullback
        self.kinks = kinks
        self.singular = singular
        self.symbol = symbol or name
        self.binds = binds
        self.latex = latex
        self.note = note
        self.opaque = False
        self.arity = len(partials) or None
        self._enter_table()

    def _enter_table(self) -> None:
        if not self.name.isidentifier():
            raise RuleError(f"an op's name must be an identifier, got {self.name!r}")
        if self.name in _built_in:
            raise RuleError(f"the table has a built-in op {self.name!r}; choose another name")
        if bool(self.partials) == bool(self.pullback):
            raise RuleError(f"{self.name}: give either partials or a pullback")
        if isinstance(self.domain, tuple) and self.domain and len(self.domain) != self.arity:
            raise RuleError(
                f"{self.name}: {len(self.domain)} domains for {len(self.partials)} partials"
            )
        before = TABLE.get(self.name)
        TABLE[self.name] = self
        if _built_in:
            try:
                self._trace()
            except BaseException:
                del TABLE[self.name]
                if before:
                    TABLE[self.name] = before
                raise

    @property
    def is_built_in(self) -> bool:
        """Whether the row is one of the table's own, which nobody can replace."""
        return _built_in.get(self.name) is self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The arguments' names, as the first rule spells them."""
        code = getattr(self.partials[0], "__code__", None) if self.partials else None
        if code is not None and code.co_argcount == len(self.partials) + 1:
            return tuple(code.co_varnames[1 : code.co_argcount])
        return tuple("xyzuvw"[: self.arity]) if self.arity else ("xs",)

    @overload
    def __call__(self, x: T, /, *rest: T | float) -> T: ...
    @overload
    def __call__(self, x: float, y: T, /, *rest: T | float) -> T: ...
    @overload
    def __call__(self, x: float, y: float, z: T, /) -> T: ...
    @overload
    def __call__(self, /, *args: float) -> float: ...
    def __call__(self, /, *args: Any) -> Any:
        """Apply the op: floats give a float, operands give an operand.

        Raises:
            DomainError: the arguments are floats outside the domain.
            TypeError: wrong number or type of arguments.
        """
        if self.arity is not None and self.arity != len(args):
            raise TypeError(f"{self.name} takes {self.arity} argument(s), got {len(args)}")
        kind: type[Operand] | None = None
        for arg in args:
            if isinstance(arg, Operand):
                kind = type(arg)
                if kind is not Number:
                    break
        if kind is not None:
            return kind._apply(self, args)
        floats = [real(arg) for arg in args]
        violation = self.violation(floats)
        if violation:
            raise DomainError(violation)
        return self.ieee(*floats)

    def ieee(self, *args: float) -> float:
        """Return the op of plain floats by IEEE 754: never raises (an opaque forward may)."""
        if isinstance(self.forward, Primitive):
            return self.forward.ieee(*args)
        if self.opaque:
            return float(self.forward(*args))
        return cast(float, plain(self.forward(*map(Number, args))))

    def violation(self, args: list[float]) -> str:
        """Return what puts ``args`` outside the domain, as a message; "" if nothing does."""
        if isinstance(self.domain, Joint):
            if any(x != x for x in args) or self.domain.holds(*args):
                return ""
            broken = self.domain.text
        else:
            for name, domain, x in zip(self.parameters, self.domain, args, strict=False):
                if x not in domain:
                    broken = f"{name} {domain!r}"
                    break
            else:
                return ""
        return f"{self.spell(*args)} is undefined: {self.name} needs {broken}"

    def spell(self, *args: object) -> str:
        """Return the application as a reader would write it.

        >>> TABLE["pow"].spell(-2.0, 0.5), TABLE["log"].spell(-1.0)
        ('(-2.0) ** 0.5', 'log(-1.0)')
        """
        texts = list(map(str, args))
        if not self.binds:
            return f"{self.name}({', '.join(texts)})"
        if self.binds >= 3 and texts[0].startswith("-"):
            texts[0] = f"({texts[0]})"
        return f"{texts[0]} {self.symbol} {texts[1]}" if len(texts) == 2 else self.symbol + texts[0]

    def __str__(self) -> str:
        return self.symbol

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return op_named, (self.name,)

    def __deepcopy__(self, memo: object) -> Op:
        return self

    def _trace(self) -> None:
        """Run forward and rules once on symbols: a rule that branches is refused here."""
        out, args = Symbol("out"), tuple(map(Symbol, self.parameters if self.arity else "xyz"))
        results: list[tuple[str, Any]] = []
        if not isinstance(self.forward, Primitive):
            try:
                results.append(("forward", self.forward(*args)))
            except Exception:
                self.opaque = True
        label = "pullback"
        try:
            parts = self.pullback(Symbol("g"), out, args) if self.pullback else []
            for i, partial in enumerate(self.partials):
                label = f"partial {i}"
                results.append((label, partial(out, *args)))
        except Exception as error:
            raise RuleError(f"{self.name}, {label}: {error}") from error
        if self.pullback and not (isinstance(parts, list) and len(parts) == len(args)):
            raise RuleError(
                f"{self.name}, pullback returned {parts!r:.60}, "
                f"not a list with one contribution for each of {len(args)} arguments"
            )
        for label, result in [*results, *(("pullback", part) for part in parts)]:
            if not isinstance(result, Operand | numbers.Real):
                raise RuleError(f"{self.name}, {label} returned {result!r}, not a number")


def op_named(name: str) -> Op:
    """Return the row called ``name`` (what a pickled node refers to)."""
    try:
        return TABLE[name]
    except KeyError:
        raise RuleError(f"no op {name!r} in the table: import the module that defines it") from None


def seal() -> None:
    """Close the built-in table: trace its rows, which may refer to later ones, and protect them.

    Those of one argument become methods of every operand.
    """
    for op in TABLE.values():
        op._trace()
        if op.arity == 1 and not op.binds:
            setattr(Operand, op.name, _method(op))
    _built_in.update(TABLE)


def _method(op: Op) -> Callable[[T], T]:
    def method(self: T) -> T:
        return op(self)

    method.__name__ = op.name
    method.__qualname__ = f"Operand.{op.name}"
    method.__doc__ = f"Return {op.spell('self')}."
    return method
