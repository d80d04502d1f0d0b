"""Programs as ONNX models, run by onnxruntime: what the rows and the networks give."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from autograd import TABLE, CompileError, Value, atan2, compile, exp, softplus, tanh
from autograd.command.cli import main
from autograd.command.usage import OK, REFUSED
from autograd.compiler.exchange import onnx_model
from autograd.compiler.program import Program, run
from autograd.compiler.spelling import ONNX, ONNX_IN_FLOAT
from autograd.compiler.writer import program_of
from autograd.contexts import unchecked
from nn import MLP, Sequential, Standardize, save

numpy = pytest.importorskip("numpy")
runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

EPS = {"double": sys.float_info.epsilon, "float": 2.0**-23}

inf, nan = math.inf, math.nan

XS = [0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 3.0, 30.0, 1e-5, 1e17]
XS = [*XS, *(-x for x in XS), inf, -inf, nan]


def answers(model: bytes, x: Any, real: str = "double") -> Any:
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    kind = numpy.float64 if real == "double" else numpy.float32
    (out,) = session.run(None, {"x": numpy.asarray(x, kind)})
    return out


@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("name", [*ONNX, *ONNX_IN_FLOAT])
def test_a_primitive_is_that_of_the_rows(name: str, real: str) -> None:
    op = TABLE[name]
    inputs = [Value(0.5) for _ in range(op.arity or 1)]
    with unchecked():
        program = program_of(inputs, [], [op(*inputs)])
    if real == "double" and name in ONNX_IN_FLOAT:
        with pytest.raises(CompileError, match="single precision only"):
            onnx_model(program, [])
        return
    model = onnx_model(program, [], real=real)
    points = [[XS[i], XS[(7 * i + j) % len(XS)], XS[(3 * i) % len(XS)]] for i in range(len(XS))
              for j in range(5)]  # fmt: skip
    x = numpy.array(points)[:, : len(inputs)]
    if real == "float":
        x = x.astype(numpy.float32).astype(float)
    right = numpy.array([run(program, row) for row in x.tolist()])
    # The runtime's own functions; erfc loses what 1 - erf does, sin and cos go by the size of x.
    bound = {"rtol": 32 * EPS[real], "atol": 2 * EPS[real]}
    found = answers(model, x, real)
    ok = numpy.abs(x).max(axis=1, where=numpy.isfinite(x), initial=0.0) < (
        100 if name in ("sin", "cos", "tan") else inf
    )
    with numpy.errstate(over="ignore"):
        right = right.astype(found.dtype)
    numpy.testing.assert_allclose(found[ok], right[ok], **bound)


@pytest.mark.parametrize(
    "activation", ["tanh", "relu", "sigmoid", "softplus", "silu", "leaky_relu", "elu"]
)
def test_a_network_gives_what_it_gives_here(activation: str) -> None:
    model = MLP(4, [6, 5, 3], activation=[activation, activation, "linear"], seed=0)
    f = compile(lambda x: model(x), [0.0] * 4, wrt=model, backend="python")
    found = onnx_model(f.program, [p.data for p in f.parameters])
    x = numpy.random.default_rng(0).normal(size=(50, 4))
    numpy.testing.assert_allclose(
        answers(found, x), numpy.array(f(x.tolist())), rtol=1e-12, atol=1e-14
    )
    # A layer is one product of matrices, however wide.
    import onnx

    kinds = [node.op_type for node in onnx.load_from_string(found).graph.node]
    assert kinds.count("MatMul") == 3


def test_constants_parameters_and_sums_of_all_kinds() -> None:
    w = [Value(0.5), Value(-2.0), Value(3.0)]

    def f(x: Any) -> Any:
        weighted = x[0] * x[1] + x[1] * exp(w[0]) + w[2]
        return [weighted, 2.5, w[1], softplus(w[1]), x[0], tanh(x[0] * 2.0 + x[1] * w[1])]

    g = compile(f, [0.0, 0.0], wrt=w, backend="python")
    found = onnx_model(g.program, [p.data for p in g.parameters])
    x = numpy.array([[1.0, 2.0], [0.0, -1.0], [-3.0, 0.25]])
    numpy.testing.assert_allclose(answers(found, x), numpy.array(g(x.tolist())), rtol=1e-14)
    assert answers(found, numpy.empty((0, 2))).shape == (0, 6)


def test_what_has_no_spelling_is_named() -> None:
    f = compile(lambda x: atan2(x, 2.0), 1.0, backend="python")
    with pytest.raises(CompileError, match="atan2 can't be written for 'onnx'"):
        onnx_model(f.program, [])


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import onnx

    model = MLP(3, [5, 4, 2], activation=["tanh", "silu", "linear"], seed=1)
    network = Sequential(Standardize([0.5, -1.0, 2.0], [2.0, 0.1, 3.0]), *model.layers)
    path, out = str(tmp_path / "net.json"), tmp_path / "net.onnx"
    save(network, path)
    x = numpy.random.default_rng(0).normal(size=(20, 3))
    right = [[y.data for y in network(row)] for row in x.tolist()]
    for options, real, bound in (
        (["-o"], "double", 1e-12),
        (["--real", "float", "-o"], "float", 1e-4),
    ):
        assert main(["export", path, *options, str(out)]) == OK
        numpy.testing.assert_allclose(
            answers(out.read_bytes(), x, real), right, rtol=bound, atol=bound
        )
    assert onnx.load(str(out)).producer_name == "chainrule"
    capsys.readouterr()
    for wrong in (["--to", "onnx"], ["-o", "a.onnx", "--step"], ["--to", "onnx", "-o", "a.h"]):
        assert main(["export", path, *wrong]) == REFUSED
    assert "write, say, -o model.onnx" in capsys.readouterr().err


def test_a_model_says_what_its_numbers_mean() -> None:
    import onnx

    program = Program(1, 0, (), (0,))
    found = onnx.load_from_string(onnx_model(program, [], about={"classes": '["a"]'}))
    assert {p.key: json.loads(p.value) for p in found.metadata_props} == {"classes": ["a"]}
