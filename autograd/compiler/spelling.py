"""How each target spells the primitives: one table a target, and nothing else about an op."""

from __future__ import annotations

LIBM: dict[str, int] = dict.fromkeys(
    "exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc".split(),
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
