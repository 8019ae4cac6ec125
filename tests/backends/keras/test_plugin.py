"""The entries of the Keras backends, and the process that one of them is loaded in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from fixtures.sources import project

from benchsuite.schema import Execution
from benchsuite_keras import benchsuite_register_backends

ENTRIES = {entry.name: entry for entry in benchsuite_register_backends()}

ALONE = """
import os, sys
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution
from benchsuite_keras import benchsuite_register_backends

entries = {entry.name: entry for entry in benchsuite_register_backends()}
os.environ.update(entries["keras_torch"].environment(Execution()))
print(sorted(device.name for device in entries["keras_torch"].load().devices())[0])
print(sorted({"tensorflow", "jax"} & set(sys.modules)))
try:
    entries["keras_jax"].load()
except UnsupportedError as error:
    print(error)
"""


def test_there_is_one_for_each_framework() -> None:
    assert set(ENTRIES) == {"keras_tensorflow", "keras_jax", "keras_torch"}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_its_framework_in_environment_requirements_and_extra(name: str) -> None:
    entry, framework = ENTRIES[name], name.removeprefix("keras_")
    assert entry.requirements == ("keras", framework)
    assert any("keras" in one for one in project()["project"]["optional-dependencies"][entry.extra])
    for variables in (entry.environment, entry.core_environment):
        assert variables is not None
        assert variables(Execution(threads=2))["KERAS_BACKEND"] == framework


def test_a_process_holds_one_framework_and_says_so_to_the_next() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, env=environment
    )
    device, others, problem = ended.stdout.splitlines()
    assert (device, others) == ("cpu", "[]")
    assert "has imported Keras with torch" in problem
    assert "KERAS_BACKEND=jax" in problem
