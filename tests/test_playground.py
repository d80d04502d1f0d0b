"""The playground: what becomes of a program there, its examples, pictures without Graphviz."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autograd import Value, drawing, tanh
from autograd.playground.examples import EXAMPLES
from autograd.playground.runner import MOST_NODES, run
from autograd.playground.vector import svg_of

FOLDER = Path(sys.modules[run.__module__].__file__ or "").parent


class Notebook:
    """A host that keeps what it is told; boxes stand in one row, from left to right."""

    def __init__(self) -> None:
        self.text = {"out": "", "err": ""}
        self.pictures: list[str] = []
        self.pages: list[tuple[str, str]] = []
        self.failures: list[tuple[str, int | None]] = []

    def write(self, kind: str, text: str) -> None:
        self.text[kind] += text

    def picture(self, svg: str, description: str) -> None:
        self.pictures.append(svg)

    def page(self, html: str, name: str) -> None:
        self.pages.append((html, name))

    def fail(self, text: str, line: int | None) -> None:
        self.failures.append((text, line))

    def arrange(self, graph: str) -> str:
        centres, x = [], 0.0
        for width, height in json.loads(graph)["sizes"]:
            centres.append([x + width / 2, height / 2])
            x += width + 30
        return json.dumps({"width": x, "height": 0, "centres": centres})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the program is written to a file


def outcome(source: str) -> Notebook:
    host = Notebook()
    run(source, host)
    return host


@pytest.mark.parametrize(
    ("title", "said", "root"),
    [
        ("A neuron", "d out / d x1 = -1.5029", "out"),
        ("The chain rule, written out", "heaviest paths", "y"),
        ("A picture of the graph", "", "L"),
        pytest.param("A network learns two moons", "of 40 points", "loss", marks=pytest.mark.long),
        ("Backprop done wrong", "a  276.0 instead of 138.0", "d"),
        ("A rule of your own, checked", "ok", "out"),
        ("A gradient descent by hand", "step 24: loss   0.00375", "loss"),
        ("A GPT of one letter", "it writes ·aa·", "loss"),
    ],
)
def test_an_example_says_and_ends_with(title: str, said: str, root: str) -> None:
    (program,) = [each["program"] for each in EXAMPLES if each["title"] == title]
    host = outcome(program)
    assert (host.failures, host.text["err"]) == ([], "")
    assert said in host.text["out"]
    assert [name for _, name in host.pages] == [root]
    assert len(host.pictures) == ("picture" in title)


def test_the_example_that_fails_says_where_and_why() -> None:
    (program,) = [each["program"] for each in EXAMPLES if "NaN" in each["title"]]
    ((text, line),) = outcome(program).failures
    assert program.splitlines()[(line or 0) - 1].startswith("powers =")
    assert "exp(800.0) overflows" in text
    assert "softmax" in text


def test_examples_are_as_many_as_headings_and_end_without_a_blank_line() -> None:
    text = (FOLDER / "examples.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) == text.count("\n## ") == 9
    assert all(not each["program"].endswith("\n") for each in EXAMPLES)


@pytest.mark.parametrize(
    ("source", "root"),
    [
        ("from autograd import Value\nx = Value(2.0)\ny = x * x\nz = y + 1\nprint(z)", "z"),
        ("from autograd import Value\nx = Value(2.0)\ny = x * x\nz = y + 1\ny", "y"),
        ("from autograd import Value\nx = Value(2.0)\ny = x * x\ny.backward()\nprint(x)", "y"),
        ("from autograd import Value\ny = Value(2.0) * 3\ndef f():\n    return g", "y"),
        ("from autograd import Value, Stepper\ny = Value(2.0, 'x') * 3\nStepper(y)", "n1"),
        ("from autograd import Value\nx = Value(2.0, 'x')", None),
        ("x = 2", None),
        ("", None),
    ],
)
def test_the_debugger_opens_on_the_last_value(source: str, root: str | None) -> None:
    host = outcome(source)
    assert not host.failures
    assert [name for _, name in host.pages] == ([root] if root else [])


def test_a_program_may_compile() -> None:
    call = "compile(lambda a, b: a * b, 0.0, 0.0, backend='python').value_and_grad(2.0, 3.0)"
    host = outcome(f"from autograd import compile\n{call}")
    assert (host.text["out"], host.failures) == ("(6.0, (3.0, 2.0))\n", [])


def test_a_leaf_that_was_moved_since_is_followed() -> None:
    """As after a training loop, whose last step comes after its last loss."""
    host = outcome("from autograd import Value\nx = Value(2.0)\ny = x * x\nx.data = 5.0")
    assert not host.failures
    assert len(host.pages) == 1


@pytest.mark.long
def test_a_graph_too_large_for_its_page_is_said_to_be() -> None:
    lines = ["from autograd import Value", "y = Value(1.0)"]
    lines += [f"for _ in range({MOST_NODES}): y = y + 1.0"]
    host = outcome("\n".join(lines))
    assert not host.pages
    assert "20,001" in host.text["err"]


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("x = 1\nx = input('?')", 2, "nobody can answer input()"),
        ("import torch_of_another_world", 1, "torch_of_another_world is not in the playground"),
        ("import autograd.nothing", 1, "No module named 'autograd.nothing'\n"),
        ("def f(x):\n    return 1 / x\n\nf(0)", 2, "ZeroDivisionError"),
        ("a = 1\nb = (", 2, "SyntaxError"),
        ("raise KeyError('x') from ValueError('y')", 1, "direct cause"),
        ("from autograd import log\nlog(-1.0)", 2, "log"),
        ("from nn import Layer\nLayer(0, 1)", 2, "Error"),
    ],
)
def test_an_error_names_the_line_and_shows_only_the_program(
    source: str, line: int, words: str
) -> None:
    ((text, at),) = outcome(source).failures
    assert at == line
    assert words in text
    assert set(re.findall(r'File "([^"]*)"', text)) == {"program.py"}


def test_what_was_printed_before_an_error_or_an_exit_stays() -> None:
    host = outcome("print('a', end='')\nimport sys\nsys.exit('done')")
    assert (host.text["out"], host.failures) == ("a", [])
    assert "done" in host.text["err"]
    host = outcome("print('a', end='')\n1 / 0")
    assert host.text["out"] == "a"


def test_a_warning_names_the_line() -> None:
    host = outcome("import warnings\nwarnings.warn('careful')")
    assert host.text["err"] == "line 2: UserWarning: careful\n"


def test_a_run_leaves_nothing_behind() -> None:
    before = sys.stdout, sys.stderr, sys.modules["__main__"], input
    outcome("x = 1")
    assert not outcome("print('x' in globals())").text["out"].startswith("True")
    assert before == (sys.stdout, sys.stderr, sys.modules["__main__"], input)


def test_future_statements_and_dataclasses_work() -> None:
    source = """from __future__ import annotations
from dataclasses import dataclass
@dataclass
class A:
    b: Unknown = 1
A()"""
    host = outcome(source)
    assert (host.text["out"], host.failures) == ("A(b=1)\n", [])


@pytest.mark.parametrize("rankdir", drawing.RANKDIRS)
def test_a_picture_has_a_box_for_each_value_and_each_op(rankdir: str) -> None:
    x = Value(0.5, "<x> & y")
    out = tanh(x * 3.0)
    out.backward()
    found = drawing.picture_of(out, rankdir, local=True)
    svg = ElementTree.fromstring(svg_of(found, Notebook().arrange))
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<x> & y", "tanh", "0.5"} <= set(texts)
    assert texts.count("data") == len(found.items)
    width, height = (float(svg.attrib[side]) for side in ("width", "height"))
    for box in svg.iter("{http://www.w3.org/2000/svg}rect"):
        if "x" in box.attrib:
            assert 0 <= float(box.attrib["x"]) <= width - float(box.attrib["width"])
            assert 0 <= float(box.attrib["y"]) <= height - float(box.attrib["height"])


def test_what_is_built_of_is_pinned() -> None:
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    versions = package["dependencies"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    lock = json.loads((FOLDER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert all("integrity" in found for found in packages.values())


def test_the_archive_has_the_packages_and_neither_caches_nor_the_page() -> None:
    pytest.importorskip("graphviz", reason="it comes with the draw extra")
    from autograd.playground.archive import zipped

    packed = zipfile.ZipFile(io.BytesIO(zipped()))
    names = packed.namelist()
    assert {"autograd/engine.py", "nn/gpt.py", "graphviz/__init__.py"} <= set(names)
    assert {"autograd/playground/runner.py", "autograd/page/style.css"} <= set(names)
    ours = {name for name in names if name.startswith("autograd/playground/")}
    assert {Path(name).suffix for name in ours} == {".py"}
    assert not [name for name in names if name.endswith(".pyc")]
    engine = (FOLDER.parent / "engine.py").read_bytes()
    assert packed.read("autograd/engine.py") == engine
    assert zipped() == zipped()
