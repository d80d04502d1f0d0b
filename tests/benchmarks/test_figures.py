"""The figures of ``python -m tests.benchmarks``, with what is wanted of them asserted.

``pip install '.[bench]' && pytest -n 0 tests/benchmarks -m benchmark``
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.benchmark import ARRAY, PEERS, SCALARS, TENSORS, VALUES, Result
from tests.benchmarks.benchmarks import BENCHMARKS
from tests.benchmarks.library import is_installed

pytestmark = pytest.mark.benchmark

CONTENDERS = {
    "eager": ["Chainrule, nn.MLP as shipped", "Chainrule, node by node", "micrograd"],
    "moons": [ARRAY, VALUES, "micrograd", *SCALARS, *TENSORS],
    "moons-tanh": [ARRAY, *SCALARS, *TENSORS],
    "digits": [ARRAY, *TENSORS],
    "training": [
        "Chainrule, code from the cache",
        "Chainrule, without a cache",
        "scikit-learn",
        "PyTorch, 1 thread",
    ],
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_what_is_wanted_is_reached(result: Callable[[str], Result], name: str) -> None:
    found = result(name)
    if not found.figures:
        pytest.skip("the peers come with the bench extra")
    assert not found.contest.failed
    assert not list(map(str, found.missed))


@pytest.mark.parametrize(
    ("name", "contender"), [(name, who) for name, whole in CONTENDERS.items() for who in whole]
)
def test_seconds(
    result: Callable[[str], Result], replay, benchmark, name: str, contender: str
) -> None:
    if contender in PEERS and not is_installed(PEERS[contender][0]):
        pytest.skip("the peer comes with the bench extra")
    benchmark.group = BENCHMARKS[name].about
    replay([run["seconds"] for run in result(name).contest.runs[contender]])
