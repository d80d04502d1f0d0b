"""kmeans: a step of Newton for the centroids of clusters."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import autograd
from autograd import (
    compile,
    gradients,
)

Array = Any


@cache
def kmeans_terms(d: int) -> Any:
    """Return the squared distance of a point, its gradient and Hessian's diagonal, compiled."""

    def terms(point: list[Any], centroid: list[Any]) -> list[Any]:
        squares = [(c - p) * (c - p) for c, p in zip(centroid, point, strict=True)]
        distance = autograd.sum(squares)
        slopes = gradients(distance, centroid)
        second = [gradients(s, [c])[0] for s, c in zip(slopes, centroid, strict=True)]
        return [distance, *slopes, *second]

    return compile(terms, [0.5] * d, [1.5] * d)


def kmeans_input(given: Any) -> tuple[Array, Array]:
    return np.array(given["points"], dtype=float), np.array(given["centroids"], dtype=float)


def nearest(points: Array, centroids: Array) -> Array:
    """Return for each point which centroid is nearest, the first of several."""
    found = [
        np.argmin(((part[:, None] - centroids) ** 2).sum(axis=2), axis=1)
        for part in np.array_split(points, max(1, len(points) * len(centroids) // 200_000))
    ]
    return np.concatenate(found)


def kmeans_cost(given: tuple[Array, Array]) -> float:
    points, centroids = given
    chosen = centroids[nearest(points, centroids)]
    return float(kmeans_terms(points.shape[1])(points, chosen)[:, 0].sum())


def kmeans_dir(given: tuple[Array, Array]) -> Array:
    points, centroids = given
    d, places = points.shape[1], nearest(points, centroids)
    columns = kmeans_terms(d)(points, centroids[places])[:, 1:].T
    sums = [np.bincount(places, column, len(centroids)) for column in columns]
    slopes, second = np.array(sums[:d]), np.array(sums[d:])
    return np.divide(slopes, second, out=np.zeros_like(slopes), where=second != 0).T
