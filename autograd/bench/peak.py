"""What one core of this machine can do at best: ``python -m autograd.bench.peak`` prints it.

Two loops in machine code, as wide as the processor's vectors: fused multiply-adds that stay in
registers, and loads from an array that fits the second-level cache, or no cache at all.
"""

from __future__ import annotations

import ctypes
import json
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from autograd.bench.measurement import seconds_per_call, use_cores

CHAINS = 12
"""Accumulators: enough to hide a latency of 4 cycles on 2 units, and they fit 16 registers."""

ROUNDS = 2**18

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


def time_loop(body: str, length: int) -> float:
    """Return the seconds of all rounds of a loop, in each of which ``body`` makes %b{k} of %a{k}.

    Args:
        length: of the array, in rounds, after which reading starts anew; a power of 2.
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
    array, sums = _aligned(length * CHAINS * width), _aligned(CHAINS * width)
    places = array.ctypes.data, length - 1, sums.ctypes.data
    return seconds_per_call(lambda: function(*places))


def limits() -> dict[str, float]:
    """Return FLOP/s in fused multiply-adds of doubles, and bytes/s read from each place."""
    numbers = ROUNDS * CHAINS * vector_width()
    flops = {"flops": 2 * numbers / time_loop(MULTIPLY, 1)}
    return flops | {name: 8 * numbers / time_loop(LOAD, n) for name, n in ARRAYS.items()}


def _aligned(size: int) -> Any:
    """Return ones that begin with a cache line, so that no load straddles two."""
    array = np.ones(size + 7)
    start = -array.ctypes.data % 64 // 8
    return array[start : start + size]


if __name__ == "__main__":
    use_cores(1)
    print(json.dumps(limits()))
