"""A file is run as Python would run it; what to step through is chosen in the open."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

import pytest

from autograd import Value
from autograd.command.script import Script
from autograd.errors import ScriptError
from autograd.graph import topological_order


class Write(Protocol):
    def __call__(self, source: str) -> str: ...


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return the function that writes ``net.py`` into an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write(source: str) -> str:
        Path("net.py").write_text("from autograd import *\n" + source, encoding="utf-8")
        return "net.py"

    return write


def test_it_runs_as_python_would(
    write: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("beside.py").write_text("factor = 3.0\n", encoding="utf-8")
    before = list(sys.argv), list(sys.path), sys.modules["__main__"]
    path = write(
        "import sys, pickle\n"
        "from beside import factor\n"
        "class Thing: pass\n"
        "if __name__ == '__main__':\n"
        "    out = Value(2.0) * factor\n"
        "    copy = pickle.loads(pickle.dumps(Thing()))\n"
        "    seen = sys.argv, sys.path[0], __file__\n"
        "    def typed(x: Value): pass\n"
        "    print('hello')\n"
        "    sys.exit(0)\n"
    )
    script = Script(path, ["--epochs", "3"])
    del sys.modules["beside"]
    assert script.names["seen"] == (["net.py", "--epochs", "3"], str(tmp_path), "net.py")
    assert script.names["typed"].__annotations__ == {"x": Value}
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before
    assert script.root().value.data == 6.0
    assert capfd.readouterr() == ("", "hello\n")  # standard output stays for the run


def test_every_node_knows_its_line_and_its_variable(write: Write) -> None:
    script = Script(write("x = Value(2.0)\nws = [Value(3.0), Value(4.0, 'named')]\n"
                          "loss = x * ws[0] + ws[1]\n"))  # fmt: skip
    loss = script.root().value
    assert loss.origin == ("", "net.py", 4)
    product, named = loss._prev
    assert [node.label for node in product._prev] == ["x", "ws[0]"]
    assert (loss.label, product.label, named.label) == ("loss", "", "named")


def test_a_node_in_nested_containers_has_the_name_of_fewest_brackets(write: Write) -> None:
    script = Script(
        write(
            "W = [[Value(2.0), Value(3.0)], [Value(4.0), 0.0]]\n"
            "state = {'w q': W, 3: (W[1][0],), None: [W[0][0]]}\n"
            "first = [W[0][1]]\n"
            "own = {'deep': [[[Value(5.0)]], [[[Value(6.0)]]]]}\n"
            "loss = Value.__mul__(W[0][0] * W[0][1], W[1][0])\n"
            "loss = loss * own['deep'][0][0][0] * own['deep'][1][0][0][0]\n"
        )
    )
    leaves = [node for node in topological_order(script.root("loss").value) if node.op is None]
    labels = {node.data: node.label for node in leaves}
    path = "own['deep'][0][0][0]"
    assert labels == {2.0: "W[0][0]", 3.0: "first[0]", 4.0: "W[1][0]", 5.0: path, 6.0: ""}
    assert script.find(path).data == 5.0
    assert script.find("state['w q'][0][0]").data == 2.0


def test_a_variable_does_not_take_the_label_of_another_node(write: Write) -> None:
    result = Script(write("b = Value(2.0)\na = Value(3.0, 'b')\nloss = a * b\n")).root()
    assert [node.label for node in result.value._prev] == ["b", ""]


@pytest.mark.parametrize(
    ("source", "name", "choice"),
    [
        ("x = Value(1.0); a = x * 2; b = a + 1", "b", "the only result"),
        ("x = Value(1.0); y = x * 2; loss = y", "loss", "the only result"),
        ("x = Value(1.0); spare = Value(3.0); b = x * 2", "b", "the only result"),
        ("x = Value(1.0); _b = x * 3; c = x * 2", "c", "the only result"),
        ("x = Value(1.0); a = x * 2; out = x * 3; loss = x * 4", "loss", "also there: a, out"),
        ("x = Value(1.0); loss = x * 2; total = loss + 1", "total", "the only result"),
    ],
)
def test_the_result_is_chosen(write: Write, source: str, name: str, choice: str) -> None:
    result = Script(write(source)).root()
    assert result.name == name
    assert choice in result.choice


@pytest.mark.parametrize(
    ("source", "name", "problem"),
    [
        ("a = Value(1.0) * 2; b = Value(1.0) * 3", "", "several results, a, b: say which, as in"),
        ("x = 3", "", "holds no Value that was computed from others: keep the result in a global"),
        ("x = Value(1.0)", "", "holds no Value that was computed"),
        ("x = Value(1.0)", "x", "x is a leaf"),
        ("loss = Value(1.0) * 2", "los", "net.py has no los; did you mean loss?"),
        ("loss = Value(1.0) * 2", "zzz", "net.py has no zzz; it holds loss"),
        ("", "zzz", "net.py has no zzz; it holds no Value"),
        ("x = 3", "x", "x is a int, not a Value"),
        ("xs = [Value(1.0) * 2]", "xs", "xs is a list, not a Value; name a Value, as in xs[0]"),
        ("xs = [Value(1.0) * 2]", "xs[1]", "xs has no [1]: list index out of range"),
        ("x = Value(1.0) * 2", "x.weight", "x has no .weight"),
        ("x = Value(1.0) * 2", "x[0]", "x has no [0]"),
        ("x = Value(1.0) * 2", "x + 1", "'x + 1' is not the name of a Value"),
        ("x = Value(1.0) * 2", "x.__class__()", "is not the name of a Value"),
    ],
)
def test_what_is_not_there(write: Write, source: str, name: str, problem: str) -> None:
    with pytest.raises(ScriptError) as caught:
        Script(write(source)).root(name)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_to_a_value(write: Write) -> None:
    path = write(
        "class Net: pass\nnet = Net()\nnet.parts = {'a b': [Value(2.0)]}\n"
        "losses = [net.parts['a b'][0] * i for i in range(3)]\n"
    )
    script = Script(path)
    assert script.find("losses[-1]").data == 4.0
    assert script.find('net.parts["a b"][0]').data == 2.0
    assert script.root("losses[2]").value.data == 4.0


@pytest.mark.parametrize(
    ("source", "problem", "shown"),
    [
        ("def f(x):\n    return log(x)\nf(Value(-1.0))", "line 3 (DomainError, above)", "log(x)"),
        ("y = = 2", "line 2 (SyntaxError, above)", "y = = 2"),
        ("import no_such_module", "line 2 (ModuleNotFoundError, above)", "no_such_module"),
        ("import json\njson.loads('{')", "line 3 (JSONDecodeError, above)", "json.loads"),
        ("import sys; sys.exit('no data')", "ended with exit code no data", ""),
        ("raise SystemExit(3)", "ended with exit code 3", ""),
        ("def f(): f()\nf()", "line 2 (RecursionError, above)", "in f"),
    ],
)
def test_a_file_that_fails(
    write: Write, capsys: pytest.CaptureFixture[str], source: str, problem: str, shown: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        Script(write(source))
    assert problem in str(caught.value)
    traceback = capsys.readouterr().err
    assert shown in traceback
    assert str(Path(sys.modules["autograd"].__file__ or "").parent) not in traceback


def test_a_file_that_cannot_be_read(write: Write) -> None:
    with pytest.raises(ScriptError, match=r"nowhere.py can't be read: .*check the path"):
        Script("nowhere.py")
    os.mkdir("folder.py")
    with pytest.raises(ScriptError, match=r"folder.py can't be read"):
        Script("folder.py")
    Path("net.py").write_bytes(b"x = '\xff'\n")
    with pytest.raises(ScriptError, match="SyntaxError"):
        Script("net.py")


def test_what_an_optimizer_left_stale_is_computed_again(write: Write) -> None:
    result = Script(write("w = Value(2.0)\nloss = w * w\nloss.backward()\nw.data -= 1\n")).root()
    assert result.stale
    assert result.value.data == 1.0
    assert not Script(write("w = Value(2.0)\nloss = w * float('inf')\n")).root().stale


def test_the_script_may_change_directory(write: Write, tmp_path: Path) -> None:
    import linecache

    (tmp_path / "deeper").mkdir()
    path = write("import os\nos.chdir('deeper')\nloss = Value(2.0) * 2\n")
    loss: Value = Script(path).root().value
    assert loss.origin is not None
    assert linecache.getline(str(loss.origin[1]), 4) == "loss = Value(2.0) * 2\n"
