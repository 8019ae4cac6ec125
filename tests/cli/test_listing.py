"""`benchsuite list`, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.command import call

from benchsuite.cli.listing_fields import field_rows
from benchsuite.schema.fields import field_types

TINY = ["--backend", "numpy", "--tracking-uri", "none"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results folder with the study `smoke`, run by the command line on the NumPy backend."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_RESULTS", str(folder))
        first = call("run", "smoke", *TINY)
        (folder / "first.txt").write_text(first.stdout, encoding="utf-8")
        yield folder


@pytest.mark.parametrize(
    "kind", ["tasks", "backends", "cells", "architectures", "plugins", "matrices", "executors"]
)
def test_list_as_table_and_as_json(kind: str) -> None:
    found = json.loads(call("list", kind, "--json").stdout)
    assert found
    text = call("list", kind).stdout
    for row in found:
        assert row["name"] in text


def test_lists_hold_what_is_installed() -> None:
    backends = {row["name"]: row for row in json.loads(call("list", "backends", "--json").stdout)}
    assert {"numpy", "torch", "tensorflow", "jax"} <= set(backends)
    tasks = {row["name"]: row for row in json.loads(call("list", "tasks", "--json").stdout)}
    assert set(tasks["time_series"]["installed"]) == {"pandas", "statsmodels"}
    assert tasks["time_series"]["install_with"] == "pip install 'benchsuite[tasks]'"
    assert (tasks["adding"]["installed"], tasks["adding"]["install_with"]) == ({}, "")
    assert tasks["mnist_rows"]["sources"]["digits"].endswith("(offline)")
    matrices = {row["name"]: row["trials"] for row in json.loads(call("list", "matrices", "--json").stdout)}
    assert matrices["smoke"] == 4
    assert matrices["quick"] >= 112


def test_every_field_has_a_meaning_and_what_it_accepts() -> None:
    rows = {row["field"]: row for row in field_rows()}
    assert list(rows) == list(field_types())
    assert not [name for name, row in rows.items() if not row["meaning"] or not row["accepts"]]
    assert rows["recipe.truncation"]["accepts"] == "whole number above 0, or none"
    assert rows["recipe.momentum"] == {
        "field": "recipe.momentum",
        "default": "0.9",
        "accepts": "real number from 0 below 1",
        "meaning": "Optimiser `momentum`: the share of the velocity that is kept.",
    }
    assert rows["execution.precision"]["accepts"] == "float32, float64, tf32"
    assert "lstm" in rows["cell"]["accepts"]
