"""`Plan`: what a training is asked to be, checked before anything is changed."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Self

from autograd import Value, quoted
from nn.arguments import count, number, seed_of
from nn.callbacks import Callback
from nn.filters import Dropout
from nn.losses import Loss, bare
from nn.module import Module
from nn.optim import Optimizer
from nn.schedules import Schedule
from nn.training.dataset import Data, Dataset

Metric = Callable[[Sequence[Any], Sequence[Any]], Any]
Clip = float | Callable[[list[Value]], Any]


DTYPES = ("float64", "float32")
"""In what numbers a training may be computed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `nn.fit`, which says what they mean.

    Attributes:
        samples: the data, checked.
        tests: the validation data, checked, if there are any.
        metric_names: one for each metric, all different.

    Raises:
        TypeError, ValueError: an argument is unusable; the message names it.
    """

    model: Module
    data: Data
    loss: Loss
    optimizer: Optimizer
    epochs: int
    batch_size: int
    validation: Data | None
    clip: Clip | None
    schedule: Schedule | None
    metrics: Sequence[Metric]
    callbacks: Sequence[Callback]
    seed: int
    compile: bool | str | None
    dtype: str
    checkpoint: str | PathLike[str] | None
    resume: str | PathLike[str] | None
    samples: Dataset = field(init=False)
    tests: Dataset | None = field(init=False)
    metric_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.model, Module):
            raise TypeError(f"model must be a Module, such as nn.MLP: got {quoted(self.model)}")
        if not isinstance(self.optimizer, Optimizer):
            raise TypeError(
                f"optimizer must be one of nn.optim, such as SGD: got {quoted(self.optimizer)}"
            )
        if not callable(self.loss):
            raise TypeError(
                "loss must be a function, such as nn.losses.half_squared_error: "
                f"got {quoted(self.loss)}"
            )
        for name, functions in (("metrics", self.metrics), ("callbacks", self.callbacks)):
            if callable(functions) or isinstance(functions, str):
                raise TypeError(f"{name} must be a list of functions: got {quoted(functions)}")
            for i, function in enumerate(functions):
                if not callable(function):
                    raise TypeError(f"{name}[{i}] must be a function: got {quoted(function)}")
        if self.schedule is not None and not callable(self.schedule):
            raise TypeError(
                f"schedule must be a function of the epoch: got {quoted(self.schedule)}"
            )
        if self.compile not in (None, True, False, "exact"):
            raise ValueError(
                f'compile must be True, False, "exact" or None: got {self.compile!r:.40}'
            )
        check_dtype(self.dtype, self.compile)
        if self.checkpoint is not None and not Path(self.checkpoint).parent.is_dir():
            raise ValueError(f"checkpoint: there is no folder {Path(self.checkpoint).parent}")
        if self.clip is not None and not callable(self.clip):
            self._set(clip=number("clip", self.clip, positive=True))
        self._set(
            epochs=count("epochs", self.epochs),
            batch_size=count("batch_size", self.batch_size),
            seed=seed_of("seed", self.seed),
            metrics=tuple(self.metrics),
            callbacks=tuple(self.callbacks),
            metric_names=_different(list(map(name_of, self.metrics))),
            samples=Dataset(self.data, self.loss),
            tests=None
            if self.validation is None
            else Dataset(self.validation, self.loss, "validation "),
        )
        held, named = set(self.optimizer.parameters), self.model.named_parameters()
        if held.isdisjoint(named.values()):
            raise ValueError(
                "the optimizer holds none of the model's parameters: make it of model.parameters()"
            )
        fixed = held.intersection(named.values()).difference(self.model.parameters())
        if fixed:
            name = next(name for name, leaf in named.items() if leaf in fixed)
            raise ValueError(
                f"the optimizer holds {name}, which is frozen: make it of model.parameters() after "
                "freeze()"
            )

    @property
    def modules(self) -> list[Module]:
        """The model and all modules in it."""
        return list(self.model.named_modules().values())

    @property
    def dropouts(self) -> list[Dropout]:
        """Those among the modules that draw masks."""
        return [module for module in self.modules if isinstance(module, Dropout)]

    @contextmanager
    def in_mode(self, training: bool) -> Iterator[None]:
        """Have all modules trained, or used, for a while."""
        modules = self.modules
        modes = [module.training for module in modules]
        for module in modules:
            module.training = training
        try:
            yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
                module.training = mode

    def of_a_copy(self) -> Self:
        """Return the same plan for a copy of the model, with a copy of the optimizer."""
        twin = copy.copy(self)
        # Together, so that the optimizer's copy holds the parameters of the model's copy.
        model, optimizer = copy.deepcopy((self.model, self.optimizer))
        twin._set(model=model, optimizer=optimizer)
        return twin

    def _set(self, **attributes: Any) -> None:
        for name, attribute in attributes.items():
            object.__setattr__(self, name, attribute)


def check_dtype(dtype: str, compile: bool | str | None) -> None:
    """Raise if a training can't be computed in such numbers.

    Raises:
        ValueError: they are unknown, or not those of the back end asked for.
    """
    if dtype not in DTYPES:
        raise ValueError(f'dtype must be "float64" or "float32": got {dtype!r:.40}')
    if dtype == "float32" and compile not in (None, True):
        raise ValueError(
            f'dtype="float32" is of machine code, and compile={compile!r} asks for the float64 of '
            "the eager engine: drop one of them"
        )


def name_of(function: Any) -> str:
    """Return the name of a function, or of the one inside a partial, with its arguments."""
    inner = bare(function)
    name = getattr(inner, "__name__", None) or getattr(inner, "name", None) or repr(inner)
    if inner is function:
        return str(name)
    given = [*map(repr, function.args), *(f"{k}={v!r}" for k, v in function.keywords.items())]
    return f"{name}({', '.join(given)})"


def _different(names: list[str]) -> tuple[str, ...]:
    """Return the names, each but the first of several equal ones with its number.

    >>> _different(["recall", "<lambda>", "<lambda>"])
    ('recall', '<lambda>', '<lambda> 2')
    """
    met: Counter[str] = Counter()
    numbered = []
    for name in names:
        met[name] += 1
        numbered.append(f"{name} {met[name]}" if met[name] > 1 else name)
    return tuple(numbered)
