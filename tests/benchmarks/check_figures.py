"""Figures of the gradient check."""

from __future__ import annotations

from collections import Counter
from functools import partial

from tests.benchmarks.benchmark import Result
from tests.benchmarks.contest import Contender, Contest, Say, hold
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import measure


def mutations(say: Say) -> Result:
    """Count the wrong rules that the gradient check finds."""
    say("rules scaled, shifted, negated, zeroed and swapped")
    outcomes = Counter(measure("checking", "mutations"))
    differing = outcomes.total() - outcomes["same"]
    share = outcomes["detected"] / differing
    return Result(
        [Figure(share, "%", f"of {differing:,} wrong rules found and named", 1)],
        notes=[
            f"{outcomes['missed']} missed, {outcomes['misnamed']} misnamed; "
            f"{outcomes['same']} changes made no difference"
        ],
    )


def expressions(say: Say) -> Result:
    """Count false alarms on random expressions."""
    from autograd.checking.line import BUDGET

    say("random expressions")
    found = measure("checking", "expressions")
    count, verdicts = found["expressions"], Counter(found["verdicts"])
    return Result(
        [
            Figure(
                verdicts["wrong"], "", f"false alarms on {count:,} expressions", 0, at_most=True
            ),
            Figure(_share(verdicts, "ok"), "%", "of the inputs ok", 0.95),
            Figure(found["evaluations"], "", "evaluations for an input, at worst", BUDGET, True),
        ],
        notes=[_counted(verdicts)],
    )


def wide_range(say: Say) -> Result:
    """Count false alarms on the rows of the table, over nearly all magnitudes."""
    say("the rows of the table")
    found = measure("checking", "range")
    every, smooth = Counter(found["every"]), Counter(found["smooth"])
    return Result(
        [
            Figure(every["wrong"], "", "false alarms on the table", 0, at_most=True),
            Figure(_share(smooth, "ok"), "%", "ok, where smooth and representable", 0.95),
        ],
        notes=[f"all: {_counted(every)}", f"smooth and representable: {_counted(smooth)}"],
    )


def kinks(say: Say) -> Result:
    """Count the kinks that are recognised."""
    say("kinks")
    verdicts = Counter(measure("checking", "kinks"))
    label = f"of {verdicts.total()} points at and by kinks named so"
    return Result([Figure(_share(verdicts, "kink"), "%", label, 1)])


def directions(say: Say) -> Result:
    """Count evaluations where inputs are too many to go through one by one."""
    from autograd.checking.line import BUDGET

    say("functions of many inputs")
    counts = measure("checking", "directions")
    return Result(
        [
            Figure(count, "", f"evaluations for {int(n):,} inputs", 3 * BUDGET + 1, at_most=True)
            for n, count in counts.items()
        ]
    )


def checkers(say: Say) -> Result:
    """Count the false alarms and the misses of the peers' gradient checks."""
    contenders = [
        Contender(name, partial(lambda key, _: measure("checking", key), key), key)
        for name, key in (("PyTorch's gradcheck", "torch"), ("JAX's check_grads", "jax"))
    ]
    contest = hold(contenders, 1, say)
    figures = []
    for name, (found,) in contest.runs.items():
        figures.append(Figure(found["alarms"], "", f"false alarms of {name}"))
        figures.append(Figure(found["misses"], "", "rules scaled by 1.001 that pass it"))
    points = [f"{found['points']:,}" for (found,) in contest.runs.values()]
    notes = [f"on {points[0]} smooth points, with the peers' defaults"] if points else []
    return Result(figures, Contest(failed=contest.failed), notes)


def _share(verdicts: Counter[str], verdict: str) -> float:
    return verdicts[verdict] / verdicts.total()


def _counted(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
