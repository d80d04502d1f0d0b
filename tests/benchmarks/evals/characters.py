"""lstm: how surprising a text is to a network, and the derivatives by its parameters."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import (
    Value,
    compile,
    dot,
    exp,
    log,
    sigmoid,
    tanh,
)

Array = Any


class Text(NamedTuple):
    """The input of lstm: parameters in one array, the state, the characters."""

    layers: int
    width: int
    params: Array
    state: Array
    sequence: Array


def text(given: Any) -> Text:
    main, extra, state, sequence = (
        np.array(given[name], dtype=float)
        for name in ("main_params", "extra_params", "state", "sequence")
    )
    params = np.concatenate([main.ravel(), extra.ravel()])
    return Text(len(main) // 2, state.shape[1], params, state.ravel(), sequence)


@cache
def lstm_step(layers: int, width: int) -> tuple[Any, Any]:
    """Return a step's loss and next state, and the product of its derivatives, both compiled."""
    leaves = [Value(0.1) for _ in range(8 * layers * width + 3 * width)]

    def step(state: list[Any], x: list[Any], wanted: list[Any]) -> list[Any]:
        def row(i: int, block: int) -> list[Any]:
            start = 4 * width * i + width * block
            return leaves[start : start + width]

        u, v, w = (leaves[8 * layers * width + i * width :][:width] for i in range(3))
        z, after = [a * b for a, b in zip(x, u, strict=True)], []
        for i in range(layers):
            h, cell = (state[(2 * i + j) * width :][:width] for j in range(2))
            gates = [
                [a * p + b for a, p, b in zip(given, row(2 * i, k), row(2 * i + 1, k), strict=True)]
                for k, given in enumerate((z, h, z, h))
            ]
            forget, into, out = ([sigmoid(a) for a in gate] for gate in gates[:3])
            change = [tanh(a) for a in gates[3]]
            cell = [f * c + i * d for f, c, i, d in zip(forget, cell, into, change, strict=True)]
            h = [o * tanh(c) for o, c in zip(out, cell, strict=True)]
            after += [*h, *cell]
            z = h
        p = [a * b + c for a, b, c in zip(z, v, w, strict=True)]
        norm = log(2.0 + autograd.sum([exp(a) for a in p]))
        return [autograd.sum([t * (a - norm) for t, a in zip(wanted, p, strict=True)]), *after]

    def pulled(state: list[Any], x: list[Any], wanted: list[Any], adjoint: list[Any]) -> Any:
        return dot(adjoint, step(state, x, wanted))

    state, x = [0.1] * (2 * layers * width), [1.0] * width
    forward = compile(step, state, x, x, wrt=leaves)
    adjoint = [1.0] * (len(state) + 1)
    return forward, compile(pulled, state, x, x, adjoint, wrt=[0, *leaves], reduce="sum")


def lstm_states(given: Text) -> tuple[list[Array], float]:
    """Return the state before each step, and the sum of the losses."""
    forward, _ = lstm_step(given.layers, given.width)
    states, total = [given.state], 0.0
    for x, wanted in zip(given.sequence, given.sequence[1:], strict=False):
        loss, *state = forward(states[-1], x, wanted, params=given.params)
        total += loss
        states.append(np.array(state))
    return states, total


def lstm_objective(given: Text) -> float:
    return -float(lstm_states(given)[1]) / (given.width * (len(given.sequence) - 1))


def lstm_jacobian(given: Text) -> Array:
    states, _ = lstm_states(given)
    _, pulled = lstm_step(given.layers, given.width)
    adjoint, slopes = np.zeros(len(given.state) + 1), np.zeros(len(given.params))
    adjoint[0] = 1.0
    for t in range(len(given.sequence) - 2, -1, -1):
        x, wanted = given.sequence[t], given.sequence[t + 1]
        _, (by_state, by_params) = pulled.value_and_grad(
            states[t], x, wanted, adjoint, params=given.params
        )
        slopes += by_params
        adjoint[1:] = by_state
    return -slopes / (given.width * (len(given.sequence) - 1))
