"""The page shows a network as a network: boxes for modules, opened and closed, stepped through."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from autograd import Stepper, Value, mean, scope
from autograd.page import build
from autograd.page.levels import levels_of
from autograd.stepping.events import Recording
from nn import MLP
from nn.data import moons
from nn.losses import hinge
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser


def moons_loss(n: int = 8) -> Value:
    model = MLP(2, [6, 4, 1], seed=1)
    losses = []
    for i, (point, label) in enumerate(zip(*moons(n, seed=0), strict=True)):
        with scope(f"samples.{i}"):
            losses.append(hinge(model(point), 2 * label - 1))
    loss = mean(losses)
    loss.label = "loss"
    return loss


def position(page: Any) -> int:
    return int(page.locator("#position").inner_text().split("/")[0])


def titles(page: Any) -> list[str]:
    return list(page.eval_on_selector_all("#nodes .name", "all => all.map((e) => e.textContent)"))


def pressed(page: Any) -> str:
    return str(page.locator("#levels [aria-pressed=true]").inner_text())


def pick(page: Any, level: str) -> None:
    page.get_by_role("button", name=level, exact=True).click()


def number_in(page: Any, title: str, row: str) -> str:
    box = page.locator("#nodes .node").filter(has=page.locator(".name", has_text=title))
    return str(box.locator(f".{row}").first.text_content())


def test_it_opens_at_the_finest_level_that_is_legible(open_page: Any, screenshot: Any) -> None:
    page = open_page(build(Recording(moons_loss())))
    assert pressed(page) == "Neurons"
    modules = [f"layers.{i}.neurons.{j}" for i, n in enumerate((6, 4, 1)) for j in range(n)]
    assert sorted(titles(page)) == sorted([*modules, "*", "-", "relu", "sum", "loss"])
    pick(page, "Layers")
    assert set(titles(page)) >= {"layers.0", "layers.1", "layers.2", "loss"}
    pick(page, "Network")
    assert set(titles(page)) >= {"network", "loss"}
    screenshot(page, "8-network")


def test_few_nodes_are_shown_one_by_one(open_page: Any) -> None:
    x = Value(2.0, "x")
    page = open_page(build(Recording(x * x + 1)))
    assert page.locator("#nodes .box").count() == 0
    assert page.locator("#nodes .node").count() == 3


def test_a_step_is_a_pass_through_a_box_and_back_undoes_it(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    run, page = stepper.recording, open_page(build(stepper.recording), "#level=layer")
    (layer,) = (level for level in levels_of(list(run.nodes)) if level["name"] == "layer")
    box = layer["box"]

    def key(index: int) -> tuple[int, bool]:
        event = run.event(index)
        return box[run.position[event.node]], event.kind == "forward"

    page.click("#next")  # it opens within the first stride
    here, visited = position(page), [position(page)]
    for _ in range(12):
        page.click("#next")
        wanted = here + 1
        while wanted < run.length and key(wanted) == key(wanted - 1):
            wanted += 1
        assert position(page) == wanted
        here = wanted
        visited.append(here)
    for wanted in visited[-2::-1]:
        page.click("#back")
        assert position(page) == wanted


def test_a_box_carries_the_flow_of_the_moment(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    run, page = stepper.recording, open_page(build(stepper.recording), "#level=layer")
    assert number_in(page, "layers.1", "gradient") == "?"
    page.click("#last")
    # What leaves layers.1 are the activations of its neurons: 4 for each of 8 samples.
    out = [
        run.adjoint(node)
        for node in run.nodes
        if node.origin and node.origin[0].endswith(tuple(f"layers.1.neurons.{i}" for i in range(4)))
        and str(node.op) == "relu"
    ]  # fmt: skip
    assert len(out) == 32
    assert float(number_in(page, "layers.1", "gradient")) == pytest.approx(
        math.hypot(*out), rel=1e-3
    )
    page.click("#first")
    assert number_in(page, "layers.1", "value") == "·"


def test_a_step_tells_what_flowed(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layer")
    for _ in range(20):
        page.click("#next")
        note = page.locator("#step-flow").inner_text()
        if "layers.2" in note:
            break
    assert "One pass through layers.2 × 8: 9 contributions, ‖grad‖ " in note
    assert "went on to other boxes" in note
    pick(page, "Nodes")
    assert not page.locator("#step-flow").is_visible()


def test_a_box_opens_and_closes_by_keys_and_by_double_click(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=network")
    page.locator("#canvas").focus()
    page.keyboard.press("Enter")
    assert pressed(page) == "Layers"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert pressed(page) == "Nodes"
    page.keyboard.press("Backspace")
    assert pressed(page) == "Neurons"
    page.keyboard.press("Escape")
    assert pressed(page) == "Layers"
    page.locator("#nodes .box").filter(has_text="layers.1").first.dblclick()
    assert pressed(page) == "Neurons"


def test_a_path_is_marked_from_box_to_box(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layer&event=99999")
    page.fill("#find", "layers.0.neurons.3.w.1")
    page.keyboard.press("Enter")
    pick(page, "Layers")
    page.locator(".paths button").first.hover()
    # From the loss over its sum, the three ops of a sample's loss and three layers.
    assert page.locator("#over .onpath").count() == 7


def test_the_arrows_go_from_box_to_box(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layer")
    chosen = page.locator("#nodes .chosen .name")
    seen = [chosen.text_content()]
    page.locator("#canvas").focus()
    for _ in range(7):
        page.keyboard.press("ArrowUp")
        seen.append(chosen.text_content())
    assert seen == ["loss", "sum", "relu", "-", "*", "layers.2", "layers.1", "layers.0"]


def test_search_opens_what_hides_a_node_and_says_when_there_is_none(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layer")
    page.fill("#find", "layers.0.neurons.3.w.1")
    page.keyboard.press("Enter")
    assert pressed(page) == "Nodes"
    assert page.locator("#node-title").inner_text() == "layers.0.neurons.3.w.1"
    page.fill("#find", "nowhere")
    page.keyboard.press("Enter")
    assert page.locator("#find").get_attribute("aria-invalid") == "true"
    assert "nothing found" in page.evaluate("document.getElementById('find').validationMessage")
    page.fill("#find", "loss")
    page.keyboard.press("Enter")
    assert page.locator("#node-title").inner_text() == "loss"


def test_the_address_holds_the_level(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())))
    pick(page, "Network")
    page.wait_for_url("**level=network*")


def test_it_opens_where_the_stepper_stands(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    stepper.goto(40)
    assert position(open_page(build(stepper.recording, stepper.position))) == 40


def test_a_loop_has_arrows_both_ways(open_page: Any) -> None:
    h = Value(0.5, "h")
    for _ in range(20):
        with scope("a"):
            h = h.tanh() * 1.5
        with scope("b"):
            h = h.exp() - 1
    page = open_page(build(Recording(h)), "#level=layer")
    assert sorted(titles(page)) == ["a", "b", "h"]
    page.click("#next")
    page.click("#last")
    assert page.locator("#nodes .box.complete").count() == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_flow_is_readable_on_its_colour(open_page: Any, scheme: str) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layer", color_scheme=scheme)
    page.click("#last")
    pairs = page.eval_on_selector_all(
        "#nodes .box.shaded",
        "all => all.map((e) => [e.querySelector('.strip'), e.querySelector('.gradient')]"
        ".map((part) => getComputedStyle(part).fill))",
    )
    assert len(pairs) > 4
    for strip, text in pairs:
        light, dark = sorted(map(luminance, (strip, text)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def luminance(colour: str) -> float:
    """Return the relative luminance of ``rgb(r, g, b)``: WCAG 2.2, its definition."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_on_a_phone_every_button_of_the_pane_is_in_sight(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), size=PHONE)
    for button in page.locator("#graph .head button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
