"""The results that the project publishes: each study is verified and whole, and README.md says what they
say."""

from __future__ import annotations

import subprocess

import pytest
from fixtures.sources import RESULTS, ROOT, published_bundle, tracked_files

from benchsuite.analysis.validity import is_ranked
from benchsuite.publishing.board.readme import BOARD_BEGIN, BOARD_END, board_text
from benchsuite.publishing.bundle import unpacked
from benchsuite.publishing.repository import Repository, Submission
from benchsuite.publishing.repository.check import check_repository
from benchsuite.publishing.repository.folder import VERIFICATION
from benchsuite.publishing.verdict import Verification
from benchsuite.running.study import StoredStudy
from benchsuite.running.suites import load_suite

REPOSITORY = Repository.open(RESULTS)
MOST_BYTES = 25e6
"""Of all bundles and indexes: git keeps every version of them for ever."""
HARMLESS = {"fingerprint", "timing", "baselines"}
"""Rules that may warn: of code that has changed since, of a timing that a busy moment spoilt, of a model
that is too small for its task."""


def test_every_study_is_what_its_bundle_says_and_passes_its_verification() -> None:
    assert [f"{fault.submission}: {fault.sentence}" for fault in check_repository(REPOSITORY)] == []


@pytest.mark.parametrize("one", REPOSITORY.submissions(), ids=lambda one: one.id)
def test_no_study_is_a_claim_and_no_rule_warned_of_more_than_is_harmless(one: Submission) -> None:
    assert one.level == "verified"
    assert one.by
    assert one.licence
    found = Verification.read(REPOSITORY.study(one.id) / VERIFICATION)
    assert {rule.rule for rule in found.of("warn")} <= HARMLESS


def test_the_readme_is_the_first_page_of_the_board() -> None:
    """`benchsuite site results --readme` writes it."""
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    board = text.partition(f"{BOARD_BEGIN}\n")[2].partition(f"\n{BOARD_END}")[0]
    title = text.splitlines()[0].removeprefix("# ")
    assert board.strip() == board_text(REPOSITORY, title=title).strip()


def test_the_study_of_quick_is_whole() -> None:
    with unpacked(published_bundle("quick@1")) as folder:
        study = StoredStudy.load(folder)
        assert {record.trial_id for record in study.records} == load_suite("quick@1").trials
        assert all(is_ranked(record) for record in study.records)
        assert all(study.series(record.trial_id) for record in study.records[::20])


def test_a_clone_stays_small() -> None:
    found = [path for path in tracked_files() if RESULTS in path.parents]
    assert sum(path.stat().st_size for path in found) < MOST_BYTES


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("quick/records.jsonl", True),
        ("quick-1/study.json", True),
        ("mlflow.db", True),
        ("quick.crate.zip", True),
        ("README.md", False),
        ("benchsuite-results.json", False),
        ("accepted.toml", False),
        ("studies/quick-1-0123456789ab/study.crate.zip", False),
        ("studies/quick-1-0123456789ab/summary.json", False),
        ("index/quick-1-0123456789ab.parquet", False),
    ],
)
def test_git_keeps_what_is_published_and_nothing_that_a_run_leaves(path: str, ignored: bool) -> None:
    command = ["git", "-C", str(ROOT), "check-ignore", "--quiet", "--no-index", f"results/{path}"]
    done = subprocess.run(command, check=False, timeout=60)
    assert done.returncode == (0 if ignored else 1)
