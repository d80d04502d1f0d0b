"""What is written as in other libraries works, or says what to write here."""

import re
from typing import Any

import pytest

import autograd
import nn
from autograd import foreign, quoted
from nn import MLP, Module, fit
from nn.elsewhere import METHODS, NAMES
from nn.losses import squared_error
from nn.optim import SGD


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_other_libraries_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(f"no attribute {name!r}: {NAMES[name]}")):
        getattr(nn, name)


@pytest.mark.parametrize("name", foreign.NAMES)
def test_so_does_one_of_other_engines(name: str) -> None:
    said = re.escape(f"no attribute {name!r}: {foreign.NAMES[name]}")
    with pytest.raises(AttributeError, match=said):
        getattr(autograd, name)


def test_a_name_that_nobody_has_is_plainly_not_there() -> None:
    for package in (nn, autograd):
        with pytest.raises(AttributeError, match=r"has no attribute 'Nothing'$"):
            package.Nothing  # noqa: B018


@pytest.mark.parametrize("said", [*NAMES.values(), *METHODS.values(), *foreign.NAMES.values()])
def test_what_is_to_be_written_is_there(said: str) -> None:
    for path in re.findall(r"\b(?:nn|autograd)(?:\.\w+)+", said):
        package, *names = path.removesuffix(".json").split(".")
        found: Any = {"nn": nn, "autograd": autograd}[package]
        for name in names:
            found = getattr(found, name)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_other_libraries_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(f"MLP has no {name}: {METHODS[name]}")):
        getattr(MLP(2, [1]), name)

    class Own(Module):
        def __init__(self) -> None:
            setattr(self, name, 3.0)

    assert getattr(Own(), name) == 3.0
    assert not hasattr(MLP, name)


def test_train_takes_a_mode() -> None:
    model = MLP(2, [1])
    assert model.train(False).training is False
    assert model.train(True).training is model.train().training is True
    with pytest.raises(TypeError, match=r"train takes True or False: got \[\[1.0\]\]; to lea"):
        model.train([[1.0]])  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [(), ([[1.0]], [2.0]), (([[1.0]], [2.0]), squared_error)])
def test_a_fit_that_lacks_arguments_says_how_it_is_called(given: Any) -> None:
    with pytest.raises(TypeError, match=r"missing .*; write nn.fit\(model, \(X, y\), loss, opt"):
        fit(MLP(1, [1]), *given)


def test_an_error_from_inside_of_a_fit_stays_what_it_is() -> None:
    model = MLP(1, [1])

    def wrong(prediction: Any, target: Any) -> Any:
        raise TypeError("mine")

    with pytest.raises(TypeError, match=r"^the loss fails: mine"):
        fit(model, ([[1.0]], [2.0]), wrong, SGD(model.parameters(), 0.1), epochs=1)


def test_a_generator_is_gone_through_once_or_refused_without_its_address() -> None:
    model = MLP(2, [1], seed=0)
    rows = [[1.0, 2.0], [3.0, 4.0]]
    assert model.predict(row for row in rows) == model.predict(rows)
    made = (row for row in rows)
    said = "<generator object test_a_generator"
    assert quoted(made).startswith(said)
    assert "0x" not in quoted(made) + quoted(object())
    with pytest.raises(TypeError, match=f"got {said}") as caught:
        fit(model, made, squared_error, SGD(model.parameters(), 0.1), epochs=1)  # type: ignore[arg-type]
    assert "0x" not in str(caught.value)
