"""`chainrule grade`: every way of answering, every way of being wrong, and what is said of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from autograd.command.cli import main
from autograd.command.grading.asked import SIMPLE, points_for
from autograd.command.subcommands import grade
from autograd.command.usage import OK, REFUSED, WRONG

OWN_CLASS = """
import math
class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.push = data, 0.0, children, lambda: None
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def push():
            self.grad {add} out.grad
            other.grad {add} out.grad
        out.push = push
        return out
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def push():
            self.grad += {first}.data * out.grad
            other.grad += self.data * out.grad
        out.push = push
        return out
    def __pow__(self, k):
        assert isinstance(k, (int, float))
        out = Value(self.data**k, (self,))
        def push():
            self.grad += k * self.data ** (k - 1) * out.grad
        out.push = push
        return out
    def tanh(self):
        out = Value(math.tanh(self.data), (self,))
        def push():
            self.grad += {tanh} * out.grad
        out.push = push
        return out
    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.push()
"""
RIGHT = {"add": "+=", "first": "other", "tanh": "(1 - out.data**2)"}

TABLE = """
from math import exp
from autograd import log, tanh
def square(x): return x * x
def logistic(x): return 1 / (1 + exp(-x))
def power(x, n): return x**n
def entropy(p): return -p * log(p)
def ramp(x): return max(x, 0.0)
def _hidden(x): return x
points = {"entropy": [0.5, (0.25,)]}
scores = {"power": 2}
"""


@pytest.fixture
def graded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that grades a student's source, and returns exit code, marks, messages."""

    def grade(student: str, table: str = "", *words: str) -> tuple[int, dict[str, Any], str]:
        file = tmp_path / "student.py"
        file.write_text(student, encoding="utf-8")
        rules: list[str] = []
        if table:
            (tmp_path / "table.py").write_text(table, encoding="utf-8")
            rules = ["--rules", str(tmp_path / "table.py")]
        code = main(["grade", str(file), *rules, "--json", *words])
        out, err = capsys.readouterr()
        marks = json.loads(out)["rules"] if out else []
        return code, {each["name"]: each for each in marks}, err

    return grade


def verdicts(marks: dict[str, Any]) -> dict[str, str]:
    return {name: each["verdict"] for name, each in marks.items()}


@pytest.mark.parametrize(
    "answer",
    [
        'rules = {"square": lambda y, x: 2 * x}',
        'rules = {"square": (lambda y, x: 2 * x,)}',
        "def d_square(x): return [2 * x]",
        "def square(x): return x**2",
        "from autograd import Op\nmine = Op('square', lambda x: x * x, (lambda y, x: 2 * x,))",
        "from autograd import Op\nsquare = Op('mine', lambda x: x * x, (lambda y, x: 2 * x,))",
        "from autograd import Value\ndef square(x): return Value(x.data**2, (x,), (2 * x.data,))",
        OWN_CLASS.format(**RIGHT),
    ],
)
def test_an_answer_may_be_written_in_many_ways(answer: str, graded: Any) -> None:
    code, marks, _ = graded(answer, "def square(x): return x * x")
    assert verdicts(marks) == {"square": "right"}
    assert code == OK


@pytest.mark.parametrize(
    "table", ["", "def tanh(x): return 1 - 2 / (1 + exp(2 * x))\nfrom autograd import exp"]
)
def test_a_rule_that_nobody_asks_for_is_named(table: str, graded: Any) -> None:
    rule = "lambda y, x: 1 - y * y"
    _, marks, err = graded(f"rules = {{'tanhh': {rule}, 'exp': lambda y, x: y}}", table)
    assert "tanhh" not in marks
    assert "student.py: nobody asks for the rule 'tanhh'; did you mean tanh?" in err
    assert not graded(f"rules = {{'tanh': {rule}}}", table)[2]


def test_each_has_its_mark_and_what_is_wrong_its_simplest_counterexample(graded: Any) -> None:
    code, marks, _ = graded(
        """
import math
print("this is not the report")
def d_entropy(p): return -math.log(p) - 2
rules = {
    "square": lambda y, x: 2 * x,
    "logistic": lambda y, x: -y * (1 - y),
    "power": (lambda y, x, n: n * x ** (n - 1), lambda y, x, n: y * math.log(x)),
    "ramp": lambda y, x: 1.0,
}""",
        TABLE,
    )
    assert code == WRONG
    assert verdicts(marks) == {
        "square": "right",
        "logistic": "wrong",
        "power": "right",
        "entropy": "wrong",
        "ramp": "wrong",
    }
    assert marks["power"]["score"] == marks["power"]["max_score"] == 2
    assert (
        "at x = 1, d/dx is 0.196611933, and the answer gives -0.196611933 (line 7): the sign"
        in (marks["logistic"]["note"])
    )
    assert marks["entropy"]["counterexample"]["at"] == "p = 0.5"
    assert marks["ramp"]["note"].startswith("at x = -1, d/dx is 0, and the answer gives 1")


def test_what_is_missing_or_fails_is_no_end_of_the_marking(graded: Any) -> None:
    _, marks, _ = graded(
        """
def d_sqare(x): return 2 * x
def d_logistic(x): return undefined
def d_power(x, n): return n * x ** (n - 1)
def d_entropy(p): return "a"
def d_ramp(x): raise SystemExit
""",
        TABLE,
    )
    assert {name: (each["verdict"], each["note"]) for name, each in marks.items()} == {
        "square": ("missing", "no answer; is it sqare?"),
        "logistic": ("fails", "NameError: name 'undefined' is not defined (line 3)"),
        "power": ("fails", "TypeError: it gives 1 derivative(s) for 2 argument(s) (line 4)"),
        "entropy": ("fails", "TypeError: a derivative is a number, not 'a' (line 5)"),
        "ramp": ("fails", "SystemExit (line 6)"),
    }


def test_an_engine_of_ones_own_is_asked_what_it_has(graded: Any) -> None:
    code, marks, _ = graded(OWN_CLASS.format(**RIGHT))
    assert code == OK
    assert verdicts(marks) == dict.fromkeys(["add", "mul", "pow", "tanh"], "right")


@pytest.mark.parametrize(
    ("part", "written", "name", "said"),
    [
        ("add", "=", "add", "used twice and added, d/dx is 2, and the answer gives 1"),
        ("first", "self", "mul", "at x = 1, y = 2, d/dx is 2, and the answer gives 1"),
        ("tanh", "(1 - self.data**2)", "tanh", "at x = 1, d/dx is 0.419974342"),
        ("tanh", "math.nan", "tanh", "it is not a number"),
        ("tanh", "0.0", "tanh", "and the answer gives 0"),
    ],
)
def test_a_mistake_in_it_is_found(
    part: str, written: str, name: str, said: str, graded: Any
) -> None:
    code, marks, _ = graded(OWN_CLASS.format(**RIGHT | {part: written}))
    assert code == WRONG
    assert marks[name]["verdict"] == "wrong"
    assert said in marks[name]["note"]


def test_an_engine_that_does_not_sort_is_found(graded: Any) -> None:
    source = OWN_CLASS.format(**RIGHT).partition("    def backward")[0]
    source += """
    def backward(self):
        self.grad = 1.0
        self.go()
    def go(self):
        self.push()
        for child in set(self.children):
            child.go()
"""
    _, marks, _ = graded(source)
    assert verdicts(marks) == {"add": "wrong", "mul": "right", "pow": "right", "tanh": "right"}
    assert "in (y + y) + y with y = x + y, d/dx is 3, and the answer" in marks["add"]["note"]
    assert "sort the nodes first" in marks["add"]["note"]


def test_what_a_class_can_not_do_is_no_mistake_but_said(graded: Any) -> None:
    _, marks, _ = graded(OWN_CLASS.format(**RIGHT))
    assert marks["add"]["note"].startswith("with a number first, as in 1 + x: TypeError: unsup")
    table = "from math import tanh\ndef f(x): return tanh(x)\ndef g(x): return x if x > 0 else -x"
    _, marks, _ = graded(OWN_CLASS.format(**RIGHT), table)
    assert verdicts(marks) == {"f": "right", "g": "missing"}
    assert "its Value can't compute it: TypeError: '>' not supported" in marks["g"]["note"]


@pytest.mark.parametrize(
    "rule",
    [
        "lambda y, x: np.float64(2 * x)",
        "lambda y, x: np.array(2 * x)",
        "lambda x: np.array([2 * x])",
    ],
)
def test_numbers_of_numpy_are_numbers(rule: str, graded: Any) -> None:
    pytest.importorskip("numpy")
    _, marks, _ = graded(f'import numpy as np\nrules = {{"f": {rule}}}', "def f(x): return x * x")
    assert verdicts(marks) == {"f": "right"}


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("def f(x): return 2 * x", "that is the derivative: call it d_f"),
        ("d_f = '2*x'", "no answer; d_f is '2*x', not a function"),
        ("rules = [1]", "no answer; rules is [1], not a dict such as"),
        ("import math\ndef f(x): return math.exp(x)", "use autograd's functions, or call it d_f"),
    ],
)
def test_what_was_meant_is_said(student: str, said: str, graded: Any) -> None:
    _, marks, _ = graded(student, "def f(x): return x * x")
    assert said in marks["f"]["note"]


@pytest.mark.long
def test_an_endless_rule_ends(graded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "SECONDS", 1)
    student = "def d_f(x):\n    while True: pass\ndef d_g(x): return 1.0"
    _, marks, _ = graded(student, "def f(x): return x\ndef g(x): return x")
    assert verdicts(marks) == {"f": "fails", "g": "right"}
    assert marks["f"]["note"] == "TimeoutError: it did not end in 1 s (line 1)"


def test_math_in_a_teachers_function_is_the_students_methods(graded: Any) -> None:
    table = """
import math
def f(x): return math.tanh(x)
def g(x, y): return math.sqrt(x * x + y * y)
def h(x): return math.log(x)
"""
    _, marks, _ = graded(OWN_CLASS.format(**RIGHT | {"tanh": "(1 - out.data)"}), table)
    assert verdicts(marks) == {"f": "wrong", "g": "right", "h": "missing"}
    assert "its Value can't compute it: AttributeError: it has no log()" in marks["h"]["note"]


def test_by_how_much_an_answer_is_wrong_is_seen_at_several_points(graded: Any) -> None:
    student = "rules = {'f': lambda y, x: 3 * x, 'g': lambda y, x: x}"
    _, marks, _ = graded(student, "def f(x): return x**3\ndef g(x): return x * x")
    assert marks["f"]["note"] == "at x = 2, d/dx is 12, and the answer gives 6 (line 1)"
    assert marks["g"]["note"].endswith("gives 1 (line 1): 1/2 of what it should be")


@pytest.mark.skipif(os.name != "posix", reason="is in posix")
def test_nor_does_who_knows_where_it_is_from(graded: Any) -> None:
    code, marks, _ = graded("import posix\ndef d_f(x): posix._exit(0)", "def f(x): return x")
    assert (code, verdicts(marks)) == (WRONG, {"f": "fails"})


@pytest.mark.parametrize("end", ["os._exit(0)", 'os.execl("/bin/true", "true")'])
def test_who_ends_the_process_does_not_end_the_marking(end: str, graded: Any) -> None:
    code, marks, _ = graded(f"import os\ndef d_f(x): {end}", "def f(x): return x")
    assert (code, verdicts(marks)) == (WRONG, {"f": "fails"})
    code, _, err = graded(f"import os\n{end}", "def f(x): return x")
    assert code == REFUSED
    assert "student.py ended with exit code os." in err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_of_its_own_ends_as_it_likes(graded: Any) -> None:
    student = """
import functools, os
@functools.cache  # forks of a process as large as this one take their time
def three():
    child = os.fork()
    if not child:
        os._exit(3)
    return float(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
def d_f(x):
    return three()
"""
    _, marks, _ = graded(student, "def f(x): return 3 * x")
    assert verdicts(marks) == {"f": "right"}


def test_a_function_without_arguments_is_not_asked_for(graded: Any) -> None:
    table = "def f(x): return x\ndef main(): print(f(1))"
    _, marks, _ = graded("def d_f(x): return 1", table)
    assert verdicts(marks) == {"f": "right"}


def test_the_engines_own_row_is_no_answer(graded: Any) -> None:
    _, marks, _ = graded("from autograd import tanh", "def tanh(x): return x")
    assert verdicts(marks) == {"tanh": "missing"}


def test_the_wrong_op_of_a_graph_is_named(graded: Any) -> None:
    _, marks, _ = graded(
        "from autograd import Op\n"
        "cube = Op('cube', lambda x: x * x * x, (lambda y, x: 2 * x * x,))\n"
        "def f(x): return cube(x) + x",
        "def f(x): return x**3 + x",
    )
    assert "wrong is cube: d/dx = 2 * x * x gives 2, differences give 3" in marks["f"]["note"]


def test_an_error_where_there_is_no_derivative_is_none_of_the_students(graded: Any) -> None:
    table = (
        "from math import log\ndef f(x): return log(x) if x > 0 else 0.0\npoints = {'f': [0, 2]}"
    )
    _, marks, _ = graded("def d_f(x): return 1 / x", table)
    assert verdicts(marks) == {"f": "right"}


def test_an_error_where_there_is_one_is(graded: Any) -> None:
    _, marks, _ = graded("def d_f(x): return 2 * x * x / x", "def f(x): return x * x")
    assert marks["f"]["note"] == "ZeroDivisionError: float division by zero (line 1)"


def test_gradescope_reads_what_is_written(graded: Any, tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    graded("def d_square(x): return 2 * x", TABLE, "-o", str(out))
    tests = json.loads(out.read_text(encoding="utf-8"))["tests"]
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in tests[:3]] == [
        ("square", 1.0, 1.0, "passed"),
        ("logistic", 0.0, 1.0, "failed"),
        ("power", 0.0, 2.0, "failed"),
    ]
    code, _, err = graded("def d_square(x) return 2 * x", TABLE, "-o", str(out))
    assert code == REFUSED
    assert "failed at line 1 (SyntaxError, above)" in err
    tests = json.loads(out.read_text(encoding="utf-8"))["tests"]
    assert {t["status"] for t in tests} == {"failed"}
    assert "SyntaxError" in tests[0]["output"]


@pytest.mark.parametrize(
    ("student", "table", "said"),
    [
        ("x = 1", "", "has no rule for a row of the table: write rules = {"),
        ("x = 1", "y = 2", "asks for nothing: write the functions whose derivatives"),
        ("x = 1", "def f(x): return x\npoints = [1]", "points is a dict by the names of its func"),
        ("x = 1", "def f(x): return x\npoints = {'g': [1]}", "of its functions, not 'g'"),
        ("x = 1", "def f(x): return x\npoints = {'f': [(1, 2)]}", "tuples of 1 number(s), as in"),
        ("x = 1", "def f(): return 1\npoints = {'f': [()]}", "f takes no argument that its deriv"),
        ("x = 1", "def f(x): return x\nscores = {'f': -1}", "a number of at least 0, not -1"),
        ("d_f = abs", "def f(x): return 'a'", "f(1.0), which is asked for, fails: TypeError"),
    ],
)
def test_what_can_not_be_graded_is_said_in_a_line(
    student: str, table: str, said: str, graded: Any
) -> None:
    code, _, err = graded(student, table)
    assert code == REFUSED
    assert said in err
    assert err.count("\n") == 1


def test_it_is_told_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "student.py"
    file.write_text('rules = {"tanh": lambda y, x: 1 + y * y, "exp": lambda y, x: y}')
    assert main(["grade", str(file)]) == WRONG
    assert capsys.readouterr().out == (
        "rule  verdict  score\n"
        "exp     right    1/1\n"
        "tanh    wrong    0/1\n"
        "\n"
        "tanh: at x = 1, d/dx is 0.419974342, and the answer gives 1.58002566 (line 1)\n"
        "\n"
        "1 of 2 right, score 1 of 2\n"
    )


def test_points_begin_with_the_simplest() -> None:
    assert points_for(1)[: len(SIMPLE)] == [(x,) for x in SIMPLE]
    assert points_for(3)[0] == (1.0, 1.0, 1.0)
    assert all(len(set(points_for(n))) > 20 for n in (1, 2, 3))
