"""``chainrule show``: what it says of a saved model, and of files that are damaged or hostile."""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograd.command.cli import main
from autograd.command.subcommands import show
from autograd.command.usage import MISSING, OK, REFUSED
from nn import (
    GPT,
    MLP,
    CausalSelfAttention,
    Dropout,
    Embedding,
    Layer,
    Module,
    Residual,
    Sequential,
    Standardize,
    save,
)
from nn.tables.numerals import Numerals
from nn.tables.preparation import Category, Preparation, Quantity

Run = Callable[..., tuple[int, str, str]]
NOTES: dict[str, Any] = {
    "settings": {"data": "flowers"},
    "task": "classification",
    "columns": ["length", "width"],
    "classes": ["rose", "tulip", "lily"],
    "epochs": 7,
    "figures": {"train": {"samples": 1200, "accuracy": 0.9}, "test": {"accuracy": 0.8}},
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the function that shows in a folder of its own: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["show", *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def flowers(path: str = "flowers.json", notes: Any = NOTES) -> Module:
    """Save and return a model whose logits are 0, x and 2 y, of standardised x and y."""
    layer = Layer(2, 3, nonlin=False, seed=0)
    for parameter, x in zip(layer.parameters(), (0, 0, 0, 1, 0, 0, 0, 2, 0), strict=True):
        parameter.data = float(x)
    model = Sequential(Standardize([10.0, 5.0], [2.0, 1.0]), layer)
    save(model, path, notes)
    return model


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
def test_it_says_what_the_model_is(run: Run, suffix: str) -> None:
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    model = flowers(f"flowers.{suffix}")
    code, out, err = run(f"flowers.{suffix}")
    assert (code, err) == (OK, "")
    assert out.splitlines() == [
        f"flowers.{suffix}",
        "  learnt from flowers in 7 epochs: 3 classes",
        "         samples  accuracy",
        "  train    1,200    90.0 %",
        "  test              80.0 %",
        "",
        "Network",
        *(f"  {row}" for row in model.summary().splitlines()),
        "",
        "Weights",
        "  tensor           shape  mean  deviation  least  largest      distribution",
        "  layers.1.weight  3 × 2   0.5      0.764      0        2  █       ▂      ▂",
        "  layers.1.bias        3     0          0      0        0          █",
    ]


def test_it_answers_to_raw_inputs(run: Run) -> None:
    flowers()
    code, out, _ = run("flowers.json", "12", "6.5")
    assert code == OK
    chances = [1.0, math.e, math.exp(3.0)]  # of the logits 0, 1 and 3
    expected = [
        f"  {name:<5}  {chance / sum(chances):>11.1%}".replace("%", " %")
        for name, chance in zip(("lily", "tulip", "rose"), chances[::-1], strict=True)
    ]
    rows = out.partition("\nAnswer\n")[2].splitlines()
    assert [row.split() for row in rows[1:]] == [row.split() for row in expected]
    answer = json.loads(run("flowers.json", "-3", "5", "--json")[1])["answer"]
    assert max(answer, key=answer.__getitem__) == "rose"


def test_two_classes_a_number_and_a_model_from_elsewhere(run: Run) -> None:
    model = MLP(1, [1], seed=0)
    model.layers[0].neurons[0].w[0].data, model.layers[0].neurons[0].b.data = 1.0, 0.0
    save(model, "two.json", {"classes": ["no", "yes"]})
    answer = json.loads(run("two.json", "2", "--json")[1])["answer"]
    assert answer == {"yes": 1 / (1 + math.exp(-2)), "no": pytest.approx(1 - answer["yes"])}
    save(model, "number.json", {"task": "regression"})
    assert run("number.json", "2.5")[1].endswith("  prediction    2.5\n")
    save(model, "plain.json")
    out = run("plain.json", "-2.5")[1]
    assert out.endswith("  output 1   -2.5\n")
    assert "learnt from" not in out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["1"], "the model takes 2 numbers: length, width; got 1"),
        (["1", "x"], "an input must be a finite number: got 'x'"),
        (["1", "nan"], "an input must be a finite number: got 'nan'"),
        (["--colour"], "there is no option --colour"),
    ],
)
def test_inputs_that_are_not_the_model_s(run: Run, words: list[str], problem: str) -> None:
    flowers()
    code, out, err = run("flowers.json", *words)
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert problem in err


@pytest.mark.long
@pytest.mark.parametrize("words", [[], ["1", "2"]])
def test_pictures(run: Run, words: list[str]) -> None:
    pytest.importorskip("graphviz")
    pytest.importorskip("matplotlib")
    flowers()
    code, out, err = run("flowers.json", *words, "--out", "new/pictures")
    network = Path("new", "pictures", "network.svg")
    assert (code, err) == (OK, "")
    assert out.endswith(f"\n{network}\n")
    assert "length" in network.read_text(encoding="utf-8")
    save(MLP(9, [2, 1], seed=0), "images.json")
    assert json.loads(run("images.json", "--out", "p", "--json")[1])["files"] == {
        "network": str(Path("p", "network.svg")),
        "weights": str(Path("p", "weights.png")),
    }
    save(MLP(16, [2, 1], seed=0), "wide.json")
    assert run("wide.json", "--out", "p")[0] == OK
    assert ">x1<" not in Path("p", "network.svg").read_text(encoding="utf-8")


def test_odd_models_are_shown(run: Run) -> None:
    block = Residual(Layer(1, 1, activation="tanh", seed=0), scale=0.5)
    model = Sequential(Dropout(0.5, seed=1), block)
    weights = model.parameters()
    weights[0].data, weights[1].data = math.inf, -1.7976931348623157e308
    save(model, "odd.json")
    code, out, _ = run("odd.json")
    assert code == OK
    assert "weight has 1 numbers that are not finite" in out
    content = run("odd.json", "1", "--json")[1]
    (weight, _) = json.loads(content)["tensors"]
    assert (weight["not_finite"], weight["mean"], weight["histogram"]) == (1, 0.0, [0] * 16)
    assert "NaN" not in content
    assert "Infinity" not in content


def test_a_model_of_any_width_is_drawn_with_inputs(run: Run) -> None:
    pytest.importorskip("graphviz")
    save(Sequential(Dropout(0.5, seed=1), Dropout(0.5, seed=1)), "any.json")
    code, out, err = run("any.json", "--out", "p")
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert "doesn't say how many numbers it takes" in err
    assert run("any.json", "1", "2", "--out", "p")[0] == OK


# Files that are damaged or hostile


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.json", None, "none.json: No such file or directory"),
        ("x.pkl", b"cos\nsystem\n(S'true'\ntR.", "a model is .json or .safetensors"),
        ("x.json", b"", "x.json is damaged or no JSON"),
        ("x.json", b"[" * 100_000, "is nested too deep"),
        ("x.json", b"{}", "is no model of chainrule's"),
        ("x.safetensors", b"\xff" * 64, "is damaged or no safetensors file"),
    ],
)
def test_files_that_are_no_models(run: Run, name: str, content: bytes | None, problem: str) -> None:
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    if content is not None:
        Path(name).write_bytes(content)
    code, out, err = run(name)
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert problem in err


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("model", {"class": "subprocess.Popen", "args": ["rm"]}, "can't be rebuilt: the classes"),
        ("model", {"class": "MLP", "nin": 10**9, "nouts": [10**9]}, "more parameters than the 9"),
        ("model", None, "no description of the model"),
        ("notes", [], "the notes are [], not a dict"),
        ("notes", {"classes": 3}, "the notes are damaged"),
        ("notes", {"classes": [3]}, "the notes are damaged: 3 is no text"),
        ("notes", {"epochs": "many"}, "the notes are damaged"),
        ("notes", {"epochs": 1e999}, "the notes are damaged"),
        ("notes", {"settings": 5}, "the notes are damaged"),
        ("notes", {"figures": {"test": 5}}, "the notes are damaged"),
        ("notes", {"figures": {"test": {"r2": "good"}}}, "the notes are damaged"),
        ("tensors", {}, "more parameters than the 0 in the file"),
    ],
)
def test_what_is_wrong_in_a_model_is_named(run: Run, key: str, value: Any, problem: str) -> None:
    flowers()
    content = json.loads(Path("flowers.json").read_text())
    text = json.dumps(content | {key: value}).replace("Infinity", "1e999")
    Path("flowers.json").write_text(text)
    code, out, err = run("flowers.json")
    assert (code, out, err.count("\n")) == (REFUSED, "", 1)
    assert problem in err


def test_a_file_can_not_steer_the_terminal(run: Run) -> None:
    evil = "\x1b]0;owned\x07"
    flowers(notes=NOTES | {"classes": [evil, "b", "c"], "settings": {"data": evil}})
    code, out, _ = run("flowers.json", "1", "2")
    assert code == OK
    assert "?]0;owned?" in out
    content = json.loads(Path("flowers.json").read_text())
    content["tensors"][evil] = {"shape": [], "data": [0.0]}
    Path("flowers.json").write_text(json.dumps(content))
    code, _, err = run("flowers.json")
    assert code == REFUSED
    assert "\x1b" not in err
    assert "?]0;owned? of shape [] is unknown to the model" in err


@pytest.mark.parametrize(
    ("model", "words", "said"),
    [
        (Sequential(Embedding(5, 3, seed=0), Layer(3, 1, seed=0)), ["2"], "output 1"),
        (Embedding(5, 3, seed=0), ["9"], "there is no row 9.0"),
        (Embedding(5, 3, seed=0), ["1", "2"], "the model takes 1 number; got 2"),
        (CausalSelfAttention(4, 2, seed=0), ["1"], "takes a sequence of vectors"),
        (GPT(5, 4, 4, 2, 1, seed=0), ["1"], "takes tokens, and its file doesn't say which"),
    ],
)
def test_models_that_take_something_else_than_numbers(
    model: Module, words: list[str], said: str, run: Run, tmp_path: Path
) -> None:
    save(model, tmp_path / "m.json")
    code, out, err = run("m.json", *words)
    assert (code == OK) == (said == "output 1")
    assert said in out + err
    assert err.count("\n") == (code != OK)


def test_without_graphviz_the_error_names_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("autograd.drawing")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    flowers()
    code, _, err = run("flowers.json", "--out", "p")
    assert code == MISSING
    assert "pip install 'chainrule[draw]'" in err


@pytest.mark.long
def test_the_examples_of_the_help_work(run: Run) -> None:
    pytest.importorskip("graphviz")
    Path("chainrule-iris").mkdir()
    save(MLP(4, [8, 3], seed=0), "chainrule-iris/model.json")
    Path("chainrule-cars").mkdir()
    cars = Preparation((Quantity("hp", Numerals(), 95.0), Category("make", ("Fiat", "Mazda"))))
    save(MLP(3, [1], seed=0), "chainrule-cars/model.json", {"preparation": cars.to_json()})
    for line in show.EXAMPLES.splitlines()[1:]:
        assert run(*shlex.split(line.strip().split("   ")[0])[2:])[0] == OK
