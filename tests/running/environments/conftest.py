"""A folder of environments of the test's own, and a program that stands for uv."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

UV = """#!/bin/sh
# writes down what it is called with; `uv venv` makes an environment that is this very Python
echo "$UV_TORCH_BACKEND $@" >> {calls}
if [ "$1" = venv ]; then
    for folder in "$@"; do :; done
    mkdir -p "$folder/bin"
    printf '#!/bin/sh\\nexec {python} "$@"\\n' > "$folder/bin/python"
    chmod +x "$folder/bin/python"
fi
case "$*" in
*--dry-run*cuda*)
    echo "Resolved 2 packages" >&2
    echo " + torch==2.13.0" >&2
    echo " + nvidia-nccl-cu13==1.0" >&2;;
*missing*)
    echo "  × No solution found when resolving dependencies:" >&2
    echo "  ╰─▶ Because missing was not found" >&2
    exit 1;;
*slow*)
    exec sleep 60;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the environments, which is not there yet."""
    folder = tmp_path / "with blank" / "environments"
    monkeypatch.setenv("BENCHSUITE_ENVS", str(folder))
    return folder


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called uv, on a path with the system's own; returns the file of what it is called with."""
    folder, calls = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()
    (folder / "uv").write_text(UV.format(calls=calls, python=sys.executable), encoding="utf-8")
    (folder / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    return calls
