"""Which environments there are, and which interpreter a backend lives in.

Each environment is a folder that holds a file of its own, MARKER, written last and in one step. A folder
without it is no environment: what was interrupted is never half there.

Setting, read at every call:

    BENCHSUITE_ENVS    the folder of the environments; unset, in the user's data folder of this platform
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote

import filelock

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.measure.provenance.machine import MARKER
from benchsuite.schema.texts import described

FOLDER_VARIABLE = "BENCHSUITE_ENVS"
ENVIRONMENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
REMOVING = ".removed"
"""Ending of a folder that is being deleted."""


@dataclass(frozen=True)
class Environment:
    """An environment that is whole.

    backends      those that run in it
    python        its interpreter's version
    requirements  what it was made of, as pip and uv read it; that of the backends' distribution last
    distribution  the one that registers the backends
    created       seconds since 1970
    """

    name: str
    backends: tuple[str, ...]
    python: str
    distribution: str
    requirements: tuple[str, ...]
    created: float

    @property
    def folder(self) -> Path:
        return environments_folder() / self.name

    @property
    def source(self) -> str:
        """Where the backends' distribution came from: a folder, a wheel's path, or a requirement."""
        text = self.requirements[-1]
        return unquote(text.partition(" @ file://")[2]) or text

    @property
    def interpreter(self) -> str:
        """The path of its Python."""
        return str(interpreter_in(self.folder))


def environments_folder() -> Path:
    """The folder of the environments; it need not exist yet."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("benchsuite")) / "environments"


def interpreter_in(folder: Path) -> Path:
    """Where a virtual environment has its Python."""
    return folder / "bin" / "python"


def registered() -> list[Environment]:
    """Every environment that is whole, the oldest first; those that cannot be read are left out (see
    `unreadable`)."""
    return sorted(_read_all()[0], key=lambda one: (one.created, one.name))


def unreadable() -> dict[str, str]:
    """Names of folders whose MARKER is there and cannot be read -> why."""
    return _read_all()[1]


def find(name: str) -> Environment:
    """The environment `name`. Raises UnknownNameError where there is none."""
    known = {one.name: one for one in registered()}
    if name not in known:
        raise UnknownNameError("environment", name, known, hint="See `benchsuite env list`.")
    return known[name]


def serving() -> dict[str, Environment]:
    """Backend -> the environment that it runs in: of several, the one made last."""
    return {backend: one for one in registered() for backend in one.backends}


def interpreters(given: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Backend -> the interpreter that it lives in; a backend that is missing lives in this one.

    :param given: (backend, interpreter) pairs of the command line or BENCHSUITE_PYTHON; they go before the
        environments.
    """
    return {backend: one.interpreter for backend, one in serving().items()} | dict(given)


def remove(name: str) -> Path:
    """Delete an environment, or what an interrupted command left of one; returns the folder that was deleted.

    Raises RequestError for a name that is none, and while it is being made; UnknownNameError where nothing has
    that name.
    """
    check_name(name)
    folder = environments_folder() / name
    if not folder.is_dir():
        raise UnknownNameError(
            "environment", name, [one.name for one in registered()], hint="See `benchsuite env list`."
        )
    with locked(name):
        clear(folder)
    return folder


def clear(folder: Path) -> None:
    """Delete a folder so that it is no environment from the first moment on."""
    (folder / MARKER).unlink(missing_ok=True)
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        gone = folder.with_name(f".{folder.name}{REMOVING}")
        shutil.rmtree(gone, ignore_errors=True)
        folder.rename(gone)
        shutil.rmtree(gone)


def check_name(name: str) -> None:
    """Raises RequestError for what cannot name an environment."""
    if not ENVIRONMENT_NAME.fullmatch(name):
        raise RequestError(
            f"{name!r} cannot name an environment: use letters, digits, dots, dashes and underscores"
        )


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Keeps other commands from making or deleting the environment `name` at the same time. Raises
    RequestError where one does so now."""
    folder = environments_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f".{name}.lock", timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise RequestError(
            f"another command is making or removing environment {name!r}; wait for its end"
        ) from None
    except OSError as error:
        raise RequestError(
            f"environments cannot be kept in {folder} ({described(error)}): name another folder with "
            f"{FOLDER_VARIABLE}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def register(environment: Environment) -> None:
    """Write the MARKER of an environment whose folder is complete: from here on it is one."""
    new = environment.folder / f"{MARKER}.new"
    new.write_text(json.dumps(asdict(environment), indent=2) + "\n", encoding="utf-8")
    new.replace(environment.folder / MARKER)


def _read_all() -> tuple[list[Environment], dict[str, str]]:
    found: list[Environment] = []
    problems: dict[str, str] = {}
    folder = environments_folder()
    if not folder.is_dir():
        return found, problems
    for marker in sorted(folder.glob(f"*/{MARKER}")):
        name = marker.parent.name
        try:
            found.append(_read(marker, name))
        except (OSError, ValueError, KeyError, TypeError) as error:
            problems[name] = f"{marker} cannot be read ({described(error)})"
    return found, problems


def _read(marker: Path, name: str) -> Environment:
    """The folder's own name counts: it may have been renamed by hand."""
    held = json.loads(marker.read_text(encoding="utf-8"))
    return Environment(
        name,
        tuple(map(str, held["backends"])),
        str(held["python"]),
        str(held["distribution"]),
        tuple(map(str, held["requirements"])),
        float(held["created"]),
    )
