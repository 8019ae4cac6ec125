"""The page on parity: the worst first, errors against tolerances, breaches with a way to look into them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fixtures import varied
from fixtures.blocks import charts, everything, section, tables, text, values

from benchsuite.report.data import collect
from benchsuite.report.pages.parity import parity_page
from benchsuite.report.site import Page
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Status
from benchsuite.schema.thresholds import TOLERANCES

UNRANKED = "Not ranked or not timed, and why"
EVERY = "Every trial, the worst first"


def record(
    seed: int, ratio: float | None, backend: str = "torch", scalars: dict[str, float] | None = None
) -> Record:
    made = varied.record(varied.trial(seed=seed, backend=backend), seed)
    if ratio is None:
        failed: dict[str, Any] = {
            "status": Status.FAILED,
            "scalars": {},
            "verdicts": {},
            "reason": "out of memory",
        }
        return made.model_copy(update=failed)
    breach = not ratio <= 1
    return made.model_copy(
        update={
            "scalars": made.scalars | {"parity/worst_ratio": ratio} | (scalars or {}),
            "verdicts": made.verdicts | {"parity": "breach" if breach else "ok"},
            "reason": "gradient out.W breaks parity: error 4e-05, allowed 2e-05" if breach else "",
        }
    )


def shown(folder: Path, records: Sequence[Record]) -> Page | None:
    store = StudyStore(folder)
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        for one in records:
            store.append(one)
    return parity_page(collect([StoredStudy.load(folder)]))


def page(folder: Path, records: Sequence[Record]) -> Page:
    found = shown(folder, records)
    assert found is not None
    return found


def test_the_worst_comes_first_and_what_is_no_number_before_all(tmp_path: Path) -> None:
    records = [record(0, 0.1), record(1, 3.0), record(2, 0.7), record(3, float("nan"))]
    rows = tables(section(page(tmp_path / "s", records), EVERY))["Errors against the float64 reference"]
    assert [row["of tolerance"] for row in rows] == [float("inf"), 3.0, 0.7, 0.1]
    assert [row["parity"] for row in rows] == ["breach", "breach", "ok", "ok"]


def test_where_all_agree_the_largest_error_is_told(tmp_path: Path) -> None:
    said = text(everything(page(tmp_path / "s", [record(0, 0.1), record(1, 0.55)])))
    assert "2 trials were compared with it; all of them agree." in said
    assert "the largest error is 55 % of its tolerance" in said
    assert "benchsuite check" not in said


def test_a_breach_is_told_with_its_reason_and_the_kit_to_run(tmp_path: Path) -> None:
    records = [record(0, 0.1), record(1, 2.0, "jax"), record(2, None)]
    found = page(tmp_path / "s", records)
    said = text(everything(found))
    assert "1 breaks parity" in said
    assert "gradient out.W breaks parity" in said
    assert "benchsuite check backend jax" in said
    rows = tables(section(found, UNRANKED))[UNRANKED]
    assert {row["what"] for row in rows} == {"parity breach", "failed", "another seed"}


def test_errors_are_drawn_as_shares_of_their_own_tolerances(tmp_path: Path) -> None:
    errors = {"parity/gradient_error": 4e-6, "parity/loss_error": 1e-6, "parity/state_error": 0.0}
    found = page(tmp_path / "s", [record(0, 0.2, scalars=errors)])
    (chart,) = charts(section(found, "Error against tolerance")).values()
    drawn = {row["quantity"]: row["high"] for row in values(chart) if "quantity" in row}
    tolerances = TOLERANCES["float32"]
    assert drawn["gradients"] == pytest.approx(4e-6 / tolerances.gradients)
    assert drawn["loss"] == pytest.approx(1e-6 / tolerances.forward)
    assert "dL/dh" not in drawn, "an error of exactly zero has no logarithm"


def test_widened_tolerances_are_shown_and_taken_into_account(tmp_path: Path) -> None:
    errors = {"parity/gradient_error": 4e-5, "parity/widened": 10.0}
    found = page(tmp_path / "s", [record(0, 0.2, scalars=errors), record(1, 0.1)])
    (chart,) = charts(section(found, "Error against tolerance")).values()
    drawn = {row["quantity"]: row["high"] for row in values(chart) if "quantity" in row}
    assert drawn["gradients"] == pytest.approx(4e-5 / (10 * TOLERANCES["float32"].gradients))
    rows = tables(section(found, EVERY))["Errors against the float64 reference"]
    assert [row["widened"] for row in rows] == [10.0, 1.0]


def test_backends_are_counted(tmp_path: Path) -> None:
    records = [record(0, 0.1), record(1, 0.3), record(0, 4.0, "jax")]
    rows = {
        row["backend"]: row for row in tables(everything(page(tmp_path / "s", records)))["Parity by backend"]
    }
    assert rows["torch"]["trials"] == 2
    assert rows["torch"]["median"] == pytest.approx(0.2)
    assert (rows["jax"]["breaches"], rows["jax"]["worst"]) == (1, 4.0)


def test_where_nothing_was_held_to_the_reference_there_is_no_page(tmp_path: Path) -> None:
    assert shown(tmp_path / "s", [record(0, None)]) is None
