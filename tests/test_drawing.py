"""Drawings: the same bytes every time, any text as a label, a renderer after pip alone.

``python tests/test_drawing.py`` writes the golden files anew; read their diff before you keep it.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import autograd
from autograd import MissingExtraError, Op, Value, clamp, dot, draw_dot, maximum, scope, where
from autograd import sum as sum_of
from autograd.drawing import MOST_LEVELS, MOST_NODES, write
from autograd.drawing.dot import INK, NEGATIVE, POSITIVE, constant, shade, shorten

graphviz = pytest.importorskip("graphviz")

from autograd.drawing import renderer  # noqa: E402 - needs graphviz

GOLDEN = Path(__file__).parent / "golden"

# Nothing but arithmetic: other functions may differ in the last digit from platform to platform.
NEURON = """
x1, x2, w1, w2 = Value(2.0, "x1"), Value(0.0, "x2"), Value(-3.0, "w1"), Value(1.0, "w2")
b = Value(6.8813735870195432, "b")
s = x1 * w1 + x2 * w2
s.label = "x1*w1 + x2*w2"
out = (s + b).relu()
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
    return sum_of([*(x * i for i in range(10)), chain(MOST_NODES - 20, x)])


def texts_and_tips(svg: str | bytes) -> tuple[list[str], list[str]]:
    """Return the texts and tooltips of an SVG."""
    root = ET.fromstring(svg)
    tips = [element.get("{http://www.w3.org/1999/xlink}title") for element in root.iter()]
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()) for text in texts], [tip for tip in tips if tip]


def source_of(program: str) -> str:
    names: dict[str, Any] = {"Value": Value, "dot": dot, "maximum": maximum, "scope": scope}
    exec(program, names)
    return str(draw_dot(names["out"]).source)


# The same bytes every time


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_text_is_golden_in_every_process(seed: str) -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; from test_drawing import PROGRAMS, source_of\n"
        "texts = map(source_of, PROGRAMS.values())\n"
        "sys.stdout.buffer.write('\\0'.join(texts).encode())"
    )
    paths = [str(Path(__file__).parent), str(Path(autograd.__file__).parent.parent)]
    done = subprocess.run(
        [sys.executable, "-c", code, *paths],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    for name, text in zip(PROGRAMS, done.stdout.decode().split("\0"), strict=True):
        assert text == (GOLDEN / f"{name}.dot").read_bytes().decode(), name


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
    assert constant(data) == text.removesuffix(".0")


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


@pytest.mark.parametrize("palette", [NEGATIVE, POSITIVE])
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


def test_a_deep_graph_becomes_text() -> None:
    drawing = draw_dot(chain(100_000))
    assert drawing.source.endswith("\tn100000op -> n100000 [weight=4]\n\tn99999 -> n100000op\n}\n")


@pytest.mark.parametrize(
    ("out", "number"),
    [
        (chain(MOST_NODES), MOST_NODES + 1),
        # The edges from x to 150 products: 299 + 297 + ... + 1; and 300 along the chain.
        (polynomial(150), 150 * 150 + 300),
        (detours(), MOST_LEVELS),
    ],
)
def test_what_would_take_minutes_is_refused_at_once(
    out: Value, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    monkeypatch.setattr(subprocess, "Popen", pytest.fail)
    with pytest.raises(ValueError, match=rf"too large.*\b{number:,}\b.*graph\.dot"):
        write(out, tmp_path / "graph.svg")
    assert write(out, tmp_path / "graph.dot").stat().st_size > 100_000


def test_leaves_and_short_edges_are_no_reason_to_refuse() -> None:
    assert draw_dot(chain(MOST_NODES - 1)).refusal == ""
    assert draw_dot(sum_of([Value(1.0) for _ in range(1000)])).refusal == ""


# Files


SIGNATURES = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "dot": b"digraph {", "SVG": b"<?xml"}


@pytest.mark.parametrize("extension", SIGNATURES)
def test_the_extension_decides_the_format(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"graph.{extension}"
    assert write(neuron(), str(path)) == path
    assert path.read_bytes().startswith(SIGNATURES[extension])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["graph.gif", "graph", "svg", ".svg", "graph.svg.bak"])
def test_another_extension_is_an_error_that_lists_the_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"one of \.svg \.png \.pdf \.dot$"):
        write(neuron(), tmp_path / name)


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = write(neuron(), tmp_path / "graph.svg")
    before = path.read_bytes()

    def fail_half_way(self: Path, _: object) -> None:
        with self.open("wb") as file:
            file.write(b"<svg>")
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, step, fail_half_way)
    with pytest.raises(OSError, match=r"No space left on device: .*graph\.svg"):
        write(Value(1.0), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


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
    for name, program in PROGRAMS.items():
        (GOLDEN / f"{name}.dot").write_bytes(source_of(program).encode())
