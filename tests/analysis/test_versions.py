"""Versions as records and studies say them, and as readers see them."""

from __future__ import annotations

import pytest
from fixtures.planted import planted

from benchsuite.analysis.versions import framework_version, suite_version, version_words


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("0.2.0", "0.2.0"),
        ("0.1.1.dev745+g4ae3caf98", "0.1.1.dev745 (commit 4ae3caf98)"),
        ("0.1.1.dev745+g4ae3caf98.d20261129", "0.1.1.dev745 (commit 4ae3caf98, changed)"),
        ("2.13.0+cpu", "2.13.0+cpu"),
        ("0.2.0+gnu", "0.2.0+gnu"),
        ("", ""),
    ],
)
def test_a_version_between_releases_names_its_commit(version: str, words: str) -> None:
    assert version_words(version) == words


@pytest.mark.parametrize(
    ("backend", "facts", "version"),
    [
        ("torch", {"backend.torch": "2.13.0+cpu"}, "2.13.0+cpu"),
        ("keras_torch", {"backend.keras": "3.15.1", "backend.torch": "2.13.0"}, "3.15.1"),
        ("mine", {"backend.version": "v1.2"}, "v1.2"),
        ("mine", {"backend.mine": "none", "backend.version": "1.2"}, "1.2"),
        ("mine", {"backend.other": "1.2"}, ""),
    ],
)
def test_the_version_of_a_framework(backend: str, facts: dict[str, str], version: str) -> None:
    record = planted(backend=backend).model_copy(update={"environment": facts})
    assert framework_version(record) == version


def test_the_version_of_the_suite_is_that_of_its_plugins() -> None:
    plugins = [
        {"distribution": "benchsuite", "version": "0.2.0"},
        {"distribution": "benchsuite", "version": "0.1.0"},
        {"distribution": "other", "version": "9"},
        "strange",
    ]
    assert suite_version({"plugins": plugins}) == "0.1.0/0.2.0"
    assert suite_version({}) == ""
