"""A GPT as a C header: what it foretells, writes and learns is what `nn` does, to the bit."""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from autograd.command.cli import main
from autograd.command.exported_gpt import gpt_header
from autograd.command.usage import OK, REFUSED
from autograd.contexts import no_grad
from autograd.errors import CompileError
from nn import GPT, generate, next_token_loss, save
from nn.text import Tokenizer
from tests.floats import bits
from tests.test_export import OPTIONS, needs_cc

LETTERS = 'ab"ß?é字😀'
SIZES = (len(LETTERS) + 1, 6, 4, 2, 2)

USED = """
#include "{name}.h"
static {name}_state s;
static {name}_pass all;
int predict(const char *text, {name}_real *out) {{ return {name}_predict(&s, text, out); }}
int generate(const char *text, {name}_real temperature, unsigned long long seed, char *out)
{{ return {name}_generate(&s, text, temperature, seed, out); }}
{name}_real step({name}_real *p, const char *text, {name}_real rate)
{{ return {name}_step(p, &s, &all, text, rate); }}
"""


def compiled(folder: Path, name: str) -> ctypes.CDLL:
    """Return a header's functions, compiled."""
    source, out = folder / "used.c", folder / f"{name}.so"
    source.write_text(USED.format(name=name))
    subprocess.run(["cc", *OPTIONS, "-shared", "-fPIC", source, "-o", out, "-lm"], check=True)
    library = ctypes.CDLL(str(out))
    library.step.restype = ctypes.c_double
    library.generate.argtypes = [
        ctypes.c_char_p,
        ctypes.c_double,
        ctypes.c_ulonglong,
        ctypes.c_char_p,
    ]
    library.step.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double]
    return library


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[GPT, Any]:
    """Return a model and the functions of its header."""
    folder = tmp_path_factory.mktemp("gpt")
    model = GPT(*SIZES, seed=3)
    for leaf in model.parameters():
        leaf.data *= 5.0  # so that its opinions differ
    save(model, folder / "model.json", {"characters": LETTERS, "task": "text"})
    words = [str(folder / "model.json"), "-o", str(folder / "words.h"), "--step"]
    assert main(["export", *words]) == OK
    return model, compiled(folder, "words")


@needs_cc
@pytest.mark.long
def test_logits_have_their_bits(exported: tuple[GPT, Any]) -> None:
    model, library = exported
    tokenizer, rng = Tokenizer(LETTERS), random.Random(0)
    out = (ctypes.c_double * SIZES[0])()
    texts = {
        "".join(rng.choices(LETTERS, k=rng.choice([0, 1, 2, 3, 4, 5, 5, 5]))) for _ in range(2400)
    }
    assert len(texts) >= 1000
    with no_grad():
        for text in texts:
            tokens = tokenizer.encode(text)[:-1]
            assert library.predict(text.encode(), out) == len(tokens)
            assert list(map(bits, out)) == [bits(x.data) for x in model(tokens)[-1]]
    assert library.predict(b"abc", out) == -1
    assert library.predict(b"ababab", out) == -2


@needs_cc
@pytest.mark.long
def test_a_seed_writes_what_generate_does(exported: tuple[GPT, Any]) -> None:
    model, library = exported
    tokenizer = Tokenizer(LETTERS)
    out = ctypes.create_string_buffer(6 * 4 + 1)
    written = set()
    for seed in (*range(40), 2**32 - 1, 2**32, 2**64 - 1):
        for beginning, temperature in (("", 1.0), ("字", 0.3), ("ababab", 1.0)):
            n = library.generate(beginning.encode(), temperature, seed, out)
            given = tokenizer.encode(beginning)[:-1]
            right = tokenizer.decode(generate(model, given, temperature, seed, stop=0))
            assert (n, out.value.decode()) == (len(right), right)
            written.add(right)
    assert len(written) > 40


@needs_cc
@pytest.mark.long
@pytest.mark.parametrize("text", ["", "a", "ab字", "abßé😀a", "ab" * 6])
def test_a_step_is_that_of_gradient_descent(exported: tuple[GPT, Any], text: str) -> None:
    model, library = exported
    leaves = model.parameters()
    p = (ctypes.c_double * len(leaves))(*(leaf.data for leaf in leaves))
    before = [leaf.data for leaf in leaves]
    model.zero_grad()
    loss = next_token_loss(model, Tokenizer(LETTERS).encode(text))
    loss.backward()
    assert library.step(p, text.encode(), 0.125) == pytest.approx(loss.data, rel=1e-14)
    # Contributions are added in another order: some ulp of sums of some hundred products, which
    # in two blocks with weights near 1 stay below 100.
    moved = [(a - b) / 0.125 for a, b in zip(before, p, strict=True)]
    assert moved == pytest.approx([leaf.grad for leaf in leaves], rel=1e-9, abs=1e-11)


@needs_cc
@pytest.mark.long
@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("compiler", ["cc", "clang", "g++", "clang++"])
def test_no_compiler_objects(compiler: str, real: str, tmp_path: Path) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not there")
    text = gpt_header(GPT(*SIZES, seed=0), LETTERS, "words", real, with_step=True)
    assert ("double" in text) == (real == "double")
    (tmp_path / "words.h").write_text(text)
    is_cpp = "++" in compiler
    options = ["-std=c++11" if is_cpp else "-std=c99", "-fsyntax-only", *OPTIONS[2:]]
    source = tmp_path / ("used.cc" if is_cpp else "used.c")
    source.write_text(USED.format(name="words"))
    subprocess.run([compiler, *options, "-Wconversion", "-Wshadow", source], check=True)


@needs_cc
@pytest.mark.long
def test_floats_are_near_and_tokens_need_no_letters(tmp_path: Path) -> None:
    model = GPT(*SIZES, seed=0)
    (tmp_path / "net.h").write_text(gpt_header(model, "", "net", "float", with_step=False))
    (tmp_path / "net.c").write_text(
        '#include "net.h"\nstatic net_state s;\nvoid run(const int *tokens, int n, float *out)\n'
        "{ net_predict_by(net_parameters, &s, tokens, n, out); }\n"
    )
    command = ["cc", *OPTIONS, "-shared", "-fPIC", "net.c", "-o", "net.so", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    out, tokens = (ctypes.c_float * SIZES[0])(), [0, 3, 1, 8]
    ctypes.CDLL(str(tmp_path / "net.so")).run((ctypes.c_int * 4)(*tokens), 4, out)
    # Some 100 operations one after the other, each rounded to 2**-24, of numbers below 4.
    right = [x.data for x in model(tokens)[-1]]
    assert list(out) == pytest.approx(right, abs=4 * 100 * 2**-24)


def test_what_can_not_be_a_header_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = GPT(3, 2, 2, 1, 1, seed=0)
    with pytest.raises(CompileError, match="3 tokens doesn't go with 3 letters"):
        gpt_header(model, "abc", "m", "double", with_step=False)
    model.head.freeze()
    with pytest.raises(CompileError, match="frozen, or shared in part"):
        gpt_header(model, "ab", "m", "double", with_step=False)
    path = save(GPT(3, 2, 2, 1, 1, seed=0), tmp_path / "m.json", {"characters": "ab"})
    for target in ("python", "jax", "torch"):
        assert main(["export", str(path), "--to", target]) == REFUSED
        assert "a GPT is exported as a C header" in capsys.readouterr().err
