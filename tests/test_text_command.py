"""``chainrule train`` of a text, and what ``chainrule show`` says of what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import pytest

from autograd.command.cli import main
from autograd.command.usage import INTERRUPTED, OK, REFUSED
from nn import GPT, load, optim
from nn.text import characters

pytest.importorskip("matplotlib")

Run = Callable[..., tuple[int, str, str]]
SMALL = ["--embedding", "4", "--heads", "2", "--block-size", "8"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    lines = ["abba", "abab", "baba", "baab"] * 8
    (tmp_path / "abba.txt").write_text("\n".join(lines), encoding="utf-8")

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.long
def test_a_text_is_learnt_written_and_asked(run: Run, tmp_path: Path) -> None:
    code, out, err = run("train", "abba.txt", *SMALL, "--epochs", "3", "--seed", "1")
    assert (code, err) == (OK, "")
    assert "29 documents to learn from, 3 for the test" in out
    assert "2 letters: ab" in out
    folder = tmp_path / "chainrule-abba"
    assert sorted(path.name for path in folder.iterdir()) == [
        "attention.png", "embedding.png", "loss.png", "model.json",
    ]  # fmt: skip
    model = load(folder / "model.json")
    assert isinstance(model, GPT)
    assert model.vocabulary == 3
    code, out, _ = run("show", "chainrule-abba/model.json", "ab")
    assert code == OK
    assert "what comes next" in out
    assert re.search(r"^  train +29 +\d\.\d{3}$", out, re.MULTILINE)
    answer = re.findall(r"^  (a|b|\(the end\)) +([\d.]+) %$", out, re.MULTILINE)
    assert {name for name, _ in answer} == {"a", "b", "(the end)"}
    assert sum(float(chance) for _, chance in answer) == pytest.approx(100, abs=0.2)


@pytest.mark.long
def test_the_same_settings_write_the_same(run: Run, tmp_path: Path) -> None:
    found = []
    for folder in ("one", "two"):
        code, out, _ = run("train", "abba.txt", *SMALL, "--json", "--out", folder)
        assert code == OK
        content = json.loads(out)
        assert content.pop("files").keys() == {"model", "loss", "attention", "embedding"}
        found.append((content, (tmp_path / folder / "model.json").read_bytes()))
    assert found[0] == found[1]
    content: dict[str, Any] = found[0][0]
    assert len(content["loss"]) == 29
    assert len(content["written"]) == 20
    assert set("".join(content["written"])) <= {"a", "b"}
    figures = content["figures"]
    assert figures["any letter"]["loss"] == log(3)
    assert figures["test"]["loss"] < figures["letters by frequency"]["loss"] < log(3)


@pytest.mark.long
def test_ctrl_c_keeps_what_is_learnt(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = optim.Adam.rates

    def interrupted(self: optim.Adam, step: int) -> tuple[float, ...]:
        if self.steps == 5:
            raise KeyboardInterrupt
        return rates(self, step)

    monkeypatch.setattr(optim.Adam, "rates", interrupted)
    code, out, _ = run("train", "abba.txt", *SMALL, "--json")
    assert code == INTERRUPTED
    assert json.loads(out)["interrupted"] is True
    assert len(json.loads(out)["loss"]) == 5
    assert load(tmp_path / "chainrule-abba" / "model.json")


@pytest.mark.long
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "none.txt"], "none.txt: No such file"),
        (["train", "empty.txt"], "empty.txt has no line of text"),
        (["train", "bytes.txt"], "bytes.txt is no text in UTF-8"),
        (["train", "abba.txt", "--heads", "3"], "heads must divide the width 16: got 3"),
        (["train", "abba.txt", "--temperature", "0"], "temperature must be finite and above 0"),
        (["train", "abba.txt", "--epochs", "0"], "epochs must be a whole number, at least 1"),
        (["train", "names", "--hidden", "4"], "--hidden is of tables, not of a text"),
        (["train", "names", "--resume"], "--resume is of tables, not of a text"),
        (["train", "moons", "--heads", "2"], "--heads is of a text: names, or a FILE with"),
        (["show", "chainrule-abba/model.json", "abc"], "'c' is none of the characters 'ab'"),
        (["show", "chainrule-abba/model.json", "ab" * 9], "goes by 7 letters at most"),
        (["show", "chainrule-abba/model.json", "--out", "x"], "drawn when it is learnt"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    run: Run, tmp_path: Path, argv: list[str], message: str
) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfd")
    if argv[0] == "show":
        run("train", "abba.txt", *SMALL)
    code, out, err = run(*argv)
    assert (code, out) == (REFUSED, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.long
def test_a_line_longer_than_the_block_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("abcabcabcabc\nab\n" * 3, encoding="utf-8")
    code, out, _ = run("train", "long.txt", *SMALL, "--test", "0")
    assert code == OK
    assert "3 are longer than 8: of these, the beginning" in out
    assert "letters by frequency" not in out


def test_the_names_are_the_default_text() -> None:
    assert characters().tokenizer.size == 27


@pytest.mark.long
def test_a_txt_with_a_table_is_one(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{i % 7} {i % 5} {i % 7 + 2 * (i % 5)}.5\n" for i in range(40))
    (tmp_path / "t.txt").write_text("x y z\n" + rows, encoding="utf-8")
    code, out, _ = run("train", "t.txt", "--dry-run")
    assert code == OK
    assert "predicted: a number" in out
    assert "read as a table; --task text learns it letter by letter" in out
    code, out, _ = run("train", "t.txt", "--task", "text", *SMALL, "--epochs", "1")
    assert code == OK
    assert "learnt as a text, a document a line; --task classification or regression" in out
    code, out, _ = run("train", "t.txt", *SMALL)  # which only a text has
    assert (code, "41 are longer than" in out) == (OK, False)
    code, _, err = run("train", "t.txt", *SMALL, "--drop", "x")
    assert (code, err) == (REFUSED, "chainrule: --drop is of tables, --embedding of texts: drop "
                           "one of them\n")  # fmt: skip
    # A text is a table where something is asked of one.
    code, _, err = run("train", "abba.txt", "--target", "y")
    assert (code, "abba.txt has no column 'y'" in err) == (REFUSED, True)
    code, _, err = run("train", "abba.txt", "--dry-run")
    assert (code, "if abba.txt holds a table, say --task classification" in err) == (REFUSED, True)
