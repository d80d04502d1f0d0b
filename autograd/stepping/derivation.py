"""The chain rule worked out for one node: numbered steps, with the numbers plugged in."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

from autograd.engine import Value
from autograd.formula import latex, rule, short, text
from autograd.operation import Symbol
from autograd.stepping.events import Recording
from autograd.stepping.notation import named_args, show
from autograd.stepping.symbols import math_name, upright
from autograd.stepping.typesetting import LINE_WIDTH, broken, widest, width

TERMS_A_STEP = 4
"""Contributions written out per step; more are counted."""

PACKAGES = r"% Needs \usepackage{amsmath}."

INDENT = r"\quad"

PAGE_LINES = 18
"""Lines of formulas that fit a page."""

LONGEST_RULE = 0.45 * LINE_WIDTH
"""The width of a rule; in place of a longer one, the local derivative keeps its name."""

LONGEST_PART = 0.6 * LINE_WIDTH
"""The width of a part of a definition that can't break; one with a longer part names its op."""

MOST_ARGS = 6
"""Arguments of an op in LaTeX; of more, those in the middle are left out."""


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
        return "\n".join(self._numbered(MarkdownNotation(self.recording)))

    def latex(self) -> str:
        """Return the derivation as a LaTeX ``align*`` environment, in lines that fit a page.

        It begins with a comment that names the package it needs. More lines than a page has may
        break over pages.
        """
        notation = LatexNotation(self.recording)
        steps = [row if isinstance(row, int) else notation.step(row) for row in self._rows()]
        widest = max((width(step[0]) for step in steps if not isinstance(step, int)), default=0.0)
        # Where names are long, what is derived stands above what it is derived from.
        room = LINE_WIDTH - widest if widest < LINE_WIDTH / 3 else 0.0
        lines: list[str] = []
        for step in steps:
            lines += [notation.gap(step)] if isinstance(step, int) else _lines(step, room)
        align = "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"
        if len(lines) > PAGE_LINES:
            align = f"\\begingroup\\allowdisplaybreaks\n{align}\n\\endgroup"
        return f"{PACKAGES}\n{align}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": self.markdown()}

    def _rows(self) -> list[Value | int]:
        """Return the nodes to write, and in their midst the number of those left out."""
        if len(self.nodes) <= self.most:
            return list(self.nodes)
        head = self.most // 2
        left_out = len(self.nodes) - self.most
        return [*self.nodes[:head], left_out, *self.nodes[head + left_out :]]

    def _numbered(self, notation: TextNotation) -> list[str]:
        lines, number = [], 0
        for row in self._rows():
            if isinstance(row, int):
                lines.append(f"   ... {row} more steps ...")
                number += row
            else:
                number += 1
                here, chain, users = notation.step(row)
                because = f"{notation.because}{', '.join(users)}" if users else ""
                formula = " = ".join([here, *chain]) + because
                lines.append(f"{number}. {notation.framed(formula)}")
        return lines


def _lines(step: tuple[str, list[str], list[str]], room: float) -> list[str]:
    """Return a step as lines of ``align*``.

    Args:
        room: what is left of a line beside the longest left side, in points; 0 where that is long.
    """
    here, chain, users = step
    if room:
        head, beside = f"{here} &= ", room
    elif width(here) < LINE_WIDTH / 2:
        head, room, beside = f"&{here} = ", LINE_WIDTH, LINE_WIDTH - width(here)
    else:
        head, room, beside = f"&{here} \\\\\n&= ", LINE_WIDTH, LINE_WIDTH
    indented = room - 2 * width("= ")
    whole = " = ".join(chain)
    if width(f"= {whole}") < beside:
        lines = [head + whole]
    else:
        symbols, *numbers = chain
        first, *others = broken(symbols, beside - width("= "), indented)
        others += broken(f"= {' = '.join(numbers)}", room, indented) if numbers else []
        begins = ["&" if line.startswith("= ") else f"&{INDENT} " for line in others]
        lines = [head + first, *map(operator.add, begins, others)]
    because = rf"\text{{as }} {', '.join(users)}"
    if not users:
        return lines
    if len(lines) == 1 and width(f"= {whole} {INDENT} {because}") < beside:
        return [f"{lines[0]} {INDENT} {because}"]
    # Each definition stands on a line of its own, unless one has room for all.
    is_short = width(because) < indented
    definitions = [because] if is_short else [rf"\text{{as }} {users[0]}", *users[1:]]
    for definition in definitions:
        lines += [f"&{INDENT} {line}" for line in broken(definition, indented)]
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

    def step(self, node: Value) -> tuple[str, list[str], list[str]]:
        """Return what one step derives, what it is equal to, and how its users are defined.

        It is a sum over the users: in symbols, in numbers, and as one number.
        """
        recording = self.recording
        adjoint = self.number(recording.adjoint(node))
        here = self.partial(recording.root, node)
        steps = [recording.step(i) for i in recording.incoming[node]]
        if not steps:
            return here, [adjoint], []
        left_out = f" + {self.more(len(steps) - TERMS_A_STEP)}" if len(steps) > TERMS_A_STEP else ""
        shown = steps[:TERMS_A_STEP]
        symbols = " + ".join(
            self.formula(Symbol(self.partial(recording.root, s.node)) * self.local(s.node, s.slot))
            for s in shown
        )
        numbers = " + ".join(
            f"{self.factor(s.upstream)}{self.times}{self.factor(s.local)}" for s in shown
        )
        users = [self.definition(user) for user in dict.fromkeys(s.node for s in shown)]
        return here, [symbols + left_out, numbers + left_out, adjoint], users

    def name(self, node: Value) -> str:
        return self.recording.name(node)

    def partial(self, root: Value, node: Value) -> str:
        return f"d {self.name(root)}/d {self.name(node)}"

    def number(self, x: float) -> str:
        return show(x + 0.0)  # a zero has no sign here

    def more(self, count: int) -> str:
        return f"({count} more)"

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

    def __init__(self, recording: Recording, frame: str = "{}") -> None:
        super().__init__(recording, frame)
        self._name_of: dict[Value, str] = {}
        self._taken: set[str] = set()

    def name(self, node: Value) -> str:
        """Return a symbol for a node, and no two nodes the same: w1 and w_1 are told apart."""
        if node not in self._name_of:
            label, position = super().name(node), f"n{self.recording.position[node]}"
            symbols = (write(name) for name in (label, position) for write in self._writings())
            found = next((symbol for symbol in symbols if symbol not in self._taken), position)
            self._name_of[node] = found
            self._taken.add(found)
        return self._name_of[node]

    def _writings(self) -> tuple[Callable[[str], str], ...]:
        return math_name, upright

    def partial(self, root: Value, node: Value) -> str:
        return rf"\frac{{\partial {self.name(root)}}}{{\partial {self.name(node)}}}"

    def number(self, x: float) -> str:
        return _in_powers(super().number(x))

    def factor(self, x: float) -> str:
        written = self.number(x)
        return f"({written})" if written.startswith("-") else written

    def more(self, count: int) -> str:
        return rf"\text{{({count} more)}}"

    def formula(self, expression: Any) -> str:
        # Infinities are `latex`'s own business.
        return latex(expression, lambda x: short(x) if math.isinf(x) else _in_powers(short(x)))

    def definition(self, node: Value) -> str:
        if node.op is None:
            return self.name(node)
        written = self.formula(self._applied(node))
        if widest(written) > LONGEST_PART:
            args = ", ".join(self.formula(arg) for arg in named_args(node, self.name))
            written = rf"\operatorname{{{node.op.name.replace('_', '')}}}\left({args}\right)"
        return f"{self.name(node)} = {written}"

    def _applied(self, node: Value) -> Symbol:
        """Return a node's op on the names of its arguments; a weighted sum term by term."""
        op, args = node.op, named_args(node, self.name)
        assert op is not None
        if op.weighted:
            half = len(args) // 2
            terms = list(map(operator.mul, args[:half], args[half : 2 * half]))
            if half > MOST_ARGS:
                terms[MOST_ARGS // 2 : -1] = [Symbol(r"\cdots")]
            applied: Symbol = reduce(operator.add, (*terms, *args[2 * half :]))
            return applied
        if not op.arity and len(args) > MOST_ARGS:
            args = (*args[: MOST_ARGS // 2], Symbol(r"\ldots"), *args[-2:])
        return Symbol._apply(op, args)

    def local(self, node: Value, slot: int) -> Any:
        """Return the rule of one edge in the nodes' names, or its name where that is too long."""
        found = super().local(node, slot)
        arg = node.args[slot]
        if isinstance(found, Symbol) and isinstance(arg, Value):
            written = self.formula(found)
            if len(written) > 1000 or width(written) > LONGEST_RULE:
                return Symbol(self.partial(node, arg))
        return found

    def gap(self, count: int) -> str:
        return rf"&\quad\vdots\quad\text{{({count} more steps)}}"


class MarkdownNotation(LatexNotation):
    """How a step is written in Markdown: as LaTeX that a browser typesets, with all letters."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, "${}$")

    def _writings(self) -> tuple[Callable[[str], str], ...]:
        return lambda name: math_name(name, str), lambda name: upright(name, str)


def _in_powers(written: str) -> str:
    """Return a number as LaTeX writes it: 1.5e-07 as a power of ten."""
    mantissa, _, exponent = (
        written.replace("inf", r"\infty").replace("nan", r"\text{NaN}").partition("e")
    )
    if not exponent or "\\" in written:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    sign, size = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    return f"{sign}{power}" if size in ("1", "1.0") else rf"{mantissa} \cdot {power}"
