"""``chainrule export``: a saved model as source code that runs without this package."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograd.command.exported import as_header, as_onnx, constants_of, predicting
from autograd.command.exported_gpt import gpt_header
from autograd.command.notes import Notes, saved
from autograd.command.parser import Parser
from autograd.command.usage import OK, UsageError
from autograd.compiler.targets import source
from autograd.files import write_whole

if TYPE_CHECKING:
    from nn import Module

EXAMPLES = """\
examples:
  chainrule export chainrule-iris/model.json -o iris.h     a C header, C99
  chainrule export chainrule-iris/model.json -o iris.h --real float --step
  chainrule export chainrule-names/model.json -o names.h   a GPT, letters too
  chainrule export chainrule-iris/model.json -o iris.py    plain Python
  chainrule export chainrule-iris/model.json -o iris.onnx  ONNX (extra export)
  chainrule export chainrule-iris/model.json --to jax      or torch, printed"""

PYTHON = (".py",)

TARGETS = {
    "c": (".h", ".hpp", ".hh", ".c", ".inc"),
    "python": PYTHON,
    "jax": PYTHON,
    "torch": PYTHON,
    "onnx": (".onnx",),
}
"""What it may be written as, and how the name of such a file ends."""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``export`` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="a .json or .safetensors file", type=Path)
    parser.add_argument(
        "-o", "--out", metavar="FILE", type=Path, help="where it goes (default: it is printed)"
    )
    parser.add_argument(
        "--to", choices=TARGETS, help="default: c, python for FILE.py, onnx for FILE.onnx"
    )
    parser.add_argument(
        "--real",
        choices=["double", "float"],
        default="double",
        help="of C and ONNX (default: %(default)s)",
    )
    header = parser.add_argument_group("of a C header")
    header.add_argument(
        "--name", help="what every identifier begins with (default: the file's name)"
    )
    header.add_argument(
        "--step", action="store_true", help="with a step of gradient descent, to go on learning"
    )


def run(args: argparse.Namespace) -> int:
    """Write a saved model as source code, and return the exit code.

    Raises:
        UsageError: the model can't be written so, or the options don't go together.
        StateError: the file is damaged or hostile.
        CompileError: a row has no spelling in the language.
        MissingExtraError: ONNX is asked for, and not installed.
    """
    model, notes = saved(args.model)
    ending = args.out.suffix if args.out else ""
    target = args.to or {".py": "python", ".onnx": "onnx"}.get(ending, "c")
    if args.out and ending not in TARGETS[target]:
        raise UsageError(
            f"{args.out} is no name for {target}: write, say, -o {args.out.stem or 'model'}"
            f"{TARGETS[target][0]}"
        )
    if target == "onnx" and not args.out:
        raise UsageError("a model in ONNX is no text: write, say, -o model.onnx")
    if target != "c" and (args.step or args.name):
        raise UsageError(f"--name and --step are of a C header, not of {target}")
    if target not in ("c", "onnx") and args.real != "double":
        raise UsageError(f"--real is of C and ONNX, not of {target}")
    code = _written(model, notes, target, args)
    if args.out:
        write_whole(args.out, code)
        print(args.out)
    else:
        sys.stdout.write(code.decode())
    return OK


def _written(model: Module, notes: Notes, target: str, args: argparse.Namespace) -> bytes:
    """Return what the file is to hold."""
    from nn import GPT

    name = args.name or _name(args.out.stem if args.out else "model")
    if type(model) is GPT:
        if target != "c":
            raise UsageError(
                f"a GPT is exported as a C header, with its letters, not as {target}: write, say, "
                "-o model.h"
            )
        return gpt_header(model, notes.characters, name, args.real, args.step).encode()
    if target == "c":
        return as_header(model, notes, name, args.real, args.step).encode()
    if target == "onnx":
        return as_onnx(model, notes, args.real)
    found = predicting(model)
    code = source(found.program, target)
    return f"{code}\n\n{constants_of(notes, [p.data for p in found.parameters])}".encode()


def _name(stem: str) -> str:
    """Return a file's name as an identifier."""
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return name if name[:1].isalpha() else f"model_{name}"
