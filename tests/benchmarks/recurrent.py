"""Loops, forward and back, compiled, beside JAX's.

``python -m tests.benchmarks.recurrent KIND WHO CORES`` prints one measurement as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

import autograd
from autograd import Value, compile, exp, log, scan, sigmoid, tanh
from tests.benchmarks.measurement import seconds_per_call, use_cores

CARRIES, LAYERS, WIDTH = 60, 2, 14
STEPS = {"carries": 80, "carries-long": 800, "lstm": 128, "lstm-short": 8}


def time_carries(who: str, steps: int) -> dict[str, Any]:
    """Time the gradient of a ring of scalars, each drawn to the one before it.

    Source: jax-ml/jax#40150, a loop that carries 60 scalars.
    """
    n = CARRIES
    start = np.random.default_rng(0).normal(size=2 * n)

    def ring(c: Any, w: Any, bend: Any) -> Any:
        return tuple(c[i] + 0.1 * (bend(w[i] * c[i - 1]) * c[i - 2] - c[i]) for i in range(n))

    if who == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def loss(v: Any) -> Any:
            w = [v[n + i] for i in range(n)]
            begin = tuple(v[i] for i in range(n))
            last, _ = jax.lax.scan(
                lambda c, _: (ring(c, w, jnp.tanh), None), begin, None, length=steps
            )
            return sum(last)

        return _jax(loss, start)

    def f(v: list[Any]) -> Any:
        last, _ = scan(lambda c, _: (ring(c, v[n:], tanh), None), tuple(v[:n]), length=steps)
        return autograd.sum(last)

    return _ours(f, who, start, [])


def time_lstm(who: str, steps: int) -> dict[str, Any]:
    """Time the gradient of a network with a memory by its parameters.

    Source: Srajer et al. 2018, ADBench, its problem LSTM.
    """
    source = np.random.default_rng(0)
    shapes = [(2 * LAYERS, 4 * WIDTH), (3, WIDTH), (2 * LAYERS, WIDTH)]
    main, extra, state = (source.normal(size=shape) for shape in shapes)
    text = (source.random((steps + 1, WIDTH)) < 0.1).astype(float)
    scale = -1.0 / (WIDTH * steps)
    flat = np.concatenate([main.ravel(), extra.ravel()])
    ends = [*accumulate([main.size, extra.size], initial=0)]
    if who == "jax":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        xs, ys = jnp.asarray(text[:-1]), jnp.asarray(text[1:])

        def loss(v: Any) -> Any:
            weights = v[: ends[1]].reshape(LAYERS, 2, 4, WIDTH)
            given = v[ends[1] :].reshape(3, WIDTH)

            def step(before: Any, pair: Any) -> Any:
                x, wanted = pair
                z, after = x * given[0], []
                for i in range(LAYERS):
                    h, cell = before[2 * i], before[2 * i + 1]
                    gates = jnp.stack([z, h, z, h]) * weights[i, 0] + weights[i, 1]
                    forget, into, out = jax.nn.sigmoid(gates[:3])
                    cell = forget * cell + into * jnp.tanh(gates[3])
                    z = out * jnp.tanh(cell)
                    after += [z, cell]
                p = z * given[1] + given[2]
                norm = jnp.log(2.0 + jnp.exp(p).sum())
                return jnp.stack(after), (wanted * (p - norm)).sum()

            return scale * jax.lax.scan(step, jnp.asarray(state), (xs, ys))[1].sum()

        return _jax(loss, flat)
    leaves = [Value(x) for x in flat.tolist()]

    def row(i: int) -> list[Any]:
        return leaves[WIDTH * i : WIDTH * (i + 1)]

    def layer(i: int, z: list[Any], h: list[Any], cell: list[Any]) -> tuple[Any, Any]:
        gates = [
            [a * w + b for a, w, b in zip(given, row(8 * i + k), row(8 * i + 4 + k), strict=True)]
            for k, given in enumerate((z, h, z, h))
        ]
        forget, into, out = ([sigmoid(a) for a in gate] for gate in gates[:3])
        change = [tanh(a) for a in gates[3]]
        cell = [f * c + i * d for f, c, i, d in zip(forget, cell, into, change, strict=True)]
        return [o * tanh(c) for o, c in zip(out, cell, strict=True)], cell

    def step(carry: Any, pair: Any) -> Any:
        (total, before), (x, wanted) = carry, pair
        u, v, w = (row(8 * LAYERS + i) for i in range(3))
        z, after = [a * b for a, b in zip(x, u, strict=True)], []
        for i in range(LAYERS):
            z, cell = layer(i, z, *before[2 * i : 2 * i + 2])
            after += [z, cell]
        p = [a * b + c for a, b, c in zip(z, v, w, strict=True)]
        norm = log(2.0 + autograd.sum([exp(a) for a in p]))
        surprise = autograd.sum([t * (a - norm) for t, a in zip(wanted, p, strict=True)])
        return (total + surprise, after), None

    def f(letters: list[Any]) -> Any:
        rows = [letters[i * WIDTH : (i + 1) * WIDTH] for i in range(steps + 1)]
        pairs = [*pairwise(rows)]
        (total, _), _ = scan(step, (0.0, state.tolist()), pairs)
        return scale * total

    return _ours(f, who, text.ravel(), leaves)


def _ours(f: Any, who: str, given: Any, leaves: list[Value]) -> dict[str, Any]:
    if who == "eager":
        inputs = [Value(x) for x in given.tolist()]
        out = f(inputs)
        out.backward()
        return {"value": out.data, "gradient": [leaf.grad for leaf in leaves or inputs]}
    params = {"params": np.array([leaf.data for leaf in leaves])} if leaves else {}
    begin = time.process_time()
    g = compile(f, [0.0] * len(given), wrt=leaves or None)
    g.value_and_grad(given, **params)
    seconds = time.process_time() - begin
    return {"compile": seconds, **_timed(lambda: g.value_and_grad(given, **params))}


def _jax(loss: Any, given: Any) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    g, x = jax.jit(jax.value_and_grad(loss)), jnp.asarray(given)
    begin = time.process_time()
    jax.block_until_ready(g(x))
    seconds = time.process_time() - begin
    return {"compile": seconds, **_timed(lambda: jax.block_until_ready(g(x)))}


def _timed(call: Callable[[], Any]) -> dict[str, Any]:
    value, gradient = call()
    return {
        "seconds": seconds_per_call(call),
        "value": float(value),
        "gradient": np.asarray(gradient).ravel().tolist(),
    }


KINDS: dict[str, Callable[[str, int], dict[str, Any]]] = {
    "carries": time_carries,
    "lstm": time_lstm,
}

if __name__ == "__main__":
    kind, who, cores = sys.argv[1:]
    use_cores(int(cores))
    print(json.dumps(KINDS[kind.partition("-")[0]](who, STEPS[kind])))
