"""One precedence walk over a formula, for any notation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autograd.annotations import Any
from autograd.graph import topological_order
from autograd.operation import Op, Symbol, plain

Template = tuple[str, int]
"""A format string over the arguments, and its precedence (0: needs no parentheses)."""

SIGN = 3
"""The precedence of a sign, and so of a negative number: ``(-3) ** 2``, but ``-3 * x``."""


def spell(
    expression: Any,
    template: Callable[[Op, int], Template],
    constant: Callable[[float], str],
    names: Mapping[Symbol, str] = {},
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
    written: dict[Symbol, Template] = {part: (name, 0) for part, name in names.items()}

    def template_of(part: Any) -> Template:
        if isinstance(part, Symbol):
            return written[part]
        literal = constant(plain(part))
        return literal, SIGN if literal.startswith("-") or "^" in literal else 0

    is_known = not isinstance(expression, Symbol) or expression in names
    for part in [] if is_known else topological_order(expression, ends=names):
        if part.op is None:
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
