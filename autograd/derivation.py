"""The chain rule worked out for one node: numbered steps, with the numbers plugged in."""

from __future__ import annotations

import re
from typing import Any

from autograd.engine import Value
from autograd.events import Recording, show
from autograd.formula import latex, rule, short, text
from autograd.operand import Number, Symbol

TERMS = 4
"""Contributions written out per step; more are counted."""


class Derivation:
    """d root / d node, derived step by step from the root down.

    Args:
        recording: the run to derive from.
        node: a node of it.
        most: the number of steps to write; the middle of a longer derivation is left out, and
            the text says how many steps that is.

    Attributes:
        nodes: one node per step, each with its adjoint complete.

    Print it for text; `markdown` and `latex` give the other notations, and a notebook shows
    the formulas typeset.
    """

    def __init__(self, recording: Recording, node: Value, most: int = 60) -> None:
        self.recording = recording
        self.node = recording.known(node)
        self.nodes = recording.between(node)
        self.most = most

    def __str__(self) -> str:
        return "\n".join(self._numbered(_Text(self.recording)))

    __repr__ = __str__

    def markdown(self) -> str:
        """Return the derivation as a Markdown list with formulas between dollar signs."""
        return "\n".join(self._numbered(_Latex(self.recording), "${}$"))

    def latex(self) -> str:
        """Return the derivation as a LaTeX ``align*`` environment."""
        notation = _Latex(self.recording)
        rows = [
            notation.gap(row) if isinstance(row, int) else notation.step(row).replace("=", "&=", 1)
            for row in self._rows()
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": self.markdown()}

    def _rows(self) -> list[Value | int]:
        """Return the nodes to write, and in their midst the number of those left out."""
        if len(self.nodes) <= self.most:
            return list(self.nodes)
        head = self.most // 2
        tail = self.most - head
        return [*self.nodes[:head], len(self.nodes) - self.most, *self.nodes[-tail:]]

    def _numbered(self, notation: _Text, frame: str = "{}") -> list[str]:
        lines, number = [], 0
        for row in self._rows():
            if isinstance(row, int):
                lines.append(f"   ... {row} more steps ...")
                number += row
            else:
                number += 1
                lines.append(f"{number}. {frame.format(notation.step(row))}")
        return lines


class _Text:
    """How a step is written in plain text."""

    times, because = " * ", "   as "

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def step(self, node: Value) -> str:
        """Return one step: the sum over the nodes that use ``node``, then in numbers."""
        recording = self.recording
        adjoint = self.number(recording.adjoint(node))
        here = self.partial(recording.root, node)
        steps = [recording.step(i) for i in recording.incoming[node]]
        if not steps:
            return f"{here} = {adjoint}"
        left_out = f" + ({len(steps) - TERMS} more)" if len(steps) > TERMS else ""
        shown = steps[:TERMS]
        symbols = " + ".join(
            f"{self.partial(recording.root, s.node)}{self.times}{self.local(s.node, s.slot)}"
            for s in shown
        )
        numbers = " + ".join(
            f"{self.number(s.upstream)}{self.times}{self.number(s.local)}" for s in shown
        )
        users = ", ".join(self.definition(user) for user in dict.fromkeys(s.node for s in shown))
        return (
            f"{here} = {symbols}{left_out} = {numbers}{left_out} = {adjoint}{self.because}{users}"
        )

    def name(self, node: Value) -> str:
        return self.recording.name(node)

    def partial(self, root: Value, node: Value) -> str:
        return f"d {self.name(root)}/d {self.name(node)}"

    def number(self, x: float) -> str:
        return show(x)

    def formula(self, expression: Any) -> str:
        return text(expression, short)

    def definition(self, node: Value) -> str:
        assert node.op is not None
        applied = self.formula(Symbol._apply(node.op, self._args(node)))
        return f"{self.name(node)} = {applied}"

    def local(self, node: Value, slot: int) -> str:
        """Return the rule of one edge in the nodes' names, in parentheses if it is a sum."""
        assert node.op is not None
        local = rule(node.op, slot, Symbol(self.name(node)), self._args(node))
        written = self.formula(local)
        compound = isinstance(local, Symbol) and local.op is not None and 0 < local.op.binds <= 2
        return f"({written})" if compound or written.startswith("-") else written

    def _args(self, node: Value) -> tuple[Any, ...]:
        return tuple(
            Number(arg) if isinstance(arg, float) else Symbol(self.name(arg)) for arg in node.args
        )


class _Latex(_Text):
    """How a step is written in LaTeX."""

    times, because = r" \cdot ", r" \quad\text{as } "

    def name(self, node: Value) -> str:
        name = super().name(node)
        indexed = re.fullmatch(r"([A-Za-z])(\d+)", name)
        if indexed:
            return f"{indexed[1]}_{{{indexed[2]}}}"
        return name if re.fullmatch("[A-Za-z]", name) else rf"\text{{{_escaped(name)}}}"

    def partial(self, root: Value, node: Value) -> str:
        return rf"\frac{{\partial {self.name(root)}}}{{\partial {self.name(node)}}}"

    def number(self, x: float) -> str:
        mantissa, _, exponent = show(x).partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def formula(self, expression: Any) -> str:
        return latex(expression, short)

    def gap(self, count: int) -> str:
        return rf"&\quad\vdots\quad\text{{({count} more steps)}}"


def _escaped(name: str) -> str:
    special = {c: f"\\{c}" for c in "#$%&_{}"}
    special |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "\n": " "}
    return "".join(special.get(c, c) for c in name)
