"""Figures of compiled code."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.util import find_spec
from shutil import which
from typing import Any

from autograd.acceleration import engine_name
from tests.benchmarks.benchmark import ARRAY, CORES, ROUNDS, VALUES, Result, measure_ours, peers_in
from tests.benchmarks.contest import Contender, Contest, Say, hold
from tests.benchmarks.engine_figures import ENGINES, IN_PYTHON, engines_there
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import MeasurementError, measure


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


def beside_jax(
    script: str, kind: str, faster: float, say: Say, **environment: str
) -> tuple[Contest, list[Figure]]:
    """Return how ours does beside JAX's on one core, both right, and how many times as fast."""

    def run(who: str, _: int) -> Any:
        return measure(script, kind, who, 1, **environment)

    ours, peer = "Chainrule", "JAX, 1 thread"
    contenders = [
        Contender(ours, partial(run, "ours")),
        Contender(peer, partial(run, "jax"), "jax"),
    ]
    contest = hold(contenders, ROUNDS, say)
    require_same(contest, run("eager", 0))
    return contest, [
        Figure(contest.ratio(name, ours), "×", f"as fast as {name}", faster)
        for name in contest.peers()
    ]


def second_derivatives(kind: str, say: Say) -> Result:
    """Compare a Hessian with JAX's, on one core."""
    contest, figures = beside_jax("curvature", kind, 2, say)
    return Result(figures, contest)


def loop(kind: str, longer: str, faster: float, kept: float, say: Say) -> Result:
    """Compare the gradient of a loop with JAX's scan, on one core without a cache.

    Args:
        kind, longer: the loop, and the same with other steps.
        faster: how many times as fast is wanted.
        kept: how many seconds at most.
    """
    contest, figures = beside_jax("recurrent", kind, faster, say, CHAINRULE_CACHE="off")
    say(f"the same, {longer}")
    making = [
        measure("recurrent", each, "ours", 1, CHAINRULE_CACHE="off") for each in (kind, longer)
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
    """Compile a formula of 100,000 nodes, and compare it with both engines."""
    say("a pendulum, 20,000 steps")
    found = measure_ours("pendulum", "", CHAINRULE_CACHE="off")
    figures = [
        Figure(found["nodes"], "", "nodes, one after the other", 100_000),
        Figure(found["compile"], "s", "to compile them", 10, at_most=True),
        Figure(found["run"], "s", "for the value and the gradient"),
    ]
    present, notes = engines_there()
    for engine in present:
        say(f"the same, {engine}")
        ratio = measure_ours("eager pendulum", "", AUTOGRAD_PURE=ENGINES[engine]) / found["run"]
        wanted = 50 if engine == IN_PYTHON else None  # the reference, whatever else is installed
        figures.append(Figure(ratio, "×", f"as fast as the engine {engine}", wanted))
    return Result(figures, notes=notes)


def written_out(say: Say) -> Result:
    """Compile micrograd's own loss, and compare it with the same samples in arrays."""
    figures = []
    for samples, most in ((100, 1.0), (300, 2.5)):
        say(f"{samples} samples")
        found = measure_ours("demo", str(samples), CHAINRULE_CACHE="off")
        ratio = found["run"] / found["arrays"]
        figures += [
            Figure(found["compile"], "s", f"to compile {samples} samples", most, at_most=True),
            Figure(found["run"], "s", "for the value and the gradient"),
            Figure(ratio, "×", "as long as for arrays of samples", 1.3, at_most=True),
        ]
    return Result(figures)


LAYERS = (
    ("784-128-10", 256, "float64", 1.2),
    ("784-128-10", 1500, "float64", 1.2),
    ("784-128-10", 256, "float32", 1.2),
    ("784-128-10", 1500, "float32", 1.2),
    ("64-32-10", 1500, "float32", 1.5),
)
"""Widths, samples, numbers, and how many times as fast as JAX a step is to be."""


def layers(say: Say) -> Result:
    """Compare steps of networks with wide layers, and of single precision, with JAX's."""
    figures: list[Figure] = []
    for widths, samples, dtype, wanted in LAYERS:
        label = f"{widths}, {samples:,}, {dtype}"
        say(label)
        found = measure("layers", widths, samples, dtype)
        figures.append(Figure(1e3 * found["ours"], "ms", label))
        if "jax" in found:
            figures.append(Figure(found["jax"] / found["ours"], "×", f"JAX, {label}", wanted))
    return Result(figures)


BY_HAND = (
    ("one document", 1, "float64", 16, None),
    ("among 16", 16, "float64", 16, None),
    ("among 16, float32", 16, "float32", 16, 1.0),
    ("among 16, float32, 64 wide", 16, "float32", 64, 2.0),
)
"""Documents a step, numbers, width, and how many times as fast as C++ by hand it is to be."""


def language(say: Say) -> Result:
    """Compare the steps of a GPT in machine code with those of the eager engine, and of C++."""
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name in ("cold", "warm"):
            say(f"one document a step, {name}")
            found[name] = measure("language", "compiled", 1, CHAINRULE_CACHE=folder)
        say("16 documents a step")
        many = [measure("language", "compiled", 16, CHAINRULE_CACHE=folder) for _ in range(2)]
        say("16 documents a step, float32")
        single = [measure("language", "single", 16, CHAINRULE_CACHE=folder) for _ in range(2)]
        ratios = []
        for label, *case, wanted in BY_HAND if which("g++") else ():
            say(f"beside C++, {label}")
            beside = measure("language", "beside", *case, CHAINRULE_CACHE=folder)
            seconds = beside.pop("ours")
            if tape := beside.pop("tape", None):
                ratios.append(Figure(tape / seconds, "×", f"C++'s tape, {label}", 1.0))
            ratio = beside["hand"] / seconds
            ratios.append(Figure(ratio, "×", f"C++ by hand, {label}", wanted))
    runs = {"Chainrule, compiled": [found["warm"]]}
    others = {f"the {engine_name()}": "eager"}
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
        *ratios,
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
