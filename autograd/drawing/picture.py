"""What a picture shows, whatever the format: items, the links between them, the legend.

An item is a node of the graph, or stands for many: those of a module, or nodes that are alike.
All text in it is whole and unescaped; each format shortens and escapes it for its own places.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

from autograd.drawing.flow import Spread
from autograd.drawing.palette import INK, shade, strength
from autograd.stepping.notation import show

NO_BACKWARD = "no backward yet: gradients appear after .backward()"

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids or discourages (section 2.2), and what steers a terminal."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an item: a number, or a word.

    Attributes:
        what: "data", "grad", ...
        text: the number as it is shown.
        exact: the number in full.
        scale: the colour scale that ``amount`` is measured on; "" for no colour.
        amount: what the colour shows.
        partial: whether the number may still grow: outlined instead of filled.
        spread: the numbers that ``text`` is about, where it is about many.
    """

    what: str
    text: str
    exact: str = ""
    scale: str = ""
    amount: float = 0.0
    partial: bool = False
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """An argument of an item.

    Attributes:
        arg: the argument's key.
        label: what stands on the arrow.
        tip: what more there is to say about it.
        norm: the norm of the gradients that cross it, where it stands for several edges.
        current: whether the stepper is at this edge.
        wrong: whether a gradient check blames it.
        cluster: the key of the cluster where it ends, or begins, as it stands for a link of many
            items in it; of the others, there is none.
    """

    arg: str
    label: str = ""
    tip: str = ""
    norm: float | None = None
    current: bool = False
    wrong: bool = False
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A box of the picture, with the op that computes it and its arguments.

    Attributes:
        key: unique in the picture, and an identifier in every format.
        kind: "value", "module", "alike" (nodes of one op) or "more" (nodes that are not shown).
        title: the label, the module's path, or the op that all share; "" if there is none.
        name: how formulas refer to it, where that is not the title.
        path: the module it belongs to; of a module, its ops.
        count: how many alike nodes or modules it stands for.
        calls: how often each of its modules was run.
        caption: what the op's oval says; "" for a leaf.
        definition: the formula that computes it.
        rows: its numbers.
        args: where its arrows come from, in order, duplicates kept.
        current: whether the stepper is at this node.
        head: the key of where its arrows end: the op's oval, if it has one.
    """

    key: str
    kind: str = "value"
    title: str = ""
    name: str = ""
    path: str = ""
    count: int = 1
    calls: int = 1
    caption: str = ""
    definition: str = ""
    rows: tuple[Row, ...] = ()
    args: tuple[Link, ...] = ()
    current: bool = False

    @property
    def head(self) -> str:
        return f"{self.key}op" if self.caption else self.key

    @property
    def drawn(self) -> list[str]:
        """The keys of all that it is drawn as: itself, its op, the plain numbers among its args."""
        numbers = [f"{self.key}c{slot}" for slot, link in enumerate(self.args) if not link.arg]
        return [*dict.fromkeys((self.key, self.head)), *numbers]

    @property
    def times(self) -> str:
        """How many it stands for, and how often they were run: "× 16 × 20"; "" for one, once."""
        return " ".join(f"× {n:,}" for n in (self.count, self.calls) if n > 1)

    @property
    def tip(self) -> str:
        """Everything in full."""
        heading = " ".join(filter(None, (self.title or self.name, self.times)))
        numbers = [f"{row.what} {row.exact or row.text}" for row in self.rows]
        runs = f"run {self.calls:,} times" if self.calls > 1 else ""
        return "\n".join(filter(None, (heading, runs, self.path, *numbers)))


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around the turns of what repeats one after the other.

    Attributes:
        key: unique among clusters, and an identifier in every format.
        title: what the turns are called, and how many there are.
        inside: the keys of the items in it.
    """

    key: str
    title: str
    inside: frozenset[str]


@dataclass(frozen=True)
class Picture:
    """A graph as it is to be drawn; `autograd.drawing.text_of` prints it.

    Attributes:
        items: in topological order as far as there is one; the root is last.
        rankdir: the way it runs.
        scales: the name of each colour scale in the legend.
        notes: what the legend says besides.
        clusters: what is drawn around items; links end there.
    """

    items: tuple[Item, ...]
    rankdir: str = "LR"
    scales: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    @cached_property
    def largest(self) -> dict[str, float]:
        """The largest finite amount on each scale."""
        found = {scale: 0.0 for scale, _ in self.scales}
        for item in self.items:
            for row in item.rows:
                if row.scale in found and math.isfinite(row.amount):
                    found[row.scale] = max(found[row.scale], abs(row.amount))
        return found

    @cached_property
    def widest(self) -> float:
        """The largest finite norm that crosses a link."""
        norms = [link.norm for item in self.items for link in item.args if link.norm is not None]
        return max(filter(math.isfinite, norms), default=0.0)

    def fill(self, row: Row) -> str:
        """Return the colour behind a row; "" for none."""
        if not row.scale:
            return ""
        return shade(row.amount, self.largest.get(row.scale, 0.0), signed=is_signed(row.scale))

    def weight(self, link: Link) -> int:
        """Return how strong an arrow is, from 0 to 3."""
        return 0 if not link.norm else strength(link.norm, self.widest)


def is_signed(scale: str) -> bool:
    """Return whether the amounts of a scale have a sign."""
    return not scale.startswith("norm")


def ink_on(fill: str, otherwise: str) -> str:
    """Return the colour for text on ``fill``, which is ``otherwise`` where there is none."""
    return "white" if fill == INK else INK if fill else otherwise


def shorten(text: str, longest: int = 24) -> str:
    """Return ``text`` on one line, the middle left out beyond ``longest`` characters.

    >>> shorten("layers.0.neurons.3.weights.11"), shorten(" two\\nlines ")
    ('layers.0.neu….weights.11', 'two lines')
    """
    text = " ".join(text.split())
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[half + 1 - longest :]}"


def drawable(text: str) -> str:
    """Return ``text`` with what no format can show replaced."""
    return UNPRINTABLE.sub("\ufffd", text)


def shown(x: float) -> str:
    """Return a number for a row; -0.0 is printed as 0.0."""
    return show(x + 0.0)
