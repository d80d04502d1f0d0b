"""The peers, one measurement a process.

``python -m tests.benchmarks.peers WORK PEER CORES`` prints JSON.

Each peer is a function of a `works.Work` that returns what is timed, one call being the value
and the gradient with new parameters, and what turns its result into ``(value, gradient)``
as `Work.eager` gives them. What doesn't change from step to step, the data, stays where
the peer likes it best.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import chdir
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks.measurement import use_cores
from tests.benchmarks.works import WORKS, Array, Read, Step, Work, split_digits, time_step

EPOCHS, BATCH, RATE = 20, 32, 1e-3
"""Of the training with Adam; its other numbers are the defaults, the same everywhere."""


def micrograd(work: Work) -> tuple[Step, Read]:
    """micrograd 0.1.0, as its demo uses it, Python's gc as it is. ReLU and hinge loss only."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    model = MLP(work.widths[0], list(work.widths[1:]))
    parameters = model.parameters()
    for parameter, weight in zip(parameters, work.parameters().tolist(), strict=True):
        parameter.data = weight
    points, targets = work.inputs.tolist(), work.targets[:, 0].tolist()

    def step() -> Any:
        scores = [model(list(map(Value, point))) for point in points]
        losses = [(1 + -t * score).relu() for t, score in zip(targets, scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses))
        model.zero_grad()
        loss.backward()
        return loss

    return step, lambda loss: (loss.data, np.array([p.grad for p in parameters]))


def jax(work: Work) -> tuple[Step, Read]:
    """JAX: jit of value_and_grad, all inputs on the device, the parameters in one array.

    Samples last, and one array where a list of layers would be passed piece by piece, are its
    faster forms: 35 µs for the moons on one core, where layers take 47 and mul-and-sum 104.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    activation = {"relu": jax.nn.relu, "tanh": jnp.tanh}[work.activation]

    def cost(flat: Any, x: Any, y: Any) -> Any:
        for weights, biases in work.layers(flat):
            sums = weights @ x + biases[:, None]
            x = activation(sums)
        if work.has_classes:
            return (jax.nn.logsumexp(sums, axis=0) - (y * sums).sum(axis=0)).mean()
        return jax.nn.relu(1 - y * sums).mean()

    step = jax.jit(jax.value_and_grad(cost))
    given = work.parameters(), work.inputs.T, work.targets.T
    arrays = [jnp.array(array, work.inputs.dtype) for array in given]
    return lambda: jax.block_until_ready(step(*arrays)), lambda result: result


def pytorch(work: Work) -> tuple[Step, Read]:
    """PyTorch: eager tensors, a tensor for each layer's weights and biases, `autograd.grad`.

    `torch.compile` gains nothing here: 206 µs for the moons where eager tensors take 195.
    """
    import torch

    layers, cost = _torch_network(work)
    leaves = [leaf for layer in layers for leaf in layer]
    x = torch.tensor(work.inputs)
    y = torch.tensor(work.targets.argmax(axis=1) if work.has_classes else work.targets)

    def step() -> Any:
        loss = cost(x, y)
        return loss, torch.autograd.grad(loss, leaves)

    def read(result: Any) -> tuple[Any, Array]:
        loss, gradients = result
        return loss.item(), work.flat(zip(gradients[::2], gradients[1::2], strict=True))

    return step, read


def _torch_network(work: Work) -> tuple[list[list[Any]], Callable[[Any, Any], Any]]:
    """Return PyTorch's leaves by layer, and the mean loss of inputs and targets or classes."""
    import torch
    from torch.nn.functional import cross_entropy, linear

    activation = {"relu": torch.relu, "tanh": torch.tanh}[work.activation]
    layers = [
        [torch.tensor(part.copy(), requires_grad=True) for part in layer]
        for layer in work.layers(work.parameters())
    ]

    def cost(x: Any, y: Any) -> Any:
        for layer in layers[:-1]:
            x = activation(linear(x, *layer))
        out = linear(x, *layers[-1])
        return cross_entropy(out, y) if work.has_classes else torch.relu(1 - y * out).mean()

    return layers, cost


def ddx(work: Work) -> tuple[Step, Read]:
    """ddx-ad: one sample's hinge loss compiled by LLVM, 100 points a call, the mean by NumPy.

    It knows no parameters shared by all points: new ones are written to each point's column. Its
    own vector library serves for tanh; for ReLU the default is faster (40 µs, else 46).
    """
    import ddx

    weights = work.parameters()

    def model() -> Any:
        symbols = [ddx.var(f"p{i}") for i in range(len(weights))]
        x = [ddx.param(f"x{i}") for i in range(work.widths[0])]
        target = ddx.param("y")
        for places in work.layers(np.arange(len(weights))):
            sums = [
                sum((symbols[i] * xi for i, xi in zip(row, x, strict=True)), symbols[bias])
                for row, bias in zip(*places, strict=True)
            ]
            x = [ddx.tanh(z) if work.activation == "tanh" else ddx.max(z, 0.0) for z in sums]
        return ddx.max(1 - target * sums[0], 0.0)

    points = len(work.inputs)
    libraries = {"relu": ddx.VecLib.NONE, "tanh": ddx.VecLib.AUTO}
    equation = ddx.equation(model)
    equation.compile(points=points, veclib=libraries[work.activation], cache_dir="")
    spread = np.repeat(weights[:, None], points, axis=1)
    call = equation.buffer(
        np.vstack([spread, work.inputs.T, work.targets.T]), want=ddx.Want.JACOBIAN
    )
    share = np.full(points, 1 / points)

    def step() -> Any:
        call.x[: len(weights)] = weights[:, None]
        call()
        return call.value @ share, call.jacobian @ share

    return step, lambda result: result


def casadi(work: Work, mapped: bool) -> tuple[Step, Read]:
    """CasADi: C code of its own making, compiled by gcc -Ofast, called through a buffer.

    Either one sample's loss as scalars, mapped over the samples (29 µs for the moons with ReLU,
    where -O3 takes 35 and its virtual machine 575; 65 with tanh), or all samples in matrices
    (33 µs, where -O3 takes 55 and the virtual machine 57; 38 with tanh, from libmvec). An
    ordinary call takes 68 µs more than a buffer.
    """
    import casadi as ca

    nin, samples = work.widths[0], len(work.inputs)

    def cost(kind: Any, samples: int) -> tuple[list[Any], list[Any]]:
        flat = kind.sym("p", len(work.parameters()))
        inputs, target = kind.sym("x", nin, samples), kind.sym("y", 1, samples)
        activation = {"relu": lambda z: ca.fmax(z, 0), "tanh": ca.tanh}[work.activation]
        x, start = inputs, 0
        for i, nout in enumerate(work.widths[1:], 2):
            size = x.shape[0] + 1
            block = ca.reshape(flat[start : start + nout * size], size, nout).T
            start += nout * size
            x = block[:, :-1] @ x + ca.repmat(block[:, -1], 1, samples)
            x = activation(x) if i < len(work.widths) else x
        loss = ca.sum2(ca.fmax(0, 1 - target * x)) / len(work.inputs)
        return [flat, inputs, target], [loss, ca.gradient(loss, flat)]

    arguments, results = cost(ca.MX, samples)
    if mapped:
        one = ca.Function("sample", *cost(ca.SX, 1))
        results = one.map(samples, [True, False, False], [True, True])(*arguments)
    options = {
        "jit": True,
        "jit_cleanup": False,
        "compiler": "shell",
        "jit_options": {
            "compiler": "gcc",
            "flags": ["-Ofast", "-march=native"],
            "linker_flags": ["-lmvec", "-lm"],
            "cleanup": False,
        },
    }
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # where it leaves its C code
        function = ca.Function("step", arguments, results, options)
    buffer, evaluate = function.buffer()
    weights = work.parameters()
    flat, value, gradient = np.empty_like(weights), np.empty(1), np.empty_like(weights)
    # By columns, one for each sample: as our rows lie in memory.
    for i, array in enumerate((flat, work.inputs, work.targets)):
        buffer.set_arg(i, memoryview(array))
    for i, array in enumerate((value, gradient)):
        buffer.set_res(i, memoryview(array))

    def step() -> Any:
        flat[:] = weights
        evaluate()
        return value[0], gradient

    def read(result: Any) -> tuple[Any, Array]:
        assert buffer.ret() == 0, "CasADi's function failed"  # and the buffer is kept alive
        value, gradient = result
        return value, gradient

    return step, read


def train_pytorch(seed: int) -> dict[str, float]:
    """Return the seconds and the accuracy of training on the digits: a plain loop over tensors.

    Adam is PyTorch's fused one, 0.25 s in all where its loop over tensors takes 0.31.
    """
    import torch

    torch.manual_seed(seed)
    work = WORKS["digits"]()
    (inputs, classes), (tests, labels) = [tuple(map(torch.tensor, part)) for part in split_digits()]

    def train(epochs: int) -> list[list[Any]]:
        layers, cost = _torch_network(work)
        adam = torch.optim.Adam([t for layer in layers for t in layer], lr=RATE, fused=True)
        for _ in range(epochs):
            order = torch.randperm(len(inputs))
            for x, y in zip(inputs[order].split(BATCH), classes[order].split(BATCH), strict=True):
                adam.zero_grad()
                cost(x, y).backward()
                adam.step()
        return layers

    train(epochs=1)  # imports what PyTorch imports late
    start = time.perf_counter()
    first, last = train(EPOCHS)
    seconds = time.perf_counter() - start
    out = torch.nn.functional.linear
    right = out(torch.relu(out(tests, *first)), *last).argmax(dim=1) == labels
    return {"seconds": seconds, "accuracy": right.double().mean().item()}


def train_sklearn(seed: int) -> dict[str, float]:
    """Return the seconds and the accuracy of `MLPClassifier` without regularisation."""
    from sklearn.neural_network import MLPClassifier

    train, test = split_digits()

    def classifier(epochs: int) -> Any:
        return MLPClassifier(
            (32,),
            alpha=0,
            batch_size=BATCH,
            learning_rate_init=RATE,
            max_iter=epochs,
            n_iter_no_change=epochs,
            tol=0,
            random_state=seed,
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it hasn't converged in these epochs
        classifier(1).fit(*train)
        start = time.perf_counter()
        model = classifier(EPOCHS).fit(*train)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": model.score(*test)}


STEPS: dict[str, Callable[[Work], tuple[Step, Read]]] = {
    "micrograd": micrograd,
    "jax": jax,
    "ddx": ddx,
    "casadi map": partial(casadi, mapped=True),
    "casadi matrix": partial(casadi, mapped=False),
    "torch": pytorch,
}
TRAININGS = {"sklearn": train_sklearn, "torch": train_pytorch}

if __name__ == "__main__":
    kind, peer, cores, *seed = sys.argv[1:]
    use_cores(int(cores))
    if kind == "training":
        print(json.dumps(TRAININGS[peer](*map(int, seed))))
    else:
        print(json.dumps(time_step(WORKS[kind](), STEPS[peer])))
