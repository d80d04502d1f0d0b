"""The command ``chainrule``: finds the subcommand, and loads nothing else.

A subcommand is a module in `autograd.command.subcommands` with its ``EXAMPLES``,
``add_options(parser)`` and ``run(args)``, which returns the exit code, and a line in
`SUBCOMMANDS`. Data goes to standard output, messages to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd.command.usage import EXIT_CODES, OK, UsageError, exit_code
from autograd.conflict import describe_conflict

if TYPE_CHECKING:
    from autograd.command.parser import Parser

SUBCOMMANDS = {
    "demo": "Train, step through, check and draw: the whole engine at work",
    "step": "Step through the forward and the backward pass",
    "draw": "Draw the graph with its values and gradients",
    "check": "Compare the gradients with finite differences",
    "grade": "Mark derivative rules that a student wrote",
    "train": "Train a network, save it, and draw what happened",
    "show": "Show a saved network, and what it answers",
    "export": "Write a saved network as C, Python, JAX or PyTorch",
}
"""By name, what each does, in one line."""

EXAMPLES = """\
examples:
  chainrule demo                                everything at work, step by step
  chainrule step "a*sin(b)" a=2 b=3             a backward pass, edge by edge
  chainrule step train.py:loss                  the one of your own program
  chainrule draw "a*sin(b)" a=2 b=3 -o g.svg    the graph with its gradients
  chainrule check "a*sin(b)" a=2 b=3            gradients against differences
  chainrule grade student.py                    derivative rules, marked
  chainrule train moons                         a network, with its pictures
  chainrule show chainrule-moons/model.json     what a saved network is like"""

HELP = """\
{examples}

usage: chainrule [-h] [--version] COMMAND ...

A scalar autograd engine that shows its work.

commands:
{commands}

options:
  -h, --help          print this, or a command's help
  --version           print the version
  --completion SHELL  print what completes commands and options: bash, zsh, fish

{exit_codes}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    return exit_code(lambda: _run(words))


def _run(words: list[str]) -> int:
    if conflict := describe_conflict():
        raise UsageError(conflict)
    name, *rest = words or ["--help"]
    if name in ("-h", "--help", "help"):
        commands = "\n".join(f"  {name:<8}{summary}" for name, summary in SUBCOMMANDS.items())
        print(HELP.format(examples=EXAMPLES, commands=commands, exit_codes=EXIT_CODES), end="")
        return OK
    if name == "--version":
        from autograd import __version__
        from autograd.acceleration import engine_name

        print(f"chainrule {__version__} ({engine_name()})")
        return OK
    if name == "--completion":
        from autograd.command.completion import script_for

        parsers = {each: (summary, _parts(each)[1]) for each, summary in SUBCOMMANDS.items()}
        print(script_for(rest[0] if rest else "", parsers), end="")
        return OK
    if name not in SUBCOMMANDS:
        raise UsageError(_unknown(name))
    subcommand, parser = _parts(name)
    args = parser.parse(rest)
    code: int = OK if args is None else subcommand.run(args)
    return code


def _parts(name: str) -> tuple[Any, Parser]:
    """Return the module of a subcommand, and the parser of its words."""
    from autograd.command.parser import Parser

    subcommand = import_module(f"autograd.command.subcommands.{name}")
    parser = Parser(
        prog=f"chainrule {name}",
        examples=subcommand.EXAMPLES,
        description=f"{SUBCOMMANDS[name]}.",
    )
    subcommand.add_options(parser)
    return subcommand, parser


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    if name.startswith("-"):
        close = get_close_matches(name, ["--help", "--version", "--completion"], n=1)
        hint = f"did you mean {close[0]}?" if close else "see chainrule --help"
        return f"there is no option {name:.60}; {hint}"
    close = get_close_matches(name, SUBCOMMANDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"they are {', '.join(SUBCOMMANDS)}"
    return f"there is no command {name!r:.60}; {hint}"
