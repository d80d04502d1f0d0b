"""A graph as fast code, in ten sentences.

1. `recording` runs the function on Values, with `tracing` in place of the numbers, so that what
   decides by one is refused, three times or, where no other run can differ, once, and keeps the
   graph.
2. `sharing` merges equal nodes and folds constants, and its text is what code is kept by;
   `bundles` finds the samples that a function writes out itself, which become those of a call.
3. `adjoints` records the gradient of that graph, as the rules of the table are graphs again, but
   for what cancels by `shifts`; where every bit counts, `uses` keeps what an eager sweep would add
   up apart.
4. `writer` writes the graph down as a `program` of primitives, an assignment after the other.
5. `chains` finds the additions that are one sum, and `rolling` the loops which the code was before
   it was recorded: `groups` of instructions that do the same at evenly spaced `addresses`, which
   follow the `order` of terms, and of which `fusion` makes one loop where they walk in step.
6. `sums` decides where samples are lanes of a vector and where weights are.
7. `kernel` writes the loops as LLVM's text, for the vectors of `blocks`, `lone` those for one
   sample, whose vectors are the loops' own; `llvm` puts them together.
8. `machine` lets LLVM make machine code of it, and `cache` keeps that for the next process; what
   is long and has no loops becomes a `tape` instead, for a `player` that is made once for many.
9. `native` calls it with memory from `frames`, in the threads of `crew`; `objects` reads and writes
   the numbers inside Values, and `descent` goes from step to step.
10. `code` holds all that a function becomes, `gradient` adds up over samples, fast or exactly,
    `compiled` is what a call does, and `compilation` holds `compile`, which begins it.
"""
