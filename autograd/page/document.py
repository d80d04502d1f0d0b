"""The debugger as one HTML file: source, graph and arithmetic, side by side and live.

The file needs no server and no network, and may do nothing but run the one script whose hash
its policy names.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

from autograd.drawing import palette
from autograd.page.content import embedded
from autograd.page.linker import linked, resource
from autograd.page.source import shown_paths
from autograd.stepping.events import Recording

SPARED = re.compile(r"/\*.*?\*/|(?<=[{};,:])\s+|\s+(?=[{}])|;(?=\s*\})", re.DOTALL)
"""What a style sheet does without: comments, blanks beside what separates its parts, a last one."""

PLAIN = re.compile(r"^[^\"'`/\n]+$", re.MULTILINE)
"""A line of script without text, patterns or comments: blanks beside its signs tell nothing."""

SIGN = re.compile(r" ?([=<>?:&|,*(){}]) ?")

JOINED = re.compile(r"^(?!.*//)(.*)(?:(?<=[,;{(\[=>&|+])\n|\n(?=[)}\].?:]))", re.MULTILINE)
"""A line of script, without a comment, that needs no end: no text of the script spans lines."""


def build(recording: Recording, position: int = 0, *, title: str = "") -> str:
    """Return the page of a recorded run, as the text of an HTML file.

    The source it shows is that of the functions in which nodes were recorded under `debug`;
    without `debug`, it lists the run's own definitions.

    Args:
        position: how many events have happened when it opens; by default, the forward pass.
        title: the page's heading; by default, which gradients it shows, and of which file.

    Cost: linear in nodes and edges, and a layout that Graphviz makes.
    """
    title = title or _title(recording)
    data, rows = embedded(recording, position, title)
    script = _script(rows.text)
    style = themed(resource("style.css").replace("/* colours */", _colours()))
    run = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    parts = {
        "title": html.escape(_encodable(title)),
        "policy": (
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
        "data": harmless(run),
    }
    pieces = resource("template.html").split("%%")
    # The odd pieces are names; nothing that is put in is searched again.
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def _title(recording: Recording) -> str:
    """Return what a run is called: by its root, and by the file that made it, if that is known."""
    origin = recording.root.origin
    (path,) = shown_paths([origin[1]]) if origin and origin[1] else ("",)
    file = f" in {path}" if path and not path.startswith("cell ") else ""
    return f"Gradients of {recording.name(recording.root)}{file}"


def _script(rows: str) -> str:
    """Return the one script: the page's own modules, and the generated one of the ``rows``."""

    def read(path: str) -> str:
        return rows if path == "rows.js" else resource(f"script/{path}")

    script = linked("view/main.js", read)
    script = JOINED.sub(r"\1", PLAIN.sub(lambda line: SIGN.sub(r"\1", line[0]), script))
    return f'"use strict";\n(() => {{\n{script}\n}})();'


def themed(style: str) -> str:
    """Return a style sheet after the theme that it shares, without what neither needs."""
    return SPARED.sub("", resource("theme.css") + style)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def harmless(data: str) -> str:
    """Return JSON that neither ends its script element nor breaks the encoding."""
    safe = data.replace("<", r"\u003c").replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")
    return _encodable(safe)


def _encodable(text: str) -> str:
    """Return ``text`` without lone surrogates, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _colours() -> str:
    """Return the gradient colours of the drawings as CSS variables, for light and dark pages."""
    shades = {"negative": palette.NEGATIVE, "positive": palette.POSITIVE, "norm": palette.NORM}
    return " ".join(
        f"--{sign}-{i}: light-dark({day}, {night});"
        for sign, colours in shades.items()
        for i, (day, night) in enumerate(zip(colours, palette.NIGHT[sign], strict=True), 1)
    )
