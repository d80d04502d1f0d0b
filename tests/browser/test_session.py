"""A whole session in a real browser: stepping, asking, changing, sharing, by mouse and by keys."""

import re
from typing import Any

import pytest

from autograd import Stepper, Value, debug, exp, scope, sin, sum, tanh
from autograd.page import build, frame
from autograd.stepping.breakpoints import gradient_above, in_module, on_op, sign_change
from autograd.stepping.events import Recording
from autograd.stepping.notation import show
from tests.browser.reading import TEXT, come_to_rest, read, read_all, rectangle, until

pytestmark = pytest.mark.browser


def neuron() -> Value:
    x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
    x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    out: Value = tanh(x1 * w1 + x2 * w2 + b)
    out.label = "o"
    return out


def shared() -> Value:
    x = Value(3.0, label="x")
    a = x * x
    b = a + x
    a.label, b.label = "a", "b"
    out = a * b
    out.label = "out"
    return out


def position(page: Any) -> int:
    return int(page.locator("#position").inner_text().split("/")[0])


def card(page: Any, name: str) -> Any:
    return page.locator(f'.node:has(.name:text-is("{name}"))')


def gradient(page: Any, name: str) -> str:
    return str(card(page, name).locator(".gradient").text_content())


def test_a_session_by_mouse(open_page: Any, screenshot: Any) -> None:
    with debug():
        stepper = Stepper(neuron())
    page = open_page(build(stepper.recording, title="One neuron"))
    count = len(stepper.events)
    assert position(page) == 11, "it opens where the backward pass starts"
    screenshot(page, "1-start")

    # Nothing is known before its time.
    assert gradient(page, "x1") == "?"
    for expected in range(12, 15):
        page.click("#next")
        assert position(page) == expected
    screenshot(page, "2-edge")
    event = stepper.events[13]
    assert event.kind == "edge"
    assert show(event.product) == page.locator("#step-body .result").inner_text()

    # The three panes mark the same node, whichever is hovered.
    card(page, "n8").hover()
    assert "linked" in page.locator(".line.linked").get_attribute("class")
    page.locator("#step-body .ref").first.hover()
    assert page.locator(".node.linked").count() == 1
    line = page.locator(".line.made", has_text="tanh(x1 * w1")
    line.click()
    first = page.locator("#node-title").inner_text()
    line.click()
    assert page.locator("#node-title").inner_text() != first, "a line has several nodes"

    page.click("#last")
    assert position(page) == count
    for name, expected_gradient in (("x1", "-1.5"), ("w1", "1.0"), ("x2", "0.5"), ("w2", "0.0")):
        assert gradient(page, name) == expected_gradient
    card(page, "w1").click()
    assert "complete" in page.locator("#node-body").inner_text()
    assert page.locator(".paths li").count() == 1
    assert "100 %" in page.locator(".paths").inner_text()
    page.locator(".paths button").hover()
    assert page.locator(".edge.onpath").count() == 4
    screenshot(page, "3-ledger")
    page.click("#first")
    assert position(page) == 0
    assert page.locator(".node.later").count() == 10
    page.keyboard.press("ArrowLeft")
    assert position(page) == 0


def test_every_event_shows_the_numbers_of_the_stepper(open_page: Any) -> None:
    stepper = Stepper(shared())
    page = open_page(build(stepper.recording), "#event=0")
    for event in stepper.events:
        page.click("#next")
        shown = page.locator("#step-body .result").inner_text()
        number = event.product if event.kind == "edge" else event.total
        assert shown == show(number)
        stepper.goto(event.index + 1)
        for node in stepper.recording.nodes:
            status = stepper.gradient(node).status
            label = card(page, stepper.name(node)).get_attribute("aria-description")
            assert label == status


def test_every_gradient_is_that_of_python_to_the_bit(open_page: Any) -> None:
    x = [Value(0.37 * i - 1, label=f"x{i}") for i in range(4)]
    hidden = [tanh(x[i] * x[i - 1] + x[i - 2] / 3) for i in range(4)]
    stepper = Stepper(sum([h * h - y / (2 + h) for h, y in zip(hidden, x, strict=True)]), seed=0.3)
    page = open_page(build(stepper.recording), f"#event={len(stepper.events)}")
    for i, node in enumerate(stepper.recording.nodes):
        page.evaluate(f"location.hash = '#event={len(stepper.events)}&node={i}'")
        until(page, f"document.getElementById('node-title').textContent === '{stepper.name(node)}'")
        shown = page.locator("#node-gradient").get_attribute("title")
        assert float(shown) == stepper.recording.adjoint(node)


def test_numbers_are_written_as_python_writes_them(open_page: Any) -> None:
    numbers = [1e17, 1e15, 123456.75, 12345678.0, 1.0, -0.0, 1e-4, 1.25e-5, -1.5e-07, 1 / 3e9]
    out = sum([Value(x, label=f"x{i}") for i, x in enumerate(numbers)])
    page = open_page(build(Recording(out)), "#event=99")
    for i, x in enumerate(numbers):
        card(page, f"x{i}").dispatch_event("click")
        assert page.locator("#node-body dd").first.inner_text() == show(x)


def test_a_leaf_alone_is_a_run_too(open_page: Any) -> None:
    page = open_page(build(Recording(Value(2.0, label="x"))), "#event=0")
    page.click("#last")
    assert gradient(page, "x") == "1.0"


def test_a_sum_of_thousands_is_live(open_page: Any) -> None:
    x = [Value(1.0) for _ in range(3_000)]
    page = open_page(build(Recording(sum(x) ** 2)), "#event=99999&node=0&set=0:2.0")
    page.locator("#find").fill(f"n{3_001}")
    page.keyboard.press("Enter")
    assert page.locator("#node-body dd").nth(1).inner_text() == show(3_001.0**2)


def test_a_partial_gradient_is_shown_as_such(open_page: Any) -> None:
    stepper = Stepper(shared())
    partial = next(e.index for e in stepper.events if e.kind == "edge" and e.arg.label == "x")
    page = open_page(build(stepper.recording), f"#event={partial + 1}")
    assert gradient(page, "x").endswith("…")
    assert page.locator("#node-body .badge").inner_text() == "partial"
    assert "?" in page.locator("#node-body tbody").inner_text(), "the contributions to come"
    assert "so far" in page.locator("#node-body tfoot").inner_text()
    assert page.locator(".paths").count() == 0
    stepper.goto(len(stepper.events))
    final = stepper.gradient(stepper.recording.nodes[0]).so_far
    assert str(final) not in page.locator("main").inner_text()


def test_breakpoints_stop_the_run_and_play_obeys_them(open_page: Any) -> None:
    stepper = Stepper(shared())
    page = open_page(build(stepper.recording), "#event=0")
    card(page, "x").click()
    page.keyboard.press("b")
    assert page.locator("#breaks-count").inner_text() == "1"
    x = stepper.recording.nodes[0]
    expected = [e.index + 1 for e in stepper.events if e.subject is x]
    seen = []
    for _ in expected:
        page.click("#break-next")
        seen.append(position(page))
    assert seen == expected
    page.click("#break-back")
    assert position(page) == expected[-2]

    page.click("#first")
    page.select_option("#speed", "20")
    page.click("#play")
    page.wait_for_selector("#play[aria-label=Play]")
    assert position(page) == expected[0]
    page.click("#play")
    page.wait_for_selector("#play[aria-label=Play]")
    assert position(page) == expected[1]


def test_other_conditions_stop_it_too(open_page: Any) -> None:
    x = Value(3.0, label="x")
    stepper = Stepper(x * 8 - x * x)
    first = stepper.run(sign_change())
    assert first is not None
    page = open_page(build(stepper.recording), "#event=0")
    page.click("#breaks-open")
    page.get_by_label("turns the sign of a gradient").check()
    page.click("#breaks button:has-text('Close')")
    page.click("#break-next")
    assert position(page) == first.index + 1
    # The change outweighs what was there, and the numbers are too small to be multiplied.
    stepper = Stepper(x * 1e-200 - x * 1e-220)
    first = stepper.run(sign_change())
    assert first is not None
    page = open_page(build(stepper.recording), "#event=0&stop=sign")
    page.click("#break-next")
    assert position(page) == first.index + 1


def test_a_module_and_an_op_can_stop_it(open_page: Any) -> None:
    x = Value(3.0, label="x")
    with scope("layers.0.neurons.3"):
        y = x * 2
    stepper = Stepper(y.exp() + x)
    page = open_page(build(stepper.recording), "#event=0&stop=in:neurons.3")
    assert page.locator("#breaks-count").inner_text() == "1"
    page.click("#break-next")
    first = stepper.run(in_module("neurons.3"))
    assert first is not None
    assert position(page) == first.index + 1
    other = open_page(build(stepper.recording), "#event=0&stop=op:exp")
    other.click("#break-next")
    stepper.reset()
    first = stepper.run(on_op("exp"))
    assert first is not None
    assert position(other) == first.index + 1


def test_finding_a_node(open_page: Any) -> None:
    page = open_page(build(Recording(neuron())))
    page.keyboard.press("/")
    page.keyboard.type("w2")
    page.keyboard.press("Enter")
    assert page.locator("#node-title").inner_text() == "w2"
    page.keyboard.press("/")
    page.keyboard.type("nowhere")
    page.keyboard.press("Enter")
    assert page.locator("#find").get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize("way", ["no sort", "overwrite", "no zero_grad"])
def test_the_wrong_ways(open_page: Any, screenshot: Any, way: str) -> None:
    stepper = Stepper(shared())
    mistake = stepper.wrong_way(way)
    page = open_page(build(stepper.recording))
    page.select_option("#way", way)
    assert "parts from the right pass" in page.locator("#step-body").inner_text()
    assert mistake.wrong is not None
    assert page.locator("#step-body .result").inner_text() == show(mistake.wrong.product)
    page.click("#last")
    wrong = {stepper.name(node) for node in mistake.gradients}
    assert page.locator(".node.differs").count() == len(wrong)
    for node, (_, number) in mistake.gradients.items():
        assert gradient(page, stepper.name(node)) == show(number)
    screenshot(page, f"4-wrong-{way.replace(' ', '-')}")


def test_a_wrong_way_that_does_no_harm_says_so(open_page: Any) -> None:
    page = open_page(build(Recording(neuron())), "#way=overwrite")
    assert "makes no difference" in page.locator("#notice").inner_text()
    negative_zero = Stepper(Value(2.0) * -3 * 0.0)
    assert negative_zero.wrong_way("overwrite").parting is None
    page = open_page(build(negative_zero.recording), "#way=overwrite")
    assert "makes no difference" in page.locator("#notice").inner_text()


def test_another_order_alone_marks_nothing_as_wrong(open_page: Any) -> None:
    a, c, x = Value(2.0, "a"), Value(3.0, "c"), Value(1.0, "x")
    for out in ((a * c) + (a - c), (x * 0.1 + x * 0.2) + x * 0.3):
        page = open_page(build(Recording(out)), "#way=no%20sort&event=999")
        assert "makes no difference" in page.locator("#notice").inner_text()
        assert page.locator(".node.differs").count() == 0


def test_predict_mode_asks_and_keeps_score(open_page: Any, screenshot: Any) -> None:
    stepper = Stepper(shared())
    quiz = stepper.quiz()
    page = open_page(build(stepper.recording))
    page.click("#predict")
    answered = 0
    while quiz.event is not None:
        if page.locator("#guess").count() == 0:
            page.click("#next")
            continue
        here = position(page)
        page.keyboard.press("ArrowRight")
        assert position(page) == here, "the answer can't be skipped with the arrow key"
        product = quiz.event.product
        assert product is not None
        if answered == 1:
            page.fill("#guess", str(product + 1))
            page.keyboard.press("Enter")
            assert not quiz.answer(product + 1)
            assert "is not it" in page.locator("#step-body [role=status]").inner_text()
            page.click("text=Hint")
            assert "which is" in page.locator("#step-body [role=status]").inner_text()
            screenshot(page, "5-predict")
        page.fill("#guess", str(product))
        page.keyboard.press("Enter")
        assert quiz.answer(product)
        answered += 1
        assert position(page) == here + 1
    page.click("#back")
    assert page.locator("#step-kind").inner_text() == quiz.score


def test_conditions_are_joined_by_or_or_and(open_page: Any) -> None:
    x = Value(3.0, label="x")
    stepper = Stepper((x * 8).exp() - (x * 2).exp())
    both = on_op("exp") & gradient_above(100.0)
    first = stepper.run(both)
    assert first is not None
    page = open_page(build(stepper.recording), "#event=0&stop=op:exp,above:100")
    page.click("#break-next")
    assert position(page) < first.index + 1, "either is enough"
    page.click("#first")
    page.click("#breaks-open")
    page.get_by_label("How the conditions are joined").select_option("all")
    page.click("#breaks button:has-text('Close')")
    page.click("#break-next")
    assert position(page) == first.index + 1
    page.wait_for_url("**,all*")


@pytest.mark.parametrize("answer", ["6*1", "2 * 3", "(1+5)^1", "6,0", "12/2", "2**3-2"])
def test_a_guess_may_be_an_expression(open_page: Any, answer: str) -> None:
    x = Value(3.0, label="x")
    page = open_page(build(Recording(x * 6)), "#predict=1")
    here = position(page)
    page.fill("#guess", answer)
    page.keyboard.press("Enter")
    assert position(page) == here + 1


def test_what_is_typed_stays_while_the_page_is_painted_anew(open_page: Any) -> None:
    page = open_page(build(Recording(shared())), "#predict=1")
    page.fill("#guess", "1 +")
    page.set_viewport_size({"width": 1100, "height": 640})
    come_to_rest(page)
    page.keyboard.press("Enter")
    assert "Write a number" in page.locator("#step-body [role=status]").inner_text()
    assert page.locator("#guess").input_value() == "1 +"
    assert page.evaluate("document.activeElement.id") == "guess"


def test_the_ledger_tells_the_sample_and_the_module(open_page: Any) -> None:
    w = Value(2.0, "w")
    losses = []
    for i in range(3):
        with scope(f"samples.{i}"), scope("layers.0"):
            losses.append((w * (i - 1.0)).tanh())
    stepper = Stepper(sum(losses))
    page = open_page(build(stepper.recording), f"#event={len(stepper.events)}&node=0")
    rows = read_all(page.locator("#node-body tbody td:first-child"), TEXT)
    # What stands at one place is told apart below its name.
    assert [row.replace("\xa0", " ") for row in rows] == [
        "layers.0",
        *(f"sample {i}" for i in "210"),
    ]
    assert not re.search(r"-0\.0(?!\d)", page.locator("#node-body").inner_text())


def test_panes_are_dragged_wider(open_page: Any) -> None:
    page = open_page(build(Recording(shared())))
    before = rectangle(page.locator("#source"))["width"]
    handle = rectangle(page.locator("#divide-source"))
    page.mouse.move(handle["x"] + 3, handle["y"] + 99)
    page.mouse.down()
    page.mouse.move(handle["x"] + 123, handle["y"] + 99)
    page.mouse.up()
    assert rectangle(page.locator("#source"))["width"] == pytest.approx(before + 120, abs=3)
    page.locator("#divide-detail").focus()
    detail = rectangle(page.locator("#detail"))["width"]
    page.keyboard.press("ArrowLeft")
    assert rectangle(page.locator("#detail"))["width"] == pytest.approx(detail + 20, abs=3)


def test_on_paper_are_the_graph_the_formula_and_the_ledger(open_page: Any) -> None:
    page = open_page(build(Recording(shared())), "#event=99&node=0")
    page.emulate_media(media="print")
    for shown in ("graph", "step", "node"):
        assert page.locator(f"#{shown}").is_visible()
    for hidden in ("find", "source", "play", "breaks-open"):
        assert not page.locator(f"#{hidden}").is_visible()


def test_a_number_on_an_edge_covers_no_card(open_page: Any) -> None:
    stepper = Stepper(neuron())
    page = open_page(build(stepper.recording), "#event=10", reduced_motion="reduce")
    overlap = """() => {
        const flag = document.querySelector('#flag rect')?.getBoundingClientRect();
        if (!flag) return 0;
        return [...document.querySelectorAll('#nodes .name')].filter((e) => {
            const r = e.getBoundingClientRect();
            return r.left < flag.right && r.right > flag.left
                && r.top < flag.bottom && r.bottom > flag.top;
        }).length;
    }"""
    for _ in range(len(stepper.events) - 10):
        page.click("#next")
        assert page.evaluate(overlap) == 0


def test_a_link_leads_to_the_moment(open_page: Any) -> None:
    text = build(Recording(shared()))
    page = open_page(text)
    page.click("#next")
    page.click("#next")
    card(page, "x").click()
    page.keyboard.press("b")
    page.locator("#node-body input[type=number]").fill("2.5")
    page.select_option("#way", "overwrite")
    until(page, "location.hash.includes('way=')")
    address = page.evaluate("location.hash")
    again = open_page(text, address)
    for selector in ("#position", "#node-title", "#node-body", "#breaks-count", "#step-body"):
        assert again.locator(selector).inner_text() == page.locator(selector).inner_text()
    assert again.locator("#way").input_value() == "overwrite"
    assert again.locator(".node.edited").count() == 1
    again.evaluate("location.hash = '#event=3'")
    until(again, "document.querySelector('#position').textContent.startsWith('3 ')")


@pytest.mark.parametrize(
    "fragment",
    [
        "#event=x",
        "#event=-1&node=x&break=a.b.99",
        "#set=0:nan,99:1,1:",
        "#way=%E0%A4%A",
        "#&=&",
    ],
)
def test_a_broken_link_does_no_harm(open_page: Any, fragment: str) -> None:
    page = open_page(build(Recording(shared())), fragment)
    assert position(page) == 5


def test_a_link_beyond_the_end_leads_to_the_end(open_page: Any) -> None:
    stepper = Stepper(shared())
    assert position(open_page(build(stepper.recording), "#event=9999")) == len(stepper.events)


def test_the_keyboard_alone_is_enough(open_page: Any) -> None:
    stepper = Stepper(neuron())
    page = open_page(build(stepper.recording))
    press = page.keyboard.press
    press("Home")
    assert position(page) == 0
    press("ArrowRight")
    press("ArrowRight")
    press("ArrowLeft")
    assert position(page) == 1
    press("End")
    assert position(page) == len(stepper.events)
    press("?")
    assert page.locator("#help").is_visible()
    press("Escape")
    assert not page.locator("#help").is_visible()

    # Every control is reached by Tab, shows its focus, and none traps it.
    reached = []
    for _ in range(60):
        press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.id, e.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; }"
        )
        if focused[1] == "BODY":
            break
        reached.append(focused[0])
        assert focused[2] != "none", focused
        assert focused[3] >= 2, focused
    controls = {
        "find", "way", "predict", "breaks-open", "help-open", "lines", "canvas", "zoom-in",
        "first", "back", "play", "divide-source", "divide-detail", "next", "last", "scrub", "speed",
    }  # fmt: skip
    assert controls <= set(reached)

    page.locator("#canvas").focus()
    press("ArrowUp")
    chosen = page.locator("#node-title").inner_text()
    press("Enter")
    assert page.locator("#node-title").inner_text() == chosen
    assert "complete" in page.locator("#node-body .badge").inner_text()
    press("Space")
    page.wait_for_selector("#play[aria-label=Pause]")
    press("Space")
    page.wait_for_selector("#play[aria-label=Play]")


def test_dragging_and_the_wheel_move_the_graph(open_page: Any) -> None:
    page = open_page(build(Recording(neuron())))
    box = rectangle(page.locator("#canvas"))
    start = page.locator("#view").get_attribute("transform")
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 130, box["y"] + 90)
    page.mouse.up()
    moved = page.locator("#view").get_attribute("transform")
    numbers = [list(map(float, re.findall(r"-?[\d.]+", text))) for text in (start, moved)]
    assert numbers[1][0] - numbers[0][0] == pytest.approx(100)
    assert numbers[1][1] - numbers[0][1] == pytest.approx(60)
    page.mouse.wheel(0, -300)
    until(page, f"document.querySelector('#view').getAttribute('transform') !== '{moved}'")
    page.click("#zoom-fit")
    assert page.locator("#view").get_attribute("transform") == start


def test_what_is_shown_is_not_beside_where_the_graph_ends(open_page: Any) -> None:
    """At the last event the middle of the view would be the first node, with nothing above it."""
    h = Value(0.5, label="x")
    for op in (tanh, exp, sin) * 9:
        h = op(h)
    page = open_page(build(Recording(h)), "#level=op&event=0")
    page.keyboard.press("End")
    until(page, "document.querySelector('#position').innerText.split('/')[0] > 50")
    come_to_rest(page)
    first = rectangle(card(page, "x"))
    canvas = rectangle(page.locator("#canvas"))
    ends = (first["y"], first["x"]), (canvas["y"], canvas["x"])
    assert min(abs(a - b) for a, b in zip(*ends, strict=True)) < 40


def test_numbers_of_any_size_have_room(open_page: Any) -> None:
    """Three in the ledger, and one beside a long path, none of them cut off or broken."""
    x = Value(-1.23456789e-5, label="x")
    h = x
    for op in (tanh, exp, sin) * 9:
        h = op(h)
    page = open_page(build(Recording(h * -1.23456e-5)), "#level=op&event=999")
    ledger = page.locator(".scroll:has(table)")
    wide, room = read(ledger, "(it) => [it.scrollWidth, it.clientWidth]")
    assert wide == room
    assert rectangle(page.locator(".paths span:last-child"))["height"] < 24


def test_in_a_notebook_frame_the_state_lives_in_the_page(open_page: Any) -> None:
    page = open_page(f"<!doctype html><title>Notebook</title>{frame(build(Recording(shared())))}")
    inside = page.frame_locator("iframe")
    inside.locator("#next").click()
    inside.locator("#next").click()
    assert inside.locator("#position").inner_text().startswith("7 ")
    assert "#" not in page.url
