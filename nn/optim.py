"""Optimisers: what a step does with the gradients.

Each is one formula of scalars, ``update``: from a weight w, its gradient g and what the
optimiser remembers of this weight, to the new w and the new memory. It is arithmetic and rows
of the table only, so it runs on floats here and can be recorded and compiled as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NoReturn, Self

from autograd import Value, quoted, sqrt
from nn.arguments import finite, leaves, listed, number, real, share, whole

CO_VARKEYWORDS = 0x08
"""Among the flags of a function's code, that it takes any keyword (as `inspect` has it)."""

CALLED = {"lr": "learning_rate", "eps": "epsilon", "alpha": "decay", "rho": "decay"}
"""What settings are called in PyTorch or Keras, and what here."""


class Optimizer:
    """Parameters, a learning rate, and the memory of past gradients; see the subclasses.

    Args:
        parameters: the leaf Values to update, such as ``model.parameters()``.
        learning_rate: η; may be set anew between steps.

    Attributes:
        scale: what the learning rate is multiplied by; a schedule sets it.
        steps: how many steps have been made.
        memory: for each of `remembers`, one number for each parameter.

    Raises:
        TypeError: something other than leaf Values is given.
        ValueError: there are no parameters, or a setting is out of its range.
    """

    remembers: tuple[str, ...] = ()
    """What is kept for each parameter between steps; all start at 0."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        code = getattr(cls.__init__, "__code__", None)
        if code and not code.co_flags & CO_VARKEYWORDS:
            known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
            for name in (name for name in kwargs if name not in known):
                raise TypeError(f"{cls.__name__} has no {name}: {_advice(name, kwargs, known)}")
        return super().__new__(cls)

    def __init__(self, parameters: Iterable[Value], learning_rate: float) -> None:
        self.parameters = leaves(parameters)
        if not self.parameters:
            raise ValueError("there are no parameters to optimise")
        self.learning_rate = learning_rate
        self.scale = 1.0
        self.steps = 0
        self.memory: tuple[list[float], ...] = tuple(
            [0.0] * len(self.parameters) for _ in self.remembers
        )

    @property
    def learning_rate(self) -> float:
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: float) -> None:
        self._learning_rate = number("learning_rate", learning_rate, positive=True)

    @property
    def lr(self) -> NoReturn:
        """Nothing: what it would be is `learning_rate`."""
        raise AttributeError(f"{type(self).__name__} has no lr: write learning_rate")

    @lr.setter
    def lr(self, learning_rate: float) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no lr: set learning_rate")

    def settings(self) -> dict[str, Any]:
        """Return what it was made with besides the parameters, such as the momentum."""
        state = ("parameters", "scale", "steps", "memory", "remembers")
        own = {
            name: list(setting) if isinstance(setting, tuple) else setting
            for name, setting in vars(self).items()
            if name not in state and not name.startswith("_") and _is_plain(setting)
        }
        return {"learning_rate": self.learning_rate, **own}

    def rates(self, step: int) -> tuple[float, ...]:
        """Return what `update` takes besides weight, gradient and memory, in the given step."""
        return (self.learning_rate * self.scale,)

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        """Return the new weight and memory of ``(w, g, *memory, *rates)``: the formula."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def zero_grad(self) -> None:
        """Set the gradients of all parameters back to 0.0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move every parameter by its gradient: all of them, or none if the formula fails."""
        self.check_memory()
        rates = self.rates(self.steps + 1)
        update = self.update
        memory = zip(*self.memory, strict=True) if self.memory else repeat(())
        results = [
            update(parameter.data, parameter.grad, *kept, *rates)
            for parameter, kept in zip(self.parameters, memory, strict=False)
        ]
        weights, *columns = zip(*results, strict=True)
        for parameter, weight in zip(self.parameters, weights, strict=True):
            parameter.data = weight
        self.memory = tuple(map(list, columns))
        self.steps += 1

    def check_memory(self) -> None:
        """Raise if what is remembered is not of the parameters.

        Raises:
            ValueError: it is of another number of them, which have been replaced.
        """
        for name, column in zip(self.remembers, self.memory, strict=False):
            if len(column) != len(self.parameters):
                raise ValueError(
                    f"{type(self).__name__} has {len(self.parameters)} parameters and the {name} "
                    f"of {len(column)}: make a new optimizer of the parameters"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on as this one would."""
        kept = {
            name: list(column) for name, column in zip(self.remembers, self.memory, strict=True)
        }
        return {**self.settings(), "steps": self.steps, "scale": self.scale, **kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, settings included, wholly or not at all.

        Raises:
            ValueError: something is missing or unknown, or of another number of parameters.
            TypeError: something is of another kind.
        """
        settings = self.settings()
        wanted = {"steps", "scale", *settings, *self.remembers}
        if set(state) != wanted:
            raise ValueError(
                f"the state is not that of {type(self).__name__}: it has "
                f"{listed(sorted(map(str, state)), most=20)}, needed are {sorted(wanted)}"
            )
        for name in self.remembers:
            if len(state[name]) != len(self.parameters):
                raise ValueError(
                    f"{name} is of {len(state[name])} parameters, "
                    f"the optimizer has {len(self.parameters)}"
                )
        columns = tuple([real(name, x) for x in state[name]] for name in self.remembers)
        scale, steps = number("scale", state["scale"]), whole("steps", state["steps"])
        del settings["learning_rate"]  # whose setter says what it must be
        own = {name: _alike(name, state[name], like) for name, like in settings.items()}
        self.learning_rate = state["learning_rate"]
        vars(self).update(own)
        self.scale, self.steps, self.memory = scale, steps, columns

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.parameters)} parameters, "
            f"learning_rate={self.learning_rate})"
        )


class SGD(Optimizer):
    """Stochastic gradient descent: w ← w − η dE/dw.

    With momentum μ, it goes by v ← μ v + g in place of g; with Nesterov's, by g + μ v.

    Args:
        parameters, learning_rate: as for `Optimizer`.
        momentum: μ, at least 0 and below 1.
        nesterov: whether to look ahead by the momentum.
        weight_decay: λ; λ w is added to the gradient, as by the penalty ½ λ w².

    Source: Robbins & Monro 1951; as backpropagation uses it, with momentum, Rumelhart, Hinton &
    Williams 1986, equation 9; Sutskever et al. 2013, On the importance of initialization and
    momentum, equations 3 and 4, in the form of PyTorch.

    >>> w = Value(1.0)
    >>> optimizer = SGD([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.8
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.momentum = share("momentum", momentum)
        self.nesterov = nesterov
        self.weight_decay = number("weight_decay", weight_decay)
        if nesterov and not momentum:
            raise ValueError("nesterov needs a momentum above 0")
        self.remembers = ("velocity",) if momentum else ()
        super().__init__(parameters, learning_rate)

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        if self.weight_decay:
            g = g + self.weight_decay * w
        if not self.momentum:
            (learning_rate,) = rest
            return (w - learning_rate * g,)
        velocity, learning_rate = rest
        velocity = self.momentum * velocity + g
        direction = g + self.momentum * velocity if self.nesterov else velocity
        return w - learning_rate * direction, velocity


class Adagrad(Optimizer):
    """Divides each step by the root of the sum of all squared gradients of this weight.

    Args:
        parameters, learning_rate: as for `Optimizer`.
        epsilon: added to the root, against division by 0.
        weight_decay: as for `SGD`.

    Source: Duchi, Hazan & Singer 2011, Adaptive subgradient methods, figure 1 (diagonal form).
    """

    remembers = ("squares",)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        self.epsilon = number("epsilon", epsilon, positive=True)
        self.weight_decay = number("weight_decay", weight_decay)
        super().__init__(parameters, learning_rate)

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        squares, learning_rate = rest
        g = g + self.weight_decay * w
        squares = squares + g * g
        return w - learning_rate * g / (sqrt(squares) + self.epsilon), squares


class RMSprop(Optimizer):
    """Divides each step by the root of a running mean of this weight's squared gradients.

    Args:
        parameters, learning_rate: as for `Optimizer`.
        decay: how much of the running mean each step keeps.
        epsilon, weight_decay: as for `Adagrad`.

    Source: Hinton, Srivastava & Swersky 2012, Neural networks for machine learning, lecture 6e.
    """

    remembers = ("squares",)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        decay: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.decay = share("decay", decay)
        self.epsilon = number("epsilon", epsilon, positive=True)
        self.weight_decay = number("weight_decay", weight_decay)
        super().__init__(parameters, learning_rate)

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        squares, learning_rate = rest
        g = g + self.weight_decay * w
        squares = self.decay * squares + (1 - self.decay) * g * g
        return w - learning_rate * g / (sqrt(squares) + self.epsilon), squares


class Adam(Optimizer):
    """Momentum and RMSprop together, both corrected for having started at 0.

    Args:
        parameters, learning_rate: as for `Optimizer`.
        betas: how much of the running means of g and g² each step keeps.
        epsilon, weight_decay: as for `Adagrad`.

    Source: Kingma & Ba 2015, Adam: a method for stochastic optimization, algorithm 1.
    """

    remembers = ("means", "squares")

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.betas = share("betas[0]", betas[0]), share("betas[1]", betas[1])
        self.epsilon = number("epsilon", epsilon, positive=True)
        self.weight_decay = number("weight_decay", weight_decay)
        super().__init__(parameters, learning_rate)

    def rates(self, step: int) -> tuple[float, ...]:
        learning_rate = self.learning_rate * self.scale
        return (
            learning_rate,
            learning_rate / (1 - self.betas[0] ** step),
            1 / math.sqrt(1 - self.betas[1] ** step),
        )

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        return self._moved(w, g + self.weight_decay * w, *rest)

    def _moved(
        self, w: Any, g: Any, means: Any, squares: Any, _: Any, size: Any, correction: Any
    ) -> tuple[Any, ...]:
        """Return new weight, means and squares; ``size`` is the learning rate corrected."""
        first, second = self.betas
        means = first * means + (1 - first) * g
        squares = second * squares + (1 - second) * g * g
        return w - size * means / (sqrt(squares) * correction + self.epsilon), means, squares


class AdamW(Adam):
    """Adam whose weight decay shrinks the weight itself, past the division by the root.

    Args:
        parameters, learning_rate, betas, epsilon: as for `Adam`.
        weight_decay: λ; each step first multiplies w by 1 − η λ.

    Source: Loshchilov & Hutter 2019, Decoupled weight decay regularization, algorithm 2.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon, weight_decay)

    def update(self, w: Any, g: Any, *rest: Any) -> tuple[Any, ...]:
        learning_rate = rest[2]
        return self._moved(w * (1 - learning_rate * self.weight_decay), g, *rest)


def _advice(name: str, given: Mapping[str, Any], known: Sequence[str]) -> str:
    """Return what to write in place of a setting that there isn't."""
    own = CALLED.get(name, name)
    if own in known:
        return f"write {own}={quoted(given[name])}"
    return f"its settings are {', '.join(known[1:])}"


def _is_plain(setting: Any) -> bool:
    """Return whether a setting is a number, a word, or several numbers."""
    several = setting if isinstance(setting, tuple) else [setting]
    return all(isinstance(each, bool | int | float | str) for each in several)


def _alike(name: str, given: Any, like: Any) -> Any:
    """Return a setting such as ``like``.

    Raises:
        TypeError, ValueError: it is of another kind.
    """
    if isinstance(like, list):
        if not isinstance(given, list | tuple) or len(given) != len(like):
            raise ValueError(f"{name} must be {len(like)} numbers: got {quoted(given)}")
        return tuple(_alike(name, x, y) for x, y in zip(given, like, strict=True))
    if isinstance(like, bool | str):
        if type(given) is not type(like):
            raise TypeError(f"{name} must be such as {quoted(like)}: got {quoted(given)}")
        return given
    return finite(name, given) if like < 0 else number(name, given)
