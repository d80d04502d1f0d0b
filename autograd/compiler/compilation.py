"""`compile`: a function on Values, recorded once, at the speed of machine code.

>>> from autograd import compile, tanh
>>> f = compile(lambda x, w: tanh(w * x), 1.0, 1.0, wrt=1, reduce="sum")
>>> f([0.0, 1.0], [3.0, 0.0])
[0.0, 0.0]
>>> value, slope = f.value_and_grad([0.0, 1.0], [3.0, 0.0])
>>> value, slope
(0.0, [0.0, 1.0])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

from autograd.compiler.compiled import Compiled
from autograd.compiler.derivatives import Matrix, matrices_of, together
from autograd.compiler.examples import example_of
from autograd.compiler.garbage import without_gc
from autograd.compiler.places import held_by
from autograd.compiler.reals import DOUBLE, real_of
from autograd.compiler.recall import Recalled, recalled
from autograd.compiler.recording import record
from autograd.compiler.unrolling import unrolled
from autograd.engine import Value
from autograd.extras import missing_extra
from autograd.transforms import SparseDerivative

REDUCTIONS = ("mean", "sum", None)
BACKENDS = {
    "llvm": (("llvmlite", "fast"), ("numpy", "fast")),
    "python": (),
    "jax": (("jax", "jax"), ("numpy", "jax")),
    "torch": (("torch", "torch"), ("numpy", "torch")),
}
"""What each back end needs: libraries, and the extras that bring them."""


def compile(
    f: Callable[..., Any],
    *example: Any,
    wrt: Any = None,
    reduce: str | None = "mean",
    backend: str | None = None,
    exact: bool = False,
    dtype: str = "float64",
) -> Compiled:
    """Return ``f`` compiled: a function of arrays, with the gradient for no more than a few calls.

    ``f`` is recorded once, so it must do the same for all numbers and in each call: no ``if`` on a
    Value, no ``float()``, no random numbers, files or dates; it may note a clock, count its calls
    or print numbers, also under an ``if`` that prints and does nothing else, but not go by that,
    nor have another thread go by it. What it asserts is left out, as by ``python -O``. Arguments
    come as Values, which equal no number: ``y == 1`` is refused, and so is what looks one up in a
    dict or asks for its type, as far as the example shows it. Other leaf Values it uses, such as a
    model's weights, are parameters: their numbers are read at each call. All else it has as it was:
    plain numbers that it closes over, attributes, items, arrays, labels, its own code and that of
    methods, which Values the parameters are, and what it names of modules and asks of Values. The
    next call after one of these is another, new or gone raises, where that makes a difference. So
    each call looks at all that ``f`` can reach: some 20 ns for a place, where machine code runs a
    few for one in a list or an instance, and for an array what it takes to copy it. Arrays of more
    than 64 kB are looked at for a hundredth of the time: in a tight loop, a call may be some later.
    What ``f`` doesn't go by, such as a list of losses, may change at no cost; what it prints or
    appends, it does in each of its runs here and in no call.

    Not looked at is what lists and arrays of more than a million hold, what libraries do inside,
    and in which way Python prints, warns or raises: filters of warnings, NumPy's `errstate` and
    print options. What ``f`` reaches by a weak reference is kept alive. Two floats that are one
    object, ``p.data is q.data``, are so for ever. Text of a number counts as told where a
    statement of its own hands it to a library's function, whatever that does with it. While
    somebody else profiles (`sys.setprofile`), files and clocks are not seen to be asked.

    Args:
        f: takes numbers and flat lists of numbers (one sample), and returns a number, or lists,
            or a tuple of these.
        example: one sample; only the lengths matter, and of a list, others may be given: ``f`` is
            recorded again for each length when it first comes.
        wrt: what to differentiate with respect to: the number of an argument, parameters (Values
            or something with ``parameters()``, such as a model), or a list of these. By default
            all parameters, or without any, all arguments.
        reduce: "mean" or "sum" over the samples, for `Compiled.value_and_grad` and
            `Compiled.reduced`; None for each sample by itself.
        backend: "llvm" (needs the extra ``fast``) or "python"; by default LLVM if it is there.
            "jax" (the extra ``jax``) runs what ``source("jax")`` prints, compiled by XLA, the
            samples spread over all of JAX's devices; "torch" likewise with
            PyTorch, operation by operation, on its default device. With both, functions are
            theirs: see `autograd.compiler.targets.source` for how far from the rows.
        exact: every bit as in the eager engine: scalar code of libm, sums in the order of the
            source, one thread. The Python back end always is; those of libraries can't be.
        dtype: "float32" for single precision, which takes half the memory and about half the time:
            all that is given is rounded to it, all that comes back are Python's floats, or arrays
            of it. Values keep their doubles, and rows that are chosen are exact. The sums over more
            than 16,384 samples are added up in double precision. Not exact, nor in Python.

    Raises:
        CompileError: ``f`` decides by a recorded number, changes from run to run, or uses a row
            whose forward is opaque; when called, something it was recorded with is another.
        MissingExtraError: the back end asked for is not installed.
        TypeError, ValueError: an argument is unusable.

    Cost: three or four runs of ``f`` now; machine code is made when first called, and kept on disk.
    Where all that decides what ``f`` records can be told by its code and by what it holds, one run
    will do if it asks for no numbers, and what it records is kept, too: the next process need not
    run it (`autograd.compiler.fingerprint`).
    """
    if reduce not in REDUCTIONS:
        raise ValueError(f'reduce must be "mean", "sum" or None: got {reduce!r:.40}')
    if backend not in (None, *BACKENDS):
        known = ", ".join(f'"{name}"' for name in BACKENDS)
        raise ValueError(f"backend must be one of {known}: got {backend!r:.40}")
    real = real_of(dtype)
    if real is not DOUBLE:
        if exact:
            raise ValueError(f"exact=True is of float64, which the eager engine has: not {dtype}")
        if backend == "python":
            raise ValueError(f'backend="python" computes in float64, as Python does: not {dtype}')
        backend = backend or "llvm"
    if exact and backend in ("jax", "torch"):
        raise ValueError(f'exact=True is of "llvm" and "python": {backend} rounds in its own way')
    if not callable(f):
        raise TypeError(f"compile takes a function: got {f!r:.60}")
    if backend is not None:
        for library, extra in BACKENDS[backend]:
            if not find_spec(library):
                missing_extra(library, extra, ImportError(library))
    else:
        backend = "llvm" if find_spec("llvmlite") and find_spec("numpy") else "python"
    moving, leaves = _wrt(wrt, len(example))
    derivative = f if isinstance(f, SparseDerivative) else None
    matrices: tuple[Matrix, ...] = ()
    with without_gc():
        held = held_by(derivative.f if derivative else f)
        if derivative:
            is_exact = exact or backend == "python"
            graph = unrolled(record(derivative.f, example, leaves or ()))
            matrices = matrices_of(derivative, graph, exact=is_exact)
            graph = together(matrices, several=not isinstance(derivative.argnums, int))
            found = Recalled.of(graph, graph)
        else:
            again = partial(record, f, example, leaves or ())
            is_kept = backend == "llvm" and not exact
            found = recalled(f, example_of(f, example), leaves or (), again, kept=is_kept)
    if wrt is None:
        leaves = found.parameters
        moving = [] if leaves else list(range(len(example)))
    elif leaves is None:
        leaves = []
    parts = len(moving) + bool(leaves)
    alone = parts == 1 and not (isinstance(wrt, list | tuple) and moving)
    return Compiled(
        found,
        moving,
        leaves,
        alone=alone,
        reduce=reduce,
        backend=backend,
        exact=exact,
        real=real,
        matrices=matrices,
        f=None if derivative else f,
        held=held,
    )


def _wrt(wrt: Any, arguments: int) -> tuple[list[int], list[Value] | None]:
    """Return the arguments and the parameters among ``wrt``; None for no word of the latter."""
    if wrt is None:
        return [], None
    parts = list(wrt) if isinstance(wrt, list | tuple) else [wrt]
    numbers: list[int] = []
    leaves: list[Value] = []
    for part in parts:
        if isinstance(part, int) and not isinstance(part, bool):
            if not -arguments <= part < arguments:
                raise IndexError(f"wrt={part}, but there are {arguments} argument(s)")
            numbers.append(part % arguments)
        elif isinstance(part, Value):
            leaves.append(part)
        elif hasattr(part, "parameters"):
            leaves += part.parameters()
        else:
            raise TypeError(
                "wrt takes numbers of arguments, Values, or a model with parameters(): "
                f"got {part!r:.60}"
            )
    for leaf in leaves:
        if leaf.op is not None:
            raise TypeError(f"wrt takes leaves, not what is computed from them: got {leaf!r:.60}")
    return list(dict.fromkeys(numbers)), list(dict.fromkeys(leaves))
