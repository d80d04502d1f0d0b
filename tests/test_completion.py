"""Completion: the scripts name every command and option, and bash does as its script says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from autograd import __version__
from autograd.command.cli import SUBCOMMANDS, main
from autograd.command.completion import SHELLS
from autograd.command.usage import OK, REFUSED

ROOT = Path(__file__).parent.parent


@pytest.fixture
def scripts(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found = {}
    for shell in SHELLS:
        assert main(["--completion", shell]) == OK
        found[shell] = capsys.readouterr().out
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_there(shell: str, scripts: dict[str, str]) -> None:
    assert all(name in scripts[shell] for name in SUBCOMMANDS)
    assert "budget" in scripts[shell]
    assert "safetensors" in scripts[shell]
    assert "breast_cancer" in scripts[shell]
    assert "gelu" in scripts[shell]


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("chainrule s", {"step", "show"}),
        ("chainrule --v", {"--version"}),
        ("chainrule --completion f", {"fish"}),
        ("chainrule draw --lo", {"--local"}),
        ("chainrule draw x --level n", {"neuron", "network"}),
        ("chainrule train moons --tas", {"--task"}),
        ("chainrule train mo", {"moons", "model.json"}),
        ("chainrule train moons --activation soft", {"softplus"}),
        ("chainrule train moons --init he_n", {"he_normal"}),
        ("chainrule show mod", {"model.json"}),
        ("chainrule nope --", set()),
    ],
)
def test_bash_completes(
    line: str, offered: set[str], scripts: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "model.json").touch()
    words = " ".join(f"'{word}'" for word in line.split(" "))
    code = (
        f"{scripts['bash']}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
        '_chainrule; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("words", [["--completion"], ["--completion", "tcsh"]])
def test_another_shell_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == REFUSED
    assert "completion is for bash, zsh, fish" in capsys.readouterr().err


def test_what_is_meant_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--hlep"]) == REFUSED
    assert "did you mean --help?" in capsys.readouterr().err


def test_the_citation_is_of_this_version() -> None:
    citation = ROOT / "CITATION.cff"
    if not citation.exists():
        pytest.skip("a wheel is tested")
    assert f"version: {__version__}\n" in citation.read_text(encoding="utf-8")
