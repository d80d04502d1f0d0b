r"""How wide a formula of LaTeX is, about, and where a long one breaks.

>>> print(*broken(r"a \cdot \text{a long name} + b \cdot c = d", 80), sep="\n")
a \cdot \text{a long name}
+ b \cdot c = d
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

LINE_WIDTH = 345.0
"""The width of LaTeX's page in points: class article, at 10 points."""

DEEPEST_BRACES = 40
"""Braces in braces that are measured; what has more fits on no line."""

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)

GROUPS = {r"\frac": 2, r"\text": 1, r"\operatorname": 1, r"\sqrt": 1}
"""Commands that take what is in braces after them."""

SPACES = {r"\quad": 10.0, r"\qquad": 20.0, r"\,": 1.7}
BREAKS = {"relation": 0, "sign": 1}
"""Before what a formula breaks, the best first; before a dot or after a comma it does at last."""

SIGNS = frozenset(("+", "-", r"\cdot"))
RELATIONS = frozenset(("=", "<", ">", r"\to", r"\le", r"\ge"))
WIDTHS = {c: w for w, cs in ((3.2, "ijl.,:;!'`|()[] /ftr-I"), (10.5, "mwMWQO@%")) for c in cs}
USUAL, CAPITAL = 5.7, 8.0


@dataclass(frozen=True, slots=True)
class Atom:
    """A piece of a formula between whose like it can break.

    Attributes:
        source: its LaTeX.
        width: in points.
        kind: "relation", "sign" or "comma", else "".
        depth: how many parentheses are around it.
    """

    source: str
    width: float
    kind: str
    depth: int


def width(formula: str) -> float:
    """Return how wide a formula is, in points, as text of 10 points; rather too much."""
    return sum(atom.width for atom in _atoms(formula))


def widest(formula: str) -> float:
    """Return the width of the widest part of a formula that can't break."""
    return max((atom.width for atom in _atoms(formula)), default=0.0)


def broken(formula: str, room: float, later: float | None = None) -> list[str]:
    """Return the lines of a formula that has room for so many points, in its first line and later.

    It breaks before relations, or else before signs or after commas: outside of parentheses, if
    there is such a place.
    """
    atoms = _atoms(formula)
    lines: list[str] = []
    while atoms and sum(atom.width for atom in atoms) > room and (at := _best(atoms, room)):
        lines.append("".join(atom.source for atom in atoms[:at]).strip())
        atoms = atoms[at:]
        room = later if later is not None else room
    lines.append("".join(atom.source for atom in atoms).strip())
    return lines if len(lines) == 1 else [_open(line) for line in lines]


def _best(atoms: list[Atom], room: float) -> int:
    """Return before which atom a line ends; 0 if it can't end at all.

    Of the places within the room, the last of the best; else the first there is.
    """
    best, least, used = 0, (math.inf, math.inf), 0.0
    for i, atom in enumerate(atoms):
        if i and used > room and best:
            break
        if i and (atom.kind in BREAKS or atoms[i - 1].kind == "comma"):
            rank = (atom.depth, BREAKS.get(atom.kind, 2) + (atom.source == r"\cdot"))
            if rank <= least:
                best, least = i, rank
        used += atom.width
    return best


def loosened(formula: str) -> str:
    """Return a formula that TeX may break in its text, within parentheses too."""
    return _open(formula).replace(", ", r",\allowbreak ")


def _open(line: str) -> str:
    """Return a formula with parentheses that may be closed on another line."""
    return line.replace(r"\left", r"\bigl").replace(r"\right", r"\bigr")


def _atoms(formula: str) -> list[Atom]:
    return _measured(TOKEN.findall(formula), 0)


def _measured(tokens: list[str], nested: int) -> list[Atom]:
    atoms: list[Atom] = []
    i = depth = 0
    while i < len(tokens):
        token = tokens[i]
        start, i = i, i + 1
        size, kind = 0.0, ""
        here = depth
        if token in ("^", "_"):
            # Scripts belong to what stands before them.
            end = _group_end(tokens, i)
            size = 0.75 * _width_of(tokens[i:end], nested)
            source = "".join(tokens[start:end])
            i = end
            if atoms:
                last = atoms.pop()
                source, size = last.source + source, last.width + size
        elif token == "{":
            i = _group_end(tokens, start)
            source, size = "".join(tokens[start:i]), _width_of(tokens[start + 1 : i - 1], nested)
        elif token in GROUPS:
            sizes = []
            for _ in range(GROUPS[token]):
                end = _group_end(tokens, i)
                inner = tokens[i + 1 : end - 1]
                is_text = token in (r"\text", r"\operatorname")
                sizes.append(sum(map(_letter, inner)) if is_text else _width_of(inner, nested))
                i = end
            source, size = "".join(tokens[start:i]), max(sizes) + 3 + 7 * (token == r"\sqrt")
        elif token in (r"\left", r"\right"):
            i = min(i + 1, len(tokens))
            source, size = "".join(tokens[start:i]), 6.0
            depth += 1 if token == r"\left" else -1
        elif token in RELATIONS:
            source, size, kind = token, 13.5, "relation"
        elif token in SIGNS and _is_between(atoms):
            source, size, kind = token, 12.5 if token in "+-" else 7.5, "sign"
        elif token == ",":
            source, size, kind = token, 4.7, "comma"
        elif token.isspace():
            source = token
        else:
            source, size = token, SPACES.get(token, _letter(token))
            depth += (token == "(") - (token == ")")
        here = min(here, depth)
        atoms.append(Atom(source, size, kind, here))
    return atoms


def _is_between(atoms: list[Atom]) -> bool:
    """Return whether a sign that comes next stands between two operands."""
    before = next((atom for atom in reversed(atoms) if not atom.source.isspace()), None)
    return before is not None and not before.kind and not before.source.startswith((r"\left", "("))


def _letter(token: str) -> float:
    if token.startswith("\\"):
        return 7.0 + 3.5 * max(0, len(token) - 8)
    return WIDTHS.get(token, CAPITAL if token.isupper() else USUAL if token < "\u0250" else 10.5)


def _width_of(tokens: list[str], nested: int) -> float:
    if nested > DEEPEST_BRACES:
        return math.inf
    return sum(atom.width for atom in _measured(tokens, nested + 1))


def _group_end(tokens: list[str], at: int) -> int:
    """Return where the token or the group in braces that begins at ``at`` has ended."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] == "{") - (tokens[i] == "}")
        if depth <= 0:
            return i + 1
    return len(tokens)
