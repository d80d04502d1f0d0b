"""`record` without its questions: an op on one mix of nodes and plain numbers, as float code.

The engine is whole without this file, and slower. What is generated here does as
`autograd.engine.record` where nothing goes wrong and nobody debugs; else it hands over to that.
Where the accelerator is there, it records the operators and most rows in C, and these the others.
"""

from __future__ import annotations

import gc
from _thread import allocate_lock
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from itertools import accumulate, groupby

from autograd import engine, graph, modes, ops, schedule
from autograd.acceleration import accelerator
from autograd.annotations import Any
from autograd.engine import Value, clock, record
from autograd.forms import floats_of, form, form_of
from autograd.graph import topological_order
from autograd.lowering import INLINE, UNROLLED, function_of, lower, value_function
from autograd.modes import AS_LEAF, current_mode
from autograd.operand import Operand, real, real_or_foreign
from autograd.operation import TABLE, Op, Primitive, Symbol, plain

CALLS_WORTHWHILE = 128
"""After so many calls, a recorder is made: that takes as long as `record` for some fifty, which a
program of a few milliseconds never earns back."""

MOST_RECORDERS = 4096
"""So many recorders are kept, and mixes of arguments counted; then counting begins anew. A program
whose sums have ever another length doesn't fill the memory with them."""

SHORT = 4
"""Of no more arguments than these, each is a part of the key of its recorder."""

ASKED = """\
mode = current_mode()
way = mode.way
if way > AS_LEAF:
    return {general}"""

TEXT = """\
try:
    {compute}
except (ValueError, ArithmeticError, TypeError):
    return record(op, {args})
node = new(Value)
node.data = data
node.grad = 0.0
node.label = ""
node.origin = mode.origin
node._mark = None
node._age = clock[0]
if way:
    node._form = None
    node._a = node._b = 0.0
else:
    node._a = {a}
    node._b = {b}
    node._form = form
return node"""


@lru_cache(maxsize=MOST_RECORDERS)
def recorder(op: Op, pattern: tuple[bool, ...], *, reflected: bool = False) -> Callable[..., Value]:
    """Return the function that records ``op``; ``pattern`` says which arguments are nodes.

    It takes one argument or two (``reflected``: the second one first), of more the tuple. Of
    two nodes the second may be a number after all: the operators of Python don't know.
    """
    names = [f"x{i}" for i in range(len(pattern))]
    given = {
        "AS_LEAF": AS_LEAF, "Value": Value, "clock": clock, "current_mode": current_mode,
        "form": form(op, pattern), "new": Value.__new__, "op": op,
        "operate": _operate, "plain": plain, "real_or_foreign": real_or_foreign, "record": record,
    }  # fmt: skip
    lines: list[str] = []
    converted: list[str] = []
    if len(pattern) > 2:
        signature = args = a = "args"
        b = "0.0"
        if len(pattern) <= UNROLLED:
            lines.append(f"{', '.join(names)} = args")
    else:
        signature, args = ", ".join(names[::-1] if reflected else names), f"({', '.join(names)},)"
        a, b = [*names, "0.0"][:2]
        if pattern == (True, True):
            given["mixed"] = recorder(op, (True, False))
            lines.append("if x1.__class__ is not Value: return mixed(x0, x1)")
        for name, is_node in zip(names, pattern, strict=True):
            if not is_node:
                converted += [
                    f"if {name}.__class__ is not float:",
                    f"    {name} = real_or_foreign(plain({name}))",
                    f"    if {name}.__class__ is not float: return NotImplemented",
                ]
    compute, formulas = _compute(op, pattern, given)
    general = "operate(op, x0, x1)" if converted and len(pattern) == 2 else f"record(op, {args})"
    asked = ASKED.format(general=general).splitlines()
    body = TEXT.format(args=args, a=a, b=b, compute="\n    ".join(compute)).splitlines()
    return function_of(signature, [*lines, *asked, *converted, *body], formulas, given)


def _compute(
    op: Op, pattern: tuple[bool, ...], given: dict[str, Any]
) -> tuple[list[str], list[Any]]:
    """Return the lines that compute ``data``, and the formulas that they spell.

    They raise wherever `record` must have a closer look. The libm functions of the table's own
    rows do so outside their domain; those of a user's row may know nothing of what it declares.
    """
    forward, names = op.forward, [f"x{i}{'.data' * p}" for i, p in enumerate(pattern)]
    if not op.domain or (op.is_built_in and isinstance(forward, Primitive) and forward.raises):
        if isinstance(forward, Primitive):
            if forward.function in INLINE:
                return [f"data = {INLINE[forward.function][0].format(*names)}"], []
            given["forward"] = forward.function
        elif op.opaque or len(pattern) > UNROLLED:
            given["forward"] = value_function(op, len(pattern))
        else:
            formula = forward(*map(Symbol, names))
            lines, (text,) = lower([formula])
            return [*lines, f"data = {text}"], [formula]
    else:
        given["forward"] = _guarded(op)
    if len(pattern) > UNROLLED:
        given["floats_of"] = floats_of
        runs = [(is_node, len([*run])) for is_node, run in groupby(pattern)]
        ends = [*accumulate(length for _, length in runs)]
        parts = [
            f"*[arg.data for arg in args[{end - length}:{end}]]"
            if is_node
            else f"*args[{end - length}:{end}]"
            for (is_node, length), end in zip(runs, ends, strict=True)
        ]
        floats = ", ".join(parts) if len(runs) < 4 else "*floats_of(args)"
        return [f"data = forward({floats})"], []
    return [f"data = forward({', '.join(names)})"], []


def _guarded(op: Op) -> Callable[..., float]:
    def forward(*args: float) -> float:
        if op.violation(list(args)):
            raise ValueError
        return op.ieee(*args)

    return forward


_known: dict[Any, Any] = {}
"""By op and types of its arguments (their number, if all of many are nodes): the recorder, or how
often there was none."""

_likely: dict[Any, Any] = {}
"""By op, number and three of the types of many arguments, which mostly tell all: these, and the
recorder."""
NOTHING = None, record


def _apply(cls: type[Value], op: Op, args: tuple[Any, ...]) -> Any:
    """Record ``op``, by a recorder for this mix of arguments where one is worth its making."""
    key: Any = op
    guess: Any = None
    kinds: Any = ()
    if op.arity != 1:
        kinds = (*map(type, args),)
        if len(args) > SHORT:  # all types take as long to hash as a sum to compute
            guess = (op, len(args), kinds[0], kinds[len(args) // 2], kinds[-1])
            likely, made = _likely.get(guess, NOTHING)
            if likely == kinds:
                return made(args)
        is_plain = guess is None or kinds.count(Value) < len(args)
        key = (op, *kinds) if is_plain else (op, len(args))
    found = _known.get(key, 0)
    if found.__class__ is int:
        kinds = kinds or (type(args[0]),)
        if not {Value, float}.issuperset(kinds):
            return record(op, args)
        if found < CALLS_WORTHWHILE:
            if len(_known) >= MOST_RECORDERS and key not in _known:
                _known.clear()
                _likely.clear()
            _known[key] = found + 1
            return record(op, args)
        found = _known[key] = recorder(op, tuple(kind is Value for kind in kinds))
    if guess:
        _likely[guess] = (kinds, found)
    return found(*args) if len(args) < 3 else found(args)


def _attach(name: str, op: Op, pattern: tuple[bool, ...], *, reflected: bool = False) -> None:
    """Make a method of `Value` that gives way to a recorder once that is worth its making.

    Its ``give_way`` does so at once, for who is to know what will be there.
    """
    calls = 0

    def give_way() -> Callable[..., Value]:
        made = recorder(op, pattern, reflected=reflected)
        if vars(Value)[name] is method:  # else a user has put something in its place
            setattr(Value, name, made)
        return made

    def method(*args: Any) -> Value:
        nonlocal calls
        calls += 1
        if calls <= CALLS_WORTHWHILE:
            if len(args) == 2 and not isinstance(args[1], Operand):
                other = real_or_foreign(args[1])
                if other.__class__ is not float:
                    return NotImplemented  # type: ignore[no-any-return]
            return record(op, args[::-1] if reflected else args)
        return give_way()(*args)

    vars(method)["give_way"] = give_way
    method.__name__, method.__doc__ = name, getattr(Value, name).__doc__
    setattr(Value, name, method)


def _operate(op: Op, x: Any, y: Any = None) -> Any:
    """Return what an operator gives where an argument is neither a Value nor a plain float."""
    if op.arity == 1:
        return record(op, (x,))
    if x.__class__ is float or y.__class__ is float:  # the other one is a Value
        return record(op, (x, y))
    other = y if isinstance(x, Value) else x
    if not isinstance(other, Operand):
        other = real_or_foreign(other)
        if other.__class__ is not float:
            return NotImplemented
    return record(op, (x, other) if isinstance(x, Value) else (other, y))


_ticking = allocate_lock()


def tick(*by_gc: object) -> None:
    """Let all nodes from now on be known to be younger than those before."""
    if _ticking.acquire(blocking=not by_gc):  # which may come amid a tick; no clock goes back
        clock[0] += 1.0
        _ticking.release()


def _pass(by_python: Callable[..., None]) -> Callable[..., None]:
    """Return `Value.backward` for where a pass needs nothing of Python but to be begun."""

    @wraps(by_python)
    def backward(self: Value, seed: float = 1.0) -> None:
        if current_mode().way <= AS_LEAF:
            number = real(seed)
            with engine._backward_lock:
                if accelerator.backward(self, number):
                    return
        by_python(self, seed)

    return backward


def _walk(by_python: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Return `topological_order` for nodes in C; of what else there is, it is Python's."""

    @wraps(by_python)
    def topological_order(*roots: Any, ends: Iterable[Any] = (), since: float = 0.0) -> list[Any]:
        ends = (*ends,)
        order: list[Any] | None = accelerator.topological_order(roots, ends, since)
        return by_python(*roots, ends=ends, since=since) if order is None else order

    return topological_order


def _backward_order(root: Value) -> tuple[list[Value], list[Value]]:
    """Return what that of `schedule` does, which reads the slots that nodes in C haven't."""
    order = graph.topological_order(root)
    inner = [node for node in order if node.op]
    for node in inner:
        node.grad = 0.0
    for node in order if inner else []:
        node._mark = True
    return inner, [node for node in order if not node.op]


Value._apply = classmethod(_apply)  # type: ignore[method-assign, assignment]
if accelerator:
    _order = _walk(topological_order)
    for _module in (engine, graph):  # and those that load it from here on
        vars(_module)["topological_order"] = _order
    for _module in (engine, schedule):
        vars(_module)["backward_order"] = _backward_order
    accelerator.connect(TABLE, _operate, form_of, modes._mode)
    Value.backward = _pass(Value.backward)  # type: ignore[method-assign]
    Op._call = Op.__call__  # type: ignore[attr-defined]
    del Op.__call__
else:
    gc.callbacks.append(tick)  # some hundred nodes after the last time: it looks after them
    for _name, _op in ops.OPERATORS.items():
        if _op.arity == 1:
            _attach(f"__{_name}__", _op, (True,))
        else:
            _attach(f"__{_name}__", _op, (True, True))
            _attach(f"__r{_name}__", _op, (False, True), reflected=True)
    for _op in TABLE.values():
        if _op.arity == 1 and not _op.binds:
            _attach(_op.name, _op, (True,))
