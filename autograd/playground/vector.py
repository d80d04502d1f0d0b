"""A picture as SVG without Graphviz: its boxes stand where the debugger's page would put them."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import NamedTuple

from autograd.drawing.palette import GREY, INK, PALE, RED
from autograd.drawing.picture import Item, Picture, Row, drawable, ink_on, shorten, shown

LETTER, LINE_HEIGHT = 6.7, 19
"""About how wide a character is, and how high a line, at 12 pixels."""

CARD_MARGIN = 12

WIDTHS = (1.0, 1.5, 2.2, 3.0)
"""How wide a wire between boxes is, by the strength of the gradients that cross it."""


Arrange = Callable[[str], str]
"""Finds where boxes stand. It takes ``{"sizes": [[w, h], ...], "edges": [[i, j], ...]}``, where an
edge leads from a box to a later one, and returns ``{"centres": [[x, y], ...]}``, both as JSON."""


class Box(NamedTuple):
    """A box with its text.

    Attributes:
        item: what it shows; None for an op's oval or a plain number, whose text is ``title``.
        title: its first line.
        rows: its numbers.
    """

    item: Item | None
    title: str
    rows: tuple[Row, ...] = ()

    @property
    def size(self) -> tuple[float, float]:
        texts = [self.title, *(f"{row.what}  {_written(row)}" for row in self.rows)]
        return max(map(len, texts)) * LETTER + 20, (
            len(self.rows) + bool(self.title)
        ) * LINE_HEIGHT + 8


class Wire(NamedTuple):
    """An arrow between two boxes.

    Attributes:
        start, end: the numbers of the boxes.
        label: what stands on it.
        colour: of the line.
        width: of the line.
    """

    start: int
    end: int
    label: str = ""
    colour: str = GREY
    width: float = 1.0


def svg_of(picture: Picture, arrange: Arrange) -> str:
    """Return the picture as the text of an SVG file.

    Cost: that of the layout.
    """
    boxes, wires = _parts(picture)
    sizes = [box.size for box in boxes]
    across = picture.rankdir in ("TB", "BT")
    turned = [(h, w) if across else (w, h) for w, h in sizes]
    graph = {"sizes": turned, "edges": [(wire.start, wire.end) for wire in wires]}
    placed = json.loads(arrange(json.dumps(graph)))["centres"]
    if picture.rankdir in ("RL", "BT"):
        placed = [(-x, y) for x, y in placed]
    centres = [(y, x) if across else (x, y) for x, y in placed]
    left = min((x - w / 2 for (x, _), (w, _) in zip(centres, sizes, strict=True)), default=0)
    top = min((y - h / 2 for (_, y), (_, h) in zip(centres, sizes, strict=True)), default=0)
    centres = [(x - left + CARD_MARGIN, y - top + CARD_MARGIN) for x, y in centres]
    right = max((x + w / 2 for (x, _), (w, _) in zip(centres, sizes, strict=True)), default=0)
    bottom = max((y + h / 2 for (_, y), (_, h) in zip(centres, sizes, strict=True)), default=0)
    legend = _legend(picture)
    width = max([right, *(CARD_MARGIN + len(line) * LETTER for line in legend)]) + CARD_MARGIN
    height = bottom + CARD_MARGIN + len(legend) * LINE_HEIGHT + (CARD_MARGIN if legend else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="system-ui, Helvetica, Arial, '
        f'sans-serif" font-size="12" fill="{INK}">',
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" '
        f'fill="{GREY}"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
        *(_drawn_wire(wire, centres, sizes, across) for wire in wires),
        *(_drawn_box(picture, *one) for one in zip(boxes, centres, sizes, strict=True)),
    ]
    for i, line in enumerate(legend):
        y = bottom + CARD_MARGIN + (i + 1) * LINE_HEIGHT - 5
        parts.append(f'<text x="{CARD_MARGIN}" y="{y:.1f}" fill="{GREY}">{_text(line)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _parts(picture: Picture) -> tuple[list[Box], list[Wire]]:
    """Return boxes and wires: an op is an oval of its own before the box that it computes."""
    boxes: list[Box] = []
    wires: list[Wire] = []
    number: dict[str, int] = {}
    for item in picture.items:
        constants = [Box(None, link.label) for link in item.args if not link.arg]
        head = len(boxes) + len(constants)
        wires += [Wire(i, head) for i in range(len(boxes), head)]
        boxes += constants
        if item.caption:
            boxes.append(Box(None, shorten(item.caption, 40)))
            wires.append(Wire(head, head + 1))
        number[item.key] = len(boxes)
        title = " ".join(filter(None, (shorten(item.title), item.name, item.times)))
        boxes.append(Box(item, title, item.rows))
        for link in item.args:
            if link.arg in number:
                colour = RED if link.wrong else GREY
                wires.append(
                    Wire(number[link.arg], head, link.label, colour, WIDTHS[picture.weight(link)])
                )
    return boxes, wires


def _drawn_wire(
    wire: Wire,
    centres: list[tuple[float, float]],
    sizes: list[tuple[float, float]],
    across: bool,
) -> str:
    (ax, ay), (bx, by) = centres[wire.start], centres[wire.end]
    (aw, ah), (bw, bh) = sizes[wire.start], sizes[wire.end]
    if across:
        way = 1 if by > ay else -1
        ay, by = ay + way * ah / 2, by - way * bh / 2
        bend = max(12.0, abs(by - ay) / 2) * way
        curve = f"M{ax:.1f} {ay:.1f}C{ax:.1f} {ay + bend:.1f} {bx:.1f} {by - bend:.1f}"
    else:
        way = 1 if bx > ax else -1
        ax, bx = ax + way * aw / 2, bx - way * bw / 2
        bend = max(12.0, abs(bx - ax) / 2) * way
        curve = f"M{ax:.1f} {ay:.1f}C{ax + bend:.1f} {ay:.1f} {bx - bend:.1f} {by:.1f}"
    drawn = (
        f'<path d="{curve} {bx:.1f} {by:.1f}" fill="none" stroke="{wire.colour}" '
        f'stroke-width="{wire.width}" marker-end="url(#tip)"/>'
    )
    if wire.label:
        drawn += (
            f'<text x="{(ax + bx) / 2:.1f}" y="{(ay + by) / 2 - 4:.1f}" text-anchor="middle" '
            f'font-size="10" fill="{GREY}">{_text(wire.label)}</text>'
        )
    return drawn


def _drawn_box(
    picture: Picture, box: Box, centre: tuple[float, float], size: tuple[float, float]
) -> str:
    (x, y), (w, h) = centre, size
    left, top = x - w / 2, y - h / 2
    if box.item is None:
        return (
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{w:.1f}" height="{h:.1f}" '
            f'rx="{h / 2:.1f}" fill="{PALE}"/><text x="{x:.1f}" y="{y + 4:.1f}" '
            f'text-anchor="middle">{_text(box.title)}</text>'
        )
    parts = [
        f'<g><title>{_text(box.item.tip)}</title><rect x="{left:.1f}" y="{top:.1f}" '
        f'width="{w:.1f}" height="{h:.1f}" rx="6" fill="white" stroke="{GREY}"/>'
    ]
    below = top + 4
    if box.title:
        parts.append(
            f'<text x="{x:.1f}" y="{below + 14:.1f}" text-anchor="middle" '
            f'font-weight="600">{_text(box.title)}</text>'
        )
        below += LINE_HEIGHT
    for row in box.rows:
        fill = picture.fill(row)
        if fill:
            parts.append(
                f'<rect x="{left + 1:.1f}" y="{below:.1f}" width="{w - 2:.1f}" '
                f'height="{LINE_HEIGHT}" rx="4" fill="{fill}"/>'
            )
        parts.append(
            f'<text x="{left + 8:.1f}" y="{below + 14:.1f}" '
            f'fill="{ink_on(fill, GREY)}">{_text(row.what)}</text><text '
            f'x="{left + w - 8:.1f}" y="{below + 14:.1f}" text-anchor="end" '
            f'fill="{ink_on(fill, INK)}">{_text(_written(row))}</text>'
        )
        below += LINE_HEIGHT
    return "".join([*parts, "</g>"])


def _written(row: Row) -> str:
    return str(row.spread) if row.spread and row.spread.bars else row.text


def _legend(picture: Picture) -> list[str]:
    scales = [
        f"{name}: at most {shown(picture.largest[scale])} in size" for scale, name in picture.scales
    ]
    return [*scales, *(shorten(note, 160) for note in picture.notes)]


def _text(text: str) -> str:
    return escape(drawable(text))
