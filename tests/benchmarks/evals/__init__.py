"""The twelve evals of GradBench, by name: functions of JSON, computed by this engine.

Small graphs are compiled once and called for many samples (terms, clusters, time steps, vertices);
the chain rule between such pieces is the vector-Jacobian product of each, last piece first.
Definitions: GradBench, March 2026. Names are theirs.
"""

from __future__ import annotations

import numpy as np

from autograd import grad
from tests.benchmarks.evals.bundles import ba_jacobian, ba_objective
from tests.benchmarks.evals.characters import lstm_jacobian, lstm_objective, text
from tests.benchmarks.evals.clusters import kmeans_cost, kmeans_dir, kmeans_input
from tests.benchmarks.evals.descents import particle, saddle
from tests.benchmarks.evals.function import Function
from tests.benchmarks.evals.hands import hand, ht_jacobian, ht_objective
from tests.benchmarks.evals.mixture import gmm_jacobian, gmm_objective, mixture
from tests.benchmarks.evals.vectors import (
    det_of,
    llsq_gradient,
    llsq_primal,
    lse_gradient,
    lse_primal,
    ode_gradient,
    ode_primal,
    problem,
    square,
)

EVALS: dict[str, dict[str, Function]] = {
    "hello": {"square": Function(square), "double": Function(grad(square))},
    "llsq": {"primal": Function(llsq_primal), "gradient": Function(llsq_gradient)},
    "lse": {
        name: Function(compute, lambda given: np.array(given["x"], dtype=float))
        for name, compute in (("primal", lse_primal), ("gradient", lse_gradient))
    },
    "det": {
        "primal": Function(lambda given: det_of(given["ell"])(given["A"])),
        "gradient": Function(lambda given: det_of(given["ell"]).value_and_grad(given["A"])[1]),
    },
    "ode": {"primal": Function(ode_primal, problem), "gradient": Function(ode_gradient, problem)},
    "gmm": {
        "objective": Function(gmm_objective, mixture),
        "jacobian": Function(gmm_jacobian, mixture),
    },
    "kmeans": {
        "cost": Function(kmeans_cost, kmeans_input),
        "dir": Function(kmeans_dir, kmeans_input),
    },
    "lstm": {
        "objective": Function(lstm_objective, text),
        "jacobian": Function(lstm_jacobian, text),
    },
    "ba": {"objective": Function(ba_objective), "jacobian": Function(ba_jacobian)},
    "ht": {"objective": Function(ht_objective, hand), "jacobian": Function(ht_jacobian, hand)},
    "particle": {
        outer + inner: Function(particle(outer, inner)) for outer, inner in ("rr", "ff", "fr", "rf")
    },
    "saddle": {
        outer + inner: Function(saddle(outer, inner)) for outer, inner in ("rr", "ff", "fr", "rf")
    },
}
"""By eval and by function."""
