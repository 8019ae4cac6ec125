"""Provenance: the environment in words; fingerprints that follow the source, digests that follow the data."""

from __future__ import annotations

import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fixtures.tiny import sign_data

import benchsuite
from benchsuite.contracts import BackendEntry, CellEntry, Ragged, Split, TaskEntry
from benchsuite.measure.provenance import dataset_digest, environment, fingerprint
from benchsuite.measure.provenance.code import MEASURING, _source_digest
from benchsuite.measure.provenance.machine import KERNEL_VARIABLES, VARIABLES
from benchsuite.plugins import registry


@dataclass(frozen=True)
class Plugin:
    """A plugin package in a temporary folder, and its entries."""

    folder: Path
    backend: BackendEntry
    task: TaskEntry
    cell: CellEntry | None = None

    def fingerprint(self) -> str:
        """As a fresh process would compute it."""
        _source_digest.cache_clear()
        return fingerprint(self.backend, self.task, registry().reference(), "generated", self.cell)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    folder = tmp_path / "fingerprinted"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("def load():\n    raise SystemExit\n")
    (folder / "inner" / "__init__.py").write_text("")
    (folder / "inner" / "kernel.py").write_text("SCALE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    load: Callable[[], None] = importlib.import_module("fingerprinted").load
    yield Plugin(
        folder,
        BackendEntry("made", load, "for tests", ("numpy",), None),  # type: ignore[arg-type]
        TaskEntry("made", load, "for tests", {"generated": "made", "another": "made"}, ("generated",)),  # type: ignore[arg-type]
    )
    del sys.modules["fingerprinted"]
    _source_digest.cache_clear()


def test_equal_code_has_an_equal_fingerprint(plugin: Plugin) -> None:
    first = plugin.fingerprint()
    assert first == plugin.fingerprint()
    assert len(first) == 16
    assert set(first) <= set("0123456789abcdef")


@pytest.mark.parametrize("path", ["__init__.py", "inner/kernel.py", "inner/added.py"])
def test_a_changed_source_file_changes_the_fingerprint(plugin: Plugin, path: str) -> None:
    before = plugin.fingerprint()
    file = plugin.folder / path
    old = file.read_text() if file.exists() else None
    file.write_text((old or "") + "SCALE = 2\n")
    assert plugin.fingerprint() != before
    if old is None:
        file.unlink()
    else:
        file.write_text(old)
    assert plugin.fingerprint() == before


def test_the_source_of_the_cell_counts_and_that_of_others_does_not(plugin: Plugin) -> None:
    known, cell = registry(), CellEntry("made", plugin.backend.load, "for tests", "none", ())  # type: ignore[arg-type]
    built_in = Plugin(plugin.folder, known.backend("numpy"), known.task("adding"))
    with_cell = replace(built_in, cell=cell)
    alone, before = built_in.fingerprint(), with_cell.fingerprint()
    with (plugin.folder / "inner" / "kernel.py").open("a") as file:
        file.write("SCALE = 2\n")
    assert with_cell.fingerprint() != before
    assert built_in.fingerprint() == replace(built_in, cell=known.cells["lstm"]).fingerprint() == alone


def test_a_renamed_file_changes_it_and_a_readme_does_not(plugin: Plugin) -> None:
    before = plugin.fingerprint()
    (plugin.folder / "README.md").write_text("words")
    assert plugin.fingerprint() == before
    kernel = plugin.folder / "inner" / "kernel.py"
    kernel.rename(kernel.with_name("kernels.py"))
    assert plugin.fingerprint() != before


def test_a_loader_with_arguments_stands_for_its_own_package(plugin: Plugin) -> None:
    wrapped = replace(plugin, backend=replace(plugin.backend, load=partial(partial(plugin.backend.load))))
    assert wrapped.fingerprint() == plugin.fingerprint()


def test_a_requirement_counts_with_its_version(plugin: Plugin) -> None:
    before = plugin.fingerprint()
    for requirement in ("psutil", "not-installed-anywhere"):
        more = replace(plugin, backend=replace(plugin.backend, requirements=("numpy", requirement)))
        assert more.fingerprint() != before
    assert replace(plugin, task=replace(plugin.task, requirements=("numpy",))).fingerprint() == before


def test_what_another_source_requires_does_not_count(plugin: Plugin) -> None:
    before = plugin.fingerprint()
    for source, same in (("generated", False), ("another", True)):
        task = replace(plugin.task, source_requirements={source: ("psutil",)})
        assert (replace(plugin, task=task).fingerprint() == before) == same


CORE = """
import json, pathlib, sys
from benchsuite.measure.provenance.code import _source_digest

root = pathlib.Path(sys.argv[1])
def digest():
    _source_digest.cache_clear()
    return _source_digest("benchsuite")

changed, first = {}, digest()
for part in sorted(root.iterdir()):
    if part.name == "__pycache__" or not (part.is_dir() or part.suffix == ".py"):
        continue
    file = part if part.is_file() else next(iter(sorted(part.rglob("*.py"))), None)
    if file is None:
        continue
    old = file.read_bytes()
    file.write_bytes(old + b"\\n# changed\\n")
    changed[part.name.removesuffix(".py")] = digest() != first
    file.write_bytes(old)
print(json.dumps(changed))
"""


def test_of_the_core_only_what_measures_counts(tmp_path: Path) -> None:
    """A change of the command line makes no record stale; a change of the training loop does."""
    copy = tmp_path / "benchsuite"
    shutil.copytree(Path(benchsuite.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", CORE, str(copy)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,  # `python -c` looks there first
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    changed: dict[str, bool] = json.loads(done.stdout)
    assert {name for name, stale in changed.items() if stale} == set(MEASURING)
    assert {"analysis", "cli", "publishing", "report", "running", "trackers"} <= set(changed)


def test_the_environment_is_words() -> None:
    found = environment()
    assert all(isinstance(name, str) and isinstance(text, str) and text for name, text in found.items())
    assert all("." in name for name in found)
    for name in (
        "hardware.cpu",
        "hardware.cores",
        "hardware.memory_bytes",
        "system.platform",
        "python.version",
    ):
        assert name in found
    assert int(found["hardware.memory_bytes"]) > 2**28
    assert int(found["hardware.logical_cores"]) >= int(found["hardware.cores"]) >= 1
    assert found["python.version"] == ".".join(map(str, sys.version_info[:3]))
    assert f"numpy=={np.__version__}" in found["python.distributions"].split(", ")


def test_threads_and_variables_are_recorded_where_they_are_set() -> None:
    script = (
        "import json; from benchsuite.measure.provenance import environment; print(json.dumps(environment()))"
    )
    clean = {name: text for name, text in os.environ.items() if name not in (*VARIABLES, *KERNEL_VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**clean, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
        | {"OPENBLAS_CORETYPE": "Nehalem"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(done.stdout)
    assert {name for name in found if name.startswith("variable.")} == {
        "variable.OPENBLAS_NUM_THREADS",
        "variable.OMP_NUM_THREADS",
        "variable.OPENBLAS_CORETYPE",
        "variable.PYTHONHASHSEED",
    }
    threads = {name: text for name, text in found.items() if name.startswith("threads.blas")}
    assert set(threads.values()) == {"1"}
    kernels = {name: text for name, text in found.items() if name.startswith("blas.")}
    assert kernels.keys() == {name.replace("threads.blas", "blas") for name in threads}
    if platform.machine() == "x86_64" and "blas.libscipy_openblas" in kernels:
        assert kernels["blas.libscipy_openblas"].endswith(", Nehalem kernels")


def test_equal_data_has_an_equal_digest_and_any_change_another() -> None:
    data = sign_data()
    digest = dataset_digest(data)
    assert digest == dataset_digest(sign_data())
    assert len(digest) == 64
    test = data.test
    assert isinstance(test.targets, np.ndarray)
    values = test.inputs.values.copy()
    values[3, 1] = np.nextafter(values[3, 1], 9)
    other_targets = test.targets.copy()
    other_targets[0] ^= 1
    changes = [
        replace(data, test=Split(replace(test.inputs, values=values), test.targets)),
        replace(data, test=Split(test.inputs, other_targets)),
        replace(data, test=Split(test.inputs, test.targets.astype(np.int64))),
        replace(data, test=test.select(np.arange(len(test))[::-1])),
        replace(data, train=data.validation, validation=data.train),
        replace(data, vocabulary=("a", "b")),
        replace(data, vocabulary=("ab",)),
    ]
    assert len({digest, *map(dataset_digest, changes)}) == len(changes) + 1


def test_the_digest_is_of_the_content_not_of_its_layout_in_memory() -> None:
    data = sign_data()
    inputs = data.train.inputs
    strided = np.asfortranarray(inputs.values)
    same = replace(data, train=Split(Ragged(strided, inputs.starts, inputs.lengths), data.train.targets))
    assert dataset_digest(same) == dataset_digest(data)
