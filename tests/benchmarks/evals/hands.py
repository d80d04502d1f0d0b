"""ht: hand tracking, a skeleton that points are measured on."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import (
    Value,
    compile,
    cos,
    dot,
    jacobian,
    sin,
    sqrt,
)

Array = Any


BONES = 22


class Hand(NamedTuple):
    """The input of ht, as arrays."""

    theta: list[float]
    us: Array
    relatives: Array
    inverses: Array
    parents: list[int]
    base: Array
    weights: Array
    corners: Array
    points: Array
    mirrored: bool


def hand(given: Any) -> Hand:
    model, data = given["data"]["model"], given["data"]
    base, weights = (np.array(model[name], dtype=float) for name in ("base_positions", "weights"))
    places = np.array(data["correspondences"], dtype=int)
    us = np.array(given["us"], dtype=float).reshape(-1, 2)
    corners = np.array(model["triangles"], dtype=int)[places] if len(us) else places[:, None]
    return Hand(
        list(map(float, given["theta"])),
        us,
        np.array(model["base_relatives"], dtype=float),
        np.array(model["inverse_base_absolutes"], dtype=float),
        list(model["parents"]),
        base,
        weights,
        corners,
        np.array(data["points"], dtype=float),
        bool(model["is_mirrored"]),
    )


def times(a: Any, b: Any) -> list[list[Any]]:
    """Return the product of two matrices, whose entries that are 0 cost nothing."""
    return [
        [
            autograd.sum(
                [x * b[k][j] for k, x in enumerate(row) if not is_zero(x, b[k][j])] or [0.0]
            )
            for j in range(len(b[0]))
        ]
        for row in a
    ]


def is_zero(*factors: Any) -> bool:
    return any(isinstance(x, float) and x == 0.0 for x in factors)


def pose(shape: Hand, theta: list[Any]) -> list[Any]:
    """Return the bones' transforms (3 x 4 each), the rotation of the hand and its place."""
    angles: dict[int, tuple[Any, Any]] = {}
    for g in range(5):
        angles[2 + 4 * g] = (theta[6 + 4 * g], theta[7 + 4 * g])
        angles[3 + 4 * g] = (theta[8 + 4 * g], 0.0)
        angles[4 + 4 * g] = (theta[9 + 4 * g], 0.0)
    absolutes: list[Any] = []
    found: list[Any] = []
    for i in range(BONES):
        relative = shape.relatives[i].tolist()
        if i in angles:
            a, b = angles[i]
            about_x = [[1.0, 0.0, 0.0, 0.0], [0.0, cos(a), -sin(a), 0.0]]
            about_x += [[0.0, sin(a), cos(a), 0.0], [0.0, 0.0, 0.0, 1.0]]
            about_z = [[cos(b), -sin(b), 0.0, 0.0], [sin(b), cos(b), 0.0, 0.0]]
            about_z += [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
            relative = times(relative, times(about_z, about_x))
        parent = shape.parents[i]
        absolutes.append(relative if parent == -1 else times(absolutes[parent], relative))
        for row in times(absolutes[i], shape.inverses[i].tolist())[:3]:
            found += row
    return [*found, *rotation(theta[:3]), *theta[3:6]]


def rotation(r: list[Any]) -> list[Any]:
    """Return the rotation by |r| about r, row by row; none where that is below 1e-4."""
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    if float(getattr(square, "data", square)) < 1e-8:
        return [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    angle = sqrt(square)
    a = [x / angle for x in r]
    c, s = cos(angle), sin(angle)
    skew = [[0.0, -a[2], a[1]], [a[2], 0.0, -a[0]], [-a[1], a[0], 0.0]]
    return [
        a[i] * a[j] * (1.0 - c) + skew[i][j] * s + (c if i == j else 0.0)
        for i in range(3)
        for j in range(3)
    ]


@cache
def ht_vertex(*, mirrored: bool) -> Any:
    """Return a coordinate of a vertex, by a selector, of bones' transforms, compiled."""
    leaves = [Value(0.1) for _ in range(12 * BONES + 12)]

    def vertex(base: list[Any], weights: list[Any], which: list[Any]) -> Any:
        s = [
            autograd.sum(
                [
                    weights[i] * dot(leaves[12 * i + 4 * j : 12 * i + 4 * j + 4], base)
                    for i in range(BONES)
                ]
            )
            for j in range(3)
        ]
        if mirrored:
            s[0] = -s[0]
        turn, place = leaves[12 * BONES : 12 * BONES + 9], leaves[12 * BONES + 9 :]
        return dot(which, [dot(turn[3 * j : 3 * j + 3], s) + place[j] for j in range(3)])

    example = [[0.1] * 4, [0.1] * BONES, [1.0, 0.0, 0.0]]
    return compile(vertex, *example, wrt=leaves, reduce=None)


@cache
def ht_residual() -> Any:
    """Return a coordinate of a residual inside a triangle, compiled."""

    def residual(measured: Any, u: list[Any], corners: list[Any]) -> Any:
        third = 1.0 - u[0] - u[1]
        return measured - (u[0] * corners[0] + u[1] * corners[1] + third * corners[2])

    return compile(residual, 0.5, [0.3, 0.3], [0.1, 0.2, 0.3], wrt=[1, 2], reduce=None)


def ht_vertices(shape: Hand, slopes: bool) -> tuple[Array, Array, Array]:
    """Return which vertices are met, where they are, and how they move with theta."""
    met, places = np.unique(shape.corners, return_inverse=True)
    params = np.array(pose(shape, shape.theta))
    f = ht_vertex(mirrored=shape.mirrored)
    base, weights = shape.base[met], shape.weights[met]
    by_theta = np.array(jacobian(lambda theta: pose(shape, theta))(shape.theta)) if slopes else None
    where, moves = [], []
    for j in range(3):
        which = np.tile(np.eye(3)[j], (len(met), 1))
        if slopes:
            values, by_params = f.value_and_grad(base, weights, which, params=params)
            moves.append(by_params @ by_theta)
        else:
            values = f(base, weights, which, params=params)
        where.append(values)
    corners = places.reshape(shape.corners.shape)
    return corners, np.stack(where, axis=1), np.stack(moves, axis=1) if slopes else np.empty(0)


def ht_objective(shape: Hand) -> Array:
    corners, where, _ = ht_vertices(shape, slopes=False)
    if not len(shape.us):
        return (shape.points - where[corners[:, 0]]).ravel()
    return ht_residual()(*_triangles(shape, where[corners]))


def ht_jacobian(shape: Hand) -> Array:
    corners, where, moves = ht_vertices(shape, slopes=True)
    if not len(shape.us):
        return -moves[corners[:, 0]].reshape(-1, 26)
    _, (by_u, by_corner) = ht_residual().value_and_grad(*_triangles(shape, where[corners]))
    c = len(shape.points)
    by_theta = np.einsum("cjk,ckjt->cjt", by_corner.reshape(c, 3, 3), moves[corners])
    return np.concatenate([by_u, by_theta.reshape(3 * c, 26)], axis=1)


def _triangles(shape: Hand, corners: Array) -> list[Array]:
    """Return for each coordinate of each point what `ht_residual` takes."""
    return [
        shape.points.ravel(),
        np.repeat(shape.us, 3, axis=0),
        np.ascontiguousarray(corners.transpose(0, 2, 1).reshape(-1, 3)),
    ]
