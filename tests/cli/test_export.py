"""`benchsuite export`, in every form."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from fixtures.command import call

from benchsuite.schema import Record

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


def records(results: Path) -> list[Record]:
    lines = (results / "smoke" / "records.jsonl").read_text("utf-8").splitlines()
    return [Record.model_validate_json(line) for line in lines]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_export_gives_one_row_a_trial(results: Path, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"table.{form}"
    call("export", "smoke", "--format", form, "--output", str(file))
    frame = getattr(pd, f"read_{form}")(file)
    assert len(frame) == 1
    assert frame["test/accuracy"][0] == pytest.approx(records(results)[0].scalars["test/accuracy"])


def test_export_goes_to_standard_output(results: Path) -> None:
    del results
    assert len(pd.read_csv(io.StringIO(call("export", "smoke", "-f", "csv").stdout))) == 1


def test_export_refuses_what_it_cannot_write(results: Path) -> None:
    assert "unknown format 'xml'" in call("export", "smoke", "--format", "xml", code=2).stderr
    nowhere = str(results / "no" / "folder.csv")
    refused = call("export", "smoke", "-f", "csv", "-o", nowhere, code=2).stderr
    assert "cannot write" in refused
    assert "None" not in refused
