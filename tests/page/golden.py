"""What Python says of some runs, as JSON: the page's engine is tested by it, under Node.

``python -m tests.page`` writes the files anew; `tests/test_page_engine.py` compares them with what
it would write.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd import Stepper, Value, hypot, logsumexp, maximum, mean, relu, scope, sqrt, tanh
from autograd.drawing.levels import fitting
from autograd.drawing.reading import Now
from autograd.drawing.structure import Structure
from autograd.drawing.view import View
from autograd.errors import DomainError
from autograd.formula import json_data
from autograd.page.content import embedded
from autograd.stepping.breakpoints import (
    Condition,
    gradient_above,
    in_module,
    non_finite,
    on_node,
    on_op,
    sign_change,
)
from autograd.stepping.events import Event, Recording
from autograd.stepping.ledger import Ledger
from autograd.stepping.mistakes import WAYS
from autograd.stepping.notation import show
from nn import MLP

FOLDER = Path(__file__).parent / "golden"


def neuron() -> Value:
    """The lecture's neuron."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    out: Value = tanh(x1 * w1 + x2 * w2 + b)
    out.label = "o"
    return out


def shared() -> Value:
    """A node with several uses, where every mistake shows."""
    x = Value(3.0, "x")
    a = x * x
    b = a + x
    return a * b


def kinks() -> Value:
    """Kinks, beside which and on which numbers lie, and a square root at 0."""
    x, y, z = Value(-0.5, "x"), Value(2.0, "y"), Value(0.0, "z")
    return relu(x) * y + maximum(x, -0.5) - abs(x - y) / 4 + sqrt(z) * 0 + relu(x + y) * x


def cancelling() -> Value:
    """Contributions of both signs, that cancel; an infinity."""
    x = Value(1e160, "x")
    return (x * 3 - x * 2.9999999999 - x * 1e-10) + x * x * 0.5 - x.log()


def formulas() -> Value:
    """Rules of all shapes, and long sums."""
    x, y = Value(1.5, "x"), Value(-0.25, "y")
    row = [x * k - y for k in range(4)]
    return logsumexp(row) + hypot(x, y) ** 2 * x**y - (-y) / x + (x - -2.0).exp().erf()


def network() -> Value:
    """The mean loss of a small network, its samples under scopes."""
    model = MLP(2, [3, 1], seed=1)
    losses = []
    for i in range(3):
        with scope(f"samples.{i}"):
            losses.append((model([0.5 * i, 1.0 - i]) - 1.0) ** 2)
    return mean(losses)


def loop() -> Value:
    """Steps in time by hand, which share their weights, and give each a loss."""
    keep, give, state = Value(0.9, "keep"), Value(0.2, "give"), Value(1.0, "start")
    total: Value | float = 0.0
    for step in range(9):
        state = tanh(state * keep + (give * (0.1 * step) if step else 0.3))
        total = (state - 0.5) ** 2 + total  # the last one is computed first
    assert isinstance(total, Value)
    return total


RUNS: dict[str, Callable[[], Value]] = {
    run.__name__: run for run in (neuron, shared, kinks, cancelling, formulas, network, loop)
}

NUMBERS = (
    0.0, -0.0, 1.0, -3.0, 0.1 + 0.2, 1 / 3, 1e16, 1e15, 123456.75, 12345678.0, 1e-4, 1.25e-5,
    -1.5e-7, 1 / 3e9, 1e100, 5e-324, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip

GUESSES = "0.5 1-0.76^2 0,5*2 -2^2 2**-1 (1+2)*3/4 .5e1 −3 2×3 1e-3 2^3^2 -(1-4)".split()


def told() -> dict[str, Any]:
    """Return the content of each file, by its name."""
    words: dict[str, Any] = {
        "numbers": [[x, show(x)] for x in NUMBERS],
        "guesses": [[text, _worked_out(text)] for text in GUESSES],
    }
    runs = {name: _run(Stepper(program())) for name, program in RUNS.items()}
    return {name: json_data(content) for name, content in {"words": words, **runs}.items()}


def write() -> None:
    """Write all files."""
    for name, content in told().items():
        lines = (f'"{key}": {json.dumps(part)}' for key, part in content.items())
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


def _worked_out(text: str) -> float:
    """Return what a guess comes to: Python's own value of it."""
    for theirs, ours in (("^", "**"), (",", "."), ("−", "-"), ("×", "*")):
        text = text.replace(theirs, ours)
    return float(eval(text))


def _run(stepper: Stepper) -> dict[str, Any]:
    """Return the page's data of a run, and what Python says of it."""
    run = stepper.recording
    data, rows = embedded(run, 0, "A run")
    inner = [node for node in run.nodes if node.op]
    return {
        "data": data,
        "rows": rows.text,
        "names": [run.name(node) for node in run.nodes],
        "definitions": [run.definition(node) for node in inner],
        "events": [_event(run, event) for event in run.events],
        "rules": [run.named_rule(e.node, e.slot) for e in run.events if e.slot is not None],
        "gradients": [_gradients(run, position) for position in _positions(run)],
        "stops": [
            {"stops": stops, "nodes": nodes, "at": [e.index for e in run.events if condition(e)]}
            for stops, nodes, condition in _conditions(run)
        ],
        "ledgers": [_ledger(stepper, node) for node in run.nodes],
        "mistakes": {way: _mistake(stepper, way) for way in WAYS},
        "what_ifs": [
            _what_if(stepper, node, value)
            for node in run.nodes[:12]
            if node.op is None
            for value in (run.value(node) + 0.125, -run.value(node) - 0.5)
            if _is_defined(stepper, node, value)
        ],
        "quiz": _quiz(stepper),
        "samples": Structure(list(run.nodes)).samples.of,
        "fans": _fans(run),
    }


def _fans(run: Recording) -> list[list[int]]:
    """Return the arrows at frames of layers: what is outside, by its last node, and how many."""
    structure = Structure(list(run.nodes))
    view = View(structure, fitting(structure, "layer", None), None, Now(run.nodes))
    found = []
    for (arg, user), fan in view.fans.items():
        if fan:
            its = view.folding.turn.get(user, (-1, 0))[0]
            outside = arg if its == fan.run else user
            found.append([view.members[outside][-1], fan.times])
    return sorted(found)


def _event(run: Recording, event: Event) -> list[Any]:
    arg = None if event.arg is None else run.position[event.arg]
    numbers = [event.upstream, event.local, event.product, event.total]
    return [event.kind, run.position[event.node], event.slot, arg, *numbers]


def _positions(run: Recording) -> list[int]:
    """Return some moments of a run, its start and its end among them."""
    return sorted({*range(0, run.length, max(1, run.length // 8)), run.length})


def _gradients(run: Recording, position: int) -> list[Any]:
    known = [run.gradient_at(position, node) for node in run.nodes]
    return [position, [[g.status, g.so_far] for g in known]]


def _conditions(run: Recording) -> list[tuple[dict[str, Any], list[int], Condition]]:
    """Return breakpoints as the page has them, and as the terminal has them."""
    node, last = run.nodes[0], run.nodes[-1].op
    assert last is not None
    return [
        ({}, [0], on_node(node)),
        ({"nan": True}, [], non_finite()),
        ({"sign": True}, [], sign_change()),
        ({"above": "0.75"}, [], gradient_above(0.75)),
        ({"op": last.name}, [], on_op(last)),
        ({"op": str(last)}, [], on_op(str(last))),
        ({"module": "layers.0"}, [], in_module("layers.0")),
        ({"above": "0.75", "op": "*"}, [0], gradient_above(0.75) | on_op("*") | on_node(node)),
        ({"above": "0.75", "op": "*", "all": True}, [], gradient_above(0.75) & on_op("*")),
    ]


def _ledger(stepper: Stepper, node: Value) -> dict[str, Any]:
    run, ledger = stepper.recording, Ledger(stepper.recording, node)
    position = run.position
    return {
        "entries": [
            [e.event, position[e.node], e.slot, e.upstream, e.local, e.product]
            for e in ledger.entries
        ],
        "cancels": ledger.cancels,
        "paths": [[[position[n] for n in path.nodes], path.product] for path in ledger.paths],
        "has_shares": bool(ledger.has_shares),
    }


def _mistake(stepper: Stepper, way: str) -> dict[str, Any]:
    mistake = stepper.wrong_way(way)
    position = stepper.recording.position
    return {
        "parting": mistake.wrong and [mistake.wrong.product, mistake.wrong.total],
        "right": mistake.right and [mistake.right.product, mistake.right.total],
        "gradients": [[position[node], wrong] for node, (_, wrong) in mistake.gradients.items()],
    }


def _is_defined(stepper: Stepper, node: Value, value: float) -> bool:
    try:
        stepper.what_if(node, value)
    except DomainError:
        return False
    return True


def _what_if(stepper: Stepper, node: Value, value: float) -> dict[str, Any]:
    found = stepper.what_if(node, value)
    return {
        "node": stepper.recording.position[node],
        "value": value,
        "predicted": found.predicted,
        "actual": found.actual,
        "new_gradient": found.new_gradient,
        "reason": found.reason,
    }


def _quiz(stepper: Stepper) -> list[Any]:
    """Return for each question some answers, and which of them are right."""
    quiz = stepper.quiz()
    found = []
    while (event := quiz.event) is not None:
        x = event.product
        answers = []
        for guess in (x * 1.002, x * 0.997, x + 2e-6, -x, x * 1.0009, x):
            is_right = quiz.answer(guess)
            answers.append([guess, is_right])
            if is_right:
                break
        else:
            quiz.give_up()
        found.append([event.index, answers])
    return found
