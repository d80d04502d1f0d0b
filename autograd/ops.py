"""The table: every operation, declared once.

Unary rows are ``y = f(x)``, binary ones ``z = f(x, y)``; partial i maps ``(out, *args)`` to
d out / d args[i]. A rule is arithmetic over rows of this table and nothing else, so it can be
run on numbers, recorded as a graph of its own, or printed. It never branches: `where` and
`heaviside` are rows too.

A row must earn its place: it is irreducible, or more accurate than its composition, or a
fused sum. Everything else is a plain function of rows (`autograd.functions`).

Accuracy, unless a note says otherwise: values and first derivatives within 4 ulp. A subnormal
number has fewer bits: where an argument or the output is one, or the output overflows, the
derivative is as coarse as they are.
"""

from __future__ import annotations

import math
import operator
from functools import reduce
from itertools import accumulate
from math import fabs, inf

from autograd import ieee
from autograd.annotations import Any
from autograd.domain import FINITE, NONNEGATIVE, POSITIVE, REAL, UNIT, Domain, Joint
from autograd.operation import Op, Primitive, primitive, seal

# What `autograd` exports as it is: not what has an operator, the name of a builtin, or a function
# in front of it that takes a list or has a default; nor mul_no_nan, which is for rules.
__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "clamp", "cos", "cosh", "erf",
    "erfc", "exp", "expm1", "gelu", "heaviside", "hypot", "log", "log1p", "maximum", "minimum",
    "relu", "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "sqrt", "tan", "tanh", "where",
]

SQRT_2, SQRT_2PI, TWO_OVER_SQRT_PI = math.sqrt(2), math.sqrt(2 * math.pi), 2 / math.sqrt(math.pi)


def libm(name: str) -> Primitive:
    """Return the function of ``math``, with its twin in `autograd.ieee` where it can raise."""
    return primitive(getattr(math, name), getattr(ieee, name, None))


# Arithmetic

add: Op = Op("add", primitive(operator.add), (lambda z, x, y: 1.0, lambda z, x, y: 1.0),
    symbol="+", binds=1, commutes=True, length=inf)
sub: Op = Op("sub", primitive(operator.sub), (lambda z, x, y: 1.0, lambda z, x, y: -1.0),
    symbol="-", binds=1, length=inf)
mul: Op = Op("mul", primitive(operator.mul), (lambda z, x, y: y, lambda z, x, y: x),
    symbol="*", binds=2, commutes=True, length=inf, latex=r"{0} \cdot {1}")
div: Op = Op("div", primitive(operator.truediv, ieee.div),
    (lambda z, x, y: 1 / y, lambda z, x, y: -z / y), (REAL, REAL.without(0)),
    singular=True, symbol="/", binds=2, length=inf, latex=r"\frac{{{0}}}{{{1}}}")
neg: Op = Op("neg", primitive(operator.neg), (lambda y, x: -1.0,), symbol="-", binds=3, length=inf)
pow: Op = Op("pow", libm("pow"),
    (lambda z, x, y: y * x ** (y - abs(sign(y))), lambda z, x, y: mul_no_nan(z, log(x))),
    Joint("a base > 0, a base of 0 with an exponent >= 0, or a base < 0 with an integer exponent",
        lambda x, y: x > 0 or math.isinf(x) or math.isinf(y) or (y >= 0 if x == 0 else y % 1 == 0)),
    singular=True, symbol="**", binds=4, latex="{{{0}}}^{{{1}}}", length=lambda x, y: (
        fabs(x) or inf, 1 / (1 + fabs(math.log(fabs(x) or 1))) if fabs(x) < inf else 1.0),
    note="d/dx is y x**(y-1), written so that it is 0 for y = 0 at x = 0 as well; d/dx within "
    "4 + abs((y - 1) * log(x)) ulp, as y - 1 is rounded for y < 0.5, "
    "and right in sign for x < 0 up to abs(y) = 2**53. d/dy is 0 at x = 0 for y > 0 "
    "(PyTorch, derivatives.yaml: pow_backward_exponent) and undefined for x < 0")

# Exponentials and logarithms

exp: Op = Op("exp", libm("exp"), (lambda y, x: y,), singular=True, latex="e^{{{0}}}")
expm1: Op = Op("expm1", libm("expm1"), (lambda y, x: exp(x),), singular=True)
log: Op = Op("log", libm("log"), (lambda y, x: 1 / x,), (POSITIVE,), singular=True, latex=r"\ln")
log1p: Op = Op("log1p", libm("log1p"), (lambda y, x: 1 / (1 + x),), (Domain(-1, open_low=True),),
    singular=True, latex=r"\ln\left(1 + {0}\right)")
sqrt: Op = Op("sqrt", libm("sqrt"), (lambda y, x: 0.5 / y,), (NONNEGATIVE,), singular=True,
    latex=r"\sqrt{{{0}}}", note="sqrt'(0) is infinite: backward says so")

# Trigonometry

sin: Op = Op("sin", libm("sin"), (lambda y, x: cos(x),), (FINITE,), latex=r"\sin")
cos: Op = Op("cos", libm("cos"), (lambda y, x: -sin(x),), (FINITE,), latex=r"\cos")
tan: Op = Op("tan", libm("tan"), (lambda y, x: 1 + y * y,), (FINITE,), latex=r"\tan")
asin: Op = Op("asin", libm("asin"), (lambda y, x: 1 / sqrt((1 - x) * (1 + x)),), (UNIT,),
    singular=True, latex=r"\arcsin")
acos: Op = Op("acos", libm("acos"), (lambda y, x: -1 / sqrt((1 - x) * (1 + x)),), (UNIT,),
    singular=True, latex=r"\arccos")
atan: Op = Op("atan", libm("atan"), (lambda y, x: 1 / hypot(1.0, x) / hypot(1.0, x),),
    latex=r"\arctan")
atan2: Op = Op("atan2", libm("atan2"),
    (lambda z, x, y: y / hypot(x, y) / hypot(x, y), lambda z, x, y: -x / hypot(x, y) / hypot(x, y)),
    Joint("x and y not both 0", lambda x, y: x != 0 or y != 0),
    kinks=lambda x, y: (where(-y, x, 1.0),), singular=True,
    length=lambda x, y: (math.hypot(x, y) if y > 0 else fabs(x) or inf, math.hypot(x, y)),
    note="atan2(x, y) is the angle of the point with ordinate x and abscissa y; derivatives "
    "within 4 ulp or 4e-309 absolute, as hypot(x, y) may overflow")

# Hyperbolic functions

sinh: Op = Op("sinh", libm("sinh"), (lambda y, x: cosh(x),), singular=True, latex=r"\sinh")
cosh: Op = Op("cosh", libm("cosh"), (lambda y, x: sinh(x),), singular=True, latex=r"\cosh")
tanh: Op = Op("tanh", libm("tanh"), (lambda y, x: 1 - y * y,), latex=r"\tanh",
    note="derivative within 4.5e-16 absolute (1 - y*y cancels far out)")
asinh: Op = Op("asinh", libm("asinh"), (lambda y, x: 1 / hypot(1.0, x),),
    latex=r"\operatorname{{arsinh}}\left({0}\right)")
acosh: Op = Op("acosh", libm("acosh"), (lambda y, x: 1 / (sqrt(x - 1) * sqrt(x + 1)),),
    (Domain(1),), singular=True, latex=r"\operatorname{{arcosh}}\left({0}\right)")
atanh: Op = Op("atanh", libm("atanh"), (lambda y, x: 1 / ((1 - x) * (1 + x)),),
    (Domain(-1, 1, open_low=True, open_high=True),), singular=True,
    latex=r"\operatorname{{artanh}}\left({0}\right)")

# The error function and smooth activations

SHIFTED = "derivative within 4 + x**2 ulp: rounding x*x shifts the exponent"

erf: Op = Op("erf", libm("erf"), (lambda y, x: TWO_OVER_SQRT_PI * exp(-x * x),), note=SHIFTED)
erfc: Op = Op("erfc", libm("erfc"), (lambda y, x: -TWO_OVER_SQRT_PI * exp(-x * x),), note=SHIFTED)
sigmoid: Op = Op("sigmoid", lambda x: where(x, 1.0, exp(-abs(x))) / (1 + exp(-abs(x))),
    (lambda y, x: y * (1 - y),), latex=r"\sigma",
    note="derivative within 2.3e-16 absolute (1 - y cancels for large x)")
softplus: Op = Op("softplus", lambda x: relu(x) + log1p(exp(-abs(x))), (lambda y, x: sigmoid(x),))
gelu: Op = Op("gelu", lambda x: 0.5 * x * erfc(-x / SQRT_2),
    (lambda y, x: 0.5 * erfc(-x / SQRT_2) + x * exp(-0.5 * x * x) / SQRT_2PI,),
    note="x Phi(x), Hendrycks & Gimpel 2016; value within 4 + 2*min(x, 0)**2 ulp, derivative "
    "within 4.5e-16 absolute")
silu: Op = Op("silu", lambda x: x * sigmoid(x), (lambda y, x: sigmoid(x) + y * sigmoid(-x),),
    note="x sigmoid(x), Elfwing et al. 2017; value within 4 ulp or 4e-321 absolute; derivative "
    "within 4 ulp or 2.3e-16 absolute, as it cancels around its zero at -1.278")

# Functions with a kink: the value there is a convention

heaviside: Op = Op("heaviside", primitive(ieee.heaviside), (lambda y, x: 0.0,),
    kinks=lambda x: (x,), length=inf, latex="H",
    note="1 for x > 0, else 0; derivative 0 everywhere")
sign: Op = Op("sign", primitive(ieee.sign), (lambda y, x: 0.0,),
    kinks=lambda x: (x,), length=inf, note="derivative 0 everywhere")
where: Op = Op("where", primitive(ieee.where),
    (lambda z, c, a, b: 0.0, lambda z, c, a, b: heaviside(c), lambda z, c, a, b: 1 - heaviside(c)),
    kinks=lambda c, a, b: (c,), latex=r"\left({1} \text{{ if }} {0} > 0 \text{{ else }} {2}\right)",
    note="a if c > 0, else b; derivative 0 with respect to c")
abs: Op = Op("abs", libm("fabs"), (lambda y, x: sign(x),), kinks=lambda x: (x,), length=inf,
    latex=r"\left|{0}\right|", note="abs'(0) = 0, the subgradient PyTorch chooses")
relu: Op = Op("relu", lambda x: maximum(x, 0.0), (lambda y, x: heaviside(x),),
    kinks=lambda x: (x,), note="relu'(0) = 0, the subgradient PyTorch chooses")
leaky_relu: Op = Op("leaky_relu", lambda x, slope: where(x, x, slope * x),
    (lambda z, x, slope: where(x, 1.0, slope), lambda z, x, slope: where(x, 0.0, x)),
    kinks=lambda x, slope: (x,), note="leaky_relu'(0) = slope, the subgradient PyTorch chooses")
elu: Op = Op("elu", lambda x, alpha: where(x, x, alpha * expm1(minimum(x, 0.0))),
    (lambda z, x, alpha: where(x, 1.0, alpha * exp(minimum(x, 0.0))),
     lambda z, x, alpha: where(x, 0.0, expm1(minimum(x, 0.0)))),
    kinks=lambda x, alpha: (x,),
    note="elu'(0) = alpha, as PyTorch has it (Clevert et al. 2015); "
    "d/dx within 4 ulp or abs(alpha) * 5e-324 absolute, as exp(x) may be subnormal")
maximum: Op = Op("maximum", primitive(ieee.maximum),
    (lambda z, x, y: 0.5 * (1 + sign(x - y)), lambda z, x, y: 0.5 * (1 - sign(x - y))),
    kinks=lambda x, y: (x - y,), commutes=True, latex=r"\max",
    note="half to each side at a tie (PyTorch, JAX)")
minimum: Op = Op("minimum", primitive(ieee.minimum),
    (lambda z, x, y: 0.5 * (1 - sign(x - y)), lambda z, x, y: 0.5 * (1 + sign(x - y))),
    kinks=lambda x, y: (x - y,), commutes=True, latex=r"\min",
    note="half to each side at a tie (PyTorch, JAX)")
clamp: Op = Op("clamp", lambda x, low, high: minimum(maximum(x, low), high),
    (lambda z, x, low, high: (1 - heaviside(low - x)) * (1 - heaviside(x - high)),
     lambda z, x, low, high: heaviside(low - x), lambda z, x, low, high: heaviside(x - high)),
    Joint("low <= high", lambda x, low, high: low <= high),
    kinks=lambda x, low, high: (x - low, x - high),
    note="derivative 1 at a bound, the subgradient PyTorch chooses")
hypot: Op = Op("hypot", libm("hypot"),
    (lambda z, x, y: where(1 - sign(z), 0.0, x / z),
     lambda z, x, y: where(1 - sign(z), 0.0, y / z)),
    kinks=lambda *xy: (hypot(*xy),), commutes=True, latex=r"\sqrt{{{0}^2 + {1}^2}}",
    length=lambda x, y: (math.hypot(x, y),) * 2,
    note="derivative 0 at (0, 0), the subgradient of least norm")
mul_no_nan: Op = Op("mul_no_nan", primitive(ieee.mul_no_nan),
    # y where it is finite: there inf - abs(y) > 0.
    (lambda z, x, y: where(inf - abs(y), y, mul_no_nan(abs(sign(x)), y)), lambda z, x, y: x),
    note="x * y, but 0 where x is 0 even if y is infinite or NaN (TensorFlow, multiply_no_nan); "
    "derivative 0 there too, so that higher derivatives stay 0")

# Rows of any number of arguments; sums run from left to right

sum: Op = Op("sum", lambda *xs: reduce(operator.add, xs), pullback=lambda g, z, xs: [g for _ in xs],
    commutes=True, length=inf, latex=r"\sum",
    note="within n 2**-53 (|x1| + ... + |xn|): recursive summation (Higham 2002, section 4.2)")


def _dot(*args: Any) -> Any:
    half = len(args) // 2
    products = map(operator.mul, args[:half], args[half : 2 * half])
    return reduce(operator.add, (*products, *args[2 * half :]))


def _dot_pullback(g: Any, z: Any, args: tuple[Any, ...]) -> list[Any]:
    half = len(args) // 2
    weights, inputs, bias = args[:half], args[half : 2 * half], args[2 * half :]
    return [g * x for x in inputs] + [g * w for w in weights] + [g for _ in bias]


dot: Op = Op("dot", _dot, pullback=_dot_pullback, weighted=True, length=inf,
    note="args are n weights, n inputs and at most one bias: w1*x1 + ... + wn*xn + b; "
    "within (n + 1) 2**-53 (|w1 x1| + ... + |wn xn| + |b|) (Higham 2002, section 3.1)")


def _logsumexp(*xs: Any) -> Any:
    top = reduce(maximum, xs)
    return top + log(reduce(operator.add, [exp(x - top) for x in xs]))


logsumexp: Op = Op("logsumexp", _logsumexp, pullback=lambda g, z, xs: [g * exp(x - z) for x in xs],
    commutes=True,
    note="within (2 n + 4) 2**-53 max(1, |largest x|); that error is relative in the derivatives "
    "exp(x - z) (Blanchard, Higham & Higham 2021)")


def _shared(g: Any, z: Any, xs: tuple[Any, ...]) -> list[Any]:
    ties = [where(abs(z - x), 0.0, 1.0) for x in xs]  # infinities tie as well
    share = g / reduce(operator.add, ties, 0 * sign(z))  # NaN where z is
    return [share * tie for tie in ties]


def _leads(pick: Op, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return by how much each but the last leads what ``pick`` picks of the others."""
    after = [*accumulate(xs[::-1], pick)][::-1]
    return tuple(map(operator.sub, xs, (*after[1:2], *map(pick, accumulate(xs, pick), after[2:]))))


max: Op = Op("max", lambda *xs: reduce(maximum, xs), pullback=_shared,
    kinks=lambda *xs: _leads(maximum, xs), commutes=True, latex=r"\max",
    note="an even share to each at a tie (torch.amax, JAX)")
min: Op = Op("min", lambda *xs: reduce(minimum, xs), pullback=_shared,
    kinks=lambda *xs: _leads(minimum, xs), commutes=True, latex=r"\min",
    note="an even share to each at a tie (torch.amin, JAX)")
take: Op = Op("take",
    lambda i, *xs: reduce(lambda z, x: where(abs(i - x[0]), z, x[1]), enumerate(xs), 0.0),
    pullback=lambda g, z, xs: [0.0, *(where(abs(xs[0] - k), 0.0, g) for k in range(len(xs) - 1))],
    kinks=lambda i, *xs: [i - k for k in range(len(xs))],
    note="the x that i counts to, from 0, and 0 if to none; the derivative goes to that one alone")

OPERATORS = {"add": add, "sub": sub, "mul": mul, "truediv": div, "pow": pow, "neg": neg, "abs": abs}
"""The rows that Python has operators for, by its names for them."""

NUMPY = {
    "arcsin": asin, "arccos": acos, "arctan": atan, "arctan2": atan2, "hypot": hypot,
    "arcsinh": asinh, "arccosh": acosh, "arctanh": atanh, "fabs": abs,
}
"""The rows that NumPy's functions ask an element for, where it has a name of its own for them."""

seal(OPERATORS, NUMPY)
