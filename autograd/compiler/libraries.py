"""Programs as functions of JAX and PyTorch: the source printed for them, on their devices.

Both are called as machine code is: with arrays of samples, for sums over them and for outputs of
each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from autograd.compiler.forks import lazy
from autograd.compiler.program import Program
from autograd.compiler.reals import Real
from autograd.compiler.repetition import Shape
from autograd.compiler.targets import source
from autograd.extras import missing_extra

try:
    import numpy as np
except ImportError as error:
    missing_extra("numpy", "fast", error)


class LibraryFunction:
    """A program that a library runs, with NumPy's arrays in and out.

    Args:
        program: makes the program; asked when it is first called.
        results: the shapes of what there is for each sample.
        summed: how many of the outputs, the first, are added up over the samples.
        real: what it computes with.
    """

    target = ""

    def __init__(
        self, program: Callable[[], Program], results: Sequence[Shape], summed: int, real: Real
    ) -> None:
        self.program = program
        self.dtype = np.dtype(real.dtype)
        self.results = results
        self.summed = summed

    def __call__(
        self, arrays: Sequence[Any], parameters: Any, n: int, scale: float = 1.0
    ) -> tuple[Any, list[Any]]:
        """Return the sums, times ``scale``, and the arrays of each sample's outputs."""
        if not n:
            nothing = [np.empty((0, *shape), self.dtype) for shape in self.results]
            return np.zeros(self.summed, self.dtype), nothing
        with np.errstate(over="ignore"):  # what is too large for the dtype is infinite
            flat = [np.reshape(array, (n, -1)).astype(self.dtype) for array in arrays]
            numbers = np.asarray(parameters, self.dtype)
        samples = np.concatenate(flat, axis=1) if flat else np.empty((n, 0), self.dtype)
        sums, outputs = self._computed(samples, numbers, scale)
        results, begin = [], 0
        for shape in self.results:
            part = outputs[begin : begin + prod(shape)]
            begin += len(part)
            results.append(
                np.stack(part, axis=1).reshape(n, *shape)
                if part
                else np.empty((n, *shape), self.dtype)
            )
        return sums, results

    @lazy
    def _function(self) -> Callable[[Any, Any], Sequence[Any]]:
        names: dict[str, Any] = {}
        exec(source(self.program(), self.target), names)
        function: Callable[[Any, Any], Sequence[Any]] = names["program"]
        return function

    def _computed(self, samples: Any, parameters: Any, scale: float) -> tuple[Any, list[Any]]:
        """Return the sums as one array, and the other outputs as one array each."""
        raise NotImplementedError


class JaxFunction(LibraryFunction):
    """A program by JAX: compiled by XLA, the samples spread over all devices that it sees.

    It computes in double precision, if that is asked for, inside of its own calls; JAX's switch for
    all is left alone.
    """

    target = "jax"

    @lazy
    def _jitted(self) -> Callable[..., tuple[Any, list[Any]]]:
        import jax
        from jax import numpy as jnp

        each = jax.vmap(self._function, in_axes=(0, None))

        def call(x: Any, p: Any, is_sample: Any, scale: Any) -> tuple[Any, list[Any]]:
            outputs = each(x, p)
            summed = [jnp.where(is_sample, out, 0.0).sum() for out in outputs[: self.summed]]
            return jnp.array(summed) * scale, list(outputs[self.summed :])

        jitted: Callable[..., tuple[Any, list[Any]]] = jax.jit(call)
        return jitted

    def _computed(self, samples: Any, parameters: Any, scale: float) -> tuple[Any, list[Any]]:
        import jax
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        n, devices = len(samples), jax.devices()
        # Each device gets as many: the last sample is repeated, and not counted.
        rest = -n % len(devices)
        filled = np.concatenate([samples, np.repeat(samples[-1:], rest, axis=0)])
        mesh = Mesh(np.array(devices), ("samples",))
        split = NamedSharding(mesh, PartitionSpec("samples"))
        whole = NamedSharding(mesh, PartitionSpec())
        with jax.enable_x64(self.dtype == np.float64):
            sums, outputs = self._jitted(
                jax.device_put(filled, split),
                jax.device_put(parameters, whole),
                jax.device_put(np.arange(n + rest) < n, split),
                jax.device_put(self.dtype.type(scale), whole),
            )
            return np.array(sums), [np.array(out)[:n] for out in outputs]


class TorchFunction(LibraryFunction):
    """A program by PyTorch, on the device that it makes tensors on.

    That is ``torch.get_default_device()``; ``with torch.device("cuda"):`` is another one. Samples
    are the last axis of each operation; it isn't compiled, which takes PyTorch minutes where
    a program has hundreds of them.
    """

    target = "torch"

    def _computed(self, samples: Any, parameters: Any, scale: float) -> tuple[Any, list[Any]]:
        import torch

        dtype = getattr(torch, self.dtype.name)

        def tensor(array: Any) -> Any:
            return torch.tensor(array, dtype=dtype)

        with torch.no_grad():
            # Constants are of double precision, and so may be what follows from them alone.
            outputs = [out.to(dtype) for out in self._function(tensor(samples), tensor(parameters))]
            sums = [out.sum() * scale for out in outputs[: self.summed]]
            summed = torch.stack(sums).numpy(force=True) if sums else np.zeros(0, self.dtype)
            return summed, [out.numpy(force=True) for out in outputs[self.summed :]]


LIBRARIES = {"jax": JaxFunction, "torch": TorchFunction}
"""What runs a program, by the name of the back end."""
