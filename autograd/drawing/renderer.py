"""A Digraph that finds its own renderer: the system's dot, else the one that pip brought."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from autograd.errors import MissingExtraError, missing_extra

try:
    import graphviz
    from graphviz.backend import dot_command
except ImportError as error:
    missing_extra("graphviz", "draw", error)

PURE = "graphviz-pure"

PURE_CANNOT = {"pdf", "ps", "ps2", "eps", "svgz", "gif", "webp"}
"""The common formats that graphviz-pure 0.2.2 lacks; for the rest, its own message will do."""


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """A `graphviz.Digraph` that says clearly what it can't draw, and why.

    Attributes:
        refusal: why there will be no picture, only the DOT text; "" if there is no reason.
    """

    refusal = ""

    def pipe(self, format: str | None = None, **options: Any) -> Any:
        """Return the picture, as `graphviz.Digraph.pipe` does."""
        self._prepare(format or self.format)
        return super().pipe(format, **_quiet(options))

    def render(self, *args: Any, **options: Any) -> Any:
        """Write the DOT text and the picture to files, as `graphviz.Digraph.render` does."""
        suffix = Path(options.get("outfile") or "").suffix[1:]
        self._prepare(options.get("format") or suffix or self.format)
        return super().render(*args, **_quiet(options))

    def _prepare(self, format: str) -> None:
        if self.refusal:
            raise ValueError(self.refusal)
        renderer = choose_renderer()
        if renderer.stem == PURE and format.lower() in PURE_CANNOT:
            raise MissingExtraError(
                f"{format} needs the system's Graphviz, which pip can't bring: install it (apt-get "
                "install graphviz, brew install graphviz), or draw svg or png"
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
        folders = (
            os.path.dirname(sys.executable or ""),
            sysconfig.get_path("scripts"),
            sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")),
            *os.get_exec_path(),
        )
        found = shutil.which(PURE, path=os.pathsep.join(filter(None, folders)))
        if found is None:
            raise MissingExtraError(
                "drawing needs Graphviz: pip install 'chainrule[draw]' brings one for svg and png; "
                "the system's (apt-get install graphviz) also draws pdf"
            )
        dot_command.DOT_BINARY = Path(found)
    return Path(dot_command.DOT_BINARY)


def _quiet(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without remarks on stderr, such as on the width of an emoji."""
    return {"quiet": True} | options
