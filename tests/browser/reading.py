"""What a page says, read in one step of its own.

A page draws itself anew when its pane has another size or a frame of an animation is due. What
Playwright finds for ``evaluate``, ``bounding_box`` and ``all`` it asks in a second step, by which
it may have been replaced: it has no size, style or place then. What is read here is asked again
until it still stands in the document. (``count``, ``inner_text``, ``text_content``,
``get_attribute`` and ``input_value`` are one step in Playwright too.)
"""

from __future__ import annotations

from typing import Any

import pytest

TRIES = 500

RECTANGLE = """(e) => {
    const { x, y, width, height } = e.getBoundingClientRect();
    return { x, y, width, height };
}"""
TEXT = "(e) => e.innerText ?? e.textContent"  # what is SVG has only the second

AT_REST = """() => new Promise((done) => {
    const look = (before) => requestAnimationFrame(() => {
        const now = document.body.innerHTML;
        if (now === before) done();
        else look(now);
    });
    look(null);
})"""


def until(page: Any, expression: str) -> None:
    """Wait for a JavaScript expression to hold, without eval, which the page's policy forbids."""
    for _ in range(TRIES):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never came true: {expression}")


def come_to_rest(page: Any) -> None:
    """Wait until two frames of a page are alike: it has answered its size, and nothing moves."""
    page.evaluate(AT_REST)


def read_all(found: Any, function: str) -> list[Any]:
    """Return what a JavaScript function says of each element that a locator finds."""
    asked = f"all => all.every((e) => e.isConnected) ? all.map({function}) : null"
    for _ in range(TRIES):
        said = found.evaluate_all(asked)
        if said is not None:
            return list(said)
    pytest.fail(f"it was never at rest: {found}")


def read(found: Any, function: str) -> Any:
    """Return what a JavaScript function says of the only element that a locator finds."""
    found.wait_for(state="attached")
    for _ in range(TRIES):
        said = read_all(found, function)
        if said:
            (only,) = said
            return only
    pytest.fail(f"it didn't stay: {found}")


def rectangle(found: Any) -> dict[str, float]:
    """Return where an element is in its page: x, y, width and height in pixels."""
    return dict(read(found, RECTANGLE))
