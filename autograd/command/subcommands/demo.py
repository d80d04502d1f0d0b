"""``chainrule demo``: the whole product at work, from one neuron to a trained network."""

from __future__ import annotations

import argparse
import random
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from math import exp, sqrt
from pathlib import Path
from typing import NamedTuple

from autograd.checking.check import gradcheck
from autograd.command.parser import Parser
from autograd.command.terminal import Terminal
from autograd.command.usage import OK
from autograd.engine import Value
from autograd.extras import missing_extra
from autograd.functions import dot, mean
from autograd.functions import sum as add
from autograd.ops import sigmoid, tanh
from autograd.stepper import Stepper
from autograd.stepping.notation import show

EXAMPLES = """\
examples:
  chainrule demo                                pictures go to ./chainrule-demo
  chainrule demo --out pictures                 or where you say"""

LECTURE = {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}
EPOCHS = 50
SHOWN = 20
"""Moons whose loss is stepped through."""
DEPTH, BAR_WIDTH = 30, 16


class Exhibit(NamedTuple):
    """A file the demo has written, and what it shows."""

    path: Path
    shows: str


def add_options(parser: Parser) -> None:
    """Add the options of ``demo`` to its parser."""
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("chainrule-demo"),
        help="where the pictures go (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the demo, write its pictures, and return the exit code.

    Raises:
        MissingExtraError: a library that draws is not installed.
        OSError: the folder can't be written to.
    """
    directory: Path = args.out
    for library in ("graphviz", "matplotlib"):
        try:
            import_module(library)
        except ImportError as error:
            missing_extra(library, "all", error)
    _require_writable(directory)
    terminal = Terminal()
    theory_neuron(terminal)
    pictures = [
        *lecture_neuron(terminal, directory),
        *two_moons(terminal, directory),
        thirty_layers(terminal, directory),
    ]
    pictures.sort(key=lambda picture: picture.path.suffix != ".html")  # what to open first
    _title(terminal, "Where everything is")
    width = max(len(str(picture.path)) for picture in pictures)
    for picture in pictures:
        terminal.line(f"  {str(picture.path).ljust(width)}   {picture.shows}")
    terminal.heading("Try next, with an expression of your own")
    terminal.line('  chainrule step "tanh(w*x + b)" w=-3 x=2 b=7')
    terminal.line('  chainrule draw "tanh(w*x + b)" w=-3 x=2 b=7 -o mine.svg')
    return OK


def theory_neuron(terminal: Terminal) -> None:
    """Differentiate z = w·x + b, a = σ(z), E = ½(a − target)², and learn for one step."""
    _title(terminal, "1  One neuron: the chain rule and the closed form")
    terminal.line("  z = w·x + b,  a = σ(z),  error = a − target,  E = ½ error²")
    w1, w2, b = leaves = Value(0.5, "w1"), Value(-1.0, "w2"), Value(0.25, "b")
    x1, x2, target, rate = 2.0, 1.5, 1.0, 1.0

    terminal.line(f"  x = ({x1:g}, {x2:g}), target = {target:g}")

    def forward() -> Value:
        z = dot([w1, w2], [x1, x2], b)
        a = sigmoid(z)
        error = a - target
        square = error**2
        cost = 0.5 * square
        z.label, a.label, error.label, square.label, cost.label = "z", "a", "error", "error²", "E"
        return cost

    cost = forward()
    _print_run(terminal, cost)
    cost.backward()

    a = 1 / (1 + exp(-(w1.data * x1 + w2.data * x2 + b.data)))
    error, slope = a - target, a * (1 - a)
    closed = [
        ("error · σ′(z) · x1", error * slope * x1),
        ("error · σ′(z) · x2", error * slope * x2),
        ("error · σ′(z)", error * slope),
    ]
    terminal.heading("The same in closed form")
    terminal.line(f"  error = a − target = {show(error)},  σ′(z) = a (1 − a) = {show(slope)}")
    terminal.line("         step by step       closed form")
    for leaf, (formula, gradient) in zip(leaves, closed, strict=True):
        name = f"dE/d{leaf.label}"
        terminal.line(f"  {name:<6} {leaf.grad:>+.15f} {gradient:>+.15f} = {formula}")

    terminal.heading(f"One step of gradient descent, w ← w − η dE/dw with η = {rate:g}")
    for leaf in leaves:
        before = leaf.data
        leaf.data -= rate * leaf.grad
        terminal.line(f"  {leaf.label:<2} {before:>+.5f} → {leaf.data:>+.5f}")
    terminal.line(f"  E  {cost.data:>+.5f} → {forward().data:>+.5f}")


def lecture_neuron(terminal: Terminal, directory: Path) -> list[Exhibit]:
    """Step through, check and draw the neuron of the micrograd lecture.

    Source: Karpathy 2022, The spelled-out intro to neural networks and backpropagation.
    """
    from autograd.drawing import write

    _title(terminal, "2  The neuron of the micrograd lecture: step, check, draw")
    x1, x2, w1, w2, b = leaves = [Value(data, name) for name, data in LECTURE.items()]
    x1w1, x2w2 = x1 * w1, x2 * w2
    s = x1w1 + x2w2
    n = s + b
    o = tanh(n)
    x1w1.label, x2w2.label, s.label, n.label, o.label = "x1w1", "x2w2", "s", "n", "o"
    _print_run(terminal, o)
    o.backward()

    terminal.heading("Gradients, against finite differences")
    report = gradcheck(lambda x1, x2, w1, w2, b: tanh(x1 * w1 + x2 * w2 + b), *leaves)
    for line in str(report).splitlines():
        terminal.line(f"  {line}")
    report.raise_if_wrong()
    page = Stepper(o).save(directory / "neuron.html", "The neuron of the micrograd lecture")
    path = write(o, directory / "neuron.svg")
    return [
        Exhibit(page, "open this first: step through the lecture's neuron"),
        Exhibit(path, "its graph as a picture"),
    ]


def two_moons(terminal: Terminal, directory: Path) -> list[Exhibit]:
    """Train a network on two moons, and draw what it has learnt."""
    from nn import MLP, fit
    from nn.data import moons
    from nn.losses import binary_cross_entropy_with_logits
    from nn.optim import SGD
    from nn.plots import decision_boundary, loss_curve

    _title(terminal, "3  A network learns two moons")
    points, labels = moons(100, noise=0.1, seed=1)
    model = MLP(2, [16, 16, 1], seed=1)
    terminal.line(
        f"  {len(points)} points, {EPOCHS} epochs, "
        f"MLP(2, [16, 16, 1]) with {len(model.parameters())} parameters"
    )
    optimizer = SGD(model.parameters(), learning_rate=0.2)
    with warnings.catch_warnings(action="ignore"):  # what they are about is said below
        history = fit(
            model,
            (points, labels),
            binary_cross_entropy_with_logits,
            optimizer,
            epochs=EPOCHS,
            batch_size=10,
        )
    if history.interrupted:
        raise KeyboardInterrupt
    terminal.heading("  epoch     loss  accuracy")
    for epoch in [1, *range(10, EPOCHS + 1, 10)]:
        loss, accuracy = history.loss[epoch - 1], history.accuracy[epoch - 1]
        terminal.line(f"  {epoch:>5} {loss:8.4f}  {accuracy:>8.1%}")
    if history.dead_units:
        terminal.line(f"  {len(history.dead_units)} of 32 units were 0 for all points: dead ReLUs")
    losses = [
        binary_cross_entropy_with_logits(model(point), label)
        for point, label in zip(points[:SHOWN], labels, strict=False)
    ]
    loss = mean(losses)
    loss.label = "loss"
    page = Stepper(loss).save(directory / "moons.html", f"Loss of {SHOWN} moons")
    boundary, curve = directory / "boundary.png", directory / "loss.png"
    decision_boundary(model, points, labels, boundary)
    loss_curve(history, curve)
    return [
        Exhibit(page, "then this: the network's backward pass, layer by layer"),
        Exhibit(boundary, "the moons, and where the network parts them"),
        Exhibit(curve, "the loss, epoch by epoch"),
    ]


def thirty_layers(terminal: Terminal, directory: Path) -> Exhibit:
    """Send a gradient back through 30 layers, built in several ways, and draw what is left."""
    from nn import Layer, Module, Residual, Sequential, clip_grad_norm
    from nn.history import layers_of
    from nn.hygiene import norms
    from nn.plots import gradient_by_depth

    _title(terminal, f"4  {DEPTH} layers deep: what is left of the gradient?")
    terminal.line(f"  Each of {BAR_WIDTH} units; the error signal at every output is 1.")

    def stack(
        activation: str, init: Callable[..., float] | None = None, residual: bool = False
    ) -> Module:
        source = random.Random(1)
        layers: list[Module] = [
            Layer(BAR_WIDTH, BAR_WIDTH, activation=activation, seed=source, init=init)
            for _ in range(DEPTH)
        ]
        if residual:
            layers = [Residual(layer, scale=1 / sqrt(DEPTH)) for layer in layers]
        return Sequential(*layers)

    def flow(model: Module) -> tuple[float, ...]:
        return norms(list(layers_of(model).values()))

    def flow_back(model: Module) -> tuple[float, ...]:
        source = random.Random(5)
        add(model([source.gauss(0, 1) for _ in range(BAR_WIDTH)])).backward()
        return flow(model)

    large = stack("relu", lambda nin, nout, source: source.gauss(0, 2))
    flows = {
        "sigmoid": flow_back(stack("sigmoid")),
        "sigmoid, residual": flow_back(stack("sigmoid", residual=True)),
        "ReLU, He": flow_back(stack("relu")),
        "ReLU, too large": flow_back(large),
    }
    clip_grad_norm(large.parameters(), 1.0)
    flows["too large, clipped"] = flow(large)
    terminal.line()
    terminal.table(
        ["norm of the gradients", "last layer", "first layer"],
        [[name, f"{layers[-1]:.1e}", f"{layers[0]:.1e}"] for name, layers in flows.items()],
    )
    path = directory / "depth.png"
    gradient_by_depth(flows, path)
    return Exhibit(path, f"the gradient on its way through {DEPTH} layers")


def _print_run(terminal: Terminal, out: Value) -> None:
    """Print every value on the way up, and every contribution on the way down."""
    events = Stepper(out).events
    terminal.heading("Forward")
    for event in events:
        if event.kind == "forward":
            terminal.line(f"  {event}")
    terminal.heading("Backward")
    for event in events:
        if event.kind == "edge":
            terminal.line(f"  {event}")


def _title(terminal: Terminal, text: str) -> None:
    terminal.heading(text)
    terminal.line("─" * len(text), "bold")


def _require_writable(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        advice = f"{error.strerror}; choose a directory with --out"
        raise OSError(error.errno, advice, str(directory)) from None
