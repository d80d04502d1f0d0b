"""What a benchmark is: what it measures, against whom, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.benchmarks.contest import Contender, Contest, Say
from tests.benchmarks.figure import Figure
from tests.benchmarks.measurement import measure

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
