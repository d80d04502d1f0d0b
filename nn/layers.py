"""`Neuron`, `Layer` and `MLP`: micrograd's three.

Weights start as micrograd's do, uniform in [-1, 1], in the forms micrograd has, where no
activation is named: ``MLP(2, [16, 16, 1])``. Where one is named, ``MLP(2, [16, 1],
activation="relu")``, they start as fits it (`nn.init.fitting`); ``init=`` overrules both.
In each case they come from ``seed``, or without one from Python's global ``random``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise

from autograd import TABLE, Op, Value, call_in_scopes, dot, elu, leaky_relu, quoted, relu
from autograd.annotations import Any
from nn.arguments import count, generator, meant, wrong_length
from nn.init import Init, chosen, fitting, uniform
from nn.module import Module

Inputs = Sequence[Value | float]
Seed = int | random.Random | None
Function = Callable[[Value], Value]
Activation = str | Op | Function


class Neuron(Module):
    """activation(w1*x1 + ... + wn*xn + b), the sum in one node.

    Args:
        nin: the number of inputs.
        nonlin: whether there is an activation at all.
        activation: a row of the table of one argument, itself or by name; "linear" for none;
            ReLU if not named.
        seed: of the weights; without it they come from Python's global ``random``, in
            micrograd's order. The bias starts at 0.
        init: of the weights: a function of `nn.init`, itself or by name. By default, it fits
            the activation that is named; where none is named, it is micrograd's, uniform in
            [-1, 1].
        width: how many neurons stand side by side, which an ``init`` may ask.

    >>> neuron = Neuron(2, activation="tanh", seed=1)
    >>> neuron
    TanhNeuron(2)
    >>> list(neuron.named_parameters())
    ['w.0', 'w.1', 'b']
    """

    # For a subclass that sets w and b itself, as those written for micrograd do.
    nonlin: bool = True
    activation: Function = relu

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: Activation | None = None,
        seed: Seed = None,
        init: str | Init | None = None,
        width: int = 1,
    ) -> None:
        source = generator(seed)
        self.nin, self.nout = count("nin", nin), 1
        self.nonlin = nonlin and activation != "linear"
        self.activation = _activation("relu" if activation in (None, "linear") else activation)
        if init is None:
            named = name_of(self.activation) if self.nonlin else "linear"
            draw = uniform if activation is None else fitting(named)
        else:
            draw = chosen(init)
        self.w = [Value(draw(self.nin, width, source)) for _ in range(self.nin)]
        self.b = Value(0.0)
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
                f"{self} takes a list of {len(self.w)} numbers, got {quoted(x)}"
            ) from None
        if given != len(self.w):
            raise wrong_length(self, x, len(self.w))
        out = dot(self.w, x, self.b)
        return self.activation(out) if self.nonlin else out

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(settings["nin"] + 1)

    def settings(self) -> dict[str, Any] | None:
        activation = _activation_of(self)
        return None if activation is None else {"nin": self.nin, "activation": activation}

    def __repr__(self) -> str:
        return f"{_title(self.activation) if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """``nout`` neurons side by side, each fed with all of the inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        nonlin, activation, seed, init: as for `Neuron`; the neurons draw from one source in
            turn.
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        activation: Activation | None = None,
        seed: Seed = None,
        init: str | Init | None = None,
    ) -> None:
        source = seed if seed is None else generator(seed)
        self.nin, self.nout = count("nin", nin), count("nout", nout)
        self.neurons = [
            Neuron(nin, nonlin, activation, source, init, self.nout) for _ in range(self.nout)
        ]
        self.label_parameters()

    def forward(self, x: Inputs) -> Value | list[Value]:
        """Return the outputs: a list, or the one output by itself."""
        if Neuron.__call__ is Module.__call__ and {*map(type, self.neurons)} == {Neuron}:
            # Of this very class, they call nothing that asks who calls.
            names = _names(len(self.neurons))
            if len({*self.neurons}) < len(names):  # one that stands twice is called by the first
                names = [names[self.neurons.index(neuron)] for neuron in self.neurons]
            outs = call_in_scopes(names, self.neurons, x)
        else:
            outs = [neuron(x) for neuron in self.neurons]
        return outs[0] if len(outs) == 1 else outs

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        return int(settings["nout"] * (settings["nin"] + 1))

    def settings(self) -> dict[str, Any] | None:
        activation = _activation_of(self)
        if activation is None:
            return None
        return {"nin": self.nin, "nout": self.nout, "activation": activation}

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


@cache
def _names(n: int) -> list[str]:
    """Return under which names a layer holds its neurons."""
    return [f"neurons.{i}" for i in range(n)]


class MLP(Module):
    """A multi-layer perceptron: hidden layers with an activation, and a linear output layer.

    Args:
        nin: the number of inputs.
        nouts: the width of each layer, the output layer last.
        activation: of the hidden layers, as for `Neuron`; or a list, one for each layer, the
            output layer included.
        seed, init: as for `Neuron`.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> len(model.parameters())
    337
    >>> out = model([0.5, -0.5])
    >>> out.origin[0], model.layers[0].neurons[3].w[1].label
    ('layers.2.neurons.0', 'layers.0.neurons.3.w.1')
    >>> MLP(2, [2, 1], activation=["tanh", "sigmoid"])
    MLP of [Layer of [TanhNeuron(2), TanhNeuron(2)], Layer of [SigmoidNeuron(2)]]
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation | Sequence[Activation] | None = None,
        seed: Seed = None,
        init: str | Init | None = None,
    ) -> None:
        if isinstance(nouts, str) or not isinstance(nouts, Sequence) or not nouts:
            raise ValueError(f"nouts must list at least one layer's width: got {quoted(nouts)}")
        source = seed if seed is None else generator(seed)
        widths = [count("nin", nin), *(count(f"nouts[{i}]", n) for i, n in enumerate(nouts))]
        self.nin, self.nout = widths[0], widths[-1]
        if isinstance(activation, list | tuple):
            if len(activation) != len(nouts):
                raise ValueError(
                    f"activation lists {len(activation)} for {len(nouts)} layers: "
                    'give one for each, "linear" for none'
                )
            activations = [(True, each) for each in activation]
        else:
            activations = [(i < len(nouts) - 1, activation) for i in range(len(nouts))]
        self.layers = [
            Layer(widths[i], widths[i + 1], *activations[i], source, init)
            for i in range(len(nouts))
        ]
        self.label_parameters()

    def forward(self, x: Inputs) -> Value | list[Value]:
        """Return the outputs: a list, or the one output by itself."""
        for layer in self.layers:
            out: Value | list[Value] = layer(x)
            x = out if isinstance(out, list) else [out]
        return out

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        widths = [settings["nin"], *settings["nouts"]]
        return sum(nout * (nin + 1) for nin, nout in pairwise(widths))

    def settings(self) -> dict[str, Any] | None:
        activations = list(map(_activation_of, self.layers))
        if None in activations:
            return None
        nouts = [layer.nout for layer in self.layers]
        return {"nin": self.nin, "nouts": nouts, "activation": activations}

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def activations() -> dict[str, Function]:
    """Return by name what an activation may be."""
    # The rows with a parameter besides x take part with its default.
    known: dict[str, Function] = {op.name: op for op in TABLE.values() if op.arity == 1}
    return known | {"elu": elu, "leaky_relu": leaky_relu}


def _activation(given: Activation) -> Function:
    """Return the function of one argument that ``given`` names.

    Raises:
        ValueError: it is no such row; the message lists what there is.
    """
    known = activations()
    for name, function in known.items():
        if given is function or given == name:
            return function
    names = sorted(known)
    raise ValueError(
        f"activation must be linear or an operation of one argument ({', '.join(names)}): "
        f"got {quoted(given)}{meant(given, [*names, 'linear'])}"
    )


def name_of(activation: Function) -> str:
    """Return the name by which an activation is chosen."""
    name: str = getattr(activation, "name", None) or activation.__name__
    return name


def _activation_of(module: Module) -> str | None:
    """Return the activation of a neuron, or of a layer of equal neurons; None if there is none."""
    neurons: list[Any] = module.neurons if type(module) is Layer else [module]
    if all(type(n) is Neuron and n.nin == module.nin == len(n.w) for n in neurons):
        names = {name_of(n.activation) if n.nonlin else "linear" for n in neurons}
        if len(names) == 1:
            return names.pop()
    return None


def _title(activation: Function) -> str:
    """Return an activation's name as the repr of a neuron has it (micrograd's ReLU)."""
    name = name_of(activation)
    return {"relu": "ReLU", "leaky_relu": "LeakyReLU"}.get(name, name.capitalize())
