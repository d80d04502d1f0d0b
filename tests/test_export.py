"""`chainrule export` and C headers: compiled by the system's compiler, equal to the bit."""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograd import CompileError, Value, compile, tanh
from autograd.command.cli import main
from autograd.command.notes import notes_in
from autograd.command.usage import OK, REFUSED
from nn import (
    MLP,
    CausalSelfAttention,
    Embedding,
    Layer,
    Sequential,
    Standardize,
    load,
    save,
)
from nn.losses import squared_error
from tests.floats import bits

needs_cc = pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
OPTIONS = "-std=c99 -O2 -ffp-contract=off -fno-builtin -Wall -Wextra -Wpedantic -Werror".split()

WRAPPED = """
#include "{name}.h"
void run(const {real} *x, {real} *out) {{ {name}_predict(x, out); }}
{more}
"""


def library(folder: Path, name: str, real: str = "double", more: str = "") -> ctypes.CDLL:
    """Return a header's functions, compiled."""
    (folder / "run.c").write_text(WRAPPED.format(name=name, real=real, more=more))
    subprocess.run(
        ["cc", *OPTIONS, "-shared", "-fPIC", "run.c", "-o", f"{name}.so", "-lm"],
        cwd=folder,
        check=True,
    )
    return ctypes.CDLL(str(folder / f"{name}.so"))


def called(function: Any, outputs: int, kind: Any = ctypes.c_double) -> Callable[..., list[float]]:
    function.restype = None

    def call(*given: Sequence[float]) -> list[float]:
        out = (kind * outputs)()
        function(*((kind * len(x))(*x) for x in given), out)
        return list(out)

    return call


def network() -> Sequential:
    """Return a network as `chainrule train` saves one."""
    model = MLP(3, [5, 4, 2], activation=["tanh", "gelu", "linear"], seed=1)
    return Sequential(Standardize([0.5, -1.0, 2.0], [2.0, 0.1, 3.0]), *model.layers)


@needs_cc
@pytest.mark.long
def test_a_model_has_its_bits(tmp_path: Path) -> None:
    save(network(), tmp_path / "net.json")
    model = load(tmp_path / "net.json")
    assert main(["export", str(tmp_path / "net.json"), "-o", str(tmp_path / "net.h")]) == OK
    predict = called(library(tmp_path, "net").run, 2)
    rng = random.Random(0)
    for i in range(1000):
        x = [rng.gauss(0, 10 ** (i % 5 - 2)) for _ in range(3)]
        assert list(map(bits, predict(x))) == [bits(out.data) for out in model(x)]


@needs_cc
def test_floats_are_near(tmp_path: Path) -> None:
    path = str(tmp_path / "net.json")
    save(network(), path)
    model = load(path)
    assert main(["export", path, "-o", str(tmp_path / "net.h"), "--real", "float"]) == OK
    assert "double" not in (tmp_path / "net.h").read_text()
    predict = called(library(tmp_path, "net", "float").run, 2, ctypes.c_float)
    rng = random.Random(0)
    for _ in range(100):
        x = [rng.gauss(0, 1) for _ in range(3)]
        # Sums of up to 5 products below 50, behind one another, each rounded to 2**-24.
        assert predict(x) == pytest.approx([out.data for out in model(x)], abs=50 * 20 * 2**-24)


@needs_cc
@pytest.mark.long
def test_a_step_is_that_of_gradient_descent(tmp_path: Path) -> None:
    path = str(tmp_path / "net.json")
    save(network(), path)
    model = load(path)
    assert main(["export", path, "-o", str(tmp_path / "net.h"), "--step"]) == OK
    leaves = model.parameters()
    more = (
        "void learn(double *p, const double *x, double *loss)"
        " { for (int i = 0; i < NET_PARAMETERS; i++) p[i] = net_parameters[i];"
        " *loss = net_step(p, x, 0.125); }"
    )
    function = library(tmp_path, "net", more=more).learn
    parameters, loss = (ctypes.c_double * len(leaves))(), ctypes.c_double()
    x, wanted = [0.3, -0.8, 1.5], [1.0, -2.0]
    function(parameters, (ctypes.c_double * 5)(*x, *wanted), ctypes.byref(loss))
    out = sum((y - w) ** 2 for y, w in zip(model(x), wanted, strict=True))
    out.backward()
    assert loss.value == pytest.approx(out.data, rel=1e-14)
    # Contributions are added in another order: a few ulp of sums of some products below 10.
    assert list(parameters) == pytest.approx(
        [p.data - 0.125 * p.grad for p in leaves], rel=1e-12, abs=1e-13
    )


@needs_cc
def test_what_chooses_a_row_of_a_table_is_an_input(tmp_path: Path) -> None:
    model = Sequential(Embedding(5, 3, seed=0), Layer(3, 1, activation="tanh", seed=0))
    save(model, tmp_path / "net.json")
    words = [str(tmp_path / "net.json"), "-o", str(tmp_path / "net.h"), "--step"]
    assert main(["export", *words]) == OK
    predict = called(library(tmp_path, "net").run, 1)
    for i in range(5):
        assert bits(predict([float(i)])[0]) == bits(model(i).data)


@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.long
def test_a_header_is_cpp_as_well(real: str, tmp_path: Path) -> None:
    model = Sequential(Embedding(5, 3, seed=0), Layer(3, 1, activation="gelu", seed=0))
    save(model, tmp_path / "net.json")
    words = ["-o", str(tmp_path / "net.h"), "--step", "--real", real]
    assert main(["export", str(tmp_path / "net.json"), *words]) == OK
    assert ("double" in (tmp_path / "net.h").read_text()) == (real == "double")
    (tmp_path / "net.cc").write_text('#include "net.h"\n')
    options = "-std=c++11 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Werror".split()
    subprocess.run(["g++", *options, "net.cc"], cwd=tmp_path, check=True)


def test_a_part_that_takes_vectors_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(CausalSelfAttention(4, heads=2, seed=0), tmp_path / "net.json")
    assert main(["export", str(tmp_path / "net.json")]) == REFUSED
    assert "takes a sequence of vectors" in capsys.readouterr().err


@needs_cc
@pytest.mark.long
def test_cells_are_prepared_as_show_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    rng = random.Random(0)
    rows = [["size", "shape", "answer"]]
    for i in range(60):
        shape = rng.choice(["round", "a 'b' \\ ü? */ x", "flat"]) if i else "rare"
        size = "" if i == 3 else f"{rng.gauss(4, 2):.2f}"
        rows.append([size, shape, "yes" if rng.random() < 0.5 else "no"])
    path = tmp_path / "t.csv"
    path.write_text("\n".join(",".join(f'"{c}"' for c in row) for row in rows), encoding="utf-8")
    where = str(tmp_path / "model.json")
    words = ["--epochs", "1", "--out", str(tmp_path)]
    assert main(["train", str(path), *words]) == OK
    assert main(["export", where, "-o", str(tmp_path / "t.h")]) == OK
    capsys.readouterr()
    model, notes = load(where).eval(), notes_in(Path(where))
    assert notes.preparation
    size, shape = notes.preparation.columns
    more = "void prepare(const double *cells, double *x) { t_prepare(cells, x); }"
    functions = library(tmp_path, "t", more=more)
    prepare = called(functions.prepare, len(notes.preparation.inputs))
    predict = called(functions.run, 1)
    for word in (*shape.words, *shape.rare, "unseen"):  # type: ignore[union-attr]
        for number in ("3.25", ""):
            known = shape.words  # type: ignore[union-attr]
            place = known.index(word) if word in known else -1
            x = prepare([float(number or "nan"), float(place)])
            assert x == notes.preparation.encode({size.name: number, shape.name: word})
            assert bits(predict(x)[0]) == bits(model(x).data)


@needs_cc
def test_a_compiled_function_is_a_header(tmp_path: Path) -> None:
    w = Value(0.7, "w")
    step = compile(lambda x, y: squared_error(tanh(w * x), y), 1.0, 0.5, wrt=[w])
    code = step.source("c", form="header", name="fit")
    (tmp_path / "fit.h").write_text(code)
    assert "static inline fit_real fit_step(" in code
    predict = called(library(tmp_path, "fit").run, 1)
    assert bits(predict([1.5, 0.25])[0]) == bits(squared_error(tanh(w * 1.5), 0.25).data)
    linear = compile(lambda x: 2.0 * x + 1.0, 1.0).source("c", form="header")
    assert "#include" not in linear  # of libm, only what is used


def test_python_runs_by_itself(tmp_path: Path) -> None:
    path = str(tmp_path / "net.json")
    save(network(), path)
    assert main(["export", path, "-o", str(tmp_path / "net.py")]) == OK
    names: dict[str, Any] = {}
    exec((tmp_path / "net.py").read_text(), names)
    x = [0.3, -0.8, 1.5]
    assert list(names["program"](x, names["parameters"])) == [out.data for out in load(path)(x)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "2fast"], "is named by letters, digits and _"),
        (["--to", "jax", "--step"], "are of a C header, not of jax"),
        (["--to", "rust"], "invalid choice: 'rust'"),
    ],
)
def test_what_can_not_be_exported_is_said(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(network(), tmp_path / "net.json")
    assert main(["export", str(tmp_path / "net.json"), *words]) == REFUSED
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_parameters_fit_or_are_refused() -> None:
    w = Value(1e300, "w")
    f = compile(lambda x: w * x, 1.0)
    assert "1e+300," in f.source("c", form="header")
    with pytest.raises(CompileError, match=r"1e\+300 is too large for a float"):
        f.source("c", form="header", real="float")
    with pytest.raises(CompileError, match="'jax' has no form 'header': a header is of c"):
        f.source("jax", form="header")
    with pytest.raises(CompileError, match="double or float, not 'half'"):
        f.source("c", form="header", real="half")
