"""Chainrule: a scalar reverse-mode autograd engine that shows its work.

>>> from autograd import Value
>>> x = Value(2.0)
>>> y = x**3
>>> y.backward()
>>> x.grad
12.0
"""

from __future__ import annotations

import sys

from autograd import byhand, foreign, freeing, functions, ops, recorders, scalar  # noqa: F401 - the core is there from the start
from autograd.facade import Facade

__version__ = "0.2.0"

_facade = Facade(sys.modules[__name__], "autograd.foreign")
__all__ = _facade.names
__getattr__ = _facade.load
__dir__ = _facade.listed
