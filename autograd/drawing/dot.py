"""A picture as DOT: a table per value, an oval per op, an arrow per argument.

The text follows from the picture alone, to the byte: numbers are rounded by Python, and all
quoting is done here. A label may hold anything; it is escaped for the place where it stands,
shortened in the box and whole in the tooltip.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator

from autograd.drawing.flow import BARS, Spread
from autograd.drawing.palette import GREY, INK, NEGATIVE, NORM, PALE, POSITIVE, RED
from autograd.drawing.picture import (
    Item,
    Link,
    Picture,
    Row,
    drawable,
    ink_on,
    is_signed,
    shorten,
    shown,
)

# Helvetica is known by name to every renderer; a list of fonts is not.
_FONT = {"fontname": "Helvetica", "fontcolor": INK, "fontsize": "11"}
# Without nslimit, the layout's time explodes with long edges (17 s for a polynomial of degree 60,
# 0.4 s with it); the pictures of networks come out the same.
GRAPH = {"bgcolor": "white", "nodesep": "0.2", "ranksep": "0.3", "nslimit": "2"} | _FONT
NODE = {"shape": "plain"} | _FONT
EDGE = _FONT | {"arrowsize": "0.6", "color": GREY, "fontcolor": GREY, "fontsize": "9"}
_SMALL_SHAPE = 'margin="0.05,0.02" width=0.3 height=0.3'

_BARE = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'

TALLEST = 11
"""How high the bars of a histogram are, in points."""

WIDTHS = ("1", "1.5", "2.2", "3")
"""How wide an arrow between boxes is, by the strength of the gradients that cross it."""

NOTE_WIDTH = 84
"""Characters of a note on one line of the legend."""


def source(picture: Picture) -> str:
    """Return the whole text."""
    attributes = (("graph", GRAPH | {"rankdir": picture.rankdir}), ("node", NODE), ("edge", EDGE))
    head = "".join(
        f"\t{kind} [{' '.join(f'{key}={_plain(value)}' for key, value in sorted(found.items()))}]\n"
        for kind, found in attributes
    )
    body = "".join(f"\t{statement}\n" for statement in statements(picture))
    return f"digraph {{\n{head}{body}}}\n"


def statements(picture: Picture) -> Iterator[str]:
    """Yield the statements.

    Cost: linear in items and links.
    """
    yield f"label=<{_legend(picture)}>"
    clustered = {key: cluster.key for cluster in picture.clusters for key in cluster.inside}
    for item in picture.items:
        key, head = item.key, item.head
        if item.kind == "more":
            dashed = f'shape=box style="rounded,dashed" color="{GREY}" {_SMALL_SHAPE}'
            yield f"{key} [label=<{_small(_markup(item.title))}> {dashed}]"
        else:
            yield f"{key} [label=<{_table(picture, item)}> tooltip={_quoted(item.tip)}]"
        if item.caption:
            tip = f" tooltip={_quoted(shorten(item.definition, 500))}" if item.definition else ""
            yield (
                f"{head} [label=<{_markup(shorten(item.caption, 40))}> shape=ellipse"
                f' style=filled color="{PALE}" {_SMALL_SHAPE}{tip}]'
            )
            yield f"{head} -> {key} [weight=4{_current(item.current)}]"
        for slot, link in enumerate(item.args):
            if link.arg:
                end = "head" if clustered.get(key) == link.cluster else "tail"
                yield f"{link.arg} -> {head}{_arrow(picture, link, end)}"
            else:
                number = f'label={_quoted(link.label)} shape=box color="{PALE}" {_SMALL_SHAPE}'
                yield f"{key}c{slot} [{number}]"
                yield f"{key}c{slot} -> {head}"
    siblings = list(_siblings(picture))
    if siblings:
        yield "ranksep=0.6"
    for keys in siblings:
        yield f"{{rank=same {' -> '.join(keys)} [style=invis]}}"
    if picture.clusters:
        yield "compound=true"
    for cluster in picture.clusters:
        look = f'label=<{_small(_markup(cluster.title))}> style=rounded color="{GREY}"'
        drawn = [key for item in picture.items if item.key in cluster.inside for key in item.drawn]
        yield f"subgraph cluster_{cluster.key} {{{look} {' '.join(drawn)}}}"


def _siblings(picture: Picture) -> Iterator[list[str]]:
    """Yield the modules that differ only in their last index, in its order."""
    found: dict[tuple[str, ...], list[tuple[int, str, str]]] = {}
    for item in picture.items:
        name, _, index = item.title.rpartition(".")
        if item.kind == "module" and index.isdecimal():
            # Side by side: what uses the same is not one after the other.
            beside = (name, *sorted(link.arg for link in item.args))
            found.setdefault(beside, []).append((len(index), index, item.key))
    for members in found.values():
        if len(members) > 1:
            yield [key for *_, key in sorted(members)]


def _arrow(picture: Picture, link: Link, end: str) -> str:
    """Return the attributes of an arrow; its head or its tail is at its frame, if it has one."""
    label = f"label={_quoted(f' {link.label} ')}" if link.label else ""
    if link.cluster:
        label += f" l{end}=cluster_{link.cluster}"
    if link.norm is not None:
        look = f"arrowsize=0.5 penwidth={WIDTHS[picture.weight(link)]} tooltip={_quoted(link.tip)}"
        return f" [{label}{' ' if label else ''}{look}]"
    if link.current:
        label = f'label=<<B> {_markup(link.label)} </B>> fontsize=10 fontcolor="{INK}"'
        return f" [{label}{_current(True)}]"
    if link.wrong:
        return f' [{label}{" " if label else ""}color="{RED}" fontcolor="{RED}" penwidth=3]'
    return f" [{label}]" if label else ""


def _current(current: bool) -> str:
    return f' penwidth=3 arrowsize=0.9 color="{INK}"' if current else ""


def _table(picture: Picture, item: Item) -> str:
    """Return the box of an item: label, module path, numbers."""
    label = shorten(item.title)
    title = [f"<B>{_markup(label)}</B>"] if label else []
    if item.name:
        title.append(_small(_markup(item.name)))
    if item.times:
        title.append(f"<B>{_markup(item.times)}</B>")
    background = f' CELLPADDING="4" BGCOLOR="{PALE}"' if item.kind in ("module", "alike") else ""
    rows = [f'<TR><TD COLSPAN="2"{background}>{" ".join(title)}</TD></TR>']
    # Graphviz minds empty text, which may be left of blanks.
    if path := shorten(item.path, 48 if item.kind == "module" else 24):
        rows.append(f'<TR><TD COLSPAN="2">{_small(_markup(path), size=8)}</TD></TR>')
    rows += [_row(row, picture.fill(row)) for row in item.rows]
    border, colour = (3, INK) if item.current else (1, GREY)
    return (
        f'<TABLE BORDER="{border}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{colour}"'
        f' BGCOLOR="white">{"".join(rows)}</TABLE>'
    )


def _row(row: Row, fill: str) -> str:
    if row.partial and fill not in ("", "white", INK):
        # The palest colours would be no outline.
        outline = (POSITIVE if row.amount > 0 else NEGATIVE)[-1]
        number = f"{_small(row.what, INK)} {_markup(row.text)}"
        return f'<TR><TD COLSPAN="2" BORDER="2" COLOR="{outline}">{number}</TD></TR>'
    # A border in the colour of the fill hides the seam between the cells.
    cell = f' BORDER="1" COLOR="{fill}" BGCOLOR="{fill}"' if fill else ""
    written = _bars(row.spread) if row.spread and row.spread.bars else _markup(row.text)
    if fill == INK:
        written = f'<FONT COLOR="white">{written}</FONT>'
    return (
        f'<TR><TD ALIGN="LEFT"{cell}>{_small(_markup(row.what), ink_on(fill, GREY))}</TD>'
        f'<TD ALIGN="RIGHT"{cell}>{written}</TD></TR>'
    )


def _bars(spread: Spread) -> str:
    """Return a histogram between its ends, as tables: few fonts have the characters."""
    bars = []
    for height in spread.bars:
        full = round(height / (len(BARS) - 1) * TALLEST)
        parts = ((TALLEST - full, ""), (full, f' BGCOLOR="{GREY}"'))
        cells = "".join(
            f'<TR><TD FIXEDSIZE="TRUE" WIDTH="4" HEIGHT="{part}"{colour}></TD></TR>'
            for part, colour in parts
            if part
        )
        bars.append(f"<TD><TABLE {_BARE}>{cells}</TABLE></TD>")
    low, high = (f"<TD>{_markup(end)}</TD>" for end in (f"{spread.low} ", f" {spread.high}"))
    return f"<TABLE {_BARE}><TR>{low}{''.join(bars)}{high}</TR></TABLE>"


def _legend(picture: Picture) -> str:
    """Return the notes, and the colours of each scale."""
    lines = [
        _small(_markup(line))
        for note in picture.notes
        for line in textwrap.wrap(shorten(note, 2 * NOTE_WIDTH), NOTE_WIDTH, break_on_hyphens=False)
    ]
    if not picture.scales:
        return "<BR/>".join(lines)
    tables = []
    for scale, name in picture.scales:
        signed = is_signed(scale)
        colours = (*reversed(NEGATIVE), "", *POSITIVE) if signed else ("", *NORM)
        cells = "".join(
            f'<TD WIDTH="14" BGCOLOR="{colour}"></TD>' if colour else f"<TD>{_small('0')}</TD>"
            for colour in colours
        )
        largest = picture.largest[scale]
        low = f"{_markup(name)} {shown(-largest)}" if signed else _markup(name)
        tables.append(
            '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR><TD></TD></TR>'
            f"<TR><TD>{_small(low)}</TD>{cells}"
            f"<TD>{_small(shown(largest))}</TD></TR></TABLE>"
        )
    if len(tables) == 1 and not lines:
        return tables[0]
    rows = "".join(f"<TR><TD>{content}</TD></TR>" for content in (*tables, *lines))
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>'


def _small(markup: str, ink: str = GREY, size: int = 9) -> str:
    return f'<FONT COLOR="{ink}" POINT-SIZE="{size}">{markup}</FONT>'


def _clean(text: str) -> str:
    return html.escape(drawable(text), quote=False)


def _markup(text: str) -> str:
    r"""Return ``text`` for an HTML-like label, where ``\N`` would be the name of the node."""
    return _clean(text).replace("\\", r"\\")


def _plain(value: str) -> str:
    """Return the value of an attribute, quoted if need be."""
    return value if value.replace(".", "").isalnum() else f'"{value}"'


def _quoted(text: str) -> str:
    r"""Return ``text`` as a quoted tooltip; Graphviz takes backslashes off twice there.

    >>> print(_quoted('say "a\\b" & <c>'))
    "say \"a\\\\b\" &amp; &lt;c&gt;"
    """
    return '"' + _clean(text).replace("\\", r"\\\\").replace('"', r"\"") + '"'
