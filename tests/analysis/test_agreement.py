"""Studies that are merged must agree in what made their records, or are named."""

from __future__ import annotations

import pytest
from fixtures.planted import planted

from benchsuite.analysis.agreement import disagreements, plugin_versions
from benchsuite.schema import Record


def with_facts(fingerprint: str = "f", **facts: str) -> Record:
    named = {name.replace("__", "."): value for name, value in facts.items()}
    return planted().model_copy(update={"environment": named, "fingerprint": fingerprint})


@pytest.mark.parametrize(
    ("a", "b", "what"),
    [
        (with_facts(data__sha256="1"), with_facts(data__sha256="2"), "data.sha256 of digits / tiny"),
        (with_facts(artifact__bpe="1"), with_facts(artifact__bpe="2"), "artifact.bpe of digits / tiny"),
        (with_facts(python__version="3.11.7"), with_facts(python__version="3.12.1"), "python.version"),
        (
            with_facts(backend__torch="2.9.0"),
            with_facts(backend__torch="2.9.1"),
            "backend.torch of backend numpy",
        ),
        (with_facts("f"), with_facts("g"), "code of numpy, digits / tiny, lstm"),
    ],
)
def test_what_differs_is_named_with_its_studies(a: Record, b: Record, what: str) -> None:
    (found,) = disagreements({"one": [a], "two": [b]}, {})
    assert found.what == what
    assert list(found.values.values()) == [("one",), ("two",)]
    assert "one" in found.sentence()
    assert "two" in found.sentence()


def test_times_and_choices_of_a_backend_may_differ() -> None:
    a = with_facts(
        backend__compile_seconds="1.593", backend__traces="2", backend__blas_architecture="Haswell"
    )
    b = with_facts(
        backend__compile_seconds="4.934", backend__traces="3", backend__blas_architecture="SkylakeX"
    )
    assert disagreements({"one": [a], "two": [b]}, {}) == []


def test_plugins_of_other_versions_are_named() -> None:
    a, b = (
        {"plugins": [{"name": "torch", "distribution": "benchsuite", "version": version}]}
        for version in ("1.0", "1.1")
    )
    (found,) = disagreements({}, {"one": plugin_versions(a), "two": plugin_versions(b)})
    assert found.sentence() == "plugin torch differs: benchsuite 1.0 in one; benchsuite 1.1 in two"
    assert plugin_versions({}) == {}


def test_one_study_that_was_run_with_two_versions_is_no_disagreement_of_studies() -> None:
    assert disagreements({"one": [with_facts("f"), with_facts("g")]}, {}) == []


def test_what_differs_in_one_way_is_told_once() -> None:
    old, new = (dict.fromkeys(("a", "b", "c"), f"benchsuite {version}") for version in ("1", "2"))
    records = {
        study: [
            planted(cell=cell).model_copy(update={"fingerprint": f"{study} {cell}", "environment": {}})
            for cell in ("lstm", "gru")
        ]
        for study in ("one", "two")
    }
    assert [one.what for one in disagreements(records, {"one": old, "two": new})] == [
        "code of numpy, digits / tiny, gru (and 1 more)",
        "plugin a (and 2 more)",
    ]
