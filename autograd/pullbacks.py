"""The rules of the table applied to Values, as code: what a result passes to its arguments.

A rule run on Values would compute what its plain numbers give, such as ``y - 1`` of ``x ** y``,
operator by operator on `Number`, each time. Here it is traced once for each mix of nodes and plain
numbers, and written out: these parts as float code, by IEEE 754, the others as ops to record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any

from autograd.forms import Form
from autograd.graph import topological_order
from autograd.lowering import INLINE, UNROLLED, function_of, lower, symbols
from autograd.operation import Number, Op, Primitive, Symbol, plain
from autograd.ops import mul_no_nan
from autograd.precedence import Template, call


def shares(node: Any, args: Sequence[Any], upstream: Any, asked: tuple[bool, ...]) -> list[Any]:
    """Return what a result passes to the arguments ``asked`` for, operands and floats."""
    op = node.op
    if op.pullback is not None and not op.singular:
        g = Number(upstream) if upstream.__class__ is float else upstream
        return list(map(plain, compress(op.pullback(g, node, _operands(args)), asked)))
    if len(args) > UNROLLED or not op.is_built_in:
        return [product(upstream, local, op.singular) for local in slopes(node, args, asked)]
    return _rule(node._form, asked)(upstream, node, *args)  # type: ignore[no-any-return]


def slopes(node: Any, args: Sequence[Any], asked: tuple[bool, ...]) -> list[Any]:
    """Return the local derivatives in the arguments ``asked`` for, operands and floats."""
    op = node.op
    if len(args) > UNROLLED or not op.is_built_in:
        slots = compress(range(len(args)), asked)
        return list(map(plain, op.locals(node, _operands(args), slots)))
    return _rule(node._form, asked)(1.0, node, *args)  # type: ignore[no-any-return]


def _operands(args: Sequence[Any]) -> tuple[Any, ...]:
    return tuple([Number(arg) if arg.__class__ is float else arg for arg in args])


def product(upstream: Any, local: Any, singular: bool) -> Any:
    """Return the contribution of one edge; what is multiplied with 1 or -1 makes no node."""
    if upstream.__class__ is float and upstream == 1:
        return local
    if local.__class__ is float and local in (1, -1):
        return upstream if local == 1 else -upstream
    return mul_no_nan(upstream, local) if singular else upstream * local


@lru_cache(maxsize=4096)
def _rule(form: Form, asked: tuple[bool, ...]) -> Callable[..., Any]:
    """Return ``(upstream, out, *args) -> shares`` for a built-in row; those of 1.0 are the slopes.

    ``asked`` says which of the shares are wanted.
    """
    op, pattern = form.op, form.pattern
    out, args = Symbol("out"), symbols(len(pattern))
    results = op.locals(out, args, compress(range(len(args)), asked))
    numbers = {arg for arg, is_node in zip(args, pattern, strict=True) if not is_node}
    used: dict[Symbol, Symbol] = {}  # the parts that are numbers, by the names they get

    def named(part: Any) -> Any:
        """Return a part that is known to be a number under its name."""
        if part not in numbers or part.op is None:
            return written.get(part, part) if isinstance(part, Symbol) else part
        return used.setdefault(part, Symbol(f"c{len(used)}"))

    written: dict[Symbol, Symbol] = {}
    for part in topological_order(*(r for r in results if isinstance(r, Symbol))):
        if part.op is None:
            continue
        if all(not isinstance(arg, Symbol) or arg in numbers for arg in part.args):
            numbers.add(part)
        else:
            written[part] = Symbol("", part.op, tuple(map(named, part.args)))
    lines, locals_ = lower(list(map(named, results)), _recorded)
    constants = list(used)
    steps, texts = lower(constants)
    steps += [f"{used[part].name} = {text}" for part, text in zip(constants, texts, strict=True)]
    passed = []
    for i, (result, text) in enumerate(zip(results, locals_, strict=True)):
        lines.append(f"d{i} = {text}")
        if not isinstance(result, Symbol) or result in numbers:  # it may be 1
            passed.append({"1.0": "g", "-1.0": "-g"}.get(text, f"product(g, d{i}, {op.singular})"))
        else:
            passed.append(f"mul_no_nan(g, d{i})" if op.singular else f"g * d{i}")
    lines.append("if g.__class__ is float and g == 1.0:")
    lines.append(f"    return [{', '.join(f'd{i}' for i in range(len(results)))}]")
    lines.append(f"return [{', '.join(passed)}]")
    given: dict[str, Any] = {_row(part.op): part.op for part in written.values() if part.op}
    given |= {"product": product, "mul_no_nan": mul_no_nan}
    signature = ", ".join(symbol.name for symbol in (Symbol("g"), out, *args))
    return function_of(signature, [*steps, *lines], constants, given)


def _row(op: Op) -> str:
    return f"row_{op.name}"


def _recorded(op: Op, arity: int) -> Template:
    """Return how a row of operands is written: it is recorded."""
    forward = op.forward
    if op.binds and isinstance(forward, Primitive) and forward.function in INLINE:
        return INLINE[forward.function]
    return call(_row(op), arity)
