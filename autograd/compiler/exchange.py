"""A program and its parameters as an ONNX model, for the runtimes that read these.

Samples are rows. A result is a column of shape (n, 1), a number that all samples share one of
shape (1,). The weighted sums of the same arguments, a layer, are one product of matrices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.program import Arg, Program
from autograd.compiler.spelling import ONNX, ONNX_IN_FLOAT
from autograd.errors import CompileError
from autograd.extras import missing_extra

try:
    import numpy as np
except ImportError as error:
    missing_extra("numpy", "export", error)

OPSET, FORMAT = 17, 8
"""Of ONNX 1.12, from 2022: what runtimes of today read."""

TABLES, TABLES_OPSET = "ai.onnx.ml", 3
"""What ONNX has for words; of the same release."""

STEP = re.compile(r"(\S+) = (\w+)\((.*)\)")


def onnx_model(
    program: Program,
    parameters: Sequence[float],
    *,
    real: str = "double",
    about: Mapping[str, str] | None = None,
    columns: Sequence[Measured | Worded] = (),
) -> bytes:
    """Return the model as the bytes of a file: from "x" of shape (n, inputs) to "out".

    With columns, each of these is an input of its own instead, of shape (n, 1), by its name.

    Args:
        program: computes the outputs of one sample.
        parameters: their numbers, which become part of the model.
        real: "double" or "float".
        about: what its metadata say.
        columns: of which the inputs of the program are made, in their order.

    Raises:
        CompileError: a primitive has no spelling in ONNX, or none that runtimes have in double
            precision.
        MissingExtraError: the package onnx is not installed.

    Cost: linear in the instructions.
    """
    try:
        import onnx
        from onnx import helper, numpy_helper
    except ImportError as error:
        missing_extra("onnx", "export", error)
    graph = _Graph(program, parameters, real, columns)
    kind = onnx.TensorProto.DOUBLE if real == "double" else onnx.TensorProto.FLOAT
    types = {True: onnx.TensorProto.STRING, False: kind}
    made = helper.make_graph(
        [
            helper.make_node(
                node.kind, node.inputs, [node.output], domain=node.domain, **node.attributes
            )
            for node in graph.nodes
        ],
        "model",
        [
            helper.make_tensor_value_info(name, types[is_text], ["n", size])
            for name, is_text, size in graph.inputs
        ],
        [helper.make_tensor_value_info("out", kind, ["n", len(program.outputs)])],
        [numpy_helper.from_array(array, name) for name, array in graph.arrays.items()],
    )
    model = helper.make_model(
        made,
        producer_name="chainrule",
        ir_version=FORMAT,
        opset_imports=[
            helper.make_opsetid("", OPSET),
            *([helper.make_opsetid(TABLES, TABLES_OPSET)] if columns else []),
        ],
    )
    helper.set_model_props(model, dict(about or {}))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


class Measured(NamedTuple):
    """A column of numbers.

    Attributes:
        missing: what stands for NaN.
    """

    name: str
    missing: float


class Worded(NamedTuple):
    """A column of words, which becomes a 1 at the place of the word and 0 elsewhere.

    Attributes:
        many: how many places there are.
        others: the place of all other words; ``many`` if there is none.
    """

    name: str
    places: Mapping[str, int]
    many: int
    others: int


class _Node(NamedTuple):
    kind: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]
    domain: str = ""


class _Graph:
    """The nodes and constant arrays of a program.

    Attributes:
        inputs: the name of each, whether it is text, and how many numbers it is.
    """

    def __init__(
        self,
        program: Program,
        parameters: Sequence[float],
        real: str,
        columns: Sequence[Measured | Worded],
    ) -> None:
        self.program = program
        self.parameters = parameters
        self.real = real
        self.nodes: list[_Node] = []
        self.arrays: dict[str, Any] = {}
        self._uniform = program.uniform()
        self._layers = self._weighted_sums()
        self._whole: dict[tuple[Arg, ...], str] = {}
        self.inputs = [("x", False, program.inputs)]
        if columns:
            self._prepare(columns)
        for i in range(program.inputs):
            self._add("Gather", ["x", self._indices(i)], f"v{i}", axis=1)
        for number in range(program.first, program.first + len(program.instructions)):
            self._instruction(number)
        self._outputs()
        if columns:
            self._name_inputs(columns)

    def _prepare(self, columns: Sequence[Measured | Worded]) -> None:
        """Add what makes the inputs of the program, "x", of the cells of columns."""
        parts = []
        for i, column in enumerate(columns):
            cell = f"cell{i}"
            if isinstance(column, Measured):
                fill = self._array(f"{cell}_missing", [column.missing])
                is_missing = self._add("IsNaN", [cell], f"{cell}_is_missing")
                parts.append(self._add("Where", [is_missing, fill, cell], f"{cell}_number"))
                continue
            known = column.places or {"": column.others}
            encoder = {
                "keys_strings": list(known),
                "values_int64s": list(known.values()),
                "default_int64": column.others,
            }
            self.nodes.append(_Node("LabelEncoder", [cell], f"{cell}_place", encoder, TABLES))
            places = f"{cell}_places"
            self.arrays[places] = np.arange(column.many, dtype=np.int64)
            hits = self._add("Equal", [f"{cell}_place", places], f"{cell}_hits")
            zero, one = self._array("zero", [0.0]), self._array("one", [1.0])
            parts.append(self._add("Where", [hits, one, zero], f"{cell}_numbers"))
        self._add("Concat", parts, "x", axis=1)

    def _name_inputs(self, columns: Sequence[Measured | Worded]) -> None:
        """Call the inputs as the columns are called, and what is inside like none of them."""
        self.inputs = []
        names = {"out": "out"}
        for i, column in enumerate(columns):
            name = column.name.replace("/", "_") or f"column {i}"
            while name in names.values():
                name += "_"
            names[f"cell{i}"] = name
            self.inputs.append((name, isinstance(column, Worded), 1))
        self.arrays = {f"/{name}": array for name, array in self.arrays.items()}
        self.nodes = [
            node._replace(
                inputs=[names.get(name) or f"/{name}" for name in node.inputs],
                output=names.get(node.output) or f"/{node.output}",
            )
            for node in self.nodes
        ]

    def _add(self, kind: str, inputs: Sequence[str], output: str, **attributes: int) -> str:
        self.nodes.append(_Node(kind, list(inputs), output, attributes))
        return output

    def _array(self, name: str, numbers: Any) -> str:
        kind = np.float64 if self.real == "double" else np.float32
        with np.errstate(over="ignore"):
            self.arrays[name] = np.array(numbers, dtype=kind)
        return name

    def _indices(self, *places: int) -> str:
        name = "at_" + "_".join(map(str, places))
        self.arrays[name] = np.array(places, dtype=np.int64)
        return name

    def _number(self, arg: Arg) -> float | None:
        """Return what is known of an argument now: a constant's or a parameter's number."""
        if arg.__class__ is float:
            return arg
        place = int(arg) - self.program.inputs
        return self.parameters[place] if 0 <= place < len(self.parameters) else None

    def _name(self, arg: Arg) -> str:
        number = self._number(arg)
        if number is None:
            return f"v{arg}"
        return self._array(f"number_{number!r}".replace(".", "_"), [number])

    def _weighted_sums(self) -> dict[tuple[Arg, ...], list[tuple[int, list[float]]]]:
        """Return the weighted sums with weights that are numbers, by what they weight.

        Each with the number of its result, its weights, and its bias last.
        """
        found: dict[tuple[Arg, ...], list[tuple[int, list[float]]]] = {}
        for number, (op, args) in enumerate(self.program.instructions, self.program.first):
            if op is not ops.dot:
                continue
            half = len(args) // 2
            for xs, ws in ((args[half : 2 * half], args[:half]), (args[:half], args[half:])):
                numbers = [self._number(w) for w in (*ws[:half], *args[2 * half :])]
                varies = all(x.__class__ is int and not self._uniform[int(x)] for x in xs)
                if varies and None not in numbers:
                    known = [w for w in numbers if w is not None]
                    known += [0.0] * (half + 1 - len(known))
                    found.setdefault(tuple(xs), []).append((number, known))
                    break
        return found

    def _instruction(self, number: int) -> None:
        op, args = self.program.instructions[number - self.program.first]
        name = f"v{number}"
        if op is ops.dot:
            half = len(args) // 2
            for xs in (args[half : 2 * half], args[:half]):
                rows = self._layers.get(tuple(xs), [])
                place = [i for i, (one, _) in enumerate(rows) if one == number]
                if place:
                    whole = self._layer(tuple(xs), [row for _, row in rows])
                    self._add("Gather", [whole, self._indices(*place)], name, axis=1)
                    return
            products = [
                self._add("Mul", [self._name(a), self._name(b)], f"{name}_{i}")
                for i, (a, b) in enumerate(zip(args[:half], args[half : 2 * half], strict=True))
            ]
            self._add("Sum", [*products, *map(self._name, args[2 * half :])], name)
        elif op is ops.sum:
            self._add("Sum", [self._name(arg) for arg in args], name)
        else:
            for output, kind, inputs in self._steps(op.name, name, args):
                self._add(kind, inputs, output)

    def _layer(self, xs: tuple[Arg, ...], rows: list[list[float]]) -> str:
        """Return the matrix of weighted sums of the same arguments, made once."""
        if xs not in self._whole:
            key = f"layer_{len(self._whole)}"
            columns = [self._name(x) for x in xs]
            side = self._add("Concat", columns, f"{key}_in", axis=1)
            weights = self._array(f"{key}_w", [row[:-1] for row in rows])
            turned = self.arrays[weights].T.copy()
            self.arrays[weights] = turned
            product = self._add("MatMul", [side, weights], f"{key}_product")
            bias = self._array(f"{key}_b", [row[-1] for row in rows])
            self._whole[xs] = self._add("Add", [product, bias], key)
        return self._whole[xs]

    def _steps(
        self, op: str, name: str, args: Sequence[Arg]
    ) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the nodes of a primitive: output, kind, inputs."""
        if op in ONNX_IN_FLOAT and self.real == "double":
            raise CompileError(
                f"{op} is there in single precision only, in ONNX's runtimes: write real='float' "
                "(--real float)"
            )
        text = {**ONNX, **ONNX_IN_FLOAT}.get(op)
        if text is None:
            raise CompileError(
                f"{op} can't be written for 'onnx', where this primitive has no spelling; a "
                "formula over rows of the table can"
            )
        for word, number in (("zero", 0.0), ("one", 1.0), ("minus_one", -1.0)):
            if re.search(rf"\b{word}\b", text):
                self._array(word, [number])
        for line in text.format(*map(self._name, args), r=name).splitlines():
            found = STEP.fullmatch(line)
            assert found, line
            yield found[1], found[2], found[3].split(", ")

    def _outputs(self) -> None:
        """Add what brings the outputs together; what all samples share is repeated for each."""
        columns = []
        for i, out in enumerate(self.program.outputs):
            name = self._name(out)
            if out.__class__ is float or self._uniform[int(out)]:
                if "shape" not in self.arrays:
                    self.arrays["shape"] = np.array([1], dtype=np.int64)
                    self._add("Shape", ["x"], "n", end=1)
                    self._add("Concat", ["n", "shape"], "column", axis=0)
                name = self._add("Expand", [name, "column"], f"out_{i}")
            columns.append(name)
        self._add("Concat", columns, "out", axis=1)
