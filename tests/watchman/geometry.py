"""Distances, angles, interpolation."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "geometry"


def norm(v):
    return m.sqrt(v @ v)


@case(FAMILY, Uniform(-3, 3, n=3))
def euclidean_norm(v):
    return norm(v)


@case(FAMILY, Uniform(-1, 1, n=6))
def cosine_similarity(v):
    return v[:3] @ v[3:] / (norm(v[:3]) * norm(v[3:]))


@case(FAMILY, Uniform(-1.3, 1.3), Uniform(-3, 3), Uniform(-1.3, 1.3), Uniform(-3, 3))
def haversine(v):
    a, b, c, d = v
    s = m.sin((c - a) / 2) ** 2 + m.cos(a) * m.cos(c) * m.sin((d - b) / 2) ** 2
    return 2 * m.asin(m.sqrt(s))


@case(FAMILY, Uniform(-2, 2, n=3))
def mahalanobis(v):
    w = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.5]])
    return m.sqrt(v @ (w @ v))


@case(FAMILY, Uniform(0.1, 3, n=3))
def minkowski(v):
    return (v**3).sum() ** (1 / 3)


@case(FAMILY, Uniform(0.1, 2, n=4))
def canberra(v):
    a, b = v[:2], v[2:]
    return ((a - b) ** 2 / (a + b)).sum()


@case(FAMILY, Uniform(0.05, 2, n=6))
def hellinger(v):
    p, q = v[:3] / v[:3].sum(), v[3:] / v[3:].sum()
    return norm(m.sqrt(p) - m.sqrt(q))


@case(FAMILY, Uniform(-1, 1, n=8))
def pairwise_distances(v):
    points = v.reshape(4, 2)
    return sum(norm(points[i] - points[j]) for i in range(4) for j in range(i))


@case(FAMILY, Uniform(0, 1, n=2), Uniform(1.2, 2, n=2))
def overlap_of_boxes(v):
    x, y, right, top = v
    both = (1.9 - x) * (1.95 - y) * (right - 0.5) * (top - 0.4)
    return both / ((right - x) * (top - y) + 2.4 - both / 3)


@case(FAMILY, Uniform(-0.5, 0.5, n=4))
def poincare_distance(v):
    a, b = v[:2], v[2:]
    return m.acosh(1 + 2 * ((a - b) @ (a - b)) / ((1 - a @ a) * (1 - b @ b)))


@case(FAMILY, Uniform(-1, 1, n=6))
def angle_between(v):
    return m.acos(v[:3] @ v[3:] / (norm(v[:3]) * norm(v[3:])))


@case(FAMILY, Uniform(-1, 1, n=4))
def rotation_by_quaternion(v):
    q = v / norm(v)
    w, x, y, z = q
    return 1 - 2 * (y * y + z * z) + 3 * (x * y - w * z)


@case(FAMILY, Uniform(-1, 1, n=2))
def arm(v):
    a, b = v
    return (m.cos(a) + 0.7 * m.cos(a + b)) ** 2 + (m.sin(a) + 0.7 * m.sin(a + b) - 1) ** 2


@case(FAMILY, Log(1e-3, 1e3), Uniform(-3, 3))
def polar(v):
    return v[0] * m.cos(v[1]) + v[0] ** 2 * m.sin(v[1])


@case(FAMILY, Uniform(-1, 1, n=9))
def triangle_area(v):
    a, b = v[3:6] - v[:3], v[6:] - v[:3]
    cross = np.array(
        [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    )
    return 0.5 * norm(cross)


@case(FAMILY, Log(0.5, 3))
def lennard_jones(v):
    return 4 * (v[0] ** -12 - v[0] ** -6)


KNOTS = [0.0, 1.0, -0.5, 2.0, 0.3, 1.7, -1.0, 0.6]


@case(FAMILY, Uniform(0.05, 6.95))
def linear_interpolation(v):
    i = min(max(int(m.floor(v[0])), 0), 6)
    t = v[0] - i
    return (1 - t) * KNOTS[i] + t * KNOTS[i + 1]


@case(FAMILY, Uniform(0, 1, n=2), Uniform(-2, 2, n=4))
def bilinear_interpolation(v):
    x, y, a, b, c, d = v
    return a * (1 - x) * (1 - y) + b * x * (1 - y) + c * (1 - x) * y + d * x * y


@case(FAMILY, Uniform(1.05, 5.95))
def catmull_rom(v):
    i = min(max(int(m.floor(v[0])), 1), 5)
    t = v[0] - i
    p, q, r, s = KNOTS[i - 1 : i + 3]
    return q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)))


@case(FAMILY, Uniform(0.1, 3.9))
def lagrange(v):
    total = 0
    for i in range(5):
        term = KNOTS[i]
        for j in range(5):
            if i != j:
                term = term * (v[0] - j) / (i - j)
        total = total + term
    return total


@case(FAMILY, Uniform(0.02, 0.98))
def smoothstep(v):
    return v[0] * v[0] * (3 - 2 * v[0])


@case(FAMILY, Uniform(-3, 3, n=2))
def radial_basis(v):
    centres = np.array([[0.0, 1.0], [1.0, -1.0], [-2.0, 0.5]])
    return sum(
        w * m.exp(-((v - c) @ (v - c)) / 2) for w, c in zip((1, -2, 0.5), centres, strict=False)
    )


@case(FAMILY, Uniform(0, 1), Uniform(-1, 1, n=4))
def bezier(v):
    t = v[0]
    return (
        (1 - t) ** 3 * v[1] + 3 * t * (1 - t) ** 2 * v[2] + 3 * t * t * (1 - t) * v[3] + t**3 * v[4]
    )


@case(FAMILY, Uniform(0.1, 3.9))
def barycentric(v):
    weights = [1, -4, 6, -4, 1]
    up = sum(w * k / (v[0] - j) for j, (w, k) in enumerate(zip(weights, KNOTS, strict=False)))
    return up / sum(w / (v[0] - j) for j, w in enumerate(weights))
