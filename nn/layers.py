"""`Neuron`, `Layer`, `MLP`: micrograd's three classes, with any activation of the table."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from autograd import TABLE, Op, Value, dot, elu, leaky_relu
from nn.arguments import count, generator
from nn.module import Module

Inputs = Sequence[Value | float]
Seed = int | random.Random | None
Activation = Callable[[Value], Value]


class Neuron(Module):
    """activation(w1*x1 + ... + wn*xn + b), the sum in one node.

    Args:
        nin: the number of inputs.
        nonlin: whether there is an activation at all.
        activation: a row of the table of one argument, itself or by name.
        seed: of the weights, uniform in [-1, 1]; without it they come from Python's global
            ``random``, in micrograd's order. The bias starts at 0.

    >>> neuron = Neuron(2, activation="tanh", seed=1)
    >>> neuron
    TanhNeuron(2)
    >>> list(neuron.named_parameters())
    ['w.0', 'w.1', 'b']
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: str | Op | Activation = "relu",
        seed: Seed = None,
    ) -> None:
        uniform = generator(seed).uniform
        self.w = [Value(uniform(-1, 1)) for _ in range(count("nin", nin))]
        self.b = Value(0.0)
        self.nonlin = nonlin
        self.activation = _activation(activation)
        self.label_parameters()

    def forward(self, x: Inputs) -> Value:
        """Return the neuron's output.

        Raises:
            ValueError: the length of ``x`` is not ``nin``.
        """
        try:
            given = len(x)
        except TypeError:
            raise TypeError(
                f"{self} takes a list of {len(self.w)} numbers, got {x!r:.60}"
            ) from None
        if given != len(self.w):
            raise ValueError(f"{self} takes {len(self.w)} inputs, got {given}")
        out = dot(self.w, x, self.b)
        return self.activation(out) if self.nonlin else out

    def __repr__(self) -> str:
        return f"{_title(self.activation) if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """``nout`` neurons side by side, each fed with all of the inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        nonlin, activation, seed: as for `Neuron`; the neurons draw from one source in turn.
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        activation: str | Op | Activation = "relu",
        seed: Seed = None,
    ) -> None:
        source = seed if seed is None else generator(seed)
        self.neurons = [Neuron(nin, nonlin, activation, source) for _ in range(count("nout", nout))]
        self.label_parameters()

    def forward(self, x: Inputs) -> Value | list[Value]:
        """Return the outputs: a list, or the one output by itself."""
        outs: list[Value] = [neuron(x) for neuron in self.neurons]
        return outs[0] if len(outs) == 1 else outs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: hidden layers with an activation, and a linear output layer.

    Args:
        nin: the number of inputs.
        nouts: the width of each layer, the output layer last.
        activation: of the hidden layers, as for `Neuron`.
        seed: as for `Neuron`.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> len(model.parameters())
    337
    >>> out = model([0.5, -0.5])
    >>> out.origin[0], model.layers[0].neurons[3].w[1].label
    ('layers.2.neurons.0', 'layers.0.neurons.3.w.1')
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Op | Activation = "relu",
        seed: Seed = None,
    ) -> None:
        if isinstance(nouts, str) or not isinstance(nouts, Sequence) or not nouts:
            raise ValueError(f"nouts must list at least one layer's width: got {nouts!r:.60}")
        source = seed if seed is None else generator(seed)
        widths = [count("nin", nin), *(count(f"nouts[{i}]", n) for i, n in enumerate(nouts))]
        self.layers = [
            Layer(widths[i], widths[i + 1], i != len(nouts) - 1, activation, source)
            for i in range(len(nouts))
        ]
        self.label_parameters()

    def forward(self, x: Inputs) -> Value | list[Value]:
        """Return the outputs: a list, or the one output by itself."""
        for layer in self.layers:
            out: Value | list[Value] = layer(x)
            x = out if isinstance(out, list) else [out]
        return out

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _activation(given: str | Op | Activation) -> Activation:
    """Return the function of one argument that ``given`` names.

    Raises:
        ValueError: it is no such row; the message lists what there is.
    """
    # The rows with a parameter besides x take part with its default.
    known: dict[str, Activation] = {op.name: op for op in TABLE.values() if op.arity == 1}
    known |= {"elu": elu, "leaky_relu": leaky_relu}
    for name, function in known.items():
        if given is function or given == name:
            return function
    names = ", ".join(sorted(known))
    raise ValueError(f"activation must be a row of one argument ({names}): got {given!r:.60}")


def _title(activation: Activation) -> str:
    """Return an activation's name as the repr of a neuron has it (micrograd's ReLU)."""
    name: str = getattr(activation, "name", None) or activation.__name__
    return {"relu": "ReLU", "leaky_relu": "LeakyReLU"}.get(name, name.capitalize())
