"""The machine that code is made for: its vectors, and the mathematical functions it has.

Vectors go through glibc's libmvec where it is there (errors up to 4 ulp); everything
else calls libm, number by number. Where every bit is to be Python's, so is `hypot`.

Source: glibc manual, Libm Vector Functions; the names, x86 Vector Function ABI.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from typing import Any, NamedTuple

from autograd.compiler import cache as disk
from autograd.compiler.reals import DOUBLE, REALS, Real
from autograd.compiler.spelling import LIBM
from autograd.extras import missing_extra
from autograd.operation import TABLE

LONG = 30_000
"""Lines of LLVM's text from which on its full code generator takes seconds: six times as long as
the quickest one, whose code for 325,000 lines ran in 0.56 ms instead of 0.48; loops take thrice
as long."""

OFTEN, ONCE = "#0", "#1"
"""Groups of attributes: of functions that repeat what they do, and of those that hardly do."""

MANGLED = {64: "_ZGVeN", 32: "_ZGVdN", 16: "_ZGVbN"}
"""How libmvec's names begin, by the bytes of a vector."""

PYTHONS_OWN = ("hypot",)
"""What Python's ``math`` computes otherwise than libm: exact code calls the row."""


class Machine(NamedTuple):
    """What the host can do.

    Attributes:
        triple, cpu, features: as LLVM names them.
        width: doubles in the widest vector.
        vector_functions: the functions of libmvec, such as ``exp``, in a fixed order.
        libraries: versions of LLVM, llvmlite and libm, for which code is kept apart.
        registers: vectors that it holds outside memory: 32 in AVX-512 and NEON, 16 in AVX2.
    """

    triple: str
    cpu: str
    features: str
    width: int
    vector_functions: tuple[str, ...]
    libraries: str
    registers: int = 32

    def lanes(self, real: Real) -> int:
        """Return how many numbers of some kind are in the widest vector."""
        return self.width * DOUBLE.size // real.size


def llvm() -> Any:
    """Return llvmlite's binding, ready for use.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import llvmlite.binding as binding
    except ImportError as error:
        missing_extra("llvmlite", "fast", error)
    return binding


def llvm_lock() -> Any:
    """Return the lock that llvmlite holds while it calls LLVM, as a context.

    Raises:
        MissingExtraError: it is not installed.
    """
    return getattr(llvm().ffi.lib, "_lock", None) or nullcontext()


@cache
def host() -> Machine:
    """Return the machine this runs on."""
    import platform

    import llvmlite

    binding = llvm()
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features()
    width = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
    triple = binding.get_process_triple()
    is_x86 = triple.startswith("x86_64")
    functions = tuple(_vector_functions(width)) if is_x86 else ()
    return Machine(
        triple,
        binding.get_host_cpu_name(),
        features.flatten(),
        width,
        functions,
        f"llvm {binding.llvm_version_info}, llvmlite {llvmlite.__version__}, "
        f"{' '.join(platform.libc_ver())}",
        registers=16 if is_x86 and width < 8 else 32,
    )


def _vector_functions(width: int) -> list[str]:
    """Return the functions of libmvec for vectors up to this width; it is loaded for good."""
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return []
    llvm().load_library_permanently("libmvec.so.1")
    sizes = [size for size in MANGLED if size <= width * DOUBLE.size]
    return [
        name
        for name, n in LIBM.items()
        if all(
            hasattr(library, vector_name(name, n, size // real.size, real))
            for size in sizes
            for real in REALS.values()
        )
    ]


@cache
def python_functions() -> list[Any]:
    """Return the functions that exact code calls back, known to LLVM by name from now on."""
    functions = []
    for name in PYTHONS_OWN:
        op = TABLE[name]
        call = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * LIBM[name])(op.ieee)
        address = ctypes.cast(call, ctypes.c_void_p).value
        llvm().add_symbol(python_name(name), address)
        functions.append(call)
    return functions


def object_code(text: str, *, alone: bool = False) -> bytes:
    """Return machine code for LLVM's text.

    Args:
        alone: whether it is for one sample.

    The text is as good as an optimiser would leave it, which took twice the time of the code
    generator for no gain. Of a long text, what is done but once goes through the quickest code
    generator, and only what is repeated through the one that keeps numbers in registers. One
    sample runs through code once: the next to the quickest generator takes a fifth longer there,
    and leaves a quarter less to be fetched, which samples of many lengths wait for.
    """
    if alone:
        return _packed([_generated(text, 1)])
    if text.count("\n") < LONG:
        return _packed([_generated(text, 2)])
    often, once = _divided(text)
    return _packed([_generated(often, 2), _generated(once, 0)])


def kept_code(text: str) -> bytes:
    """Return `object_code` of a text without addresses, which serves the next process as well."""
    key = hashlib.sha256(f"{host()}\0{text}".encode()).hexdigest()
    code = disk.load(key)
    if code is None:
        code = object_code(text)
        disk.store(key, code)
    return code


def _generated(text: str, level: int) -> bytes:
    module = llvm().parse_assembly(text)
    module.verify()
    code: bytes = _target(level).emit_object(module)
    return code


def _divided(text: str) -> tuple[str, str]:
    """Return all but the functions that are marked as done once, and these."""
    start, *functions = re.split("^(?=define )", text, flags=re.MULTILINE)
    often, once = [start], [start]
    for function in functions:
        head, _, body = function.partition("{")
        if ONCE in head:
            often.append(f"{head.replace('define internal', 'declare')}\n")
            once.append(f"{head.replace('internal ', '')}{{{body}")
        else:
            often.append(function)
            if not head.endswith(f"{OFTEN} "):  # what stands for a function of libm
                once.append(function)
    return "".join(often), "".join(once)


def _packed(codes: Sequence[bytes]) -> bytes:
    return b"".join(len(code).to_bytes(8, "little") + code for code in codes)


def load(code: bytes) -> Any:
    """Return the engine that holds some machine code, ready to be called while it lives."""
    binding = llvm()
    python_functions()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target(2))
    while code:
        end = 8 + int.from_bytes(code[:8], "little")
        engine.add_object_file(binding.ObjectFileRef.from_data(code[8:end]))
        code = code[end:]
    engine.finalize_object()
    return engine


def address_of(function: Any) -> int:
    """Return where the code of a function of ctypes is."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def _target(level: int) -> Any:
    machine = host()
    return (
        llvm()
        .Target.from_triple(machine.triple)
        .create_target_machine(cpu=machine.cpu, features=machine.features, opt=level, jit=True)
    )


def python_name(function: str) -> str:
    """Return the name under which LLVM knows a row's own function.

    >>> python_name("hypot")
    'chainrule_hypot'
    """
    return f"chainrule_{function}"


def vector_name(function: str, arity: int, width: int, real: Real) -> str:
    """Return libmvec's name of a function.

    >>> vector_name("pow", 2, 8, DOUBLE)
    '_ZGVeN8vv_pow'
    """
    return f"{MANGLED[width * real.size]}{width}{'v' * arity}_{function}{real.mark}"
