"""An environment is made whole, or nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.twin import write_twin

from benchsuite.errors import RequestError
from benchsuite.plugins import registry
from benchsuite.running.environments import Wanted, create, registered

pytestmark = pytest.mark.usefixtures("home", "uv")


def left(home: Path) -> list[str]:
    """What is in the folder beside locks."""
    return sorted(path.name for path in home.iterdir() if not path.name.endswith(".lock"))


def test_what_is_made_is_registered_with_what_it_was_made_of(home: Path, uv: Path) -> None:
    said: list[str] = []
    made = create(Wanted("numpy", source="1.0", more=("extra-plugin",)), registry(), said.append)
    assert registered() == [made]
    assert (made.name, made.backends, made.distribution) == ("numpy", ("numpy",), "benchsuite")
    assert made.requirements == ("extra-plugin", "benchsuite[tasks]==1.0")
    assert said[0].startswith(f"making {home / 'numpy'}")
    assert said[1] == "installing benchsuite[tasks]==1.0 extra-plugin"
    *_, installed = uv.read_text(encoding="utf-8").splitlines()
    assert "-c " in installed
    assert installed.startswith("cpu pip install")
    assert (made.folder / "numpy.log").is_file()
    assert left(home) == ["numpy"]


def test_without_constraints_and_with_cuda(uv: Path) -> None:
    create(Wanted("numpy", constrained=False, cuda=True, name="gpu"), registry())
    calls = uv.read_text(encoding="utf-8").splitlines()
    assert not [call for call in calls if " -c " in call or "--dry-run" in call or call.startswith("cpu")]
    assert "numpy-cuda,tasks" in calls[-1] or "tasks" in calls[-1]


def test_an_environment_is_not_made_twice_unless_it_is_replaced() -> None:
    old = create(Wanted("numpy"), registry())
    with pytest.raises(RequestError, match="'numpy' exists: remove it with `benchsuite env remove numpy`"):
        create(Wanted("numpy"), registry())
    other = create(Wanted("numpy", name="second"), registry())
    new = create(Wanted("numpy", replace=True), registry())
    assert new.created > old.created
    assert registered() == [other, new]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("numpy", more=("missing",)), "Because missing was not found; all that it said is in"),
        (Wanted("numpy", more=("cuda",)), "build for NVIDIA GPUs, gigabytes .* ask for it with --cuda"),
    ],
)
def test_what_fails_leaves_its_log_alone(home: Path, wanted: Wanted, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        create(wanted, registry())
    assert registered() == []
    assert left(home) == ["numpy.log"]


def test_what_fails_leaves_the_one_that_was_there(home: Path) -> None:
    old = create(Wanted("numpy"), registry())
    with pytest.raises(RequestError):
        create(Wanted("numpy", name="other", more=("missing",)), registry())
    assert registered() == [old]
    assert left(home) == ["numpy", "other.log"]


@pytest.mark.parametrize("step", [0, 1])
def test_what_is_interrupted_leaves_nothing_that_counts(home: Path, step: int) -> None:
    said: list[str] = []

    def interrupt(text: str) -> None:
        said.append(text)
        if len(said) > step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create(Wanted("numpy"), registry(), interrupt)
    assert registered() == []
    assert [name for name in left(home) if not name.endswith(".log")] == []
    assert create(Wanted("numpy"), registry()) in registered()


def test_what_a_killed_command_left_is_replaced(home: Path) -> None:
    (home / "numpy" / "bin").mkdir(parents=True)
    (home / "numpy" / "left").touch()
    made = create(Wanted("numpy"), registry())
    assert not (made.folder / "left").exists()


def test_a_distribution_that_registers_no_backend_is_no_environment(home: Path, tmp_path: Path) -> None:
    folder = write_twin(tmp_path / "twin")  # what stands for uv installs nothing
    with pytest.raises(RequestError, match="benchsuite-twin, as installed, registers no backend"):
        create(Wanted(str(folder)), registry())
    assert registered() == []
    assert "benchsuite-twin" not in left(home)


def test_what_is_inherited_needs_this_version_of_python(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3 99\n", encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(RequestError, match="--inherit needs the same version of Python"):
        create(Wanted("numpy", python=str(python), inherit=True), registry())
