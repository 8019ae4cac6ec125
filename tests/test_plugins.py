"""The registry: plugins by entry point, broken ones named and left out, the others untouched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from textwrap import dedent

import pytest
from fixtures.tiny import trial

from benchsuite.contracts import BackendEntry, CellEntry, ExecutorEntry, TaskEntry
from benchsuite.errors import PluginError, UnknownNameError
from benchsuite.hookspecs import hookimpl
from benchsuite.plugins import Registry, load, made, registry
from benchsuite.schema import BUILTIN_CELLS
from benchsuite.schema.cells import known_cells

HEAD = """
from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry, CellEntry, ExecutorEntry, TaskEntry

def never():
    raise RuntimeError("only cards are read")

def task(name):
    return TaskEntry(name, never, "for tests", {"generated": ""}, ("generated",))

def cell(name):
    return CellEntry(name, never, "a cell", "nowhere", ("h' = h",))

def backend(name, reference=False):
    return BackendEntry(name, never, "does nothing", (), None, reference=reference)
"""

GOOD = """
@hookimpl
def benchsuite_register_tasks():
    return [task("NAME")]

@hookimpl
def benchsuite_skip_trial(trial):
    return "NAME skips" if trial.task == "NAME" else None
"""

Maker = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, on the import path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Maker:
    """install("name", source): a distribution of one module with one entry point, as installers leave it."""

    def make(distribution: str, source: str, point: str = "", module: str = "") -> None:
        module = module or distribution.replace("-", "_")
        (site / f"{module}.py").write_text(HEAD + dedent(source).replace("NAME", distribution))
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        with (info / "entry_points.txt").open("a") as file:
            file.write(f"[benchsuite]\n{point or distribution} = {module}\n")

    return make


def points(site: Path) -> list[EntryPoint]:
    return [
        point
        for distribution in distributions(path=[str(site)])
        for point in distribution.entry_points
        if point.group == "benchsuite"
    ]


def found(site: Path) -> Registry:
    return load(points(site))


def test_a_plugin_is_known_by_its_distribution(site: Path, install: Maker) -> None:
    install("good-one", GOOD, point="one")
    registered = found(site)
    (plugin,) = registered.plugins
    assert (plugin.name, plugin.distribution, plugin.version, plugin.problem) == (
        "one",
        "good-one",
        "1.2",
        "",
    )
    assert isinstance(registered.task("good-one"), TaskEntry)
    assert registered.owners == {"task:good-one": plugin}


BROKEN = {
    "import error": ("import not_installed_anywhere", "ModuleNotFoundError: No module named 'not_installed"),
    "syntax error": ("def broken(:", "SyntaxError"),
    "exception": ("1 / 0", "ZeroDivisionError: division by zero"),
    "exit": ("raise SystemExit('no licence')", "SystemExit: no licence"),
    "misspelt hook": (
        "@hookimpl\ndef benchsuite_skp_trial(trial): return 'x'",
        "unknown hook 'benchsuite_skp_trial'",
    ),
    "unknown argument": (
        "@hookimpl\ndef benchsuite_skip_trial(trials): return 'x'",
        r"Argument(s) {'trials'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "no mark": ("def benchsuite_skip_trial(trial): return 'x'", "benchsuite_skip_trial lacks @hookimpl"),
    "wrong type": (
        "@hookimpl\ndef benchsuite_register_backends(): return [task('x')]",
        "benchsuite_register_backends gave TaskEntry, not BackendEntry",
    ),
    "nothing returned": (
        "@hookimpl\ndef benchsuite_register_tasks(): [task('x')]",
        "benchsuite_register_tasks gave NoneType, must give a list of entries",
    ),
    "no list": (
        "@hookimpl\ndef benchsuite_register_tasks(): return task('x')",
        "benchsuite_register_tasks gave TaskEntry, must give a list of entries",
    ),
    "a bad field": (
        "CARD = TaskEntry('x', never, 'for tests', {'generated': ''}, ('generated',), options={'x': 3})",
        "PluginError: task 'x': options['x'] is 3, must be of type Option",
    ),
    "a bad option": (
        "from benchsuite.contracts import Option\nCARD = Option(3, 'steps', least=4)",
        "PluginError: Option: the default is not allowed: option default is 3; it must be 4 or more: steps",
    ),
    "hook raises": (
        "@hookimpl\ndef benchsuite_register_tasks(): never()",
        "RuntimeError: only cards are read",
    ),
    "same name twice": (
        "@hookimpl\ndef benchsuite_register_tasks(): return [task('x'), task('x')]",
        "task 'x' is registered by both broken-one and broken-one",
    ),
}


@pytest.mark.parametrize("kind", sorted(BROKEN))
def test_a_broken_plugin_is_named_and_stops_nobody(site: Path, install: Maker, kind: str) -> None:
    source, problem = BROKEN[kind]
    for name in ("a-good", "z-good"):
        install(name, GOOD)
    also = "\n@hookimpl\ndef benchsuite_modify_trials(trials): trials.clear()\n"
    install("broken-one", source + ("" if kind == "syntax error" else also))
    registered = found(site)
    (broken,) = registered.problems
    assert broken.distribution == "broken-one"
    assert problem in broken.problem
    assert [plugin.name for plugin in registered.plugins] == ["a-good", "broken-one", "z-good"]
    assert set(registered.owners) == {"task:a-good", "task:z-good"}
    trials = [trial()]
    registered.hook.benchsuite_modify_trials(trials=trials)
    assert trials, "a plugin that is left out is left out with all its hooks"
    assert registered.hook.benchsuite_skip_trial(trial=trial(task="z-good")) == "z-good skips"


@pytest.mark.parametrize("kind", ["task", "backend", "cell", "executor"])
def test_two_plugins_of_one_name_are_refused_naming_both(site: Path, install: Maker, kind: str) -> None:
    entry = {
        "task": "task('same')",
        "backend": "backend('same')",
        "cell": "cell('same')",
        "executor": "ExecutorEntry('same', never, 'for tests')",
    }
    source = f"""
@hookimpl
def benchsuite_register_{kind}s():
    return [{entry[kind]}]

@hookimpl
def benchsuite_register_{"tasks" if kind != "task" else "backends"}():
    return [{"task('NAME')" if kind != "task" else "backend('NAME')"}]
"""
    install("first", source)
    install("second", source)
    registered = found(site)
    (refused,) = registered.problems
    assert refused.distribution == "second"
    assert f"{kind} 'same' is registered by both first and second" in refused.problem
    assert registered.owners[f"{kind}:same"].distribution == "first"
    assert not [name for name in registered.owners if name.endswith(":second")], "all of it is left out"


@pytest.mark.parametrize("name", sorted(BUILTIN_CELLS))
def test_a_plugin_cannot_take_the_name_of_a_built_in_cell(site: Path, install: Maker, name: str) -> None:
    install("taker", f"@hookimpl\ndef benchsuite_register_cells(): return [cell('{name}')]")
    install("good-one", GOOD)
    registered = found(site)
    (refused,) = registered.problems
    assert f"cell '{name}' is registered by both benchsuite and taker" in refused.problem
    assert registered.cells[name] is BUILTIN_CELLS[name]
    assert "good-one" in registered.tasks


@pytest.mark.parametrize("name", ["Big", "none", "", 3])
def test_a_cell_of_a_name_that_no_matrix_can_say_is_refused(site: Path, install: Maker, name: object) -> None:
    install("odd", f"@hookimpl\ndef benchsuite_register_cells(): return [cell({name!r})]")
    (refused,) = found(site).problems
    assert f"cell name {name!r}: must be" in refused.problem


def test_one_module_under_two_names_is_refused_and_keeps_working(install: Maker) -> None:
    install("good", GOOD)
    entry_points = [EntryPoint(name, "good", "benchsuite") for name in ("a", "b")]
    registered = load(entry_points)
    (refused,) = registered.problems
    assert refused.name == "b"
    assert "already in use as plugin ?:a" in refused.problem
    assert registered.hook.benchsuite_skip_trial(trial=trial(task="good")) == "good skips"


def test_a_function_may_serve_a_hook_under_another_name(site: Path, install: Maker) -> None:
    install(
        "renamed",
        "@hookimpl(specname='benchsuite_register_tasks')\ndef tasks(): return (task(n) for n in 'ab')",
    )
    assert set(found(site).tasks) == {"a", "b"}


def test_the_first_reason_to_skip_decides(site: Path, install: Maker) -> None:
    install("silent", "@hookimpl\ndef benchsuite_skip_trial(trial): return None")
    install("loud", "@hookimpl\ndef benchsuite_skip_trial(trial): return 'loud'")
    assert found(site).hook.benchsuite_skip_trial(trial=trial()) == "loud"


FAILS = """
@hookimpl
def benchsuite_modify_trials(trials):
    trials.sort(key=lambda trial: 1 / 0)

@hookimpl
def benchsuite_skip_trial(trial):
    return int(trial.task)

@hookimpl
def benchsuite_environment(trial):
    return {"fails.x": never()}

@hookimpl
def benchsuite_probes(trial):
    yield never()
"""


def test_a_plugin_that_fails_to_decide_is_named(site: Path, install: Maker) -> None:
    install("good", GOOD)
    install("fails", FAILS)
    ask = found(site).ask
    message = r"plugin fails:fails failed in benchsuite_modify_trials: ZeroDivisionError: division by zero"
    with pytest.raises(PluginError, match=message):
        ask("benchsuite_modify_trials", trials=[trial()])
    with pytest.raises(PluginError, match=r"plugin fails:fails failed in benchsuite_skip_trial: ValueError"):
        ask("benchsuite_skip_trial", trial=trial())
    assert ask("benchsuite_skip_trial", trial=trial(task="7")) == 7


def test_a_plugin_that_fails_to_add_something_is_left_out_and_named(site: Path, install: Maker) -> None:
    install("fails", FAILS)
    for name in ("a", "z"):
        install(name, "@hookimpl\ndef benchsuite_environment(trial): return {'NAME': trial.task}")
    registered = found(site)
    answers, problems = registered.gather("benchsuite_environment", dict, trial=trial())
    assert sorted(answers, key=str) == [{"a": "sign"}, {"z": "sign"}]
    assert problems == {"fails:fails": "RuntimeError: only cards are read"}
    # a generator fails when it is read, not when it is called
    assert registered.gather("benchsuite_probes", list, trial=trial()) == ([], problems)


def test_unknown_names_are_answered_with_the_known_ones(site: Path, install: Maker) -> None:
    install("good", GOOD)
    registered = found(site)
    with pytest.raises(
        UnknownNameError, match=r"unknown task 'god'; did you mean 'good'.*benchsuite list tasks"
    ):
        registered.task("god")
    with pytest.raises(UnknownNameError, match=r"unknown backend 'torch'\. No backend is registered"):
        registered.backend("torch")
    with pytest.raises(UnknownNameError, match="unknown executor 'ray'"):
        registered.executor("ray")


@pytest.mark.parametrize(("references", "said"), [([], "none"), (["a", "b"], "a, b")])
def test_there_must_be_one_reference(site: Path, install: Maker, references: list[str], said: str) -> None:
    for name in references:
        install(
            name, "@hookimpl\ndef benchsuite_register_backends(): return [backend('NAME', reference=True)]"
        )
    with pytest.raises(PluginError, match=f"exactly one backend must be the reference, found: {said}"):
        found(site).reference()


def test_an_object_can_be_a_plugin() -> None:
    """Programs that embed benchsuite register objects; every kind of entry has its hook."""

    class Embedded:
        @hookimpl
        def benchsuite_register_backends(self) -> list[BackendEntry]:
            return [BackendEntry("mine", pytest.fail, "for tests", (), None)]

        @hookimpl
        def benchsuite_register_executors(self) -> list[ExecutorEntry]:
            return [ExecutorEntry("mine", lambda _options: pytest.fail("only cards are read"), "for tests")]

        @hookimpl
        def benchsuite_register_cells(self) -> list[CellEntry]:
            return [CellEntry("mine", pytest.fail, "a cell", "nowhere", ())]

    manager = load([]).manager
    manager.register(Embedded())
    assert [entry.name for (entry,) in manager.hook.benchsuite_register_cells()] == ["mine"]
    assert [entry.name for (entry,) in manager.hook.benchsuite_register_backends()] == ["mine"]
    assert [entry.name for (entry,) in manager.hook.benchsuite_register_executors()] == ["mine"]


def test_the_cells_of_plugins_are_known_once_the_registry_is_read() -> None:
    assert {"mingru", *BUILTIN_CELLS} <= registry().cells.keys() <= known_cells().keys()


def test_the_registry_is_read_once_a_process() -> None:
    assert registry() is registry()


@pytest.mark.parametrize(("given", "said"), [(3, "int"), (dict, "the class dict")])
def test_what_is_no_backend_is_refused_where_it_is_loaded(given: object, said: str) -> None:
    entry = BackendEntry("mine", lambda: given, "for tests", (), None)  # type: ignore[arg-type, return-value]
    with pytest.raises(PluginError, match=rf"^backend 'mine': load\(\) gave {said}, must give a Backend$"):
        made(entry)
