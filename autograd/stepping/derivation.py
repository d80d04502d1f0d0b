"""The chain rule worked out for one node: numbered steps, with the numbers plugged in."""

from __future__ import annotations

import re
from typing import Any

from autograd.engine import Value
from autograd.formula import latex, rule, short, text
from autograd.operation import Symbol
from autograd.stepping.events import Recording
from autograd.stepping.notation import named_args, show

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
            notation.gap(row) if isinstance(row, int) else " &= ".join(notation.step(row))
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
        left_out = len(self.nodes) - self.most
        return [*self.nodes[:head], left_out, *self.nodes[head + left_out :]]

    def _numbered(self, notation: _Text, frame: str = "{}") -> list[str]:
        lines, number = [], 0
        for row in self._rows():
            if isinstance(row, int):
                lines.append(f"   ... {row} more steps ...")
                number += row
            else:
                number += 1
                lines.append(f"{number}. {frame.format(' = '.join(notation.step(row)))}")
        return lines


class _Text:
    """How a step is written in plain text."""

    times, because = " * ", "   as "

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def step(self, node: Value) -> tuple[str, str]:
        """Return what one step derives, and from what: the sum over the users of ``node``."""
        recording = self.recording
        adjoint = self.number(recording.adjoint(node))
        here = self.partial(recording.root, node)
        steps = [recording.step(i) for i in recording.incoming[node]]
        if not steps:
            return here, adjoint
        left_out = f" + ({len(steps) - TERMS} more)" if len(steps) > TERMS else ""
        shown = steps[:TERMS]
        symbols = " + ".join(
            self.formula(Symbol(self.partial(recording.root, s.node)) * self.local(s.node, s.slot))
            for s in shown
        )
        numbers = " + ".join(
            f"{self.factor(s.upstream)}{self.times}{self.factor(s.local)}" for s in shown
        )
        users = ", ".join(self.definition(user) for user in dict.fromkeys(s.node for s in shown))
        return here, f"{symbols}{left_out} = {numbers}{left_out} = {adjoint}{self.because}{users}"

    def name(self, node: Value) -> str:
        return self.recording.name(node)

    def partial(self, root: Value, node: Value) -> str:
        return f"d {self.name(root)}/d {self.name(node)}"

    def number(self, x: float) -> str:
        return show(x)

    def factor(self, x: float) -> str:
        return self.number(x)

    def formula(self, expression: Any) -> str:
        return text(expression, short)

    def definition(self, node: Value) -> str:
        return self.recording.definition(node)

    def local(self, node: Value, slot: int) -> Any:
        """Return the rule of one edge in the nodes' names."""
        assert node.op is not None
        return rule(node.op, slot, Symbol(self.name(node)), named_args(node, self.name))


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
        mantissa, _, exponent = show(x).replace("inf", r"\infty").partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def factor(self, x: float) -> str:
        written = self.number(x)
        return f"({written})" if written.startswith("-") else written

    def formula(self, expression: Any) -> str:
        return latex(expression, short)

    def definition(self, node: Value) -> str:
        assert node.op is not None
        applied = Symbol._apply(node.op, named_args(node, self.name))
        return f"{self.name(node)} = {self.formula(applied)}"

    def gap(self, count: int) -> str:
        return rf"&\quad\vdots\quad\text{{({count} more steps)}}"


def _escaped(name: str) -> str:
    special = {c: f"\\{c}" for c in "#$%&_{}"}
    special |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "\n": " "}
    return "".join(special.get(c, c) for c in name)
