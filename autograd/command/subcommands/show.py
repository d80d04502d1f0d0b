"""``chainrule show``: a saved model, looked at and asked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from math import ceil, fsum, hypot, isfinite, isqrt, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.command.account import print_network, print_next
from autograd.command.notes import Notes, described, function_of, print_figures, saved
from autograd.command.parser import Parser
from autograd.command.question import example, next_letters, question_of
from autograd.command.terminal import Terminal, as_json, percent, printable
from autograd.command.usage import OK, UsageError
from autograd.engine import Value
from autograd.functions import logsumexp, softmax
from autograd.ops import sigmoid
from autograd.stepping.notation import counted

if TYPE_CHECKING:
    from nn import Module

EXAMPLES = """\
examples:
  chainrule show chainrule-iris/model.json      layers and weights
  chainrule show chainrule-iris/model.json --out pictures     the network drawn
  chainrule show chainrule-iris/model.json 5.1 3.5 1.4 0.2    which iris is it?
  chainrule show chainrule-cars/model.json hp=110 make=Fiat    by name"""

BARS = "▁▂▃▄▅▆▇█"
WEIGHT_BINS = 16
"""Bars that tell how the weights of a tensor are spread."""

MOST_INPUTS = 12
"""More inputs than these are no boxes in the drawing: it would be all boxes of inputs."""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``show`` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="a .json or .safetensors file", type=Path)
    parser.add_argument(
        "inputs",
        metavar="X",
        nargs="*",
        default=[],
        help="NAME=VALUE or values in order: what is to be answered",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to draw it")
    parser.add_argument("--json", action="store_true", help="print what it is as JSON")


class Statistics(NamedTuple):
    """What the numbers of a tensor are like; those that are not finite are only counted."""

    name: str
    shape: tuple[int, ...]
    mean: float
    deviation: float
    least: float
    largest: float
    histogram: list[int]
    not_finite: int


def run(args: argparse.Namespace) -> int:
    """Print what a saved model is, and what it says to the inputs, and return the exit code.

    Raises:
        UsageError: the inputs are not those of the model, or the file is of another kind.
        StateError: the file is damaged or hostile.
    """
    model, notes = saved(args.model)
    statistics = _statistics(model)
    inputs: Sequence[float] = []
    remarks: Sequence[str] = []
    if notes.characters:
        if args.out:
            raise UsageError("the pictures of a text are drawn when it is learnt: chainrule train")
        answer = next_letters(model, notes, " ".join(args.inputs)) if args.inputs else []
    else:
        if args.inputs:
            inputs, remarks = question_of(args.inputs, notes, function_of(model)[0])
        answer = _answer(model, notes, inputs) if inputs else []
    files = _draw(model, notes, inputs, args.out) if args.out else {}
    for remark in remarks:
        print(f"chainrule: {printable(remark)}", file=sys.stderr)
    if args.json:
        tensors = [tensor._asdict() for tensor in statistics]
        content = described(model, notes, files, tensors=tensors, answer=dict(answer))
        print(as_json(content))
        return OK
    _print(Terminal(), args.model, model, notes, statistics, answer)
    for path in files.values():
        print(path)
    return OK


def _statistics(model: Module) -> list[Statistics]:
    """Return what the numbers of each tensor are like."""
    from nn.tensor import tensors

    found = []
    for name, tensor in tensors(model).items():
        numbers = [leaf.data for leaf in tensor.leaves if isfinite(leaf.data)]
        n = len(numbers) or 1
        mean = fsum(x / n for x in numbers)
        least, largest = min(numbers, default=0.0), max(numbers, default=0.0)
        counts = [0] * WEIGHT_BINS
        for x in numbers:
            # Halved, so that not even the widest range overflows.
            share = (x / 2 - least / 2) / (largest / 2 - least / 2) if least < largest else 0.5
            counts[min(int(share * WEIGHT_BINS), WEIGHT_BINS - 1)] += 1
        found.append(
            Statistics(
                name,
                tensor.shape,
                mean,
                hypot(*(x - mean for x in numbers)) / sqrt(n),
                least,
                largest,
                counts,
                len(tensor.leaves) - len(numbers),
            )
        )
    return found


def _answer(model: Module, notes: Notes, inputs: Sequence[float]) -> list[tuple[str, float]]:
    """Return what the model says to raw inputs: classes with probabilities, else its outputs."""
    outs = _outputs(model, inputs)
    plain = [out.data if isinstance(out, Value) else out for out in outs]
    chances: list[float] = []
    if len(notes.classes) == len(plain) > 1:
        chances = softmax(plain)
    elif len(notes.classes) == 2 and len(plain) == 1:
        chances = [1 - sigmoid(plain[0]), sigmoid(plain[0])]
    if chances:
        return sorted(zip(notes.classes, chances, strict=True), key=lambda pair: -pair[1])
    if notes.task == "regression" and len(plain) == 1:
        return [(notes.target or "prediction", plain[0])]
    return [(f"output {i + 1}", x) for i, x in enumerate(plain)]


def _outputs(model: Module, inputs: Sequence[Value | float]) -> list[Any]:
    out = function_of(model)[1](list(inputs))
    return out if isinstance(out, list) else [out]


def _draw(model: Module, notes: Notes, inputs: Sequence[float], directory: Path) -> dict[str, Path]:
    """Write the network as a graph, and the first layer's weights if its inputs are an image."""
    from autograd.drawing import picture_of, write
    from nn import Layer, plots

    given: list[Any] = list(inputs) or _centre(model)
    width = len(given)
    if not width:
        raise UsageError("the model doesn't say how many numbers it takes; to draw it, give them")
    directory.mkdir(parents=True, exist_ok=True)
    files = {}
    known = notes.preparation.inputs if notes.preparation else notes.columns
    names = known if len(known) == width else [f"x{i + 1}" for i in range(width)]
    if width <= MOST_INPUTS:
        given = [Value(x, label=name) for x, name in zip(given, names, strict=True)]
    outs = _outputs(model, given)
    root = outs[0] if len(outs) == 1 else logsumexp(outs)
    if isinstance(root, Value):
        root.backward()
        files["network"] = write(picture_of(root, level="layer"), directory / "network.svg")
    layers = [m for m in model.named_modules().values() if isinstance(m, Layer)]
    side = isqrt(layers[0].nin) if layers and layers[0].nin else 0
    if side > 2 and side * side == layers[0].nin:
        files["weights"] = directory / "weights.png"
        plots.weight_images(model, files["weights"])
    return files


def _centre(model: Module) -> list[float]:
    """Return the inputs at which to draw: the means of the data where the model knows them."""
    from nn import Standardize

    for module in model.named_modules().values():
        if isinstance(module, Standardize) and not module.invert:
            return module.means
    return [0.0] * function_of(model)[0]


def _print(
    terminal: Terminal,
    path: Path,
    model: Module,
    notes: Notes,
    statistics: Sequence[Statistics],
    answer: Sequence[tuple[str, float]],
) -> None:
    """Print what the model is, where it comes from, and its answer."""
    terminal.line(str(path), "bold")
    if notes.data:
        what = f"{len(notes.classes)} classes" if notes.classes else "a number to predict"
        what = "what comes next" if notes.characters else what
        target = f"{notes.target}, " if notes.target else ""
        terminal.line(
            f"  learnt from {notes.data} in {counted(notes.epochs, 'epoch')}: {target}{what}"
        )
    if notes.figures:
        print_figures(terminal, notes.figures, notes.unit)
    print_network(terminal, model)
    terminal.heading("Weights")
    terminal.table(
        ["tensor", "shape", "mean", "deviation", "least", "largest", "distribution"],
        [
            [
                tensor.name,
                " × ".join(map(str, tensor.shape)),
                *(f"{x:.3g}" for x in tensor[2:6]),
                bars(tensor.histogram),
            ]
            for tensor in statistics
        ],
    )
    for tensor in statistics:
        if tensor.not_finite:
            terminal.line(f"  {tensor.name} has {tensor.not_finite:,} numbers that are not finite")
    if answer:
        terminal.heading("Answer")
        is_chance = bool(notes.characters) or answer[0][0] in notes.classes
        terminal.table(
            ["", "probability" if is_chance else "value"],
            [
                [name, percent(x) if is_chance else f"{x:.6g} {notes.unit}".rstrip()]
                for name, x in answer
            ],
        )
    elif example(notes):
        print_next(terminal, path, printable(example(notes)))


def bars(counts: Sequence[int]) -> str:
    """Return a histogram in one line.

    >>> bars([0, 1, 4, 8, 2])
    ' ▁▄█▂'
    """
    highest = max(counts, default=0) or 1
    return "".join(BARS[ceil(n / highest * len(BARS)) - 1] if n else " " for n in counts)
