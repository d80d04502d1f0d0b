"""Figures of the engine and of the debugger."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.acceleration import engine_name
from tests.benchmarks.benchmark import ROUNDS, Result
from tests.benchmarks.contest import Contender, Say, hold
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import MeasurementError, measure

EAGER_ROUNDS = 9
"""Processes for each figure of the engine, which is their median."""


def eager_step(say: Say) -> Result:
    """Compare a step of the engine with micrograd's."""
    contenders = [
        Contender(
            "Chainrule, nn.MLP as shipped", lambda _: measure("engine", "mlp"), head="nn.MLP"
        ),
        Contender(
            "Chainrule, node by node", lambda _: measure("engine", "scalars"), head="node by node"
        ),
        Contender("micrograd", lambda _: measure("engine", "micrograd"), "micrograd"),
    ]
    contest = hold(contenders, EAGER_ROUNDS, say)
    losses = {name: runs[0]["loss"] for name, runs in contest.runs.items()}
    # All compute the same thing; the fused sum adds in another order.
    if not all(math.isclose(loss, min(losses.values()), rel_tol=1e-12) for loss in losses.values()):
        raise MeasurementError(f"the losses differ: {losses}")
    figures = [
        Figure(
            contest.ratio("micrograd", name),
            "×",
            f"as fast as micrograd, {what}",
            wanted,
        )
        for name, what, wanted in (
            ("Chainrule, node by node", "node by node", 8),
            ("Chainrule, nn.MLP as shipped", "nn.MLP as shipped", 40),
        )
        if "micrograd" in contest.runs
    ]
    return Result(figures, contest, [f"Chainrule's engine {default_engine()}"])


IN_C = "in C"

IN_PYTHON = "in Python"

NODES = "node by node"

ENGINES = {IN_C: "0", IN_PYTHON: "1"}
"""Both engines, with what chooses them in the environment."""


def both_engines(say: Say, *, gc: bool) -> Result:
    """Compare a step of either engine with micrograd's and a lean class's; gc as it is, or off."""
    off = () if gc else ("off",)

    def step(name: str, pure: str = "1") -> Callable[[int], Any]:
        return lambda _: measure("engine", name, *off, AUTOGRAD_PURE=pure)

    ways = {NODES: "scalars", "nn.MLP": "mlp"}
    present, notes = engines_there()
    contenders = [
        Contender(f"{way}, {engine}", step(name, ENGINES[engine]), head=engine * (way == NODES))
        for engine in present
        for way, name in ways.items()
    ]
    lean = Contender("a lean class, as microgpt's", step("lean"))
    peer = Contender("micrograd", step("micrograd"), "micrograd")
    contest = hold([*contenders, lean, peer], ROUNDS, say, typical=min)
    figures = []
    for engine in present:
        for way, wanted in zip(ways, (150, 150) if gc else (20, None), strict=True):
            ours, goal = f"{way}, {engine}", wanted if engine == IN_C else None
            if "micrograd" in contest.runs:
                ratio = contest.ratio("micrograd", ours)
                figures.append(Figure(ratio, "×", f"as fast as micrograd, {ours}", goal))
            ratio = contest.ratio(lean.name, ours)
            figures.append(Figure(ratio, "×", f"as fast as a lean class, {ours}"))
    return Result(figures, contest, notes)


def engines_there() -> tuple[list[str], list[str]]:
    """Return which engines can run here, and what is to be said of the others."""
    if engine_name() == "engine in C":
        return list(ENGINES), []
    return [IN_PYTHON], ["the engine in C is left out: it is not installed here"]


def default_engine() -> str:
    """Return which engine runs where none is chosen."""
    return engines_there()[0][0]


def derived(say: Say) -> Result:
    """Compare the engines where derivatives are checked, taken twice, or trained with."""
    present, notes = engines_there()
    figures = []
    for name, what in (
        ("check", "gradcheck, 20 inputs"),
        ("hessian", "hessian, 20 inputs"),
        ("dropout", "fit with dropout"),
    ):
        seconds = {}
        for engine in present:
            say(f"{what}, {engine}")
            runs = [
                measure("engine", name, AUTOGRAD_PURE=ENGINES[engine])["seconds"]
                for _ in range(ROUNDS)
            ]
            seconds[engine] = min(runs)
            figures.append(Figure(seconds[engine], "s", f"{what}, {engine}"))
        if IN_C in seconds:
            ratio = seconds[IN_PYTHON] / seconds[IN_C]
            figures.append(Figure(ratio, "×", f"{what}: as fast as Python", 4))
    return Result(figures, notes=notes)


def light_import(say: Say) -> Result:
    """Time ``import autograd``."""
    contest = hold(
        [Contender("import autograd", lambda _: measure("importing"))], EAGER_ROUNDS, say
    )
    runs = contest.runs["import autograd"]
    if any(run["numpy"] for run in runs):
        raise MeasurementError("import autograd brings NumPy along")
    return Result([Figure(contest.seconds("import autograd"), "s", "to import autograd")])


def memory(say: Say) -> Result:
    """Measure what a node takes."""
    say("a chain of 100,000 nodes")
    used = measure("engine", "memory")
    return Result(
        [Figure(used, "bytes", f"a node after backward, {default_engine()}", 160, at_most=True)]
    )


def chain(say: Say) -> Result:
    """Measure the life of a long chain."""
    say("a chain of 1,000,000 operations")
    stages = measure("engine", "chain")
    return Result(
        [Figure(seconds, "s", f"{stage}, {default_engine()}") for stage, seconds in stages.items()]
    )


def stepper(say: Say) -> Result:
    """Measure the debugger."""
    say("recording, moves, and why")
    found = measure("stepping", AUTOGRAD_PURE=ENGINES[IN_PYTHON])  # which it steps through
    return Result(
        [
            Figure(
                found["recording"],
                "×",
                f"a pass {IN_PYTHON}, to record 10,000 nodes",
                5,
                True,
            ),
            Figure(found["back"], "s", "back, slowest of 1,000, CPU time", 1e-3, True),
            Figure(found["goto"], "s", "goto, slowest of 2,000, CPU time", 1e-3, True),
            Figure(found["why"], "s", "why, of a weight in 100 samples, CPU time", 0.05, True),
        ]
    )
