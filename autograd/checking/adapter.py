"""Functions as the check takes them, made of those that it could not call as they are.

Functions of PyTorch and JAX become functions of NumPy's arrays, with the gradients of those two:
each adapter hands its library what it was given, in the same dtypes, and takes arrays back. What
no derivative is taken by, such as labels and settings, is handed on untouched. The libraries are
imported only where something of theirs is given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.tree import leaves, mapped


class Adapted(NamedTuple):
    """What `gradcheck` checks in place of what it was given: ``None`` stands for what is held."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    gradient: Any


def adapted(f: Callable[..., Any], args: tuple[Any, ...], gradient: Any) -> Adapted | None:
    """Return what to check in place of a function; None if that is the function itself."""
    if gradient is not None:
        return _without_held(f, args, gradient)
    found = {_library(x) for x in [f, *leaves(args)]}
    if "torch" in found:
        return _of_torch(f, args)
    if "jax" in found:
        return _of_jax(f, args)
    return None


def _library(x: Any) -> str:
    names = {kind.__module__.partition(".")[0] for kind in type(x).__mro__}
    return "torch" if "torch" in names else "jax" if names & {"jax", "jaxlib"} else ""


def _without_held(f: Any, args: tuple[Any, ...], gradient: Any) -> Adapted | None:
    """Adapt a function whose gradient is None for some of its arguments."""
    given = gradient
    if callable(gradient):
        if all(map(_is_float, leaves(args))):
            return None
        given = gradient(*args)
    if not isinstance(given, list | tuple) or len(given) != len(args):
        return None
    moving = tuple(None if part is None else arg for arg, part in zip(args, given, strict=True))
    if all(part is not None for part in given):
        return None

    def whole(xs: tuple[Any, ...]) -> list[Any]:
        return [arg if x is None else x for x, arg in zip(xs, args, strict=True)]

    slopes = (lambda *xs: gradient(*whole(xs))) if callable(gradient) else given
    return Adapted(_named(lambda *xs: f(*whole(xs)), f), moving, slopes)


def _is_float(x: Any) -> bool:
    return isinstance(x, float | Value) or getattr(getattr(x, "dtype", None), "kind", "") == "f"


def _of_torch(f: Any, args: tuple[Any, ...]) -> Adapted:
    """Adapt a module or a function of tensors; a module's parameters come first, by name."""
    import torch

    def moves(x: Any) -> bool:
        return isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())

    def array(x: Any) -> Any:
        if not isinstance(x, torch.Tensor):
            return x
        x = x.detach().cpu()
        return x.numpy() if x.is_complex() else x.double().numpy()  # a complex one is refused

    call, named = f, f
    if isinstance(f, torch.nn.Module):
        trained = {name: p.detach() for name, p in f.named_parameters() if p.requires_grad}
        args = (trained, *args)
        named = _with_parameters(f.forward)

        def call(params: Any, *xs: Any) -> Any:
            buffers = {name: b.clone() for name, b in f.named_buffers()}
            return torch.func.functional_call(f, buffers | params, xs)

    def whole(given: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
        def tensor(like: Any, x: Any) -> Any:
            return like if x is None else change(torch.as_tensor(x).to(like.device, like.dtype))

        return mapped(tensor, args, given)

    def value(*given: Any) -> Any:
        with torch.no_grad():
            return mapped(array, call(*whole(given, torch.clone)))

    def gradient(*given: Any) -> Any:
        starts: list[Any] = []

        def start(x: Any) -> Any:
            starts.append(x.clone().requires_grad_())
            return starts[-1].clone()  # a user's function may change what it is given

        out = call(*whole(given, start))
        with suppress(Exception):  # a second use: what a first one keeps for backward must stay
            call(*whole(given, lambda x: (x * 1.0137 + 0.0137).requires_grad_()))

        def slopes(y: Any) -> Any:
            if not isinstance(y, torch.Tensor):
                raise TypeError(
                    f"PyTorch has no gradient of a {type(y).__name__}: return the tensor itself"
                )
            rows = [
                torch.autograd.grad(one, starts, retain_graph=True, allow_unused=True)
                if y.requires_grad
                else [None] * len(starts)
                for one in y.reshape(-1)
            ]
            columns = [
                torch.stack([torch.zeros_like(x) if s is None else s for s in column])
                for x, column in zip(starts, zip(*rows, strict=True), strict=True)
            ]
            shaped = (
                array(column.reshape((*y.shape, *x.shape)))
                for x, column in zip(starts, columns, strict=True)
            )
            return mapped(lambda x: next(shaped) if moves(x) else None, args)

        return mapped(slopes, out)

    moving = mapped(lambda x: array(x) if moves(x) else None, args)
    _refuse_integers(moving)
    return Adapted(_named(value, named), moving, gradient)


def _of_jax(f: Callable[..., Any], args: tuple[Any, ...]) -> Adapted:
    """Adapt a function of JAX's arrays."""
    import jax
    import numpy as np

    def moves(x: Any) -> bool:
        return isinstance(x, float) or (
            hasattr(x, "dtype") and bool(jax.numpy.issubdtype(x.dtype, jax.numpy.inexact))
        )

    def array(x: Any) -> Any:
        x = np.asarray(x)
        return x if np.iscomplexobj(x) else x.astype(float)  # a complex one is refused

    def starts(given: tuple[Any, ...]) -> list[Any]:
        beside = zip(leaves(args), leaves(given), strict=True)
        return [
            jax.numpy.asarray(x, jax.numpy.result_type(like)) for like, x in beside if x is not None
        ]

    def call(xs: list[Any]) -> Any:
        rest = iter(xs)
        return f(*mapped(lambda x: next(rest) if moves(x) else x, args))

    def value(*given: Any) -> Any:
        return jax.tree.map(array, call(starts(given)))

    def gradient(*given: Any) -> Any:
        xs = starts(given)
        results = jax.tree.structure(call(xs))

        def laid_out(slopes: list[Any]) -> Any:
            rest = iter(slopes)
            return mapped(lambda x: array(next(rest)) if moves(x) else None, args)

        rows = results.flatten_up_to(jax.jacrev(call)(xs))
        return jax.tree.unflatten(results, [laid_out(row) for row in rows])

    moving = mapped(lambda x: array(x) if moves(x) else None, args)
    _refuse_integers(moving)
    return Adapted(_named(value, f), moving, gradient)


def _refuse_integers(moving: tuple[Any, ...]) -> None:
    if all(x is None for x in leaves(moving)):
        raise TypeError(
            "no argument has a derivative: they are integers, or no numbers at all; give floats"
        )


def _named(value: Callable[..., Any], f: Any) -> Callable[..., Any]:
    """Return the function with the signature, and so the parameters' names, of another."""
    try:
        signature = f if isinstance(f, inspect.Signature) else inspect.signature(f)
    except (TypeError, ValueError):
        return value
    value.__signature__ = signature  # type: ignore[attr-defined]
    return value


def _with_parameters(forward: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a module that takes its parameters first."""
    signature = inspect.signature(forward)
    name = "params" if "params" not in signature.parameters else "parameters"
    first = inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
    return signature.replace(parameters=[first, *signature.parameters.values()])
