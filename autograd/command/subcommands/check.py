"""``chainrule check``: gradients against finite differences, and what that calls for."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from autograd.checking.check import gradcheck
from autograd.checking.report import Report
from autograd.checking.verdict import CONFIRMED
from autograd.command.assignments import pairs
from autograd.command.parser import Parser
from autograd.command.script import Script
from autograd.command.subject import add_words, expression_in, file_in
from autograd.command.usage import OK, WRONG, UsageError
from autograd.errors import GradientError
from autograd.functions import trace

EXAMPLES = """\
examples:
  chainrule check "a*sin(b)" a=2 b=3
  chainrule check "a**b" a=1/3 b=2 --json       the report as data
  chainrule check train.py                      a file's result; or file.py:f
  chainrule check "relu(a)" a=0                 a kink: between its slopes
  chainrule check "sin(a)" a=1e20 --strict      1 unless all are confirmed"""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``check`` to its parser."""
    add_words(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 unless every input is confirmed"
    )


def run(args: argparse.Namespace) -> int:
    """Check an expression, a function or a Value, and return the exit code that is called for."""
    file = file_in(args)
    if file is not None:
        return _check_file(*file, args)
    expression, values = expression_in(args)

    def function(*xs: Any) -> Any:
        return expression.evaluate(dict(zip(expression.names, xs, strict=True)))

    return _said(gradcheck(function, *values.values()), args)


def _check_file(path: str, name: str, args: argparse.Namespace) -> int:
    """Check a function of a file, at the numbers given or at its ``point``; else a Value."""
    from autograd.testing.straightline import program_of

    script = Script(path, args.handed_on)
    called = name or "f"
    function = script.names.get(called)
    if not callable(function):
        if args.values:
            raise UsageError(
                f"{path} has no function {called}, so {args.values[0]!r:.60} is of no use"
            )
        root = script.root(name).value
        leaves = [node for node in trace(root)[0] if node.op is None]
        return _said(gradcheck(program_of(root).__call__, *leaves), args)
    point = _point(script, called, function, args.values)
    with script.running(called):
        report = gradcheck(function, *point)
    return _said(report, args)


def _point(
    script: Script, called: str, function: Callable[..., Any], words: list[str]
) -> list[Any]:
    """Return where to check a function: at the numbers given, else at the file's ``point``.

    Raises:
        UsageError: there is no such place.
    """
    if not words and "point" in script.names:
        point = script.names["point"]
        if not isinstance(point, tuple | list):
            raise UsageError(f"{script.path}: point must be a tuple of numbers, got {point!r:.60}")
        return list(point)
    try:
        parameters = signature(function).parameters
    except (TypeError, ValueError):
        raise UsageError(
            f"{called} doesn't say what it takes: check a function that calls it"
        ) from None
    for word in words:
        if word.partition("=")[2].lstrip().startswith(("[", "(")):
            raise UsageError(
                f"{word!r:.60} is no number: lists are given in the file, as in point = ([1, 2],)"
            )
    given = pairs(words)
    asked = [name for name, parameter in parameters.items() if parameter.default is Parameter.empty]
    if not given or not set(asked) <= set(given) <= set(parameters):
        numbers = " ".join(f"{name}=1" for name in asked or parameters)
        raise UsageError(
            f"{called} takes {', '.join(parameters) or 'nothing'}: say where to check it, as in "
            f"{script.path}:{called} {numbers}, or by a tuple called point in the file"
        )
    # What stands before the last one that is given has its default; what stands behind is left out.
    last = max(i for i, name in enumerate(parameters) if name in given)
    passed = list(parameters.items())[: last + 1]
    return [given.get(name, parameter.default) for name, parameter in passed]


def _said(report: Report, args: argparse.Namespace) -> int:
    """Print a report, and return the exit code that it calls for."""
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        print(report)
    doubtful = [
        f"{check.label} ({check.verdict})"
        for check in report.inputs
        if check.verdict not in CONFIRMED
    ]
    if doubtful:
        print(f"chainrule: not confirmed: {', '.join(doubtful)}", file=sys.stderr)
    try:
        report.raise_if_wrong(args.strict)
    except GradientError:
        return WRONG
    return OK
