"""The core where nothing else is installed: any Python from 3.11 on, and a browser's.

``python tests/core_alone.py`` prints which Python and which engine it was.
"""

import sys
import tempfile

from autograd import TABLE, Stepper, Value, compile, grad, gradcheck, tanh
from autograd.acceleration import engine_name
from nn import MLP, fit, load, save
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import SGD


def main() -> str:
    """Use what needs no other library; return by which Python and which engine."""
    for op in TABLE.values():
        if op.arity == 1 and not op.violation([0.7]):
            assert gradcheck(op, 0.7, order=2).ok, op.name
    assert grad(grad(lambda x: x**3))(2.0) == 12.0
    assert compile(lambda x: x * x, 2.0).value_and_grad([3.0])[1] == [6.0]
    go_deep()
    model = MLP(2, [4, 1], seed=0)
    optimizer = SGD(model.parameters(), 0.1)
    fit(model, moons(20), binary_cross_entropy_with_logits, optimizer, epochs=2)
    with tempfile.TemporaryDirectory() as folder:
        assert load(save(model, f"{folder}/model.json")).state_dict() == model.state_dict()
    return f"{sys.version} ({engine_name()})"


def go_deep() -> None:
    """Record, pass back, ask and free what no recursion could."""
    x = Value(0.5, "x")
    for n in (10, 10_000, 100_000):
        y = x
        for i in range(n):
            y = y + 1.0 if i % 3 else tanh(y)
        y.backward()
        del y
        assert Stepper(tanh(x)).why(x).paths
    deep = x
    for _ in range(20_000):
        deep = deep * 1.0
    (path,) = Stepper(deep).why(x).paths
    assert len(path.nodes) == 20_001


if __name__ == "__main__":
    sys.stdout.write(f"{main()}\n")
