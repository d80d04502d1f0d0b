"""The page shows a network as a network: boxes for modules, opened and closed, stepped through."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from autograd import Stepper, Value, mean, scope, sum
from autograd.drawing.structure import Structure
from autograd.page import build
from autograd.page.levels import levels_of
from autograd.stepping.events import Recording
from autograd.stepping.notation import show
from nn import MLP, Layer, Residual, Sequential
from nn.data import moons
from nn.losses import hinge
from tests.browser.conftest import PHONE
from tests.browser.reading import RECTANGLE, TEXT, come_to_rest, read_all, rectangle, until
from tests.page.golden import loop
from tests.test_page import unpacked

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
    """Return what the boxes and nodes in sight are called, each by its name in its frame."""
    return read_all(page.locator("#nodes .name"), TEXT)


def frames(page: Any) -> list[str]:
    return read_all(page.locator("#frames .name"), TEXT)


def box(page: Any, title: str) -> Any:
    return page.locator("#nodes .node").filter(has=page.locator(f'.name:text-is("{title}")'))


def frame(page: Any, title: str) -> Any:
    """The title of an open box."""
    found = page.locator(".frame").filter(has=page.locator(f'.name:text-is("{title}")'))
    return found.locator(".bar-of-frame")


def pressed(page: Any) -> str:
    return str(page.locator("#levels [aria-pressed=true]").inner_text())


def pick(page: Any, level: str) -> None:
    page.get_by_role("button", name=level, exact=True).click()


def number_in(page: Any, title: str, row: str) -> str:
    box = page.locator("#nodes .node").filter(has=page.locator(".name", has_text=title))
    return str(box.locator(f".{row}").first.text_content())


def test_it_opens_at_the_finest_level_that_is_legible(open_page: Any, screenshot: Any) -> None:
    page = open_page(build(Recording(moons_loss())))
    assert pressed(page) == "Neurons", "they are few, and in rows they are legible"
    graph = rectangle(page.locator("#canvas"))
    for at in read_all(page.locator("#nodes .node"), RECTANGLE):
        assert graph["x"] <= at["x"]
        assert at["x"] + at["width"] <= graph["x"] + graph["width"]
        assert at["height"] > 35
    neurons = [f"neurons.{j}" for n in (6, 4) for j in range(n)]
    until(page, f"document.querySelectorAll('#nodes .node').length === {len(neurons) + 6}")
    others = ["layers.2", "*", "-", "relu", "loss"]
    assert set(titles(page)) - {"n243"} == set(neurons) | set(others)
    assert frames(page) == ["network × 8", "layers.0 × 8", "layers.1 × 8"]
    pick(page, "Layers")
    assert set(titles(page)) >= {"layers.0", "layers.1", "layers.2", "loss"}
    assert frames(page) == ["network × 8"]
    pick(page, "Network")
    assert set(titles(page)) >= {"network", "loss"}
    screenshot(page, "8-network")


def test_thirty_layers_are_seen_at_a_glance(open_page: Any) -> None:
    net = Sequential(*[Residual(Layer(4, 4, activation="tanh", seed=i)) for i in range(30)])
    page = open_page(build(Recording(mean([sum(net([i, 1.0, -0.5, 0.25])) for i in range(3)]))))
    assert pressed(page) == "Layers"
    assert {f"layers.{i}" for i in range(30)} <= set(titles(page))
    assert rectangle(page.locator("#nodes .node").first)["height"] > 35


def test_few_nodes_that_are_too_many_for_the_pane_are_in_their_neurons(open_page: Any) -> None:
    layer = Layer(3, 8, activation="tanh", seed=1)
    run = Recording(sum([out * out for out in layer([1.0, -0.5, 2.0])]))
    assert len(run.nodes) == 57
    page = open_page(build(run))
    assert pressed(page) == "Neurons"
    assert {f"neurons.{i}" for i in range(8)} <= set(titles(page))
    pick(page, "Nodes")
    assert page.locator("#nodes .box").count() == 0


def test_few_nodes_are_shown_one_by_one(open_page: Any) -> None:
    x = Value(2.0, "x")
    page = open_page(build(Recording(x * x + 1)))
    assert page.locator("#nodes .box").count() == 0
    assert page.locator("#nodes .node").count() == 3


def test_a_step_is_a_pass_through_a_box_and_back_undoes_it(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    run, page = stepper.recording, open_page(build(stepper.recording), "#level=layers")
    found = levels_of(Structure(list(run.nodes)))
    boxes = unpacked(next(level["box"] for level in found if level["name"] == "layers"))

    def key(index: int) -> tuple[int, bool]:
        event = run.event(index)
        return boxes[run.position[event.node]], event.kind == "forward"

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
    run, page = stepper.recording, open_page(build(stepper.recording), "#level=layers")
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
    page = open_page(build(Recording(moons_loss())), "#level=layers")
    for _ in range(20):
        page.click("#next")
        note = page.locator("#step-flow").inner_text()
        if "layers.2" in note:
            break
    assert "One pass through layers.2 × 8: 9 contributions, ‖grad‖ " in note
    assert "went on to other boxes" in note
    pick(page, "Nodes")
    assert not page.locator("#step-flow").is_visible()


def test_a_click_opens_a_box_in_place_and_a_click_on_its_title_closes_it(
    open_page: Any, screenshot: Any
) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layers", reduced_motion="reduce")
    before = rectangle(box(page, "layers.1"))
    box(page, "layers.1").click()
    assert page.locator("#levels [aria-pressed=true]").count() == 0
    assert {f"neurons.{i}" for i in range(4)} <= set(titles(page))
    assert {"layers.0", "layers.2"} <= set(titles(page)), "what was there is still there"
    after = rectangle(page.locator(".frame").filter(has_text="layers.1").locator(".area"))
    assert after["y"] == pytest.approx(before["y"], abs=30)
    box(page, "neurons.2").click()
    assert {"w.* ", "b", "dot", "relu"} - set(titles(page)) <= {"w.* "}
    screenshot(page, "8-open")
    frame(page, "layers.1 × 8").click()
    assert pressed(page) == "Layers"
    page.wait_for_url("**level=layers*")
    frame(page, "network × 8").click()
    assert pressed(page) == "Network"


def test_a_box_opens_and_closes_by_keys(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=network&node=0")
    page.locator("#canvas").focus()
    crumbs = page.locator("#crumbs li")
    for depth in range(2, 5):
        page.keyboard.press("Enter")
        assert crumbs.count() == depth + 1
    assert read_all(crumbs, TEXT)[1:4] == ["network", "layers.2", "neurons.0.w.*"]
    page.keyboard.press("Backspace")
    assert crumbs.count() == 4
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert crumbs.count() == 2
    assert pressed(page) == "Network"


def test_a_narrow_listing_shows_the_ends_of_names(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=network&event=0&node=0")
    lines = read_all(page.locator(".line.made"), "(e) => [e.title, e.lastChild.textContent]")
    names = {full: shown.split(" = ")[0] for full, shown in lines}
    assert names["layers.2.neurons.0.w.3"] == "….neurons.0.w.3"


def test_the_crumbs_lead_out(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=op&node=0")
    crumbs = page.locator("#crumbs button")
    assert read_all(crumbs, TEXT) == ["all", "network", "layers.2", "neurons.0.w.*"]
    crumbs.nth(1).click()
    assert "layers.2" in titles(page)
    crumbs.nth(0).click()
    assert pressed(page) == "Network"


def test_a_sample_is_picked_and_stepped_through_alone(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    run, page = stepper.recording, open_page(build(stepper.recording), "#level=op&event=0")
    page.select_option("#sample", label="sample 3")
    own = {node for node in run.nodes if node.origin and ".3." in f"{node.origin[0]}."}
    own &= {n for n in run.nodes if n.origin and n.origin[0].startswith("samples.3")}
    shared = [n for n in run.nodes if n.op is None or not n.origin]
    seen = set()
    for _ in range(200):
        page.click("#next")
        if position(page) > len(run.nodes):
            break
        seen.add(run.nodes[position(page) - 1])
    assert seen == own | set(shared)
    page.select_option("#sample", label="all 8")
    until(page, "!location.hash.includes('sample=')")


def test_a_mean_is_that_over_the_samples(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    run = stepper.recording
    page = open_page(build(run), "#level=network&event=999999&sample=mean")
    hinges = [
        n for n in run.nodes if str(n.op) == "relu" and n.origin and "l" not in n.origin[0][8:]
    ]
    assert len(hinges) == 8
    expected = sum(run.adjoint(n) for n in hinges) / 8
    assert float(number_in(page, "relu", "gradient")) == pytest.approx(expected, rel=1e-3)


def test_the_chosen_box_tells_how_its_numbers_are_spread(open_page: Any) -> None:
    run = Recording(moons_loss())
    page = open_page(build(run), "#level=network&event=999999&node=0")
    assert page.locator("#flow-title").inner_text() == "network × 8"
    out = [n for n in run.nodes if n.origin and n.origin[0].endswith("layers.2.neurons.0")]
    values = [run.value(n) for n in out if n.op]
    body = page.locator("#flow-body").inner_text()
    assert 0 < values.count(0) < len(values) == 8
    assert f"{values.count(0)} of 8 {'is' if values.count(0) == 1 else 'are'} 0" in body
    assert show(min(run.adjoint(n) for n in out if n.op)) in body
    assert page.locator(".bars-of-flow").count() == 2
    pick(page, "Nodes")
    assert not page.locator("#flow").is_visible()


def test_where_the_gradient_dies_is_said(open_page: Any) -> None:
    x = Value(1.0, "x")
    with scope("layers.0"):
        dead = (x.exp() - 40).relu()
    with scope("layers.1"):
        out = dead * 2 + x
    page = open_page(build(Recording(out)), "#level=layers&event=999999")
    assert page.locator("#nodes .dead").count() == 0, "what leaves it has a gradient"
    with scope("layers.0"):
        inside = x.exp().tanh()
    out = (inside - 40).relu() + x
    page = open_page(build(Recording(out)), "#level=network&event=999999")
    assert "no gradient" in box(page, "network").text_content()


def test_a_path_is_marked_from_box_to_box(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layers&event=99999")
    page.fill("#find", "layers.0.neurons.3.w.1")
    page.keyboard.press("Enter")
    pick(page, "Layers")
    page.locator(".paths button").first.hover()
    # From the loss over its sum, the three ops of a sample's loss and three layers.
    assert page.locator("#over .onpath").count() == 7


def test_the_arrows_go_from_box_to_box(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layers")
    chosen = page.locator("#nodes .chosen .name")
    seen = [chosen.text_content()]
    page.locator("#canvas").focus()
    for _ in range(7):
        page.keyboard.press("ArrowUp")
        seen.append(chosen.text_content())
    assert seen == ["loss", "n243", "relu", "-", "*", "layers.2", "layers.1", "layers.0"]


def test_search_opens_what_hides_a_node_and_says_when_there_is_none(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layers")
    page.fill("#find", "layers.0.neurons.3.w.1")
    page.keyboard.press("Enter")
    assert frames(page) == ["network × 8", "layers.0 × 8", "neurons.3 × 8", "w.* × 2"]
    assert page.locator("#node-title").inner_text() == "layers.0.neurons.3.w.1"
    page.fill("#find", "nowhere")
    page.keyboard.press("Enter")
    assert page.locator("#find").get_attribute("aria-invalid") == "true"
    assert "nothing found" in page.evaluate("document.getElementById('find').validationMessage")
    page.fill("#find", "loss")
    page.keyboard.press("Enter")
    assert page.locator("#node-title").inner_text() == "loss"


def test_what_is_closed_comes_into_sight(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=network")
    page.fill("#find", "layers.0.neurons.3.w.1")
    page.keyboard.press("Enter")
    for _ in range(5):
        page.mouse.move(600, 400)
        page.mouse.wheel(0, -600)  # far from its frame's title
    page.locator("#canvas").focus()
    for _ in range(4):
        page.keyboard.press("Escape")
        come_to_rest(page)
    assert frames(page) == []
    field, card = (rectangle(page.locator(it)) for it in ("#canvas", "#nodes .chosen .card"))
    assert field["x"] <= card["x"] < field["x"] + field["width"]
    assert field["y"] <= card["y"] < field["y"] + field["height"]


def test_the_address_holds_the_level(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())))
    pick(page, "Network")
    page.wait_for_url("**level=network*")


def test_it_opens_where_the_stepper_stands(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    stepper.goto(40)
    assert position(open_page(build(stepper.recording, stepper.position))) == 40


def test_weights_of_all_turns_have_one_wire_at_their_frame(open_page: Any) -> None:
    page = open_page(build(Recording(loop())))
    pick(page, "Stages")
    assert frames(page) == ["stage * × 9"]
    said = read_all(page.locator(".times text"), TEXT)
    assert sorted(said) == ["× 8", "× 9", "× 9"]
    graph = rectangle(page.locator("#canvas"))
    for at in read_all(page.locator(".times text"), RECTANGLE):
        assert graph["x"] <= at["x"] < graph["x"] + graph["width"]
        assert graph["y"] <= at["y"] < graph["y"] + graph["height"]
    # A weight's wires are marked where they are seen.
    page.locator("#nodes .node").filter(has=page.locator(".name", has_text="keep")).first.hover()
    until(page, "document.querySelectorAll('#over .linked').length === 1")


def test_a_loop_has_arrows_both_ways(open_page: Any) -> None:
    h = Value(0.5, "h")
    for _ in range(20):
        with scope("a"):
            h = h.tanh() * 1.5
        with scope("b"):
            h = h.exp() - 1
    page = open_page(build(Recording(h)), "#level=layers")
    assert sorted(titles(page)) == ["a", "b", "h"]
    page.click("#next")
    page.click("#last")
    assert page.locator("#nodes .node.complete").count() == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_flow_is_readable_on_its_colour(open_page: Any, scheme: str) -> None:
    page = open_page(build(Recording(moons_loss())), "#level=layers", color_scheme=scheme)
    page.click("#last")
    pairs = read_all(
        page.locator("#nodes .box.shaded"),
        "(e) => [e.querySelector('.strip'), e.querySelector('.gradient')]"
        ".map((part) => getComputedStyle(part).fill)",
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


def choose_box(page: Any, title: str) -> None:
    """Choose a box by the arrow keys, from wherever the page stands."""
    page.locator("#canvas").focus()
    for key in ("ArrowUp", "ArrowDown"):
        for _ in range(12):
            if page.locator("#nodes .chosen .name").text_content() == title:
                return
            page.keyboard.press(key)
    pytest.fail(f"no box {title} is reached")


def passes(run: Recording, layer: str) -> list[int]:
    """Return the positions after each pass through a layer, forward and backward."""

    def key(index: int) -> tuple[bool, bool]:
        event = run.event(index)
        node = event.node
        # The leaves of a module belong to it by their labels.
        place = node.label if node.op is None else (node.origin or ("",))[0]
        return f"{layer}." in f"{place}.", event.kind == "forward"

    keys = [key(index) for index in range(run.length)]
    return [i + 1 for i, (a, b) in enumerate(zip(keys, [*keys[1:], None], strict=True))
            if a[0] and a != b]  # fmt: skip


def test_a_breakpoint_at_a_box_stops_after_each_pass_through_it(open_page: Any) -> None:
    run = Recording(moons_loss())
    page = open_page(build(run), "#level=layers&event=0")
    choose_box(page, "layers.1")
    page.keyboard.press("b")
    assert page.locator("#breaks-count").inner_text() == "1"
    assert box(page, "layers.1").get_attribute("aria-description").endswith("breakpoint")
    assert page.locator("#flow-tools [aria-pressed=true]").inner_text() == "Break"
    expected = passes(run, "layers.1")
    assert len(expected) > 8
    for wanted in expected:
        page.click("#break-next")
        assert position(page) == wanted
    for wanted in expected[-2::-1]:
        page.click("#break-back")
        assert position(page) == wanted
    page.click("#breaks-open")
    assert "has passed through layers.1 × 8" in page.locator("#breaks").inner_text()
    page.click("#breaks button:has-text('Close')")
    # It stays, open or closed, and in the address.
    until(page, "location.hash.includes('break=')")
    again = open_page(build(run), page.evaluate("location.hash") + "&level=op")
    again.keyboard.press("Home")
    again.click("#break-next")
    assert position(again) == expected[0]


def test_the_scrubber_goes_to_the_end_of_a_pass(open_page: Any) -> None:
    run = Recording(moons_loss())
    page = open_page(build(run), "#level=layers")
    first, second = [i for i in passes(run, "layers.1") if i > len(run.nodes)][:2]
    for wanted in (first, second):
        page.locator("#scrub").fill(str(wanted - 3))
        assert position(page) == wanted
    pick(page, "Nodes")
    page.locator("#scrub").fill(str(first - 3))
    assert position(page) == first - 3


def test_what_if_a_whole_layer_were_scaled(open_page: Any) -> None:
    loss = moons_loss()
    stepper = Stepper(loss)
    run = stepper.recording
    leaves = [n for n in run.nodes if n.op is None and n.label.startswith("layers.1.")]
    page = open_page(build(run), "#level=layers&event=999999")
    choose_box(page, "layers.1")
    page.locator("#flow-turn input[type=number]").fill("0")
    predicted = float(page.locator("#predicted").inner_text())
    wanted = -sum(run.adjoint(leaf) * run.value(leaf) for leaf in leaves)
    assert predicted == pytest.approx(wanted, rel=1e-5, abs=1e-9)  # shown to six digits
    row = page.locator("#change-body tbody tr")
    assert row.count() == 1, "a row for the box, not for each of its leaves"
    changed = [leaf for leaf in leaves if run.value(leaf)]  # biases are 0 already
    assert f"‖{len(changed)} leaves‖" in row.inner_text()
    assert show(math.hypot(*(run.value(leaf) for leaf in leaves))) in row.inner_text()
    assert "edited" in box(page, "layers.1").get_attribute("class")
    page.locator("#flow-turn input[type=number]").fill("1")
    assert not page.locator("#change").is_visible()


def test_a_prediction_is_about_the_pass_through_a_box(open_page: Any) -> None:
    run = Recording(moons_loss())
    page = open_page(build(run), "#level=layers&predict=1")
    page.click("#next")
    while "comes into layers.2" not in page.locator("#step-body").inner_text():
        if page.locator("#guess").count():
            page.click("text=Give up")
        elif page.locator("#step-body .ask button").count():
            page.locator("#step-body .ask button").first.click()
        else:
            page.click("#next")
    came, asked = page.locator("#step-body .lead").inner_text(), position(page)
    number = float(re.findall(r"norm (\S+)", came)[0])
    page.keyboard.press("ArrowRight")
    assert position(page) == asked, "it is asked for"
    given = [run.event(i) for i in range(asked, run.length)]
    end = next(i for i in passes(run, "layers.2") if i > asked)
    left = [e.product for e in given[: end - asked] if e.kind == "edge"
            and not (e.arg.op is None and e.arg.label.startswith("layers.2"))]  # fmt: skip
    ratio = math.hypot(*left) / number
    fate = (
        "nothing" if ratio == 0
        else "less" if ratio < 0.95
        else "about as much" if ratio <= 1.05
        else "more"
    )  # fmt: skip
    page.get_by_role("button", name=fate, exact=True).click()
    assert position(page) == end
    assert f"Yes: {fate} went on" in page.evaluate("document.getElementById('said').textContent")


def test_a_wrong_way_marks_the_boxes_that_it_spoils(open_page: Any) -> None:
    stepper = Stepper(moons_loss())
    mistake = stepper.wrong_way("overwrite")
    page = open_page(build(stepper.recording), "#level=layers&way=overwrite&event=999999")
    for layer in ("layers.0", "layers.1", "layers.2"):
        wrong = [
            n for n in mistake.gradients
            if f"{layer}." in f"{n.label if n.op is None else (n.origin or ('',))[0]}."
        ]  # fmt: skip
        tag = box(page, layer).locator(".of-gradient").text_content()
        assert re.match(rf"{len(wrong)} wrong", tag), (layer, tag)
        assert "differs" in box(page, layer).get_attribute("class")
    choose_box(page, "layers.1")
    assert "of its gradients are wrong" in page.locator("#flow-account").inner_text()


def test_the_ledger_of_a_box_tells_from_which_box_how_much_came(open_page: Any) -> None:
    run = Recording(moons_loss())
    page = open_page(build(run), "#level=layers&event=999999")
    choose_box(page, "layers.1")
    account = page.locator("#flow-account").inner_text()
    inside = {n for n in run.nodes if "layers.1." in f"{n.label or (n.origin or ('',))[0]}."
              or (n.origin and ".layers.1." in f"{n.origin[0]}.")}  # fmt: skip
    edges = [run.event(i) for i in range(run.length) if run.event(i).kind == "edge"]
    came = [e.product for e in edges if e.arg in inside and e.node not in inside]
    assert re.search(rf"layers.2 × 8\s+{len(came)}\s+{re.escape(show(math.hypot(*came)))}", account)
    assert "Went on to" in account
    assert "layers.0 × 8" in account


def test_on_a_phone_every_button_of_the_pane_is_in_sight(open_page: Any) -> None:
    page = open_page(build(Recording(moons_loss())), size=PHONE)
    for box in read_all(page.locator("#graph .head button"), RECTANGLE):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE[0]
