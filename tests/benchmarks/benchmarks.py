"""The benchmarks by name: what is measured, and what is wanted."""

from __future__ import annotations

from functools import partial

from tests.benchmarks.benchmark import SCALARS, TENSORS, Benchmark
from tests.benchmarks.check_figures import (
    checkers,
    directions,
    expressions,
    kinks,
    mutations,
    wide_range,
)
from tests.benchmarks.compiler_figures import (
    compilation,
    compiled_step,
    formula,
    gradbench,
    gradient,
    language,
    layers,
    limits,
    loop,
    second_derivatives,
    sparse,
    written_out,
)
from tests.benchmarks.engine_figures import (
    both_engines,
    chain,
    derived,
    eager_step,
    light_import,
    memory,
    stepper,
)
from tests.benchmarks.learning_figures import cold_training, estimators, large_table, training

COMPILED = ("numpy", "llvmlite")

DATA = (*COMPILED, "sklearn")

CHECK = ("hypothesis",)

COMPILERS = ("jax", "ddx", "casadi", "torch")

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            "eager",
            "engine",
            "an eager step: MLP 2-16-16-1, ReLU, hinge loss, 100 points",
            eager_step,
            peers=("micrograd",),
        ),
        Benchmark(
            "engines",
            "engine",
            "the same in C and in Python, beside a lean class",
            partial(both_engines, gc=True),
            peers=("micrograd",),
        ),
        Benchmark(
            "engines-no-gc",
            "engine",
            "the same without Python's gc",
            partial(both_engines, gc=False),
            peers=("micrograd",),
        ),
        Benchmark("derived", "engine", "gradcheck, hessian and dropout in both engines", derived),
        Benchmark("import", "engine", "how long import autograd takes", light_import),
        Benchmark("memory", "engine", "what a node takes", memory),
        Benchmark("chain", "engine", "a chain of 1,000,000 operations", chain),
        Benchmark("stepper", "stepper", "the debugger: recording, moving, why", stepper),
        Benchmark(
            "moons",
            "compile",
            "a compiled step: MLP 2-16-16-1, ReLU, hinge loss, 100 points",
            partial(
                compiled_step,
                "moons relu",
                (*SCALARS, *TENSORS),
                4,
                values=1.5,
                micrograd=20_000,
            ),
            COMPILED,
            ("micrograd", *COMPILERS),
        ),
        Benchmark(
            "moons-tanh",
            "compile",
            "a compiled step: MLP 2-16-16-1, tanh, hinge loss, 100 points",
            partial(compiled_step, "moons tanh", (*SCALARS, *TENSORS), 2),
            COMPILED,
            COMPILERS,
        ),
        Benchmark(
            "digits",
            "compile",
            "a compiled step: MLP 64-32-10, cross-entropy, 1,500 samples",
            partial(compiled_step, "digits", TENSORS, 1.5),
            DATA,
            ("jax", "torch"),
        ),
        Benchmark(
            "training",
            "compile",
            "a training on the digits: Adam, batches of 32, 20 epochs",
            training,
            DATA,
            ("sklearn", "torch"),
        ),
        Benchmark("compilation", "compile", "how long compiling takes", compilation, DATA),
        Benchmark(
            "gradient",
            "compile",
            "how long value and gradient take, beside the value alone",
            gradient,
            DATA,
        ),
        Benchmark(
            "written-out",
            "compile",
            "micrograd's own loss, which goes through its samples by itself",
            written_out,
            COMPILED,
        ),
        Benchmark(
            "layers",
            "compile",
            "steps of wide layers, in either precision",
            layers,
            COMPILED,
            ("jax",),
        ),
        Benchmark("formula", "compile", "a formula of 100,000 nodes", formula, COMPILED),
        Benchmark(
            "hessian",
            "compile",
            "a compiled Hessian: Rosenbrock's chain, n = 200",
            partial(second_derivatives, "rosenbrock"),
            (*COMPILED, "scipy"),
            ("jax",),
        ),
        Benchmark(
            "hessian-mlp",
            "compile",
            "a compiled Hessian: MLP 2-8-1, tanh, the mean of 100 points",
            partial(second_derivatives, "network"),
            (*COMPILED, "scipy"),
            ("jax",),
        ),
        Benchmark(
            "carries",
            "compile",
            "a loop that carries 60 scalars through 80 steps",
            partial(loop, "carries", "carries-long", 2, 320e-6),
            COMPILED,
            ("jax",),
        ),
        Benchmark(
            "lstm",
            "compile",
            "the LSTM of ADBench, 128 steps",
            partial(loop, "lstm", "lstm-short", 1.5, 1e-3),
            COMPILED,
            ("jax",),
        ),
        Benchmark(
            "sparse",
            "compile",
            "sparse derivatives: a chain's Hessian, a rollout's Jacobian",
            sparse,
            (*COMPILED, "scipy"),
        ),
        Benchmark(
            "language",
            "compile",
            "a GPT of 4,192 parameters that learns names, a document a step",
            language,
            COMPILED,
            ("torch",),
        ),
        Benchmark(
            "gradbench",
            "compile",
            "evals of GradBench beside C++ by hand, -O3 (needs g++)",
            gradbench,
            COMPILED,
        ),
        Benchmark("limits", "compile", "how near the machine's limits a step is", limits, DATA),
        Benchmark(
            "cold",
            "learning",
            "the digits by the command, in a new process",
            cold_training,
            (*DATA, "matplotlib"),
            ("sklearn",),
        ),
        Benchmark(
            "estimators",
            "learning",
            "scores of the estimators, beside scikit-learn's",
            estimators,
            DATA,
            is_slow=True,
        ),
        Benchmark(
            "large-table",
            "learning",
            "a table of 100,000 rows and ten columns, by the command",
            large_table,
            (*DATA, "pandas", "matplotlib"),
        ),
        Benchmark(
            "mutations", "gradcheck", "the wrong rules that gradcheck finds", mutations, CHECK
        ),
        Benchmark(
            "range", "gradcheck", "gradcheck on right rules from 1e-300 to 1e300", wide_range, CHECK
        ),
        Benchmark("kinks", "gradcheck", "gradcheck within 1e-12 of a kink", kinks, CHECK),
        Benchmark(
            "directions",
            "gradcheck",
            "what gradcheck costs in random directions",
            directions,
            CHECK,
        ),
        Benchmark(
            "expressions",
            "gradcheck",
            "gradcheck on 10,000 random expressions",
            expressions,
            CHECK,
            is_slow=True,
        ),
        Benchmark(
            "checkers",
            "gradcheck",
            "what the gradient checks of PyTorch and JAX find",
            checkers,
            CHECK,
            ("torch", "jax"),
            is_slow=True,
        ),
    )
}
"""By name, in the order in which they are measured."""
