"""An honest study passes; each way to falsify it is caught by the rule that is meant for it."""

from __future__ import annotations

import json
import math
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.sources import ROOT
from fixtures.tampered import TAMPERS, Forged, honest_study, suite_of_study
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.errors import StoreError, UnknownNameError
from benchsuite.publishing.bundle import METADATA, write_bundle
from benchsuite.publishing.not_detected import NOT_DETECTED
from benchsuite.publishing.rules import VERIFICATION_RULES
from benchsuite.publishing.subject import Subject, read_evidence
from benchsuite.publishing.verify import verify
from benchsuite.running.merge import merge_studies
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.running.suites import Suite

ALSO = {
    "curves_of_another_trial": {"timing", "gradients", "twins", "copies"},
    "curves_left_out": {"timing", "curves", "gradients"},
    "copied_to_another_seed": {"suite"},
    "copied_with_other_durations": {"suite"},
    "record_from_another_machine": {"seeds"},
    "other_recipe_under_the_same_id": {"copies"},
    "line_damaged": {"files", "seeds"},
    "verdict_made_up": {"parity"},
}
"""Tampering -> rules that it breaks besides the one that is meant for it: one fact has several witnesses."""

REFUSED = "timing"
"""On a busy machine a timing of milliseconds may be refused, of which the rule warns."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return honest_study(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def suite(honest: Path) -> Suite:
    return suite_of_study(honest)


def test_an_honest_study_passes(honest: Path, suite: Suite) -> None:
    found = verify(honest, suite)
    assert found.passed, found.sentence
    assert {one.rule for one in found.of("not_applicable")} == set()
    assert {one.rule for one in found.of("warn")} <= {"files", REFUSED}  # of a folder no hash is known
    assert [one.rule for one in found.rules] == [one.name for one in VERIFICATION_RULES]


def test_an_honest_bundle_passes_without_a_warning(honest: Path, suite: Suite, tmp_path: Path) -> None:
    path = write_bundle(StoredStudy.read(honest), tmp_path / "small.crate.zip")
    found = verify(path, suite)
    assert {one.rule for one in found.rules if one.status != "pass"} <= {REFUSED}, found.to_markdown()
    assert found.subject == "small.crate.zip"


def test_without_a_suite_its_rules_say_nothing(honest: Path) -> None:
    found = verify(honest)
    assert found.suite is None
    assert {one.rule for one in found.of("not_applicable")} == {"suite", "seeds", "learning"}


@pytest.mark.parametrize("name", TAMPERS)
def test_tampering_is_caught_by_the_rule_that_is_meant_for_it(
    name: str, honest: Path, suite: Suite, tmp_path: Path
) -> None:
    rule, tamper = TAMPERS[name]
    forged = Forged.of(honest, tmp_path / "small")
    tamper(forged)
    forged.write()
    found = verify(forged.folder, suite)
    assert {one.rule for one in found.of("fail")} == {rule} | ALSO.get(name, set()), found.to_markdown()
    assert found.rule(rule).details


def test_there_are_many_ways_to_tamper_and_one_for_each_rule() -> None:
    assert len(TAMPERS) >= 20
    assert {rule for rule, _ in TAMPERS.values()} == {one.name for one in VERIFICATION_RULES} - {"trials"}


def rezipped(path: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    """A copy of a zip in which members have other content, or are left out."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = changes.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target


def test_a_file_that_was_changed_in_the_bundle_is_caught_by_its_hash(honest: Path, tmp_path: Path) -> None:
    path = write_bundle(StoredStudy.read(honest), tmp_path / "small.crate.zip")
    with zipfile.ZipFile(path) as archive:
        text = archive.read("study/study.json")
    changed = rezipped(path, tmp_path / "changed.crate.zip", {"study/study.json": text + b"\n"})
    found = verify(changed)
    assert {one.rule for one in found.of("fail")} == {"files"}
    assert "study/study.json" in found.rule("files").summary


def test_a_hash_that_is_left_out_is_no_way_round(honest: Path, tmp_path: Path) -> None:
    path = write_bundle(StoredStudy.read(honest), tmp_path / "small.crate.zip")
    with zipfile.ZipFile(path) as archive:
        crate = json.loads(archive.read(METADATA))
    for one in crate["@graph"]:
        if one["@id"] == "study/records.jsonl":
            del one["sha256"]
    changed = rezipped(path, tmp_path / "changed.crate.zip", {METADATA: json.dumps(crate).encode()})
    assert verify(changed).rule("files").status == "fail"


def test_a_bundle_that_lacks_a_file_fails_and_one_that_is_none_is_a_wrong_request(
    honest: Path, tmp_path: Path
) -> None:
    path = write_bundle(StoredStudy.read(honest), tmp_path / "small.crate.zip")
    lacking = rezipped(path, tmp_path / "lacking.crate.zip", {"study/records.jsonl": None})
    found = verify(lacking)
    assert [one.rule for one in found.of("fail")] == ["files"]
    assert "records.jsonl" in found.rule("files").summary
    assert str(tmp_path) not in found.to_json()
    none = tmp_path / "none.zip"
    none.write_bytes(b"no zip")
    for path in (none, tmp_path / "nothing"):
        with pytest.raises(StoreError):
            verify(path)


def test_a_description_of_a_newer_format_fails_the_schema(honest: Path, tmp_path: Path) -> None:
    forged = Forged.of(honest, tmp_path / "small")
    path = forged.folder / "study.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 99}), "utf-8")
    found = verify(forged.folder)
    assert [one.rule for one in found.of("fail")] == ["schema"]


def test_an_unknown_suite_is_a_wrong_request(honest: Path) -> None:
    with pytest.raises(UnknownNameError, match="quick@1"):
        verify(honest, "quick@9")


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_figure_that_is_changed_is_caught_or_documented(
    honest: Path, suite: Suite, data: st.DataObject
) -> None:
    records, (first, *others), damage, faults = read_evidence(honest)
    name = data.draw(st.sampled_from(sorted(first.record.scalars)))
    factor = data.draw(st.one_of(st.floats(0.3, 0.95), st.floats(1.05, 3.0)))
    value = first.record.scalars[name]
    changed = value * factor if value and math.isfinite(value) else 0.5 * factor
    record = first.record.model_copy(update={"scalars": first.record.scalars | {name: changed}})
    subject = Subject(
        [record, *records[1:]],
        [replace(first, record=record), *others],
        StudyStore(honest).description(),
        damage,
        faults,
        suite=suite,
        now=time.time(),
    )
    failed = [one.name for one in VERIFICATION_RULES if one.judge(one, subject).status == "fail"]
    assert failed or name.startswith(tuple(NOT_DETECTED)), (name, value, changed)


def test_the_documentation_has_the_rules_and_what_they_cannot_see() -> None:
    text = (ROOT / "docs" / "howto" / "verify.md").read_text("utf-8")
    table = [line for line in text.splitlines() if line.startswith("| `")]
    rules = [f"| `{one.name}` | {one.demands} |" for one in VERIFICATION_RULES]
    assert table == rules + [f"| `{name}` | {why} |" for name, why in NOT_DETECTED.items()]


STRANGER = {"hardware.cpu": "Another 9000", "hardware.cores": "64", "hardware.logical_cores": "128"}


def strangers(honest: Path, folder: Path) -> Path:
    """The study as it would be, had it been made on another machine by somebody else."""
    made = Forged.of(honest, folder)
    for line in made.lines:
        line["environment"] |= STRANGER
    made.write()
    path = folder / "study.json"
    description = json.loads(path.read_bytes())
    description["environment"] |= STRANGER
    path.write_text(json.dumps({**description, "id": "f" * 32}), "utf-8")
    return folder


def test_a_strangers_bundle_passes_under_any_name(honest: Path, suite: Suite, tmp_path: Path) -> None:
    study = strangers(honest, tmp_path / "elsewhere" / "small")
    path = write_bundle(StoredStudy.read(study), tmp_path / "their results.zip")
    assert verify(path, suite).passed, verify(path, suite).to_markdown()


def merged(studies: list[Path], output: Path) -> Path:
    merge_studies([StoredStudy.read(one) for one in studies], output)
    return output


def test_a_merged_study_passes(honest: Path, suite: Suite, tmp_path: Path) -> None:
    found = verify(merged([honest, honest], tmp_path / "both"), suite)
    assert found.passed, found.to_markdown()


def test_one_machines_records_under_another_machines_name_are_copies(
    honest: Path, suite: Suite, tmp_path: Path
) -> None:
    theirs = strangers(honest, tmp_path / "theirs")
    text = (theirs / "records.jsonl").read_text("utf-8")
    for place, line in enumerate(map(json.loads, text.splitlines())):
        new = f"{place:08x}"  # else merging refuses them: one attempt, two records
        text = text.replace(line["attempt"], new)
        for part in ("series", "exhibits"):
            for path in (theirs / part).glob(f"*{line['attempt']}*"):
                path.rename(path.with_name(path.name.replace(line["attempt"], new)))
    (theirs / "records.jsonl").write_text(text, "utf-8")
    found = verify(merged([honest, theirs], tmp_path / "both"), suite)
    assert [one.rule for one in found.of("fail")] == ["copies"], found.to_markdown()


ODD = [math.nan, math.inf, -math.inf, -1.0, 0.0, 0.5, 1e308, 5e-324, 2.0**60]


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_record_holds_every_rule_has_a_verdict(
    honest: Path, suite: Suite, data: st.DataObject
) -> None:
    """Figures that are no figures, figures, words and curves that are missing, and facts that say nothing."""
    records, (first, *others), damage, faults = read_evidence(honest)
    known = first.record
    names = st.lists(st.sampled_from(sorted(known.scalars)), max_size=4, unique=True)
    scalars = known.scalars | {name: data.draw(st.sampled_from(ODD)) for name in data.draw(names)}
    for name in data.draw(names):
        scalars.pop(name)
    verdicts = {
        name: data.draw(st.sampled_from([word, "odd", ""]))
        for name, word in known.verdicts.items()
        if data.draw(st.booleans())
    }
    facts = {name: data.draw(st.sampled_from([text, "", "x"])) for name, text in known.environment.items()}
    series = dict(first.series)
    for name in data.draw(st.lists(st.sampled_from(sorted(series)), max_size=4, unique=True)):
        values = [data.draw(st.sampled_from(ODD))] * data.draw(st.integers(1, 3))
        series[name] = series[name].model_copy(
            update={"x": [float(n) for n in range(len(values))], "y": values}
        )
    for name in data.draw(st.lists(st.sampled_from(sorted(series)), max_size=4, unique=True)):
        series.pop(name)
    update = {"scalars": scalars, "verdicts": verdicts, "environment": facts, "baselines": {}, "primary": ""}
    record = known.model_copy(update=update if data.draw(st.booleans()) else {"scalars": scalars})
    description: dict[str, Any] = data.draw(
        st.sampled_from(
            [{}, {"merged": [{"machines": 5}]}, {"merged": 5}, {"created": "x", "environment": 5}]
        )
    )
    subject = Subject(
        [record, *records[1:]],
        [Evidence(record, series, first.exhibits), *others],
        description,
        damage,
        faults,
        suite=suite,
        now=time.time(),
    )
    for rule in VERIFICATION_RULES:
        rule.judge(rule, subject)  # raises nothing
