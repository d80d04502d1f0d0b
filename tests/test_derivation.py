"""Derivations read like those of a textbook, in three notations."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd
from autograd import Stepper, Value, dot, gelu, hypot, logsumexp, maximum, relu, tanh
from autograd.stepping.symbols import math_name
from autograd.stepping.typesetting import LINE_WIDTH, width
from tests.test_stepper import lecture_neuron


def test_text_of_the_lecture_neuron() -> None:
    o, leaves = lecture_neuron()
    assert str(Stepper(o).derivation(leaves["w1"])).splitlines() == [
        "1. d o/d o = 1.0",
        "2. d o/d n = d o/d o * (1 - o * o) = 1.0 * 0.5 = 0.5   as o = tanh(n)",
        "3. d o/d n6 = d o/d n * 1 = 0.5 * 1.0 = 0.5   as n = n6 + b",
        "4. d o/d n2 = d o/d n6 * 1 = 0.5 * 1.0 = 0.5   as n6 = n2 + n5",
        "5. d o/d w1 = d o/d n2 * x1 = 0.5 * 2.0 = 1.0   as n2 = x1 * w1",
    ]


def test_sums_over_uses() -> None:
    x = Value(3.0, "x")
    last = str(Stepper(x * x + relu(x)).derivation(x)).splitlines()[-1]
    assert last == (
        "4. d n3/d x = d n3/d n2 * heaviside(x) + d n3/d n1 * x + d n3/d n1 * x"
        " = 1.0 * 1.0 + 1.0 * 3.0 + 1.0 * 3.0 = 7.0   as n2 = relu(x), n1 = x * x"
    )


def test_many_uses_are_counted() -> None:
    x = Value(1.0, "x")
    y = sum(x * i for i in range(10))
    last = str(Stepper(y).derivation(x)).splitlines()[-1]
    assert last.count("(6 more)") == 2


def test_latex_and_markdown() -> None:
    o, leaves = lecture_neuron()
    derivation = Stepper(o).derivation(leaves["x1"])
    latex = derivation.latex()
    package, _, rest = latex.partition("\n")
    assert package == r"% Needs \usepackage{amsmath}."
    assert rest.startswith("\\begin{align*}\n\\frac{\\partial o}{\\partial o} &= 1.0 \\\\\n")
    assert r"\frac{\partial o}{\partial x_{1}} &= " in latex
    assert latex.count("&=") == 5
    lines = derivation.markdown().splitlines()
    assert lines[1].startswith("2. $\\frac{\\partial o}{\\partial n} = ")
    assert all(line.endswith("$") for line in lines)
    bundle = derivation._repr_mimebundle_()
    assert bundle == {"text/plain": str(derivation), "text/markdown": derivation.markdown()}


@pytest.mark.parametrize("label", ["layers.0.w_1", "a & b", "50 %", "x^2", "{", "\\"])
def test_hostile_labels_are_escaped_in_latex(label: str) -> None:
    x = Value(2.0, label)
    latex = Stepper(x * 3).derivation(x).latex()
    body = latex.partition("\\begin{align*}")[2].removesuffix("\\end{align*}")
    assert body.replace("\\{", "").replace("\\}", "").count("{") == body.replace("\\{", "").replace(
        "\\}", ""
    ).count("}")
    unescaped = body.replace("\\%", "").replace("\\&", "").replace("&=", "").replace("\\_", "")
    assert not set("%&") & set(unescaped)


def test_negative_factors_are_in_parentheses_in_latex() -> None:
    x = Value(3.0, "x")
    derivation = Stepper((x * -2 - x * x) * -1.0).derivation(x)
    assert derivation.latex().count(r"= 1.0 \cdot (-1.0) = -1.0") == 1
    assert r"= 1.0 \cdot 3.0 + 1.0 \cdot 3.0 + (-1.0) \cdot (-2.0) = 8.0" in derivation.latex()
    assert " = 1.0 * -1.0 = -1.0" in str(derivation)


def test_an_equals_sign_in_a_label_is_no_place_to_align() -> None:
    x = Value(3.0, "a=b")
    assert r"\partial \text{a=b}} &= " in Stepper(x * 2).derivation(x).latex()


def test_long_derivations_leave_out_the_middle_and_say_so() -> None:
    x = y = Value(1.0, "x")
    for _ in range(100):
        y = y * 2
    derivation = Stepper(y).derivation(x, most=10)
    lines = str(derivation).splitlines()
    assert len(lines) == 11
    assert lines[5] == "   ... 91 more steps ..."
    assert lines[-1].startswith("101. ")
    assert "91 more steps" in derivation.latex()
    assert str(Stepper(y).derivation(x, most=0)) == "   ... 101 more steps ..."


@pytest.mark.parametrize(
    ("label", "symbol"),
    [
        ("w₁", "w_{1}"), ("w_12", "w_{12}"), ("w12", "w_{12}"), ("x_{ij}", "x_{ij}"),
        ("xᵢⱼ", "x_{ij}"), ("x_ij", "x_{ij}"), ("x_{i+1,j}", "x_{i+1,j}"), ("w_1_2", "w_{1,2}"),
        ("w_out", r"w_{\text{out}}"), ("loss_1", r"\text{loss}_{1}"), ("E_0^2", "E_{0}^{2}"),
        ("σ", r"\sigma"), ("θ_1", r"\theta_{1}"), (r"\theta_1", r"\theta_{1}"), ("x²", "x^{2}"),
        ("theta_1", r"\theta_{1}"), ("x_θ", r"x_{\theta}"), ("Σ", r"\Sigma"), ("ε", r"\varepsilon"),
        ("ϵ", r"\epsilon"), ("𝜃", r"\theta"), ("ℓ", r"\ell"), ("σ²", r"\sigma^{2}"),
        ("α̂", r"\hat{\alpha}"), ("ŷ", r"\hat{y}"), ("ŷ_1", r"\hat{y}_{1}"), ("x̄", r"\bar{x}"),
        ("y_hat", r"\hat{y}"), (r"\hat{\theta}_1", r"\hat{\theta}_{1}"), ("x'", r"x^{\prime}"),
        ("$w_1$", "w_{1}"), ("a^{[1]}", "a^{[1]}"), (r"\mathbf{w}_1", r"\mathbf{w}_{1}"),
        # No symbols, and nothing in them is LaTeX's.
        ("loss", r"\text{loss}"), ("loss1", r"\text{loss1}"), ("größe", r"\text{größe}"),
        ("learning_rate", r"\text{learning}\_\text{rate}"), (r"\foo", r"\backslash{}\text{foo}"),
        ("a & b", r"\text{a }\&\text{ b}"), ("layers.0.w_1", r"\text{layers.0.w}\_\text{1}"),
        ("x_{", r"\text{x}\_\{"), ("重", r"\text{U+91CD}"), ("šum", r"\check{\text{s}}\text{um}"),
    ],
)  # fmt: skip
def test_labels_are_symbols_where_they_mean_one(label: str, symbol: str) -> None:
    assert math_name(label) == symbol


def test_no_two_names_are_written_alike() -> None:
    labels = ["w1", "w_1", "w₁", "n_5", "x" * 99 + "1" + "x" * 99, "x" * 99 + "2" + "x" * 99]
    out = autograd.sum([Value(float(i), label) for i, label in enumerate(labels)])
    given = Stepper(out).exercises(most=10).markdown().partition("\n\n")[2].partition("\n")[0]
    names = re.findall(r"\$(.*?) = ", given)
    assert len(set(names)) == len(labels)


HOSTILE = (
    "w₁", "α̂", r"\theta_1", "a & b", "100% #1", "größe", "重み 🚀", "{", "}}", "\\", r"\frac",
    "~^_", "$", "a$b", "<|>", "–“x”", "đšłÞ", "∂L/∂w", "\0\ud800", "a\nb", "W" * 70,
    "blocks.10.heads.3.query.2.w.5",
)  # fmt: skip


def runs() -> Iterator[tuple[Value, Value]]:
    """Yield graphs whose formulas are long, each with a node to derive."""
    v = [Value(0.3 + i / 50, label) for i, label in enumerate(HOSTILE)]
    yield logsumexp(v), v[1]
    yield autograd.max(v) * 1e-7 + tanh(dot(v[:10], v[10:20])), v[1]
    out = v[0]
    for x in v:
        out = out * x + x / (1 + gelu(out) ** 2) - maximum(out, x) / hypot(out, x)
    yield out, v[-2]
    long = [Value(0.5, f"blocks.{i}.attention.heads.{i}.query.{i}.weights.{i}") for i in range(9)]
    yield hypot(long[0], long[1]) ** long[2] + long[0] * float("inf"), long[0]
    yield Value(1.0, "x"), v[0]


def documents() -> list[str]:
    found = []
    for out, node in runs():
        stepper = Stepper(out)
        node = node if node in stepper.recording.position else out
        found += [stepper.derivation(node).latex(), stepper.exercises().latex()]
    return found


def test_lines_fit_a_page_whatever_the_labels() -> None:
    for text in documents():
        assert not set(text) - {chr(c) for c in (10, *range(32, 127), *range(192, 256))}
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
        rows = text.partition("\\begin{align*}\n")[2].partition("\n\\end{align*}")[0]
        for row in rows.split(" \\\\\n"):
            assert (
                sum(map(width, row.split("&"))) < LINE_WIDTH + 20
            )  # what is beside it, an equals sign


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_it_compiles_and_nothing_runs_off_the_page(engine: str, tmp_path: Path) -> None:
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    body = "\n\n\\clearpage\n".join(documents())
    packages = "\n".join(sorted(set(re.findall(r"% Needs (.*)\.", body))))
    whole = (
        f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "all.tex").write_text(whole, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
    assert "Missing character" not in (tmp_path / "all.log").read_text(errors="replace")
