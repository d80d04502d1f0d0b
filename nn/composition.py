"""`Sequential` and `Residual`: modules made of modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value, quoted
from nn.arguments import finite
from nn.filters import Dropout
from nn.module import Module

Inputs = Sequence[Value | float]


class Sequential(Module):
    """Modules one after the other, each fed with the outputs of the one before.

    Raises:
        ValueError: there are none, or one gives other than the next takes.

    >>> import random
    >>> from nn.layers import Layer
    >>> source = random.Random(0)
    >>> model = Sequential(Layer(2, 8, seed=source), Dropout(0.5, seed=source), Layer(8, 1))
    >>> model.nin, model.nout
    (2, 1)
    """

    def __init__(self, *modules: Module) -> None:
        if not modules:
            raise ValueError("Sequential needs at least one module")
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(f"layers.{i} must be a Module: got {quoted(module)}")
        known: tuple[int, int] | None = None
        for i, module in enumerate(modules):
            if known and module.nin not in (None, known[1]):
                raise ValueError(
                    f"layers.{i} takes {module.nin} inputs, layers.{known[0]} gives {known[1]}"
                )
            if not isinstance(module, Dropout):  # which gives as many as it takes
                known = (i, module.nout) if module.nout else None
        self.layers = list(modules)
        self.nin = modules[0].nin
        self.nout = known[1] if known else None
        self.label_parameters()

    def forward(self, x: Inputs) -> Any:
        """Return what the last module makes of what the others made of ``x``."""
        out: Any = x
        for layer in self.layers:
            out = layer(x)
            x = out if isinstance(out, list) else [out]
        return out

    def settings(self) -> dict[str, Any]:
        return {"layers": self.layers}

    def __repr__(self) -> str:
        return f"Sequential of [{', '.join(map(str, self.layers))}]"


class Residual(Module):
    """x + scale * module(x): a skip connection, past which the gradient flows undiminished.

    Args:
        module: gives as many outputs as it takes inputs.
        scale: of the branch; 1/√L keeps a stack of L of them from growing.

    Source: He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition, equation 1;
    the scale, Zhang, Dauphin & Ma 2019, Fixup initialization, section 3.

    >>> from nn.layers import Layer
    >>> block = Residual(Layer(2, 2, seed=0), scale=0.5)
    >>> branch = block.module([1.0, 2.0])[0].data
    >>> block([1.0, 2.0])[0].data == 1.0 + 0.5 * branch
    True
    """

    def __init__(self, module: Module, scale: float = 1.0) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"Residual takes a Module: got {quoted(module)}")
        if module.nin != module.nout:
            raise ValueError(
                f"a residual branch must give as many outputs as it takes inputs: "
                f"{quoted(module)} takes {module.nin} and gives {module.nout}"
            )
        self.module = module
        self.scale = finite("scale", scale)
        self.nin, self.nout = module.nin, module.nout
        self.label_parameters()

    def forward(self, x: Inputs) -> Value | list[Value]:
        """Return the inputs, each with the branch's output added."""
        branch = self.module(x)
        outs = branch if isinstance(branch, list) else [branch]
        if len(outs) != len(x):
            raise ValueError(f"the branch of {self} gives {len(outs)} outputs for {len(x)} inputs")
        sums = [here + self.scale * there for here, there in zip(x, outs, strict=True)]
        return sums if isinstance(branch, list) else sums[0]

    def settings(self) -> dict[str, Any]:
        return {"module": self.module, "scale": self.scale}

    def __repr__(self) -> str:
        return f"Residual of {self.module}, scale {self.scale:g}"
