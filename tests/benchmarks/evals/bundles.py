"""ba: bundle adjustment, where points are and what cameras see of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd import (
    compile,
    cos,
    dot,
    sin,
    sqrt,
)

Array = Any


CHUNK = 65_536
"""So many observations are computed at a time."""


@cache
def ba_residual(*, turned: bool) -> Any:
    """Return one of the two numbers of a residual, which by a selector, and its derivatives.

    Args:
        turned: whether the camera is turned at all: the axis of a rotation is none otherwise.
    """

    def residual(
        cam: list[Any], point: list[Any], w: Any, feat: list[Any], which: list[Any]
    ) -> Any:
        r, centre, focal, principal, k1, k2 = cam[:3], cam[3:6], cam[6], cam[7:9], cam[9], cam[10]
        e = [a - b for a, b in zip(point, centre, strict=True)]
        if turned:
            angle = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
            a = [x / angle for x in r]
            along = (a[0] * e[0] + a[1] * e[1] + a[2] * e[2]) * (1.0 - cos(angle))
            y = [e[i] * cos(angle) + cross(a, e)[i] * sin(angle) + a[i] * along for i in range(3)]
        else:
            y = [e[i] + cross(r, e)[i] for i in range(3)]
        g = [y[0] / y[2], y[1] / y[2]]
        s = g[0] * g[0] + g[1] * g[1]
        stretch = focal * (1.0 + k1 * s + k2 * s * s)
        return dot(which, [w * (stretch * g[i] + principal[i] - feat[i]) for i in range(2)])

    example = [[0.1] * 11, [1.0, 2.0, 3.0], 0.5, [0.0, 0.0], [1.0, 0.0]]
    return compile(residual, *example, wrt=[0, 1, 2], reduce=None)


def cross(a: list[Any], b: list[Any]) -> list[Any]:
    return [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]


@cache
def ba_weight() -> Any:
    return compile(lambda w: 1.0 - w * w, 0.5, wrt=0, reduce=None)


def ba_arguments(given: Any, size: int, which: int) -> list[Array]:
    """Return so many observations: copies of the one that is given."""
    rows = [given["cam"], given["x"], [given["w"]], given["feat"], [1.0 - which, float(which)]]
    cam, x, w, feat, selector = (np.tile(np.array(row, dtype=float), (size, 1)) for row in rows)
    return [cam, x, w[:, 0].copy(), feat, selector]


def ba_sizes(p: int) -> list[int]:
    return [min(CHUNK, p - start) for start in range(0, p, CHUNK)]


def ba_objective(given: Any) -> dict[str, Any]:
    f, p = ba_residual(turned=any(given["cam"][:3])), given["p"]
    first = []
    for which in range(2):
        found = [f(*ba_arguments(given, size, which)) for size in ba_sizes(p)]
        first.append(float(found[0][0]))
    errors = ba_weight()(np.full(p, float(given["w"])))
    return {
        "reproj_error": {"elements": first, "repeated": p},
        "w_err": {"element": float(errors[0]), "repeated": p},
    }


def ba_jacobian(given: Any) -> dict[str, list[float]]:
    n, m, p = given["n"], given["m"], given["p"]
    f = ba_residual(turned=any(given["cam"][:3]))
    rows: list[list[float]] = []
    for which in range(2):
        found = [f.value_and_grad(*ba_arguments(given, size, which))[1] for size in ba_sizes(p)]
        by_cam, by_x, by_w = found[0]
        rows.append([*by_cam[0].tolist(), *by_x[0].tolist(), float(by_w[0])])
    _, by_weight = ba_weight().value_and_grad(np.full(p, float(given["w"])))
    columns = [*range(11), *range(11 * n, 11 * n + 3), 11 * n + 3 * m]
    return {
        "rows": [*range(0, 450, 15), 31 * p],
        "cols": [*columns, *columns, 11 * n + 3 * m + p - 1],
        "vals": [*rows[0], *rows[1], float(by_weight[-1])],
    }
