"""A picture as a Mermaid flowchart, which GitHub, GitLab and many notebooks draw in Markdown."""

from __future__ import annotations

import re
from collections import defaultdict

from autograd.drawing.palette import GREY, INK, NEGATIVE, NORM, PALE, POSITIVE, strength
from autograd.drawing.picture import Item, Link, Picture, Row, drawable, is_signed, shorten, shown

# Letters, digits, and what neither Mermaid nor Markdown reads as a sign.
UNSAFE = re.compile(r"(?<=\d)[.)](?=\s)|[^\w\s.,=()…×‖→Δ]|_|[^\S ]")

# Formulas ($$x$$) and icons (fa:fa-car) are looked for after the codes are decoded.
MAGIC = re.compile(r"\$(?=\$)|:(?=fa-)")
WORD_JOINER = "\u2060"


def source(picture: Picture) -> str:
    """Return the whole text."""
    lines = [f"flowchart {picture.rankdir}"]
    classes: dict[str, list[str]] = defaultdict(list)
    thick: list[int] = []
    arrows: list[str] = []
    clustered = {key: cluster.key for cluster in picture.clusters for key in cluster.inside}
    for item in picture.items:
        key, head = item.key, item.head
        lines.append(f'  {key}["{_text(item)}"]')
        classes[_class(picture, item)].append(key)
        if item.caption:
            lines.append(f'  {head}(["{escape(shorten(item.caption, 40))}"])')
            classes["op"].append(head)
            arrows.append(f"{head} --> {key}")
        for slot, link in enumerate(item.args):
            if not link.arg:
                lines.append(f'  {key}c{slot}["{escape(link.label)}"]')
                classes["number"].append(f"{key}c{slot}")
            if link.current:
                thick.append(len(arrows))
            label = f'|"{escape(link.label)}"|' if link.arg and link.label else ""
            arrow = "==>" if _is_thick(picture, link) else "-->"
            start, end = link.arg or f"{key}c{slot}", head
            if link.cluster and clustered.get(key) == link.cluster:
                end = link.cluster
            elif link.cluster:
                start = link.cluster
            arrows.append(f"{start} {arrow}{label} {end}")
    for cluster in picture.clusters:
        lines.append(f'  subgraph {cluster.key}["{escape(cluster.title)}"]')
        inside = [item for item in picture.items if item.key in cluster.inside]
        lines += [f"    {key}" for item in inside for key in item.drawn]
        lines.append("  end")
    lines += [f"  {arrow}" for arrow in arrows]
    if notes := _notes(picture):
        lines.append(f'  note["{"<br/>".join(map(escape, notes))}"]')
        classes["note"].append("note")
    lines += [
        f"  classDef {name} {style}\n  class {','.join(classes[name])} {name}"
        for name, style in STYLES.items()
        if classes[name]
    ]
    lines += [f"  linkStyle {i} stroke:{INK},stroke-width:4px" for i in thick]
    return "\n".join(lines) + "\n"


STYLES = {
    "plain": f"fill:#ffffff,stroke:{GREY},color:{INK}",
    "undefined": f"fill:{INK},stroke:{INK},color:#ffffff",
    "partial": f"fill:#ffffff,stroke:{INK},color:{INK},stroke-dasharray:4",
    "op": f"fill:{PALE},stroke:{PALE},color:{INK}",
    "number": f"fill:#ffffff,stroke:{PALE},color:{INK}",
    "more": f"fill:#ffffff,stroke:{GREY},color:{GREY},stroke-dasharray:4",
    "note": f"fill:#ffffff,stroke:#ffffff,color:{GREY}",
    **{
        f"{name}{i}": f"fill:{colour},stroke:{GREY},color:{INK}"
        for name, palette in (("minus", NEGATIVE), ("plus", POSITIVE), ("norm", NORM))
        for i, colour in enumerate(palette)
    },
}


def escape(text: str) -> str:
    """Return ``text`` for a quoted label: as entity codes where it could mean something.

    >>> escape('<b> #1 "x"'), escape("layers.0.w"), escape("1. a * b")
    ('#60;b#62; #35;1 #34;x#34;', 'layers.0.w', '1#46; a #42; b')
    """
    text = MAGIC.sub(lambda found: found[0] + WORD_JOINER, drawable(text))
    return UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)


def _text(item: Item) -> str:
    title = [f"<b>{escape(shorten(item.title))}</b>"] if item.title.strip() else []
    title += [escape(text) for text in (item.name, item.times) if text]
    lines = [" ".join(title), escape(shorten(item.path))]
    lines += [escape(f"{row.what} {row.text}") for row in item.rows]
    return "<br/>".join(filter(None, lines)) or " "


def _coloured(item: Item) -> Row | None:
    """Return the row whose colour the whole box takes: the gradient, which stands last."""
    return next((row for row in reversed(item.rows) if row.scale), None)


def _class(picture: Picture, item: Item) -> str:
    row = _coloured(item)
    if item.kind == "more":
        return "more"
    if row is None or row.amount == 0:
        return "plain"
    if row.amount != row.amount:
        return "undefined"
    if row.partial:
        return "partial"
    name = "norm" if not is_signed(row.scale) else "plus" if row.amount > 0 else "minus"
    return f"{name}{strength(row.amount, picture.largest[row.scale])}"


def _is_thick(picture: Picture, link: Link) -> bool:
    return link.current or (link.norm is not None and picture.weight(link) > 1)


def _notes(picture: Picture) -> list[str]:
    scales = [
        f"{name}: orange below 0, blue above, strongest at ±{shown(picture.largest[scale])}"
        if is_signed(scale)
        else f"{name}: grey, darkest at {shown(picture.largest[scale])}"
        for scale, name in picture.scales
    ]
    return [*scales, *(shorten(note, 160) for note in picture.notes)]
