"""The figures: what is measured, against whom, and what is wanted."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any

from autograd.acceleration import engine_name
from tests.benchmarks.contest import Contender, Contest, Say, hold
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import MeasurementError, measure

EAGER_ROUNDS = 9
"""Processes for each figure of the engine, which is their median."""

ROUNDS = 5
"""Processes for each figure of the compiler, which is their median; of a training, the least."""

CORES = 2

PEERS = {  # the module, its name in peers.py, and how many cores it gets
    "micrograd": ("micrograd", "micrograd", 1),
    "JAX, 1 thread": ("jax", "jax", 1),
    "JAX, 2 threads": ("jax", "jax", 2),
    "ddx-ad": ("ddx", "ddx", 1),
    "CasADi, mapped": ("casadi", "casadi map", 1),
    "CasADi, matrices": ("casadi", "casadi matrix", 1),
    "PyTorch, 1 thread": ("torch", "torch", 1),
    "PyTorch, 2 threads": ("torch", "torch", 2),
    "scikit-learn": ("sklearn", "sklearn", CORES),
}
TENSORS = ("JAX, 1 thread", "JAX, 2 threads", "PyTorch, 1 thread", "PyTorch, 2 threads")
SCALARS = ("ddx-ad", "CasADi, mapped", "CasADi, matrices")

ARRAY = "Chainrule, parameters in one array"
VALUES = "Chainrule, through the model's Values"


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark has found.

    Attributes:
        notes: what the figures don't say, a sentence each.
    """

    figures: list[Figure] = field(default_factory=list)
    contest: Contest = field(default_factory=Contest)
    notes: list[str] = field(default_factory=list)

    @property
    def missed(self) -> list[Figure]:
        """The figures that are not what is wanted."""
        return [figure for figure in self.figures if not figure.is_reached]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        figures = [figure.to_json() for figure in self.figures]
        return {"figures": figures, **self.contest.to_json(), "notes": self.notes}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One thing that is measured.

    Attributes:
        about: what it is, in one line.
        run: measures it; is given what tells the progress.
        needs: the modules without which nothing of it can be measured.
        peers: the modules of those it is compared with.
        is_slow: whether it runs only where its name or its group's is given.
    """

    name: str
    group: str
    about: str
    run: Callable[[Say], Result]
    needs: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    is_slow: bool = False


def measure_ours(what: str, name: object, **environment: str) -> Any:
    """Return a measurement of compiled code."""
    return measure("ours", what, name, CORES, **environment)


def peers_in(kind: str, names: Iterable[str], with_seed: bool = False) -> list[Contender]:
    """Return peers as contenders in a kind of work; the round is the seed of a training."""

    def run(name: str, i: int) -> Any:
        _, key, cores = PEERS[name]
        return measure("peers", kind, key, cores, *[i] * with_seed)

    return [Contender(name, partial(run, name), PEERS[name][0]) for name in names]


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
        Figure(contest.ratio("micrograd", name), "×", f"as fast as micrograd, {what}", wanted)
        for name, what, wanted in (
            ("Chainrule, node by node", "node by node", 8),
            ("Chainrule, nn.MLP as shipped", "nn.MLP as shipped", 40),
        )
        if "micrograd" in contest.runs
    ]
    return Result(figures, contest)


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
            figures.append(Figure(ratio, "×", f"{what}, as fast as in Python", 4))
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
    return Result([Figure(used, "bytes", "a node after backward", 160, at_most=True)])


def chain(say: Say) -> Result:
    """Measure the life of a long chain."""
    say("a chain of 1,000,000 operations")
    stages = measure("engine", "chain")
    return Result([Figure(seconds, "s", stage) for stage, seconds in stages.items()])


def stepper(say: Say) -> Result:
    """Measure the debugger."""
    say("recording, moves, and why")
    found = measure("stepping", AUTOGRAD_PURE="1")  # the engine that it steps through
    return Result(
        [
            Figure(found["recording"], "×", "a plain pass, to record 10,000 nodes", 5, True),
            Figure(found["back"], "s", "back, slowest of 1,000 in 100,000", 1e-3, True),
            Figure(found["goto"], "s", "goto, slowest of 2,000 in 100,000", 1e-3, True),
            Figure(found["why"], "s", "why, of a weight in 100 samples", 0.05, True),
        ]
    )


def compiled_step(
    kind: str, names: Iterable[str], best: float, say: Say, values: float = 0, micrograd: float = 0
) -> Result:
    """Compare a compiled step with the peers'.

    Args:
        names: of the peers.
        best, values: how many times as fast as the best peer it is to be, with the parameters in
            one array and through the model's Values; 0 where the latter isn't measured.
        micrograd: how many times as fast as micrograd; 0 where it takes no part.
    """
    ours = [Contender(ARRAY, lambda _: measure_ours("array", kind), head="one array")]
    if values:
        ours.append(Contender(VALUES, lambda _: measure_ours("values", kind), head="Values"))
    slow = ["micrograd"] if micrograd else []
    contest = hold([*ours, *peers_in(kind, [*slow, *names])], ROUNDS, say)
    require_same(contest, measure_ours("eager", kind))
    figures = []
    if "micrograd" in contest.runs:
        ratio = contest.ratio("micrograd", ARRAY)
        figures.append(Figure(ratio, "×", "as fast as micrograd", micrograd))
    for peer in contest.peers()[:1]:
        ratio = contest.ratio(peer, ARRAY)
        figures.append(Figure(ratio, "×", f"as fast as the best: {peer}", best))
        if values:
            ratio = contest.ratio(peer, VALUES)
            figures.append(Figure(ratio, "×", "as fast as it, through the model's Values", values))
    return Result(figures, contest)


def require_same(contest: Contest, eager: Mapping[str, Any]) -> None:
    """Refuse a contest in which not all compute the value and the gradient of the engine."""
    expected = [eager["value"], *eager["gradient"]]
    for name, runs in contest.runs.items():
        found = [runs[0]["value"], *runs[0]["gradient"]]
        # Sums of at most 1,500 terms near 1, in other orders and through functions right to a
        # few units: at most 1e-12, and a wrong term would be near 1e-3.
        errors = [abs(a - b) for a, b in zip(found, expected, strict=True)]
        if not all(error <= 1e-9 for error in errors):  # NaN is no agreement
            raise MeasurementError(f"{name} computes another value or gradient than the engine")


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


def compilation(say: Say) -> Result:
    """Time compilation, the first call included."""
    figures = []
    for kind, wanted in (("moons relu", 0.5), ("digits", 1.5)):
        with tempfile.TemporaryDirectory(prefix="chainrule-") as cache:
            say(f"{kind}, filling the cache")
            measure_ours("compilation", kind, CHAINRULE_CACHE=cache)

            def run(cache: str, _: int, kind: str = kind) -> Any:
                return measure_ours("compilation", kind, CHAINRULE_CACHE=cache)

            cold, warm = f"{kind}, to the first gradient", f"{kind}, from the cache"
            contenders = [
                Contender(cold, partial(run, "off")),
                Contender(warm, partial(run, cache)),
            ]
            contest = hold(contenders, ROUNDS, say)
        figures.append(Figure(contest.seconds(cold), "s", cold, wanted, at_most=True))
        figures.append(Figure(contest.seconds(warm), "s", warm, 0.020, at_most=True))
    return Result(figures)


def gradient(say: Say) -> Result:
    """Measure how many times a value its gradient takes."""
    figures = []
    wanted = dict.fromkeys(("moons relu", "moons tanh", "digits"), 3.5)
    wanted |= dict.fromkeys(("Rosenbrock", "Black-Scholes", "arm"), 6)
    for name, most in wanted.items():
        ratios = []
        for i in range(ROUNDS):
            say(f"{name}, round {i + 1} of {ROUNDS}")
            ratios.append(measure_ours("gradient", name))
        figures.append(Figure(statistics.median(ratios), "×", name, most, at_most=True))
    return Result(figures)


def second_derivatives(kind: str, say: Say) -> Result:
    """Compare a Hessian with JAX's, on one core."""

    def run(who: str, _: int) -> Any:
        return measure("curvature", kind, who, 1)

    ours, peer = "Chainrule", "JAX, 1 thread"
    contenders = [
        Contender(ours, partial(run, "ours")),
        Contender(peer, partial(run, "jax"), "jax"),
    ]
    contest = hold(contenders, ROUNDS, say)
    require_same(contest, run("eager", 0))
    figures = [
        Figure(contest.ratio(name, ours), "×", f"as fast as {name}", 2) for name in contest.peers()
    ]
    return Result(figures, contest)


def loop(kind: str, longer: str, faster: float, kept: float, say: Say) -> Result:
    """Compare the gradient of a loop with JAX's scan, on one core without a cache.

    Args:
        kind, longer: the loop, and the same with other steps.
        faster: how many times as fast is wanted.
        kept: how many seconds at most.
    """

    def run(who: str, _: int) -> Any:
        return measure("recurrent", kind, who, 1, CHAINRULE_CACHE="off")

    ours, peer = "Chainrule", "JAX, 1 thread"
    contenders = [
        Contender(ours, partial(run, "ours")),
        Contender(peer, partial(run, "jax"), "jax"),
    ]
    contest = hold(contenders, ROUNDS, say)
    require_same(contest, run("eager", 0))
    say(f"the same, {longer}")
    making = [
        measure("recurrent", each, "ours", 1, CHAINRULE_CACHE="off") for each in (kind, longer)
    ]
    figures = [
        Figure(contest.ratio(name, ours), "×", f"as fast as {name}", faster)
        for name in contest.peers()
    ]
    times = [found["compile"] for found in making]
    return Result(
        [
            *figures,
            Figure(making[0]["seconds"], "s", "for value and gradient", kept, at_most=True),
            Figure(times[0], "s", "to the first gradient", 1, at_most=True),
            Figure(times[1] / times[0], "×", "of it, with other steps", 1.5, at_most=True),
        ],
        contest,
    )


def sparse(say: Say) -> Result:
    """Time sparse derivatives, compiled on one core without a cache."""
    say("a Hessian")
    found = measure("curvature", "chain", "ours", 1, CHAINRULE_CACHE="off")
    figures = [
        Figure(found["compile"], "s", "to compile the chain's Hessian, n = 1,000", 3, True),
        Figure(found["call"], "s", "for a call of it", 60e-6, True),
    ]
    for kind in ("defects", "shooting"):
        say(f"a rollout's Jacobian: {kind}")
        found = measure("curvature", "rollout", kind, 1, CHAINRULE_CACHE="off")
        label = f"to compile one of {found['nonzeros']:,}, {kind}"
        figures.append(Figure(found["seconds"], "s", label, 30e-6, at_most=True))
    return Result(figures)


def formula(say: Say) -> Result:
    """Compile a formula of 100,000 nodes, and compare it with the engine."""
    say("a pendulum, 20,000 steps")
    found = measure_ours("pendulum", "", CHAINRULE_CACHE="off")
    return Result(
        [
            Figure(found["nodes"], "", "nodes, one after the other", 100_000),
            Figure(found["compile"], "s", "to compile them", 10, at_most=True),
            Figure(found["run"], "s", "for the value and the gradient"),
            Figure(found["eager"] / found["run"], "×", "as fast as the eager engine", 50),
        ]
    )


def language(say: Say) -> Result:
    """Compare the steps of a GPT in machine code with those of the eager engine."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name in ("cold", "warm"):
            say(f"one document a step, {name}")
            found[name] = measure("language", "compiled", 1, CHAINRULE_CACHE=folder)
        say("16 documents a step")
        many = [measure("language", "compiled", 16, CHAINRULE_CACHE=folder) for _ in range(2)]
        say("16 documents a step, float32")
        single = [measure("language", "single", 16, CHAINRULE_CACHE=folder) for _ in range(2)]
    runs = {"Chainrule, compiled": [found["warm"]]}
    others = {"the eager engine": "eager"}
    if find_spec("torch"):
        others["PyTorch"] = "torch"
    for name, who in others.items():
        say(name)
        runs[name] = [measure("language", who, 1)]
    step = found["warm"]["step"]
    for name, (run,) in runs.items():
        pairs = zip(run["losses"], found["warm"]["losses"], strict=True)
        if not all(math.isclose(a, b, rel_tol=1e-6) for a, b in pairs):
            raise MeasurementError(f"{name} and compiled code have other losses")
    pairs = zip(single[1]["losses"], many[1]["losses"], strict=True)
    if not all(math.isclose(a, b, rel_tol=1e-4) for a, b in pairs):
        raise MeasurementError("float32 has other losses")
    figures = [
        Figure(step, "s", "for a step of one document, Adam included", 60e-6, at_most=True),
        Figure(many[1]["step"] / 16, "s", "for a document among 16", 9e-6, at_most=True),
        Figure(single[1]["step"] / 16, "s", "the same in float32", 5e-6, at_most=True),
        *(Figure(runs[name][0]["step"] / step, "×", f"as fast as {name}") for name in others),
        Figure(found["cold"]["making"], "s", "to compile all lengths", 10, at_most=True),
        Figure(found["warm"]["making"], "s", "to have them from the cache", 0.2, True),
    ]
    return Result(figures)


def gradbench(say: Say) -> Result:
    """Compare evals of GradBench with C++ written by hand, values and gradients at all sizes."""
    figures, notes = [], []
    for name in ("lse", "llsq", "det", "ode", "gmm"):
        say(name)
        rows = measure("handwritten", name)
        ours, theirs = (sum(row[who] for row in rows) for who in ("ours", "theirs"))
        label = f"as long as C++ written by hand, {name}"
        figures.append(Figure(ours / theirs, "×", label, 1.5, at_most=True))
        worst = max(rows, key=lambda row: row["ours"] / row["theirs"])
        notes.append(
            f"{name}, at worst: {worst['ours'] / worst['theirs']:.1f} × as long, "
            f"{1e6 * worst['ours']:.0f} µs ({worst['function']}, {worst['size']})"
        )
    return Result(figures, notes=notes)


def limits(say: Say) -> Result:
    """Compare a step with what the machine can do at best."""
    say("the machine's peak")
    peaks = {cores: measure("peak", cores) for cores in (1, CORES)}
    figures = []
    for cores, peak in peaks.items():
        where = "one core" if cores == 1 else f"{cores} cores at once"
        figures += [
            Figure(peak["flops"] / 1e9, "GFLOP/s", f"{where}, in double precision"),
            Figure(peak["L2"] / 1e9, "GB/s", f"{where}, from the second-level cache"),
            Figure(peak["memory"] / 1e9, "GB/s", f"{where}, from memory"),
        ]
    notes = []
    for kind, cores in (("moons relu", 1), ("digits", CORES)):
        ours = Contender(kind, partial(lambda kind, _: measure_ours("array", kind), kind))
        seconds = hold([ours], ROUNDS, say).seconds(kind)
        size = measure_ours("size", kind)
        arithmetic = size["flops"] / peaks[cores]["flops"]
        traffic = size["bytes"] / peaks[cores]["L2"]
        share = max(arithmetic, traffic) / seconds
        figures.append(Figure(share, "%", f"of the limit: a step, {kind}"))
        notes.append(
            f"{kind}: {size['flops'] / 1e6:.2f} MFLOP take {1e6 * arithmetic:.1f} µs at the peak "
            f"of {cores} core{'s' * (cores > 1)}, {size['bytes'] / 1e3:.0f} kB "
            f"{1e6 * traffic:.1f} µs from the second-level cache"
        )
    return Result(figures, notes=notes)


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


COMPILED = ("numpy", "llvmlite")
DATA = (*COMPILED, "sklearn")
CHECK = ("hypothesis",)
COMPILERS = ("jax", "ddx", "casadi", "torch")

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            "eager",
            "engine",
            "an eager step: MLP 2-16-16-1, ReLU, hinge loss, 100 points",
            eager_step,
            peers=("micrograd",),
        ),
        Benchmark(
            "engines",
            "engine",
            "the same in C and in Python, beside a lean class",
            partial(both_engines, gc=True),
            peers=("micrograd",),
        ),
        Benchmark(
            "engines-no-gc",
            "engine",
            "the same without Python's gc",
            partial(both_engines, gc=False),
            peers=("micrograd",),
        ),
        Benchmark("derived", "engine", "gradcheck, hessian and dropout in both engines", derived),
        Benchmark("import", "engine", "how long import autograd takes", light_import),
        Benchmark("memory", "engine", "what a node takes", memory),
        Benchmark("chain", "engine", "a chain of 1,000,000 operations", chain),
        Benchmark("stepper", "stepper", "the debugger: recording, moving, why", stepper),
        Benchmark(
            "moons",
            "compile",
            "a compiled step: MLP 2-16-16-1, ReLU, hinge loss, 100 points",
            partial(
                compiled_step,
                "moons relu",
                (*SCALARS, *TENSORS),
                4,
                values=1.5,
                micrograd=20_000,
            ),
            COMPILED,
            ("micrograd", *COMPILERS),
        ),
        Benchmark(
            "moons-tanh",
            "compile",
            "a compiled step: MLP 2-16-16-1, tanh, hinge loss, 100 points",
            partial(compiled_step, "moons tanh", (*SCALARS, *TENSORS), 2),
            COMPILED,
            COMPILERS,
        ),
        Benchmark(
            "digits",
            "compile",
            "a compiled step: MLP 64-32-10, cross-entropy, 1,500 samples",
            partial(compiled_step, "digits", TENSORS, 1.5),
            DATA,
            ("jax", "torch"),
        ),
        Benchmark(
            "training",
            "compile",
            "a training on the digits: Adam, batches of 32, 20 epochs",
            training,
            DATA,
            ("sklearn", "torch"),
        ),
        Benchmark("compilation", "compile", "how long compiling takes", compilation, DATA),
        Benchmark(
            "gradient",
            "compile",
            "how long value and gradient take, beside the value alone",
            gradient,
            DATA,
        ),
        Benchmark("formula", "compile", "a formula of 100,000 nodes", formula, COMPILED),
        Benchmark(
            "hessian",
            "compile",
            "a compiled Hessian: Rosenbrock's chain, n = 200",
            partial(second_derivatives, "rosenbrock"),
            (*COMPILED, "scipy"),
            ("jax",),
        ),
        Benchmark(
            "hessian-mlp",
            "compile",
            "a compiled Hessian: MLP 2-8-1, tanh, the mean of 100 points",
            partial(second_derivatives, "network"),
            (*COMPILED, "scipy"),
            ("jax",),
        ),
        Benchmark(
            "carries",
            "compile",
            "a loop that carries 60 scalars through 80 steps",
            partial(loop, "carries", "carries-long", 2, 320e-6),
            COMPILED,
            ("jax",),
        ),
        Benchmark(
            "lstm",
            "compile",
            "the LSTM of ADBench, 128 steps",
            partial(loop, "lstm", "lstm-short", 1.5, 1e-3),
            COMPILED,
            ("jax",),
        ),
        Benchmark(
            "sparse",
            "compile",
            "sparse derivatives: a chain's Hessian, a rollout's Jacobian",
            sparse,
            (*COMPILED, "scipy"),
        ),
        Benchmark(
            "language",
            "compile",
            "a GPT of 4,192 parameters that learns names, a document a step",
            language,
            COMPILED,
            ("torch",),
        ),
        Benchmark(
            "gradbench",
            "compile",
            "evals of GradBench beside C++ by hand, -O3 (needs g++)",
            gradbench,
            COMPILED,
        ),
        Benchmark("limits", "compile", "how near the machine's limits a step is", limits, DATA),
        Benchmark(
            "cold",
            "learning",
            "the digits by the command, in a new process",
            cold_training,
            (*DATA, "matplotlib"),
            ("sklearn",),
        ),
        Benchmark(
            "estimators",
            "learning",
            "scores of the estimators, beside scikit-learn's",
            estimators,
            DATA,
            is_slow=True,
        ),
        Benchmark(
            "large-table",
            "learning",
            "a table of 100,000 rows and ten columns, by the command",
            large_table,
            (*DATA, "pandas", "matplotlib"),
        ),
        Benchmark(
            "mutations", "gradcheck", "the wrong rules that gradcheck finds", mutations, CHECK
        ),
        Benchmark(
            "range", "gradcheck", "gradcheck on right rules from 1e-300 to 1e300", wide_range, CHECK
        ),
        Benchmark("kinks", "gradcheck", "gradcheck within 1e-12 of a kink", kinks, CHECK),
        Benchmark(
            "directions",
            "gradcheck",
            "what gradcheck costs in random directions",
            directions,
            CHECK,
        ),
        Benchmark(
            "expressions",
            "gradcheck",
            "gradcheck on 10,000 random expressions",
            expressions,
            CHECK,
            is_slow=True,
        ),
        Benchmark(
            "checkers",
            "gradcheck",
            "what the gradient checks of PyTorch and JAX find",
            checkers,
            CHECK,
            ("torch", "jax"),
            is_slow=True,
        ),
    )
}
"""By name, in the order in which they are measured."""
