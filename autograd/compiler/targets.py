"""Programs as source code that runs where this package isn't installed.

>>> from autograd import Value, tanh
>>> from autograd.compiler.writer import program_of
>>> x, w = Value(2.0), Value(3.0)
>>> print(source(program_of([x], [w], [tanh(x * w) / w]), "python"))
# x: inputs of one sample (1); p: parameters (1); returns a tuple of floats (1).
import math
<BLANKLINE>
<BLANKLINE>
def program(x, p):
    (v0,) = x
    (v1,) = p
    v2 = v0 * v1
    v3 = math.tanh(v2)
    v4 = v3 / v1 if v1 else v3 * math.copysign(math.inf, v1)
    return (v4,)
<BLANKLINE>
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from autograd import ops
from autograd.compiler.program import Arg, Program
from autograd.compiler.spelling import JAX, POWER, PYTHON, QUOTIENT, TAKEN, TORCH, C
from autograd.errors import CompileError, quoted
from autograd.operation import Op

TERMS = 6
"""How many terms of a sum stand on one line: parsers recurse into longer ones."""

NAMES = 10
"""How many names stand on one line of a tuple."""


class Target(NamedTuple):
    """A language, or a library of one.

    Attributes:
        name: as users say it.
        about: how to use the code, with fields for the numbers of inputs, parameters, outputs.
        spelled: the table of its primitives.
        infinite, undefined: how it writes inf and NaN.
        preludes: what must stand before code in which a word occurs.
        scalars: how an array is taken apart.
        tensor: a constant as what the library computes with.
        suffix: what a constant ends with.
    """

    name: str
    about: str
    spelled: dict[str, str]
    infinite: str
    undefined: str
    preludes: tuple[tuple[str, str], ...]
    scalars: str = "{0}"
    tensor: str = "{0}"
    suffix: str = ""


TARGETS = {
    "python": Target(
        "python",
        "# x: inputs of one sample ({0}); p: parameters ({1}); returns a tuple of floats ({2}).",
        PYTHON,
        "math.inf",
        "math.nan",
        (("math.", "import math\n"), ("power(", f"\n\n{POWER}\n")),
    ),
    "c": Target(
        "c",
        "/* x: inputs of one sample ({0}); p: parameters ({1}); out: room for the results ({2}).\n"
        "   cc -std=c99 -O2 -ffp-contract=off -fno-builtin, with -lm, keeps every bit of libm. */",
        C,
        "INFINITY",
        "NAN",
        (("", "#include <math.h>\n"),),
    ),
    "jax": Target(
        "jax",
        "# x: inputs of one sample ({0}); p: parameters ({1}); returns a tuple of numbers ({2}).\n"
        "# For a batch: jax.jit(jax.vmap(program, in_axes=(0, None))).\n"
        '# In double precision only after jax.config.update("jax_enable_x64", True).',
        JAX,
        "jnp.inf",
        "jnp.nan",
        (
            ("jnp.", "import jax.numpy as jnp\n"),
            ("erf", "from jax.scipy.special import erf, erfc\n"),
        ),
    ),
    "torch": Target(
        "torch",
        "# x: inputs ({0}) along the last axis, other axes are the batch; p: parameters ({1});\n"
        "# both of torch.float64. Returns a tuple of tensors ({2}), of the shape of the batch.",
        TORCH,
        "torch.inf",
        "torch.nan",
        (("torch.", "import torch\n"),),
        "{0}.unbind(-1)",
        "torch.tensor({0}, dtype=torch.float64)",
    ),
}


def source(program: Program, target: str) -> str:
    """Return ``program`` as runnable source code.

    It defines ``program(x, p)``, of the inputs of one sample and the parameters; in C it is
    ``void program(const double *x, const double *p, double *out)``. Sums run from left to right,
    infinities and NaN are those of IEEE 754. Python code has the bits of `program.run`, and so
    has C, but for hypot, where Python's libm is used. PyTorch's functions differ by an ulp or
    two, most of JAX's by up to 4; XLA also fuses products with sums, takes subnormal numbers
    for 0, and may drop the sign of a zero.

    Args:
        target: "python", "c", "jax" or "torch".

    Raises:
        CompileError: there is no such target, or it has no spelling for a primitive.

    Cost: linear in the instructions, here and for Python's compiler: 10 to 25 us for each.
    """
    if target not in TARGETS:
        raise CompileError(
            f"there is no target {quoted(target)}; choose from {', '.join(TARGETS)}, llvm"
        )
    code = "\n\n" + "\n".join(_c(program) if target == "c" else _python(program, target)) + "\n"
    for word, text in reversed(TARGETS[target].preludes):
        if word in code:
            code = text + code
    counts = program.inputs, program.parameters, len(program.outputs)
    return TARGETS[target].about.format(*counts) + "\n" + code


def _python(program: Program, target: str) -> Iterator[str]:
    known = TARGETS[target]
    names = [f"v{i}" for i in range(program.first + len(program.instructions))]
    yield "def program(x, p):"
    if program.inputs:
        yield f"    {_tuple(names[: program.inputs])} = {known.scalars.format('x')}"
    if program.parameters:
        yield f"    {_tuple(names[program.inputs : program.first])} = {known.scalars.format('p')}"
    for name, texts in _assignments(program, known, names):
        for text in texts:
            yield f"    {name} = {text}"
    results = [_text(out, known, names) for out in program.outputs]
    if target == "torch":
        uniform = program.uniform()
        for i, out in enumerate(program.outputs):
            if isinstance(out, float):
                results[i] = known.tensor.format(results[i])
            if isinstance(out, float) or uniform[out]:
                results[i] += ".expand(x.shape[:-1])"
    yield f"    return {_tuple(results)}"


def _c(program: Program) -> Iterator[str]:
    yield "void program(const double *x, const double *p, double *out)\n{"
    yield from c_statements(program, TARGETS["c"], "double")
    yield "}"


def c_statements(program: Program, known: Target, real: str) -> Iterator[str]:
    """Yield what computes ``out`` from inputs ``x`` and parameters ``p``, arrays of ``real``."""
    names = [
        *(f"x[{i}]" for i in range(program.inputs)),
        *(f"p[{i}]" for i in range(program.parameters)),
        *(f"v{program.first + i}" for i in range(len(program.instructions))),
    ]
    for name, (text, *more) in _assignments(program, known, names):
        if text.startswith("{"):
            numbers, at = text.split("}")
            yield f"    const {real} {name}_of[] = {numbers}}};"
            text = f"{name}_of{at}"
        yield f"    {real} {name} = {text};"
        for text in more:
            yield f"    {name} = {text};"
    for i, out in enumerate(program.outputs):
        yield f"    out[{i}] = {_text(out, known, names)};"


def _assignments(
    program: Program, known: Target, names: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Return for each instruction the name of its result, and what is assigned to it in turn."""
    for number, (op, args) in enumerate(program.instructions, program.first):
        name = names[number]
        texts = [_text(arg, known, names) for arg in args]
        if op is ops.sum or op is ops.dot:
            terms = _terms(op, texts)
            first, *more = [" + ".join(terms[i : i + TERMS]) for i in range(0, len(terms), TERMS)]
            yield name, [first, *(f"{name} + {text}" for text in more)]
        elif op is ops.take:
            index, *table = _tensors(args, texts, known).values()
            yield name, [TAKEN[known.name].format(index, ", ".join(table))]
        else:
            yield name, [_template(op, args, known).format(*texts, **_tensors(args, texts, known))]


def _terms(op: Op, texts: list[str]) -> list[str]:
    if op is ops.sum:
        return texts
    half = len(texts) // 2
    products = zip(texts[:half], texts[half : 2 * half], strict=True)
    return [f"{weight} * {x}" for weight, x in products] + texts[2 * half :]


def _template(op: Op, args: tuple[Arg, ...], known: Target) -> str:
    if op is ops.div and isinstance(args[1], float) and args[1] != 0:
        return QUOTIENT
    try:
        return known.spelled[op.name]
    except KeyError:
        raise CompileError(
            f"{op.name} can't be written for {known.name!r}, where this primitive has no spelling; "
            "a formula over rows of the table can"
        ) from None


def _tensors(args: tuple[Arg, ...], texts: list[str], known: Target) -> dict[str, str]:
    return {
        f"t{i}": known.tensor.format(text) if isinstance(arg, float) else text
        for i, (arg, text) in enumerate(zip(args, texts, strict=True))
    }


def _text(arg: Arg, known: Target, names: list[str]) -> str:
    """Return a name, or a constant to the last bit."""
    if isinstance(arg, int):
        return names[arg]
    if math.isfinite(arg):
        text = repr(arg) + known.suffix
    else:
        sign = "-" if arg < 0 else ""
        text = known.undefined if arg != arg else sign + known.infinite
    return f"({text})" if text.startswith("-") else text


def _tuple(texts: list[str]) -> str:
    if len(texts) == 1:
        return f"({texts[0]},)"
    if len(texts) <= NAMES:
        return ", ".join(texts) or "()"
    lines = [", ".join(texts[i : i + NAMES]) for i in range(0, len(texts), NAMES)]
    return "\n        ".join(["(", *(f"{line}," for line in lines)]) + "\n    )"
