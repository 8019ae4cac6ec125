"""`benchsuite export`: one row per trial, for other programs."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import warn

if TYPE_CHECKING:
    from benchsuite.running.study import StoredStudy

PYTEST_BENCHMARK = "pytest-benchmark"
EXPORT_FORMATS = ("csv", "parquet", "json", PYTEST_BENCHMARK)


def export(
    study: given.StudyName,
    format_: Annotated[
        str,
        typer.Option(
            "--format", "-f", metavar="csv|parquet|json|pytest-benchmark", help="Form of the table."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write [dim](default: standard output)[/dim]."),
    ] = None,
    results: given.Results = None,
) -> None:
    """Export a study: one row per trial with its fields, status, verdicts and every scalar.

    As pytest-benchmark it is the JSON that pytest-benchmark writes: a benchmark for each trial with a valid
    timing, for `pytest-benchmark compare`, github-action-benchmark and Bencher.
    """
    from benchsuite.cli.studies import open_study
    from benchsuite.errors import RequestError, UnknownNameError

    if format_ not in EXPORT_FORMATS:
        raise UnknownNameError("format", format_, EXPORT_FORMATS)
    if format_ == "parquet" and output is None and sys.stdout.isatty():
        raise RequestError("Parquet is binary: name a file with --output")
    found = open_study(study, results)
    if output is None and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as in a file, whatever the terminal's encoding
    try:
        if format_ == PYTEST_BENCHMARK:
            _export_benchmarks(found, output)
            return
        frame = found.frame()
        if format_ == "csv":
            frame.to_csv(output or sys.stdout, index=False)
        elif format_ == "json":
            frame.to_json(output or sys.stdout, orient="records", indent=1)
        else:
            frame.to_parquet(output or sys.stdout.buffer, index=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RequestError(
            f"cannot write {output or 'standard output'}: {error.strerror or error}"
        ) from error


def _export_benchmarks(study: StoredStudy, output: Path | None) -> None:
    import json

    from benchsuite.publishing.pytest_benchmark import pytest_benchmark_json

    made, left = pytest_benchmark_json(study)
    for sentence in left:
        warn(sentence)
    text = json.dumps(made, indent=1, ensure_ascii=False)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")
