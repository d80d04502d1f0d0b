"""What is typed: expressions, the debugger's commands, command lines, and files of one's own."""

from __future__ import annotations

import io
import random
from functools import cache

from autograd import ChainruleError, Stepper, Value, tanh
from autograd.command.debugger.session import Debugger
from autograd.command.expression import parse
from autograd.command.terminal import Terminal
from nn import MLP
from tests.fuzz.mangling import PIECES, mangled
from tests.fuzz.shell import folder_of, ran
from tests.fuzz.target import LONGEST, Target

EXPRESSIONS = (
    "tanh(x*w + b)",
    "a ** -2 / (1 + exp(-x))",
    "softmax(x, y, 3)[1] * 2",
    "where(x > 0, x, 0.01 * x)",
    "max(x, y) - min(sin(x), pi/4)",
    "sum(x, y, 1e-3) * mean(x, y)",
    "((((x))))",
    "-x ** 2",
    "1e308 * x",
)


def expression(source: random.Random) -> str:
    text = mangled(source, source.choice(EXPRESSIONS))
    return text * 3000 if source.random() < 0.001 else text


def use_expression(text: str) -> None:
    parsed = parse(text)
    values = dict.fromkeys(parsed.names, 0.5)
    plain = parsed.evaluate(values)
    recorded = parsed.evaluate({name: Value(x, "x") for name, x in values.items()})
    assert repr(getattr(recorded, "data", recorded)) == repr(plain)


COMMANDS = (
    *("next 3", "back 2", "goto n3", "run", "reverse", "break", "clear", "where", "list", "events"),
    *("print", "why", "derive", "what-if x 3", "break tanh & edge", "run total > 0.5", "print x"),
    *("wrong no sort", "save /a/no/where.html", "help run", "break gradient_above(1)", "u", "done"),
)


def typed(source: random.Random) -> list[str]:
    return [mangled(source, source.choice(COMMANDS)) for _ in range(2)]


def use_typed(lines: list[str]) -> None:
    out = tanh(MLP(2, [2, 1], seed=0)([1.0, -2.0]))
    stream = io.StringIO()
    session = Debugger(Stepper(out), Terminal(stream))
    with folder_of({}):
        for line in lines:
            session.onecmd(line)
    assert all(len(line) <= 2 * LONGEST for line in stream.getvalue().splitlines())


PROGRAM = """\
from autograd import Value, tanh
x = Value(0.5, "x")
{code}
"""
CODE = (
    *("f = lambda x: x * x", "f = lambda: None", "f = max", "f = len", "f = 3", "f = None"),
    *("def f(x):\n    return None", "def f(x):\n    return [x, x]", "def f(x=2.0):\n    return x"),
    *("def f(x):\n    return f(x)", "f = lambda *xs: xs[5]", "f = [x * 2] * 3", "f = {'a': x}"),
    *("loss = tanh(x) * x", "loss = x", "loss = 1 / 0", "import nothing_like_it", "raise KeyError"),
    *("point = ('a',)\nf = lambda x: x", "class f:\n    def __call__(self, x):\n        return x"),
    *("class T:\n    @property\n    def f(self): raise KeyError('f')\nf = T()", "f = x.data"),
    *("exit(3)", "f = print", "def f(x, y):\n    return x * float(y)", "f = type", "f = str"),
    *("def f(x):\n    raise ValueError('x' * 10**5)", "f = lambda x: x.nothing", "f = iter"),
)
SYNTAX = "step draw check show demo train grade export nothing --help --completion".split()
OPTIONS = (
    *("--json", "--strict", "--level", "layer", "--format", "txt", "--budget", "5", "--html"),
    *("--rankdir", "--local", "--expand", "--n", "-1", "--epochs", "--resume", "--optimizer"),
    *("x=2", "w=-3", "x=", "x=1e999", "x=y", "=", "x=1/0", "--", "-o", "g.txt", "g.nothing"),
    *("iris.csv", "model.json", "a.py", "a.py:f", "a.py:loss", "a.py:point", "a.py:nothing"),
)


def command_line(source: random.Random) -> tuple[str, list[str]]:
    """Return a program, and words that a user might type beside it."""
    code = mangled(source, source.choice(CODE), 1) if source.random() < 0.2 else source.choice(CODE)
    name = source.choice(SYNTAX[:4]) if source.random() < 0.9 else source.choice(SYNTAX)
    kind = source.random()
    if name == "--completion":
        words = [name, source.choice(("bash", "zsh", "fish", "tcsh", *PIECES))]
    elif name in ("train", "demo"):
        words = [name, "--n", mangled(source, "-1"), "--no-such-option"]  # else they would train
    elif kind < 0.4:
        words = [name, source.choice(("a.py", "a.py:f", "a.py:loss", "a.py:x", "a.py:point"))]
    elif kind < 0.8:
        words = [name, expression(source), *source.sample(("x=2", "y=1", "w=-3", "b=7"), 3)]
    else:
        words = [name]
    for _ in range(source.choice((0, 0, 1, 1, 2, 4))):
        word = source.choice(OPTIONS) if source.random() < 0.8 else source.choice(PIECES)
        words.insert(source.randint(1, len(words)), word)
    return PROGRAM.format(code=code), words


def use_command_line(case: tuple[str, list[str]]) -> None:
    program, words = case
    with folder_of({"a.py": program.encode("utf-8", "replace")}):
        code, err = ran(words)
    assert code in (0, 1, 2, 3), f"{words}: exit code {code}\n{err[-3000:]}"
    if code == 2:
        last = err.strip().splitlines()[-1]
        assert last.strip(), words
        assert len(last) <= LONGEST, words


@cache
def targets() -> tuple[Target, ...]:
    return (
        Target("expressions", expression, use_expression, (ChainruleError,)),
        Target("debugger", typed, use_typed, ()),
        Target("commands", command_line, use_command_line, ()),
    )
