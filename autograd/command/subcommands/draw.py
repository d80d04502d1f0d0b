"""``chainrule draw``: a graph as a picture, as text, or as data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autograd.command.parser import Parser
from autograd.command.subject import add_words, subject_in
from autograd.command.terminal import as_json
from autograd.command.usage import OK, UsageError
from autograd.functions import trace

EXAMPLES = """\
examples:
  chainrule draw "a*sin(b)" a=2 b=3 -o g.svg    a picture; or .png, .pdf, .dot
  chainrule draw train.py --level layer         a file's result, by modules
  chainrule draw "a*b" a=2 b=3 --format text    an outline for the terminal
  chainrule draw "a*sin(b)" a=2 b=3 | dot -Tps  the DOT source, for other tools
  chainrule draw "a*sin(b)" a=2 b=3 --json      the nodes as data"""

FORMATS = {"dot": "dot", "mermaid": "mmd", "text": "txt"}
"""What can be printed, and its extension as a file."""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``draw`` to its parser."""
    add_words(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print the nodes as JSON")
    forms.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="write a picture: .svg, .png, .pdf, .dot, .mmd (Mermaid) or .txt",
    )
    forms.add_argument(
        "--format",
        choices=[*FORMATS],
        default="dot",
        help="what to print without -o (default: %(default)s)",
    )
    view = parser.add_argument_group("what the picture shows")
    view.add_argument(
        "--level",
        choices=["op", "neuron", "layer", "network"],
        default="op",
        help="modules as boxes, down to this (default: every %(default)s)",
    )
    view.add_argument("--local", action="store_true", help="the local derivative on each edge")
    view.add_argument("--expand", action="store_true", help="weighted sums term by term")
    view.add_argument(
        "--budget",
        metavar="N",
        type=_budget,
        default=200,
        help="fold beyond this many boxes; none for never (default: %(default)s)",
    )
    view.add_argument(
        "--rankdir", choices=["LR", "TB", "RL", "BT"], default="LR", help="where the graph runs"
    )


def _budget(text: str) -> int | None:
    if text == "none":
        return None
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r:.60} is neither a number above 0 nor none")


def run(args: argparse.Namespace) -> int:
    """Print a graph, or write its picture, and return the exit code.

    Raises:
        UsageError: there is no such kind of picture.
    """
    out = subject_in(args).value
    order, _ = trace(out)
    for node in order:
        node.grad = 0.0  # a file may have left gradients of its own
    out.backward()
    if args.json:
        from autograd.stepper import Stepper

        data = Stepper(out).to_json()
        nodes = [
            {**node, "grad": each.grad} for node, each in zip(data["nodes"], order, strict=True)
        ]
        print(as_json({"schema": data["schema"], "nodes": nodes}))
        return OK
    from autograd.drawing import picture_of, text_of, write

    picture = picture_of(
        out,
        args.rankdir,
        level=args.level,
        local=args.local,
        expand=args.expand,
        budget=args.budget,
    )
    if args.out:
        try:
            print(write(picture, args.out))
        except ValueError as error:
            raise UsageError(str(error)) from None
        return OK
    print(text_of(picture, FORMATS[args.format]), end="")
    if sys.stdout.isatty() and args.format != "text":
        print(f"chainrule: this is {args.format}; for a picture, add -o graph.svg", file=sys.stderr)
    return OK
