"""Drawings: the same bytes every time, any text as a label, a renderer after pip alone.

``python tests/test_drawing.py`` writes the golden files anew; read their diff before you keep it.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

import autograd
from autograd import (
    MissingExtraError,
    Op,
    StaleValueWarning,
    Stepper,
    Value,
    clamp,
    dot,
    draw_dot,
    maximum,
    scope,
    where,
)
from autograd import sum as sum_of
from autograd.drawing import PRINTERS, diff, draw_moment, picture_of, text_of, write
from autograd.drawing.levels import LEVELS
from autograd.drawing.palette import INK, NEGATIVE, NORM, POSITIVE, shade
from autograd.drawing.picture import Item, Picture, shorten
from autograd.drawing.view import local_derivatives
from autograd.engine import sweep
from nn import MLP, Module, Neuron
from nn.data import moons
from nn.losses import hinge

graphviz = pytest.importorskip("graphviz")

from autograd.drawing import renderer  # noqa: E402 - needs graphviz
from autograd.drawing.renderer import MOST_ITEMS, MOST_RANKS  # noqa: E402

GOLDEN = Path(__file__).parent / "golden"

# Nothing but arithmetic: other functions may differ in the last digit from platform to platform.
NEURON = """
x1, x2, w1, w2 = Value(2.0, "x1"), Value(0.0, "x2"), Value(-3.0, "w1"), Value(1.0, "w2")
b = Value(6.8813735870195432, "b")
s = x1 * w1 + x2 * w2
s.label = "x1*w1 + x2*w2"
out = (s + b).relu()
"""
NETWORK = """
out = 0.0
for sample in range(2):
    hidden = []
    for i in range(3):
        with scope(f"layers.0.neurons.{i}"):
            hidden.append(dot(W[i], [sample + 1.0, -0.5], B[i]).relu())
    with scope("layers.1.neurons.0"):
        last = dot(W[3], hidden)
    out = out + (last - 1) ** 2
out.backward()
"""
PROGRAMS = {
    "forward": NEURON,
    "backward": NEURON + "out.backward()",
    "numbers": """
x, y = Value(3.0, "x"), Value(-0.0, "x")
with scope("layers.0"):
    z = dot([x, y], [0.5, float("inf")], 1 / 3)
out = (2 - x * x) / (y - 0.25) ** -2 + maximum(z, 0.0)
out.backward()
""",
    "labels": r"""
labels = ['<b>&amp;</b>', '"a|b"', '{c}', r'\N \n \\', 'two\nlines', '😀é', 'x' * 100, '<', ' ']
out = sum(Value(2.0, label) for label in labels) - Value(1.0, '<script>alert("1")</script>')
""",
    "local": NEURON + "out.backward(); out = draw_dot(out, local=True)",
    "expanded": """
x = [Value(2.0, "x1"), Value(-1.0, "x2"), 3.0]
out = dot([Value(0.5, "w1"), Value(1.5, "w2"), Value(4.0, "w3")], x, Value(0.25, "b"))
out.backward()
out = draw_dot(out, expand=True, local=True)
""",
    "layers": NETWORK + 'out = draw_dot(out, level="layer")',
    "neurons": NETWORK + 'out = draw_dot(out, level="neuron", rankdir="TB")',
    "folded": NETWORK + "out = draw_dot(out, budget=24)",
    "stages": """
out, x = Value(1.0), Value(2.0, "x")
for _ in range(9):
    out = out * x + 1
out.backward()
out = draw_dot(out, budget=6)
""",
    "cut": """
out = Value(1.0, "w") * Value(2.0, "x")
for name in ("tanh", "exp", "sin", "sigmoid", "sqrt", "log1p", "cos", "atan", "softplus"):
    out = getattr(out, name)()
out.backward()
out = draw_dot(out, budget=6)
""",
    "changed": NEURON + "before = Stepper(out)\n"
    'out = (Value(2.0, "x1") * Value(-2.5, "w1") + Value(0.0, "x2") * w2 + b).relu()\n'
    "out = diff(before, Stepper(out))",
    "moment": """
x = Value(3.0, "x")
out = x * x + Value(1.0, "y")
stepper = Stepper(out)
stepper.goto(10)
out = draw_moment(stepper)
""",
}

HOSTILE = [
    "<",
    "<>",
    "<b>bold</b>",
    "<TABLE>",
    "-->",
    "]]>",
    "a & b &amp; &lt; &#65;",
    '"quoted"',
    '\\"',
    "a|b{c}",
    "back\\slash",
    r"\N \G \E \T \H \L \n \l \r \\ \\N",
    "ends with \\",
    "two\nlines",
    "😀 é 中",
    '<script>alert("1")</script>',
    "%s %(x)s {0}",
    "1. one",
    "- `dash` **b** _i_",
    "#quot; #35; # head",
    "$$x^2$$ fa:fa-car",
    "graph",
    "10 kB " + "of text " * 1280,
]

RENDERERS = ["dot", renderer.PURE]


@pytest.fixture(autouse=True)
def _unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer.dot_command, "DOT_BINARY", Path("dot"))


@pytest.fixture(params=RENDERERS)
def each_renderer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The real renderers, one after the other."""
    if request.param == renderer.PURE:
        monkeypatch.setenv("PATH", "")
    if renderer.choose_renderer().stem != request.param:
        pytest.skip("the system has no dot")
    return str(request.param)


def neuron() -> Value:
    """The neuron of the micrograd lecture."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    out = (x1 * w1 + x2 * w2 + b).tanh()
    out.label = "o"
    return out


def chain(length: int, start: Value | None = None) -> Value:
    out = Value(1.0) if start is None else start
    for _ in range(length):
        out = out + 1
    return out


def polynomial(degree: int) -> Value:
    """By Horner's scheme: few nodes, but one edge of every length."""
    x, out = Value(0.5), Value(1.0)
    for _ in range(degree):
        out = out * x + 1
    return out


def detours() -> Value:
    """Short ways around a long chain: each has an edge as long as the chain."""
    x = Value(1.0)
    return sum_of([*(x * i for i in range(10)), chain(MOST_ITEMS - 20, x)])


def texts_and_tips(svg: str | bytes) -> tuple[list[str], list[str]]:
    """Return the texts and tooltips of an SVG."""
    root = ET.fromstring(svg)
    tips = [element.get("{http://www.w3.org/1999/xlink}title") for element in root.iter()]
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()) for text in texts], [tip for tip in tips if tip]


def picture_from(program: str) -> Picture:
    names: dict[str, Any] = {
        "W": [
            [
                Value((i - j) / 4, f"layers.{i // 3}.neurons.{i % 3}.w.{j}")
                for j in range(2 + i // 3)
            ]
            for i in range(4)
        ],
        "B": [Value(0.25, f"layers.0.neurons.{i}.b") for i in range(3)],
        "Value": Value,
        "Stepper": Stepper,
        "dot": dot,
        "maximum": maximum,
        "scope": scope,
        "draw_dot": draw_dot,
        "diff": diff,
        "draw_moment": draw_moment,
    }
    exec(program, names)
    out = names["out"]
    return picture_of(out) if isinstance(out, Value) else out.picture


def golden_texts() -> dict[str, str]:
    """Return what each golden file should hold, by its name."""
    texts = {}
    for name, program in PROGRAMS.items():
        found = picture_from(program)
        for format in PRINTERS:
            texts[f"{name}.{format}"] = text_of(found, format)
    return texts


# The same bytes every time


@pytest.mark.long
@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_text_is_golden_in_every_process(seed: str) -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; from test_drawing import golden_texts\n"
        "sys.stdout.buffer.write('\\0'.join(golden_texts().values()).encode())"
    )
    paths = [str(Path(__file__).parent), str(Path(autograd.__file__).parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", code, *paths],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    texts = done.stdout.decode().split("\0")
    names = [f"{name}.{format}" for name in PROGRAMS for format in PRINTERS]
    for name, text in zip(names, texts, strict=True):
        assert text == (GOLDEN / name).read_bytes().decode(), name
    assert {path.name for path in GOLDEN.iterdir()} == set(names)


def test_the_text_is_that_of_the_digraph() -> None:
    for program in PROGRAMS.values():
        out = picture_from(program)
        assert renderer.drawing_of(out).source == text_of(out, "dot")


def test_drawing_changes_nothing() -> None:
    out = neuron()
    out.backward()
    first = draw_dot(out).source
    assert draw_dot(out).source == first
    assert out.grad == 1


def test_the_picture_is_the_same_every_time(each_renderer: str) -> None:
    first, second = (draw_dot(neuron()).pipe() for _ in range(2))
    assert first == second


# Labels are text


@pytest.mark.parametrize("label", HOSTILE, ids=[shorten(label) for label in HOSTILE])
def test_a_label_comes_out_as_the_text_it_is(each_renderer: str, label: str) -> None:
    texts, tips = texts_and_tips(draw_dot(Value(2.0, label)).pipe())
    assert shorten(label) in texts
    assert f"{label}\ndata 2.0" in tips


def test_an_emoji_leaves_stderr_quiet(
    each_renderer: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(Value(1.0, "😀"), tmp_path / "graph.png")
    draw_dot(Value(1.0, "😀")).render(tmp_path / "graph")
    assert capfd.readouterr() == ("", "")


def test_names_in_ovals_and_paths_are_text_too(each_renderer: str) -> None:
    with scope(r"<&\N>"):
        out = Value(3.0, r"\N") - Value(1.0, "<b>")
    svg = draw_dot(out).pipe()
    texts, tips = texts_and_tips(svg)
    assert r"\N - <b>" in texts
    assert r"<&\N>" in texts
    assert r"n2 = \N - <b>" in tips
    assert "n2\n<&\\N>\ndata 2.0" in tips
    assert b"<script" not in draw_dot(Value(1.0, "<script>")).pipe()


@pytest.mark.parametrize("name", [r"<&\N|{", "10 kB " + "of text " * 1280, "two\nlines"])
def test_a_modules_name_is_text_too(each_renderer: str, name: str) -> None:
    with scope(name):
        inside = Value(3.0, "x").tanh().exp()
    texts, tips = texts_and_tips(draw_dot(inside * 2, level="layer").pipe())
    assert shorten(name) in texts
    assert f"{name}\ntanh, exp\ndata {inside.data!r}" in tips


def test_an_ops_symbol_is_text_too(each_renderer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.operation.TABLE", autograd.TABLE.copy())
    arrow = Op("arrow", lambda x: x * 1, (lambda y, x: 1.0,), symbol=r"<\N>")
    assert r"<\N>" in texts_and_tips(draw_dot(arrow(Value(1.0))).pipe())[0]


@pytest.mark.parametrize("label", ["\x00", "a\x1bb", "\ud800", "\ufffe"])
def test_what_xml_forbids_is_replaced(each_renderer: str, label: str) -> None:
    texts, _ = texts_and_tips(draw_dot(Value(2.0, label)).pipe())
    assert any("\ufffd" in text for text in texts)


# What a drawing shows


def shown(out: Value) -> list[str]:
    return texts_and_tips(draw_dot(out).pipe())[0]


def test_the_lectures_neuron() -> None:
    out = neuron()
    out.backward()
    texts = shown(out)
    for text in ["x1", "2.0", "-1.5", "w1", "-3.0", "1.0", "6.88137", "0.707107", "tanh", "*", "+"]:
        assert text in texts
    assert texts.count("grad") == texts.count("data") == 10


def test_before_backward_there_are_no_gradients() -> None:
    out = neuron()
    assert "no backward yet: gradients appear after .backward()" in shown(out)
    assert "grad" not in shown(out)
    out.backward()
    assert not any("no backward yet" in text for text in shown(out))


def test_a_root_whose_gradient_is_0_is_drawn_with_those_below() -> None:
    """After a pass from above it, through a 0 that only it is multiplied with."""
    x = Value(2.0, "x")
    inner = x * 3
    out = inner + 1
    (inner * 5 + out * 0).backward()
    assert out.grad == 0
    assert "grad" in shown(out)
    assert not any("no backward yet" in text for text in shown(out))


def test_a_pass_whose_gradients_are_all_0_has_been() -> None:
    x = Value(2.0, "x")
    out = x * 3
    out.backward(0.0)
    assert shown(out).count("grad") == 2
    root = autograd.sqrt(Value(0.0, "y") * 1.0)
    with pytest.raises(autograd.DomainError):
        root.backward()
    assert "grad" not in shown(root)  # one that failed has not


def test_both_edges_of_a_square_are_drawn() -> None:
    x = Value(3.0, "x")
    svg = draw_dot(x * x).pipe(encoding="utf-8")
    assert svg.count("<title>n0&#45;&gt;n1op</title>") == 2


x, y, z = Value(3.0, "x"), Value(2.0), Value(1.0, "a label of many words")


@pytest.mark.parametrize(
    ("out", "text"),
    [
        (x * y, "*"),
        (x.tanh(), "tanh"),
        (-x, "-"),
        (x**2, "** 2"),
        (x**-1, "** -1"),
        (2 - x, "2 -"),
        (x * 0.1, "* 0.1"),
        (x + 1 / 3, "+ 0.333333"),
        (x * math.nan, "* nan"),
        (maximum(x, 0.0), "maximum(·, 0)"),
        (clamp(x, 0.0, 1.0), "clamp(·, 0, 1)"),
        (x - y, "x - n1"),
        (x - x, "x - x"),
        (x / z, "x / (a labe…words)"),
        (where(x, y, 0.0), "where(x, n1, 0)"),
        (sum_of([x, y, 4.0]), "sum"),
        (sum_of([x, y, 4.0]), "4"),
        (dot([x], [0.5]), "0.5"),
    ],
)
def test_what_an_oval_says(out: Value, text: str) -> None:
    assert text in shown(out)


def test_labels_and_positions_name_the_nodes() -> None:
    twice = Value(1.0, "w") + Value(2.0, "w")
    assert [text for text in shown(twice) if text in ("w", "n0", "n1", "n2")] == [
        *("w", "n0", "w", "n1"),
        "n2",
    ]
    assert "n0" not in shown(Value(1.0, "w"))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (-0.0, "0.0"),
        (1e-300, "1e-300"),
        (1 / 3, "0.333333"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_numbers_are_short_and_plain(data: float, text: str) -> None:
    assert text in shown(Value(data))
    assert not any(written.startswith("-0.0") for written in shown(Value(data)))


def test_an_infinite_or_undefined_gradient_stands_out() -> None:
    x = Value(2.0, "x")
    out = x * 3
    out.backward()
    for bad, colour in [(math.nan, INK), (math.inf, POSITIVE[-1]), (-math.inf, NEGATIVE[-1])]:
        x.grad = bad
        assert f'BGCOLOR="{colour}"' in draw_dot(out).source
        assert str(bad) in shown(out)


# Colours


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [NEGATIVE, POSITIVE, NORM])
def test_strength_shows_in_grey_and_text_stays_readable(palette: tuple[str, ...]) -> None:
    greys = [luminance(colour) for colour in palette]
    assert greys == sorted(greys, reverse=True)
    for lighter, darker in pairwise(greys):
        assert lighter / darker > 1.15
    assert (greys[-1] + 0.05) / (luminance(INK) + 0.05) > 4.5  # AA


def test_sign_is_the_hue_and_size_the_strength() -> None:
    for palette, sign in [(POSITIVE, 1), (NEGATIVE, -1)]:
        levels = [palette.index(shade(sign * x, 8.0)) for x in (1e-300, 0.5, 1.0, 4.0, 8.0)]
        assert levels == [0, 1, 2, 3, 3]
    assert shade(-0.0, 8.0) == "white"


# Size


@pytest.mark.long
def test_a_deep_graph_becomes_text() -> None:
    drawing = draw_dot(chain(20_000), budget=None)
    assert drawing.source.endswith("\tn20000op -> n20000 [weight=4]\n\tn19999 -> n20000op\n}\n")


@pytest.mark.parametrize(
    ("out", "number"),
    [
        (chain(MOST_ITEMS), MOST_ITEMS + 1),
        # The edges from x to 150 products: 299 + 297 + ... + 1; and 300 along the chain.
        (polynomial(150), 150 * 150 + 300),
        (detours(), MOST_RANKS),
    ],
)
@pytest.mark.long
def test_what_would_take_minutes_is_refused_at_once(
    out: Value, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    monkeypatch.setattr(subprocess, "Popen", pytest.fail)
    drawing = draw_dot(out, budget=None)
    with pytest.raises(ValueError, match=rf"too large.*\b{number:,}\b.*graph\.dot"):
        write(drawing, tmp_path / "graph.svg")
    assert write(drawing, tmp_path / "graph.dot").stat().st_size > 100_000


@pytest.mark.long
@pytest.mark.parametrize("out", [chain(MOST_ITEMS - 1), sum_of([Value(1.0) for _ in range(1000)])])
def test_leaves_and_short_edges_are_no_reason_to_refuse(
    out: Value, machine: SimpleNamespace
) -> None:
    machine.install("bin/dot")
    assert draw_dot(out, budget=None).pipe().startswith(b"drawn")


# Text for the terminal, and Mermaid


@pytest.mark.parametrize("label", HOSTILE, ids=[shorten(label) for label in HOSTILE])
def test_a_label_is_text_in_mermaid_and_in_the_outline_too(label: str) -> None:
    found = picture_of(Value(2.0, label))
    assert text_of(found).startswith(f"{shorten(label)}  data 2.0")
    box = text_of(found, "mmd").splitlines()[1]
    assert re.fullmatch(r'  n0\["<b>[^"<>`&|{}\[\]\\]*</b><br/>data 2\.0"\]', box)
    decoded = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), box)
    assert decoded.replace("\u2060", "") == f'  n0["<b>{shorten(label)}</b><br/>data 2.0"]'


@pytest.mark.parametrize("label", ["\x1b[31mred", "a\x9bb", "\ud800"])
def test_no_label_steers_the_terminal(label: str) -> None:
    for text in (text_of(picture_of(Value(2.0, label)), format) for format in ("txt", "mmd")):
        assert "\ufffd" in text or "#65533;" in text
        text.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_mermaid_shows_every_item_and_arrow_of_the_picture() -> None:
    out = neuron()
    out.backward()
    found = picture_of(out, local=True)
    text = text_of(found, "mmd")
    for item in found.items:
        assert f"  {item.key}[" in text
        for link in item.args:
            assert f'{link.arg} -->|"{link.label.replace("-", "#45;")}"| {item.key}op' in text


def test_a_deep_outline_goes_on_at_the_margin() -> None:
    text = text_of(picture_of(chain(1000), budget=None))
    assert max(map(len, text.splitlines())) < 120
    assert text.count("(below)") == 1001 // 24
    assert all(f"n{i} = n{i - 1} + 1" in text for i in range(1, 1001))


def test_the_outline_needs_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "autograd.drawing.renderer")
    monkeypatch.setitem(sys.modules, "graphviz", None)
    assert write(neuron(), tmp_path / "graph.txt").read_text().startswith("o = tanh(n8)")
    assert write(neuron(), tmp_path / "graph.mmd").read_text().startswith("flowchart LR")
    assert write(picture_of(neuron()), tmp_path / "graph.dot").read_text().startswith("digraph {")


# Modules, likeness and the budget


def titled(found: Picture, title: str) -> Item:
    (item,) = [item for item in found.items if item.title == title]
    return item


def rows(item: Item) -> dict[str, str]:
    return {row.what: row.text for row in item.rows}


def moons_loss(samples: int, nouts: list[int]) -> Value:
    model = MLP(2, nouts, seed=1)
    losses = [hinge(model(x), 2 * t - 1) for x, t in zip(*moons(samples, seed=0), strict=True)]
    return sum_of(losses) / samples


@pytest.mark.parametrize(
    ("level", "modules"),
    [
        ("neuron", {f"layers.{i}.neurons.{j}" for i in range(3) for j in range([4, 4, 1][i])}),
        ("layer", {"layers.0", "layers.1", "layers.2"}),
        ("network", {"network"}),
    ],
)
def test_each_level_has_a_box_per_module(level: str, modules: set[str]) -> None:
    out = moons_loss(3, [4, 4, 1])
    found = picture_of(out, level=level)
    assert {item.title for item in found.items if item.kind == "module"} == modules
    assert found.items[-1].caption == "/ 3"
    outside = [f"{i.title or i.caption} {i.times}" for i in found.items if i.kind != "module"]
    assert outside == ["* × 3", "- × 3", "relu × 3", "sum ", "/ 3 "]


def test_a_box_tells_the_norm_of_what_leaves_it_and_of_its_parameters() -> None:
    neuron = Neuron(2, activation="tanh", seed=1)

    class Net(Module):
        def __init__(self) -> None:
            self.neuron = neuron
            self.label_parameters()

        def forward(self, x: list[float]) -> Value:
            return self.neuron(x) * 3

    out = Net()([1.0, 2.0]) + Net()([3.0, -1.0])
    outs = [node.data for node in autograd.trace(out)[0] if str(node.op) == "tanh"]
    assert rows(titled(picture_of(out, level="neuron"), "neuron")) == {
        "‖data‖ of 2 values out": f"{math.hypot(*outs):.6g}",
        "data": f"{min(outs):.3g} to {max(outs):.3g}",
        "parameters": "3",
    }
    out.backward()
    # d out / d (each of the two values that leave) is 3, and 3 * sqrt(2) = 4.24264.
    parameters = math.hypot(*(p.grad for p in neuron.parameters()))
    assert rows(titled(picture_of(out, level="neuron"), "neuron")) == {
        "‖data‖ of 2 values out": f"{math.hypot(*outs):.6g}",
        "data": f"{min(outs):.3g} to {max(outs):.3g}",
        "‖grad‖ of 2 values out": "4.24264",
        "grad": "3",
        "‖grad‖ of 3 parameters": f"{parameters:.6g}",
    }
    (link,) = picture_of(out, level="neuron").items[1].args
    assert (link.tip, link.norm) == ("2 values, ‖grad‖ 4.242640687119285", math.hypot(3, 3))


def test_a_parameter_belongs_to_the_module_its_label_names() -> None:
    model = MLP(2, [2, 1], seed=1)

    class Net(Module):
        def __init__(self) -> None:
            self.body = model

        def forward(self, x: list[Value]) -> Any:
            return self.body(x)

    x = [Value(1.0, "x1"), Value(2.0, "x2")]
    found = picture_of(Net()(x), level="layer")
    assert [item.title for item in found.items] == ["x*", "body.layers.0", "body.layers.1"]


def test_repeated_neurons_and_samples_fold_beyond_the_budget() -> None:
    found = picture_of(moons_loss(5, [16, 16, 1]), level="neuron")
    assert [(i.title, i.times) for i in found.items if i.kind == "module"] == [
        ("layers.0.neurons.*", "× 16 × 5"),
        ("layers.1.neurons.*", "× 16 × 5"),
        ("layers.2.neurons.0", "× 5"),
    ]
    found = picture_of(moons_loss(5, [16, 16, 1]))
    assert titled(found, "layers.1.neurons.*.w.*").times == "× 256"
    assert [item.times for item in found.items if item.title == "relu"] == [
        "× 80",
        "× 80",
        "× 5",
    ]
    total = 337 + 5 * (33 + 32 + 3) + 2
    assert f"{total} nodes, 16 boxes: {total - 3} nodes are hidden (budget 200)" in found.notes


@pytest.mark.parametrize("add", [sum, sum_of])
def test_a_long_sum_is_one_box(add: Callable[[list[Value]], Value]) -> None:
    x = Value(2.0, "x")
    found = picture_of(add([(x * i).exp() for i in range(300)]) * 1)
    ops = [item.title or item.caption for item in found.items]
    assert ops == ["x", "*", "exp", "+" if add is sum else "sum", "* 1"]


@pytest.mark.long
def test_the_loss_of_a_thousand_samples_fits_a_screen() -> None:
    out = moons_loss(1000, [16, 16, 1])
    out.backward()
    svg = draw_dot(out)._repr_mimebundle_()["image/svg+xml"]
    width, height = map(float, re.findall(r'viewBox="0.00 0.00 ([\d.]+) ([\d.]+)"', svg)[0])
    assert width < 2500
    assert height < 600


def square_free(length: int) -> Value:
    """A chain in which nothing comes twice in a row: a word over three letters, by Thue's way."""
    zeros = [i for i in range(4 * length) if i.bit_count() % 2 == 0]
    out = Value(0.5)
    for i in range(length):
        out = (Value.tanh, Value.sin, Value.cos)[zeros[i + 1] - zeros[i] - 1](out)
    return out


def test_where_nothing_folds_the_far_is_left_out() -> None:
    found = picture_of(square_free(500))
    shown = [item for item in found.items if item.kind == "value"]
    assert [item.name for item in shown] == [f"n{i}" for i in range(476, 501)]
    assert [item.title for item in found.items if item.kind == "more"] == ["… 1 more"]
    assert "501 nodes, 25 boxes: 476 nodes are hidden (budget 200)" in found.notes


@pytest.mark.long
def test_the_budget_is_kept_whatever_the_graph() -> None:
    random = Random(0)
    functions = [Value.tanh, Value.exp, lambda x: x * x, lambda x: 2 - x]
    for size in (5, 50, 500):
        nodes = [Value(random.uniform(-1, 1), random.choice(["", f"x{i}"])) for i in range(5)]
        for _ in range(size):
            with scope(random.choice(["", "a.0", "a.1.b.0", "a.1.b.1", "c"])):
                x, y = random.choices(nodes[-20:], k=2)
                nodes.append((x - y) * random.choice(functions)(y) * 1e-3)
        for level in LEVELS:
            for budget in (1, 3, 20, None):
                found = picture_of(nodes[-1], level=level, budget=budget)
                boxes = [item for item in found.items if item.kind != "more"]
                assert budget is None or len(boxes) <= budget
                keys = [item.key for item in found.items]
                assert len(set(keys)) == len(keys)
                assert {link.arg for item in found.items for link in item.args} <= {"", *keys}
                again = picture_of(nodes[-1], level=level, budget=budget)
                assert text_of(found, "dot") == text_of(again, "dot")
                assert text_of(found, "mmd")
                assert text_of(found)


def test_focus_shows_what_is_near() -> None:
    out = neuron()
    w1 = next(node for node in autograd.trace(out)[0] if node.label == "w1")
    kinds = [(item.title or item.name, item.kind) for item in picture_of(out, focus=w1).items]
    assert kinds == [
        ("x1", "value"),
        ("w1", "value"),
        ("n2", "value"),
        ("… 1 more", "more"),
        ("n6", "value"),
        ("… 1 more", "more"),
    ]
    assert [item.title for item in picture_of(out, focus=w1, radius=0).items] == ["w1", "… 1 more"]
    assert len(picture_of(out, focus=w1, radius=9).items) == 10


def test_paths_shows_what_lies_between() -> None:
    out = neuron()
    nodes = {node.label or f"n{i}": node for i, node in enumerate(autograd.trace(out)[0])}
    found = picture_of(out, paths=(nodes["w1"], nodes["n8"]))
    named = [item.title or item.name for item in found.items if item.kind == "value"]
    assert named == ["w1", "n2", "n6", "n8"]
    with pytest.raises(ValueError, match=r"no path from Value.*name the argument first"):
        picture_of(out, paths=(nodes["n8"], nodes["w1"]))


def test_a_module_that_feeds_itself_is_a_loop_in_the_picture() -> None:
    h = Value(0.5, "h")
    for _ in range(3):
        with scope("a"):
            h = h.tanh()
        with scope("b"):
            h = h.exp()
    found = picture_of(h, level="layer")
    assert {item.title for item in found.items} == {"h", "a", "b"}
    assert "tanh × 3" in text_of(found)
    assert draw_dot(h, level="layer").pipe().startswith(b"<?xml")


@pytest.mark.parametrize("rules", [neuron(), moons_loss(2, [2, 1]), maximum(x, y) ** 3 + x / z])
def test_local_derivatives_are_those_of_the_sweep(rules: Value) -> None:
    for step in sweep(rules):
        assert local_derivatives(step.node)[step.slot] == step.local


def test_a_weighted_sum_term_by_term() -> None:
    w, x = Value(3.0, "w"), Value(-2.0, "x")
    out = dot([w, 2.0], [x, x], 1.0).tanh()
    out.backward()
    total = out.args[0]
    assert isinstance(total, Value)
    first, second = (i for i in picture_of(out, expand=True).items if i.caption == "*")
    assert (first.definition, second.definition) == ("w * x", "2 * x")
    assert rows(first) == {"data": "-6.0", "grad": rows(picture_of(total).items[-1])["grad"]}
    assert "grad" in rows(second)


# What changed


def test_a_diff_shows_before_and_after() -> None:
    model = MLP(2, [3, 1], seed=1)
    runs = []
    for _ in range(2):
        loss = hinge(model([0.5, -0.25]), 1)
        runs.append(Stepper(loss))
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.5 * parameter.grad
    drawing = diff(*runs)
    assert isinstance(drawing, graphviz.Digraph)
    weight = runs[0].recording.nodes.index(model.layers[1].neurons[0].b)
    (before, after) = (run.recording.value(run.recording.nodes[weight]) for run in runs)
    row, _ = titled(drawing.picture, "layers.1.neurons.0.b").rows
    assert (row.exact, row.amount) == (f"{before!r} → {after!r}", after - before)
    same = diff(runs[0], runs[0])
    assert all(row.amount == 0 for item in same.picture.items for row in item.rows)
    assert same.picture.scales == ()
    layers = diff(runs[0].recording, runs[1].recording, level="layer").picture
    assert "‖Δ grad‖ of 4 parameters" in rows(titled(layers, "layers.1"))
    (link,) = titled(layers, "layers.1").args
    assert link.tip.startswith("3 values, ‖Δ grad‖ ")


@pytest.mark.parametrize(
    ("after", "difference"),
    [
        (lambda x: x * 2 - x, r"n2 = n1 \+ x before, n2 = n1 - x after"),
        (lambda x: x * 2 + 1, "n2 = n1 . x before, n2 = n1 . 1 after"),
        (lambda x: x * x + x, r"n1 = x \* 2 before, n1 = x \* x after"),
        (lambda x: (x * 2 + x).exp(), "3 nodes before, 4 after"),
    ],
)
def test_a_diff_needs_the_same_shape(after: Callable[[Value], Value], difference: str) -> None:
    x = Value(1.0, "x")
    with pytest.raises(ValueError, match=f"same shape: {difference}"):
        diff(Stepper(x * 2 + x), Stepper(after(x)))
    with pytest.raises(
        TypeError, match=r"expected a recording \(Stepper\(out\) makes one\), got Value"
    ):
        diff(x, x)  # type: ignore[arg-type]


def test_a_diff_shows_other_numbers_and_what_is_not_finite() -> None:
    x = Value(1.0, "x")
    found = diff(Stepper(x * 2), Stepper(x * 3)).picture
    assert found.items[-1].caption == "* 2 → 3"
    found = diff(Stepper(x * math.inf), Stepper(x * math.nan)).picture
    assert rows(found.items[-1])["data"] == "inf → nan"
    assert found.fill(found.items[-1].rows[0]) == INK


# A moment of the stepper


def test_a_moment_tells_unknown_partial_and_complete_apart() -> None:
    x, y = Value(3.0, "x"), Value(1.0, "y")
    stepper = Stepper(x * x + y)
    seen = []
    for position in range(len(stepper.events) + 1):
        stepper.goto(position)
        found = draw_moment(stepper).picture
        seen.append(rows(titled(found, "x")))
        edges = [link.label for item in found.items for link in item.args if link.current]
        event = stepper.current
        assert len(edges) == (event is not None and event.kind == "edge")
        if event:
            (current,) = [item for item in found.items if item.current]
            assert current.key == f"n{stepper.recording.position[event.node]}"
    assert list(dict.fromkeys(tuple(row.items()) for row in seen)) == [
        (("data", "?"), ("grad", "?")),
        (("data", "3.0"), ("grad", "?")),
        (("data", "3.0"), ("grad", "3.0 so far")),
        (("data", "3.0"), ("grad", "6.0 so far")),
        (("data", "3.0"), ("grad", "6.0")),
    ]


def test_a_moment_of_a_large_graph_is_around_the_current_node() -> None:
    stepper = Stepper(polynomial(400))
    stepper.goto(1000)
    found = draw_moment(stepper, budget=20).picture
    assert any(item.current for item in found.items)
    assert sum(item.kind == "value" for item in found.items) == 20
    layers = Stepper(moons_loss(3, [2, 1]))
    layers.goto(len(layers.events))
    assert rows(titled(draw_moment(layers, level="layer").picture, "layers.0")) == {
        "grads complete": "12 of 12"
    }


# In a notebook


def test_a_notebooks_picture_scales_with_the_page(each_renderer: str) -> None:
    bundle = draw_dot(neuron())._repr_mimebundle_()
    root = ET.fromstring(bundle["image/svg+xml"])
    assert root.get("viewBox")
    assert root.get("width", "").isdecimal()
    assert root.get("height") is None
    assert root.get("style") == "max-width: 100%; height: auto"
    wide = Value(1.0)
    for _ in range(20):
        wide = wide * 2
    assert ' width="900"' in draw_dot(wide)._repr_mimebundle_()["image/svg+xml"]
    # A notebook would show what any further one returns in place of the bundle.
    shown = [name for name in dir(renderer.Drawing) if re.fullmatch("_repr_.*_", name)]
    assert shown == ["_repr_mimebundle_"]


def test_its_text_in_a_notebook_has_no_address() -> None:
    assert repr(draw_dot(neuron())) == f"<Drawing of {len(draw_dot(neuron()).picture.items)} boxes>"


def test_a_copy_and_a_subgraph_still_work() -> None:
    drawing = draw_dot(neuron())
    assert drawing.copy().source == drawing.source
    with drawing.subgraph() as inside:
        inside.node("own")
    assert "own" in drawing.pipe(encoding="utf-8")


def test_a_file_is_drawn_by_the_one_that_pip_brought(
    machine: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, pure = machine.install("bin/dot"), machine.install("venv/graphviz-pure")
    assert write(neuron(), tmp_path / "a.svg").read_text().startswith(f"drawn {pure}")
    assert write(neuron(), tmp_path / "a.png").read_text().startswith(f"drawn {system}")
    assert draw_dot(neuron()).pipe(encoding="utf-8").startswith(f"drawn {system}")
    own = machine.install("own/dot-15")
    monkeypatch.setattr(renderer.dot_command, "DOT_BINARY", own)
    assert write(neuron(), tmp_path / "a.svg").read_text().startswith(f"drawn {own}")


def test_a_file_is_drawn_without_a_change_that_other_threads_would_see(
    machine: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install("bin/dot")
    machine.install("venv/graphviz-pure")
    seen, run = [], subprocess.run

    def spy(*args: Any, **options: Any) -> Any:
        seen.append(str(renderer.dot_command.DOT_BINARY))
        return run(*args, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    write(neuron(), tmp_path / "a.svg")
    assert seen == ["dot"]


def test_a_failing_renderer_is_an_error(machine: SimpleNamespace, tmp_path: Path) -> None:
    machine.install("bin/dot")
    machine.install("venv/graphviz-pure").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(graphviz.CalledProcessError):
        write(neuron(), tmp_path / "a.svg")
    assert not (tmp_path / "a.svg").exists()


# What has changed since


def test_a_stale_graph_is_drawn_as_stored_with_a_warning() -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = x * w
    y.label = "y"
    x.data = 10.0
    match = r"10\.0 \* 3\.0 is 30\.0 now, but y holds 6\.0"
    with pytest.warns(StaleValueWarning, match=match) as caught:
        found = picture_of(y)
    assert caught[0].filename == __file__
    assert rows(titled(found, "y"))["data"] == "6.0"
    with pytest.warns(StaleValueWarning):
        draw_dot(y)


# Files


SIGNATURES = {
    "svg": b"<?xml",
    "png": b"\x89PNG\r\n",
    "dot": b"digraph {",
    "mmd": b"flowchart LR\n",
    "txt": b"o = tanh(n8)",
    "SVG": b"<?xml",
}


@pytest.mark.parametrize("extension", SIGNATURES)
def test_the_extension_decides_the_format(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"graph.{extension}"
    assert write(neuron(), str(path)) == path
    assert path.read_bytes().startswith(SIGNATURES[extension])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["graph.gif", "graph", "svg", ".svg", "graph.svg.bak"])
def test_another_extension_is_an_error_that_lists_the_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"one of \.svg \.png \.pdf \.dot \.mmd \.txt$"):
        write(neuron(), tmp_path / name)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = write(neuron(), tmp_path / "graph.svg")
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=r"No space left on device: .*graph\.svg"):
        write(Value(1.0), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_only_a_graph_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected the Value to draw, got list"):
        write([neuron()], tmp_path / "graph.svg")  # type: ignore[arg-type]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing.graph\.svg"):
        write(neuron(), tmp_path / "missing" / "graph.svg")


# The lecture's interface


def test_it_is_a_digraph_that_shows_itself(tmp_path: Path) -> None:
    drawing = draw_dot(neuron())
    assert isinstance(drawing, graphviz.Digraph)
    assert (drawing.format, drawing.graph_attr["rankdir"]) == ("svg", "LR")
    assert drawing._repr_mimebundle_()["image/svg+xml"].startswith("<?xml")
    written = drawing.render(tmp_path / "graph", format="png", cleanup=True)
    assert Path(written).read_bytes().startswith(SIGNATURES["png"])


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_the_directions(rankdir: str) -> None:
    assert f"rankdir={rankdir} " in draw_dot(neuron(), rankdir=rankdir).source


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="rankdir is one of LR, TB, RL, BT, got 'left'"):
        draw_dot(neuron(), rankdir="left")
    with pytest.raises(ValueError, match="'tiff2'"):
        draw_dot(neuron(), format="tiff2")
    with pytest.raises(TypeError, match="expected the Value to draw, got list"):
        draw_dot([neuron()])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level is one of op, neuron, layer, network, got 'ops'"):
        draw_dot(neuron(), level="ops")
    with pytest.raises(ValueError, match="budget is a number of boxes from 1 on, or None, got 0"):
        draw_dot(neuron(), budget=0)
    with pytest.raises(ValueError, match="radius is a number of edges from 0 on, got -1"):
        draw_dot(neuron(), radius=-1)
    with pytest.raises(ValueError, match=r"label='w'\) is not part of the graph that is drawn"):
        draw_dot(neuron(), focus=Value(1.0, "w"))
    with pytest.raises(ValueError, match="by focus or by paths, not by both"):
        draw_dot(x, focus=x, paths=(x, x))


# Which renderer


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine with no renderer anywhere, and a way to install one: ``install("bin/dot")``."""
    if sys.platform == "win32":
        pytest.skip("the stand-ins are shell scripts")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    monkeypatch.setattr(
        sysconfig, "get_path", lambda name, scheme="": str(tmp_path / (scheme or "scripts"))
    )
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def install(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('#!/bin/sh\nwhile read -r line; do :; done\necho "drawn $0 $*"\n')
        path.chmod(0o755)
        return path

    return SimpleNamespace(install=install)


def test_the_systems_dot_comes_first(machine: SimpleNamespace) -> None:
    machine.install("venv/graphviz-pure")
    system = machine.install("bin/dot")
    assert draw_dot(neuron()).pipe() == f"drawn {system} -Kdot -Tsvg\n".encode()
    assert b"-Tpdf" in draw_dot(neuron(), format="pdf").pipe()


@pytest.mark.parametrize(
    "place", ["venv", "scripts", sysconfig.get_preferred_scheme("user"), "bin"]
)
def test_else_the_one_that_pip_brought(machine: SimpleNamespace, place: str) -> None:
    pure = machine.install(f"{place}/graphviz-pure")
    assert draw_dot(neuron()).pipe() == f"drawn {pure} -Kdot -Tsvg\n".encode()
    assert draw_dot(neuron())._repr_mimebundle_()["image/svg+xml"].startswith(f"drawn {pure}")
    # From now on, it also draws whatever else the user draws with the graphviz package.
    assert graphviz.Graph().pipe(format="svg").startswith(f"drawn {pure}".encode())


def test_the_users_choice_is_kept(
    machine: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.install("bin/dot")
    own = machine.install("own/dot-15")
    monkeypatch.setattr(renderer.dot_command, "DOT_BINARY", own)
    assert draw_dot(neuron()).pipe().startswith(f"drawn {own}".encode())


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: draw_dot(neuron()).pipe(),
        lambda path: draw_dot(neuron()).render(path / "graph"),
        lambda path: draw_dot(neuron())._repr_mimebundle_(),
        lambda path: write(neuron(), path / "graph.svg"),
    ],
)
def test_without_any_the_error_says_what_to_install(
    machine: SimpleNamespace, tmp_path: Path, draw: Callable[[Path], object]
) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[draw\]'"):
        draw(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert draw_dot(neuron()).source.startswith("digraph {")
    assert write(neuron(), tmp_path / "graph.dot").exists()


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: draw_dot(neuron(), format="pdf").pipe(),
        lambda path: draw_dot(neuron()).pipe(format="pdf"),
        lambda path: draw_dot(neuron()).render(path / "graph", format="pdf"),
        lambda path: draw_dot(neuron()).render(outfile=path / "graph.pdf"),
        lambda path: write(neuron(), path / "graph.pdf"),
    ],
)
def test_pdf_needs_the_systems_dot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, draw: Callable[[Path], object]
) -> None:
    monkeypatch.setenv("PATH", "")  # leaves graphviz-pure, which is real here
    with pytest.raises(MissingExtraError, match="pdf needs the system's Graphviz"):
        draw(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "autograd.drawing.renderer")
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[draw\]'"):
        draw_dot(neuron())


if __name__ == "__main__":
    for name, text in golden_texts().items():
        (GOLDEN / name).write_bytes(text.encode())
