"""A backward pass as a film: one fixed layout, a frame for each event.

The numbers of a frame are those of the moment; what changes from frame to frame is text and colour
alone, so that nothing moves under the reader's eye.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from autograd.drawing.layout import GAP_Y, HEIGHT, WIDTH, Point, arrange
from autograd.drawing.palette import ACCENT, BORDER, GREY, INK, WIRE, shade
from autograd.drawing.picture import drawable, ink_on, shorten, shown
from autograd.engine import Value
from autograd.errors import MissingExtraError
from autograd.graph import node_args
from autograd.stepping.events import Edge, Gradient, Recording

FRAME_MARGIN, CAPTION = 24, 56
"""Around the graph; the height of the line of text below it."""

MOST_FILMED = 60
"""Nodes beyond which no slide is legible."""

LONGEST_CAPTION = 110
"""Characters of the line below the graph."""

NAME_ROOM = 12
"""Characters of a name on a card."""

FACTOR_HEIGHT = 18


@dataclass(frozen=True, slots=True)
class Card:
    """A node in a frame.

    Attributes:
        gradient: its text; "?" before it is known.
        fill: the colour behind the gradient; "" for none.
        outline: how the card is marked: "", "giver" or "receiver".
    """

    gradient: str
    fill: str
    outline: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment.

    Attributes:
        cards: one for each node.
        edge: the edge that is active, as its number among the routes; None for none.
        local: what stands on it.
        caption: what happens, in a line.
    """

    cards: tuple[Card, ...]
    edge: int | None
    local: str
    caption: str


@dataclass(frozen=True, slots=True)
class Film:
    """All frames, and what is the same in each.

    Attributes:
        corners: the upper left corner of each card.
        titles: the name, the op and the value of each node.
        routes: each edge as control points of cubic curves, from argument to user.
        size: width and height.
    """

    corners: tuple[Point, ...]
    titles: tuple[tuple[str, str, str], ...]
    routes: tuple[tuple[Point, ...], ...]
    size: tuple[int, int]
    frames: tuple[Frame, ...]


def film_of(recording: Recording) -> Film:
    """Return the film of a recorded backward pass, from its first event to its last.

    Raises:
        ValueError: the graph has more nodes than are legible.
        MissingExtraError: Graphviz, which finds the layout, is not installed.
    """
    nodes, place = recording.nodes, recording.position
    if len(nodes) > MOST_FILMED:
        raise ValueError(
            f"{len(nodes):,} nodes are too many for a film that can be read (at most "
            f"{MOST_FILMED}): animate an inner node, or save the page, which opens a network box "
            "by box: stepper.save('why.html')"
        )
    edges = [(place[arg], i) for i, node in enumerate(nodes) for arg in node_args(node)]
    found = arrange(len(nodes), edges)
    if not found.centres:
        raise MissingExtraError("a film needs Graphviz: pip install 'chainrule[draw]'")
    points = [point for route in found.routes for point in route] + found.centres
    left = min(x for x, _ in points) - WIDTH // 2 - FRAME_MARGIN
    top = min(y for _, y in points) - HEIGHT // 2 - FRAME_MARGIN
    corners = [(x - left - WIDTH // 2, y - top - HEIGHT // 2) for x, y in found.centres]
    routes = [
        tuple((x - left, y - top) for x, y in (route or _straight(found.centres, edge)))
        for route, edge in zip(found.routes, edges, strict=True)
    ]
    width = max(max(x for x, _ in corners) + WIDTH + FRAME_MARGIN, 7 * LONGEST_CAPTION)
    height = max(y for _, y in corners) + HEIGHT + FRAME_MARGIN + CAPTION
    return Film(
        tuple(corners),
        tuple(_title(recording, node) for node in nodes),
        tuple(routes),
        (width, height),
        tuple(_frame(recording, i) for i in range(len(nodes), recording.length + 1)),
    )


def _straight(centres: list[Point], edge: tuple[int, int]) -> list[Point]:
    (ax, ay), (bx, by) = (centres[i] for i in edge)
    return [(ax + WIDTH // 2, ay), (ax + WIDTH, ay), (bx - WIDTH, by), (bx - WIDTH // 2, by)]


def _title(recording: Recording, node: Value) -> tuple[str, str, str]:
    op = str(node.op or "")
    name = drawable(shorten(initialled(recording.name(node), NAME_ROOM), max(5, 12 - len(op))))
    return name, op, tight(recording.value(node), 8)


def initialled(path: str, most: int) -> str:
    """Return a path that fits a card: of its first words only the initials, as many as need be.

    >>> initialled("layers.0.neurons.12.w.1", 12), initialled("layers.1.b", 12)
    ('l.0.n.12.w.1', 'layers.1.b')
    """
    words = path.split(".")
    for i, word in enumerate(words):
        if len(".".join(words)) <= most or not all(words):
            break
        words[i] = word if word.isdecimal() else word[0]
    return ".".join(words)


def tight(x: float, most: int = 9) -> str:
    """Return a number that fits beside a word on a card, with as many digits as there is room for.

    >>> tight(-0.04879016417), tight(-0.410602341, 7), tight(-1.2345678e-105), tight(105.0)
    ('-0.04879', '-0.4106', '-1.2e-105', '105.0')
    """
    for digits in (6, 4, 3, 2):
        text = shown(float(f"{x:.{digits}g}"))
        if len(text) <= most:
            return text
    return f"{x:.0e}"


def _frame(recording: Recording, position: int) -> Frame:
    """Return the frame after so many events; the first is that of the values alone."""
    nodes, first = recording.nodes, position == len(recording.nodes)
    event = None if first else recording.event(position - 1)
    known = [recording.gradient_at(position, node) for node in nodes]
    largest = max((abs(g.so_far) for g in known if g.so_far is not None), default=0.0)
    giver = event.node if isinstance(event, Edge) else None
    cards = tuple(
        Card(
            _known(g),
            "" if not g.so_far else shade(g.so_far, largest),
            "giver" if node is giver else "receiver" if event and node is event.subject else "",
        )
        for node, g in zip(nodes, known, strict=True)
    )
    if event is None:
        return Frame(cards, None, "", "All values are known; now backwards, from the root.")
    edge = None
    if isinstance(event, Edge):
        before = nodes[: recording.position[event.node]]
        slots = event.node.args[: event.slot]
        edge = sum(len(node_args(node)) for node in before)
        edge += sum(isinstance(arg, Value) for arg in slots)
    parts = str(event).split("   ")
    local = f"× {shown(event.local)}" if isinstance(event, Edge) else ""
    return Frame(cards, edge, local, drawable(shorten("   ".join(parts[:2]), LONGEST_CAPTION)))


def _known(gradient: Gradient) -> str:
    """Return what a card says of a gradient; more may be to come."""
    if gradient.so_far is None:
        return "?"
    if gradient.status == "partial":
        return f"{tight(gradient.so_far, 7)} …"
    return tight(gradient.so_far)


def point_on(route: tuple[Point, ...], share: float) -> tuple[float, float]:
    """Return the point of a chain of cubic curves at a share of the way."""
    curves = (len(route) - 1) // 3
    start = min(curves - 1, int(share * curves))
    a, b, c, d = route[3 * start : 3 * start + 4]
    t = share * curves - start
    u = 1 - t
    x, y = (u**3 * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t**3 * d[k] for k in (0, 1))
    return x, y


def label_place(film: Film, frame: Frame) -> tuple[int, int, int]:
    """Return the middle of the label on a frame's edge, and its width.

    It stands by its edge where it covers no card, if there is such a place, else the least.
    """
    assert frame.edge is not None
    width = 7 * len(frame.local) + 12
    reach_x, reach_y = (WIDTH + width) / 2 + 2, (HEIGHT + FACTOR_HEIGHT) / 2 + 2

    def covered(x: float, y: float) -> float:
        beside = (
            (reach_x - abs(x - left - WIDTH / 2), reach_y - abs(y - top - HEIGHT / 2))
            for left, top in film.corners
        )
        return sum(dx * dy for dx, dy in beside if dx > 0 and dy > 0)

    between = (HEIGHT + GAP_Y) // 2  # of two cards, one below the other
    places = [
        (x, y + aside)
        for aside in (-15, 0, 15, -30, 30, -between, between)
        for x, y in (
            point_on(film.routes[frame.edge], share) for share in (0.5, 0.4, 0.6, 0.25, 0.75)
        )
    ]
    x, y = min(places, key=lambda place: covered(*place))
    return round(x), round(y), width


def svg_of(film: Film, seconds: float) -> str:
    """Return a film as SVG that plays by CSS alone: it needs no script, and none may run.

    Who prefers no motion sees the last frame.

    Args:
        seconds: how long a frame lasts.
    """
    width, height = film.size
    count = len(film.frames)
    shots: dict[tuple[int, int], None] = {}

    def shot(first: int, last: int, content: str) -> str:
        """Return content that is there from one frame to before another."""
        if (first, last) == (0, count):
            return content
        shots[first, last] = None
        return f'<g class="s f{first}-{last}">{content}</g>'

    body = [_wire(route, "wire") for route in film.routes]
    for i, ((x, y), (name, op, value)) in enumerate(zip(film.corners, film.titles, strict=True)):
        body.append(
            f'<g transform="translate({x} {y})"><rect class="card" width="{WIDTH}" '
            f'height="{HEIGHT}" rx="8"/>'
        )
        body += [
            shot(first, last, _card(film.frames[first].cards[i]))
            for first, last in _spans([frame.cards[i] for frame in film.frames])
        ]
        body.append(
            f'<text class="name" x="9" y="16">{escape(name)}</text>'
            f'<text class="op" x="{WIDTH - 9}" y="16">{escape(op)}</text>'
            f'<text class="tag" x="9" y="33" fill="{GREY}">value</text>'
            f'<text class="number" x="{WIDTH - 9}" y="33">{escape(value)}</text></g>'
        )
    for k, frame in enumerate(film.frames):
        if frame.edge is not None:
            body.append(shot(k, k + 1, _active(film, frame)))
        where = f'x="{FRAME_MARGIN}" y="{height - 26}"'
        caption = f'<text class="caption" {where}>{escape(frame.caption)}</text>'
        body.append(shot(k, k + 1, caption))
    style = _STYLE + "".join(_keyframes(first, last, count, seconds) for first, last in shots)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" fill="{INK}" role="img" aria-label="A backward pass, step by step">'
        f'<style>{style}</style><rect width="{width}" height="{height}" fill="white"/>'
        f"{''.join(body)}</svg>\n"
    )


def _spans(states: list[Card]) -> list[tuple[int, int]]:
    """Return from where to where a card stays the same."""
    starts = [i for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
    return list(zip(starts, [*starts[1:], len(states)], strict=True))


def _card(card: Card) -> str:
    strip = f"M1 {HEIGHT - 20}h{WIDTH - 2}v12a7 7 0 0 1-7 7h-{WIDTH - 16}a7 7 0 0 1-7-7z"
    fill = f'<path d="{strip}" fill="{card.fill}"/>' if card.fill else ""
    mark = (
        f'<rect class="mark {card.outline}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        if card.outline
        else ""
    )
    ink = ink_on(card.fill, GREY if card.gradient == "?" else INK)
    tag = f'<text class="tag" x="9" y="{HEIGHT - 6}" fill="{ink_on(card.fill, GREY)}">grad</text>'
    number = f'<text class="number" x="{WIDTH - 9}" y="{HEIGHT - 6}" fill="{ink}">'
    return f"{fill}{mark}{tag}{number}{escape(card.gradient)}</text>"


def _wire(route: tuple[Point, ...], name: str) -> str:
    start, *rest = (f"{x} {y}" for x, y in route)
    return f'<path class="{name}" d="M{start}C{" ".join(rest)}"/>'


def _active(film: Film, frame: Frame) -> str:
    assert frame.edge is not None
    x, y, width = label_place(film, frame)
    return (
        _wire(film.routes[frame.edge], "wire active")
        + f'<rect x="{x - width // 2}" y="{y - FACTOR_HEIGHT // 2}" width="{width}" '
        f'height="{FACTOR_HEIGHT}" rx="{FACTOR_HEIGHT // 2}" fill="{ACCENT}"/>'
        f'<text class="local" x="{x}" y="{y + 4}">{escape(frame.local)}</text>'
    )


def _keyframes(first: int, last: int, count: int, seconds: float) -> str:
    """Return the rule for what is seen from one frame to before another."""
    name = f"f{first}-{last}"
    stops = [f"{100 * first / count:.4f}%{{visibility:visible}}"]
    if first:
        stops.insert(0, "0%{visibility:hidden}")
    if last < count:
        stops.append(f"{100 * last / count:.4f}%{{visibility:hidden}}")
    still = (
        ""
        if last == count
        else f"@media (prefers-reduced-motion:reduce){{.{name}{{visibility:hidden}}}}"
    )
    return (
        f".{name}{{animation:{name} {seconds * count:g}s step-end infinite}}"
        f"@keyframes {name}{{{''.join(stops)}}}{still}"
    )


_STYLE = (
    "text{font:12px system-ui,Helvetica,Arial,sans-serif}"
    ".name{font-weight:650}.op{fill:" + GREY + "}.op,.number{text-anchor:end}"
    ".tag{font-size:10px}.number{font:11.5px ui-monospace,Menlo,Consolas,monospace}"
    f".card{{fill:white;stroke:{BORDER};stroke-width:1.2}}"
    f".wire{{fill:none;stroke:{WIRE};stroke-width:1.3}}.active{{stroke:{ACCENT};stroke-width:2.8}}"
    f".mark{{fill:none;stroke:{ACCENT};stroke-width:2.6}}"
    ".giver{stroke-dasharray:5 3}.caption{font-size:15px}"
    ".local{font:600 11px ui-monospace,Menlo,monospace;fill:white;text-anchor:middle}"
    "@media (prefers-reduced-motion:reduce){.s{animation:none!important}}"
)
