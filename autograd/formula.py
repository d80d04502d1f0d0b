"""Formulas as text: one precedence walk, a table of templates per notation.

>>> from autograd.operation import TABLE, Symbol
>>> x, y = Symbol("x"), Symbol("y")
>>> text((x + y) * -x / 2)
'(x + y) * -x / 2'
>>> latex(TABLE["tanh"].partials[0](y, x))
'1 - y \\\\cdot y'
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from autograd.graph import topological_order
from autograd.operation import Number, Op, Symbol, plain

Template = tuple[str, int]
"""A format string over the arguments, and its precedence (0: needs no parentheses)."""

SIGN = 3
"""The precedence of a sign, and so of a negative number: ``(-3) ** 2``, but ``-3 * x``."""


def number(x: float) -> str:
    """Return a plain number as a reader writes it: 2 for 2.0.

    >>> number(2.0), number(-0.5), number(1e300)
    ('2', '-0.5', '1e+300')
    """
    return str(int(x)) if abs(x) < 1e15 and x == int(x) else repr(x)


def short(x: float) -> str:
    """Return a plain number to six digits.

    >>> short(2.0), short(-0.0), short(1 / 3)
    ('2', '0', '0.333333')
    """
    return number(float(f"{x:.6g}"))


def json_number(x: float) -> float | str:
    """Return a number as JSON can hold it: what JSON lacks as the text "inf", "-inf" or "nan"."""
    return x if math.isfinite(x) else str(x)


def text(expression: Any, constant: Callable[[float], str] = number) -> str:
    """Return a formula in the notation of Python, its numbers in full or as ``constant`` says."""
    return spell(expression, _text_template, constant)


def latex(expression: Any, constant: Callable[[float], str] = number) -> str:
    """Return a formula in the notation of LaTeX, without delimiters."""
    infinite = lambda x: constant(x).replace("inf", r"\infty")
    return spell(expression, _latex_template, infinite, wraps_signs=True)


def rule_symbols(op: Op, args: tuple[Any, ...]) -> tuple[Symbol, tuple[Any, ...]]:
    """Return the symbols for ``(out, args)`` under which a rule of ``op`` is traced.

    Plain numbers stay numbers, so that they fold: the rule of ``x ** 2`` reads ``2 * x ** 1``.
    """
    names = op.parameters if op.arity else [f"x{i + 1}" for i in range(len(args))]
    out = "y" if op.arity == 1 else "z"
    return Symbol(out), tuple(
        Number(arg) if isinstance(arg, float) else Symbol(name)
        for name, arg in zip(names, args, strict=True)
    )


def rule(op: Op, slot: int, out: Any, args: tuple[Any, ...]) -> Any:
    """Return the local derivative of ``op`` in argument ``slot``, by its rule.

    What comes back is of the kind of the arguments: a number, a symbol or a node.
    """
    return op.locals(out, args, (slot,))[0]


def spell(
    expression: Any,
    template: Callable[[Op, int], Template],
    constant: Callable[[float], str],
    names: Mapping[Symbol, str] | None = None,
    *,
    wraps_signs: bool = False,
) -> str:
    """Return ``expression`` in some notation.

    Args:
        template: the template of an op with n arguments.
        constant: how a plain number is written.
        names: subexpressions that have a name already (a compiler's temporaries).
        wraps_signs: whether a sign never follows ``+ - *``: ``x - (-y)`` for ``x - -y``.
    """
    written: dict[Symbol, Template] = {}

    def template_of(part: Any) -> Template:
        if isinstance(part, Symbol):
            return written[part]
        literal = constant(plain(part))
        return literal, SIGN if literal.startswith("-") else 0

    for part in topological_order(expression) if isinstance(expression, Symbol) else []:
        if names and part in names:
            written[part] = names[part], 0
        elif part.op is None:
            written[part] = part.name, 0
        else:
            pattern, binds = template(part.op, len(part.args))
            texts = []
            for i, arg in enumerate(part.args):
                inner, inner_binds = template_of(arg)
                if i == 0:
                    # Infix ops associate to the left, except the power and the sign.
                    is_weak = 0 < inner_binds < binds + (binds >= SIGN)
                elif wraps_signs and 0 < binds < SIGN and inner.startswith("-"):
                    is_weak = True
                else:
                    # After an operator, a sign can't be misread: x ** -1.
                    is_weak = 0 < inner_binds <= binds and inner_binds != SIGN
                texts.append(f"({inner})" if is_weak else inner)
            written[part] = pattern.format(*texts), binds
    return template_of(expression)[0]


def infix(op: Op, arity: int) -> Template:
    """Return the template of an operator between its arguments, or before its only one."""
    return (f"{{0}} {op.symbol} {{1}}" if arity == 2 else f"{op.symbol}{{0}}"), op.binds


def call(name: str, arity: int) -> Template:
    """Return the template of a function and its arguments in parentheses."""
    return f"{name}({', '.join(f'{{{i}}}' for i in range(arity))})", 0


def _text_template(op: Op, arity: int) -> Template:
    return infix(op, arity) if op.binds else call(op.name, arity)


def _latex_template(op: Op, arity: int) -> Template:
    args = ", ".join(f"{{{i}}}" for i in range(arity))
    if op.latex.startswith(r"\frac"):
        return op.latex, 0  # shows on its own where it begins and ends
    if "{0}" in op.latex:
        return op.latex if op.arity else op.latex.replace("{0}", args), op.binds
    if op.binds:
        return infix(op, arity)
    name = op.latex or r"\operatorname{{" + op.name.replace("_", r"\_") + "}}"
    return rf"{name}\left({args}\right)", 0
