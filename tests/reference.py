"""The table of operations as a reader sees it, generated from the rows.

``python -m tests.reference`` brings the README's up to date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from autograd import ops
from autograd.domain import Joint
from autograd.formula import rule, rule_symbols, text
from autograd.operation import TABLE, Op, Symbol


def with_table(document: str) -> str:
    """Return a document with the table of the built-in rows between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    rows = [op for name, op in TABLE.items() if getattr(ops, name, None) is op]
    found = re.search(r"<!-- generated [^\n]*-->\n\n(.*?)\n\n<!-- end", document, re.DOTALL)
    if found is None:
        raise ValueError("there is no <!-- generated ... --> or no <!-- end ... --> around a table")
    return document[: found.start(1)] + markdown_table(rows) + document[found.end(1) :]


def markdown_table(rows: Iterable[Op]) -> str:
    """Return operations as a Markdown table: domain, derivative, conventions."""
    lines = [("operation", "needs", "derivative", "conventions and accuracy"), ("---",) * 4]
    lines += [(f"`{application(op)}`", needs(op), derivatives(op), op.note) for op in rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in lines
    )


def application(op: Op) -> str:
    """Return the op applied to its arguments' names.

    >>> from autograd import TABLE
    >>> application(TABLE["pow"]), application(TABLE["sum"])
    ('x ** y', 'sum(x1, x2)')
    """
    return text(Symbol._apply(op, _symbols(op)[1]))


def needs(op: Op) -> str:
    """Return the op's domain in words; "" for all real numbers.

    >>> from autograd import TABLE
    >>> needs(TABLE["div"])
    'y != 0'
    """
    if isinstance(op.domain, Joint):
        return op.domain.text
    named = zip(op.parameters, op.domain, strict=False)
    return ", ".join(f"{name} {domain!r}" for name, domain in named if repr(domain) != "real")


def derivatives(op: Op) -> str:
    """Return the rules of all arguments, by their names.

    >>> from autograd import TABLE
    >>> derivatives(TABLE["div"])
    'x: `1 / y`, y: `-z / y`'
    """
    out, args = _symbols(op)
    rules = [f"`{text(rule(op, slot, out, args))}`" for slot in range(len(args))]
    if len(args) == 1:
        return rules[0]
    return ", ".join(f"{arg.name}: {local}" for arg, local in zip(args, rules, strict=True))


def _symbols(op: Op) -> tuple[Symbol, tuple[Symbol, ...]]:
    """Return symbols for the result and the arguments; variadic rows are shown with a few."""
    count = op.arity or (4 if op.weighted else 2)
    return rule_symbols(op, tuple(map(Symbol, "abcd"[:count])))


if __name__ == "__main__":
    readme = Path("README.md")
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
