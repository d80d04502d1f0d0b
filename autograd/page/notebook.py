"""The page in notebooks: in a frame, in a script that makes it, as a picture, in a widget."""

from __future__ import annotations

import base64
import html
import json

from autograd import drawing
from autograd.drawing import Cursor
from autograd.errors import MissingExtraError
from autograd.page.document import harmless
from autograd.page.linker import linked, name_of, resource


def frame(page: str, height: int = 720) -> str:
    """Return ``page`` as an iframe, which can't reach what is around it."""
    return (
        f'<iframe title="Chainrule debugger" sandbox="allow-scripts" width="100%" '
        f'height="{height}" style="border:0" srcdoc="{html.escape(page)}"></iframe>'
    )


def framing(page: str, height: int = 720) -> str:
    """Return the JavaScript of a notebook's output that puts ``page`` there, in an iframe.

    It takes the notebook's theme, light or dark. Where outputs aren't trusted or are sanitised, a
    script is left out whole, while of an ``<iframe>`` an empty frame would remain, or its text.
    """
    return f"""(() => {{
{linked("host/frame.js", resource)}
const place = typeof element === "undefined" ? document.currentScript.parentElement : element;
(place[0] ?? place).append({name_of("host/frame.js")}.framed({_literal(page)}, {height}).frame);
}})();
"""


MOST_PICTURED = 60
"""Nodes that a picture shows one by one; of more, it shows the layers."""


def picture(at: Cursor) -> dict[str, str]:
    """Return where a stepper stands as a PNG, by its MIME type; nothing without Graphviz."""
    level = "op" if len(at.recording.nodes) <= MOST_PICTURED else "layer"
    try:
        drawn = drawing.draw_moment(at, "png", level=level).pipe()
    except MissingExtraError:
        return {}
    return {"image/png": base64.b64encode(drawn).decode()}


def standing_in(key: str, png: str) -> str:
    """Return the JavaScript of an output with a picture, until the widget of a key is there."""
    return f"""(() => {{
{linked("host/picture.js", resource)}
const place = typeof element === "undefined" ? document.currentScript.parentElement : element;
{name_of("host/picture.js")}.standIn(place[0] ?? place, {_literal(key)}, {_literal(png)});
}})();
"""


def widget_module() -> str:
    """Return the ES module of the widget: the frame, and what is synced with it."""
    widget = "host/widget.js"
    return f"{linked(widget, resource)}\nexport default {name_of(widget)};\n"


def _literal(text: str) -> str:
    """Return a text in JavaScript, such that it may stand in an HTML document."""
    return harmless(json.dumps(text, ensure_ascii=False))
