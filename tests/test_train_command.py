"""``chainrule train``: settings, what it prints and writes, resuming, and what it refuses."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograd.command.account import introduce
from autograd.command.arrangement import NAMES, Samples, arranged, load
from autograd.command.cli import main
from autograd.command.learning import learn
from autograd.command.parser import Parser
from autograd.command.settings import DEFAULTS, MADE, RATES, Settings, settings_of
from autograd.command.subcommands import train
from autograd.command.terminal import Terminal
from autograd.command.text_settings import text_settings_of
from autograd.command.usage import DEFECT, INTERRUPTED, MISSING, OK, REFUSED
from nn import load as load_model
from nn.metrics import accuracy
from nn.plots import boundary
from nn.state import notes_of

pytest.importorskip("matplotlib")

Run = Callable[..., tuple[int, str, str]]
QUICK = ["--hidden", "4", "--epochs", "3"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that trains in a folder of its own: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(boundary, "CELLS", 12)  # the map is tested in test_plots.py
    draw = train._draw

    def run(*argv: str, pictures: bool = False) -> tuple[int, str, str]:
        monkeypatch.setattr(train, "_draw", draw if pictures else lambda *_: {})
        code = main(["train", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def train_arguments(*words: str) -> Namespace:
    """Return what the command line says."""
    parser = Parser(examples="", prog="chainrule train")
    train.add_options(parser)
    parsed = parser.parse(words)
    assert parsed
    return parsed


def table(path: Path, rows: list[list[Any]]) -> None:
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n", encoding="utf-8")


def houses(path: Path) -> None:
    """Write houses whose price is known, in numbers far from 0 and 1."""
    source = random.Random(0)
    rows = [[source.randint(1, 6), round(source.uniform(40, 200), 1)] for _ in range(80)]
    prices = [[rooms, area, 50_000.5 + 8_000 * rooms + 2_000 * area] for rooms, area in rows]
    table(path, [["rooms", "area", "price"], *prices])


@pytest.mark.long
def test_it_prints_network_course_result_and_files(run: Run) -> None:
    code, out, err = run("moons", "--n", "40", "--seed", "3", *QUICK, pictures=True)
    assert (code, err) == (OK, "")
    assert out.startswith("moons\n  32 samples of 2 numbers to learn from, 8 for the test\n")
    assert "\n  layers.0.neurons.*   4 × ReLUNeuron" in out
    assert "\n  3 epochs   batches of 16   adam   learning rate 0.02, cosine   seed 3\n" in out
    assert max(map(len, out.splitlines())) <= 80
    model = load_model("chainrule-moons/model.json")
    data = load(Settings("moons", n=40, noise=0.1, seed=3))
    assert isinstance(data, Samples)
    right = accuracy([model(x) for x in data.inputs], data.targets)
    result = out.partition("\nResult\n")[2].partition("\nConfusion")[0]
    shares = [float(row.split()[2]) / 100 for row in result.splitlines()[1:3]]
    # Each share is printed to 0.05 %.
    assert (32 * shares[0] + 8 * shares[1]) / 40 == pytest.approx(right, abs=5e-4)
    files = out.partition("\nFiles\n")[2].partition("\n\n")[0].splitlines()
    assert sorted(Path(line.split()[0]).name for line in files) == [
        "boundary.png",
        "checkpoint.json",
        "gradients.png",
        "loss.png",
        "model.json",
    ]
    for line in files:
        assert Path(line.split()[0]).stat().st_size > 500
    assert out.endswith("\nTry next\n  chainrule show chainrule-moons/model.json\n")


def test_the_result_as_json(run: Run) -> None:
    code, out, err = run("xor", "--json", "--out", "x")
    assert (code, err) == (OK, "")
    result = json.loads(out)
    assert result["figures"] == {
        "train": {"samples": 4, "accuracy": 1.0, "precision": 1.0, "recall": 1.0}
    }
    assert result["confusion_matrix"] == [[2, 0], [0, 2]]
    assert result["epochs"] == len(result["loss"]) == DEFAULTS["xor"]["epochs"]
    assert result["settings"]["hidden"] == [4]
    assert result["files"]["model"] == str(Path("x", "model.json"))
    assert notes_of("x/model.json")["classes"] == NAMES["xor"]


@pytest.mark.long
def test_the_same_settings_give_the_same_bytes(run: Run) -> None:
    for out in ("a", "b"):
        assert run("circles", "--n", "30", "--out", out, *QUICK, pictures=True)[0] == OK
    for path in Path("a").iterdir():
        assert path.read_bytes() == Path("b", path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_data_set_has_names_for_its_labels(name: str) -> None:
    if name not in MADE:
        pytest.importorskip("sklearn")
    data = load(Settings(name, **DEFAULTS[name]))
    assert isinstance(data, Samples)
    assert sorted(set(data.targets)) == list(range(len(data.classes)))
    assert len(data.columns) == len(data.inputs[0])


@pytest.mark.parametrize("name", ["iris", "breast_cancer", "digits"])
def test_names_are_scikit_learn_s(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    names = getattr(datasets, f"load_{name}")().target_names
    assert NAMES[name] == [str(each) for each in names]


@pytest.mark.long
def test_a_file_of_classes_is_standardised_and_named(run: Run) -> None:
    source = random.Random(1)
    kinds = ["apple", "pear", "plum"] * 12
    rows = [[source.gauss(1000 * kinds.index(k), 100), source.gauss(0, 1), k] for k in kinds]
    table(Path("fruit.csv"), [["weight", "size", "kind"], *rows])
    code, out, _ = run("fruit.csv", "--epochs", "30", "--lr", "0.1")
    assert code == OK
    assert "Standardize" in out
    notes = notes_of("chainrule-fruit/model.json")
    assert notes["classes"] == ["apple", "pear", "plum"]
    assert notes["columns"] == ["weight", "size"]
    model = load_model("chainrule-fruit/model.json")
    ripe = [max(range(3), key=[y.data for y in model([w, 0.0])].__getitem__) for w in (0, 1e3, 2e3)]
    assert ripe == [0, 1, 2]


@pytest.mark.long
def test_a_file_of_numbers_is_predicted_in_its_own_unit(run: Run) -> None:
    houses(Path("houses.csv"))
    words = ["--target", "price", "--epochs", "40", "--weight-decay", "0"]  # there is no noise
    code, out, _ = run("houses.csv", *words, "--json")
    assert code == OK
    figures = json.loads(out)["figures"]
    assert figures["test"]["r2"] > 0.99
    assert json.loads(out)["confusion_matrix"] == []
    model = load_model("chainrule-houses/model.json")
    assert model([3, 100.0]).data == pytest.approx(50_000.5 + 24_000 + 200_000, rel=0.05)


@pytest.mark.long
def test_the_task_can_be_said(run: Run) -> None:
    table(Path("stars.csv"), [[x / 10, round(x / 10)] for x in range(40)])
    assert '"r2"' in run("stars.csv", "--task", "regression", "--json", *QUICK)[1]
    assert '"accuracy"' in run("stars.csv", "--json", *QUICK)[1]


def penguins(path: Path, n: int = 90) -> None:
    """Write penguins of which some are of unknown sex, and one island is rare."""
    source = random.Random(2)
    rows = []
    for i in range(n):
        kind = i % 3
        island = "Biscoe" if kind == 2 else source.choice(["Dream", "Torgersen"])
        bill = f"{source.gauss(38 + 5 * kind, 1.5):.4f}" if i not in (20, 40) else "NA"
        sex = source.choice(["male", "female"]) if i % 15 else ""
        rows.append([f"N{i}", ["Adelie", "Chinstrap", "Gentoo"][kind], island, bill, sex])
    table(path, [["id", "species", "island", "bill_length_mm", "sex"], *rows])


INVENTORY = """
  column          holds    missing
  species         words             predicted: 3 classes, Adelie, Chinstrap, Gentoo
  id              words             left out: no word twice
  island          words             3 categories: Biscoe, Dream, Torgersen
  bill_length_mm  numbers        2  36.1 to 51.1; missing: 42.75
  sex             words          6  3 categories: (missing), female, male
"""


@pytest.mark.long
def test_a_table_s_columns_are_told_and_it_is_asked_by_name(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    penguins(Path("penguins.csv"))
    words = ["penguins.csv", "--target", "species"]
    code, out, err = run(*words, "--dry-run")
    assert (code, err) == (OK, "")
    kept = [line for line in INVENTORY.splitlines() if "bill" not in line]
    assert set(kept) <= set(out.splitlines())
    assert not Path("chainrule-penguins").exists()
    code, out, err = run(*words, "--epochs", "20")
    assert (code, err) == (OK, "")
    assert set(kept) <= set(out.splitlines())
    result = out.partition("\nResult\n")[2].partition("\n\n")[0]
    assert [line[2:21].strip() for line in result.splitlines()] == [
        *("", "train", "test", "linear model", "most frequent class")
    ]
    asked = shlex.split(out.splitlines()[-1])
    assert asked[3:] == ["island=Biscoe", asked[4], "sex=female"]
    assert main(asked[1:]) == OK
    by_name = capsys.readouterr().out
    gentoo = ["island=Biscoe", "sex=", "bill_length_mm=49"]
    assert main([*asked[1:3], *gentoo, "--json"]) == OK
    answer = json.loads(capsys.readouterr().out)["answer"]
    assert max(answer, key=answer.__getitem__) == "Gentoo"
    assert main([*asked[1:3], "Biscoe", asked[4].partition("=")[2], "female"]) == OK
    assert capsys.readouterr().out == by_name


@pytest.mark.long
def test_what_a_model_of_a_table_is_not_asked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    penguins(Path("penguins.csv"))
    run("penguins.csv", "--target", "species", *QUICK)
    model = "chainrule-penguins/model.json"
    for words, code, problem in [
        (["island=Biscoe"], REFUSED, "missing: bill_length_mm, sex; write bill_length_mm= for"),
        (["Biscoe", "40"], REFUSED, "takes 3 values: island, bill_length_mm, sex; got 2"),
        (["isl=Biscoe"], REFUSED, "'isl' is none of the model's columns; did you mean 'island'?"),
        (["Biscoe", "long", "male"], REFUSED, "bill_length_mm takes a number, such as 4"),
        (["Biscou", "40", "male"], OK, "island was never 'Biscou' in training; did you mean 'Bis"),
        (["island=Dream", "island=Dream"], REFUSED, "island is given twice"),
    ]:
        assert main(["show", model, *words]) == code
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert problem in err


def test_a_second_run_leaves_the_first_model_alone(run: Run) -> None:
    first = run("moons", "--n", "20", *QUICK)
    assert first[0] == OK
    kept = Path("chainrule-moons/model.json").read_bytes()
    code, out, err = run("moons", "--n", "24", *QUICK)
    assert (code, err) == (
        OK,
        "chainrule: chainrule-moons has a model already; this goes to chainrule-moons-2\n",
    )
    assert out.endswith("chainrule show chainrule-moons-2/model.json\n")
    assert Path("chainrule-moons/model.json").read_bytes() == kept
    assert "model.json is written anew" in run("moons", "--out", "chainrule-moons", *QUICK)[2]


class Wide(io.StringIO):
    """A terminal, as wide as COLUMNS says."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [60, 80, 160])
@pytest.mark.long
def test_what_is_said_of_a_table_fits_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    source = random.Random(0)
    heads = ["row", "the island it was seen on", "flipper length in millimetres", "kind"]
    kinds = ["Adelie penguin", "Chinstrap penguin", "Gentoo penguin"]
    rows = [[i, source.choice("ABC"), source.gauss(0, 1), kinds[i % 3]] for i in range(60)]
    table(tmp_path / "p.csv", [heads, *rows])
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    settings = Settings(str(tmp_path / "p.csv"), hidden=(12,))
    terminal = Terminal(stream := Wide())
    introduce(terminal, arranged(settings, load(settings)))
    lines = stream.getvalue().splitlines()[1:]  # after a path, which is as long as it is
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    assert "…" not in text
    assert text.count("layers.1.neurons.*") == 1 + (columns == 60)  # and its share below
    for row in arranged(settings, load(settings)).model.summary().splitlines():
        assert all(cell in text for cell in row.split())
    assert "left out: numbers the rows" in text
    # Columns stand below each other, whichever of two tables they are in.
    heads = [i for i, line in enumerate(lines) if line.startswith("  module ")]
    for i in heads:
        assert {len(line) for line in lines[i : i + 7]} == {len(lines[i])}


@pytest.mark.long
def test_one_is_said_as_one(run: Run) -> None:
    rows = [["USA" if i > 1 else f"other{i}", i * i, i % 2] for i in range(40)]
    table(Path("one.csv"), [["country", "x", "y"], *rows, rows[20]])
    code, out, err = run("one.csv", "--dry-run")
    assert code == OK
    assert "1 category and a rare one: USA" in out
    assert " 1 row of the 8 of the test is among those learnt from" in out + err


def test_figures_that_are_too_good_are_doubted(run: Run) -> None:
    source = random.Random(0)
    rows = [[y := source.randint(0, 1), source.gauss(y, 1), "no yes".split()[y]] for _ in range(80)]
    table(Path("ship.csv"), [["survived", "x", "alive"], *rows, *rows[:40]])
    code, _, err = run("ship.csv", "--target", "survived", *QUICK)
    assert code == OK
    assert "alive alone predicts survived, with an AUC of 1.000" in err
    assert "rows of the 24 of the test are among those learnt from" in err


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_noisy_regression_is_not_learnt_by_heart(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As few and as noisy as the weights of newborns in birthwt."""
    monkeypatch.chdir(tmp_path)
    source = random.Random(seed)
    rows = []
    for _ in range(189):
        row = [source.gauss(0, 1) for _ in range(4)] + [source.randint(0, 1) for _ in range(4)]
        rows.append([*row, 3000 + 700 * (0.4 * row[0] - 0.4 * row[5] + source.gauss(0, 1))])
    table(Path("born.csv"), [[*"abcdefgh", "weight"], *rows])
    settings = settings_of(train_arguments("born.csv", "--seed", str(seed)))
    figures = learn(arranged(settings, load(settings))).figures
    train, test = figures["train"]["r2"], figures["test"]["r2"]
    # With 38 rows for the test, R² is known to about 0.1; without weight decay, test is below 0.
    assert train - test < 0.35
    assert test > figures["linear model"]["r2"] - 0.15
    assert test > figures["mean"]["r2"]
    free = replace(settings, weight_decay=0.0)
    assert learn(arranged(free, load(free))).figures["test"]["r2"] < test - 0.1


@pytest.mark.long
def test_a_network_that_is_no_better_says_so(run: Run) -> None:
    source = random.Random(1)
    points = [[source.gauss(0, 1) for _ in range(7)] for _ in range(60)]
    rows = [[*point, point[0] + source.gauss(0, 1)] for point in points]
    table(Path("line.csv"), [[*"abcdefgy"], *rows])
    words = ["line.csv", "--weight-decay", "0", "--hidden", "40", "--epochs", "80"]
    code, out, _ = run(*words)
    assert code == OK
    assert "\n  train and test are far apart, so some of it is learnt by heart" in out
    assert "\n  the linear model" in out
    assert "better on the test: there is no reason to prefer the network\n" in out
    assert len(json.loads(run(*words, "--json")[1])["warnings"]) == 2


@pytest.mark.long
def test_tables_of_next_to_nothing(run: Run) -> None:
    table(Path("two.csv"), [["x", "y"], [1, "a"], [2, "b"]])
    code, out, err = run("two.csv", *QUICK)
    assert (code, "linear model" in out) == (OK, False)
    assert err == "chainrule: 2 rows are too few for a test: all are learnt from\n"
    wide = [[f"p{i}" for i in range(300)] + ["kind"]]
    wide += [[(i * j) % 7 for i in range(300)] + ["ab"[j % 2]] for j in range(40)]
    table(Path("wide.csv"), wide)
    out = run("wide.csv", "--dry-run")[1]
    assert len(out.splitlines()) < 20
    assert "  p0, p7, … (43)   numbers           left out: always the same\n" in out
    assert "  p1, p2, … (257)  numbers           each as it is\n" in out


@pytest.mark.parametrize("optimizer", RATES)
@pytest.mark.parametrize("schedule", ["constant", "plateau"])
@pytest.mark.long
def test_every_optimizer_and_schedule_learns(optimizer: str, schedule: str) -> None:
    settings = Settings(
        "moons",
        n=40,
        noise=0.05,
        optimizer=optimizer,
        learning_rate=RATES[optimizer],
        schedule=schedule,
        hidden=(8,),
        epochs=10,
        weight_decay=1e-4,
    )
    history = learn(arranged(settings, load(settings))).history
    assert history.loss[-1] < 0.8 * history.loss[0]


def test_patience_keeps_a_validation_part_apart_from_the_test(run: Run) -> None:
    words = ["moons", "--n", "60", "--hidden", "4", "--patience", "2", "--lr", "0.3", "--seed", "1"]
    code, out, _ = run(*words, "--json")
    assert code == OK
    result = json.loads(out)
    assert result["epochs"] == len(result["validation_loss"]) < 60
    assert [result["figures"][part]["samples"] for part in ("train", "test")] == [48, 12]
    assert "these are the best weights" in run(*words)[1]


def test_safetensors(run: Run) -> None:
    pytest.importorskip("safetensors")
    assert run("moons", "--n", "20", "--format", "safetensors", *QUICK)[0] == OK
    assert notes_of("chainrule-moons/model.safetensors")["epochs"] == 3


# Ctrl-C and resuming


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return the function that has Ctrl-C pressed at the end of the n-th epoch from now on."""
    from nn.training.epochs import Training

    evaluate = Training._evaluate
    left = [0]

    def press(training: Training) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        evaluate(training)

    monkeypatch.setattr(Training, "_evaluate", press)
    return lambda n: left.__setitem__(0, n)


def test_ctrl_c_saves_what_there_is_and_resume_gives_the_same_bits(
    run: Run, pressed: Callable[[int], None]
) -> None:
    words = ["moons", "--n", "30", "--lr", "0.05", "--hidden", "4", "--epochs", "5"]
    assert run(*words, "--out", "whole")[0] == OK
    pressed(4)
    code, out, err = run(*words, "--out", "cut")
    assert code == INTERRUPTED
    assert "stopped by Ctrl-C in epoch 4 of 5" in err
    assert out.endswith("chainrule show cut/model.json\n")
    assert notes_of("cut/model.json")["epochs"] == 3
    code, _, err = run("moons", "--out", "cut", "--resume")  # settings are the checkpoint's
    assert (code, err) == (OK, "")
    for name in ("model.json", "checkpoint.json"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes(), name


def test_ctrl_c_in_the_first_epoch_saves_nothing(run: Run, pressed: Callable[[int], None]) -> None:
    pressed(1)
    code, _, err = run("moons", "--n", "20", *QUICK)
    assert code == INTERRUPTED
    assert err.endswith("chainrule: no epoch was finished, so nothing is saved\n")
    assert not list(Path("chainrule-moons").iterdir())


def test_a_finished_training_goes_on_with_more_epochs(run: Run) -> None:
    assert run("moons", "--n", "20", *QUICK)[0] == OK
    code, out, _ = run("moons", "--resume", "--epochs", "5", "--json")
    assert (code, json.loads(out)["epochs"]) == (OK, 5)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (
            ["moons", "--resume", "--lr", "0.5"],
            "to resume has learning_rate 0.02, not 0.5",
        ),
        (["circles", "--resume", "--out", "chainrule-moons"], "has data moons, not circles"),
        (["xor", "--resume"], "nothing to resume: no chainrule-xor"),
    ],
)
def test_what_does_not_go_with_the_checkpoint(run: Run, words: list[str], problem: str) -> None:
    assert run("moons", "--n", "20", *QUICK)[0] == OK
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert problem in err


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {"callbacks": []},
        {"callbacks": [None]},
        {"callbacks": [{"data": "moons"}]},
        {"callbacks": [{"data": "moons", "hidden": 3}]},
        {"callbacks": [{"data": "moons", "hidden": [], "optimizer": "os.system"}]},
        {"callbacks": [{"data": "moons", "hidden": [], "shell": 1}]},
    ],
)
def test_a_checkpoint_from_elsewhere(run: Run, state: Any) -> None:
    content = {
        "format": "chainrule checkpoint",
        "version": 2,
        "digest": hashlib.sha256(json.dumps(state).encode()).hexdigest(),
        "state": state,
    }
    Path("chainrule-moons").mkdir()
    Path("chainrule-moons/checkpoint.json").write_text(json.dumps(content))
    code, out, err = run("moons", "--resume")
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert re.search("is no checkpoint of chainrule train|is damaged: ", err)


# What is refused, and said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "DATA"),
        (["mooons"], "there is no data set 'mooons': it is moons, circles,"),
        (["mooons"], "names, or a file.csv or .txt; did you mean moons?"),
        (["moons", "circles"], "'circles' is one too many"),
        (["missing.csv"], "missing.csv: No such file"),
        (["moons", "--noise", "-1"], "noise must be finite and at least 0: got -1.0"),
        (["moons", "--n", "1"], "n must be at least 2"),
        (["moons", "--n", "x"], "argument --n: invalid int value"),
        (["iris", "--n", "5"], "--n is of data that are made"),
        (["moons", "--target", "x"], "--target is of a file; moons has its own"),
        (["moons", "--drop", "x"], "--drop is of a file; moons has its own"),
        (["moons", "--test", "1"], "test must be at least 0 and below 1"),
        (["moons", "--test", "nan"], "test must be at least 0 and below 1"),
        (["moons", "--hidden", "4;4"], "'4;4' lists no widths: write 16,16"),
        (["moons", "--hidden", "0"], "nouts[0] must be a whole number, at least 1: got 0"),
        (["moons", "--activation", "magic"], "activation must be linear or an operation of"),
        (["moons", "--init", "magic"], "init must be a function or one of"),
        (["moons", "--epochs", "0"], "epochs must be a whole number, at least 1"),
        (["moons", "--epochs", "0", "--dry-run"], "epochs must be a whole number, at least 1"),
        (["moons", "--lr", "-1", "--dry-run"], "learning_rate must be finite and above 0"),
        (["moons", "--batch-size", "0"], "batch_size must be a whole number"),
        (["moons", "--optimizer", "magic"], "argument --optimizer: invalid choice"),
        (["moons", "--lr", "nan"], "learning_rate must be finite and above 0: got nan"),
        (["moons", "--lr", "-1"], "learning_rate must be finite and above 0: got -1.0"),
        (["moons", "--clip", "0"], "clip must be finite and above 0"),
        (["moons", "--patience", "0"], "patience must be a whole number"),
        (["moons", "--smoothing", "0.1"], "--smoothing is of three classes or more"),
        (["moons", "--weight-decay", "-1"], "weight_decay must be finite and at least 0"),
        (["moons", "--frobnicate"], "there is no option --frobnicate"),
        (["one.csv", "--target", "x2"], "all targets are equal, so there is nothing to learn"),
        (["single.csv"], "single.csv has a target, x1, but no column to predict it from"),
        (["words.csv", "--target", "z"], "words.csv has no column 'z'; it has x, y"),
        (["words.csv", "--use", "yy"], "words.csv has no column 'yy'; did you mean 'y'?"),
        (["moons", "--out", "one.csv"], "one.csv"),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, words: list[str], problem: str) -> None:
    table(Path("one.csv"), [[1, 5], [2, 5], [3, 5]])
    table(Path("words.csv"), [["x", "y"], ["a", 1], [2, 3]])
    table(Path("single.csv"), [[1], [3], [4], [4]])
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (REFUSED, "", 1), err
    assert err.startswith("chainrule: ")
    assert problem in err
    assert not list(Path.cwd().glob("chainrule-*"))


@pytest.mark.long
def test_what_goes_wrong_in_training_is_said_with_the_fix(run: Run) -> None:
    deep = ["--hidden", ",".join("4" * 12), "--activation", "sigmoid", "--epochs", "1"]
    code, _, err = run("moons", "--n", "60", *deep)
    assert code == OK
    assert err.startswith("chainrule: vanishing gradients: those of layers.0 have norm")
    assert err.count("\n") == 1


@pytest.mark.long
def test_a_loss_that_overflows_ends_it(run: Run) -> None:
    houses(Path("houses.csv"))
    code, _, err = run("houses.csv", "--lr", "1e200", "--schedule", "constant", *QUICK)
    assert code == REFUSED
    assert err.startswith("chainrule: the loss became inf: try a learning rate below 1e+200")


@pytest.mark.long
def test_single_precision_is_asked_for_and_kept_to(run: Run) -> None:
    pytest.importorskip("llvmlite")
    words = ["moons", "--n", "40", "--dtype", "float32", *QUICK, "--json"]
    code, out, _ = run(*words)
    assert (code, json.loads(out)["backend"]) == (OK, "llvm, float32")
    code, _, err = run("moons", "--resume", "--dtype", "float64")
    assert code == REFUSED
    assert "the training to resume has dtype float32, not float64" in err
    code, out, _ = run("moons", "--resume", "--epochs", "4", "--json")
    assert (code, json.loads(out)["backend"]) == (OK, "llvm, float32")
    code, _, err = run("names", "--dtype", "float32")
    assert code == REFUSED
    assert err.startswith("chainrule: --dtype is of tables, not of a text")
    with pytest.raises(ValueError, match="dtype must be one of float64, float32"):
        Settings("moons", dtype="half")


def test_without_matplotlib_nothing_is_trained(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run("moons")
    assert (code, out) == (MISSING, "")
    assert "pip install 'chainrule[plot]'" in err
    assert not Path("chainrule-moons").exists()


@pytest.mark.long
def test_the_examples_of_the_help_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    houses(Path("houses.csv"))
    parsed = []

    def learn(arrangement: Any, *_: Any) -> None:
        parsed.append(arrangement.settings)
        raise ZeroDivisionError

    def train_text(args: Any, _: Path) -> None:
        parsed.append(text_settings_of(args))
        raise ZeroDivisionError

    monkeypatch.setattr(train, "learn", learn)
    monkeypatch.setattr(train, "train_text", train_text)
    monkeypatch.setattr(train, "_recorded", lambda _: Settings("digits"))
    for line in train.EXAMPLES.splitlines()[1:]:
        words = shlex.split(line.strip().split("   ")[0])
        assert run(*words[2:])[0] == (OK if "--dry-run" in words else DEFECT)
    assert [settings.data for settings in parsed] == [
        "moons",
        "spirals",
        "digits",
        "houses.csv",
        "names",
        "iris",
    ]
    assert parsed[1].hidden == (32, 32)


def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="schedule must be one of constant, cosine, plateau"):
        Settings("moons", schedule="magic")
