"""One formula for floats, for NumPy's arrays, and for mpmath's numbers in arrays of objects.

So a function is written once, as naively as users write it, and its gradient is the derivative
of the same formula at 100 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from scipy import special as sc

Function = Callable[..., Any]


def is_exact(x: Any) -> bool:
    """Return whether these are numbers of mpmath."""
    return isinstance(x, mpmath.mpf) or getattr(x, "dtype", "") == "object"


def both(floats: Function, exact: Function) -> Function:
    """Return an elementwise function that takes floats and exact numbers."""
    vectorised = np.frompyfunc(exact, 1, 1)
    return lambda x: vectorised(x) if is_exact(x) else floats(x)


def of_matrix(floats: Function, exact: Function) -> Function:
    """Return a function of a matrix that takes floats and exact numbers."""

    def call(a: Any) -> Any:
        if not is_exact(a):
            return floats(a)
        found = exact(mpmath.matrix(a.tolist()))
        if isinstance(found, mpmath.matrix):
            array = np.array(found.tolist(), dtype=object)
            return array[:, 0] if found.cols == 1 else array
        return found

    return call


exp = both(np.exp, mpmath.exp)
expm1 = both(np.expm1, mpmath.expm1)
log = both(np.log, mpmath.log)
log1p = both(np.log1p, mpmath.log1p)
sqrt = both(np.sqrt, mpmath.sqrt)
sin = both(np.sin, mpmath.sin)
cos = both(np.cos, mpmath.cos)
tan = both(np.tan, mpmath.tan)
asin = both(np.arcsin, mpmath.asin)
acos = both(np.arccos, mpmath.acos)
atan = both(np.arctan, mpmath.atan)
sinh = both(np.sinh, mpmath.sinh)
cosh = both(np.cosh, mpmath.cosh)
tanh = both(np.tanh, mpmath.tanh)
acosh = both(np.arccosh, mpmath.acosh)
floor = both(np.floor, mpmath.floor)

gammaln = both(sc.gammaln, mpmath.loggamma)
gamma = both(sc.gamma, mpmath.gamma)
digamma = both(sc.digamma, mpmath.digamma)
erf = both(sc.erf, mpmath.erf)
erfc = both(sc.erfc, mpmath.erfc)
erfinv = both(sc.erfinv, mpmath.erfinv)
i0 = both(sc.i0, lambda x: mpmath.besseli(0, x))
i1 = both(sc.i1, lambda x: mpmath.besseli(1, x))
j0 = both(sc.j0, lambda x: mpmath.besselj(0, x))
j1 = both(sc.j1, lambda x: mpmath.besselj(1, x))
zeta = both(sc.zeta, mpmath.zeta)
exp1 = both(sc.exp1, mpmath.e1)
ellipk = both(sc.ellipk, mpmath.ellipk)
lambertw = both(lambda x: sc.lambertw(x).real, lambda x: mpmath.lambertw(x).real)
dawsn = both(sc.dawsn, lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x))
airy = both(lambda x: sc.airy(x)[0], mpmath.airyai)
spence = both(sc.spence, lambda x: mpmath.polylog(2, 1 - x).real)

det = of_matrix(np.linalg.det, mpmath.det)
inv = of_matrix(np.linalg.inv, mpmath.inverse)
eigenvalues = of_matrix(np.linalg.eigvalsh, lambda a: mpmath.matrix(mpmath.eigsy(a)[0]))
singular_values = of_matrix(
    lambda a: np.linalg.svd(a, compute_uv=False),
    lambda a: mpmath.matrix(mpmath.svd_r(a, compute_uv=False)),
)
cholesky = of_matrix(np.linalg.cholesky, mpmath.cholesky)


def solve(a: Any, b: Any) -> Any:
    """Return the x of a x = b."""
    if not is_exact(a):
        return np.linalg.solve(a, b)
    b = mpmath.matrix([mpmath.mpf(x) for x in b])
    return np.array(mpmath.lu_solve(mpmath.matrix(a.tolist()), b).tolist(), dtype=object)[:, 0]


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b."""
    return np.where(np.asarray(condition, dtype=bool), a, b)[()]
