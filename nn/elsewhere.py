"""What other libraries have and this one calls otherwise: what to write here."""

from __future__ import annotations

from autograd.annotations import Any

ACTIVATION = "activations are functions, {}, and a layer has its own: Layer(2, 8, activation={!r})"

NAMES = {
    "ReLU": ACTIVATION.format("autograd.relu", "relu"),
    "GELU": ACTIVATION.format("autograd.gelu", "gelu"),
    "SiLU": ACTIVATION.format("autograd.silu", "silu"),
    "LeakyReLU": ACTIVATION.format("autograd.leaky_relu", "leaky_relu"),
    "Tanh": ACTIVATION.format("autograd.tanh", "tanh"),
    "Sigmoid": ACTIVATION.format("autograd.sigmoid", "sigmoid"),
    "Softmax": "losses take logits, and autograd.softmax(values) makes chances of them",
    "MSELoss": "write nn.losses.squared_error",
    "L1Loss": "write nn.losses.absolute_error",
    "HuberLoss": "write nn.losses.huber",
    "SmoothL1Loss": "write nn.losses.huber",
    "CrossEntropyLoss": "write nn.losses.cross_entropy, which takes logits",
    "BCELoss": "write nn.losses.binary_cross_entropy",
    "BCEWithLogitsLoss": "write nn.losses.binary_cross_entropy_with_logits",
    "Parameter": "a Value in an attribute of a Module is a parameter",
    "ModuleList": "a list of modules in an attribute will do",
    "ModuleDict": "a dict of modules in an attribute will do",
    "ParameterList": "a list of Values in an attribute will do",
    "Dense": "write nn.Layer(nin, nout, activation='relu'), or nn.Linear(nin, nout)",
    "functional": "functions are autograd's, losses in nn.losses",
    "utils": "gradients are clipped by nn.clip_grad_norm",
}
"""What PyTorch's and Keras's modules have."""

FIT = "write nn.fit(model, (X, y), loss, optimizer, epochs=10)"

METHODS = {
    "fit": FIT,
    "compile": f"loss and optimizer are fit's: {FIT}",
    "evaluate": "write nn.metrics.accuracy(model.predict(X), y)",
    "score": "write nn.metrics.accuracy(model.predict(X), y)",
    "save": 'write nn.save(model, "model.json")',
    "to": "it runs on the CPU, in double precision; fit has dtype=",
    "cuda": "it runs on the CPU",
    "add": "write nn.Sequential(nn.Layer(2, 8), ...)",
}
"""What models have there."""


class Elsewhere:
    """In place of a method that there isn't; a subclass may have an attribute of its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _: Any, kind: type) -> Any:
        raise AttributeError(f"{kind.__name__} has no {self._name}: {METHODS[self._name]}")
