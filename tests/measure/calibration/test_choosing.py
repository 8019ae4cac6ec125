"""The fastest way is found, kept, and taken again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
from fixtures.numpy_cases import model, parameters

from benchsuite.contracts import Batch, Parameters
from benchsuite.errors import UnsupportedError
from benchsuite.measure.calibration import Choice, calibrated, default_way, kept_choices
from benchsuite.measure.calibration.kept import CALIBRATION_VARIABLE
from benchsuite.plugins import registry
from benchsuite.schema import Execution, ModelSpec, Recipe, parse_choices
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

MODEL = model(hidden=4)
DEFAULT, QUICK = "dynamic products=slow", "dynamic products=quick"


class TwoLibraries(ReferenceBackend):
    """Its steps do nothing but take time: by library."""

    def __init__(self) -> None:
        super().__init__()
        self.built: list[str] = []
        self.seconds = {"slow": 0.02, "quick": 0.004}
        self.offered: tuple[str, ...] = ("slow", "quick")

    def supports(self, _: ModelSpec, __: Recipe, execution: Execution) -> str | None:
        return None if execution.unroll == "dynamic" else "only dynamic"

    def choices(self, _: ModelSpec, __: Recipe, ___: Execution) -> Mapping[str, tuple[str, ...]]:
        return {"products": self.offered} if self.offered else {}

    def build(
        self, spec: ModelSpec, weights: Parameters, recipe: Recipe, execution: Execution
    ) -> ReferenceProgram:
        name = parse_choices(execution.choices).get("products", "slow")
        if name == "broken":
            raise UnsupportedError("this library is not here")
        self.built.append(name)
        program = super().build(spec, weights, recipe, execution.model_copy(update={"choices": ""}))
        seconds = self.seconds[name]

        def step(_: object, __: object = None) -> None:
            end = time.process_time() + seconds
            while time.process_time() < end:
                pass

        program.step = step  # type: ignore[method-assign,assignment]
        return program


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CALIBRATION_VARIABLE, str(tmp_path))


def choose(
    backend: ReferenceBackend,
    since: float = 0.0,
    alone: Callable[[], AbstractContextManager[None]] = nullcontext,
    **execution: str,
) -> Choice:
    batch = Batch(np.zeros((4, 5, 3), np.float64), np.full(4, 5, np.int32), np.zeros(4, np.int32))
    asked = Execution.model_validate({"precision": "float64", **execution})
    entry, weights = registry().backend("numpy"), parameters(MODEL)
    return calibrated(entry, backend, MODEL, lambda: weights, Recipe(), asked, lambda: batch, since, alone)


@pytest.mark.parametrize("unroll", ["dynamic", "best"])
def test_the_faster_way_is_chosen_and_not_measured_twice(unroll: str) -> None:
    backend = TwoLibraries()
    first = choose(backend, unroll=unroll)
    assert first.way.name == QUICK
    assert list(first.seconds) == [DEFAULT, QUICK]
    assert first.measured_seconds > 0
    assert backend.built == ["slow", "quick"]
    again = choose(backend, unroll=unroll)
    assert (again.way, again.seconds, again.measured_seconds) == (first.way, first.seconds, 0.0)
    assert backend.built == ["slow", "quick"]
    assert [one.chosen for one in kept_choices()] == [QUICK]


def test_what_another_process_measured_meanwhile_is_taken() -> None:
    """As two workers do that meet an unknown model at once: one measures, the other waits for the machine."""
    backend, other = TwoLibraries(), TwoLibraries()

    @contextlib.contextmanager
    def alone() -> Iterator[None]:
        choose(other)
        yield

    found = choose(backend, alone=alone)
    assert (found.way.name, found.measured_seconds) == (QUICK, 0.0)
    assert backend.built == []
    assert other.built == ["slow", "quick"]


def test_a_record_says_which_way_ran_and_what_the_others_cost() -> None:
    facts = choose(TwoLibraries()).facts()
    assert facts["calibration.way"] == QUICK
    default, chosen = facts["calibration.relative_seconds"].split("; ")
    assert default.startswith(f"{DEFAULT}: ")
    assert 3 < float(default.rpartition(" ")[2]) < 7
    assert chosen == f"{QUICK}: 1.000"


def test_what_is_older_is_measured_again() -> None:
    backend = TwoLibraries()
    choose(backend)
    backend.seconds = {"slow": 0.004, "quick": 0.02}
    assert choose(backend).way.name == QUICK
    assert choose(backend, since=time.time()).way.name == DEFAULT
    assert choose(backend).way.name == DEFAULT


def test_nothing_is_measured_where_nothing_is_open() -> None:
    backend = TwoLibraries()
    named = choose(backend, choices="products=slow")
    backend.offered = ()
    assert choose(backend).facts() == {"calibration.way": "dynamic"}
    assert named.facts() == {"calibration.way": DEFAULT}
    assert backend.built == []
    assert kept_choices() == []


def test_a_way_that_cannot_be_built_is_no_candidate() -> None:
    backend = TwoLibraries()
    backend.offered = ("slow", "broken")
    found = choose(backend)
    assert found.way.name == DEFAULT
    assert list(found.seconds) == [DEFAULT]


def test_without_calibration_the_default_is_taken() -> None:
    found = default_way(TwoLibraries(), MODEL, Recipe(), Execution(unroll="best"))
    assert (found.way.name, dict(found.seconds)) == (DEFAULT, {})


def test_a_model_that_no_way_runs_is_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="no unroll"):
        default_way(TwoLibraries(), MODEL, Recipe(), Execution(unroll="fused"))
