"""The page computes: every row of the table as Python does, forward and back."""

import math
from typing import Any

import pytest

from autograd import TABLE, Op, Stepper, Value, exp, sigmoid, sin
from autograd.page import build
from autograd.page.javascript import rows
from autograd.page.linker import linked, name_of, resource
from autograd.stepping.events import Recording
from tests.browser.reading import read_all

pytestmark = pytest.mark.browser

RELATIVE = 1e-12
"""Between libm and the browser's Math, and for erf and erfc of the page."""

# Where a rule subtracts nearly equal numbers, a difference in the last place of an operand is a
# larger one of the result; the rows' notes bound it by a few 1e-16 absolute. Results beside or
# below the subnormal numbers have no relative precision left.
ABSOLUTE = 1e-15

POINTS = (
    -700.5, -37.3, -3.25, -1.5, -0.875, -0.3, -1e-9, 0.0, 1e-9,
    0.25, 0.7, 1.0, 1.375, 2.0, 2.75, 6.5, 26.0, 710.0,
)  # fmt: skip


def samples(op: Op) -> list[tuple[float, ...]]:
    """Return arguments in the op's domain, extremes included."""
    if op.arity == 1:
        found = [(x,) for x in POINTS]
    elif op.arity == 2:
        found = [(x, y) for x in POINTS for y in POINTS]
    elif op.arity == 3:
        found = [(x, y, z) for x in POINTS[::2] for y in POINTS[::3] for z in POINTS[::4]]
    else:
        found = [POINTS[i : i + 5] for i in range(len(POINTS) - 5)]
    return [args for args in found if not op.violation(list(args))]


def close(page: float, python: float) -> bool:
    if math.isnan(python) or math.isinf(python):
        return page == python or (math.isnan(page) and math.isnan(python))
    return math.isclose(page, python, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


@pytest.fixture(scope="module")
def table_in_page(browser: Any) -> Any:
    """The generated rows of the whole table, with the page's own primitives, in a blank page."""
    text = rows((op, op.arity or 5) for op in TABLE.values()).text
    script = linked("rows.js", lambda p: text if p == "rows.js" else resource(f"script/{p}"))
    page = browser.new_page()
    page.add_script_tag(content=f"{script}\nwindow.ROWS = {name_of('rows.js')}.ROWS;")
    yield page
    page.close()


@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_every_row_computes_as_python(table_in_page: Any, op: Op) -> None:
    points = samples(op)
    assert points
    name = f"{op.name}/{op.arity or 5}"
    found = table_in_page.evaluate(
        """([name, points]) => points.map((args) => {
            const value = ROWS[name].value(...args);
            return [value, ...ROWS[name].locals(value, ...args)].map(String);
        })""",
        [name, [list(args) for args in points]],
    )
    from autograd.forms import form

    for args, texts in zip(points, found, strict=True):
        out = op.ieee(*args)
        expected = [out, *form(op, (True,) * len(args)).locals(out, *args)]
        page = [float(t.replace("Infinity", "inf")) for t in texts]
        for got, wanted in zip(page, expected, strict=True):
            assert close(got, wanted), f"{op.name}{args}: {got!r}, Python has {wanted!r}"


def values_of(page: Any) -> dict[str, tuple[str, str]]:
    cards = read_all(
        page.locator(".node"),
        "n => ['.name', '.value', '.gradient'].map(part => n.querySelector(part).textContent)",
    )
    return {name: (value, gradient) for name, value, gradient in cards}


def program(x: float, y: float) -> Value:
    a, b = Value(x, label="x"), Value(y, label="y")
    out = sigmoid(a * b) * sin(a) + exp(b / 4) ** 2
    out.label = "out"
    return out


def test_changing_a_leaf_recomputes_the_whole_graph(open_page: Any, screenshot: Any) -> None:
    before, after = Stepper(program(2.0, 1.0)), Stepper(program(-0.5, 1.0))
    page = open_page(build(before.recording), f"#event={len(before.events)}&node=0")
    page.locator("#node-body input[type=number]").fill("-0.5")
    other = open_page(build(after.recording), f"#event={len(after.events)}&node=0")
    assert values_of(page) == values_of(other)
    what_if = before.what_if(before.recording.nodes[0], -0.5)
    predicted, actual = (
        float(page.locator(f"#{id}").inner_text()) for id in ("predicted", "actual")
    )
    assert predicted == pytest.approx(what_if.predicted, rel=1e-5)  # shown to six digits
    assert actual == pytest.approx(what_if.actual, rel=1e-5)
    screenshot(page, "7-what-if")
    page.click("#reset")
    assert values_of(page) == values_of(
        open_page(build(before.recording), f"#event={len(before.events)}")
    )
    assert not page.locator("#change").is_visible()


def test_a_kink_in_between_is_named(open_page: Any) -> None:
    x = Value(2.0, label="x")
    stepper = Stepper((x - 1).relu() * 3)
    what_if = stepper.what_if(x, -2.0)
    page = open_page(build(stepper.recording), "#event=99&node=0")
    for number, reason in (("-2", what_if.kinks[0]), ("3", "as predicted")):
        page.locator("#node-body input[type=number]").fill(number)
        assert reason in page.locator("#change-body").inner_text()
    curved = open_page(build(Recording(x * x)), "#event=99&node=0&set=0:3.0")
    assert "from 4.0 to 6.0" in curved.locator("#change-body").inner_text()


def test_dragging_the_slider_recomputes_too(open_page: Any) -> None:
    page = open_page(build(Recording(program(2.0, 1.0))), "#event=99&node=0")
    before = values_of(page)
    slider = page.locator("#node-body input[type=range]")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert values_of(page)["out"] != before["out"]
    assert page.locator("#node-body input[type=number]").input_value() != "2"


def test_a_prediction_waits_for_the_gradient(open_page: Any) -> None:
    stepper = Stepper(program(2.0, 1.0))
    page = open_page(
        build(stepper.recording), f"#event={len(stepper.recording.nodes) + 1}&node=0&set=0:2.5"
    )
    assert page.locator("#predicted").inner_text() == "?"
    page.click("#last")
    assert page.locator("#predicted").inner_text() != "?"


def test_leaving_the_domain_is_said(open_page: Any) -> None:
    x = Value(2.0, label="x")
    page = open_page(build(Recording(x.log() * 3)), "#event=99&node=0&set=0:-1.0")
    assert "log(x) = log(-1.0) is nan" in page.locator("#change-body").inner_text()


def test_an_opaque_row_is_shown_but_not_live(open_page: Any) -> None:
    opaque = Op("test_rounded", lambda x: float(round(float(x))), (lambda y, x: 1.0,))
    try:
        x, y = Value(1.4, label="x"), Value(2.0, label="y")
        page = open_page(build(Recording(opaque(x) * y)), "#event=99&node=0")
    finally:
        del TABLE["test_rounded"]
    assert "test_rounded runs in Python only" in page.locator("#notice").inner_text()
    assert "Not live" in page.locator("#node-body").inner_text()
    assert page.locator("#node-body input").count() == 0
    page.locator('.node:has(.name:text-is("y"))').click()
    assert page.locator("#node-body input").count() == 2, "the other leaf is live"
