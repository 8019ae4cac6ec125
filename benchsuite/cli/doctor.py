"""`benchsuite doctor`: is everything here that a run needs, and if not, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from benchsuite.cli import options as given
from benchsuite.cli.doctor_backends import Finding, backends, environments
from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from pathlib import Path


def doctor(results: given.Results = None, json: given.AsJson = False) -> None:
    """Look at the machine, the plugins, environments, backends and their parity, the data, the results folder.

    Ends with 1 when a plugin or a backend is broken, no backend works, data is corrupt or
    results cannot be written; a backend or a data set that is merely not there is no fault.
    """
    findings = [
        *_machine(),
        *_plugins(),
        *environments(),
        *backends(),
        *_calibration(),
        *_data(),
        *_results(results),
        *_tracking(),
    ]
    if json:
        print_json([dict(zip(("what", "state", "detail"), finding, strict=True)) for finding in findings])
    else:
        console().print(table("", ["", "state", "detail"], findings))
    if any(state == "problem" for _, state, _ in findings):
        raise typer.Exit(1)


def _machine() -> Iterator[Finding]:
    from importlib.metadata import version

    from benchsuite.analysis.machines import machine_of
    from benchsuite.measure.provenance import environment
    from benchsuite.measure.provenance.machine import KERNEL_VARIABLES
    from benchsuite.report.formatting import format_value

    facts = environment()
    memory = format_value(int(facts.get("hardware.memory_bytes", "0")), form="bytes")
    yield "benchsuite", "ok", version("benchsuite")
    yield "python", "ok", f"{facts.get('python.version')} on {facts.get('system.platform')}"
    yield (
        "machine",
        "ok",
        f"{machine_of(facts).name}; {facts.get('hardware.logical_cores')} logical cores, {memory}",
    )
    for name in KERNEL_VARIABLES:
        if value := facts.get(f"variable.{name}"):
            words = f"{value}: one library's kernels are chosen by hand; unset it to compare backends"
            yield name, "warning", words


def _plugins() -> Iterator[Finding]:
    for plugin in installed().plugins:
        who = f"plugin {plugin.name}"
        if plugin.problem:
            yield who, "problem", f"{plugin.distribution} {plugin.version}: {plugin.problem}"
        else:
            yield who, "ok", f"{plugin.distribution} {plugin.version}"


def _data() -> Iterator[Finding]:
    from benchsuite.data import cache_folder, list_files

    yield "data folder", "ok", f"{cache_folder()} (BENCHSUITE_DATA names another)"
    for entry in installed().tasks.values():
        states = [cached.state for cached in list_files(entry.files)]
        if not states:
            continue
        here = states.count("present")
        words = f"{here} of {len(states)} files present"
        if "corrupt" in states:
            yield f"data of {entry.name}", "problem", f"{words}; see `benchsuite data verify {entry.name}`"
        elif here < len(states):
            yield (
                f"data of {entry.name}",
                "missing",
                f"{words}; `benchsuite data fetch {entry.name}` brings the rest",
            )
        else:
            yield f"data of {entry.name}", "ok", words


def _calibration() -> Iterator[Finding]:
    from collections import Counter

    from benchsuite.measure.calibration import calibration_folder, kept_choices

    found = Counter(choice.backend for choice in kept_choices())
    counts = ", ".join(f"{backend} {count}" for backend, count in sorted(found.items()))
    words = f"kept by size of model: {counts}" if counts else "nothing measured so far"
    yield (
        "calibration",
        "ok",
        f"{words}; in {calibration_folder()}; `benchsuite calibrate MATRIX` measures again",
    )


def _results(given_folder: Path | None) -> Iterator[Finding]:
    import os

    from benchsuite.running.study import results_folder

    folder = results_folder(given_folder)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK):
        yield "results folder", "ok", str(folder)
    else:
        yield "results folder", "problem", f"{folder} cannot be written; name another with BENCHSUITE_RESULTS"


def _tracking() -> Iterator[Finding]:
    from benchsuite.cli.listing import distribution_version

    version = distribution_version("mlflow") or distribution_version("mlflow-skinny")
    if version:
        yield "mlflow", "ok", version
    else:
        yield "mlflow", "missing", "records are kept but not mirrored; run: pip install 'benchsuite[mlflow]'"
