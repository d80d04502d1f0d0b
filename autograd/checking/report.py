"""What a gradient check found, input by input: a table, plain data, an error."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from autograd.checking.culprit import Culprit
from autograd.checking.point import Point
from autograd.checking.verdict import CONFIRMED, VERDICTS
from autograd.engine import Value
from autograd.errors import GradientError
from autograd.formula import json_data
from autograd.stepping.notation import aligned

if TYPE_CHECKING:
    from rich.table import Table

HEADER = ("input", "analytic", "numeric", "difference", "tolerance", "verdict")

ROWS = 40
"""Longer tables show what is not right first, and that many rows in all."""


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The comparison for one scalar input, or for one random direction.

    Attributes:
        index: which scalar, counted through lists; which direction.
        label: the input's name.
        analytic: the derivative by the chain rule, or the one that was given.
        numeric: the derivative by differences; NaN if there is none.
        error: the estimated absolute error of ``numeric``.
        tolerance: the largest difference that counts as agreement.
        verdict: one of `autograd.checking.verdict`: ``ok``, ``wrong``, ``kink``, ``noise`` or
            ``undefined``.
        culprit: the first wrong op, if the verdict is ``wrong`` and an op is to blame.
        rate: the order with which the Taylor remainder vanishes: 2 if the gradient is right,
            1 if it is wrong; NaN where rounding hides it, or no graph was recorded.
        order: 1 for the gradient of f, 2 for the gradient of its gradient, and so on.
        vacuous: whether both derivatives are 0, as they are for many wrong rules as well.
    """

    index: int
    label: str
    analytic: float
    numeric: float
    error: float
    tolerance: float
    verdict: str
    culprit: Culprit | None = None
    rate: float = nan
    order: int = 1
    vacuous: bool = False


class Report:
    """What `gradcheck` found, input by input. ``print`` it, or call `raise_if_wrong`.

    Attributes:
        inputs: one `InputCheck` each.
        evaluations: how often f was called.
        graph: the root of the graph that was recorded at the point; None if there is none.
        point: where was checked.
        notes: what else there is to say, a sentence each.
    """

    def __init__(
        self,
        inputs: tuple[InputCheck, ...],
        evaluations: int = 0,
        graph: Value | None = None,
        notes: Sequence[str] = (),
        point: Point | None = None,
    ) -> None:
        self.inputs = inputs
        self.evaluations = evaluations
        self.graph = graph
        self.notes = tuple(notes)
        self.point = point

    @property
    def ok(self) -> bool:
        """Whether every input is right, or at a kink between its slopes."""
        return all(check.verdict in CONFIRMED for check in self.inputs)

    @property
    def culprit(self) -> Culprit | None:
        """The first wrong op of all inputs, of the lowest order that is wrong."""
        found = [check for check in self.inputs if check.culprit]
        lowest = min((check.order for check in found), default=0)
        culprits = [check.culprit for check in found if check.order == lowest and check.culprit]
        return min(culprits, key=lambda c: (c.position, c.slot), default=None)

    @property
    def blamed(self) -> Culprit | None:
        """The first wrong op of `graph` itself, not of the graph of a gradient."""
        culprit = self.culprit
        of_f = any(check.culprit == culprit and check.order == 1 for check in self.inputs)
        return culprit if of_f else None

    def raise_if_wrong(self, strict: bool = False) -> None:
        """Raise `GradientError`, with the table, if an input is wrong, or none is confirmed.

        Args:
            strict: raise unless every single input is confirmed.
        """
        verdicts = {check.verdict for check in self.inputs}
        if "wrong" in verdicts:
            raise GradientError(f"the gradient disagrees with finite differences\n{self}", self)
        if verdicts and not verdicts & CONFIRMED:
            raise GradientError(f"no input could be confirmed\n{self}", self)
        if strict and not self.ok:
            raise GradientError(f"not every input could be confirmed\n{self}", self)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data; non-finite numbers are strings."""
        return {
            "ok": self.ok,
            "evaluations": self.evaluations,
            "inputs": [json_data(asdict(check)) for check in self.inputs],
            "point": {} if self.point is None else json_data(self.point.by_name()),
            "notes": list(self.notes),
        }

    def _shown(self) -> tuple[list[InputCheck], str]:
        """Return the checks that the table shows, and what it says of the others."""
        if len(self.inputs) <= ROWS:
            return list(self.inputs), ""
        ranked = sorted(self.inputs, key=lambda c: (c.verdict != "wrong", c.verdict == "ok"))
        hidden = ranked[ROWS:]
        counts = dict.fromkeys(VERDICTS, 0)
        for check in hidden:
            counts[check.verdict] += 1
        said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items() if count)
        return ranked[:ROWS], f"and {len(hidden):,} more: {said}"

    def _rows(self, checks: Sequence[InputCheck]) -> list[tuple[str, ...]]:
        return [
            (
                c.label if c.order == 1 else f"{c.label}, order {c.order}",
                f"{c.analytic:.12g}",
                f"{c.numeric:.12g}",
                f"{abs(c.analytic - c.numeric):.1e}",
                f"{c.tolerance:.1e}",
                c.verdict,
            )
            for c in checks
        ]

    def _notes(self, more: str) -> list[str]:
        notes = [more] if more else []
        notes += [f"first wrong op: {self.culprit}"] if self.culprit else []
        return notes + list(self.notes)

    def __str__(self) -> str:
        shown, more = self._shown()
        rows = [HEADER, *self._rows(shown)]
        numbers = aligned([row[:-1] for row in rows])
        lines = [f"{line}  {row[-1]}" for line, row in zip(numbers, rows, strict=True)]
        return "\n".join(lines + self._notes(more))

    __repr__ = __str__

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        shown, more = self._shown()
        table = Table(caption="\n".join(self._notes(more)) or None, caption_justify="left")
        for i, title in enumerate(HEADER):
            table.add_column(title, justify="right" if 0 < i < len(HEADER) - 1 else "left")
        for check, (*cells, verdict) in zip(shown, self._rows(shown), strict=True):
            style = VERDICTS[check.verdict].style
            table.add_row(*map(Text, cells), Text(verdict, style=style))
        return table

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown, more = self._shown()
        head = "".join(f"<th>{title}</th>" for title in HEADER)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows(shown)
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes(more))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return {"text/plain": str(self), "text/html": table + notes}
