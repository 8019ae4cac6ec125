"""What the options of `run` and `plan` ask for, checked before anything starts."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchsuite.contracts import RunOptions
    from benchsuite.schema import Cause

ISOLATIONS = ("worker", "trial")
NONE = "none"
"""No limit."""
DEFAULT_TIMEOUT = "43200"
"""Seconds that a trial may take, by default: a hang does not last for ever, and no trial of a built-in matrix
takes half a day."""
DEFAULT_MEMORY = "90%"
"""What a trial may use of the memory that is free, by default; several at a time share it."""
AUTO_JOBS = "auto"
"""As many trials at the same time as fit on the machine."""
PYTHON_SECONDS = 60.0
"""How long an interpreter may take to start."""
PYTHONS_VARIABLE = "BENCHSUITE_PYTHON"


def filters(**arguments: str | None) -> dict[str, list[str]]:
    """Comma lists as they were typed -> field -> values. Raises RequestError for one that holds nothing."""
    from benchsuite.errors import RequestError
    from benchsuite.running.matrix import split_values

    found = {name: split_values(text) for name, text in arguments.items() if text is not None}
    for name, values in found.items():
        if not values:
            raise RequestError(f"--{name} names nothing to keep: give values, or leave it out for all")
    return found


def check_choice(option: str, value: str | None, allowed: Sequence[str]) -> None:
    """Raises UnknownNameError for a value that the option does not take."""
    from benchsuite.errors import UnknownNameError

    if value is not None and value not in allowed:
        raise UnknownNameError(f"value of {option}", value, allowed)


def with_calibration(overrides: Iterable[str] | None, value: str | None) -> list[str]:
    """What --set gives, and --calibration, which is short for one of them. Raises UnknownNameError for a value
    that it does not take."""
    check_choice("--calibration", value, ("measured", NONE))
    return [*(overrides or ()), *([] if value is None else [f"protocol.calibration={value}"])]


def check_rerun(value: str | None) -> None:
    """Raises UnknownNameError for a value that --rerun does not take."""
    from benchsuite.running.study.api import RERUNS

    check_choice("--rerun", value, RERUNS)


def run_options(
    isolation: str = "worker",
    jobs: int | None = 1,
    timeout: str | float | None = None,
    pythons: Iterable[str] | None = None,
    pin: bool = True,
    memory: str = DEFAULT_MEMORY,
    retry: Iterable[str] = (),
    settings: Iterable[str] = (),
) -> RunOptions:
    """Raises RequestError for an isolation, a BACKEND=INTERPRETER, a time, a size of memory, a CAUSE=N or a
    NAME=VALUE that is none.

    :param pythons: by default those of the environment variable BENCHSUITE_PYTHON.
    """
    from benchsuite.contracts import RunOptions

    check_choice("--isolation", isolation, ISOLATIONS)
    return RunOptions(
        isolation,
        jobs,
        _seconds(timeout) if isinstance(timeout, str) else timeout,
        tuple(_python(text) for text in pythons or split_pythons(os.environ.get(PYTHONS_VARIABLE, ""))),
        pin,
        None if memory == DEFAULT_MEMORY else memory_bytes(memory),
        tuple(_retry(text) for text in retry),
        tuple(_setting(text) for text in settings),
    )


def job_count(text: str) -> int | None:
    """Trials at the same time; None for as many as fit. Raises RequestError for what is no number above 0."""
    from benchsuite.errors import RequestError

    if text == AUTO_JOBS:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 6 or int(text) < 1:
        raise RequestError(f"--jobs {text}: give a number of trials above 0, or {AUTO_JOBS}")
    return int(text)


def interpreters(pythons: Iterable[str] | None = None) -> dict[str, str]:
    """Backend -> the interpreter that it lives in, where that is not this one: of `pythons`, else of
    BENCHSUITE_PYTHON, else of an environment that `benchsuite env create` made.

    Raises RequestError as run_options() does.
    """
    from benchsuite.running.environments import interpreters

    return interpreters(run_options(pythons=pythons).pythons)


def split_pythons(text: str) -> list[str]:
    """Entries BACKEND=INTERPRETER, separated by blanks or line ends; an interpreter's path may hold blanks."""
    return [entry.strip() for entry in re.split(r"\s+(?=[\w.-]+=)", text.strip()) if entry.strip()]


def _seconds(text: str) -> float | None:
    from benchsuite.errors import RequestError

    if text == NONE:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise RequestError(f"--timeout {text}: give a number of seconds above 0, or {NONE} for no limit")
    return seconds


def memory_bytes(text: str) -> float:
    """Bytes that a trial may use; infinite for no limit. Raises RequestError.

    :param text: a size (`8GiB`, `500MB`), a share of what is free now (`50%`), or `none`.
    """
    from benchsuite.errors import RequestError

    if text == NONE:
        return math.inf
    found = re.fullmatch(r"(\d+(?:\.\d*)?)\s*([KMGT]i?B?|B|%)", text.strip(), re.IGNORECASE)
    number = float(found[1]) if found else 0.0
    if found is None or not 0 < number < math.inf:
        raise RequestError(f"--memory {text}: give a size such as 8GiB, a share such as 50%, or {NONE}")
    if found[2] == "%":
        from benchsuite.running.executors.memory import available_memory

        return number / 100 * available_memory()
    unit = found[2].upper().removesuffix("B")
    base = 1024 if unit.endswith("I") else 1000
    return number * math.pow(base, " KMGT".index(unit[0]) if unit else 0)


def _retry(text: str) -> tuple[Cause, int]:
    from typing import get_args

    from benchsuite.errors import RequestError
    from benchsuite.schema import Cause

    known: tuple[Cause, ...] = get_args(Cause)
    cause, _, times = text.partition("=")
    found = next((one for one in known if one and one == cause), None)
    if found is None or not times.isdecimal() or len(times) > 4:
        words = ", ".join(one for one in known if one)
        raise RequestError(f"--retry {text}: write CAUSE=N, as in lost=2; causes are {words}")
    return found, int(times)


def _setting(text: str) -> tuple[str, str]:
    from benchsuite.errors import RequestError

    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise RequestError(f"--executor-option {text}: write NAME=VALUE, as in partition=gpu")
    return name.strip(), value.strip()


def _python(text: str) -> tuple[str, str]:
    import shutil

    from benchsuite.errors import RequestError, UnknownNameError
    from benchsuite.plugins import registry

    backend, equals, path = text.partition("=")
    if not equals or not path:
        raise RequestError(f"--python {text}: write BACKEND=INTERPRETER, as in tensorflow=/opt/tf/bin/python")
    if backend not in registry().backends:
        hint = (
            "A backend that lives in another Python must be known in this one too: install its plugin here, "
            "without its framework (pip install --no-deps PLUGIN)."
        )
        raise UnknownNameError("backend", backend, registry().backends, hint)
    name = backend
    found = shutil.which(path) or _interpreter_of(path)
    if found is None:
        raise RequestError(
            f"--python {text}: {path} is no program that can be run, and `benchsuite env list` has none of it"
        )
    if not _runs_python(found):
        raise RequestError(f"--python {text}: {path} is no Python; give the interpreter of an environment")
    return name, found


def _runs_python(path: str) -> bool:
    """Whether the program answers as Python 3 does."""
    import subprocess

    question = "import sys; print('python', sys.version_info[0])"
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PYTHON_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.split() == [b"python", b"3"]


def _interpreter_of(name: str) -> str | None:
    """The interpreter of the environment `name`; None where there is none."""
    from benchsuite.running.environments import registered

    return next((one.interpreter for one in registered() if one.name == name), None)
