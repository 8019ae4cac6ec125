"""Every hook is documented with its exact signature, exercised by a test, and called by the core."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
import pytest
from fixtures.scripted import scripted_executor, scripted_trial
from fixtures.sources import CORE, ROOT, python_files
from fixtures.tiny import trial

from benchsuite import hookimpl, hookspecs
from benchsuite.contracts import StudyInfo
from benchsuite.measure.conformance.tasks import check_task
from benchsuite.plugins import load
from benchsuite.running.study import run_study
from benchsuite.schema import Record, Trial

DOCUMENT = ROOT / "docs" / "hooks.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def declared() -> dict[str, ast.FunctionDef]:
    """The hooks of hookspecs.py by name."""
    tree = ast.parse((CORE / "hookspecs.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name: function for function in functions if function.name.startswith("benchsuite_")}


def signature(hook: ast.FunctionDef) -> str:
    assert hook.returns is not None
    return f"def {hook.name}({ast.unparse(hook.args)}) -> {ast.unparse(hook.returns)}"


HOOKS = declared()


def sections() -> dict[str, str]:
    """The document's text by the hook its heading names."""
    parts = re.split(r"^### `(\w+)`$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples() -> list[str]:
    """The document's implementations: its blocks of Python but for the bare signatures."""
    blocks = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
    return [block for block in blocks if "@hookimpl" in block]


def implementations(*folders: Path) -> set[str]:
    """Hooks that functions marked with @hookimpl implement."""
    return {
        node.name
        for path in python_files(*folders)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any("hookimpl" in ast.unparse(decorator) for decorator in node.decorator_list)
    }


def called() -> set[str]:
    """Hooks that the core names where it calls one: as the relay's attribute, or to its observers."""
    found: set[str] = set()
    for path in python_files(CORE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Call):
                found |= {str(part.value) for part in node.args if isinstance(part, ast.Constant)}
                found |= _registrations(node)
    return found


def _registrations(call: ast.Call) -> set[str]:
    """`f"benchsuite_register_{kind}s"` stands for one hook of each kind."""
    if not any("benchsuite_register_{kind}s" in ast.unparse(part) for part in call.args):
        return set()
    return {f"benchsuite_register_{kind}s" for kind in ("backend", "task", "cell", "executor")}


def test_there_are_hooks() -> None:
    assert len(HOOKS) >= 11


def test_the_document_has_a_section_for_each_hook_and_no_other() -> None:
    assert list(sections()) == list(HOOKS)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_documented_with_its_exact_signature(name: str) -> None:
    section = sections()[name]
    assert BLOCK.findall(section)[0].strip() == signature(HOOKS[name])
    prose = BLOCK.sub("", section).strip()
    assert len(prose.split()) >= 8, "say when it is called, and what it may do"


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_typed_and_says_what_its_arguments_are(name: str) -> None:
    hook = HOOKS[name]
    text = ast.get_docstring(hook) or ""
    for argument in hook.args.args:
        assert argument.annotation is not None
        assert f":param {argument.arg}:" in text


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_implemented_by_a_test_or_by_the_example(name: str) -> None:
    assert name in implementations(ROOT / "tests", ROOT / "examples")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_called_by_the_core(name: str) -> None:
    assert name in called()


@pytest.mark.parametrize(
    "source", examples(), ids=lambda source: re.findall(r"def (benchsuite_\w+)", source)[-1]
)
def test_a_documented_example_is_a_working_plugin(source: str) -> None:
    plugin = ModuleType("documented")
    exec(compile(source, str(DOCUMENT), "exec"), plugin.__dict__)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    assert manager.get_hookcallers(plugin)


def documented(name: str) -> Any:
    """The hook relay of a plugin that is the document's example for `name`."""
    source = next(block for block in examples() if f"def {name}(" in block)
    plugin = ModuleType("documented")
    exec(compile(source, str(DOCUMENT), "exec"), plugin.__dict__)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    return manager.hook


def test_the_documented_way_to_add_trials_gives_other_trials() -> None:
    trials = [trial(), trial(seed=1)]
    known = {one.id for one in trials}
    documented("benchsuite_modify_trials").benchsuite_modify_trials(trials=trials)
    assert len({one.id for one in trials}) == 4
    assert {one.execution.precision for one in trials if one.id not in known} == {"float64"}


def test_the_documented_rule_and_probe_do_what_they_say() -> None:
    skip = documented("benchsuite_skip_trial").benchsuite_skip_trial
    large = trial(size={"hidden": 2048}, execution={"unroll": "static"})
    assert skip(trial=large) == "a static graph of this size takes minutes to compile"
    assert skip(trial=trial()) is None
    ((probe,),) = documented("benchsuite_probes").benchsuite_probes(trial=trial())
    probe.enter("train")
    probe.leave("train")
    assert list(probe.scalars()) == ["phase/train_seconds"]


def test_the_documented_task_passes_the_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (
        block for block in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")) if "(LoadedTask)" in block
    )
    module = ModuleType("my_package.task")
    monkeypatch.setitem(sys.modules, "my_package", ModuleType("my_package"))
    monkeypatch.setitem(sys.modules, "my_package.task", module)
    exec(compile(code, str(DOCUMENT), "exec"), module.__dict__)
    ((entry,),) = documented("benchsuite_register_tasks").benchsuite_register_tasks()
    check_task(entry, "generated")


def test_observers_hear_of_a_study_in_order(tmp_path: Path) -> None:
    heard: list[str] = []

    class Observer:
        @hookimpl
        def benchsuite_study_started(self, study: StudyInfo, trials: Sequence[Trial]) -> None:
            heard.append(f"{study.name} starts with {len(trials)}")

        @hookimpl
        def benchsuite_trial_started(self, trial: Trial) -> None:
            heard.append(f"{trial.id} starts")

        @hookimpl
        def benchsuite_trial_finished(self, study: StudyInfo, record: Record) -> None:
            assert study.folder == tmp_path / "watched"
            heard.append(f"{record.trial_id} ends")

        @hookimpl
        def benchsuite_study_finished(self, study: StudyInfo, records: Sequence[Record]) -> None:
            heard.append(f"{study.name} ends with {len(records)}")

    registry = load([])
    registry.manager.register(Observer())
    trials = [scripted_trial(), scripted_trial(seed=1)]
    with scripted_executor() as executor:
        run_study("watched", trials, executor, registry, tmp_path)
    by_trial = [line for one in trials for line in (f"{one.id} starts", f"{one.id} ends")]
    assert heard == ["watched starts with 2", *by_trial, "watched ends with 2"]
