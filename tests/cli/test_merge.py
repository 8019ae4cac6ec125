"""`benchsuite run --shard` and `benchsuite merge`: shards that are merged are the study of one run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.command import call
from fixtures.planted import planted
from fixtures.shards import BIG, SMALL, on, write_study

from benchsuite.analysis.reproduction import Likeness, compare_records
from benchsuite.running.study import StoredStudy

ASKED = ("smoke", "--backend", "numpy", "--set", "seed=0,1,2,3,4", "--set", "protocol.rounds=1")
SHARDS = 4


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results folder in which `smoke` was run on numpy whole, and once more as four shards."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_RESULTS", str(folder))
        call("run", *ASKED, "--name", "whole", "--tracking-uri", "none")
        for index in range(1, SHARDS + 1):
            call("run", *ASKED, "--shard", f"{index}/{SHARDS}")
        yield folder


def shard(index: int) -> str:
    return f"smoke.shard-{index}-of-{SHARDS}"


def test_shards_that_are_merged_equal_the_study_of_one_run(results: Path) -> None:
    said = call("merge", *map(shard, range(1, SHARDS + 1)), "--output", "merged").stdout
    assert "5 trials, 5 records" in said
    assert "missing" not in said
    whole, merged = StoredStudy.read(results / "whole"), StoredStudy.read(results / "merged")
    assert {one.trial_id for one in merged.records} == {one.trial_id for one in whole.records}
    for record in whole.records:
        (same,) = [one for one in merged.records if one.trial_id == record.trial_id]
        again = same.model_copy(update={"series": merged.series(same.trial_id, same.attempt)})
        found = compare_records(record, whole.series(record.trial_id), again)
        assert found.likeness is Likeness.EQUAL
        assert set(found.changes) <= {"process.affinity"}
        assert set(same.scalars) == set(record.scalars)
        assert merged.exhibits(same.trial_id) == whole.exhibits(record.trial_id)
    assert not (results / "mlflow.db").exists()
    # every command reads it
    assert "5 records" in call("show", "merged").stdout
    assert "B is" in call("compare", "whole", "merged").stdout
    assert len(json.loads(call("export", "merged", "--format", "json").stdout)) == 5
    call("bundle", "merged", "--no-report", "--output", str(results / "merged.crate.zip"))
    assert "5 trials" in call("merge", str(results / "merged.crate.zip"), "--output", "from-bundle").stdout
    assert "5 recorded already" in call("plan", *ASKED, "--name", "merged").stdout


def test_a_shard_that_is_run_again_has_nothing_to_do(results: Path) -> None:
    journal = results / shard(2) / "records.jsonl"
    before = journal.read_bytes()
    assert "0 trials to run" in call("run", *ASKED, "--shard", f"2/{SHARDS}").stdout
    assert journal.read_bytes() == before
    planned = json.loads(call("plan", *ASKED, "--shard", f"2/{SHARDS}", "--json").stdout)
    assert {item["action"] for item in planned} == {"fresh"}
    assert {item["id"] for item in planned} == {
        one.trial_id for one in StoredStudy.read(results / shard(2)).records
    }
    assert {item["seconds_from"] for item in planned} == {"records of the configuration"}


@pytest.mark.usefixtures("results")
def test_what_is_missing_is_listed_with_the_command_that_runs_it() -> None:
    said = call("merge", shard(1), shard(3), "--output", "parts").stdout
    assert "missing: " in said
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith("benchsuite run")]
    assert len(commands) == 2
    for command, index in zip(commands, (2, 4), strict=True):
        words = shlex.split(command, comments=True)
        assert words[1:] == ["run", *ASKED, "--shard", f"{index}/{SHARDS}"]
        assert "0 trials to run" in call(*words[1:]).stdout
    said = call("merge", shard(2), shard(4), "--output", "parts").stdout
    assert "missing" not in said
    assert "5 trials, 5 records" in said


def test_a_cut_that_changed_is_told(results: Path) -> None:
    other = call("run", *ASKED, "--set", "seed=0", "--shard", f"1/{SHARDS}", "--dry-run")
    assert "begun with other trials in its shards" in other.stderr
    assert results.is_dir()


def test_shards_are_balanced_by_the_times_of_a_study(results: Path) -> None:
    ids: list[str] = []
    for index in range(1, 3):
        asked = ("plan", *ASKED, "--name", "new", "--shard", f"{index}/2", "--times", "whole", "--json")
        ids += [item["id"] for item in json.loads(call(*asked).stdout)]
    assert sorted(ids) == sorted(one.trial_id for one in StoredStudy.read(results / "whole").records)
    call("plan", *ASKED, "--times", "whole", code=2)
    call("plan", *ASKED, "--shard", "1/2", "--times", "nothing", code=2)


def test_more_shards_than_trials_leave_some_without_any(results: Path) -> None:
    said = call("run", "smoke", "--backend", "numpy", "--shard", "1/9", "--name", "few", "--set", "seed=0")
    assert "0 trials to run" in said.stdout
    assert "no record" in call("merge", "few.shard-1-of-9", "--output", "few").stdout
    assert StoredStudy.read(results / "few").records == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--output", "m.zip"), "bundle"),
        (("--output", "../m/.."), "cannot name a study"),
        (("--output", "m", "--keep", "oldest"), "newest"),
    ],
)
def test_a_wrong_request_is_refused(results: Path, more: tuple[str, ...], message: str) -> None:
    assert message in call("merge", shard(1), *more, code=2).stderr
    assert results.is_dir()


@pytest.fixture
def two_machines(tmp_path: Path) -> Path:
    """A study merged of two machines that ran the same two trials, one of them faster."""
    for name, facts, value in (("a", BIG, 0.5), ("b", SMALL, 0.75)):
        records = [on(facts, planted(value, cell=cell)) for cell in ("lstm", "gru")]
        write_study(tmp_path / name, records, environment=facts)
    said = call("merge", "a", "b", "--output", "both", "--results", str(tmp_path)).stdout
    assert "2 machines: each has rankings of its own" in said
    return tmp_path


def test_each_machine_has_its_own_ranking_in_every_command(two_machines: Path) -> None:
    where = ("--results", str(two_machines))
    shown = call("show", "both", *where).stdout
    assert "digits / tiny on Big, 64 cores" in shown
    assert "digits / tiny on Small, 1 core" in shown
    listed = call("show", "both", "--trials", *where).stdout
    assert listed.count("on Big, 64 cores") == listed.count("on Small, 1 core") == 2
    trial = planted().trial
    two: list[dict[str, Any]] = json.loads(call("show", "both", trial.id, "--json", *where).stdout)
    assert sorted(one["scalars"]["test/accuracy"] for one in two) == [0.5, 0.75]
    rows = json.loads(call("export", "both", "--format", "json", *where).stdout)
    assert sorted({row["machine"] for row in rows}) == ["Big, 64 cores", "Small, 1 core"]
    compared = json.loads(call("compare", "both", "b", "--json", *where).stdout)
    assert compared["pairs"] == 4
    own = json.loads(call("compare", "b", "both", "--json", *where).stdout)
    assert (own["pairs"], own["hardware_differs"], own["verdict"]) == (2, {}, "same")
    markdown = two_machines / "site"
    call("report", "both", "--format", "markdown", "--output", str(markdown), *where)
    text = "\n".join(path.read_text() for path in markdown.rglob("*.md"))
    assert "Big, 64 cores" in text
    assert "Small, 1 core" in text
