"""What leads to all turns of a repetition, or comes from all of them, is one wire at a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from autograd import Value, tanh
from autograd.drawing import picture_of, text_of
from autograd.drawing.picture import Item, Link, Picture


def swing(steps: int, every: int = 1) -> Value:
    """Return the loss of a pendulum; it counts at every so many steps."""
    angle, speed, total = Value(1.0, "angle"), Value(0.0, "speed"), Value(0.0, "start")
    g, length, drag = Value(9.81, "g"), Value(1.0, "length"), Value(0.1, "drag")
    for step in range(steps):
        speed = speed - (g / length * angle.sin() + drag * speed) * 0.02
        angle = angle + speed * 0.02
        if step % every == 0:
            total = total + (angle - 0.3) ** 2
    total.backward()
    return total


def wires(picture: Picture) -> Iterator[tuple[Item, Link]]:
    return ((item, link) for item in picture.items for link in item.args if link.arg)


def at_clusters(picture: Picture) -> dict[str, str]:
    """Return the label of each wire at a cluster, by what is at its other end."""
    items = {item.key: item for item in picture.items}
    (cluster,) = picture.clusters
    ends = [
        (items[link.arg] if item.key in cluster.inside else item, link)
        for item, link in wires(picture)
        if link.cluster
    ]
    return {end.title or "total": link.label for end, link in ends}


@pytest.mark.parametrize("steps", [12, 30])
def test_a_parameter_of_all_steps_has_one_wire(steps: int) -> None:
    found = picture_of(swing(steps), level="layer")
    (cluster,) = found.clusters
    assert cluster.title == f"stage * × {steps}"
    assert {item.key for item in found.items if item.kind == "module"} == cluster.inside
    # The quotient g / length is the same in each step, the first has no drag of its own.
    labels = at_clusters(found)
    assert all(steps - 1 <= int(label.removeprefix("× ")) <= steps for label in labels.values())
    others = sum(not link.cluster for _, link in wires(found))
    assert others <= steps - 1 + 10, "from each step to the next, and around them"


def test_a_wire_at_a_frame_carries_what_all_of_them_do() -> None:
    out = swing(12)
    found = picture_of(out, level="layer")
    drag = next(item for item in found.items if item.title == "drag")
    (link,) = [link for _, link in wires(found) if link.arg == drag.key]
    gradient = next(row.exact or row.text for row in drag.rows if row.what == "grad")
    assert link.norm == abs(float(gradient))


def test_what_few_steps_give_are_wires_of_their_own() -> None:
    assert set(at_clusters(picture_of(swing(30), level="layer"))) == {"drag", "/", "-"}
    assert set(at_clusters(picture_of(swing(30, every=5), level="layer"))) == {"drag", "/"}


def test_what_a_step_gives_to_later_ones_stays_inside() -> None:
    x: list[Any] = [Value(0.1), Value(1.0)]
    for k in range(6):
        rows = [[Value(math.sin(i + 3 * j + k)) for j in range(len(x))] for i in range(2)]
        x = x + [tanh(sum(w * v for w, v in zip(row, x, strict=True))) for row in rows]
    found = picture_of(sum(x), level="layer")
    inside = [item.key for item in found.items if item.kind == "module"]
    direct = [link for item, link in wires(found) if link.arg in inside and item.key in inside]
    assert len(direct) == len(inside) * (len(inside) - 1) / 2
    assert not any(link.cluster for link in direct)


def test_each_format_draws_the_frame() -> None:
    found = picture_of(swing(12), level="layer")
    (cluster,) = found.clusters
    drag = next(item.key for item in found.items if item.title == "drag")
    label = at_clusters(found)["drag"]
    text = text_of(found, "dot")
    assert f"subgraph cluster_{cluster.key} {{label=<" in text
    (arrow,) = [line for line in text.splitlines() if f"{drag} -> " in line]
    assert f'label=" {label} " lhead=cluster_{cluster.key} ' in arrow
    (away,) = [line for line in text.splitlines() if f" ltail=cluster_{cluster.key} " in line]
    assert away.split()[0] in cluster.inside
    assert f'{drag} ==>|"{label}"| {cluster.key}' in text_of(found, "mmd").replace("-->", "==>")
    assert f"[{label}] drag" in text_of(found)
    assert "an arrow × n stands for n" in text
