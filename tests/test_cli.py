"""The command: what it prints where, its exit codes, and what it says to bad input."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import types
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path

import pytest

import autograd
from autograd import TABLE, Op, Stepper, command, ops
from autograd.command import cli
from autograd.command.cli import SUBCOMMANDS, main
from autograd.command.expression import FUNCTIONS
from autograd.command.subcommands import check, step
from autograd.command.usage import DEFECT, INTERRUPTED, MISSING, OK, REFUSED, WRONG

Run = Callable[..., tuple[int, str, str]]

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parent.parent)}

TRAIN = """\
import sys
from autograd import Value
w = Value(2.0)
losses = []
for epoch in range(int(sys.argv[2]) if sys.argv[1:] else 4):
    loss = (w * 3 - 1) ** 2
    losses.append(loss)
    print("epoch", epoch)
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return the function that runs the command here: exit code, output, messages."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def process(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograd", *argv],
        capture_output=True,
        check=False,
        env={**ENVIRONMENT, **variables},
        encoding="utf-8",
    )


def test_step_prints_both_passes_and_the_gradients(run: Run) -> None:
    code, out, err = run("step", "x * y", "x=2", "y=-3")
    assert (code, err) == (OK, "")
    assert out.splitlines() == [
        "out = x * y",
        "",
        "Forward",
        "  x = 2.0",
        "  y = -3.0",
        "  out = x * y = 2.0 * -3.0 = -6.0",
        "",
        "Backward",
        "  d out/d out = 1.0   complete",
        "  d out/d x += upstream * local = 1.0 * -3.0 = -3.0   (total -3.0)"
        "   out = x * y, d out/d x = y",
        "  d out/d y += upstream * local = 1.0 * 2.0 = 2.0   (total 2.0)"
        "   out = x * y, d out/d y = x",
        "  d out/d y = 2.0   complete",
        "  d out/d x = -3.0   complete",
        "",
        "Gradients",
        "  d out/d x = -3.0",
        "  d out/d y = 2.0",
    ]


def test_step_as_json(run: Run) -> None:
    code, out, _ = run("step", "exp(x) * 1e300", "x=100", "--json")
    data = json.loads(out)
    assert code == OK
    assert data["schema"] == 1
    assert data["nodes"][0]["label"] == "x"
    assert data["nodes"][-1]["data"] == "inf"
    assert {event["kind"] for event in data["events"]} == {"forward", "edge", "done"}


def test_a_variable_called_out_keeps_its_name(run: Run) -> None:
    assert "d n1/d out = -1.0" in run("step", "-out", "out=2")[1]
    assert "d out/d out = 1.0" in run("step", "out", "out=2")[1]
    assert "d x/d x = 1.0" in run("step", "+x", "x=2")[1]


def test_step_through_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(TRAIN, encoding="utf-8")
    code, out, err = run("step", "train.py")
    assert (code, err) == (OK, "epoch 0\nepoch 1\nepoch 2\nepoch 3\n")
    assert out.startswith("train.py: loss   the only result that nothing else is computed from\n")
    assert out.endswith("Gradients\n  d loss/d w = 30.0\n")
    code, out, err = run("step", "--json", "train.py:losses[1]", "--", "--epochs", "2")
    assert (code, err) == (OK, "epoch 0\nepoch 1\n")
    nodes = json.loads(out)["nodes"]
    assert (nodes[0]["name"], nodes[0]["file"], nodes[0]["line"]) == ("w", "train.py", 3)
    assert run("step", "train.py:losses[1]", "--json", "--", "--epochs", "2")[1] == out


@pytest.mark.parametrize(
    ("source", "words", "problem"),
    [
        ("loss = 3", ["net.py"], "chainrule: net.py holds no Value"),
        ("loss = 3", ["net.py:loss"], "chainrule: loss is a int, not a Value"),
        ("loss = Value(1) * 2", ["net.py:los"], "did you mean loss?"),
        ("loss = Value(1) * 2", ["net.py", "x=2"], "a file has its own values"),
        ("loss = Value(1) * 2", ["missing.py"], "chainrule: missing.py can't be read"),
        ("loss = Value(0) ** 0.5", ["net.py"], "derivative of"),
        ("loss = 1 / 0", ["net.py"], "chainrule: net.py failed at line 2 (ZeroDivisionError"),
        ("loss = log(Value(0))", ["net.py"], "chainrule: net.py failed at line 2 (DomainError"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_file_that_cannot_be_stepped_through(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: list[str],
    source: str,
    words: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(f"from autograd import Value, log\n{source}\n", encoding="utf-8")
    code, out, err = run("step", *words, *form)
    assert (code, out) == (REFUSED, "")
    traceback, _, message = err.rpartition("chainrule: ")
    assert problem in f"chainrule: {message}"
    assert message.count("\n") == 1
    assert ("Traceback" in traceback) == ("failed" in problem)


def test_a_run_that_is_too_long_needs_a_smaller_part(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stepper.__init__, "__defaults__", (1.0, 5))
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(TRAIN, encoding="utf-8")
    code, out, err = run("step", "train.py:losses[3]")
    assert (code, out) == (REFUSED, "")
    last = err.splitlines()[-1]
    assert "events" in last
    assert last.endswith("name a smaller part of it, such as the loss of one sample: train.py:NAME")


def test_stale_numbers_are_said_to_be_computed_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(f"{TRAIN}w.data = 1.0\n", encoding="utf-8")
    code, out, err = run("step", "train.py")
    assert code == OK
    assert "chainrule: leaves had changed since loss was computed" in err
    assert out.endswith("d loss/d w = 12.0\n")


def test_a_function_that_fails_is_no_wrong_gradient(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("def f(x):\n    return {}['a'] * x\n", encoding="utf-8")
    code, out, err = run("check", f"{file}:f", "x=2")
    assert (code, out) == (REFUSED, "")
    assert err.startswith("Traceback")
    assert "autograd/checking/check.py" not in err
    assert err.endswith(
        f"chainrule: {file} failed at line 2 (KeyError, above): mend it and try again\n"
    )


def test_check_takes_a_function_or_a_value_of_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "formulas.py"
    file.write_text(
        "from autograd import Op, Value, tanh\n"
        "def f(x, y):\n"
        "    return tanh(x) * y\n"
        "point = (0.5, 2.0)\n"
        "bad = Op('bad_square', lambda x: x * x, (lambda y, x: 2.1 * x,))\n"
        "def g(x):\n"
        "    return bad(x)\n"
        "w = Value(3.0, 'w')\n"
        "loss = (w - 1) ** 2\n",
        encoding="utf-8",
    )
    try:
        code, out, err = run("check", str(file))
        assert (code, err) == (OK, "")
        assert [line.split()[0] for line in out.splitlines()[1:3]] == ["x", "y"]
        assert run("check", f"{file}:f", "y=3", "x=1") == run("check", f"{file}:f", "x=1", "y=3")
        assert run("check", f"{file}:f", "x=1", "y=3")[0] == OK
        code, out, _ = run("check", f"{file}:g", "x=3")
        assert code == WRONG
        assert "bad_square" in out
        code, out, err = run("check", f"{file}:loss")
        assert (code, err) == (OK, "")
        assert out.splitlines()[1].split()[0] == "w"
        code, _, err = run("check", f"{file}:f", "x=1")
        assert (code, err.count("\n")) == (REFUSED, 1)
        assert ":f x=1 y=1, or by a tuple called point" in err
        code, _, err = run("check", f"{file}:loss", "x=1")
        assert code == REFUSED
        assert "no function loss" in err
        file.write_text("point = 3\ndef f(x):\n    return x * x\n")
        code, _, err = run("check", str(file))
        assert (code, err) == (
            REFUSED,
            f"chainrule: {file}: point must be a tuple of numbers, got 3\n",
        )
    finally:
        TABLE.pop("bad_square", None)


def test_draw_takes_a_file_and_shows_modules(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(
        "from nn import MLP\n"
        "model = MLP(2, [4, 1], seed=0)\n"
        "loss = (model([1.0, 2.0]) - 1) ** 2\n"
        "loss.backward()\n",
        encoding="utf-8",
    )
    code, out, err = run("draw", f"{file}:loss", "--level", "layer", "--format", "text")
    assert (code, err) == (OK, "")
    assert "layers.0" in out
    assert "neurons" not in out
    code, again, _ = run("draw", f"{file}:loss", "--level", "op", "--format", "mermaid")
    assert again.startswith("flowchart LR")
    code, out, err = run("draw", str(file), "--budget", "-3")
    assert (code, out) == (REFUSED, "")
    assert "neither a number above 0 nor none" in err


def test_draw_prints_dot_or_writes_a_picture(run: Run, tmp_path: Path) -> None:
    code, out, err = run("draw", "sin(x)", "x=2")
    assert (code, err) == (OK, "")
    assert out.startswith("digraph")
    path = tmp_path / "sine.dot"
    assert run("draw", "sin(x)", "-o", str(path), "x=2") == (OK, f"{path}\n", "")
    assert path.read_text(encoding="utf-8") == out


def test_draw_as_json_has_the_gradients(run: Run) -> None:
    code, out, _ = run("draw", "x * 1e308", "x=2", "--json")
    x, product = json.loads(out)["nodes"]
    assert code == OK
    assert (x["label"], x["grad"]) == ("x", 1e308)
    assert (product["data"], product["grad"]) == ("inf", 1.0)


@pytest.mark.parametrize(
    ("name", "problem"),
    [("missing/graph.svg", "missing"), ("graph.xyz", "extension"), ("graph", "extension")],
)
def test_a_picture_that_cannot_be_written(
    run: Run, tmp_path: Path, name: str, problem: str
) -> None:
    code, out, err = run("draw", "sin(x)", "x=2", "-o", str(tmp_path / name))
    assert (code, out) == (REFUSED, "")
    assert problem in err
    assert str(tmp_path / name) in err
    assert err.count("\n") == 1


def test_check_leaves_what_has_a_default_as_it_is(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "def f(x, scale=2.0, how='cube'):\n    return x ** 3 * scale if how == 'cube' else x\n"
    )
    code, out, _ = run("check", str(file), "x=2")
    assert (code, out.count("ok"), "scale" in out) == (0, 1, False)
    code, out, _ = run("check", str(file), "x=2", "scale=3")
    assert (code, out.count("ok"), "36" in out) == (0, 2, True)
    code, _, err = run("check", str(file), "scale=3")
    assert (code, "f takes x, scale, how: say where to check it" in err) == (REFUSED, True)
    code, _, err = run("check", str(file), "x=[1, 2]")
    assert (code, "lists are given in the file, as in point = ([1, 2],)" in err) == (REFUSED, True)


def test_check(run: Run) -> None:
    code, out, err = run("check", "x ** y", "x=2", "y=1/3")
    assert (code, err) == (OK, "")
    assert out.count("ok") == 2
    report = json.loads(run("check", "x ** y", "x=2", "y=3", "--json")[1])
    assert report["ok"] is True
    assert [entry["label"] for entry in report["inputs"]] == ["x", "y"]


def test_a_wrong_gradient_ends_with_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # A row of its own: what is compiled from a wrong rule must not stay behind in a right one.
    wrong = Op("wrong_cosh", ops.cosh.forward, (lambda y, x: 1.001 * ops.sinh(x),))
    TABLE.pop("wrong_cosh")
    monkeypatch.setitem(FUNCTIONS, "cosh", FUNCTIONS["cosh"]._replace(apply=wrong))
    code, out, err = run("check", "cosh(x)", "x=2")
    assert code == WRONG
    assert "wrong" in out
    assert err == "chainrule: not confirmed: x (wrong)\n"


def test_what_is_not_confirmed(run: Run) -> None:
    assert run("check", "relu(x)", "x=0")[::2] == (OK, "")  # between the slopes of the kink
    doubtful = "chainrule: not confirmed: x (noise)\n"
    assert run("check", "sin(x)", "x=1e20")[::2] == (WRONG, doubtful)  # nothing was confirmed
    assert run("check", "sin(x) + y", "x=1e20", "y=1")[::2] == (OK, doubtful)
    assert run("check", "sin(x) + y", "x=1e20", "y=1", "--strict")[::2] == (WRONG, doubtful)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["x * y", "x=1"], "no value for y; add, say, y=1"),
        (["x"], "no value for x"),
        (["x", "x=1", "z=2"], "z is not in the expression; it has x"),
        (["weight", "wieght=1"], "wieght is not in the expression; did you mean weight"),
        (["2 + 3"], "no variables"),
        (["2 + 3", "x=1"], "the expression has no variables"),
        (["x", "x=1", "x=2"], "x is given twice: 1.0 and 2"),
        (["x", "x"], "'x' is not name=value"),
        (["x", "x", "=", "1"], "'x' is not name=value"),
        (["x", "2x=1"], "'2x=1' is not name=value"),
        (["x", "x="], "the value of 'x=' can't be read"),
        (["x", "x=1,5"], "the value of 'x=1,5' can't be read"),
        (["x", "x=y"], "the value of 'x=y' can't be read: this needs a number, but y is a name"),
        (["x", "x=1/0"], "1.0 / 0.0 is undefined"),
        (["x * e", "x=1", "e=2"], "e is the constant 2.71828; rename the variable"),
        (["log(x)", "x=-1"], "log(-1.0) is undefined"),
        (["x ^ 2", "x=1"], "'^' is not allowed"),
        (["--sideways", "x"], "there is no option --sideways"),
        (["x", "-v", "x=1"], "'-v' is not name=value"),
        ([], "EXPR"),
    ],
)
@pytest.mark.parametrize("command", ["step", "draw", "check"])
def test_bad_input_is_one_clear_line(
    run: Run, command: str, words: list[str], problem: str
) -> None:
    code, out, err = run(command, *words)
    assert (code, out) == (REFUSED, "")
    first, *pointer = err.splitlines()
    assert first.startswith("chainrule: ")
    assert problem in first
    assert len(pointer) in (0, 2)


@pytest.mark.parametrize("command", ["step", "draw"])
def test_an_infinite_derivative_is_one_clear_line(run: Run, command: str) -> None:
    code, out, err = run(command, "sqrt(x)", "x=0")
    assert (code, out) == (REFUSED, "")
    assert "sqrt" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "gradient"),
    [
        (["-x ** 2", "x=3"], "d out/d x = -6.0"),
        (["-x", "x=-3"], "d out/d x = -1.0"),
        (["-o * 2", "o=-3"], "d out/d o = -2.0"),
        (["-h", "h=1"], ""),
        (["--", "--x", "x=2"], "d out/d x = 1.0"),
        (["x * x", "x=-pi/4"], f"d out/d x = {-3.141592653589793 / 2}"),
        (["x * 1", "x=inf"], "d out/d x = 1.0"),
        (["µ * 2", "µ=1"], "d out/d μ = 2.0"),  # micro sign; the parser makes it a Greek mu
        (["x * y", "--json", "x=2", "y=1"], '"kind": "edge"'),
    ],
)
def test_unusual_words(run: Run, words: list[str], gradient: str) -> None:
    code, out, err = run("step", *words)
    assert (code, err) == (OK, "")
    assert gradient in out


@pytest.mark.parametrize("command", [[], *([name] for name in SUBCOMMANDS)])
def test_help_begins_with_examples(run: Run, command: list[str]) -> None:
    code, out, err = run(*command, "--help")
    assert (code, err) == (OK, "")
    assert out.startswith("examples:\n  chainrule ")
    assert "exit codes:" in out
    assert max(map(len, out.splitlines())) <= 80
    assert run(*command, "-h")[1] == out


def test_a_subcommand_is_a_module() -> None:
    """The folder listing is the list of subcommands, and their order is that of the help."""
    folder = Path(cli.__file__).parent / "subcommands"
    assert {path.stem for path in folder.glob("*.py")} == {*SUBCOMMANDS, "__init__"}


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["--help"], []),
        (["--version"], []),
        (["check", "x", "x=1"], ["check"]),
        (["frobnicate"], []),
    ],
)
@pytest.mark.long
def test_a_subcommand_is_loaded_when_it_is_called(words: list[str], loaded: list[str]) -> None:
    code = (
        f"import sys; from autograd.command.cli import main; main({words}); "
        "names = [n.rpartition('.')[2] for n in sys.modules if '.subcommands.' in n]; "
        "heavy = {'argparse', 'importlib.metadata', 'autograd.stepper', 'nn'} & {*sys.modules}; "
        "print(names, sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=ENVIRONMENT, text=True
    )
    heavy = ["argparse"] if loaded else []
    assert done.stderr.splitlines()[-1] == f"{loaded} {heavy}"


def test_no_command_prints_the_help(run: Run) -> None:
    assert run() == run("--help")


@pytest.mark.long
def test_the_examples_of_the_help_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(TRAIN, encoding="utf-8")
    Path("student.py").write_text('rules = {"tanh": lambda y, x: 1 - y * y}', encoding="utf-8")
    Path("table.py").write_text("from autograd import tanh\npoints = {'tanh': [1]}", "utf-8")
    modules = [import_module(f"{command.__name__}.subcommands.{name}") for name in SUBCOMMANDS]
    texts = [module.EXAMPLES for module in (cli, *modules)]
    lines = [line for text in texts for line in text.splitlines()[1:]]
    examples = [line.strip().split("  ")[0].partition(" | ")[0] for line in lines]
    for example in examples:
        words = shlex.split(example)[1:]
        if words[0] in ("demo", "train", "show", "export"):
            continue  # they have files of tests of their own
        assert run(*words)[0] == (WRONG if "strict" in example else OK), example
        if words[-1].endswith(".svg"):
            assert Path(words[-1]).exists()


@pytest.mark.parametrize("words", [["frobnicate"], ["demo", "x=1"], ["step", "x", "--jsn", "x=1"]])
def test_bad_commands(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (REFUSED, "")
    assert err.count("\n") == 1


def test_what_is_meant_is_suggested(run: Run) -> None:
    assert "did you mean train?" in run("trian")[2]
    assert "did you mean --json?" in run("step", "x", "--jsn", "x=1")[2]
    assert "they are demo, step, draw, check, grade, train, show" in run("x*y")[2]
    assert run("-x")[2] == "chainrule: there is no option -x; see chainrule --help\n"
    for asked, word in (("show", "MODEL"), ("check", "EXPR | FILE.py[:NAME]")):
        lacking = f"chainrule: what is missing is {word}; see chainrule {asked} --help\n"
        assert run(asked)[2] == lacking


@pytest.mark.parametrize(
    "words",
    [
        ["y" * 5000],
        ["step", "x", "y" * 5000 + "=1"],
        ["step", "x", "x=1", "x=" + "1" * 5000],
        ["step", "x", "x=1", "--" + "y" * 5000],
        ["draw", "x", "x=1", "--level", "y" * 5000],
        ["draw", "x*x", "x=1", "-o", "y" * 5000],
        ["draw", "x", "x=1", "--budget", "9" * 5000],
        ["step", "y" * 5000 + ".py"],
        ["train", "y" * 5000],
        ["train", "moons", "--n", "9" * 5000],
        ["show", "y" * 5000],
        ["demo", "y" * 5000],
    ],
)
def test_a_message_cuts_what_it_quotes(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (REFUSED, "")
    assert err.count("\n") == 1
    assert len(err) < 600


NOT_WHAT_IT_SHOULD_BE = [
    ("def f(x):\n    pass", "x=1", "f can't be used"),
    ("f = max", "x=1", "f doesn't say what it takes"),
    ("f = len", "obj=1", "f can't be used"),
    ("f = len\npoint = (1.0,)", "", "f can't be used"),
    ("f = print\npoint = (1.0,)", "", "f can't be used"),
    ("f = int\npoint = (1.0,)", "", "f can't be used"),
    ("def f(x): return 'text'", "x=1", "f can't be used"),
    ("def f(x): return x\npoint = ('a',)", "", "f can't be used"),
    ("def f(x): return x\npoint = (1.0, 2.0)", "", "f can't be used"),
    ("def f(x, y): return x\npoint = (None, 2.0)", "", "f can't be used"),
    ("def f(x): return x\npoint = 'a'", "", "point must be a tuple of numbers"),
    ("def f(x): return x\npoint = []", "", "f can't be used"),
    ("def f(*, x): return x", "x=1", "f can't be used"),
    ("def f(x):\n    import sys; sys.exit(0)", "x=1", "f ended the program"),
    ("def f(x): return f(x)", "x=1", "failed at line 1 (RecursionError"),
    ("def f(x): raise OSError('disk')", "x=1", "failed at line 1 (OSError"),
    ("f = 3", "", "holds no Value that was computed"),
    ("import sys; sys.exit('y' * 5000)", "", "ended with exit code"),
    ("class A:\n    @property\n    def loss(self): return 1 / 0\na = A()", ":a.loss", "ZeroDiv"),
    ("a = {'x': 1}", ':a["y"]', "has no"),
    ("a = {'x': 1}", ":a[0]", "has no"),
    ("from autograd import Value\na = Value(1)", ":a", "is a leaf"),
    ("\0", "", "failed"),
    ("(" * 500, "", "failed"),
]


@pytest.mark.parametrize(("source", "word", "problem"), NOT_WHAT_IT_SHOULD_BE)
def test_a_program_that_is_not_what_it_should_be_is_unusable_input(
    run: Run, tmp_path: Path, source: str, word: str, problem: str
) -> None:
    """Exit code 1 says that a gradient is wrong: nothing else may end so."""
    file = tmp_path / "f.py"
    file.write_text(source + "\n", encoding="utf-8")
    named = [f"{file}{word}"] if word.startswith(":") else [str(file), *filter(None, [word])]
    code, out, err = run("check", *named)
    assert (code, out) == (REFUSED, "")
    traceback, _, message = err.rpartition("chainrule: ")
    assert problem in message
    assert message.count("\n") == 1
    assert len(message) < 600
    assert ("Traceback" in traceback) <= ("failed" in message)


def test_a_defect_is_no_wrong_gradient(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "gradcheck", lambda f, *args: 1 / 0)
    code, out, err = run("check", "x", "x=1")
    assert (code, out) == (DEFECT, "")
    assert "ZeroDivisionError" in err
    assert err.endswith("chainrule: this is a defect of chainrule: please report it\n")


@pytest.mark.parametrize(
    ("recorded", "advice"),
    [
        (None, "pip install --force-reinstall --no-deps chainrule"),
        (
            {"url": "file:///a%20b/main", "dir_info": {"editable": True}},
            "pip install --force-reinstall --no-deps -e file:///a%20b/main",
        ),
        (
            {"url": "file:///chainrule.whl", "archive_info": {}},
            "pip install --force-reinstall --no-deps file:///chainrule.whl",
        ),
        (
            {
                "url": "https://host/chainrule",
                "vcs_info": {"vcs": "git", "commit_id": "0a1b"},
                "subdirectory": "python",
            },
            "pip install --force-reinstall --no-deps "
            "'git+https://host/chainrule@0a1b#subdirectory=python'",
        ),
        ("not installed", "pip uninstall autograd"),
    ],
)
def test_another_projects_package_is_recognised(
    run: Run, monkeypatch: pytest.MonkeyPatch, recorded: object, advice: str
) -> None:
    """What is advised works from where it was installed: no index need have this project."""

    def distribution(name: str) -> types.SimpleNamespace:
        if recorded == "not installed" or name == "autograd":
            raise metadata.PackageNotFoundError(name)
        text = None if recorded is None else json.dumps(recorded)
        return types.SimpleNamespace(read_text={"direct_url.json": text}.get)

    # HIPS autograd replaces __init__.py; the rest of the folder stays ours.
    monkeypatch.setitem(sys.modules, "autograd", types.ModuleType("autograd"))
    monkeypatch.setattr(metadata, "distribution", distribution)
    code, out, err = run("step", "x", "x=1")
    assert (code, out) == (REFUSED, "")
    assert "HIPS autograd" in err
    assert err.endswith(f"{advice}\n")


def test_a_missing_library_is_named_with_its_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("autograd.drawing")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    code, out, err = run("draw", "sin(x)", "x=1", "-o", "sine.svg")
    assert (code, out) == (MISSING, "")
    assert "pip install 'chainrule[draw]'" in err


def test_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(step, "run", interrupt)
    assert run("step", "x", "x=1") == (INTERRUPTED, "", "chainrule: interrupted\n")


@pytest.mark.long
def test_as_a_process_streams_are_apart_and_plain() -> None:
    good = process("step", "-x * 2", "x=1")
    assert (good.returncode, good.stderr) == (OK, "")
    assert "\x1b" not in good.stdout
    bad = process("step", "x ^ 2", "x=1")
    assert (bad.returncode, bad.stdout) == (REFUSED, "")
    assert bad.stderr.endswith("\n  x ^ 2\n    ^\n")


def test_an_ascii_stream_is_no_reason_to_fail() -> None:
    done = process("step", "α * 2", "α=1", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (OK, "")
    assert "? = 1.0" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently")
@pytest.mark.parametrize("terms", [1, 600])  # fails when flushed at the end, or half-way
@pytest.mark.long
def test_a_reader_that_stops_is_no_traceback(terms: int) -> None:
    expression = f"sum({', '.join(f'sin({i}*x)' for i in range(terms))})"
    writer = subprocess.Popen(
        [sys.executable, "-m", "autograd", "step", expression, "x=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    with writer.stdout, writer.stderr:
        writer.stdout.close()
        message = writer.stderr.read()
    assert (writer.wait(), message) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("no_color", ["", "1"])
@pytest.mark.long
def test_on_a_terminal_lines_fit_and_colour_can_be_refused(no_color: str) -> None:
    pty = pytest.importorskip("pty")
    main_end, terminal = pty.openpty()
    settings = {"COLUMNS": "80", "TERM": "xterm-256color", "NO_COLOR": no_color}
    words = ["step", "tanh(w1*x1 + w2*x2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.88"]
    process = subprocess.Popen(
        [sys.executable, "-m", "autograd", *words],
        stdin=subprocess.DEVNULL,  # a debugger otherwise: tests/test_debugger.py
        stdout=terminal,
        stderr=subprocess.STDOUT,
        env={**ENVIRONMENT, **settings},
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(main_end, 65536):
            shown += chunk
    except OSError:
        pass  # Linux reports the closed end of a terminal as an error
    finally:
        os.close(main_end)
    assert process.wait() == OK
    text = shown.decode()
    assert ("\x1b[" in text) == (not no_color)
    if no_color:
        assert max(map(len, text.splitlines())) <= 80
