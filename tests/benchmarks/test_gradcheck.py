"""The figures of the gradient check: what it detects, what it leaves alone, what it costs.

``pip install '.[bench]' && pytest tests/benchmarks/test_gradcheck.py -m benchmark``
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from autograd import TABLE, DomainError, Op, clamp, grad, gradcheck, hypot, maximum, relu, where
from autograd import abs as absolute
from autograd.differences import BUDGET
from autograd.straightline import Program
from autograd.strategies import expressions, floats_in

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutations import find_mutants, judge

pytestmark = pytest.mark.benchmark

EXPRESSIONS = 10_000
WIDE = 150
"""Points per row, from 1e-300 to 1e300."""

PEERS = 50
"""The peers get every fiftieth of these points: they take longer."""

NORMAL = sys.float_info.min


def drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Return what a strategy gives in a fixed sequence."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


@pytest.fixture(scope="module")
def programs() -> list[Program]:
    return drawn(expressions(), EXPRESSIONS)


@pytest.fixture(scope="module")
def wide_points() -> list[tuple[Op, tuple[float, ...]]]:
    return [(op, args) for op in TABLE.values() for args in drawn(floats_in(op, wide=True), WIDE)]


def is_representable(op: Op, args: tuple[float, ...], slot: int) -> bool:
    """Return whether value and derivative are ordinary floats, which differences can show.

    An overflow isn't, nor a subnormal number, nor a wave shorter than the floats' spacing.
    """
    value, slope = op(*args), grad(op, slot)(*args)
    ordinary = all(math.isfinite(x) and (x == 0 or abs(x) > NORMAL) for x in (value, slope))
    waves = op.name in ("sin", "cos", "tan") and math.ulp(args[0]) > 1e-3
    return ordinary and not waves


def test_mutations(figure) -> None:
    outcomes = Counter(
        judge(mutant, args)
        for op in list(TABLE.values())
        for mutant, args in find_mutants(op, points=5)
    )
    differing = outcomes.total() - outcomes["same"]
    share = outcomes["detected"] / differing
    figure(
        f"mutations: {outcomes['detected']} of {differing} that differ detected, and the op "
        f"named ({share:.1%}; wanted 100%); {outcomes['missed']} missed, "
        f"{outcomes['misnamed']} misnamed; {outcomes['same']} didn't differ"
    )
    assert share == 1


def test_false_alarms_on_expressions(figure, programs) -> None:
    verdicts: Counter[str] = Counter()
    worst = 0.0
    for program in programs:
        report = gradcheck(program, *program.inputs)
        verdicts.update(check.verdict for check in report.inputs)
        worst = max(worst, (report.evaluations - 1) / len(program.inputs))
    figure(f"{len(programs):,} random expressions: {summary(verdicts)} (wanted 0 wrong, 95% ok)")
    figure(f"evaluations of f per input: at most {worst:.0f}, and one in all (wanted 30)")
    assert verdicts["wrong"] == 0
    assert verdicts["ok"] >= 0.95 * verdicts.total()
    assert worst <= BUDGET


def test_false_alarms_from_1e_minus_300_to_1e300(figure, wide_points) -> None:
    every: Counter[str] = Counter()
    smooth: Counter[str] = Counter()
    for op, args in wide_points:
        for slot, check in enumerate(gradcheck(op, *args).inputs):
            every[check.verdict] += 1
            if check.verdict != "kink" and is_representable(op, args, slot):
                smooth[check.verdict] += 1
    figure(f"the table from 1e-300 to 1e300: {summary(every)} (wanted 0 wrong)")
    figure(f"of these smooth, value and slope normal: {summary(smooth)} (wanted 95% ok)")
    assert every["wrong"] == 0
    assert smooth["ok"] >= 0.95 * smooth.total()


def test_kinks(figure) -> None:
    functions: dict[str, tuple[Callable[..., Any], float]] = {
        "abs": (absolute, 0.0),
        "relu": (relu, 0.0),
        "maximum": (lambda x: maximum(x, 2.0), 2.0),
        "clamp": (lambda x: clamp(x, -1.0, 2.0), 2.0),
        "where": (lambda x: where(x, x, 2 * x), 0.0),
        "hypot": (lambda x: hypot(x, 0.0), 0.0),
    }
    verdicts = Counter(
        gradcheck(f, x + beside).inputs[0].verdict
        for f, x in functions.values()
        for beside in (0.0, 1e-12, -1e-12, 1e-13, -1e-13, 1e-15, 1e-300)
    )
    figure(f"{', '.join(functions)} at and within 1e-12 of the kink: {summary(verdicts)}")
    assert set(verdicts) == {"kink"}


def test_cost_in_random_directions(figure) -> None:
    counts = {}
    for n in (200, 2000):
        report = gradcheck(lambda v: sum(x * x for x in v).tanh(), [1 / n] * n)
        assert report.ok
        counts[n] = report.evaluations
    figure(f"evaluations of f in random directions: {counts} (wanted constant)")
    assert max(counts.values()) <= 3 * BUDGET + 1


def test_pytorch(figure, wide_points) -> None:
    torch = pytest.importorskip("torch", reason="the peer comes with the bench extra")

    def passes(op: Op, change: float, args: tuple[float, ...]) -> bool:
        class Row(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                ctx.save_for_backward(*xs)
                return torch.tensor(op(*map(float, xs)), dtype=torch.float64)

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                floats = tuple(map(float, ctx.saved_tensors))
                slopes = grad(op, range(len(floats)))(*floats)
                return tuple(g * change * slope for slope in slopes)

        xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in args]
        return torch.autograd.gradcheck(Row.apply, xs, raise_exception=False)

    compare_peer(figure, "PyTorch's gradcheck", passes, wide_points)


def test_jax(figure, wide_points) -> None:
    jax = pytest.importorskip("jax", reason="the peer comes with the bench extra")
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    shape = jax.ShapeDtypeStruct((), "float64")

    def passes(op: Op, change: float, args: tuple[float, ...]) -> bool:
        def call(*xs: Any) -> Any:
            return jax.pure_callback(lambda *xs: jax.numpy.float64(op(*map(float, xs))), shape, *xs)

        row = jax.custom_vjp(call)

        def backward(xs: Any, g: Any) -> Any:
            slopes = grad(op, range(len(args)))(*args)
            return tuple(g * change * slope for slope in slopes)

        row.defvjp(lambda *xs: (call(*xs), xs), backward)
        try:
            check_grads(row, args, order=1, modes=["rev"])
        except Exception:
            return False
        return True

    compare_peer(figure, "JAX's check_grads", passes, wide_points)


def compare_peer(
    figure: Callable[[str], None],
    name: str,
    passes: Callable[[Op, float, tuple[float, ...]], bool],
    points: list[tuple[Op, tuple[float, ...]]],
) -> None:
    """Count how often a peer, with its defaults, rejects a right rule and accepts a wrong one."""
    alarms = misses = 0
    smooth = list(representable(points))[::PEERS]
    for op, args in smooth:
        try:
            alarms += not passes(op, 1.0, args)
            misses += passes(op, 1.001, args)
        except DomainError:
            alarms += 1
            misses += 1
    figure(
        f"{name}, with its defaults, on {len(smooth):,} smooth points: {alarms:,} false alarms; "
        f"{misses:,} rules scaled by 1.001 pass"
    )


def representable(
    points: list[tuple[Op, tuple[float, ...]]],
) -> Iterator[tuple[Op, tuple[float, ...]]]:
    for op, args in points:
        if all(is_representable(op, args, slot) for slot in range(len(args))):
            yield op, args


def summary(verdicts: Counter[str]) -> str:
    """Return counts and the share of ``ok``."""
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
    return f"{counts} ({verdicts['ok'] / verdicts.total():.1%} ok)"
