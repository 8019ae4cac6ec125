"""What an environment is made for: a backend that is known here, or the distribution of a plugin."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from benchsuite.contracts import BackendEntry
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.hookspecs import PROJECT
from benchsuite.plugins import GROUP, Registry
from benchsuite.running.environments.origin import (
    TREE,
    Requirement,
    from_folder,
    project_name,
    read_project,
    requirement,
)

TASKS_EXTRA = "tasks"
"""What the built-in tasks need: a worker loads a trial's data itself."""

Own = Callable[[Sequence[str]], Requirement]
"""Extras -> what installs benchsuite with them."""


@dataclass(frozen=True)
class Target:
    """name: what the environment is called by default. distribution: the one that registers its backends;
    backend: the one it is for, or "" for all that the distribution registers."""

    name: str
    distribution: str
    backend: str
    requirements: tuple[str, ...]


def target(what: str, found: Registry, own: Own, cuda: bool = False) -> Target:
    """What `benchsuite env create WHAT` asks for.

    :param what: a known backend, the folder of a distribution with a plugin, or its wheel.
    :param own: gives the requirement of benchsuite itself.
    :param cuda: take the backend's extra for NVIDIA GPUs, NAME-cuda, where its distribution has one.

    Raises UnknownNameError for what is neither a backend nor a path, and RequestError for a folder that holds
    no plugin.
    """
    if what in found.backends:
        return _of_backend(found.backends[what], found.owners[f"backend:{what}"].distribution, own, cuda)
    path = Path(what).expanduser()
    if path.is_file() and path.suffix == ".whl":
        name = path.name.split("-")[0].replace("_", "-")
        wheel = (f"{name} @ {path.resolve().as_uri()}",)
        return Target(name, normal(name), "", (*own([TASKS_EXTRA]), *wheel))
    if path.is_dir():
        name = _project_with_plugin(path)
        return Target(name, normal(name), "", (*own([TASKS_EXTRA]), *from_folder(path)))
    if path.exists():
        raise RequestError(f"{what} is neither a folder with a pyproject.toml nor a wheel")
    raise UnknownNameError(
        "backend",
        what,
        found.backends,
        hint="A plugin that is not installed here is named by its folder or its wheel.",
    )


def normal(name: str) -> str:
    """A distribution's name as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_backend(entry: BackendEntry, distribution: str, own: Own, cuda: bool) -> Target:
    extra = entry.extra
    special = f"{entry.name}-cuda"
    if cuda and special in _extras(distribution):
        extra = special
    extras = [extra] if extra else []
    if distribution == PROJECT:
        requirements = own([*extras, TASKS_EXTRA])
    else:
        requirements = (*own([TASKS_EXTRA]), *requirement(distribution, extras))
    return Target(entry.name, normal(distribution), entry.name, requirements)


def _extras(distribution: str) -> list[str]:
    if distribution == PROJECT and project_name(TREE) == PROJECT:
        optional = read_project(TREE).get("optional-dependencies", {})
        return list(optional) if isinstance(optional, dict) else []
    try:
        return metadata(distribution).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []


def _project_with_plugin(folder: Path) -> str:
    """The name of the distribution in `folder`. Raises RequestError where there is none, or no plugin in it."""
    project = read_project(folder)
    name = project.get("name")
    if not isinstance(name, str):
        raise RequestError(
            f"{folder} has no pyproject.toml with a project's name: give a distribution's folder"
        )
    points = project.get("entry-points", {})
    has_plugin = isinstance(points, dict) and points.get(GROUP)
    if not has_plugin and "entry-points" not in str(project.get("dynamic", "")):
        raise RequestError(
            f"{folder} registers no plugin: its pyproject.toml has no table project.entry-points.{GROUP}"
        )
    return name
