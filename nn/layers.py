"""`Neuron`, `Layer`, `MLP`, micrograd's three; `Sequential`, `Residual`, `Dropout`, `Standardize`.

Weights start as micrograd's do, uniform in [-1, 1], in the forms micrograd has, where no
activation is named: ``MLP(2, [16, 16, 1])``. Where one is named, ``MLP(2, [16, 1],
activation="relu")``, they start as fits it (`nn.init.fitting`); ``init=`` overrules both.
In each case they come from ``seed``, or without one from Python's global ``random``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from autograd import TABLE, CompileError, Op, Value, dot, elu, is_compiling, leaky_relu
from nn.arguments import count, finite, generator, number, real, share
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
        outs: list[Value] = [neuron(x) for neuron in self.neurons]
        return outs[0] if len(outs) == 1 else outs

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


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
            raise ValueError(f"nouts must list at least one layer's width: got {nouts!r:.60}")
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

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


class Sequential(Module):
    """Modules one after the other, each fed with the outputs of the one before.

    Raises:
        ValueError: there are none, or one gives other than the next takes.

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
                raise TypeError(f"layers.{i} must be a Module: got {module!r:.60}")
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

    def __repr__(self) -> str:
        return f"Sequential of [{', '.join(map(str, self.layers))}]"


class Residual(Module):
    """x + scale * module(x): a skip connection, past which the gradient flows undiminished.

    Args:
        module: gives as many outputs as it takes inputs.
        scale: of the branch; 1/√L keeps a stack of L of them from growing.

    Source: He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition, equation 1;
    the scale, Zhang, Dauphin & Ma 2019, Fixup initialization, section 3.

    >>> block = Residual(Layer(2, 2, seed=0), scale=0.5)
    >>> branch = block.module([1.0, 2.0])[0].data
    >>> block([1.0, 2.0])[0].data == 1.0 + 0.5 * branch
    True
    """

    def __init__(self, module: Module, scale: float = 1.0) -> None:
        if not isinstance(module, Module):
            raise TypeError(f"Residual takes a Module: got {module!r:.60}")
        if module.nin != module.nout:
            raise ValueError(
                f"a residual branch must give as many outputs as it takes inputs: "
                f"{module!r:.60} takes {module.nin} and gives {module.nout}"
            )
        self.module = module
        self.scale = real("scale", scale)
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

    def __repr__(self) -> str:
        return f"Residual of {self.module}, scale {self.scale:g}"


class Dropout(Module):
    """In training, each input is dropped with probability ``rate`` and the rest scaled up.

    The rest is multiplied by 1 / (1 − rate), so that the expected value stays; used (`eval`),
    it gives its inputs as they are. The n-th mask follows from the seed and n alone, so a
    training run can be resumed and a step replayed.

    Args:
        rate: probability of being dropped, at least 0 and below 1.
        seed: of the masks; given a ``random.Random``, as shared by a whole model, one number
            is drawn from it.

    Source: Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from
    overfitting, section 10 (the scaling during training).

    >>> dropout = Dropout(0.5, seed=2)
    >>> sorted(set(dropout([1.0] * 8)))
    [0.0, 2.0]
    >>> dropout.eval()([1.0, 1.0])
    [1.0, 1.0]
    """

    def __init__(self, rate: float = 0.5, seed: Seed = None) -> None:
        self.rate = share("rate", rate)
        source = generator(seed)
        self.seed = int(seed) if isinstance(seed, Integral) else source.getrandbits(32)
        self.masks = 0

    def forward(self, x: Inputs) -> Any:
        """Return the inputs, some of them times 0 and the others scaled up in training."""
        if not self.training or not self.rate:
            return list(x)
        return [each * factor for each, factor in zip(x, self.mask(len(x)), strict=True)]

    def mask(self, n: int) -> list[Any]:
        """Return the next mask: what each of ``n`` inputs is multiplied with.

        Raises:
            CompileError: it would be the same for all samples of what is being compiled.
        """
        if is_compiling():
            raise CompileError(
                "a Dropout in training draws another mask each time: call model.eval() before "
                "compile, or leave the training to fit(compile=True)"
            )
        source = random.Random(f"{self.seed}:{self.masks}")
        self.masks += 1
        factor = 1 / (1 - self.rate)
        return [factor if source.random() >= self.rate else 0.0 for _ in range(n)]

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"


class Standardize(Module):
    """(x − mean) / deviation of each input: a fixed first layer, so that a model takes raw inputs.

    It has no parameters. The means and deviations are those of an `nn.data.Standardizer`; an
    input whose deviation is 0 becomes 0.

    Args:
        means, deviations: one of each for every input.
        invert: whether to go back, mean + deviation * x: a last layer for targets that were
            standardised.

    >>> Standardize([2.0, 5.0], [1.0, 0.0])([3.0, 5.0])
    [1.0, 0.0]
    >>> Standardize([10.0], [2.0], invert=True)([1.5])
    13.0
    """

    def __init__(
        self, means: Sequence[float], deviations: Sequence[float], invert: bool = False
    ) -> None:
        if len(means) != len(deviations) or not len(means):
            raise ValueError(
                "Standardize needs as many means as deviations, at least one: "
                f"got {len(means)} and {len(deviations)}"
            )
        if not isinstance(invert, bool):
            raise TypeError(f"invert must be True or False: got {invert!r:.60}")
        self.means = [finite(f"means[{i}]", x) for i, x in enumerate(means)]
        self.deviations = [number(f"deviations[{i}]", x) for i, x in enumerate(deviations)]
        self.invert = invert
        self.nin = self.nout = len(means)

    def forward(self, x: Inputs) -> Any:
        """Return the numbers shifted and scaled: a list, or the one number by itself.

        Raises:
            ValueError: there are not as many inputs as means.
        """
        if len(x) != len(self.means):
            raise ValueError(f"{self} takes {len(self.means)} inputs, got {len(x)}")
        outs: list[Any] = [
            mean + deviation * each
            if self.invert
            else (each - mean) / deviation
            if deviation
            else 0.0
            for each, mean, deviation in zip(x, self.means, self.deviations, strict=True)
        ]
        return outs[0] if len(outs) == 1 else outs

    def __repr__(self) -> str:
        return f"Standardize({len(self.means)}{', invert=True' if self.invert else ''})"


def _activation(given: Activation) -> Function:
    """Return the function of one argument that ``given`` names.

    Raises:
        ValueError: it is no such row; the message lists what there is.
    """
    # The rows with a parameter besides x take part with its default.
    known: dict[str, Function] = {op.name: op for op in TABLE.values() if op.arity == 1}
    known |= {"elu": elu, "leaky_relu": leaky_relu}
    for name, function in known.items():
        if given is function or given == name:
            return function
    names = ", ".join(sorted(known))
    raise ValueError(
        f"activation must be an operation of one argument ({names}): got {given!r:.60}"
    )


def name_of(activation: Function) -> str:
    """Return the name by which an activation is chosen."""
    name: str = getattr(activation, "name", None) or activation.__name__
    return name


def _title(activation: Function) -> str:
    """Return an activation's name as the repr of a neuron has it (micrograd's ReLU)."""
    name = name_of(activation)
    return {"relu": "ReLU", "leaky_relu": "LeakyReLU"}.get(name, name.capitalize())
