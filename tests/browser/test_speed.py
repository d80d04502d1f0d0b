"""A run of 50,000 nodes opens in under 3 s and steps in under 50 ms of the page's own time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograd import Stepper, Value, mean, sum, tanh
from autograd.page import build
from autograd.stepping.events import Recording
from nn import MLP

pytestmark = pytest.mark.browser

STEPS = 20


def weave() -> Value:
    """Return a graph that has no modules: 4,000 events, each a step of its own."""
    x = [Value(0.01 * i, label=f"x{i}") for i in range(30)]
    layer = x
    while len(Stepper(sum(layer)).events) < 4_000:
        layer = [tanh(a * b + c) for a, b, c in zip(layer, layer[1:] + layer[:1], x, strict=True)]
    return sum(layer)


def moons() -> Value:
    """Return the loss of 500 samples, of 50,000 nodes."""
    model = MLP(2, [16, 16, 16, 1], seed=1)
    return mean([(model([i / 500, 1 - i / 500]) - 1) ** 2 for i in range(500)])


@pytest.mark.parametrize(
    ("program", "level"), [(weave, "op"), (moons, "layers"), (moons, "neurons")]
)
def test_it_opens_and_steps_quickly(
    open_page: Any, program: Callable[[], Value], level: str
) -> None:
    page = open_page("<title>nothing yet</title>")
    page.set_default_timeout(60_000)
    devtools = page.context.new_cdp_session(page)
    # Time of the page's own thread, on which script and layout run: other programs don't count.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    file = page.url.removeprefix("file://")
    with open(file, "w", encoding="utf-8") as page_file:
        page_file.write(build(Recording(program())))
    start = spent()
    page.goto(f"{page.url}#level={level}")
    page.reload()
    assert spent() - start < 3.0
    start = spent()
    page.evaluate(
        "(n) => { for (let i = 0; i < n; i++) {"
        " document.getElementById('next').click(); document.body.offsetTop; } }",
        STEPS,
    )
    assert (spent() - start) / STEPS < 0.05
