"""``chainrule grade``: the derivative rules that a student wrote, each with its mark."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from itertools import product
from pathlib import Path
from sys import stderr
from typing import Any

from autograd.command.grading.answer import tasks_of_rows, unasked
from autograd.command.grading.asked import Task, tasks_in
from autograd.command.grading.marking import Mark, mark
from autograd.command.parser import Parser
from autograd.command.script import Script
from autograd.command.usage import OK, WRONG, UsageError
from autograd.errors import ScriptError
from autograd.files import write_whole
from autograd.formula import json_data
from autograd.operation import TABLE
from autograd.stepping.notation import aligned

EXAMPLES = """\
examples:
  chainrule grade student.py                    rules of the engine's rows
  chainrule grade student.py --rules table.py   of a teacher's own functions
  chainrule grade student.py -o results.json    for an autograder (Gradescope)"""

FORMS = """\
TABLE.py holds, say,                STUDENT.py one of
  def square(x): return x * x         rules = {"square": lambda y, x: 2 * x}
  points = {"square": [3, -1]}        def d_square(x): return 2 * x
  scores = {"square": 2}              square = Op("square", ...)
                                      def square(x): ...  of Values
                                      class Value: ...    an engine"""


ENDS = ("_exit", "abort", "execv", "execve")
"""What of `os` ends a process, with everything else in there that calls these."""

SECONDS = 10
"""So long the functions of a student may take for one rule."""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``grade`` to its parser."""
    parser.description = f"{parser.description}\n\n{FORMS}"
    parser.add_argument("student", metavar="STUDENT.py", help="the file with the rules")
    parser.add_argument(
        "--rules",
        metavar="TABLE.py",
        help="the file with the functions whose derivatives are asked for, and where "
        "(points) and for how much (scores), if they say so (default: the engine's own rows)",
    )
    parser.add_argument("--json", action="store_true", help="print the marks as JSON")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="write results.json as Gradescope reads it",
    )


def run(args: argparse.Namespace) -> int:
    """Mark a student's rules, and return 1 unless all are right.

    Raises:
        ScriptError: a file can't be run. What is asked of the student is worth nothing then,
            and the results say so.
        UsageError: the teacher's file can't be used.
    """
    tasks = tasks_in(Script(args.rules)) if args.rules else []
    if args.student.endswith(".ipynb"):
        raise UsageError(f"{args.student} is a notebook: save it as a script, a .py file")
    if args.out:  # a program that is ended from outside leaves this behind
        _write(args.out, [Mark(each, "fails", said="the program ended") for each in tasks])
    with endless():
        try:
            script = Script(args.student)
        except ScriptError as error:
            if args.out:
                _write(args.out, [Mark(each, "fails", said=str(error)) for each in tasks])
            raise
        if said := unasked(script, [each.name for each in tasks] or TABLE):
            print(f"chainrule: {script.path}: {said}", file=sys.stderr)
        tasks = tasks or tasks_of_rows(script)
        marks = [_marked(task, script) for task in tasks]
    print(json.dumps(_as_data(marks), allow_nan=False) if args.json else _told(marks))
    if args.out:
        _write(args.out, marks)
    return OK if all(each.verdict == "right" for each in marks) else WRONG


def _marked(task: Task, script: Script) -> Mark:
    with redirect_stdout(stderr), limited(SECONDS):  # what the student's functions print
        return mark(task, script)


@contextmanager
def endless() -> Iterator[None]:
    """Have what would end the process inside raise SystemExit, as `sys.exit` does.

    With the process the marks would end, and its exit code would say that all of them are right.
    A process that is forked inside still ends as it likes.
    """
    ours, before = os.getpid(), {name: getattr(os, name) for name in ENDS if hasattr(os, name)}
    places = [os, sys.modules[os.name]]  # the module that os has them from, posix or nt

    def ending(name: str) -> Callable[..., None]:
        def end(*args: Any, **kwargs: Any) -> None:
            if os.getpid() != ours:
                before[name](*args, **kwargs)
            raise SystemExit(f"os.{name}")

        return end

    for place, name in product(places, before):
        setattr(place, name, ending(name))
    try:
        yield
    finally:
        for place, (name, end) in product(places, before.items()):
            setattr(place, name, end)


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in what takes longer, where the system has an alarm."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def end(number: int, frame: object) -> None:
        raise TimeoutError(f"it did not end in {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _told(marks: Sequence[Mark]) -> str:
    """Return the marks as a table, and below it what is wrong with each."""
    rows = [("rule", "verdict", "score")]
    rows += [(m.task.name, m.verdict, f"{m.score:g}/{m.task.score:g}") for m in marks]
    told = aligned(rows)
    notes = [f"{m.task.name}: {_note(m)}" for m in marks if m.verdict != "right" or m.said]
    total = f"{sum(m.score for m in marks):g} of {sum(m.task.score for m in marks):g}"
    right = sum(m.verdict == "right" for m in marks)
    told += ["", *notes] if notes else []
    return "\n".join([*told, "", f"{right} of {len(marks)} right, score {total}"])


def _note(each: Mark) -> str:
    """Return in a sentence why an answer is not right."""
    at = f" ({each.where})" if each.where else ""
    if each.verdict == "right":
        return each.said
    if each.found:
        found = each.found
        how = f": {found.how}" if found.how else ""
        return (
            f"at {found.at}, {found.of} is {found.right:.9g}, and the answer gives "
            f"{found.gives:.9g}{at}{how}"
        )
    if each.verdict == "missing":
        return f"no answer{f'; {each.said}' if each.said else ''}"
    if each.verdict == "fails":
        return f"{each.said}{at}"
    return f"nowhere asked can its derivative be measured{at}"


def _as_data(marks: Sequence[Mark]) -> dict[str, Any]:
    """Return the marks as plain data; non-finite numbers are strings."""
    return {
        "score": sum(m.score for m in marks),
        "max_score": sum(m.task.score for m in marks),
        "rules": [
            {
                "name": m.task.name,
                "verdict": m.verdict,
                "score": m.score,
                "max_score": m.task.score,
                "where": m.where,
                "counterexample": json_data(m.found._asdict()) if m.found else None,
                "note": _note(m),
            }
            for m in marks
        ],
    }


def _write(path: Path, marks: Sequence[Mark]) -> None:
    """Write what Gradescope's autograder reads: a test for each task."""
    tests = [
        {
            "name": m.task.name,
            "score": m.score,
            "max_score": m.task.score,
            "status": "passed" if m.verdict == "right" else "failed",
            "output": _note(m) or "right",
        }
        for m in marks
    ]
    text = json.dumps({"tests": tests}, indent=2, allow_nan=False)
    write_whole(path, f"{text}\n".encode())
