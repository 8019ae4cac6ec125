"""Hashes of the data of a suite, as far as they are the same on every machine.

The data are made twice, the second time without the newer instructions of this processor. A task whose values
a floating-point formula makes, and which does not state their origin (LoadedTask.origin), may then have another
hash: one that no other machine could be compared with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

from benchsuite.analysis.identity import task_key
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.provenance import dataset_digest
from benchsuite.plugins import registry
from benchsuite.schema import Trial

OLDER_PROCESSOR = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Prescott",
}
"""Variables that make NumPy and OpenBLAS compute as on another processor (x86)."""


def data_hashes(trials: Iterable[Trial]) -> dict[str, str]:
    """Task, source and options -> SHA-256 of the data, of what is here and does not depend on the processor.
    What is left out is named on standard error."""
    found = {task_key(trial): trial for trial in trials}
    here = _hashes(found.values())
    asked = json.dumps([trial.model_dump(mode="json") for trial in found.values()])
    done = subprocess.run(
        [sys.executable, "-m", "benchsuite.running.suites.data_hashes"],
        input=asked, capture_output=True, text=True, check=True, env={**os.environ, **OLDER_PROCESSOR},
    )  # fmt: skip
    there = json.loads(done.stdout)
    for key in found:
        if key not in here:
            print(f"no data hash of {key}: the data are not here", file=sys.stderr)
        elif here[key] != there.get(key):
            print(f"no data hash of {key}: it depends on the processor", file=sys.stderr)
    return {key: digest for key, digest in here.items() if digest == there.get(key)}


def _hashes(trials: Iterable[Trial]) -> dict[str, str]:
    found, registered = {}, registry()
    for trial in trials:
        entry = registered.task(trial.task)
        try:
            data = entry.load().load(trial.source, entry.complete(trial.options))
        except BenchsuiteError as error:
            print(f"{trial.task}: {error}", file=sys.stderr)
        else:
            found[task_key(trial)] = dataset_digest(data)
    return found


if __name__ == "__main__":
    print(json.dumps(_hashes(Trial.model_validate(given) for given in json.load(sys.stdin))))
