"""Neural networks on the engine: micrograd's three classes, and what it takes to train them.

>>> from nn import MLP
>>> MLP(2, [16, 16, 1])([1.0, -2.0]).op
<op dot>
"""

from __future__ import annotations

import sys

try:
    from nn.module import Module  # noqa: F401 - to see whose autograd this is
except ImportError as error:  # not our autograd
    from autograd.conflict import describe_conflict

    raise ImportError(describe_conflict() or error) from error
from autograd.facade import Facade

_facade = Facade(sys.modules[__name__], "nn.elsewhere")
__all__ = _facade.names
__getattr__ = _facade.load
__dir__ = _facade.listed
