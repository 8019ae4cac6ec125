"""Every error that benchsuite raises on purpose.

    BenchsuiteError
    ├── RequestError            the request was wrong; the command line exits with 2
    │   ├── UnknownNameError        a name nobody registered; names the nearest ones
    │   ├── MatrixError             a matrix with all its problems, each with its place
    │   ├── MissingFrameworkError   a framework is not installed; names the extra
    │   ├── UnsupportedError        a backend or task cannot do what a trial asks
    │   └── StoreError              a study that cannot be read or written
    ├── StoreWriteError         a study that runs can no longer be written
    ├── DataError               a data file is missing or is not the pinned one
    │   └── NotDownloadedError      a data file is not on this machine, and nothing is to be downloaded
    ├── PluginError             a plugin is broken; names its distribution
    ├── ContractError           a plugin answered against its contract
    ├── KernelFallbackError     the kernel that ran is not the one the trial asked for
    └── WorkerError             a worker process failed: crash, timeout, lost channel

A message says what was given, what is allowed, and what to do. The command line prints the message
alone; a traceback means a defect of benchsuite itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class BenchsuiteError(Exception):
    """Base of the hierarchy; `exit_code` is what the command line ends with."""

    exit_code = 1


class RequestError(BenchsuiteError):
    """What was asked for is not possible as asked."""

    exit_code = 2


class UnknownNameError(RequestError):
    """`given` is not among `allowed`; the message names the nearest allowed names."""

    def __init__(self, kind: str, given: str, allowed: Iterable[str], hint: str = "") -> None:
        self.kind, self.given, self.allowed = kind, given, sorted(allowed)
        super().__init__(unknown_name(kind, given, self.allowed, hint))


class MatrixError(RequestError):
    """A matrix that cannot be expanded. `problems` holds (place, what is wrong) pairs."""

    def __init__(self, source: str, problems: Sequence[tuple[str, str]]) -> None:
        self.source, self.problems = source, list(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        lines = [f"{source}: {count}"]
        lines += [f"  {place}: {text}" for place, text in self.problems]
        super().__init__("\n".join(lines))


class MissingFrameworkError(RequestError):
    """A plugin needs a distribution that is not installed in its interpreter."""

    def __init__(self, what: str, missing: Sequence[str], extra: str | None) -> None:
        self.what, self.missing, self.extra = what, list(missing), extra
        install = f"pip install 'benchsuite[{extra}]'" if extra else f"pip install {' '.join(missing)}"
        super().__init__(f"{what} needs {', '.join(missing)}, not installed here; run: {install}")


class UnsupportedError(RequestError):
    """A task or backend cannot do what the trial asks; the message is the reason."""


class StoreError(RequestError):
    """A study folder is missing, unreadable or written by something else."""


class StoreWriteError(BenchsuiteError):
    """A study that runs can no longer be written: the disk is full, the folder gone or read-only. What is
    recorded is kept."""


class DataError(BenchsuiteError):
    """A data file is missing or differs from the pinned one; the message says where to put it."""


class NotDownloadedError(DataError):
    """A data file is not on this machine, where only what is here is to be used."""


class PluginError(BenchsuiteError):
    """A plugin cannot be used; the message names its distribution."""


class ContractError(BenchsuiteError):
    """A plugin returned something its contract does not allow (a shape, a dtype, a name)."""


class KernelFallbackError(BenchsuiteError):
    """The framework ran another kernel than the one the trial's `unroll` asks for."""


class WorkerError(BenchsuiteError):
    """A worker process died, hung or broke its channel."""


def nearest(given: str, allowed: Iterable[str], most: int = 3) -> list[str]:
    """The names in `allowed` that look most like `given`, best first."""
    by_lower = {name.lower(): name for name in allowed}
    close = difflib.get_close_matches(given.lower(), by_lower, n=most, cutoff=0.5)
    return [by_lower[name] for name in close]


def unknown_name(kind: str, given: str, allowed: Iterable[str], hint: str = "") -> str:
    """The sentence that UnknownNameError carries, for places that collect problems instead."""
    names = sorted(allowed)
    close = nearest(given, names)
    text = f"unknown {kind} {given!r}"
    if close:
        text += f"; did you mean {' or '.join(repr(name) for name in close)}?"
    else:
        text += "."
    text += f" Known: {', '.join(names)}." if names else f" No {kind} is registered."
    return f"{text} {hint}".rstrip()
