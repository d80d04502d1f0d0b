"""The debugger's figures: what recording costs, and how fast it moves and answers.

``pip install '.[bench]' && pytest tests/benchmarks -m benchmark``
"""

import pytest
from measure import measure

pytestmark = pytest.mark.benchmark


def test_stepper(figure):
    found = measure("stepper")
    figure(
        f"recording 10,000 nodes: {found['recording']:.1f} times a plain forward and backward pass "
        "(wanted at most 5)"
    )
    figure(
        f"on 100,000 events, the slowest of 1,000: back {1e3 * found['back']:.2f} ms, "
        f"goto {1e3 * found['goto']:.2f} ms (wanted under 1)"
    )
    figure(
        f"why, a first-layer weight of MLP 2-16-16-1 over 100 samples: {1e3 * found['why']:.0f} ms "
        "(wanted under 50)"
    )
    assert found["recording"] <= 5
