"""What labels may hold, in the page and in drawings."""

from __future__ import annotations

import html
import json
import random
import re
from functools import cache
from typing import Any

from autograd import Stepper, Value, drawing, scope, tanh
from autograd.page import build
from autograd.page.content import embedded
from tests.fuzz.mangling import PIECES, mangled
from tests.fuzz.target import Target

WORDS = ("w", "layers.0.neurons.1", "a label", "θ_1", "x" * 100, "<b>bold</b>", "%s {0}", "")


def labels(source: random.Random) -> list[str]:
    """Return three labels and a scope."""
    found = [mangled(source, source.choice(WORDS)) for _ in range(4)]
    if source.random() < 0.01:
        found[0] = (source.choice(PIECES) * 100_000)[:100_000]
    return found


def graph(names: list[str]) -> Value:
    x, w = Value(2.0, names[0]), Value(-3.0, names[1])
    with scope(names[3]):
        y = tanh(x * w)
    y.label = names[2]
    return y + x


def use_page(names: list[str]) -> None:
    recording = Stepper(graph(names)).recording
    if len(names[1]) % 50 != 7:  # the script and the style, which are the same, take longer
        data, _ = embedded(recording, 0, names[0])
        json.dumps(data, ensure_ascii=False, allow_nan=False)
        return
    text = build(recording, title=names[0])
    text.encode()
    assert text.count("</script") == 2
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.S)
    assert found
    data: Any = json.loads(found[1])
    assert isinstance(data, dict)
    assert "<!--" not in found[1]


def use_drawing(names: list[str]) -> None:
    out = graph(names)
    for level in ("op", "layer"):
        picture = drawing.draw_dot(out, level=level)
        text = "\n".join(drawing.text_of(picture.picture, form) for form in ("dot", "mmd", "txt"))
        text.encode()
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", text), "a control"
    latex = Stepper(out).derivation(out).latex()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", latex), "a control"
    if len(names[1]) % 50 == 7:  # a program of its own: it takes longer than all the rest
        drawn = drawing.draw_dot(out).pipe("svg").decode()
        assert html.unescape(drawn).count("</svg>") == 1


@cache
def targets() -> tuple[Target, ...]:
    return (
        Target("pages", labels, use_page, ()),
        Target("drawings", labels, use_drawing, ()),
    )
