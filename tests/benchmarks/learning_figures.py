"""Figures of training, by the library and by the command."""

from __future__ import annotations

import math
import statistics
import tempfile
from functools import partial
from typing import Any

from tests.benchmarks.benchmark import ROUNDS, Result, measure_ours, peers_in
from tests.benchmarks.contest import Contender, Say, hold
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import measure


def training(say: Say) -> Result:
    """Compare a whole training: seconds and accuracy, a seed for each round."""
    peers = ("scikit-learn", "PyTorch, 1 thread")
    warm, cold = "Chainrule, code from the cache", "Chainrule, without a cache"
    with tempfile.TemporaryDirectory(prefix="chainrule-") as cache:
        say("filling the cache")
        measure_ours("training", 0, CHAINRULE_CACHE=cache)

        def run(cache: str, seed: int) -> Any:
            return measure_ours("training", seed, CHAINRULE_CACHE=cache)

        contenders = [
            Contender(warm, partial(run, cache), head="from cache"),
            Contender(cold, partial(run, "off")),
            *peers_in("training", peers, with_seed=True),
        ]
        contest = hold(contenders, ROUNDS, say, typical=min)
    figures = [
        Figure(contest.ratio(peer, warm), "×", f"as fast as {peer}", wanted)
        for peer, wanted in zip(peers, (2, 4), strict=True)
        if peer in contest.runs
    ]
    accuracies = [contest.mean(peer, "accuracy") for peer in contest.peers()]
    # From seed to seed the accuracy varies by 1.2%, so that the difference of two means of five
    # has a standard deviation of 0.8%: here are three.
    least = max(accuracies) - 0.025 if accuracies else None
    right = contest.mean(warm, "accuracy")
    figures.append(Figure(right, "%", "accuracy, at most 2.5 points below peers", least))
    return Result(figures, contest)


def cold_training(say: Say) -> Result:
    """Compare a training from the command line, imports and pictures included."""
    contenders = [
        Contender("chainrule train digits", lambda _: measure("learners", "cold", "chainrule")),
        Contender("scikit-learn", lambda _: measure("learners", "cold", "sklearn"), "sklearn"),
    ]
    contest = hold(contenders, ROUNDS, say, typical=min)
    ratio = contest.seconds("chainrule train digits") / contest.seconds("scikit-learn")
    label = "as long as a script with scikit-learn"
    return Result([Figure(ratio, "×", label, 1, at_most=True)], contest)


def estimators(say: Say) -> Result:
    """Compare scores of the estimators, with their defaults, over five splits of five sets."""
    figures = []
    for name in ("iris", "digits", "breast_cancer", "wine", "diabetes"):
        differences = []
        for seed in range(5):
            say(f"{name}, split {seed + 1} of 5")
            ours, theirs = (
                measure("learners", "score", name, who, seed)["score"]
                for who in ("chainrule", "sklearn")
            )
            differences.append(ours - theirs)
        mean = statistics.mean(differences)
        # Twice the standard error of the mean of five differences.
        noise = 2 * statistics.stdev(differences) / math.sqrt(5)
        what = "R²" if name == "diabetes" else "accuracy"
        figures.append(Figure(mean, "%", f"more {what} on {name}", -noise))
    return Result(figures)


def large_table(say: Say) -> Result:
    """Time the command on a large table."""
    say("100,000 rows of ten numbers")
    found = measure("learners", "table")
    return Result(
        [
            Figure(found["seconds"], "s", f"for {found['epochs']} epochs", 60, at_most=True),
            Figure(found["r2"], "%", "of the variance explained", 0.9),
        ]
    )
