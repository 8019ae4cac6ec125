"""`benchsuite data`: what is there, what is missing, what is damaged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.command import call

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


def test_data_that_is_not_there_is_listed_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    rows = json.loads(call("data", "list", "--json").stdout)
    assert {row["state"] for row in rows} == {"missing"}
    assert rows == json.loads(call("list", "data", "--json").stdout)
    assert call("data", "verify", "mnist_rows").stdout.count("missing") == len(
        [row for row in rows if row["task"] == "mnist_rows"]
    )


def test_corrupt_data_is_named_and_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    name = json.loads(call("data", "list", "--json").stdout)[0]["file"]
    (tmp_path / name).write_bytes(b"not the file")
    result = call("data", "verify", code=1)
    assert f"{tmp_path / name} is not the pinned file" in result.stderr


def test_data_that_cannot_be_fetched_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path))
    monkeypatch.setenv("BENCHSUITE_MIRROR", "http://127.0.0.1:9/nothing")
    error = call("data", "fetch", "mnist_rows", code=1).stderr
    assert error.startswith("error: data file ")
    assert "by hand" in error
