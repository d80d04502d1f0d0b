"""The demo: the numbers it promises, the pictures it writes, and that it repeats itself."""

from __future__ import annotations

import math
import re
import shlex
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from autograd.command.cli import main
from autograd.command.subcommands import demo
from autograd.command.usage import MISSING, OK, REFUSED
from nn.plots import boundary

pytestmark = pytest.mark.long

EPOCHS = 10


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """Return folder and output of two runs of the demo, with less training and coarser."""
    pytest.importorskip("graphviz")
    pytest.importorskip("matplotlib")
    made = []
    for name in ("first", "second"):
        directory = tmp_path_factory.mktemp(name) / "new" / "chainrule-demo"
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as output:
            patch.setattr(demo, "EPOCHS", EPOCHS)
            patch.setattr(boundary, "CELLS", 24)
            assert main(["demo", "--out", str(directory)]) == OK
        made.append((directory, output.getvalue()))
    return made


def section(text: str, title: str, end: str = "") -> str:
    return text.partition(title)[2].partition(end or "\n\n")[0]


@pytest.mark.long
def test_the_chain_rule_meets_the_closed_form(runs: list[tuple[Path, str]]) -> None:
    table = section(runs[0][1], "The same in closed form")
    rows = re.findall(r"dE/d(\w+) +(\S+) (\S+) = error", table)
    assert [name for name, _, _ in rows] == ["w1", "w2", "b"]
    w1, w2, b = 0.5, -1.0, 0.25
    x1, x2, target = 2.0, 1.5, 1.0
    a = 1 / (1 + math.exp(-(w1 * x1 + w2 * x2 + b)))
    slope = (a - target) * a * (1 - a)
    for (_, stepped, closed), expected in zip(rows, [slope * x1, slope * x2, slope], strict=True):
        # Printed with 15 decimals; computed to some ulps of numbers below 1.
        assert float(stepped) == pytest.approx(expected, abs=2e-15)
        assert float(closed) == pytest.approx(expected, abs=2e-15)


def test_the_error_falls(runs: list[tuple[Path, str]]) -> None:
    [(before, after)] = re.findall(r"^  E +(\S+) → (\S+)$", runs[0][1], re.MULTILINE)
    assert 0 < float(after) < float(before)


def test_the_lecture_neuron_is_stepped_and_checked(runs: list[tuple[Path, str]]) -> None:
    text = section(runs[0][1], "micrograd lecture", "two moons")
    assert "d o/d n += upstream * local = 1.0 * 0.5 = 0.5" in text
    assert "d o/d x1 += upstream * local = 0.5 * -3.0 = -1.5   (total -1.5)" in text
    rows = re.findall(r"^  (\w+) +(\S+) +\S+ +\S+ +\S+ +ok$", text, re.MULTILINE)
    gradients = {name: float(analytic) for name, analytic in rows}
    expected = {"x1": -1.5, "x2": 0.5, "w1": 1.0, "w2": 0.0, "b": 0.5}
    assert gradients == pytest.approx(expected, abs=1e-9)


def test_the_network_learns(runs: list[tuple[Path, str]]) -> None:
    rows = re.findall(r"^ +(\d+) +(\S+) +(\S+)%$", runs[0][1], re.MULTILINE)
    assert [int(epoch) for epoch, _, _ in rows] == [1, EPOCHS]
    assert float(rows[-1][1]) < float(rows[0][1]) / 2
    assert float(rows[-1][2]) > 90


def test_thirty_layers_vanish_stay_or_explode(runs: list[tuple[Path, str]]) -> None:
    table = section(runs[0][1], "norm of the gradients")
    rows = [re.split("  +", row.strip()) for row in table.splitlines()[1:]]
    norms = {name: (float(last), float(first)) for name, last, first in rows}
    ratios = {name: first / last for name, (last, first) in norms.items()}
    assert 0 < ratios["sigmoid"] < 1e-10
    assert 1e-2 < ratios["ReLU, He"] < 1e2
    assert 1e-2 < ratios["sigmoid, residual"] < 1e2
    assert norms["ReLU, too large"][1] > 1e10
    assert norms["too large, clipped"][1] <= 1


def test_the_pictures_are_where_it_says(runs: list[tuple[Path, str]]) -> None:
    directory, text = runs[0]
    listed = section(text, "Where everything is")
    pictures = dict.fromkeys(("neuron.html", "moons.html"), b"<!doctype html>")
    assert list(re.findall(r"(\w+\.\w+) {2,}", listed))[:2] == list(pictures), "pages first"
    pictures |= {"neuron.svg": b"<?xml"}
    pictures |= dict.fromkeys(("boundary.png", "loss.png", "depth.png"), b"\x89PNG")
    assert {path.name for path in directory.iterdir()} == set(pictures)
    for name, begins in pictures.items():
        assert (directory / name).read_bytes().startswith(begins)
        assert str(directory / name) in listed


def test_the_next_commands_work(
    runs: list[tuple[Path, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = section(runs[0][1], "Try next").splitlines()[1:]
    assert commands
    for command in commands:
        program, *words = shlex.split(command.strip())
        assert program == "chainrule"
        assert main(words) == OK


def test_the_same_bytes_every_time(runs: list[tuple[Path, str]]) -> None:
    (first, text), (second, again) = runs
    assert text.replace(str(first), "") == again.replace(str(second), "")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    assert main(["demo", "--out", str(taken)]) == REFUSED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert str(taken) in captured.err
    assert "choose a directory with --out" in captured.err


def test_what_is_missing_is_said_before_anything_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["demo", "--out", str(tmp_path / "out")]) == MISSING
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "pip install 'chainrule[all]'" in captured.err
    assert not (tmp_path / "out").exists()
