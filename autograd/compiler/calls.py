"""Calls of mathematical functions in LLVM's text: by which names, and how these are declared."""

from __future__ import annotations

from collections.abc import Iterator

from autograd.compiler.emitter import Types
from autograd.compiler.machine import MANGLED, PYTHONS_OWN, Machine, python_name, vector_name
from autograd.compiler.reals import Real
from autograd.compiler.spelling import LIBM


class Calls:
    """The functions that some code calls.

    Args:
        exact: whether every bit is Python's.
        real: what the numbers are.
    """

    def __init__(self, machine: Machine, exact: bool, real: Real) -> None:
        self.machine = machine
        self.exact = exact
        self.real = real
        self._called: set[tuple[str, int]] = set()

    def name(self, function: str, width: int) -> str:
        """Return the name under which a function of libm is called for some width."""
        self._called.add((function, width))
        if self.exact and function in PYTHONS_OWN:
            return python_name(function)
        if width == 1:
            return function + self.real.mark
        if function in self.machine.vector_functions and width * self.real.size in MANGLED:
            return vector_name(function, LIBM[function], width, self.real)
        return f"each_{function}{width}"

    def declared(self) -> Iterator[str]:
        """Yield what declares or defines all that were named."""
        real = self.real
        for function, width in sorted(self._called):
            number = Types(width, real).number
            arity = LIBM[function]
            name = self.name(function, width)
            if name.startswith("each_"):
                if (function, 1) not in self._called:
                    self._called.add((function, 1))
                    arguments = ", ".join([real.name] * arity)
                    yield f"declare {real.name} @{function}{real.mark}({arguments})"
                yield from _each(function, arity, width, real)
            else:
                yield f"declare {number} @{name}({', '.join([number] * arity)})"


def _each(name: str, arity: int, width: int, real: Real) -> Iterator[str]:
    """Yield the function that calls libm for each number of a vector."""
    number, kind = Types(width, real).number, real.name
    parameters = ", ".join(f"{number} %x{i}" for i in range(arity))
    yield f"define internal {number} @each_{name}{width}({parameters}) {{"
    whole = "poison"
    for lane in range(width):
        for i in range(arity):
            yield f"  %a{lane}.{i} = extractelement {number} %x{i}, i32 {lane}"
        args = ", ".join(f"{kind} %a{lane}.{i}" for i in range(arity))
        yield f"  %y{lane} = call {kind} @{name}{real.mark}({args})"
        yield f"  %v{lane} = insertelement {number} {whole}, {kind} %y{lane}, i32 {lane}"
        whole = f"%v{lane}"
    yield f"  ret {number} {whole}"
    yield "}"
