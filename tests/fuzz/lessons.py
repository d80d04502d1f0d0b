"""What students and teachers write, and texts that are learnt letter by letter."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import nn
from autograd import Value
from autograd.command.subcommands import grade
from tests.fuzz.mangling import PIECES, WRONG, mangled, mangled_bytes
from tests.fuzz.shell import folder_of, said
from tests.fuzz.target import Target

TABLES = (
    "def f(x): return x * x\npoints = {'f': [1, (2.0,)]}",
    "from math import exp, log\ndef f(x): return exp(x)\nscores = {'f': 2}\npoints = {'f': [0.5]}",
    "def f(x, y): return x**y\npoints = {'f': [(1, 2)]}",
    "def f(*xs): return sum(xs)\npoints = {'f': [(1, 2, 3)]}",
    "def f(): return 1",
    "def f(x): return None\npoints = {'f': [1]}",
    "def f(x): raise KeyError(x)\npoints = {'f': [1]}",
    "f = max\npoints = {'f': [(1, 2)]}\nscores = {'f': -1}",
    "from autograd import tanh\nf = tanh\npoints = {'f': [1e400]}",
    "points = 3",
    "exit(0)",
    "",
)
ANSWERS = (
    "rules = {'f': lambda y, x: 2 * x}",
    "rules = {'f': (lambda y, x, z: z, lambda y, x, z: None)}",
    "rules = {'f': [3]}",
    "rules = {3: 3, 'f': len}",
    "rules = max",
    "def d_f(x): return 2 * x",
    "def d_f(x, y=1): return [y, x, 'a']",
    "def d_f(*xs): return [1 for _ in xs]",
    "def d_f(x): return x.nothing",
    "def d_f(x): raise SystemExit(0)",
    "import os\ndef d_f(x): os._exit(0)",
    "import os\nos._exit(0)",
    "def d_f(x): return d_f(x)",
    "def d_f(x): return float('nan')",
    "def d_f(x): return 10**400",
    "def d_f(x): return 1j",
    "def f(x): return x * x",
    "def f(x): return 2 * x.data",
    "d_f = 'abc'",
    "from autograd import Op\nf = Op('f', lambda x: x, (lambda y, x: 1.0,))",
    "from autograd import Op\nf = Op('f', lambda x: x, (lambda y, x: None,))",
    "class Value: pass",
    "class Value:\n    def __init__(self, x): self.data = x\n    def __mul__(self, o): return self",
    "class Value:\n    def __init__(self): raise KeyError",
    "rules = {'tanh': lambda y, x: 1 - y * y}",
    "class d_f:\n    def __init__(self, x): pass",
    "class D(dict):\n    def __getitem__(self, k): raise OSError\nrules = D(f=1)",
    "exit(3)",
    "import nothing_like_it",
)


def lesson(source: random.Random) -> tuple[str, str, list[str]]:
    """Return a teacher's file, a student's, and the words beside them."""
    table, answer = source.choice(TABLES), source.choice(ANSWERS)
    if source.random() < 0.3:
        table = mangled(source, table, 1)
    if source.random() < 0.3:
        answer = mangled(source, answer, 1)
    words = ["grade", "s.py", "--rules", "t.py", "--json", "-o", "r.json"]
    for _ in range(source.choice((0, 0, 0, 1))):
        words[source.randrange(1, len(words))] = source.choice((*PIECES, "s.py", "--rules", "no"))
    return table, answer, words


def use_lesson(case: tuple[str, str, list[str]]) -> None:
    table, answer, words = case
    seconds, grade.SECONDS = grade.SECONDS, 3  # an answer of a student's may well be endless
    try:
        files = {"t.py": table, "s.py": answer}
        with folder_of({name: text.encode("utf-8", "replace") for name, text in files.items()}):
            code = said(words)
            assert code or "os._exit" not in answer, "who ends the process is right"
    finally:
        grade.SECONDS = seconds


LINES = ("anna", "otto", "", "   ", "a", "zoë", "a,b", "x" * 300, "\x00", "日本", "1,2,3", "\t")
OF_TEXTS = (
    *(["--epochs", "0"], ["--block-size", "1"], ["--embedding", "3"], ["--heads", "0"]),
    *(["--temperature", "0"], ["--layers", "-1"], ["--lr", "nan"], ["--test", "1"], ["--json"]),
    *(["--batch-size", "2"], ["--seed", "9" * 40], ["--task", "text"], ["--target", "a"]),
    *(["--resume"], ["--dry-run"], ["--hidden", "4"], ["--format", "safetensors"]),
)


def text(source: random.Random) -> tuple[bytes, list[str]]:
    """Return a file, and the words with which it is to be learnt."""
    lines = [source.choice(LINES) for _ in range(source.choice((0, 1, 2, 4)))]
    content = "\n".join(lines).encode()
    if source.random() < 0.3:
        content = mangled_bytes(source, content)
    words = ["train", source.choice(("a.txt", "a.txt", "a.txt", "names", "no.txt"))]
    words += ["--embedding", "2", "--heads", "1", "--block-size", "3"]
    for option in source.sample(OF_TEXTS, source.choice((0, 1, 1, 2))):
        words += option
    return content, words


def use_text(case: tuple[bytes, list[str]]) -> None:
    """Read the file, and ask for a training that is refused in the end, where nothing else is."""
    content, words = case
    with folder_of({"a.txt": content}):
        said([*words, "--lr", "-1", "--out", "out"])
        assert not Path("out").exists(), "refused when it had begun"
        try:
            documents, tokenizer = nn.data.characters("a.txt")
        except ValueError:
            return
        assert all(tokenizer.decode(tokens) for tokens in documents)


def descent(source: random.Random) -> list[Any]:
    """Return the arguments of `nn.minimize`, one of which may be wrong."""
    w = Value(0.5)
    given: list[Any] = [
        lambda x: (w - x[0]) ** 2,
        [[[1.0], [3.0]]] * 2,
        nn.optim.SGD([w], 0.1),
        source.choice((None, lambda step: 0.5)),
        source.choice((None, lambda loss: None)),
    ]
    bad: list[Callable[[], Any]] = [
        lambda: lambda x: None,
        lambda: lambda x: [w, w],
        lambda: lambda x: x[5],
        lambda: lambda x: w / 0.0,
        lambda: lambda x: 1.0,
        lambda: [[]],
        lambda: [[1.0, 2.0]],
        lambda: [[["a"]]],
        lambda: [[[1.0], None]],
        lambda: [[[]]],
    ]
    if source.random() < 0.9:
        given[source.randrange(5)] = source.choice((*WRONG, *bad))()
    return given


def use_descent(given: list[Any]) -> None:
    with redirect_stdout(io.StringIO()):  # one of what is wrong is print
        nn.minimize(*given, compile=False)


@cache
def targets() -> tuple[Target, ...]:
    refused = (ValueError, TypeError, IndexError, FloatingPointError)
    return (
        Target("lessons", lesson, use_lesson, (), every=4),
        Target("texts", text, use_text, (), every=4),
        Target("descents", descent, use_descent, refused),
    )
