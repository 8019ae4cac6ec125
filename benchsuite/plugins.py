"""Finds plugins by entry point, keeps broken ones out, and answers what they registered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, TypeVar

import pluggy

from benchsuite import hookspecs
from benchsuite.contracts import BackendEntry, ExecutorEntry, TaskEntry
from benchsuite.errors import PluginError, UnknownNameError

GROUP = "benchsuite"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


@dataclass(frozen=True)
class PluginInfo:
    """A plugin that was found: its entry point's name, its distribution and version, and what went wrong."""

    name: str
    distribution: str
    version: str
    problem: str = ""


@dataclass
class Registry:
    """What the installed plugins bring. Two entries of one name are an error naming both plugins."""

    manager: pluggy.PluginManager
    plugins: list[PluginInfo] = field(default_factory=list)
    backends: dict[str, BackendEntry] = field(default_factory=dict)
    tasks: dict[str, TaskEntry] = field(default_factory=dict)
    executors: dict[str, ExecutorEntry] = field(default_factory=dict)
    owners: dict[str, PluginInfo] = field(default_factory=dict)
    """`backend:torch` -> the plugin that registered it."""

    @property
    def problems(self) -> list[PluginInfo]:
        return [plugin for plugin in self.plugins if plugin.problem]

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def backend(self, name: str) -> BackendEntry:
        return _look_up("backend", self.backends, name)

    def task(self, name: str) -> TaskEntry:
        return _look_up("task", self.tasks, name)

    def executor(self, name: str) -> ExecutorEntry:
        return _look_up("executor", self.executors, name)

    def reference(self) -> BackendEntry:
        """The backend that parity is held to. Raises PluginError unless exactly one says it is."""
        found = [entry for entry in self.backends.values() if entry.reference]
        if len(found) != 1:
            names = ", ".join(entry.name for entry in found) or "none"
            raise PluginError(f"exactly one backend must be the reference, found: {names}")
        return found[0]


def _look_up(kind: str, entries: dict[str, Entry], name: str) -> Entry:
    if name not in entries:
        raise UnknownNameError(kind, name, entries, hint=f"See `benchsuite list {kind}s`.")
    return entries[name]


@cache
def registry() -> Registry:
    """The plugins of this interpreter, found once a process."""
    return load(entry_points(group=GROUP))


def load(points: Iterable[EntryPoint]) -> Registry:
    """Load entry points; a plugin that fails in any way is named in `problems` and left out."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    found = Registry(manager)
    for point in sorted(points, key=lambda point: point.name):
        info = _describe(point)
        problem = _register(found, point, info)
        if problem:
            info = PluginInfo(info.name, info.distribution, info.version, problem)
        found.plugins.append(info)
    return found


def _describe(point: EntryPoint) -> PluginInfo:
    dist = point.dist
    return PluginInfo(point.name, dist.name if dist else "?", dist.version if dist else "?")


def _register(found: Registry, point: EntryPoint, info: PluginInfo) -> str:
    """Register one plugin; returns what is wrong with it, or an empty string."""
    manager = found.manager
    try:
        plugin = point.load()
        if manager.is_registered(plugin):
            raise PluginError(f"{point.value} is already in use as plugin {manager.get_name(plugin)}")
        try:
            _check_marks(plugin)
            manager.register(plugin, name=f"{info.distribution}:{point.name}")
            manager.check_pending()
            _collect(found, plugin, info)
        except BaseException:
            if manager.is_registered(plugin):
                manager.unregister(plugin)
            raise
    except (Exception, SystemExit) as error:  # a plugin may fail in any way; none of them may stop the others
        return f"{type(error).__name__}: {error}"
    return ""


def _check_marks(plugin: object) -> None:
    """pluggy passes over a function without @hookimpl in silence; its author should hear of it."""
    for name in vars(hookspecs):
        is_hook = name.startswith(f"{hookspecs.PROJECT}_")
        found = getattr(plugin, name, None) if is_hook else None
        if callable(found) and not hasattr(found, f"{hookspecs.PROJECT}_impl"):
            raise PluginError(f"{name} lacks @hookimpl (from benchsuite import hookimpl)")


def _registered(found: Registry, plugin: object, hook: str) -> list[Any]:
    """What `plugin` alone returns from a registration hook."""
    caller: pluggy.HookCaller = getattr(found.hook, hook)
    answers: list[Any] = [each.function() for each in caller.get_hookimpls() if each.plugin is plugin]
    return [entry for answer in answers for entry in answer]


def _collect(found: Registry, plugin: object, info: PluginInfo) -> None:
    kinds: list[tuple[str, dict[str, Any], type[Any]]] = [
        ("backend", found.backends, BackendEntry),
        ("task", found.tasks, TaskEntry),
        ("executor", found.executors, ExecutorEntry),
    ]
    fresh: list[tuple[str, dict[str, Any], Any]] = []
    for kind, entries, expected in kinds:
        for entry in _registered(found, plugin, f"benchsuite_register_{kind}s"):
            if not isinstance(entry, expected):
                raise PluginError(
                    f"benchsuite_register_{kind}s gave {type(entry).__name__}, not {expected.__name__}"
                )
            taken = [other.name for of, _, other in fresh if of == kind]
            if entry.name in entries or entry.name in taken:
                owner = found.owners.get(f"{kind}:{entry.name}", info).distribution
                raise PluginError(
                    f"{kind} {entry.name!r} is registered by both {owner} and {info.distribution}"
                )
            fresh.append((kind, entries, entry))
    for kind, entries, entry in fresh:
        entries[entry.name] = entry
        found.owners[f"{kind}:{entry.name}"] = info
