"""The engine's figures, side by side with micrograd 0.1.0 in one run.

``pip install '.[bench]' && pytest tests/benchmarks -m benchmark``
"""

import statistics

import pytest
from measure import ROUNDS, measure

pytestmark = pytest.mark.benchmark


@pytest.mark.parametrize("name", ["micrograd", "scalars", "mlp"])
@pytest.mark.benchmark(group="step of the hinge loss, MLP 2-16-16-1, 100 points", disable_gc=False)
def test_step(moons, replay, name):
    replay(moons.seconds[name])
    # All three compute the same thing; the fused sum adds in another order.
    assert moons.losses[moons.names.index(name)] == pytest.approx(moons.losses[0], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "what", "wanted"),
    [("scalars", "node by node", 8), ("mlp", "nn.MLP as shipped", 40)],
)
def test_ratio(moons, figure, name, what, wanted):
    ratio = moons.ratio(name)
    figure(f"{what}: {ratio:.1f} times faster than micrograd (wanted {wanted})")
    assert ratio >= wanted


def test_import(figure):
    runs = [measure("import") for _ in range(ROUNDS)]
    figure(f"import autograd: {1e3 * statistics.median(r['seconds'] for r in runs):.0f} ms")
    assert not any(run["numpy"] for run in runs)


def test_memory(figure):
    used = measure("memory")["bytes"]
    figure(f"memory per node after backward: {used:.0f} bytes (wanted at most 160)")
    assert used <= 160


def test_a_million_operations(figure):
    stages = measure("chain")
    figure("a chain of 1,000,000: " + ", ".join(f"{k} {v:.1f} s" for k, v in stages.items()))
