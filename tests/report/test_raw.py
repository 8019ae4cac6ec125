"""The raw data of a report: whole, harmless, a link away from every page."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from fixtures import synthetic
from fixtures.pages import see
from fixtures.records import record

from benchsuite.report import write_report
from benchsuite.report.data import collect
from benchsuite.report.raw import JOURNALS_FILE, TRIALS_FILE, raw_keys, write_raw
from benchsuite.running.study import StoredStudy


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_page_leads_to_every_figure_and_to_the_records(tmp_path: Path) -> None:
    study = StoredStudy.load(synthetic.study(tmp_path / "s", 12, 2, 2))
    write_report([study], tmp_path / "site", ["html"])
    found = rows(tmp_path / "site" / TRIALS_FILE)
    assert [row["trial"] for row in found] == [one.trial_id for one in study.records]
    assert {float(row["recipe.learning_rate"]) for row in found} == {
        one.trial.recipe.learning_rate for one in study.records
    }
    with gzip.open(tmp_path / "site" / JOURNALS_FILE, "rt", encoding="utf-8") as lines:
        kept = [json.loads(line) for line in lines]
    assert [one["id"] for one in kept] == [one.trial_id for one in study.records]
    pages = [*(tmp_path / "site").glob("*.html"), *(tmp_path / "site" / "trials").glob("*.html")]
    for page in pages:
        links = see(page).links()
        assert {(tmp_path / "site" / name).resolve() for name in (TRIALS_FILE, JOURNALS_FILE)} <= set(links)


def test_a_refused_figure_and_a_formula_stay_out(tmp_path: Path) -> None:
    refused = record(0.9, backend="jax", scalars={"speed/sequences_per_second": 679_479.0}, reason="=1+1")
    refused = refused.model_copy(update={"verdicts": {**refused.verdicts, "speed": "cached"}})
    data = collect([StoredStudy("s", tmp_path, [refused, record(0.8, backend="torch")])])
    write_raw(data, tmp_path / "out")
    assert "679479" not in (tmp_path / "out" / TRIALS_FILE).read_text("utf-8")
    first = rows(tmp_path / "out" / TRIALS_FILE)[0]
    assert first["reason"] == "'=1+1"
    assert first["verdict/speed"] == "cached"
    assert raw_keys(data) == {f"file:{TRIALS_FILE}"}, "a study without a journal has none to copy"
    assert not (tmp_path / "out" / JOURNALS_FILE).exists()
