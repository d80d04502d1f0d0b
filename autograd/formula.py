"""Formulas as text and as LaTeX.

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

from autograd.operation import Number, Op, Symbol
from autograd.precedence import Template, call, infix, spell


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


def json_data(part: Any) -> Any:
    """Return plain data, at any depth, with its numbers as JSON can hold them; arrays are lists."""
    if isinstance(part, float):
        return json_number(part)
    if isinstance(part, Mapping):
        return {key: json_data(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [json_data(value) for value in part]
    return json_data(part.tolist()) if hasattr(part, "tolist") else part


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
