"""What this machine can do at best: ``python -m tests.benchmarks.peak CORES`` prints it.

Two loops in machine code, as wide as the processor's vectors: fused multiply-adds that stay in
registers, and loads from an array that fits the second-level cache, or no cache at all. They run
on all the cores at once: two virtual ones may be two threads of one that computes.
"""

from __future__ import annotations

import ctypes
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from tests.benchmarks.measurement import seconds_per_call, use_cores

CHAINS = 12
"""Accumulators: enough to hide a latency of 4 cycles on 2 units, and they fit 16 registers."""

ROUNDS = 2**21
"""Milliseconds of them, which threads take a tenth of one to begin."""

ARRAYS = {"L2": 2**8, "memory": 2**18}
"""Rounds until an array is read: at 12 vectors of 64 bytes, a fifth of a second-level cache of
1 MiB, and 200 MB, more than any third-level one."""

MULTIPLY = "%b{k} = call {vector} @llvm.fma({vector} %a{k}, {vector} {half}, {vector} {half})"

LOAD = """\
%i{k} = add i64 %first, {k}
%p{k} = getelementptr {vector}, ptr %array, i64 %i{k}
%v{k} = load {vector}, ptr %p{k}, align 8
%b{k} = fadd {vector} %a{k}, %v{k}"""

LOOP = """
declare {vector} @llvm.fma({vector}, {vector}, {vector})
define void @loop(ptr %array, i64 %last, ptr %sums) {{
entry:
  br label %round
round:
  %i = phi i64 [0, %entry], [%next, %round]
  {carried}
  %place = and i64 %i, %last
  %first = mul i64 %place, {chains}
  {bodies}
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, {rounds}
  br i1 %more, label %round, label %exit
exit:
  {stored}
  ret void
}}
"""
CARRIED = "%a{k} = phi {vector} [zeroinitializer, %entry], [%b{k}, %round]"
STORED = """\
%q{k} = getelementptr {vector}, ptr %sums, i64 {k}
store {vector} %b{k}, ptr %q{k}, align 8"""


def vector_width() -> int:
    """Return how many doubles a vector of this processor holds."""
    features = llvm.get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx2") else 2


def time_loop(body: str, length: int, cores: int) -> float:
    """Return the seconds of all rounds of a loop, in each of which ``body`` makes %b{k} of %a{k}.

    Args:
        length: of the array, in rounds, after which reading starts anew; a power of 2.
        cores: how many threads run it at once, each with an array of its own.
    """
    width = vector_width()
    words = {
        "vector": f"<{width} x double>",
        "half": f"<{', '.join(['double 0.5'] * width)}>",
    }

    def each(line: str) -> str:
        return "\n".join(line.format(k=k, **words) for k in range(CHAINS))

    code = LOOP.format(
        chains=CHAINS,
        rounds=ROUNDS,
        carried=each(CARRIED),
        bodies=each(body),
        stored=each(STORED),
        **words,
    )
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(code), machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    function = kind(engine.get_function_address("loop"))
    arrays = [(_aligned(length * CHAINS * width), _aligned(CHAINS * width)) for _ in range(cores)]
    places = [(array.ctypes.data, sums.ctypes.data) for array, sums in arrays]

    def run(array: int, sums: int) -> None:
        function(array, length - 1, sums)

    with ThreadPoolExecutor(cores) as threads:
        return seconds_per_call(lambda: list(threads.map(run, *zip(*places, strict=True))))


def limits(cores: int) -> dict[str, float]:
    """Return FLOP/s in fused multiply-adds of doubles, and bytes/s read from each place."""
    numbers = cores * ROUNDS * CHAINS * vector_width()
    flops = {"flops": 2 * numbers / time_loop(MULTIPLY, 1, cores)}
    return flops | {name: 8 * numbers / time_loop(LOAD, n, cores) for name, n in ARRAYS.items()}


def _aligned(size: int) -> Any:
    """Return ones that begin with a cache line, so that no load straddles two."""
    array = np.ones(size + 7)
    start = -array.ctypes.data % 64 // 8
    return array[start : start + size]


if __name__ == "__main__":
    (cores,) = map(int, sys.argv[1:])
    use_cores(cores)
    print(json.dumps(limits(cores)))
