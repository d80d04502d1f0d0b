"""What a Value is asked for that only other people's engines have: it says what to write here.

Methods and attributes of forks, and what optimizers put on a parameter; a node has no place for
it. Of any other name, Python says no more than that it isn't there.
"""

from __future__ import annotations

from autograd.annotations import Any, NoReturn
from autograd.engine import Value

STATE = "a node has no place for it; keep it in a dict, state = {p: 0.0 for p in parameters}"
WRITE = {
    "clamp": "autograd.clamp(v, low, high)",
    "clip": "autograd.clamp(v, low, high)",
    "leaky_relu": "autograd.leaky_relu(v, 0.01)",
    "elu": "autograd.elu(v, 1.0)",
    "maximum": "autograd.maximum(v, w)",
    "minimum": "autograd.minimum(v, w)",
    "softmax": "autograd.softmax(values)",
    "detach": "autograd.detach(v)",
    "ln": "v.log()",
    "ReLU": "v.relu()",
    "swish": "v.silu()",
    "sum": "autograd.sum(values)",
    "mean": "autograd.mean(values)",
    "square": "v ** 2",
    "pow": "v ** w",
    "add": "v + w",
    "sub": "v - w",
    "mul": "v * w",
    "div": "v / w",
    "neg": "-v",
    "zero_grad": "for p in parameters: p.grad = 0.0",
    "step": "for p in parameters: p.data -= learning_rate * p.grad",
    "value": "v.data",
    "val": "v.data",
    "gradient": "v.grad",
    "name": "v.label",
    "parents": "v.args",
    "children": "v.args",
    "prev": "v.args",
    "topo": "autograd.trace(v)[0]",
    "trace": "autograd.trace(v)",
    "draw_dot": "autograd.draw_dot(v)",
}

SCALARS = "values are scalars: write [Value(x) for x in xs]"
NAMES = {
    "tensor": SCALARS,
    "Tensor": SCALARS,
    "Variable": "write Value(x)",
    "backward": "write out.backward()",
    "jit": "write autograd.compile(f, x)",
    "vmap": "write [f(x) for x in xs]; what autograd.compile returns takes many inputs at once",
    "elementwise_grad": "write [autograd.grad(f)(x) for x in xs]",
    "jacrev": "write autograd.jacobian(f)",
    "jacfwd": "write autograd.jacobian(f)",
    "vjp": "write autograd.gradients(out, inputs)",
    "numpy": "that is of another package called autograd, by HIPS",
}
"""What other packages have."""


class Absent:
    """An attribute that a Value doesn't have; what a user sets on the class takes its place."""

    def __init__(self, name: str, instead: str) -> None:
        self._message = f"a Value has no attribute {name!r}: {instead}"

    def __get__(self, node: Any, owner: type) -> NoReturn:
        raise AttributeError(self._message)

    __set__ = __get__


for _name in "m v velocity momentum cache exp_avg exp_avg_sq square_avg requires_grad".split():
    setattr(Value, _name, Absent(_name, STATE))
for _name, _instead in WRITE.items():
    if not hasattr(Value, _name):  # else it is a row by now
        setattr(Value, _name, Absent(_name, f"write {_instead}"))
