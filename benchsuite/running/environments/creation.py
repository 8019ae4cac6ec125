"""Makes an environment for a backend, whole or not at all."""

from __future__ import annotations

import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from benchsuite.errors import RequestError
from benchsuite.hookspecs import PROJECT
from benchsuite.measure.provenance.machine import MARKER
from benchsuite.plugins import Registry
from benchsuite.running.environments import origin
from benchsuite.running.environments.installers import Installer, installer_class, short
from benchsuite.running.environments.pythons import Base, base_python
from benchsuite.running.environments.question import EnvironmentFacts, ask
from benchsuite.running.environments.registration import (
    Environment,
    check_name,
    clear,
    environments_folder,
    locked,
    register,
)
from benchsuite.running.environments.targets import Target, normal, target

CUDA_PREFIX = "nvidia-"
"""How the names of the distributions begin that CUDA builds need: gigabytes."""
SMALL = ("nvidia-ml-py",)
"""Those that are not: it reads counters."""
CPU_VARIABLES = {"UV_TORCH_BACKEND": "cpu"}
"""uv knows where PyTorch's builds for a CPU are; pip must be told (docs/environments.md)."""
INHERITED = "_benchsuite_inherited.pth"


@dataclass(frozen=True)
class Wanted:
    """What an environment is to be.

    what         a known backend, or the folder or the wheel of a plugin's distribution
    python       a version, as in 3.12, or a program; None for this one
    name         None for the backend's, or the distribution's
    arguments    further ones of `pip install`
    installer    `uv`, `pip`; None for uv where it is there
    source       what benchsuite itself is installed from; None for where this one came from
    more         further requirements, such as a plugin with a task
    cuda         builds for NVIDIA GPUs may be installed
    inherit      what this Python has installed is seen, and only what is missing is installed
    constrained  with the versions that were tested together (constraints.txt)
    replace      delete an environment of the same name first
    """

    what: str
    python: str | None = None
    name: str | None = None
    arguments: tuple[str, ...] = ()
    installer: str | None = None
    source: str | None = None
    more: tuple[str, ...] = ()
    cuda: bool = False
    inherit: bool = False
    constrained: bool = True
    replace: bool = False


def create(wanted: Wanted, found: Registry, say: Callable[[str], None] = lambda _text: None) -> Environment:
    """Make and register the environment; what fails, or is interrupted, leaves none.

    :param say: told what happens, in lines.

    Raises RequestError, in one sentence, for what cannot be made; the installer's own words are in a log that
    it names.
    """
    base = base_python(wanted.python)
    kind = installer_class(wanted.installer, wanted.inherit)
    asked = target(wanted.what, found, _own(wanted), wanted.cuda)
    name = asked.name if wanted.name is None else wanted.name
    check_name(name)
    if wanted.inherit and base.version != sys.version_info[:2]:
        raise RequestError("--inherit needs the same version of Python as this one: leave out --python")
    with locked(name):
        folder = environments_folder() / name
        if (folder / MARKER).exists() and not wanted.replace:
            raise RequestError(
                f"environment {name!r} exists: remove it with `benchsuite env remove {name}`, or give "
                "--replace or another --name"
            )
        clear(folder)  # also what an interrupted command left
        log = environments_folder() / f"{name}.log"
        log.unlink(missing_ok=True)
        try:
            defaults = {} if wanted.cuda else CPU_VARIABLES
            installer = kind(folder, base, log, wanted.arguments, defaults)
            made = _fill(wanted, asked, name, installer, say)
            log.replace(folder / log.name)
            register(made)
        except BaseException:
            clear(folder)
            raise
    return made


def _own(wanted: Wanted) -> Callable[[Sequence[str]], origin.Requirement]:
    def own(extras: Sequence[str]) -> origin.Requirement:
        if wanted.inherit:
            return (origin.with_extras(PROJECT, extras),)  # it is there; pip looks at its extras alone
        if wanted.source is not None:
            return origin.given(wanted.source, PROJECT, extras)
        return origin.requirement(PROJECT, extras)

    return own


def _fill(
    wanted: Wanted, asked: Target, name: str, installer: Installer, say: Callable[[str], None]
) -> Environment:
    say(f"making {installer.folder} with Python {'.'.join(map(str, installer.base.version))}")
    installer.make()
    if wanted.inherit:
        inherit(installer.folder, installer.base)
    pins = ("-c", str(files(__package__) / "constraints.txt")) if wanted.constrained else ()
    requirements = (*pins, *asked.requirements, *wanted.more)
    if not wanted.cuda:
        _check_no_cuda(installer, requirements)
    say(f"installing {short(requirements)}")
    installer.install(requirements)
    answer = ask(installer.python)
    return Environment(
        name,
        _backends(asked, answer),
        answer.python,
        asked.distribution,
        (*wanted.more, *asked.requirements),
        time.time(),
    )


def _check_no_cuda(installer: Installer, requirements: Sequence[str]) -> None:
    """Raises RequestError where gigabytes would come that a CPU does not need."""
    names = map(normal, installer.would_install(requirements))
    coming = [name for name in names if name.startswith(CUDA_PREFIX) and name not in SMALL]
    if coming:
        raise RequestError(
            f"this would install a build for NVIDIA GPUs, gigabytes ({len(coming)} distributions "
            f"{CUDA_PREFIX}*): make PyTorch's CPU builds known to pip (PIP_EXTRA_INDEX_URL, or --pip-args with "
            "--extra-index-url or --find-links), or ask for it with --cuda"
        )


def _backends(asked: Target, answer: EnvironmentFacts) -> tuple[str, ...]:
    """The backends that run in the environment. Raises RequestError where there is none."""
    mine = sorted(name for name, owner in answer.backends.items() if normal(owner) == asked.distribution)
    chosen = [asked.backend] if asked.backend in mine else [] if asked.backend else mine
    if chosen:
        return tuple(chosen)
    problems = [
        text for owner, text in answer.plugins.items() if normal(owner) == asked.distribution and text
    ]
    why = f": {problems[0]}" if problems else ""
    what = f"backend {asked.backend!r}" if asked.backend else "no backend"
    verb = "does not register" if asked.backend else "registers"
    raise RequestError(f"{asked.distribution}, as installed, {verb} {what}{why}")


def inherit(folder: Path, base: Base) -> None:
    """Let the environment in `folder` see what this Python has installed, editable projects included."""
    place = folder / "lib" / "python{}.{}".format(*base.version) / "site-packages" / INHERITED
    seen = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    lines = [f"import site; site.addsitedir({path!r})\n" for path in seen]
    place.write_text("".join(lines), encoding="utf-8")
