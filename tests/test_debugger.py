"""The debugger: driven in a real terminal from start to quit, and command by command."""

from __future__ import annotations

import io
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import autograd
from autograd import Stepper, Value, relu, scope
from autograd.command.debugger import Debugger
from autograd.command.debugger.commands import ALIASES, COMMANDS
from autograd.command.debugger.examination import Examination
from autograd.command.terminal import Terminal, fold
from tests.test_stepper import lecture_neuron

PROMPT = "(chainrule) "
PATIENCE = 60.0
"""Seconds to wait for a prompt on a slow machine; on a fast one, it comes at once."""

NEURON = """\
from autograd import Value, log

x = Value(2.0)
alpha = Value(-3.0)
y = x * alpha
loss = log(y * y)
"""

# The terminal becomes the child's controlling one, so that Ctrl-C reaches it as a signal: also
# where the tests are a shell's background job, which ignores that signal, as do its children.
CHILD = """\
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
from autograd.command.cli import main
sys.exit(main(sys.argv[1:]))
"""


class Session:
    """A process on a pseudo-terminal of 80 columns."""

    def __init__(self, *argv: str, cwd: Path, **env: str) -> None:
        import pty
        import termios

        self.end, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (24, 80))
        root = str(Path(autograd.__file__).parent.parent)
        settings = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        settings |= {"PYTHONPATH": root, "TERM": "xterm-256color", "INPUTRC": os.devnull}
        settings |= {"XDG_STATE_HOME": str(cwd / "state"), "NO_COLOR": "1", **env}
        if not settings["NO_COLOR"]:
            del settings["NO_COLOR"]  # Rich before 13.8 obeys an empty one, too
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *argv],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=cwd,
            env=settings,
            start_new_session=True,
        )
        os.close(terminal)

    def read(self, until: str = PROMPT, nudge: str = "") -> str:
        """Return what is shown up to and with ``until``; "" stands for the end.

        After a second without a sign of life, the keys ``nudge`` are pressed.
        """
        shown = b""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.end], [], [], 1.0)
            if ready:
                try:
                    chunk = os.read(self.end, 65536)
                except OSError:  # how Linux reports the closed end of a terminal
                    chunk = b""
                shown += chunk
                text = plain(shown)
                if (until and text.endswith(until)) or not chunk:
                    break
            else:
                os.write(self.end, nudge.encode())
        else:
            pytest.fail(f"no {until!r} after {PATIENCE} s, but: {shown.decode()}")
        assert until in text, text
        return text

    def send(self, keys: str, until: str = PROMPT, nudge: str = "") -> str:
        """Type ``keys`` and return what is shown until the next prompt."""
        os.write(self.end, keys.encode())
        return self.read(until, nudge)

    def finish(self) -> int:
        code = self.process.wait(PATIENCE)
        os.close(self.end)
        return code


def plain(shown: bytes) -> str:
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode(errors="replace"))
    return text.replace("\r\n", "\n").replace("\r", "").replace("\a", "")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """Return the function that starts a session in a folder with ``neuron.py``."""
    pytest.importorskip("pty")
    (tmp_path / "neuron.py").write_text(NEURON, encoding="utf-8")
    sessions: list[Session] = []

    def start(*argv: str, **env: str) -> Session:
        sessions.append(Session(*argv, cwd=tmp_path, **env))
        return sessions[-1]

    yield start
    for session in sessions:
        if session.process.poll() is None:
            session.process.kill()
            session.process.wait()


@pytest.mark.long
def test_a_whole_session_in_a_terminal(start: Callable[..., Session], tmp_path: Path) -> None:
    session = start("step", "neuron.py")
    banner = session.read()
    assert "neuron.py: loss   the only result that nothing else is computed from\n" in banner
    assert "15 events: 5 values forward, 10 steps back" in banner

    assert "event 1 of 15   x is a leaf" in session.send("n\r")
    assert "event 2 of 15   alpha is a leaf" in session.send("\r")  # an empty line repeats
    assert "breakpoint 1: abs(grad) > 0.5" in session.send("break abs(grad) > 0.5\r")
    stop = session.send("c\r")
    assert "breakpoint 1: abs(grad) > 0.5\nevent 6 of 15   loss is complete" in stop
    edge = session.send("run contribution == 2\r")
    assert "event 10 of 15   n3 passes on to y" in edge
    headline = next(line for line in edge.splitlines() if line.startswith("event"))
    assert headline.endswith("neuron.py:6")
    assert len(headline) == 80
    assert "  adds      d loss/d y += d loss/d n3 * d n3/d y\n" in edge
    assert "                        = 0.0277778   * -6.0\n" in edge

    assert "never holds from here to the end; still at event 10" in session.send("c grad > 99\r")
    assert "via n3" in session.send("why y\r")
    assert "*** alpha can't be 0.0: log(0.0) is undefined" in session.send("what-if alpha 0\r")
    assert "event 10 of 15" in session.send("where\r")
    assert "event 9 of 15" in session.send("back\r")
    assert "event 14 of 15   alpha is complete" in session.send("goto alpha\r")
    assert "   4 ->  alpha = Value(-3.0)\n   5     y = x * alpha\n" in session.send("list\r")

    # Tab completes commands, names of nodes, and words of conditions; Ctrl-U starts anew.
    assert "1. d loss/d loss = 1.0" in session.send("der\tal\t\r")
    assert 'breakpoint 2: op == "log"' in session.send('what\x15b op == "lo\t\r')

    assert "what is its contribution?" in session.send("quiz\r", until="(quiz) ")
    assert "multiply by" in session.send("hint\r", until="(quiz) ")
    assert "0 of 0 at the first try" in session.send("\x04")  # Ctrl-D leaves the quiz only

    # Ctrl-C drops the line. A signal that comes just before readline waits for keys is seen when
    # the line is done only: here by Ctrl-U, which empties it, and Enter.
    session.send("what-if alp", until="what-if alp")
    assert "interrupted" in session.send("\x03", nudge="\x15\r")
    assert "alpha = -3.0" in session.send("p alpha\r")
    session.send("q\r", until="")
    assert session.finish() == 0

    history = (tmp_path / "state" / "chainrule" / "history").read_text(encoding="utf-8")
    assert "goto alpha\n" in history
    again = start("step", "neuron.py")
    again.read()
    assert "p alpha" in again.send("\x1b[A\x1b[A\r")  # two lines up, past the q
    again.send("\x04", until="")  # Ctrl-D
    assert again.finish() == 0


def test_an_expression_in_a_terminal_with_colour(start: Callable[..., Session]) -> None:
    session = start("step", "x * y", "x=2", "y=-3", NO_COLOR="", XDG_STATE_HOME="/dev/null/no")
    session.read()
    os.write(session.end, b"run kind == 'edge'\r")
    shown = b""
    while not plain(shown).endswith(PROMPT):
        shown += os.read(session.end, 65536)
    assert b"\x1b[1m" in shown
    assert b"\x1b[1;36m-3.0" in shown
    session.send("quit\r", until="")
    assert session.finish() == 0  # an unwritable history is no reason to fail


Do = Callable[[str], str]


@pytest.fixture
def do() -> Do:
    """Return the function that carries out a command on the lecture's neuron."""
    return doing(Stepper(lecture_neuron()[0]))


def doing(stepper: Stepper) -> Do:
    stream = io.StringIO()
    session = Debugger(stepper, Terminal(stream))

    def do(line: str) -> str:
        stream.seek(0)
        stream.truncate()
        assert session.onecmd(line) is False
        return stream.getvalue()

    return do


def test_the_three_kinds_of_events(do: Do) -> None:
    assert do("goto 3").splitlines() == [
        "event 3 of 29   n2 is computed",
        "  value     n2 = x1  * w1",
        "               = 2.0 * -3.0",
        "               = -6.0",
    ]
    assert do("goto 12").splitlines() == [
        "event 12 of 29   o passes on to n",
        "  rule      o = tanh(n)   so d o/d n = 1 - o * o",
        "  adds      d o/d n += d o/d o * d o/d n",
        "                     = 1.0     * 0.5",
        "                     = 0.5",
        "  so far    0.5   after 1 of 1 contribution",
    ]
    assert do("n").splitlines() == [
        "event 13 of 29   n is complete",
        "  complete  d o/d n = 0.5   the sum of 1 contribution",
    ]
    assert do("goto 0").startswith("the start")
    assert do("goto 29").endswith("the end of the run: every gradient is complete\n")


def test_walking(do: Do) -> None:
    assert do("back") == "this is the start of the run\n"
    assert do("n 4").startswith("event 4 of 29")
    assert do("b 12").startswith("breakpoint 1: line == 12")
    assert do("clear 1") == "removed line == 12\n"
    assert do("back 3").startswith("event 1 of 29")
    assert do("n 99") == "this is the end of the run\n"
    assert do("reverse").startswith("the start")
    assert do("run").startswith("event 29 of 29")
    assert do("reset").startswith("the start")
    assert do("goto x1").startswith("event 29 of 29   x1 is complete")


def test_breakpoints_both_ways(do: Do) -> None:
    assert do("b").startswith("no breakpoints;")
    assert do("break n") == 'breakpoint 1: name == "n"   holds at 3 of 29 events\n'
    assert do('b kind == "edge" and op == "*"').startswith("breakpoint 2: ")
    assert do("c") == (
        'breakpoint 1: name == "n"\n'
        "event 9 of 29   n is computed\n"
        "  value     n = n6   + b\n"
        "              = -6.0 + 6.88137\n"
        "              = 0.881374\n"
    )
    assert do("c").splitlines()[1].startswith("event 12 of 29")
    do("goto 29")
    assert do("rc").splitlines()[1].startswith("event 27 of 29   n2 passes on to w1")
    assert do("b").count("holds at") == 2
    assert do("b grad > 99") == "breakpoint 3: grad > 99   holds nowhere here\n"
    assert do("cl") == "3 breakpoints removed\n"


@pytest.mark.parametrize("command", ["b", "run"])
def test_what_this_run_has_goes_by_its_name(do: Do, command: str) -> None:
    for name, what in (("tanh", "op"), ("*", "op"), ("edge", "kind")):
        condition = f'{what} == "{name}"'
        if command == "b":
            assert do(f"b {name}").endswith(do(f"b {condition}").partition(": ")[2])
        else:
            do("reset")
            moved = do(f"run {name}")
            do("reset")
            assert moved == do(f"run {condition}")


def test_a_module_goes_by_its_name_or_a_part_of_it() -> None:
    with scope("layers.0.neurons.3"):
        out = relu(Value(2.0, "x"))
    debugger = Debugger(Stepper(out), Terminal(io.StringIO()))
    for name in ("layers.0.neurons.3", "neurons.3", "layers"):
        assert str(debugger.names.condition(name)) == f'module == "{name}"'


def test_the_advice_on_a_function_can_be_followed(do: Do) -> None:
    for typed in ("b tan", "b tan == 1", "b tan > grad"):
        said = do(typed)
        assert 'as in tan(grad) > 0; where it is computed, op == "tan" holds' in said
    assert do("b tan(grad) > 0").startswith("breakpoint 1: ")
    assert do('b op == "tan"').startswith("breakpoint 2: ")


def test_u_takes_back(do: Do) -> None:
    do("goto 12")
    assert do("u").startswith("event 11 of 29")
    assert do("undo").startswith("event 10 of 29")


def test_a_breakpoint_that_never_holds_loses_nothing(do: Do) -> None:
    do("goto 12")
    do("b grad > 99")
    for command, end in (("c", 29), ("rc", 0)):
        said = do(command)
        assert said.startswith("the breakpoint never holds from here ")
        assert f"still at event 12 of 29 (goto {end} goes there)" in said
    do("b index > 99")
    assert do("c").startswith("no breakpoint holds")
    assert do("where").startswith("event 12 of 29")


def test_print_never_tells_too_early(do: Do) -> None:
    assert do("p n") == "  n = not yet     gradient unknown\n"
    do("goto 12")
    assert do("p n") == "  n = 0.881374    gradient 0.5 (partial)\n"
    do("next")
    assert do("p n") == "  n = 0.881374    gradient 0.5 (complete)\n"
    assert do("x1") == "  x1 = 2.0         gradient unknown\n"
    assert len(do("p").splitlines()) == 6


def test_questions(do: Do) -> None:
    assert "nothing has happened yet" in do("why")
    do("run label == 'x1' and kind == 'edge'")
    assert do("why") == do("why x1") == do("y x1")
    assert do("derive x1").startswith("1. d o/d o = 1.0")
    assert "curvature" in do("what-if x1 0") == do("whatif x1=0") == do("i x1 2 - 2")
    assert do("wrong").count("\n") == 3
    assert do("wrong no-sort").startswith("no sort: recursion")
    assert len(do("e").splitlines()) == 11
    assert do("l").startswith("the source of this node is not known; these are the events\n")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("frobnicate", "there is no command 'frobnicate'; help lists them"),
        ("whyy x1", "did you mean why?"),
        ("n 0", "a count is a whole number from 1 on, not '0'"),
        ("back x", "a count is a whole number"),
        ("goto", "where to? an event from 0 to 29"),
        ("goto 30", "there is no event 30; they go from 1 to 29"),
        ("goto -1", "there is no event -1"),
        ("goto w11", "there is no node 'w11' in this run; did you mean w1?"),
        ("p zzz", "there is no node 'zzz' in this run; print lists the leaves"),
        ("b gard > 1", "there is no 'gard'; did you mean grad?"),
        ("run grad", "this is a number: compare it"),
        ("clear 7", "there is no breakpoint '7'; there is none at all"),
        ("what-if x1", "what-if needs a name and a number"),
        ("what-if x1 y", "this needs a number, but y is a name"),
        ("what-if x1 1/0", "undefined"),
        ("what-if x1 2 $", "not allowed"),
        ("wrong turn left", "the wrong ways are no sort, overwrite, no zero_grad"),
        ("save net.py", "ends in .html or .json"),
        ("save nowhere/net.json", "nowhere/net.json can't be written"),
        ("help frobnicate", "there is no command 'frobnicate'"),
    ],
)
def test_bad_input_is_one_line_and_the_session_lives(do: Do, line: str, problem: str) -> None:
    do("goto 12")
    first, *pointer = do(line).splitlines()
    assert first.startswith("*** ")
    assert problem in first
    assert len(pointer) in (0, 2)
    assert do("where").startswith("event 12 of 29")


def test_twins_and_names_from_outside() -> None:
    a, b, stranger = Value(2.0, "a"), Value(3.0, "a"), Value(4.0)
    stream = io.StringIO()
    found = {"pair[1]": b, "stranger": stranger}
    session = Debugger(Stepper(a * b), Terminal(stream), found.__getitem__)
    session.onecmd("p a")
    assert "several nodes are called a: say n0 or n1" in stream.getvalue()
    session.onecmd("p pair[1]")
    assert "n1 = not yet" in stream.getvalue()
    session.onecmd("p stranger")
    assert "there is no node 'stranger' in this run; n2 was not computed from it" in (
        stream.getvalue()
    )


def test_ctrl_c_in_a_long_run_returns_to_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    stepper = Stepper(lecture_neuron()[0])
    session = Debugger(stepper, Terminal(io.StringIO()))
    stepper.goto(3)

    def interrupt(event: autograd.Event) -> bool:
        if event.index == 20:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr("autograd.command.debugger.names.parse_condition", lambda text: interrupt)
    with pytest.raises(KeyboardInterrupt):
        session.onecmd("run grad > 1")
    assert stepper.position == 3


def test_save_writes_the_events_or_the_page(do: Do, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert do(f"save {path}") == f"wrote 29 events to {path}\n"
    page = tmp_path / "run.html"
    assert do(f"save {page}") == f"wrote 29 events to {page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(json.loads(path.read_text(encoding="utf-8"))["events"]) == 29


def test_every_command_has_help_and_a_method(do: Do) -> None:
    listed = do("help")
    assert max(map(len, listed.splitlines())) <= 80
    for name, command in COMMANDS.items():
        assert command.usage.split()[0] == name
        assert f" {command.usage} " in listed
        about = do(f"help {name}")
        assert about.startswith(command.usage)
        assert name == "wrong" or max(map(len, about.splitlines())) <= 80
        assert callable(getattr(Debugger, f"do_{name.replace('-', '_')}"))
    assert len(ALIASES) == sum(len(command.aliases.split()) for command in COMMANDS.values())
    assert not set(ALIASES) & set(COMMANDS)
    assert do("?b") == do("h break")
    for word in ("quit", "q", "exit", "EOF"):
        assert Debugger(Stepper(Value(1.0) * 2), Terminal(io.StringIO())).onecmd(word) is True


@pytest.mark.parametrize(
    ("line", "text", "offered"),
    [
        ("goto w", "w", ["w1", "w2"]),
        ("break ab", "ab", ["abs"]),
        ("c gr", "gr", ["grad"]),
        ('b op == "t', "t", ["tanh"]),
        ("b kind == '", "", ["done", "edge", "forward"]),
        ('b module == "la', "la", ["layers", "layers.0"]),
        ("wrong n", "n", ["no sort", "no zero_grad"]),
        ("help wh", "wh", ["what-if", "where", "why"]),
    ],
)
def test_completion(line: str, text: str, offered: list[str]) -> None:
    with scope("layers.0"):
        out, _ = lecture_neuron()
    session = Debugger(Stepper(out), Terminal(io.StringIO()))
    assert session.completedefault(text, line, len(line) - len(text), len(line)) == offered
    assert session.completenames("wh") == ["what-if", "where", "why"]


def test_the_quiz() -> None:
    x = Value(3.0, "x")
    quiz = Stepper(x * x).quiz()
    stream = io.StringIO()
    exam = Examination(quiz, Terminal(stream))
    exam.preloop()
    assert exam.onecmd("two") is False
    assert exam.onecmd("7") is False
    assert exam.onecmd("hint") is False
    assert exam.onecmd("(2,0^2-1) * 1") is False
    assert exam.onecmd("") is False
    assert exam.onecmd("score") is False
    assert exam.onecmd("give up") is True
    said = stream.getvalue().splitlines()
    assert said[1] == "n1 = x * x passes d n1/d n1 = 1.0 on to x: what is its contribution?"
    assert said[2].startswith("*** this needs a number, but two is a name")
    assert said[3] == "no; try again, or say hint"
    assert said[4].startswith("d n1/d x = x")
    assert said[5] == "yes"
    assert said[7:] == [
        "0 of 1 at the first try",
        "it was 3.0",
        "that was the last one: 0 of 2 at the first try",
    ]


class Screen(io.StringIO):
    """A terminal, as wide as COLUMNS says."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 60, 77])
def test_the_help_fits_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Screen()
    session = Debugger(Stepper(Value(1.0) * 2), Terminal(stream))
    session.onecmd("help")
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    words = stream.getvalue().split()
    for command in COMMANDS.values():
        assert set(command.does.split()) <= set(words)


def test_long_names_and_formulas_fit_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    leaves = [Value(i / 7, f"layers.0.neurons.{i}.w.{i}") for i in range(30)]
    with scope("layers.0.neurons.17.with.a.long.path"), autograd.debug():
        out = relu(autograd.sum(leaves) * leaves[0])
    stream = Screen()
    session = Debugger(Stepper(out), Terminal(stream))
    for position in range(1, len(session.stepper.events) + 1):
        session.onecmd(f"goto {position}")
        session.onecmd("events")
    session.onecmd("derive")
    session.onecmd("p")
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert len(lines) > 1000


def test_a_line_without_gaps_is_broken_between_words() -> None:
    assert fold("  one two three", 11) == ["  one two", "      three"]
    assert fold("a = 1  second", 10) == ["a = 1", "    second"]
