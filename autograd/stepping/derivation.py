"""The chain rule worked out for one node: numbered steps, with the numbers plugged in."""

from __future__ import annotations

import re
import unicodedata
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
        return "\n".join(self._numbered(TextNotation(self.recording)))

    __repr__ = __str__

    def markdown(self) -> str:
        """Return the derivation as a Markdown list with formulas between dollar signs."""
        return "\n".join(self._numbered(LatexNotation(self.recording), "${}$"))

    def latex(self) -> str:
        """Return the derivation as a LaTeX ``align*`` environment."""
        notation = LatexNotation(self.recording)
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

    def _numbered(self, notation: TextNotation, frame: str = "{}") -> list[str]:
        lines, number = [], 0
        for row in self._rows():
            if isinstance(row, int):
                lines.append(f"   ... {row} more steps ...")
                number += row
            else:
                number += 1
                lines.append(f"{number}. {frame.format(' = '.join(notation.step(row)))}")
        return lines


class TextNotation:
    """How a step is written in plain text."""

    times, because = " * ", "   as "

    def __init__(self, recording: Recording, frame: str = "{}") -> None:
        self.recording = recording
        self.frame = frame

    def framed(self, formula: str) -> str:
        """Return a formula as it stands in prose, such as between dollar signs."""
        return self.frame.format(formula)

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


class LatexNotation(TextNotation):
    """How a step is written in LaTeX."""

    times, because = r" \cdot ", r" \quad\text{as } "

    def name(self, node: Value) -> str:
        return math_name(super().name(node))

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
        if node.op is None:
            return self.name(node)
        applied = Symbol._apply(node.op, named_args(node, self.name))
        return f"{self.name(node)} = {self.formula(applied)}"

    def gap(self, count: int) -> str:
        return rf"&\quad\vdots\quad\text{{({count} more steps)}}"


SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

SYMBOL = re.compile(r"([A-Za-z]|[Α-Ωα-ω]|\\[A-Za-z]+)(?:_?([0-9₀-₉]+)|_([A-Za-z]))?")
"""A label that is a symbol: a letter, perhaps with a subscript."""

LONGEST = 60
"""Characters of a label in a formula."""

UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What LaTeX does not read: controls but the end of a line, and halves of characters."""


def math_name(label: str) -> str:
    r"""Return a label in LaTeX's math mode: a letter with its subscript, or else upright text.

    >>> [math_name(label) for label in ("w", "w₁", "x12", "θ_1", r"\theta_1", "w_i", "Σ", "a & b")]
    ['w', 'w_{1}', 'x_{12}', '\\theta_{1}', '\\theta_{1}', 'w_{i}', '\\Sigma', '\\text{a \\& b}']
    """
    label = UNPRINTABLE.sub("\ufffd", label if len(label) <= LONGEST else f"{label[:LONGEST]}…")
    found = SYMBOL.fullmatch(label)
    base = found and _base(found[1])
    if not found or not base:
        return rf"\text{{{_escaped(label)}}}"
    subscript = (found[2] or found[3] or "").translate(SUBSCRIPTS)
    return f"{base}_{{{subscript}}}" if subscript else base


GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)
"""The Greek letters that LaTeX has a command for; the others look like Latin ones."""


def _base(letter: str) -> str:
    """Return a letter as LaTeX writes it; "" if it has no command for it."""
    if letter.isascii() and not letter.startswith("\\"):
        return letter
    name = letter.removeprefix("\\")
    if not letter.isascii():
        size, _, name = unicodedata.name(letter).removeprefix("GREEK ").partition(" LETTER ")
        name = name.replace("LAMDA", "LAMBDA")
        name = name.capitalize() if size == "CAPITAL" else name.lower()
    return f"\\{name}" if name in GREEK else ""


def _escaped(name: str) -> str:
    special = {c: f"\\{c}" for c in "#$%&_{}"}
    special |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}", "\n": " "}
    return "".join(special.get(c, c) for c in name)
