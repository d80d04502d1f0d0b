"""A Digraph that finds its own renderer: the system's dot, else the one that pip brought."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any

from autograd.drawing import dot
from autograd.drawing.picture import Picture
from autograd.errors import MissingExtraError
from autograd.extras import missing_extra

try:
    import graphviz
    from graphviz.backend import dot_command
except ImportError as error:
    missing_extra("graphviz", "draw", error)

PURE = "graphviz-pure"

PURE_CANNOT = {"pdf", "ps", "ps2", "eps", "svgz", "gif", "webp"}
"""The common formats that graphviz-pure 0.2.2 lacks; for the rest, its own message will do."""

# Up to here a picture takes a few seconds; the layout's time grows faster than the graph.
MOST_ITEMS = 2_000
MOST_RANKS = 15_000


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """A `graphviz.Digraph` that says clearly what it can't draw, and why.

    Attributes:
        picture: what it shows.
    """

    # A class attribute: a copy or a subgraph is made by graphviz.Digraph's own arguments.
    picture = Picture(())

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """Return the picture, as `graphviz.Digraph.pipe` does."""
        self._prepare(format or self.format)
        return super().pipe(format, **_quiet(options))

    def render(self, *args: Any, **options: Any) -> Any:
        """Write the DOT text and the picture to files, as `graphviz.Digraph.render` does."""
        suffix = Path(options.get("outfile") or "").suffix[1:]
        self._prepare(options.get("format") or suffix or self.format)
        return super().render(*args, **_quiet(options))

    def file(self, format: str) -> bytes:
        """Return the picture for a file, whose bytes are compared and committed.

        SVG is then drawn by graphviz-pure where it is there: it measures text by its own
        tables, and so draws the same on every machine, which the system's dot does not.
        """
        pure = find_pure() if format == "svg" else None
        if pure is None or str(dot_command.DOT_BINARY) not in ("dot", str(pure)):
            return bytes(self.pipe(format))
        self._prepare(format)
        # Run here: to lend it to the graphviz package would lend it to other threads, too.
        program = [str(pure), "-Kdot", f"-T{format}"]
        done = subprocess.run(program, input=self.source.encode(), capture_output=True)
        if done.returncode:
            raise graphviz.CalledProcessError(done.returncode, program, done.stdout, done.stderr)
        return bytes(done.stdout)

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.picture.items)} boxes>"

    def _repr_image_svg_xml(self) -> str:
        """Return the SVG for a notebook: as wide as drawn, but not wider than the page."""
        return SIZE.sub(_scaled, self.pipe(format="svg", encoding="utf-8"), count=1)

    def _prepare(self, format: str) -> None:
        if refusal := _refusal(self.picture):
            raise ValueError(refusal)
        renderer = choose_renderer()
        if renderer.stem == PURE and format.lower() in PURE_CANNOT:
            raise MissingExtraError(
                f"{format} needs the system's Graphviz, which pip can't bring: install it (apt-get "
                "install graphviz, brew install graphviz), or draw svg or png"
            )


def drawing_of(picture: Picture, format: str = "svg") -> Drawing:
    """Return the drawing of a picture."""
    drawing = Drawing(
        format=format,
        graph_attr=dot.GRAPH | {"rankdir": picture.rankdir},
        node_attr=dot.NODE,
        edge_attr=dot.EDGE,
        body=[f"\t{statement}\n" for statement in dot.statements(picture)],
    )
    drawing.picture = picture
    return drawing


SIZE = re.compile(r'(<svg\b[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"')


PAGE_PIXELS = 900
"""Pixels that fit a notebook's page: where the SVG is shown as an image, which JupyterLab and
nbconvert do, its own max-width has no effect, and what is wider is cut off."""


def _scaled(found: re.Match[str]) -> str:
    # A point is 4/3 of a CSS pixel.
    width = min(round(float(found[2]) * 4 / 3), PAGE_PIXELS)
    return f'{found[1]} width="{width}" style="max-width: 100%; height: auto"'


def _refusal(picture: Picture) -> str:
    """Return why a graph is too large for a picture, "" if it isn't.

    What costs time is less the items than the levels that their links cross: the layout puts
    a point on each. The levels are counted as it does, from the root.
    """
    level = {item.key: 0 for item in picture.items}
    place = {item.key: i for i, item in enumerate(picture.items)}
    links = [
        (link.arg, item.key)
        for item in reversed(picture.items)
        for link in item.args
        # A cycle of modules has a link that runs backwards.
        if link.arg and place[link.arg] < place[item.key]
    ]
    for arg, key in links:
        level[arg] = max(level[arg], level[key] + 1)
    crossed = sum(level[arg] - level[key] for arg, key in links)
    if len(picture.items) <= MOST_ITEMS and crossed <= MOST_RANKS:
        return ""
    return (
        f"this graph is too large for a picture: {len(picture.items):,} nodes (at most "
        f"{MOST_ITEMS:,}), whose edges cross {crossed:,} levels (at most {MOST_RANKS:,}). Draw it "
        "with a budget, which folds it, or keep the text: autograd.drawing.write(out, 'graph.dot')"
    )


def choose_renderer() -> Path:
    """Return the program that draws, after telling the graphviz package to use it.

    That is the ``dot`` on the PATH, or the one the user has configured in
    ``graphviz.backend.dot_command.DOT_BINARY``; else graphviz-pure, from the folder where pip puts
    commands, which is on the PATH only in an activated environment.

    Raises:
        MissingExtraError: there is neither.
    """
    if not shutil.which(str(dot_command.DOT_BINARY)):
        found = find_pure()
        if found is None:
            raise MissingExtraError(
                "drawing needs Graphviz: pip install 'chainrule[draw]' brings one for svg and png; "
                "the system's (apt-get install graphviz) also draws pdf"
            )
        dot_command.DOT_BINARY = found
    return Path(dot_command.DOT_BINARY)


def find_pure() -> Path | None:
    """Return the program that pip brought, if it did."""
    folders = [os.path.dirname(sys.executable or ""), sysconfig.get_path("scripts")]
    with suppress(ValueError):  # a browser's Python has no users
        folders.append(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    folders += os.get_exec_path()
    found = shutil.which(PURE, path=os.pathsep.join(filter(None, folders)))
    return Path(found) if found else None


def _quiet(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without remarks on stderr, such as on the width of an emoji."""
    return {"quiet": True} | options
