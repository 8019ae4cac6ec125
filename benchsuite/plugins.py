"""Finds plugins by entry point, keeps broken ones out, and answers what they registered."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Protocol, TypeVar

import pluggy

from benchsuite import hookspecs
from benchsuite.contracts import (
    Backend,
    BackendEntry,
    CellEntry,
    CheckedBackend,
    Executor,
    ExecutorEntry,
    RunOptions,
    TaskEntry,
)
from benchsuite.errors import MissingFrameworkError, PluginError, RequestError, UnknownNameError
from benchsuite.schema import BUILTIN_CELLS, Execution
from benchsuite.schema.cells import register_cell
from benchsuite.schema.texts import MOST_REASON, capped, described

GROUP = "benchsuite"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


AnyEntry = TypeVar("AnyEntry", bound=_Named)
Read = TypeVar("Read")


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
    cells: dict[str, CellEntry] = field(default_factory=lambda: dict(BUILTIN_CELLS))
    executors: dict[str, ExecutorEntry] = field(default_factory=dict)
    owners: dict[str, PluginInfo] = field(default_factory=dict)
    """`backend:torch` -> the plugin that registered it."""

    @property
    def problems(self) -> list[PluginInfo]:
        return [plugin for plugin in self.plugins if plugin.problem]

    @property
    def hook(self) -> Any:
        return self.manager.hook

    def ask(self, hook: str, **facts: Any) -> Any:
        """Call a hook that decides. Raises PluginError naming the plugin that failed in it: to go on without
        its decision would be to decide against it."""
        try:
            return getattr(self.hook, hook)(**facts)
        except Exception as error:
            raise PluginError(f"{self._culprit(hook, error)} failed in {hook}: {_brief(error)}") from error

    def gather(
        self, hook: str, read: Callable[[Any], Read], **facts: Any
    ) -> tuple[list[Read], dict[str, str]]:
        """Call a hook that adds something, one plugin at a time, and `read` each answer; returns what was
        read, and plugin -> what went wrong for those that failed."""
        caller: pluggy.HookCaller = getattr(self.hook, hook)
        plugins = [implementation.plugin for implementation in caller.get_hookimpls()]
        answers: list[Read] = []
        problems: dict[str, str] = {}
        for plugin in reversed(plugins):  # pluggy's own order: the last one registered first
            others = [other for other in plugins if other is not plugin]
            try:
                answers += [read(answer) for answer in self.manager.subset_hook_caller(hook, others)(**facts)]
            except Exception as error:  # a plugin may fail in any way
                problems[str(self.manager.get_name(plugin))] = _brief(error)
        return answers, problems

    def _culprit(self, hook: str, error: BaseException) -> str:
        """The plugin one of whose implementations the error passed through."""
        caller: pluggy.HookCaller = getattr(self.hook, hook)
        passed = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
        for each in caller.get_hookimpls():
            if getattr(each.function, "__code__", None) in passed:
                return f"plugin {self.manager.get_name(each.plugin)}"
        return "a plugin"

    def backend(self, name: str) -> BackendEntry:
        return _look_up("backend", self.backends, name)

    def task(self, name: str) -> TaskEntry:
        return _look_up("task", self.tasks, name)

    def cell(self, name: str) -> CellEntry:
        return _look_up("cell", self.cells, name)

    def executor(self, name: str) -> ExecutorEntry:
        return _look_up("executor", self.executors, name)

    def start_executor(self, name: str, options: RunOptions) -> Executor:
        """The executor of that name, ready to run trials.

        Raises UnknownNameError for a name that no plugin registered and for a setting that it does not have,
        RequestError for one given twice, MissingFrameworkError where what it needs is not installed.
        """
        entry = self.executor(name)
        _check_settings(entry, options.settings)
        check_installed(f"executor {name!r}", entry.requirements, entry.extra)
        return entry.load(options)

    def reference(self) -> BackendEntry:
        """The backend that parity is checked against. Raises PluginError unless exactly one is marked as it."""
        found = [entry for entry in self.backends.values() if entry.reference]
        if len(found) != 1:
            names = ", ".join(entry.name for entry in found) or "none"
            raise PluginError(f"exactly one backend must be the reference, found: {names}")
        return found[0]


def _look_up(kind: str, entries: dict[str, AnyEntry], name: str) -> AnyEntry:
    if name not in entries:
        raise UnknownNameError(kind, name, entries, hint=f"See `benchsuite list {kind}s`.")
    return entries[name]


def _check_settings(entry: ExecutorEntry, given: Sequence[tuple[str, str]]) -> None:
    starts = tuple(name[:-1] for name in entry.settings if name.endswith("*"))
    seen: set[str] = set()
    for name, _ in given:
        if name not in entry.settings and not (starts and name.startswith(starts) and name not in starts):
            raise UnknownNameError(f"option of executor {entry.name!r}", name, entry.settings)
        if name in seen and name not in entry.repeatable:
            raise RequestError(
                f"--executor-option {name} is given twice, and one value is kept: give it once"
            )
        seen.add(name)


def load_backend(name: str, execution: Execution | None = None) -> Backend:
    """The backend `name`, its framework imported here, behind every check of what it is given.

    :param execution: what programs will be built for: the environment variables that the framework reads at
        its import are set for it (`os.environ`), which has no effect where it is imported already. Thread
        counts of BLAS libraries are read even earlier: set OMP_NUM_THREADS before Python starts.

    Raises UnknownNameError for a name that no plugin registered, and MissingFrameworkError where the
    framework is not installed.
    """
    entry = registry().backend(name)
    check_installed(f"backend {name!r}", entry.requirements, entry.extra)
    os.environ.update(entry.environment(execution or Execution()))
    return CheckedBackend(made(entry))


def made(entry: BackendEntry) -> Backend:
    """What entry.load() gives: the framework is imported here. Raises PluginError where it is no Backend."""
    backend: object = entry.load()
    if not isinstance(backend, Backend):
        given = f"the class {backend.__name__}" if isinstance(backend, type) else type(backend).__name__
        raise PluginError(f"backend {entry.name!r}: load() gave {given}, must give a Backend")
    return backend


def check_installed(what: str, requirements: Sequence[str], extra: str | None) -> None:
    """Raises MissingFrameworkError, naming the extra, unless all distributions of `requirements` are here."""
    missing = [name for name in requirements if not is_installed(name)]
    if missing:
        raise MissingFrameworkError(what, missing, extra)


def is_installed(distribution: str) -> bool:
    """Whether this interpreter has the distribution."""
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


@cache
def registry() -> Registry:
    """The plugins of this interpreter, found once per process. Their cells are known from then on."""
    found = load(entry_points(group=GROUP))
    for name, entry in found.cells.items():
        if name not in BUILTIN_CELLS:
            register_cell(entry)
    return found


def load(points: Iterable[EntryPoint]) -> Registry:
    """Load entry points; a plugin that fails in any way is named in `problems` and left out."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    found = Registry(manager)
    # benchsuite's own first: a name that is taken stays with the one who had it
    for point, info in sorted(_described(points), key=_rank):
        problem = _register(found, point, info)
        if problem:
            info = PluginInfo(info.name, info.distribution, info.version, problem)
        found.plugins.append(info)
    return found


def _described(points: Iterable[EntryPoint]) -> Iterator[tuple[EntryPoint, PluginInfo]]:
    """Each with its distribution, whose metadata is parsed once: it holds a README, and this is part of every
    start."""
    known: dict[int, tuple[str, str]] = {}
    for point in points:
        dist = point.dist
        if id(dist) not in known:
            known[id(dist)] = (dist.name, dist.version) if dist else ("?", "?")
        yield point, PluginInfo(point.name, *known[id(dist)])


def _rank(described: tuple[EntryPoint, PluginInfo]) -> tuple[bool, str]:
    point, info = described
    return info.distribution != hookspecs.PROJECT, point.name


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
        return _brief(error)
    return ""


def _brief(error: BaseException) -> str:
    try:
        return capped(f"{type(error).__name__}: {error}", MOST_REASON)
    except Exception:  # a plugin's __str__ may fail in any way
        return described(error)


def _check_marks(plugin: object) -> None:
    """pluggy passes over a function without @hookimpl in silence; its author must be told."""
    for name in vars(hookspecs):
        is_hook = name.startswith(f"{hookspecs.PROJECT}_")
        found = getattr(plugin, name, None) if is_hook else None
        if callable(found) and not hasattr(found, f"{hookspecs.PROJECT}_impl"):
            raise PluginError(f"{name} lacks @hookimpl (from benchsuite import hookimpl)")


def _registered(found: Registry, plugin: object, hook: str) -> list[Any]:
    """What `plugin` alone returns from a registration hook."""
    caller: pluggy.HookCaller = getattr(found.hook, hook)
    answers: list[Any] = [each.function() for each in caller.get_hookimpls() if each.plugin is plugin]
    for answer in answers:
        if not isinstance(answer, Iterable):
            raise PluginError(f"{hook} gave {type(answer).__name__}, must give a list of entries")
    return [entry for answer in answers for entry in answer]


def _collect(found: Registry, plugin: object, info: PluginInfo) -> None:
    kinds: list[tuple[str, dict[str, Any], type[Any]]] = [
        ("backend", found.backends, BackendEntry),
        ("task", found.tasks, TaskEntry),
        ("cell", found.cells, CellEntry),
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
                built_in = kind == "cell" and entry.name in BUILTIN_CELLS
                owner = (
                    hookspecs.PROJECT
                    if built_in
                    else found.owners.get(f"{kind}:{entry.name}", info).distribution
                )
                raise PluginError(
                    f"{kind} {entry.name!r} is registered by both {owner} and {info.distribution}"
                )
            fresh.append((kind, entries, entry))
    for kind, entries, entry in fresh:
        entries[entry.name] = entry
        found.owners[f"{kind}:{entry.name}"] = info
