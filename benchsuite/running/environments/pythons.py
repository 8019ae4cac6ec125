"""The Python that an environment is made with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from benchsuite.errors import RequestError

OLDEST = (3, 11)
"""The oldest Python that benchsuite runs on, as in its pyproject.toml."""
ASK_SECONDS = 60


@dataclass(frozen=True)
class Base:
    """An interpreter that environments can be made with: its path, its version."""

    path: str
    version: tuple[int, int]


def base_python(asked: str | None) -> Base:
    """The interpreter that `asked` names: a version, as in 3.12, or a program; this one by default.

    Raises RequestError where there is none, or where it is too old.
    """
    if asked is None:
        return Base(sys.executable, sys.version_info[:2])
    is_version = re.fullmatch(r"\d+\.\d+", asked) is not None
    if is_version and asked == "{}.{}".format(*sys.version_info[:2]):
        return Base(sys.executable, sys.version_info[:2])
    program = f"python{asked}" if is_version else asked
    path = shutil.which(program)
    if path is None:
        hint = (
            "install it, or give the path of its program"
            if is_version
            else "it is no program that can be run"
        )
        raise RequestError(f"--python {asked}: {program} was not found; {hint}")
    version = _version(path)
    if version is None or (is_version and asked != "{}.{}".format(*version)):
        raise RequestError(
            f"--python {asked}: {path} does not run as a Python {asked if is_version else ''}".rstrip()
        )
    if version < OLDEST:
        raise RequestError(
            f"--python {asked}: {path} is Python {version[0]}.{version[1]}, and benchsuite needs "
            f"{OLDEST[0]}.{OLDEST[1]} or newer"
        )
    return Base(path, version)


def _version(path: str) -> tuple[int, int] | None:
    script = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [path, "-c", script], capture_output=True, text=True, timeout=ASK_SECONDS, check=True
        )
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return major, minor
