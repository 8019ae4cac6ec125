"""Results of an unfinished check: kept line by line, read by the same check alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchsuite.measure.worker.channel import CaseId, CaseResult
from benchsuite.running.kept_checks import MOST_DAYS, KeptResults

FACTS = {"fingerprint": "1", "python": "/a"}


def case(name: str, status: str = "ok", message: str = "") -> CaseResult:
    return CaseResult.model_validate(
        {"check": name, "unroll": "static", "status": status, "message": message}
    )


def key(name: str) -> CaseId:
    return CaseId(check=name, unroll="static")


def test_what_ended_well_is_read_again_and_what_failed_is_not(tmp_path: Path) -> None:
    kept = KeptResults(tmp_path / "new", "mine", FACTS)
    for result in (
        case("a"),
        case("b", "unsupported", "no"),
        case("c", "failed"),
        case("d"),
        case("d", "failed"),
    ):
        kept.add(result)
    found = KeptResults(tmp_path / "new", "mine", FACTS).read()
    assert found == {key("a"): case("a"), key("b"): case("b", "unsupported", "no")}


@pytest.mark.parametrize("facts", [{**FACTS, "fingerprint": "2"}, {**FACTS, "python": "/b"}, {}])
def test_results_of_other_code_or_another_interpreter_are_not_read(
    tmp_path: Path, facts: dict[str, str]
) -> None:
    KeptResults(tmp_path, "mine", FACTS).add(case("a"))
    assert not KeptResults(tmp_path, "mine", facts).read()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path: Path, cut: int) -> None:
    kept = KeptResults(tmp_path, "mine", FACTS)
    kept.add(case("a"))
    kept.add(case("b"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-cut])
    kept.add(case("c"))
    assert set(kept.read()) - {key("b")} == {key("a"), key("c")}


def test_a_finished_check_leaves_nothing_and_takes_old_files_along(tmp_path: Path) -> None:
    old, other = KeptResults(tmp_path, "old", {}), KeptResults(tmp_path, "other", {})
    old.add(case("a"))
    (file,) = tmp_path.iterdir()
    past = time.time() - (MOST_DAYS + 1) * 86_400
    os.utime(file, (past, past))
    other.add(case("a"))
    kept = KeptResults(tmp_path, "mine", FACTS)
    kept.add(case("a"))
    kept.forget()
    assert not kept.read()
    assert not old.read()
    assert other.read()


def test_a_folder_that_cannot_be_written_is_a_problem_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = KeptResults(tmp_path / "file" / "folder", "mine", FACTS)
    kept.add(case("a"))
    assert "an interruption loses them" in kept.problem
    assert not kept.read()
    kept.forget()
