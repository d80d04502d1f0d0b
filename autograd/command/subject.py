"""What ``step``, ``draw`` and ``check`` are asked about: an expression, or a file of Python."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import NamedTuple, cast

from autograd.command.assignments import values_of
from autograd.command.expression import FUNCTIONS, Expression, parse
from autograd.command.parser import Parser
from autograd.command.script import Script
from autograd.command.usage import EXIT_CODES, UsageError
from autograd.engine import Value

FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<name>.*))?", re.DOTALL)
"""What is taken for a file: no expression has a name after a dot."""

ABOUT_EXPRESSIONS = """\
expressions:
  numbers, names, + - * / ** and parentheses; the constants pi and e; and
  {functions}.
  sum, mean, logsumexp, softmax and log_softmax take numbers or one [list].
  Quote the expression, so that the shell leaves * and ( ) alone. A value is a
  number or a constant expression: x=-3, x=1e-3, x=pi/4."""


class Subject(NamedTuple):
    """A node, and what it is called.

    Attributes:
        expression: what it is computed by; "" if that is a file.
        name: of a file, what it calls the node.
        title: of a file, its path and which of its results this is.
        find: looks up another Value of a file.
    """

    value: Value
    expression: str = ""
    name: str = ""
    title: str = ""
    find: Callable[[str], Value] | None = None


def add_words(parser: Parser) -> None:
    """Add the words that name the subject, and what the help says of them."""
    from textwrap import fill

    functions = fill(", ".join(FUNCTIONS), 76, subsequent_indent="  ")
    parser.epilog = f"{ABOUT_EXPRESSIONS.format(functions=functions)}\n\n{EXIT_CODES}"
    parser.hands_on = FILE.fullmatch
    parser.usage = f"{parser.prog} [options] EXPR | FILE.py[:NAME] [name=value ...]"
    parser.add_argument(
        "expression", metavar="EXPR | FILE.py[:NAME]", help="what to differentiate, quoted"
    )
    # Without a default, argparse counts them among what is required.
    parser.add_argument("values", metavar="name=value", nargs="*", default=[], help="its variables")


def file_in(args: argparse.Namespace) -> tuple[str, str] | None:
    """Return the path of the file that is named, and the name in it or ""; None if none is."""
    file = FILE.fullmatch(args.expression.strip())
    return file and (file["path"], file["name"] or "")


def expression_in(args: argparse.Namespace) -> tuple[Expression, dict[str, Value]]:
    """Return the expression that is given, and a leaf for each of its variables.

    Raises:
        ExpressionError, UsageError: it, or a word that follows it, can't be read.
    """
    expression = parse(args.expression)
    return expression, values_of(expression, args.values)


def subject_in(args: argparse.Namespace) -> Subject:
    """Return the node that is asked about.

    Raises:
        ExpressionError, UsageError, ScriptError: there is none.
    """
    file = file_in(args)
    if file is None:
        expression, values = expression_in(args)
        out = cast(Value, expression.evaluate(values))  # a node, since it has variables
        if out.op is not None and "out" not in values:
            out.label = "out"
        return Subject(out, expression.source)
    if args.values:
        raise UsageError(
            f"a file has its own values, so {args.values[0]!r:.60} is of no use; what is for the "
            "file itself follows --"
        )
    path, name = file
    script = Script(path, args.handed_on)
    root = script.root(name)
    if root.stale:
        print(
            f"chainrule: leaves had changed since {root.name} was computed (the last step of "
            "an optimizer?); it was computed again with their present numbers",
            file=sys.stderr,
        )
    title = f"{path}: {root.name}" + (f"   {root.choice}" if root.choice else "")
    return Subject(root.value, "", root.name, title, script.find)
