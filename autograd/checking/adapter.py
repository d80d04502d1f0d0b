"""Functions of PyTorch and JAX as functions of NumPy's arrays, with the gradients of those two.

Each adapter hands its library what it was given, in the same dtypes, and takes arrays back. The
libraries are imported only where something of theirs is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple


class Adapted(NamedTuple):
    """What `gradcheck` checks in place of what it was given."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    gradient: Callable[..., Any]


def adapted(f: Callable[..., Any], args: tuple[Any, ...]) -> Adapted | None:
    """Return a function of PyTorch or JAX as one of arrays; None if it is of neither."""
    found = {_library(x) for x in [f, *_leaves(args)]}
    if "torch" in found:
        return _of_torch(f, args)
    if "jax" in found:
        return _of_jax(f, args)
    return None


def _library(x: Any) -> str:
    names = {kind.__module__.partition(".")[0] for kind in type(x).__mro__}
    return "torch" if "torch" in names else "jax" if names & {"jax", "jaxlib"} else ""


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        yield tree
        return
    for item in tree:
        yield from _leaves(item)


def _of_torch(f: Any, args: tuple[Any, ...]) -> Adapted:
    """Adapt a module or a function of tensors; a module's parameters come first, by name."""
    import torch

    def array(x: Any) -> Any:
        return x.detach().cpu().double().numpy() if isinstance(x, torch.Tensor) else x

    call = f
    kept = args
    if isinstance(f, torch.nn.Module):
        kept = ({name: p.detach() for name, p in f.named_parameters()}, *args)

        def call(params: Any, *xs: Any) -> Any:
            return torch.func.functional_call(f, params, xs)

    def tensors(given: tuple[Any, ...]) -> Any:
        def tensor(x: Any, like: Any) -> Any:
            if isinstance(like, torch.Tensor):
                return torch.as_tensor(x).to(like.dtype).to(like.device).requires_grad_()
            return x

        return _mapped(tensor, given, kept)

    def beside(x: Any) -> Any:
        moves = isinstance(x, torch.Tensor) and x.is_floating_point()
        return (x.detach() * 1.0137 + 0.0137).requires_grad_() if moves else x

    def value(*given: Any) -> Any:
        with torch.no_grad():
            return array(call(*tensors(given)))

    def gradient(*given: Any) -> Any:
        xs = tensors(given)
        out = call(*xs)
        with suppress(Exception):  # a second use: what a first one keeps for backward must stay
            call(*_mapped(lambda x, _: beside(x), xs, xs))
        leaves = [x for x in _leaves(xs) if isinstance(x, torch.Tensor)]
        rows = [
            torch.autograd.grad(y, leaves, retain_graph=True, allow_unused=True)
            for y in out.reshape(-1)
        ]
        found = []
        for k, x in enumerate(leaves):
            row = [r[k] if r[k] is not None else torch.zeros_like(x) for r in rows]
            shape = out.shape if out.numel() > 1 else ()
            found.append(array(torch.stack(row).reshape(*shape, *x.shape)))
        slopes = iter(found)
        return list(_mapped(lambda x, _: next(slopes), xs, xs))

    f_of_arrays = _named(value, f if not isinstance(f, torch.nn.Module) else None)
    return Adapted(f_of_arrays, _mapped(lambda x, _: array(x), kept, kept), gradient)


def _of_jax(f: Callable[..., Any], args: tuple[Any, ...]) -> Adapted:
    """Adapt a function of JAX's arrays."""
    import jax
    import numpy as np

    def arrays(given: tuple[Any, ...]) -> Any:
        return _mapped(
            lambda x, like: jax.numpy.asarray(x, jax.numpy.result_type(like)), given, args
        )

    def value(*given: Any) -> Any:
        return jax.tree.map(lambda y: np.asarray(y, float), f(*arrays(given)))

    def gradient(*given: Any) -> Any:
        xs = arrays(given)
        slopes = jax.jacrev(f, argnums=tuple(range(len(xs))))(*xs)
        return jax.tree.map(lambda y: np.asarray(y, float), list(slopes))

    double = _mapped(lambda x, _: np.asarray(x, float), args, args)
    return Adapted(_named(value, f), double, gradient)


def _named(value: Callable[..., Any], f: Any) -> Callable[..., Any]:
    """Return the function with the signature, and so the parameters' names, of another."""
    import inspect

    if f is None:
        return value
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return value
    value.__signature__ = signature  # type: ignore[attr-defined]
    return value


def _mapped(change: Callable[[Any, Any], Any], tree: Any, like: Any) -> Any:
    """Return a tree with its leaves changed, each beside the one in a tree like it."""
    if isinstance(tree, dict):
        return {key: _mapped(change, item, like[key]) for key, item in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_mapped(change, *pair) for pair in zip(tree, like, strict=True))
    return change(tree, like)
