"""A program as one C header: its parameters inside, nothing to link but libm, nothing allocated.

>>> from autograd import Value
>>> from autograd.compiler.writer import program_of
>>> x, w = Value(2.0), Value(3.0)
>>> print(header(program_of([x], [w], [w * x]), [3.0], "triple"))
/* triple_predict(x, out): 1 input(s), 1 output(s), 1 parameter(s). C99; every bit is kept by
   -ffp-contract=off -fno-builtin. */
#ifndef TRIPLE_H
#define TRIPLE_H
<BLANKLINE>
#define TRIPLE_INPUTS 1
#define TRIPLE_OUTPUTS 1
#define TRIPLE_PARAMETERS 1
<BLANKLINE>
typedef double triple_real;
<BLANKLINE>
static const triple_real triple_parameters[] = {
    3.0,
};
<BLANKLINE>
static inline void triple_predict_by(const triple_real *p, const triple_real *x, triple_real *out)
{
    triple_real v2 = p[0] * x[0];
    out[0] = v2;
}
<BLANKLINE>
static inline void triple_predict(const triple_real *x, triple_real *out)
{
    triple_predict_by(triple_parameters, x, out);
}
<BLANKLINE>
#endif
<BLANKLINE>
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from autograd.compiler.program import Program
from autograd.compiler.spelling import C
from autograd.compiler.targets import TARGETS, Target, c_statements
from autograd.errors import CompileError, quoted

SINGLE = {
    name: re.sub(r"([a-z]\w*)\(", r"\1f(", re.sub(r"(\d\.\d)", r"\1f", text))
    for name, text in C.items()
}
"""The primitives in single precision: libm's functions have names of their own."""

REALS = {
    "double": TARGETS["c"],
    "float": TARGETS["c"]._replace(spelled=SINGLE, suffix="f"),
}
"""By C's name of the type: the target."""

LARGEST = {"double": math.inf, "float": (2 - 2**-23) * 2.0**127}
"""The largest number of each type; of doubles there is none that a parameter could exceed."""

A_LINE = 4
"""So many parameters stand on a line."""


def header(
    predict: Program,
    parameters: Sequence[float],
    name: str = "model",
    real: str = "double",
    step: Program | None = None,
    more: Iterable[str] = (),
) -> str:
    """Return a header that defines ``NAME_predict(x, out)``, by the parameters' numbers.

    ``NAME_predict_by(p, x, out)`` takes parameters of the caller's own. Both allocate nothing.

    Args:
        predict: from inputs and parameters to the outputs.
        name: begins every identifier.
        real: "double" or "float": of storage and arithmetic.
        step: from inputs and parameters to a loss and its derivatives by each parameter, for
            ``NAME_step(p, x, rate)``: one step of gradient descent, which returns the loss
            before it. Its inputs may be more, such as a target after the inputs.
        more: lines that follow the type and the parameters.

    Raises:
        CompileError: a primitive has no spelling in C, a parameter doesn't fit in ``real``, or
            ``name`` is no identifier.

    Cost: linear in the instructions.
    """
    checked(name, real, parameters)
    code = "\n".join(_code(predict, parameters, name, real, step, more))
    sizes = f"{predict.inputs} input(s), {len(predict.outputs)} output(s)"
    about = f"{name}_predict(x, out): {sizes}, {len(parameters)} parameter(s)."
    return framed(about, code, name, real)


def checked(name: str, real: str, parameters: Sequence[float]) -> None:
    """Raise CompileError where there can be no such header."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or len(name) > 60:
        raise CompileError(f"a C header is named by letters, digits and _, not {quoted(name)}")
    if real not in REALS:
        raise CompileError(f"a C header computes in double or float, not {quoted(real)}")
    for number in parameters:
        if LARGEST[real] < abs(number) < math.inf:
            raise CompileError(f"the parameter {number!r} is too large for a {real}")


def framed(about: str, code: str, name: str, real: str, included: Sequence[str] = ()) -> str:
    """Return code as a header.

    Args:
        about: what it defines, a line.
        included: what it needs, besides functions and numbers of libm, if any occur.
    """
    about = f"/* {about} C99; every bit is kept by\n   -ffp-contract=off -fno-builtin. */"
    guard = f"{name.upper()}_H"
    needed = [*_include(code, REALS[real]), *included]
    lines = [*(f"#include <{each}>" for each in needed), ""] if needed else []
    return "\n".join(
        [about, f"#ifndef {guard}", f"#define {guard}", "", *lines, code, "#endif", ""]
    )


def _include(code: str, known: Target) -> list[str]:
    """Return what is to be included, if a function or a number of C's library occurs."""
    called = re.findall(r"(?<![\w])([a-z][a-z0-9]*)\(", re.sub(r"/\*.*?\*/", "", code, flags=re.S))
    used = set(called) & {text.partition("(")[0] for text in known.spelled.values()}
    return ["math.h"] if used or re.search(r"\b(INFINITY|NAN)\b", code) else []


def _code(
    predict: Program,
    parameters: Sequence[float],
    name: str,
    real: str,
    step: Program | None,
    more: Iterable[str],
) -> Iterator[str]:
    known = REALS[real]
    kind = f"{name}_real"
    yield f"#define {name.upper()}_INPUTS {predict.inputs}"
    yield f"#define {name.upper()}_OUTPUTS {len(predict.outputs)}"
    yield f"#define {name.upper()}_PARAMETERS {len(parameters)}"
    yield f"\ntypedef {real} {kind};\n"
    if parameters:
        yield from numbers(parameters, f"{name}_parameters", real, kind)
    yield from more
    taken = f"const {kind} *p, const {kind} *x, {kind} *out"
    yield f"static inline void {name}_predict_by({taken})\n{{"
    if not predict.parameters:
        yield "    (void)p;"
    if not predict.inputs:
        yield "    (void)x;"
    yield from c_statements(predict, known, kind)
    yield "}\n"
    own = f"{name}_parameters" if parameters else "0"
    yield f"static inline void {name}_predict(const {kind} *x, {kind} *out)"
    yield f"{{\n    {name}_predict_by({own}, x, out);\n}}\n"
    if step is not None:
        yield "/* A step of gradient descent; p is changed. Returns the loss before it. */"
        yield f"static inline {kind} {name}_step({kind} *p, const {kind} *x, {kind} rate)\n{{"
        yield f"    {kind} out[{len(step.outputs)}];"
        yield from c_statements(step, known, kind)
        yield f"    for (int i = 0; i < {step.parameters}; i++) p[i] -= rate * out[i + 1];"
        yield "    return out[0];\n}\n"


def numbers(given: Sequence[float], name: str, real: str, kind: str) -> Iterator[str]:
    """Yield the definition of an array of numbers."""
    yield f"static const {kind} {name}[] = {{"
    for i in range(0, len(given), A_LINE):
        yield f"    {', '.join(written(x, real) for x in given[i : i + A_LINE])},"
    yield "};\n"


def written(x: float, real: str) -> str:
    """Return a number as C reads it, to the last bit of the type.

    >>> written(0.1, "float"), written(-math.inf, "double")
    ('0.1f', '-INFINITY')
    """
    known = REALS[real]
    if math.isnan(x):
        return known.undefined
    return f"{x!r}{known.suffix}" if math.isfinite(x) else f"{'-' * (x < 0)}{known.infinite}"


def string(text: str) -> str:
    r"""Return a string of C, in UTF-8.

    >>> print(string('a "ü"?'))
    "a \042\303\274\042\077"
    """
    parts = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode("utf-8", "replace")
    )
    return f'"{"".join(parts)}"'
