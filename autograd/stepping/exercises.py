"""An exercise sheet made of a run: questions on its chain rule, and their solutions."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.operation import Op, Symbol
from autograd.stepping.derivation import (
    PACKAGES,
    TERMS_A_STEP,
    LatexNotation,
    MarkdownNotation,
    TextNotation,
)
from autograd.stepping.events import Edge, Recording
from autograd.stepping.typesetting import LINE_WIDTH, loosened, width


class Exercise(NamedTuple):
    """A question and its solution, in the notation of one sheet."""

    question: str
    solution: str


class Exercises:
    """Questions on a backward pass: what is passed on along an edge, and what it adds up to.

    Args:
        recording: the run to ask about.
        most: how many edges to ask about. Each rule of the run comes first once, then the others
            in the order of the pass.

    Attributes:
        edges: the edges asked about, in the order of the pass.

    Print it for text; `markdown` and `latex` give sheets with formulas, and a notebook shows the
    questions typeset, without the solutions.

    >>> from autograd import Stepper
    >>> x = Value(3.0, label="x")
    >>> print(Stepper(x * x).exercises(most=1))
    Exercises on the gradients of n1
    <BLANKLINE>
    Given: x = 3.0
    Computed: n1 = x * x
    <BLANKLINE>
    1. What is the value of n1?
    2. n1 = x * x passes d n1/d n1 = 1.0 on to x as argument 1. What does it add to d n1/d x?
    3. 2 contributions reach x. The one not asked for here is 3.0. What is d n1/d x?
    <BLANKLINE>
    Solutions
    <BLANKLINE>
    1. n1 = 9.0
    2. d n1/d x = x = 3.0, so 1.0 * 3.0 = 3.0
    3. 3.0 + 3.0 = 6.0
    """

    def __init__(self, recording: Recording, most: int = 10) -> None:
        if most < 1:
            raise ValueError(f"a sheet asks about one edge or more, not {most}")
        self.recording = recording
        edges = [event for event in recording.events if isinstance(event, Edge)]
        self.edges = sorted(_varied(edges)[:most], key=lambda edge: edge.index)
        self._asked = {node for edge in self.edges for node in (edge.node, edge.arg)}
        self._asked |= set() if self.edges else {recording.root}
        indices = {edge.index for edge in self.edges}
        self._answered = {
            node
            for node, found in recording.incoming.items()
            if found and indices.issuperset(found)
        }

    def exercises(self, notation: TextNotation | None = None) -> list[Exercise]:
        """Return the questions with their solutions, as text or in another notation."""
        write = notation or TextNotation(self.recording)
        return [
            *self._values(write),
            *(self._contribution(write, edge) for edge in self.edges),
            *self._sums(write),
        ]

    def markdown(self) -> str:
        """Return questions and solutions as Markdown, with formulas between dollar signs."""
        write = MarkdownNotation(self.recording)
        questions, solutions = self._lists(write)
        head = f"# Exercises on the gradients of {write.framed(write.name(self.recording.root))}"
        return "\n".join(
            [head, "", *self._given(write), "", *questions, "", "## Solutions", "", *solutions]
        )

    def latex(self) -> str:
        """Return questions and solutions as LaTeX, in lines that fit a page.

        They begin with a comment that names the package they need.
        """
        write = ProseNotation(self.recording)
        found = self.exercises(write)
        root = write.framed(write.name(self.recording.root))
        # Ragged lines end before a formula that doesn't fit in them.
        lines = [PACKAGES, r"\begingroup\raggedright"]
        lines += [rf"\section*{{Exercises on the gradients of {root}}}", ""]
        lines += [rf"{line}\par" for line in self._given(write) if line]
        for title, items in (
            ("", [each.question for each in found]),
            ("Solutions", [each.solution for each in found]),
        ):
            lines += [rf"\section*{{{title}}}"] if title else []
            if items:
                lines += [r"\begin{enumerate}", *(rf"  \item {item}" for item in items)]
                lines += [r"\end{enumerate}"]
        lines += [r"\endgroup"]
        return "\n".join(lines)

    def __str__(self) -> str:
        write = TextNotation(self.recording)
        questions, solutions = self._lists(write)
        head = f"Exercises on the gradients of {write.name(self.recording.root)}"
        given = [line for line in self._given(write) if line]
        return "\n".join([head, "", *given, "", *questions, "", "Solutions", "", *solutions])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        questions = self.markdown().partition("\n## Solutions")[0]
        return {"text/plain": str(self), "text/markdown": questions}

    def _lists(self, write: TextNotation) -> tuple[list[str], list[str]]:
        found = self.exercises(write)
        numbered = list(enumerate(found, 1))
        return (
            [f"{i}. {each.question}" for i, each in numbered],
            [f"{i}. {each.solution}" for i, each in numbered],
        )

    def _given(self, write: TextNotation) -> list[str]:
        """Return what the sheet gives: numbers to start from, and how the rest is computed."""
        run = self.recording
        inner = [node for node in run.nodes if node in self._asked and node.op is not None]
        used = {arg for node in inner for arg in node.args if isinstance(arg, Value)} | self._asked
        given = [node for node in run.nodes if node in used - {*inner}]
        equal = [f"{write.name(node)} = {write.number(run.value(node))}" for node in given]
        computed = [write.definition(node) for node in inner]
        return [
            f"Given: {', '.join(map(write.framed, equal))}" if equal else "",
            *([""] if equal and computed else []),
            f"Computed: {', '.join(map(write.framed, computed))}" if computed else "",
        ]

    def _values(self, write: TextNotation) -> list[Exercise]:
        """Return the question for the values of the nodes that the edges join."""
        run = self.recording
        nodes = [node for node in run.nodes if node in self._asked and node.op is not None]
        if not nodes:
            return []
        names = _listed([write.framed(write.name(node)) for node in nodes])
        values = [f"{write.name(node)} = {write.number(run.value(node))}" for node in nodes]
        asked = f"What is the value of {names}?" if len(nodes) == 1 else f"What are {names}?"
        return [Exercise(asked, ", ".join(map(write.framed, values)))]

    def _contribution(self, write: TextNotation, edge: Edge) -> Exercise:
        """Return the question for one edge: what it is given must not answer another one."""
        run = self.recording
        upstream = write.partial(run.root, edge.node)
        if edge.node not in self._answered:
            upstream += f" = {write.number(edge.upstream)}"
        local = write.local(edge.node, edge.slot)
        partial, number = write.partial(edge.node, edge.arg), write.number(edge.local)
        written = write.formula(local)
        rule = f" = {written}" if isinstance(local, Symbol) and written != partial else ""
        product = f"{write.factor(edge.upstream)}{write.times}{write.factor(edge.local)}"
        # Of a node that is there twice, each use passes on its own.
        is_again = sum(arg is edge.arg for arg in edge.node.args) > 1
        which = f" as argument {edge.slot + 1}" if is_again else ""
        return Exercise(
            f"{write.framed(write.definition(edge.node))} passes {write.framed(upstream)} on to "
            f"{write.framed(write.name(edge.arg))}{which}. What does it add to "
            f"{write.framed(write.partial(run.root, edge.arg))}?",
            f"{write.framed(f'{partial}{rule} = {number}')}, so "
            f"{write.framed(f'{product} = {write.number(edge.product)}')}",
        )

    def _sums(self, write: TextNotation) -> list[Exercise]:
        """Return the questions for what several contributions add up to.

        Of those that no question is about, the sum is given; where the answer is given to another
        question, none is asked.
        """
        run, found = self.recording, []
        told = {edge.node for edge in self.edges} - self._answered
        indices = {edge.index for edge in self.edges}
        for node in dict.fromkeys(edge.arg for edge in self.edges):
            steps = run.incoming[node]
            if len(steps) < 2 or node in told:
                continue
            asked = [run.step(index).product for index in steps if index in indices]
            others = [run.step(index).product for index in steps if index not in indices]
            terms = [write.factor(product) for product in asked[:TERMS_A_STEP]]
            terms += [write.more(len(asked) - TERMS_A_STEP)] if len(asked) > TERMS_A_STEP else []
            given = ""
            if others:
                rest = reduce(operator.add, others)
                terms.append(write.factor(rest))
                those = "one" if len(others) == 1 else f"{len(others)}"
                are = "is" if len(others) == 1 else "add up to"
                given = f"The {those} not asked for here {are} {write.framed(write.number(rest))}. "
            found.append(
                Exercise(
                    f"{len(steps)} contributions reach {write.framed(write.name(node))}. {given}"
                    f"What is {write.framed(write.partial(run.root, node))}?",
                    write.framed(f"{' + '.join(terms)} = {write.number(run.adjoint(node))}"),
                )
            )
        return found


class ProseNotation(LatexNotation):
    """How formulas are written within LaTeX's text: such that a long one can break."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording, "${}$")

    def partial(self, root: Value, node: Value) -> str:
        """Return a derivative on one line, as long as it is short: a fraction in text is small."""
        flat = rf"\partial {self.name(root)}/\partial {self.name(node)}"
        return flat if width(flat) < LINE_WIDTH / 4 else super().partial(root, node)

    def framed(self, formula: str) -> str:
        return super().framed(formula if width(formula) < LINE_WIDTH / 3 else loosened(formula))


def _varied(edges: list[Edge]) -> list[Edge]:
    """Return the edges such that each rule comes once before any comes again."""
    seen: dict[tuple[Op | None, str], int] = {}
    ranks = []
    for edge in edges:
        rule = edge.node.op, edge.rule
        seen[rule] = seen.get(rule, 0) + 1
        ranks.append(seen[rule])
    return [edge for _, edge in sorted(zip(ranks, edges, strict=True), key=lambda pair: pair[0])]


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
