"""What the options of `run` and `plan` ask for, checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchsuite.contracts import RunOptions

ISOLATIONS = ("worker", "trial")


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


def check_rerun(value: str | None) -> None:
    """Raises UnknownNameError for a value that --rerun does not take."""
    from benchsuite.running.study.api import RERUNS

    check_choice("--rerun", value, RERUNS)


def run_options(
    isolation: str = "worker",
    jobs: int = 1,
    timeout: float | None = None,
    pythons: Iterable[str] | None = None,
    pin: bool = True,
) -> RunOptions:
    """Raises RequestError for an isolation or a BACKEND=INTERPRETER that is none."""
    from benchsuite.contracts import RunOptions

    check_choice("--isolation", isolation, ISOLATIONS)
    return RunOptions(isolation, jobs, timeout, tuple(_python(text) for text in pythons or ()), pin)


def _python(text: str) -> tuple[str, str]:
    import shutil

    from benchsuite.errors import RequestError
    from benchsuite.plugins import registry

    backend, equals, path = text.partition("=")
    if not equals or not path:
        raise RequestError(f"--python {text}: write BACKEND=INTERPRETER, as in tensorflow=/opt/tf/bin/python")
    name = registry().backend(backend).name
    found = shutil.which(path)
    if found is None:
        raise RequestError(f"--python {text}: {path} is no program that can be run")
    return name, found
