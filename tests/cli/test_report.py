"""`benchsuite report` as a user types it, of studies by name, by path and in bundles."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fixtures import synthetic
from fixtures.pages import see
from typer.testing import CliRunner, Result

from benchsuite.cli.app import app


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    synthetic.study(folder / "mine", 24, 2, 3)
    return folder


@pytest.fixture(scope="module")
def bundle(results: Path) -> Path:
    path = results / "mine.crate.zip"
    call("bundle", "mine", "--results", str(results), "-o", str(path), "--no-report")
    return path


def test_a_study_is_reported_by_name(results: Path, tmp_path: Path) -> None:
    output = tmp_path / "site"
    said = call("report", "mine", "--results", str(results), "-o", str(output)).stdout
    assert said == f"{output / 'index.html'}\n"
    assert "24 trials" in see(output / "index.html").text
    assert len(list((output / "trials").iterdir())) == 24


def test_a_bundle_is_reported_and_its_study_merges_with_another(
    results: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        tempfile, "tempdir", str(tmp_path / "temporary")
    )  # its own: others unpack bundles too
    (tmp_path / "temporary").mkdir()
    call("report", str(bundle), str(results / "mine"), "-o", str(tmp_path / "site"))
    text = see(tmp_path / "site" / "index.html").text
    assert "Studies mine and mine" in text
    assert "24 records of trials that were run again on the same machine" in text
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("command", ["show", "export", "compare"])
def test_other_commands_read_bundles_too(command: str, bundle: Path) -> None:
    more = {"export": ["--format", "csv"], "compare": [str(bundle)]}
    said = call(command, str(bundle), *more.get(command, [])).stdout
    assert said


def test_a_bundle_takes_its_report_along(results: Path, tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "with.zip"
    call("bundle", "mine", "--results", str(results), "-o", str(path))
    names = zipfile.ZipFile(path).namelist()
    assert "report/index.html" in names
    assert "report/assets/site.css" in names


def test_an_unknown_format_names_those_there_are(results: Path, tmp_path: Path) -> None:
    result = call("report", "mine", "--results", str(results), "-o", str(tmp_path), "-f", "htm", code=2)
    assert "unknown format 'htm'; did you mean 'html'?" in result.output


def test_an_output_that_is_a_file_is_said(results: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = call("report", "mine", "--results", str(results), "-o", str(tmp_path / "file"), code=2)
    assert "the report cannot be written to" in result.output
    assert (tmp_path / "file").read_text() == "x"


def test_a_study_that_is_not_there_is_said(results: Path, tmp_path: Path) -> None:
    result = call("report", "min", "--results", str(results), "-o", str(tmp_path), code=2)
    assert "did you mean 'mine'?" in result.output
