"""What an operation is: a row of the table.

A row (`Op`) holds a forward function and, per argument, a rule for the derivative. Both are
ordinary arithmetic, so whoever calls them decides what they mean: called on `Number` they
compute by IEEE 754, on `Symbol` they write down the formula, on the engine's `Value` they
record a graph.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable, Iterable, Mapping

from autograd.acceleration import OpBase
from autograd.annotations import Any, NamedTuple, NoReturn, overload
from autograd.domain import Domain, Joint
from autograd.errors import DivisionByZeroError, DomainError, RuleError, quoted
from autograd.operand import Operand, T, attach, real

Rule = Callable[..., Any]

TABLE: dict[str, Op] = {}
"""Every row by name, in the order of definition; a row enters when it is made."""

_built_in: dict[str, Op] = {}


class Primitive(NamedTuple):
    """A function of one libm (or IEEE) operation: what every target spells on its own.

    Attributes:
        function: the fastest form for floats; may raise where Python does.
        ieee: the same bits, with infinities and NaN in place of exceptions.
    """

    function: Callable[..., float]
    ieee: Callable[..., float]

    @property
    def raises(self) -> bool:
        """Whether ``function`` is known to raise where IEEE 754 has a number."""
        return self.function is not self.ieee


def primitive(
    function: Callable[..., float], ieee: Callable[..., float] | None = None
) -> Primitive:
    """Return ``function`` marked as a primitive; ``ieee`` is needed where it can raise."""
    return Primitive(function, ieee or function)


class Op(OpBase):
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
        latex: template with ``{0}``, ``{1}`` for the arguments, or the name of the function; if
            empty, an infix op as it is, else the name upright.
        commutes: whether the arguments may change places, and a chain of it be bracketed anyhow.
        weighted: whether the arguments are n weights, n inputs and at most one bias.
        length: how far an argument may move before the op changes its character: 1.0, inf for
            arithmetic, which has no length of its own, or ``(*args) -> one for each``.
        note: accuracy bounds and conventions, with their source.

    Attributes:
        arity: the number of arguments; None for a row of any number.
        operator: of a row that Python has an operator for, its name there, such as "truediv".
        opaque: whether the forward is neither a primitive nor a formula.

    Raises:
        RuleError: a rule branches on its argument, leaves the table, or the columns disagree.

    >>> square = Op("square", lambda x: x * x, (lambda y, x: 2 * x,))
    >>> square(3.0)
    9.0
    """

    by_hand = False
    """Whether it belongs to one node that a user built by hand, and to no table."""

    is_built_in = False
    """Whether the row is one of the table's own, which nobody can replace."""

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
        commutes: bool = False,
        weighted: bool = False,
        length: float | Callable[..., tuple[float, ...]] = 1.0,
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
        self.commutes = commutes
        self.weighted = weighted
        self.length = length
        self.note = note
        self.opaque = False
        self.operator = ""
        self.arity = len(partials) or None
        if not (isinstance(name, str) and name.isidentifier()):
            raise RuleError(f"an op's name must be an identifier, got {quoted(name)}")
        if bool(partials) == bool(pullback):
            raise RuleError(f"{name}: give either partials or a pullback")
        if isinstance(domain, tuple) and domain and len(domain) != self.arity:
            raise RuleError(f"{name}: {len(domain)} domains for {len(partials)} partials")
        if not self.by_hand:
            _register(self)

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
        # Where it begins with plain ones, such as the weights of a sum, an operand comes late.
        for arg in args if args and args[0].__class__ is not float else reversed(args):
            if isinstance(arg, Operand):
                kind = type(arg)
                if not isinstance(arg, Number):
                    break
        if kind is not None:
            return kind._apply(self, args)
        floats = [real(arg) for arg in args]
        violation = self.violation(floats)
        if violation:
            raise self.domain_error(violation, floats)
        return self.ieee(*floats)

    def ieee(self, *args: float) -> float:
        """Return the op of plain floats by IEEE 754: never raises (an opaque forward may)."""
        if isinstance(self.forward, Primitive):
            return self.forward.ieee(*args)
        if self.opaque:
            return float(self.forward(*args))
        return float(on_floats(self, self.forward)(*args))

    def locals(
        self, out: Any, args: tuple[Any, ...], slots: Iterable[int] | None = None
    ) -> list[Any]:
        """Return the local derivatives d out / d arg, by the rules, in all arguments or ``slots``.

        They are of the kind of the arguments: numbers, symbols or nodes.
        """
        slots = range(len(args)) if slots is None else slots
        if self.pullback is None:
            return [self.partials[slot](out, *args) for slot in slots]
        parts = self.pullback(_ONE, out, args)
        return [parts[slot] for slot in slots]

    def violation(self, args: list[float]) -> str:
        """Return what puts ``args`` outside the domain, as a message; "" if nothing does."""
        if isinstance(self.domain, Joint):
            if any(x != x for x in args) or self.domain.holds(*args):
                return ""
            broken = self.domain.text
        else:
            outside = [i for i, domain in enumerate(self.domain) if args[i] not in domain]
            if not outside:
                return ""
            broken = f"{self.parameters[outside[0]]} {self.domain[outside[0]]!r}"
        return f"{self.spell(*args)} is undefined: {self.name} needs {broken}"

    def domain_error(self, message: str, args: list[float]) -> DomainError:
        """Return the error for arguments outside the domain.

        Where Python's own operator would divide by zero, it is that error, too.
        """
        try:
            if self.operator:
                getattr(operator, self.operator)(*args)
        except ZeroDivisionError:
            return DivisionByZeroError(message)
        except ArithmeticError:
            pass
        return DomainError(message)

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

    def refuse_copies(self) -> None:
        """Raise if a node of this op can't be copied: those of the table can."""

    def __reduce__(self) -> tuple[Any, ...]:
        return op_named, (self.name,)

    def __deepcopy__(self, memo: object) -> Op:
        return self


class Number(Operand):
    """A plain number under IEEE 754: what the readable interpretation of a rule computes with.

    >>> (Number(1.0) / 0.0).value
    inf
    """

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Number:
        return Number(op.ieee(*map(plain, args)))


class _One(Number):
    """The 1 for which a pullback returns the local derivatives: no factor of a product."""

    __slots__ = ()

    def __mul__(self, factor: Any) -> Any:
        return factor


_ONE = _One(1.0)


def plain(x: Any) -> Any:
    """Return a Number's float, and anything else as it is (an int as a float)."""
    if isinstance(x, Number):
        return x.value
    return real(x) if type(x) is int else x


def on_floats(op: Op, rule: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rule of ``op`` as a function of floats.

    It runs on them as they are, several times faster than on `Number`, which is for where that
    raises. Not so a user's rule: where IEEE 754 has NaN, ``(-1.0) ** 0.5`` is a complex number.
    """

    def on_numbers(*args: float) -> Any:
        found = rule(*map(Number, args))
        return list(map(plain, found)) if isinstance(found, list | tuple) else plain(found)

    def on_plain(*args: float) -> Any:
        try:
            return rule(*args)
        except (ArithmeticError, ValueError):
            return on_numbers(*args)

    return on_plain if op.is_built_in else on_numbers


class Symbol(Operand):
    """A name, or an op applied to symbols and numbers: a formula.

    >>> x = Symbol("x")
    >>> (1 - x * x).op
    <op sub>
    """

    __slots__ = ("args", "name", "op")

    def __init__(self, name: str, op: Op | None = None, args: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.op = op
        self.args = args

    @classmethod
    def _apply(cls, op: Op, args: tuple[Any, ...]) -> Symbol:
        return cls("", op, tuple(a if isinstance(a, Symbol) else real(plain(a)) for a in args))

    def _refuse_test(self, *_: object) -> NoReturn:
        raise RuleError(
            "a rule can't test its argument or turn it into a number: use where(c, a, b)"
        )

    __bool__ = __float__ = __int__ = __index__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_test
    __eq__ = __ne__ = _refuse_test  # as identity they would freeze a branch, without a word
    __hash__ = object.__hash__


def op_named(name: str) -> Op:
    """Return the row called ``name`` (what a pickled node refers to)."""
    try:
        return TABLE[name]
    except KeyError:
        raise RuleError(f"no op {name!r} in the table: import the module that defines it") from None


def _register(op: Op) -> None:
    """Enter a row in the table; it is traced, but for a built-in one, which the tests trace."""
    if op.name in _built_in:
        raise RuleError(f"the table has a built-in op {op.name!r}; choose another name")
    if _built_in:
        _trace(op)
    TABLE[op.name] = op


def _trace(op: Op) -> None:
    """Run forward and rules once on symbols: a rule that branches is refused here."""
    out, args = Symbol("out"), tuple(map(Symbol, op.parameters if op.arity else "xyz"))
    results: list[tuple[str, Any]] = []
    if not isinstance(op.forward, Primitive):
        try:
            results.append(("forward", op.forward(*args)))
        except Exception:
            op.opaque = True
    label = "pullback"
    try:
        parts = op.pullback(Symbol("g"), out, args) if op.pullback else []
        for i, partial in enumerate(op.partials):
            label = f"partial {i}"
            results.append((label, partial(out, *args)))
    except Exception as error:
        raise RuleError(f"{op.name}, {label}: {error}") from error
    if op.pullback and not (isinstance(parts, list) and len(parts) == len(args)):
        raise RuleError(
            f"{op.name}, pullback returned {quoted(parts)}, "
            f"not a list with one contribution for each of {len(args)} arguments"
        )
    for label, result in [*results, *(("pullback", part) for part in parts)]:
        if not isinstance(result, Operand | numbers.Real):
            raise RuleError(f"{op.name}, {label} returned {quoted(result)}, not a number")


def seal(operators: Mapping[str, Op], aliases: Mapping[str, Op]) -> None:
    """Close the built-in table and protect its rows.

    Those of one argument become methods of every operand, ``operators`` its operators by their
    names in Python (``"truediv"``: ``__truediv__``, ``__rtruediv__``), ``aliases`` more methods.
    """
    for name, op in operators.items():
        op.operator = name
        attach(f"__{name}__", op, op.arity)
        if op.arity == 2:
            attach(f"__r{name}__", op, op.arity, reflected=True)
    for op in TABLE.values():
        op.is_built_in = True
        if op.arity == 1 and not op.binds:
            attach(op.name, op, 1)
    for name, op in aliases.items():
        attach(name, op, op.arity)
    _built_in.update(TABLE)
