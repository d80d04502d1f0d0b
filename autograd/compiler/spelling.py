"""How each target spells the primitives: one table a target, and nothing else about an op."""

from __future__ import annotations

LIBM: dict[str, int] = dict.fromkeys(
    (
        "exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc"
    ).split(),
    1,
) | dict.fromkeys(("pow", "atan2", "hypot"), 2)
"""The primitives that C's libm has under the same name, with their number of arguments."""

LLVM: dict[str, str] = {
    "add": "{r} = fadd{fast} {t} {0}, {1}",
    "sub": "{r} = fsub{fast} {t} {0}, {1}",
    "mul": "{r} = fmul{fast} {t} {0}, {1}",
    "div": "{r} = fdiv {t} {0}, {1}",
    "neg": "{r} = fneg {t} {0}",
    "abs": "{r} = call {t} @llvm.fabs.{s}({t} {0})",
    "sqrt": "{r} = call {t} @llvm.sqrt.{s}({t} {0})",
    "where": """\
{r}.c = fcmp ogt {t} {0}, {zero}
{r} = select {m} {r}.c, {t} {1}, {t} {2}""",
    "heaviside": """\
{r}.c = fcmp ogt {t} {0}, {zero}
{r}.n = fcmp uno {t} {0}, {0}
{r}.a = select {m} {r}.c, {t} {one}, {t} {zero}
{r} = select {m} {r}.n, {t} {0}, {t} {r}.a""",
    "sign": """\
{r}.c = fcmp ogt {t} {0}, {zero}
{r}.d = fcmp olt {t} {0}, {zero}
{r}.n = fcmp uno {t} {0}, {0}
{r}.a = select {m} {r}.d, {t} {minus_one}, {t} {zero}
{r}.b = select {m} {r}.c, {t} {one}, {t} {r}.a
{r} = select {m} {r}.n, {t} {0}, {t} {r}.b""",
    "maximum": """\
{r}.c = fcmp oge {t} {0}, {1}
{r}.n = fcmp uno {t} {0}, {0}
{r}.a = or {m} {r}.c, {r}.n
{r} = select {m} {r}.a, {t} {0}, {t} {1}""",
    "minimum": """\
{r}.c = fcmp ole {t} {0}, {1}
{r}.n = fcmp uno {t} {0}, {0}
{r}.a = or {m} {r}.c, {r}.n
{r} = select {m} {r}.a, {t} {0}, {t} {1}""",
    "mul_no_nan": """\
{r}.c = fcmp oeq {t} {0}, {zero}
{r}.a = fmul {t} {0}, {1}
{r} = select {m} {r}.c, {t} {zero}, {t} {r}.a""",
}
"""{r} is the result, {t} the type, {s} its suffix in names, {m} the type of its comparisons."""

LLVM_OF_NUMBER: dict[str, str] = {
    "maximum": """\
{r}.c = fcmp ogt {t} {1}, {0}
{r} = select {m} {r}.c, {t} {1}, {t} {0}""",
    "minimum": """\
{r}.c = fcmp olt {t} {1}, {0}
{r} = select {m} {r}.c, {t} {1}, {t} {0}""",
}
"""Shorter where the last argument is a constant and not NaN: one instruction of most machines."""

QUOTIENT = "{0} / {1}"
"""A division by a constant that isn't 0 needs no guard in any target."""

MAX_EXP, MAX_SINH = 709.7827128933841, 710.475860073944
"""The least floats at which exp and sinh are infinite: no libm misses that by an ulp."""

PYTHON: dict[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1} if {1} else {0} * math.copysign(math.inf, {1})",
    "neg": "-{0}",
    "abs": "math.fabs({0})",
    "pow": "power({0}, {1})",
    "exp": f"math.exp({{0}}) if {{0}} < {MAX_EXP} else {{0}} + math.inf",
    "expm1": f"math.expm1({{0}}) if {{0}} < {MAX_EXP} else {{0}} + math.inf",
    "log": "math.log({0}) if {0} > 0.0 else math.nan if {0} else -math.inf",
    "log1p": "math.log1p({0}) if {0} > -1.0 else -math.inf if {0} == -1.0 else math.nan",
    "sqrt": "math.sqrt({0}) if {0} >= 0.0 else math.nan",
    "sin": "math.sin({0}) if math.isfinite({0}) else math.nan",
    "cos": "math.cos({0}) if math.isfinite({0}) else math.nan",
    "tan": "math.tan({0}) if math.isfinite({0}) else math.nan",
    "asin": "math.asin({0}) if -1.0 <= {0} <= 1.0 else math.nan",
    "acos": "math.acos({0}) if -1.0 <= {0} <= 1.0 else math.nan",
    "atan": "math.atan({0})",
    "atan2": "math.atan2({0}, {1})",
    "sinh": f"math.sinh({{0}}) if math.fabs({{0}}) < {MAX_SINH} else {{0}} * math.inf",
    "cosh": f"math.cosh({{0}}) if math.fabs({{0}}) < {MAX_SINH} else math.fabs({{0}}) + math.inf",
    "tanh": "math.tanh({0})",
    "asinh": "math.asinh({0})",
    "acosh": "math.acosh({0}) if {0} >= 1.0 else math.nan",
    "atanh": "math.atanh({0}) if -1.0 < {0} < 1.0 else "
    "{0} * math.inf if {0} in (-1.0, 1.0) else math.nan",
    "erf": "math.erf({0})",
    "erfc": "math.erfc({0})",
    "hypot": "math.hypot({0}, {1})",
    "heaviside": "1.0 if {0} > 0.0 else 0.0 if {0} <= 0.0 else {0}",
    "sign": "1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else 0.0 if {0} == 0.0 else {0}",
    "where": "{1} if {0} > 0.0 else {2}",
    "maximum": "{0} if {0} >= {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} <= {1} or {0} != {0} else {1}",
    "mul_no_nan": "0.0 if {0} == 0.0 else {0} * {1}",
}
"""Python's functions raise where these give infinities and NaN; what can't raise has no guard."""

POWER = """\
def power(x, y):
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0.0 and math.fmod(y, 2.0) else math.inf
    except ValueError:
        if x:
            return math.nan
        return math.copysign(math.inf, x) if math.fmod(y, 2.0) in (1.0, -1.0) else math.inf"""
"""What stands before Python code that calls it: too long for an expression."""

C: dict[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": QUOTIENT,
    "neg": "-{0}",
    "abs": "fabs({0})",
    "sqrt": "sqrt({0})",
    **{name: f"{name}({{0}})" if n == 1 else f"{name}({{0}}, {{1}})" for name, n in LIBM.items()},
    "heaviside": "{0} > 0.0 ? 1.0 : {0} <= 0.0 ? 0.0 : {0}",
    "sign": "{0} > 0.0 ? 1.0 : {0} < 0.0 ? -1.0 : {0} == 0.0 ? 0.0 : {0}",
    "where": "{0} > 0.0 ? {1} : {2}",
    "maximum": "{0} >= {1} || {0} != {0} ? {0} : {1}",
    "minimum": "{0} <= {1} || {0} != {0} ? {0} : {1}",
    "mul_no_nan": "{0} == 0.0 ? 0.0 : {0} * {1}",
}

JAX: dict[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": QUOTIENT,
    "neg": "-{0}",
    **{
        name: f"jnp.{name}({{0}})"
        for name in "abs exp expm1 log log1p sqrt sin cos tan sinh cosh tanh".split()
    },
    **{f"a{name}": f"jnp.arc{name}({{0}})" for name in "sin cos tan sinh cosh tanh".split()},
    "pow": "jnp.power({0}, {1})",
    "atan2": "jnp.arctan2({0}, {1})",
    "hypot": "jnp.hypot({0}, {1})",
    "erf": "erf({0})",
    "erfc": "erfc({0})",
    "heaviside": "jnp.where({0} > 0.0, 1.0, jnp.where({0} <= 0.0, 0.0, {0}))",
    "sign": "jnp.where({0} > 0.0, 1.0, jnp.where({0} < 0.0, -1.0, "
    "jnp.where({0} == 0.0, 0.0, {0})))",
    "where": "jnp.where({0} > 0.0, {1}, {2})",
    "maximum": "jnp.where(({0} >= {1}) | ({0} != {0}), {0}, {1})",
    "minimum": "jnp.where(({0} <= {1}) | ({0} != {0}), {0}, {1})",
    "mul_no_nan": "jnp.where({0} == 0.0, 0.0, {0} * {1})",
}
"""jnp.maximum and jnp.sign differ from the rows in the signs of zeros.

XLA's own functions fall short of 4 ulp in places: sinh and cosh far out, by abs(x) ulp; erfc,
by x**2 ulp; log1p from -0.42 to -0.29, by 128 ulp, and with it atanh.
"""

TORCH: dict[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{t0} / {1}",
    "neg": "-{0}",
    **{
        name: f"torch.{name}({{0}})"
        for name in "abs exp expm1 log log1p sqrt sin cos tan asin acos atan "
        "sinh cosh tanh asinh acosh atanh erf erfc".split()
    },
    "pow": "torch.pow({t0}, {t1})",
    "atan2": "torch.atan2({t0}, {t1})",
    "hypot": "torch.hypot({t0}, {t1})",
    "heaviside": "torch.where({0} > 0.0, 1.0, torch.where({0} <= 0.0, 0.0, {0}))",
    "sign": "torch.where({0} > 0.0, 1.0, torch.where({0} < 0.0, -1.0, "
    "torch.where({0} == 0.0, 0.0, {0})))",
    "where": "torch.where({0} > 0.0, {t1}, {t2})",
    "maximum": "torch.where(({0} >= {1}) | ({0} != {0}), {0}, {1})",
    "minimum": "torch.where(({0} <= {1}) | ({0} != {0}), {0}, {1})",
    "mul_no_nan": "torch.where({t0} == 0.0, 0.0, {0} * {1})",
}
"""{t0} is the argument as a tensor even where it is a constant.

With plain numbers, torch.where is single precision, a quotient is a product with a reciprocal,
and a power of 0.5 is a square root, which has no value at -inf.
"""

TAKEN: dict[str, str] = {
    "python": "({1},)[int({0})]",
    "c": "{{{1}}}[(long){0}]",
    "jax": "jnp.array([{1}])[{0}.astype(int)]",
    "torch": "torch.stack(torch.broadcast_tensors({0}, {1}), -1)"
    ".gather(-1, {0}.long()[..., None] + 1)[..., 0]",
}
"""How each target takes one of several numbers, {1}, by its place {0}, a whole number.

In C these are an array with a name, which stands before: C++ has none without.
"""

ONNX: dict[str, str] = {
    "add": "{r} = Add({0}, {1})",
    "sub": "{r} = Sub({0}, {1})",
    "mul": "{r} = Mul({0}, {1})",
    "div": "{r} = Div({0}, {1})",
    "neg": "{r} = Neg({0})",
    "pow": "{r} = Pow({0}, {1})",
    **{name: f"{{r}} = {name.title()}({{0}})" for name in "abs exp log sqrt sin cos tanh".split()},
    "log1p": """\
{r}_u = Add({0}, one)
{r}_l = Log({r}_u)
{r}_m = Mul({r}_l, {0})
{r}_d = Sub({r}_u, one)
{r}_q = Div({r}_m, {r}_d)
{r}_c = Equal({r}_u, one)
{r}_f = Where({r}_c, {0}, {r}_q)
{r}_i = Equal({r}_u, {0})
{r} = Where({r}_i, {r}_l, {r}_f)""",
    "expm1": """\
{r}_u = Exp({0})
{r}_p = Add({r}_u, one)
{r}_t = Add(one, one)
{r}_h = Div({0}, {r}_t)
{r}_a = Tanh({r}_h)
{r} = Mul({r}_a, {r}_p)""",
    "where": """\
{r}_c = Greater({0}, zero)
{r} = Where({r}_c, {1}, {2})""",
    "maximum": """\
{r}_c = GreaterOrEqual({0}, {1})
{r}_n = IsNaN({0})
{r}_o = Or({r}_c, {r}_n)
{r} = Where({r}_o, {0}, {1})""",
    "minimum": """\
{r}_c = LessOrEqual({0}, {1})
{r}_n = IsNaN({0})
{r}_o = Or({r}_c, {r}_n)
{r} = Where({r}_o, {0}, {1})""",
    "heaviside": """\
{r}_c = Greater({0}, zero)
{r}_n = IsNaN({0})
{r}_a = Where({r}_c, one, zero)
{r} = Where({r}_n, {0}, {r}_a)""",
    "mul_no_nan": """\
{r}_c = Equal({0}, zero)
{r}_a = Mul({0}, {1})
{r} = Where({r}_c, zero, {r}_a)""",
}
"""{r} is the result, and what begins so a step on the way to it.

ONNX has no log1p: this is W. Kahan's, within some ulp, and log x itself where 1 + x is x. Nor
expm1: (exp x + 1) tanh(x / 2) is the same, and loses nothing where x is small.
"""

ONNX_IN_FLOAT: dict[str, str] = {
    **{name: f"{{r}} = {name.title()}({{0}})" for name in "tan asin acos atan erf".split()},
    **{name: f"{{r}} = {name.title()}({{0}})" for name in "sinh cosh asinh acosh atanh".split()},
    "erfc": """\
{r}_a = Erf({0})
{r} = Sub(one, {r}_a)""",
}
"""What onnxruntime has in single precision only."""
