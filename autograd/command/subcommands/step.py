"""``chainrule step``: a run line by line, as data, as a page, or in a debugger on a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from autograd.command.parser import Parser
from autograd.command.subject import Subject, add_words, subject_in
from autograd.command.terminal import Terminal
from autograd.command.usage import OK, UsageError
from autograd.errors import ChainruleError
from autograd.stepper import Stepper

EXAMPLES = """\
examples:
  chainrule step "a*sin(b)" a=2 b=3             a debugger; in a pipe, a list
  chainrule step train.py                       your file, run first; its result
  chainrule step train.py:losses[3]             or any Value its globals reach
  chainrule step train.py -- --epochs 2         what follows -- is for the file
  chainrule step "-softmax(a, b)[0]" a=2 b=-1   signs and lists need no care
  chainrule step "a*sin(b)" a=2 b=pi/4 --json   the events as data
  chainrule step train.py:loss --html why.html  a page for any browser"""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``step`` to its parser."""
    add_words(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print the run as JSON")
    forms.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write the debugger as one HTML file, for any browser",
    )


def run(args: argparse.Namespace) -> int:
    """Show a run in the form that is asked for, and return the exit code.

    Raises:
        UsageError: the run is too long.
    """
    subject = subject_in(args)
    stepper = _stepper(subject, args.expression)
    title = subject.title
    if not title:
        title = stepper.name(subject.value)
        title += f" = {subject.expression}" if subject.value.op else ""
    if args.json:
        print(json.dumps(stepper.to_json()))
        return OK
    if args.html:
        print(stepper.save(args.html, title))
        return OK
    terminal = Terminal()
    terminal.line(title, "bold")
    if terminal.is_interactive and sys.stdin.isatty():
        from autograd.command.debugger import Debugger

        count, forward = len(stepper.events), len(stepper.recording.nodes)
        terminal.line(
            f"{count:,} events: {forward:,} values forward, {count - forward:,} steps back; "
            "help lists the commands",
            "dim",
        )
        Debugger(stepper, terminal, subject.find).session()
    else:
        _print(terminal, stepper)
    return OK


def _stepper(subject: Subject, named: str) -> Stepper:
    try:
        return Stepper(subject.value)
    except ValueError as error:
        if isinstance(error, ChainruleError) or subject.expression:
            raise
        raise UsageError(
            f"{subject.name}: {str(error).partition(':')[0]}: name a smaller part of it, such as "
            f"the loss of one sample: {named.partition(':')[0]}:NAME"
        ) from None


def _print(terminal: Terminal, stepper: Stepper) -> None:
    """Print every event and every gradient."""
    part = ""
    for event in stepper.events:
        if part != (part := "Forward" if event.kind == "forward" else "Backward"):
            terminal.heading(part)
        terminal.line(f"  {event}")
    terminal.heading("Gradients")
    recording = stepper.recording
    for node in recording.nodes:
        if node.op is None:
            root, leaf = stepper.name(recording.root), stepper.name(node)
            terminal.line(f"  d {root}/d {leaf} = {recording.adjoint(node)!r}")
