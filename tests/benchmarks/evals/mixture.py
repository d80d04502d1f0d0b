"""gmm: the likelihood of a mixture of Gaussians, and its derivatives."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import (
    Value,
    compile,
    exp,
    logsumexp,
)

Array = Any


@cache
def gmm_distance(d: int) -> Any:
    """Return b of one sample and one cluster, times the sample's weight, compiled."""
    alpha = Value(0.0)
    mu, q = ([Value(0.0) for _ in range(d)] for _ in range(2))
    lower = [Value(0.0) for _ in range(d * (d - 1) // 2)]

    def distance(x: list[Any], weight: Any) -> Any:
        moved = [a - b for a, b in zip(x, mu, strict=True)]
        rows = [exp(q[i]) * moved[i] for i in range(d)]
        start = 0
        for j in range(d):
            for i in range(j + 1, d):
                rows[i] = rows[i] + lower[start] * moved[j]
                start += 1
        return weight * (alpha + autograd.sum(q) - 0.5 * autograd.sum([r * r for r in rows]))

    leaves = [alpha, *mu, *q, *lower]
    return compile(distance, [0.5] * d, 1.0, wrt=leaves, reduce="sum")


@cache
def lse_of(k: int) -> Any:
    return compile(lambda b: logsumexp(b), [0.5] * k, wrt=0, reduce=None)


@cache
def gmm_prior(d: int, m: int, gamma: float) -> Any:
    """Return what a cluster's own numbers add, compiled."""

    def prior(q: list[Any], lower: list[Any]) -> Any:
        squares = [exp(2.0 * a) for a in q] + [a * a for a in lower]
        return m * autograd.sum(q) - gamma * gamma / 2 * autograd.sum(squares)

    return compile(prior, [0.5] * d, [0.5] * (d * (d - 1) // 2), wrt=[0, 1], reduce=None)


class Mixture(NamedTuple):
    """The input of gmm, as arrays."""

    d: int
    k: int
    n: int
    m: int
    gamma: float
    x: Array
    alpha: Array
    mu: Array
    q: Array
    lower: Array

    def params(self, c: int) -> Array:
        """Return the parameters of cluster c in the order of `gmm_distance`."""
        return np.concatenate([self.alpha[c : c + 1], self.mu[c], self.q[c], self.lower[c]])


def mixture(given: Any) -> Mixture:
    """Return the input as arrays."""
    d, k, n, m = (given[name] for name in "dknm")
    shapes = {"x": (n, d), "alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    arrays = [np.array(given[name], dtype=float).reshape(shape) for name, shape in shapes.items()]
    return Mixture(d, k, n, m, float(given["gamma"]), *arrays)


def gmm_scores(mix: Mixture) -> Array:
    ones = np.ones(mix.n)
    f = gmm_distance(mix.d)
    return np.stack([f(mix.x, ones, params=mix.params(c)) for c in range(mix.k)], axis=1)


def gmm_constant(mix: Mixture) -> float:
    nu, d = mix.d + mix.m + 1, mix.d
    gammas = sum(math.lgamma((nu + 1 - j) / 2) for j in range(1, d + 1))
    g = d * (d - 1) / 4 * math.log(math.pi) + gammas
    return -mix.n * d / 2 * math.log(2 * math.pi) + mix.k * (
        nu * d * math.log(mix.gamma / math.sqrt(2)) - g
    )


def gmm_objective(mix: Mixture) -> float:
    rows = lse_of(mix.k)(gmm_scores(mix)).sum()
    prior = gmm_prior(mix.d, mix.m, mix.gamma)(mix.q, mix.lower).sum()
    of_alpha = lse_of(mix.k)(mix.alpha[None]).sum()
    return float(gmm_constant(mix) - mix.n * of_alpha + rows + prior)


def gmm_jacobian(mix: Mixture) -> dict[str, Array]:
    _, shares = lse_of(mix.k).value_and_grad(gmm_scores(mix))
    _, (by_q, by_lower) = gmm_prior(mix.d, mix.m, mix.gamma).value_and_grad(mix.q, mix.lower)
    _, by_alpha = lse_of(mix.k).value_and_grad(mix.alpha[None])
    found = []
    for c in range(mix.k):
        weights = np.ascontiguousarray(shares[:, c])
        found.append(
            gmm_distance(mix.d).value_and_grad(mix.x, weights, params=mix.params(c))[1].copy()
        )
    slopes, d = np.array(found), mix.d
    return {
        "alpha": slopes[:, 0] - mix.n * by_alpha[0],
        "mu": slopes[:, 1 : d + 1],
        "q": slopes[:, d + 1 : 2 * d + 1] + by_q,
        "l": slopes[:, 2 * d + 1 :] + by_lower,
    }
