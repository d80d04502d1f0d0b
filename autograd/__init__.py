"""Chainrule: a scalar reverse-mode autograd engine that shows its work.

>>> from autograd import Value
>>> x = Value(2.0)
>>> y = x**3
>>> y.backward()
>>> x.grad
12.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.domain import FINITE, NONNEGATIVE, POSITIVE, REAL, UNIT, Domain, Joint
from autograd.engine import Value, detach, trace
from autograd.errors import (
    ChainruleError,
    CompileError,
    CycleError,
    DomainError,
    ExpressionError,
    GradientError,
    GraphCutWarning,
    MissingExtraError,
    RuleError,
    StaleValueError,
    missing_extra,
)
from autograd.functions import dot, elu, leaky_relu, log_softmax, logsumexp, mean, softmax
from autograd.functions import sum as sum
from autograd.modes import is_compiling, no_grad, scope
from autograd.operand import TABLE
from autograd.operation import Op, primitive
from autograd.ops import *
from autograd.ops import abs as abs

if TYPE_CHECKING:
    from autograd import drawing as drawing
    from autograd.checking.check import InputCheck, Report, gradcheck
    from autograd.compiler.compiled import Compiled
    from autograd.compiler.compiled import compile as compile
    from autograd.compiler.descent import Descent as Descent
    from autograd.debugging import debug
    from autograd.drawing import draw_dot
    from autograd.stepper import Stepper
    from autograd.stepping import breakpoints as breakpoints
    from autograd.stepping.events import Event
    from autograd.testing import strategies as strategies
    from autograd.transforms import (
        grad,
        gradients,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
    )

_leaves = {
    "checking.check": ["InputCheck", "Report", "gradcheck"],
    "compiler.compiled": ["Compiled", "compile"],
    "compiler.descent": ["Descent"],
    "debugging": ["debug"],
    "drawing": ["draw_dot"],
    "stepper": ["Stepper"],
    "stepping.events": ["Event"],
    "transforms": ["grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad"],
}
"""What is loaded when first used: importing the engine stays fast."""

_modules = {
    "breakpoints": "stepping.breakpoints",
    "drawing": "drawing",
    "strategies": "testing.strategies",
}
"""The modules that are public as a whole, loaded when first used."""

# abs, compile and sum are public, but a star import must not replace the built-ins.
__all__ = [
    "FINITE",
    "NONNEGATIVE",
    "POSITIVE",
    "REAL",
    "TABLE",
    "UNIT",
    "ChainruleError",
    "CompileError",
    "Compiled",
    "CycleError",
    "Domain",
    "DomainError",
    "Event",
    "ExpressionError",
    "GradientError",
    "GraphCutWarning",
    "InputCheck",
    "Joint",
    "MissingExtraError",
    "Op",
    "Report",
    "RuleError",
    "StaleValueError",
    "Stepper",
    "Value",
    "debug",
    "detach",
    "dot",
    "draw_dot",
    "elu",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hvp",
    "is_compiling",
    "jacobian",
    "jvp",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "mean",
    "missing_extra",
    "no_grad",
    "primitive",
    "scope",
    "softmax",
    "trace",
    "value_and_grad",
]
__all__ += ops.__all__

if not TYPE_CHECKING:  # to which a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name in _modules:
            globals()[name] = module = import_module(f"autograd.{_modules[name]}")
            return module
        for module, names in _leaves.items():
            if name in names:
                value = getattr(import_module(f"autograd.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
