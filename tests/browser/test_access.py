"""The page for everybody: axe-core finds nothing, at two sizes, light and dark."""

from typing import Any

import pytest

from autograd import Value, debug, tanh
from autograd.page import build
from autograd.stepping.events import Recording
from tests.browser.reading import rectangle

pytestmark = pytest.mark.browser

SIZES = {"desktop": (1280, 720), "phone": (390, 844)}

MOMENTS = {
    "start": "",
    "edge": "#event=14",
    "what-if": "#event=29&node=0&set=0:2.5&break=1",
    "wrong": "#event=14&way=no%20zero_grad",
    "predict": "#event=11&predict=1",
}


@pytest.fixture(scope="module")
def text() -> str:
    with debug():
        x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
        x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
        out = tanh(x1 * w1 + x2 * w2 + Value(6.8813735870195432, label="b"))
        out.label = "o"
    return build(Recording(out), title="One neuron")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_axe_finds_nothing(
    open_page: Any, screenshot: Any, axe: str, text: str, moment: str, size: str, scheme: str
) -> None:
    page = open_page(
        text, MOMENTS[moment], SIZES[size], color_scheme=scheme, reduced_motion="reduce"
    )
    result = page.evaluate(f"() => {{ {axe}; return axe.run(); }}")
    found = [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in result["violations"]]
    screenshot(page, f"{moment}-{size}-{scheme}")
    assert found == []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(open_page: Any, text: str, size: str) -> None:
    page = open_page(text, "#event=29&node=0&set=0:2.5", SIZES[size])
    width, _ = SIZES[size]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("find", "way", "predict", "help-open", "zoom-in", "play", "scrub", "speed"):
        box = rectangle(page.locator(f"#{name}"))
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
    if size == "desktop":
        assert page.evaluate("document.documentElement.scrollHeight") <= 720


def test_dialogs_are_clean_too(open_page: Any, axe: str, text: str) -> None:
    page = open_page(text)
    for button in ("help-open", "breaks-open"):
        page.click(f"#{button}")
        result = page.evaluate(f"() => {{ {axe}; return axe.run(); }}")
        assert [v["id"] for v in result["violations"]] == []
        page.keyboard.press("Escape")


def test_reduced_motion_stops_the_flow(open_page: Any, text: str) -> None:
    page = open_page(text, "#event=14", reduced_motion="reduce")
    animation = "getComputedStyle(document.querySelector('.edge.active')).animationName"
    assert page.evaluate(animation) == "none"
    moving = open_page(text, "#event=14", reduced_motion="no-preference")
    assert moving.evaluate(animation) == "flow"
