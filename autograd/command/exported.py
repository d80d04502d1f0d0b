"""A saved model as a C header: what its inputs and outputs mean, and a table's cells prepared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograd.command.cells import (
    columns_of,
    comment,
    meanings,
    prepared_in_c,
    prepared_in_python,
)
from autograd.command.notes import Notes, function_of
from autograd.command.usage import UsageError
from autograd.compiler.compilation import compile
from autograd.compiler.compiled import Compiled
from autograd.compiler.headers import header, string
from autograd.functions import logsumexp
from autograd.ops import softplus

if TYPE_CHECKING:
    from nn import Module


def predicting(model: Module) -> Compiled:
    """Return a model as a compiled function of a list of numbers, for its program.

    Raises:
        UsageError: it takes something else, or doesn't say how many.
    """
    width, function = function_of(model)
    if not width:
        raise UsageError("the model doesn't say how many numbers it takes")
    return compile(function, [0.0] * width, wrt=model.parameters(), backend="python")


def as_header(model: Module, notes: Notes, name: str, real: str, with_step: bool) -> str:
    """Return the header of a model; what is inside, its comments say.

    Raises:
        CompileError: it can't be written so.
    """
    found = predicting(model)
    program = found.program
    width = program.inputs
    step, more = None, list[str]()
    outputs = len(program.outputs)
    if with_step:
        learn = compile(
            _loss(model, notes, outputs),
            [0.0] * (width + outputs),
            wrt=model.parameters(),
            backend="python",
        )
        step = learn.summed_program
    if with_step:
        many = len(notes.classes)
        wanted = (
            "its class, 0 or 1"
            if many == 2 and outputs == 1
            else (
                f"{outputs} numbers: 1 for its class, 0 for each other"
                if many == outputs > 1
                else "what the outputs should be"
            )
        )
        more = [
            f"/* {name}_step(p, x, rate): x holds the {width} inputs, then {wanted};",
            f"   p a copy of {name}_parameters, which it changes. Returns the loss before. */\n",
        ]
    more += [*_meaning(notes, name, len(program.outputs))]
    if notes.preparation:
        more += prepared_in_c(notes.preparation, name, real)
    elif len(notes.columns) == width:
        more += [f"/* x: {comment(', '.join(notes.columns))} */", ""]
    return header(program, [p.data for p in found.parameters], name, real, step, more)


def as_onnx(model: Module, notes: Notes, real: str) -> bytes:
    """Return the ONNX model of a network, what its inputs and outputs mean among its metadata.

    Of a table, the inputs are its columns, whose cells are prepared inside: numbers and words.

    Raises:
        CompileError: it can't be written so.
        MissingExtraError: onnx is not installed.
    """
    from autograd.compiler.exchange import onnx_model

    found = predicting(model)
    prepared = notes.preparation
    about = {
        "inputs": json.dumps(
            [column.name for column in prepared.columns] if prepared else notes.columns,
            ensure_ascii=False,
        ),
        "cells": json.dumps(dict(meanings(prepared)), ensure_ascii=False) if prepared else "",
        "classes": json.dumps(list(notes.classes), ensure_ascii=False),
        "target": notes.target,
        "unit": notes.unit,
    }
    return onnx_model(
        found.program,
        [p.data for p in found.parameters],
        real=real,
        about={key: text for key, text in about.items() if text not in ("", "[]")},
        columns=columns_of(prepared) if prepared else (),
    )


def _loss(model: Module, notes: Notes, outputs: int) -> Callable[[list[Any]], Any]:
    """Return the loss of one sample: the inputs and, after them, what the outputs should be.

    Of numbers, in the deviations that the network learnt them in.
    """
    from nn import Standardize

    width, function = function_of(model)
    units = [1.0] * outputs
    *_, last = model.named_modules().values()
    if isinstance(last, Standardize) and last.invert:
        units = list(last.deviations)

    def loss(x: list[Any]) -> Any:
        out, wanted = function(x[:width]), x[width:]
        if len(notes.classes) == 2 and outputs == 1:
            return softplus(out) - wanted[0] * out
        if len(notes.classes) == outputs > 1:
            return logsumexp(out) - sum(w * y for w, y in zip(wanted, out, strict=True))
        outs = out if isinstance(out, list) else [out]
        return sum(((y - w) / u) ** 2 for y, w, u in zip(outs, wanted, units, strict=True))

    return loss


def _meaning(notes: Notes, name: str, outputs: int) -> Iterator[str]:
    """Yield what the outputs are."""
    unit = f", in {comment(notes.unit)}" if notes.unit else ""
    target = comment(notes.target) or "the prediction"
    if notes.classes and outputs in (1, len(notes.classes)):
        yield f"static const char *const {name}_classes[] = {{"
        yield from (f"    {string(each)}," for each in notes.classes)
        yield "};\n"
        before = "sigmoid" if outputs == 1 else "softmax"
        yield f"/* The place of the likeliest class; out holds scores before {before}. */"
        yield f"static inline int {name}_class(const {name}_real *out)\n{{"
        if outputs == 1:
            yield "    return out[0] > 0;\n}\n"
        else:
            yield "    int best = 0;"
            yield f"    for (int i = 1; i < {outputs}; i++) if (out[i] > out[best]) best = i;"
            yield "    return best;\n}\n"
    elif notes.task == "regression":
        yield f"/* out: {target}{unit} */\n"


def constants_of(notes: Notes, values: Sequence[float]) -> str:
    """Return as Python what the inputs are called, the classes, the parameters, and `prepare`."""
    inputs = notes.preparation.inputs if notes.preparation else notes.columns
    rows = (", ".join(map(repr, values[i : i + 4])) for i in range(0, len(values), 4))
    named = f"inputs = {tuple(inputs)!r}\n" if inputs else ""
    named += f"classes = {tuple(notes.classes)!r}\n" if notes.classes else ""
    text = named + "parameters = (\n" + "".join(f"    {row},\n" for row in rows) + ")\n"
    return text + (prepared_in_python(notes.preparation) if notes.preparation else "")
