"""The command ``chainrule``: step through, draw and check an expression; train a network; a demo.

``step`` takes a Python file too, and is a debugger on a terminal.

Data goes to standard output, messages to standard error. Exit codes are those of
`autograd.command.usage`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from autograd.command import inspection, settings, training
from autograd.command.assignments import pairs, values_of
from autograd.command.terminal import printable
from autograd.command.usage import (
    EXIT_CODES,
    INTERRUPTED,
    MISSING,
    OK,
    PIPE_CLOSED,
    REFUSED,
    WRONG,
    UsageError,
)
from autograd.conflict import describe_conflict
from autograd.errors import ChainruleError, MissingExtraError

if TYPE_CHECKING:
    from autograd.command.expression import Expression
    from autograd.engine import Value
    from autograd.stepper import Stepper

EXAMPLES = {
    "": """\
examples:
  chainrule demo                                everything at work, step by step
  chainrule step "a*sin(b)" a=2 b=3             a backward pass, edge by edge
  chainrule step train.py:loss                  the one of your own program
  chainrule draw "a*sin(b)" a=2 b=3 -o g.svg    the graph with its gradients
  chainrule check "a*sin(b)" a=2 b=3            gradients against differences
  chainrule train moons                         a network, with its pictures
  chainrule show chainrule-moons/model.json     what a saved network is like""",
    "demo": """\
examples:
  chainrule demo                                pictures go to ./chainrule-demo
  chainrule demo --out pictures                 or where you say""",
    "step": """\
examples:
  chainrule step "a*sin(b)" a=2 b=3             a debugger; in a pipe, a list
  chainrule step train.py                       your file, run first; its result
  chainrule step train.py:losses[3]             or any Value its globals reach
  chainrule step train.py -- --epochs 2         what follows -- is for the file
  chainrule step "-softmax(a, b)[0]" a=2 b=-1   signs and lists need no care
  chainrule step "a*sin(b)" a=2 b=pi/4 --json   the events as data
  chainrule step train.py:loss --html why.html  a page for any browser""",
    "draw": """\
examples:
  chainrule draw "a*sin(b)" a=2 b=3 -o g.svg    a picture; or .png, .pdf, .dot
  chainrule draw train.py --level layer         a file's result, by modules
  chainrule draw "a*b" a=2 b=3 --format text    an outline for the terminal
  chainrule draw "a*sin(b)" a=2 b=3 | dot -Tps  the DOT source, for other tools
  chainrule draw "a*sin(b)" a=2 b=3 --json      the nodes as data""",
    "check": """\
examples:
  chainrule check "a*sin(b)" a=2 b=3
  chainrule check "a**b" a=1/3 b=2 --json       the report as data
  chainrule check train.py                      a file's result; or file.py:f
  chainrule check "relu(a)" a=0                 a kink: exit code 1""",
    "train": """\
examples:
  chainrule train moons                         results go to ./chainrule-moons
  chainrule train spirals --hidden 32,32 --activation relu --epochs 200
  chainrule train digits --resume               go on after Ctrl-C, or a crash
  chainrule train houses.csv --target price     any table: classes or numbers
  chainrule train iris --patience 10 --json     stop early; the result as data""",
    "show": """\
examples:
  chainrule show chainrule-iris/model.json      layers and weights
  chainrule show chainrule-iris/model.json --out pictures     the network drawn
  chainrule show chainrule-iris/model.json 5.1 3.5 1.4 0.2    which iris is it?""",
}

ABOUT_EXPRESSIONS = """\
expressions:
  numbers, names, + - * / ** and parentheses; the constants pi and e; and
  {functions}.
  sum, mean, logsumexp, softmax and log_softmax take numbers or one [list].
  Quote the expression, so that the shell leaves * and ( ) alone. A value is a
  number or a constant expression: x=-3, x=1e-3, x=pi/4."""


FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<name>.*))?", re.DOTALL)
"""What ``step`` takes for a file: no expression has a name after a dot."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Lists the commands without a line for their placeholder."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


class _Parser(argparse.ArgumentParser):
    """Prints the examples before everything else, and refuses in one line."""

    def __init__(self, *, examples: str = "", **settings: Any) -> None:
        super().__init__(formatter_class=_Help, allow_abbrev=False, **settings)
        self.examples = examples

    def format_help(self) -> str:
        return f"{self.examples}\n\n{super().format_help()}"

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a code page without σ is no reason to fail
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except MissingExtraError as error:
        return _fail(error, MISSING)
    except (UsageError, ChainruleError) as error:
        return _fail(error, REFUSED)
    except BrokenPipeError:
        # Python would flush standard output once more at exit, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = "; check the path" if isinstance(error, FileNotFoundError) else ""
        return _fail(f"{where}{error.strerror or error}{hint}", REFUSED)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _fail(problem: object, code: int) -> int:
    # What names a part of a file may be anything, even what steers a terminal.
    lines = map(printable, f"chainrule: {problem}".split("\n"))
    print("\n".join(lines), file=sys.stderr)
    return code


def _run(argv: list[str]) -> int:
    if conflict := describe_conflict():
        raise UsageError(conflict)
    parser = _parser()
    argv, for_file = _split_at_file(argv)
    try:
        args, rest = parser.parse_known_args(_shield_expressions(argv))
    except SystemExit:  # argparse has printed the help or the version
        return OK
    options = [word for word in rest if word.startswith("-")]
    if options:
        raise UsageError(f"there is no option {options[0]}; see chainrule --help")
    if args.command is None:
        parser.print_help()
        return OK
    if args.command == "demo":
        if rest:
            raise UsageError(f"demo takes no {rest[0]!r}; see chainrule demo --help")
        from autograd.command.demo import run

        run(args.out)
        return OK
    if args.command == "train":
        if rest:
            raise UsageError(f"train takes one data set: {rest[0]!r:.60} is one too many")
        return training.run(args)
    if args.command == "show":
        args.inputs += rest
        return inspection.run(args)
    words = [*args.values, *rest]
    file = FILE.fullmatch(args.expression.strip())
    if file:
        return _file(file["path"], file["name"] or "", words, for_file, args)
    from autograd.command.expression import parse

    expression = parse(args.expression)
    values = values_of(expression, words)
    command = {"step": _step, "draw": _draw, "check": _check}[args.command]
    return command(expression, values, args)


def _split_at_file(argv: list[str]) -> tuple[list[str], list[str]]:
    """Return the words for this command, and those after ``--`` if there is a file to get them."""
    if "--" in argv:
        end = argv.index("--")
        if any(FILE.fullmatch(word) for word in argv[:end]):
            return argv[:end], argv[end + 1 :]
    return argv, []


def _shield_expressions(argv: list[str]) -> list[str]:
    """Return ``argv`` with a blank before words such as ``-x**2``, which are no options."""
    return [
        f" {word}" if re.match("-[^-]", word) and word not in {"-h", "-o"} else word
        for word in argv
    ]


def _parser() -> _Parser:
    parser = _Parser(
        prog="chainrule",
        examples=EXAMPLES[""],
        description="A scalar autograd engine that shows its work.",
        epilog=EXIT_CODES,
        add_help=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    options = parser.add_argument_group("options")
    options.add_argument("-h", "--help", action="help", help="print this, or a command's help")
    options.add_argument("--version", action=_Version)

    def add(name: str, summary: str, epilog: str = EXIT_CODES) -> _Parser:
        command: _Parser = commands.add_parser(
            name, help=summary, examples=EXAMPLES[name], description=f"{summary}.", epilog=epilog
        )
        return command

    demo = add("demo", "Train, step through, check and draw: the whole engine at work")
    demo.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("chainrule-demo"),
        help="where the pictures go (default: %(default)s)",
    )
    settings.add_options(add("train", "Train a network, save it, and draw what happened"))
    inspection.add_options(add("show", "Show a saved network, and what it answers"))
    about = f"{_about_expressions()}\n\n{EXIT_CODES}"
    for name, summary, as_json in [
        ("step", "Step through the forward and the backward pass", "the run"),
        ("draw", "Draw the graph with its values and gradients", "the nodes"),
        ("check", "Compare the gradients with finite differences", "the report"),
    ]:
        command = add(name, summary, about)
        command.add_argument(
            "expression", metavar="EXPR | FILE.py[:NAME]", help="what to differentiate, quoted"
        )
        command.add_argument("values", metavar="name=value", nargs="*", help="its variables")
        forms = command.add_mutually_exclusive_group()
        forms.add_argument("--json", action="store_true", help=f"print {as_json} as JSON")
        if name == "step":
            forms.add_argument(
                "--html",
                metavar="FILE",
                type=Path,
                help="write the debugger as one HTML file, for any browser",
            )
        if name == "draw":
            forms.add_argument(
                "-o",
                "--out",
                metavar="FILE",
                type=Path,
                help="write a picture: .svg, .png, .pdf, .dot, .mmd (Mermaid) or .txt",
            )
            forms.add_argument(
                "--format",
                choices=["dot", "mermaid", "text"],
                default="dot",
                help="what to print without -o (default: %(default)s)",
            )
            _add_view_options(command)
    return parser


def _add_view_options(command: _Parser) -> None:
    """Add what the drawing shows of a graph."""
    view = command.add_argument_group("what the picture shows")
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
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is neither a number above 0 nor none")


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"chainrule {version('chainrule')}")
        except PackageNotFoundError:
            print("chainrule (run from source, not installed)")
        parser.exit()


def _about_expressions() -> str:
    from textwrap import fill

    from autograd.command.expression import FUNCTIONS

    functions = fill(", ".join(FUNCTIONS), 76, subsequent_indent="  ")
    return ABOUT_EXPRESSIONS.format(functions=functions)


def _evaluate(expression: Expression, values: dict[str, Value]) -> Value:
    """Return the output node, labelled for the events and the picture."""
    out = cast("Value", expression.evaluate(values))  # a node, since it has variables
    if out.op is not None and "out" not in values:
        out.label = "out"
    return out


def _step(expression: Expression, values: dict[str, Value], args: argparse.Namespace) -> int:
    from autograd.stepper import Stepper

    out = _evaluate(expression, values)
    stepper = Stepper(out)
    title = f"{stepper.name(out)} = {expression.source}" if out.op else stepper.name(out)
    return _present(stepper, title, args)


def _file(
    path: str, name: str, words: list[str], for_file: list[str], args: argparse.Namespace
) -> int:
    if args.command == "check":
        return _check_file(path, name, words, for_file, args)
    if words:
        raise UsageError(
            f"a file has its own values, so {words[0]!r:.60} is of no use; what is for the file "
            "itself follows --"
        )
    from autograd.command.script import Script

    script = Script(path, for_file)
    result = script.result(name)
    if result.stale:
        print(
            f"chainrule: leaves had changed since {result.name} was computed (the last step of "
            "an optimizer?); it was computed again with their present numbers",
            file=sys.stderr,
        )
    if args.command == "draw":
        return _draw_value(result.value, args)
    from autograd.stepper import Stepper

    try:
        stepper = Stepper(result.value)
    except ValueError as error:
        if isinstance(error, ChainruleError):
            raise
        raise UsageError(
            f"{result.name}: {str(error).partition(':')[0]}: name a smaller part of it, such as "
            f"the loss of one sample: {path}:NAME"
        ) from None
    title = f"{path}: {result.name}"
    title += f"   {result.choice}" if result.choice else ""
    return _present(stepper, title, args, script.find)


def _present(
    stepper: Stepper,
    title: str,
    args: argparse.Namespace,
    find: Callable[[str], Value] | None = None,
) -> int:
    """Show a run: as JSON, as a page, in a debugger on a terminal, else line by line."""
    if args.json:
        print(json.dumps(stepper.to_json()))
        return OK
    if args.html:
        print(stepper.save(args.html, title))
        return OK
    from autograd.command.terminal import Terminal

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
        Debugger(stepper, terminal, find).session()
        return OK
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
    return OK


def _draw(expression: Expression, values: dict[str, Value], args: argparse.Namespace) -> int:
    return _draw_value(_evaluate(expression, values), args)


def _draw_value(out: Value, args: argparse.Namespace) -> int:
    from autograd.engine import trace

    for node in trace(out)[0]:
        node.grad = 0.0  # a file may have left gradients of its own
    out.backward()
    if args.json:
        from autograd.stepper import Stepper

        data = Stepper(out).to_json()
        grads = [node.grad if isfinite(node.grad) else str(node.grad) for node in trace(out)[0]]
        nodes = [{**node, "grad": grad} for node, grad in zip(data["nodes"], grads, strict=True)]
        print(json.dumps({"schema": data["schema"], "nodes": nodes}))
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
    extensions = {"dot": "dot", "mermaid": "mmd", "text": "txt"}
    print(text_of(picture, extensions[args.format]), end="")
    if sys.stdout.isatty() and args.format != "text":
        print(f"chainrule: this is {args.format}; for a picture, add -o graph.svg", file=sys.stderr)
    return OK


def _check(expression: Expression, values: dict[str, Value], args: argparse.Namespace) -> int:
    def function(*xs: Any) -> Any:
        return expression.evaluate(dict(zip(expression.names, xs, strict=True)))

    return _report(function, list(values.values()), args)


def _check_file(
    path: str, name: str, words: list[str], for_file: list[str], args: argparse.Namespace
) -> int:
    """Check a function of a file, at the numbers given or at its ``point``; else a Value."""
    from autograd.command.script import Script
    from autograd.engine import trace
    from autograd.testing.straightline import program_of

    script = Script(path, for_file)
    called = name or "f"
    function = script.names.get(called)
    if not callable(function):
        if words:
            raise UsageError(f"{path} has no function {called}, so {words[0]!r:.60} is of no use")
        root = script.result(name).value
        leaves = [node for node in trace(root)[0] if node.op is None]
        return _report(program_of(root).__call__, leaves, args)
    if not words and "point" in script.names:
        point = script.names["point"]
        if not isinstance(point, tuple | list):
            raise UsageError(f"{path}: point must be a tuple of numbers, got {point!r:.60}")
        with script.running():
            return _report(function, list(point), args)
    parameters = list(signature(function).parameters)
    given = pairs(words)
    if set(given) != set(parameters):
        numbers = " ".join(f"{parameter}=1" for parameter in parameters)
        raise UsageError(
            f"{called} takes {', '.join(parameters) or 'nothing'}: say where to check it, as in "
            f"{path}:{called} {numbers}, or by a tuple called point in the file"
        )
    with script.running():
        return _report(function, [given[parameter] for parameter in parameters], args)


def _report(function: Callable[..., Any], point: list[Any], args: argparse.Namespace) -> int:
    """Check a gradient, print the report, and return the exit code that it calls for."""
    from autograd.checking.check import gradcheck

    report = gradcheck(function, *point)
    if args.json:
        print(json.dumps(report.to_json()))
    else:
        print(report)
    doubtful = [f"{c.label} ({c.verdict})" for c in report.inputs if c.verdict != "ok"]
    if doubtful:
        print(f"chainrule: not confirmed: {', '.join(doubtful)}", file=sys.stderr)
    return OK if report.ok else WRONG
