"""A graph as fast code: what was recorded once becomes straight-line code, loops, machine code.

`recording` runs a function on Values and keeps the graph; `program` writes it down in primitives,
an assignment after the other, and so the graph of its gradient. `rolling` finds the loops which
that code was before it was recorded, `llvm` writes them for vectors of samples, and `native`
calls what LLVM makes of it. `compiled` holds `compile`, which leads through all of it.
"""
