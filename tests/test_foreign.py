"""What a Value has in other people's engines is refused with what to write, which works."""

import re

import pytest

import autograd
from autograd import Value
from autograd.errors import MissingExtraError
from autograd.foreign import WRITE


@pytest.mark.parametrize(("name", "instead"), WRITE.items())
def test_what_is_said_to_be_written_works(name: str, instead: str) -> None:
    v, w = Value(0.5, "v"), Value(2.0, "w")
    with pytest.raises(AttributeError, match=rf"no attribute '{name}': write {re.escape(instead)}"):
        getattr(v, name)
    with pytest.raises(AttributeError, match=re.escape(instead)):
        setattr(v, name, 1.0)
    assert not hasattr(v, name)
    names = {"autograd": autograd, "v": v, "w": w, "low": -1.0, "high": 1.0, "values": [v, w]}
    try:
        exec(instead, {**names, "parameters": [v, w], "learning_rate": 0.1})
    except MissingExtraError as error:
        pytest.skip(str(error))


def test_a_method_of_ones_own_takes_the_place() -> None:
    absent = vars(Value)["clamp"]
    try:
        Value.clamp = lambda v: autograd.clamp(v, 0.0, 1.0)  # type: ignore[attr-defined]
        assert Value(3.0).clamp().data == 1.0
    finally:
        Value.clamp = absent  # type: ignore[attr-defined]
