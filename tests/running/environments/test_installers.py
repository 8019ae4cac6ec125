"""What installers are called with, and which of their words a user is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.errors import RequestError
from benchsuite.running.environments.installers import (
    MOST_SAID,
    InstallError,
    Pip,
    Uv,
    installer_class,
    last_word,
)
from benchsuite.running.environments.pythons import Base


def base() -> Base:
    return Base(sys.executable, sys.version_info[:2])


def test_uv_is_used_where_it_is_there(uv: Path) -> None:
    assert uv.parent.is_dir()
    assert installer_class(None, inherit=False) is Uv
    assert installer_class("pip", inherit=False) is Pip
    assert installer_class(None, inherit=True) is Pip


def test_without_uv_it_is_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installer_class(None, inherit=False) is Pip
    with pytest.raises(RequestError, match="uv was not found"):
        installer_class("uv", inherit=False)


def test_other_installers_are_refused(uv: Path) -> None:
    assert uv.parent.is_dir()
    with pytest.raises(RequestError, match="give one of uv, pip"):
        installer_class("conda", inherit=False)
    with pytest.raises(RequestError, match="does not see what --inherit shows"):
        installer_class("uv", inherit=True)


def test_uv_is_called_with_what_the_user_gave(uv: Path, tmp_path: Path) -> None:
    made = Uv(tmp_path / "env", base(), tmp_path / "log", ("--offline",), {"UV_TORCH_BACKEND": "cpu"})
    made.make()
    made.install(["-c", "pins", "thing"])
    assert made.would_install(["cuda"]) == ["torch", "nvidia-nccl-cu13"]
    python = tmp_path / "env" / "bin" / "python"
    assert uv.read_text(encoding="utf-8").splitlines() == [
        f"cpu venv -q --python {sys.executable} {tmp_path / 'env'}",
        f"cpu pip install --python {python} --offline -c pins thing",
        f"cpu pip install --python {python} --offline --dry-run cuda",
    ]


def test_a_variable_that_is_set_goes_before_the_default(
    uv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_TORCH_BACKEND", "auto")
    Uv(tmp_path / "env", base(), tmp_path / "log", (), {"UV_TORCH_BACKEND": "cpu"}).make()
    assert uv.read_text(encoding="utf-8").startswith("auto venv")


def test_what_fails_is_told_in_a_sentence_with_the_log(uv: Path, tmp_path: Path) -> None:
    assert uv.parent.is_dir()
    log = tmp_path / "log"
    with pytest.raises(InstallError) as caught:
        Uv(tmp_path / "env", base(), log).install(["-c", "pins", "-e", "missing"])
    said = str(caught.value)
    assert (
        said
        == f"uv pip install missing failed: ╰─▶ Because missing was not found; all that it said is in {log}"
    )
    assert "No solution found" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "it said nothing"),
        ("one\ntwo\n", "two"),
        ("ERROR: a\nERROR: b\nnote: see above", "ERROR: b"),
        (
            "  ModuleNotFoundError: No module named 'x'\nerror: metadata-generation-failed\n× y",
            "ModuleNotFoundError: No module named 'x'",
        ),
        ("x" * 1000, "x" * (MOST_SAID - 1) + "…"),
    ],
)
def test_the_line_that_says_it_best(output: str, said: str) -> None:
    assert last_word(output) == said
