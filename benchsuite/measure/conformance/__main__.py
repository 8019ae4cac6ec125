"""`python -m benchsuite.measure.conformance BACKEND PRECISION [UNROLL ...] [--core]`: one JSON line a result.

Runs in the backend's own interpreter; its environment must be set before this process starts
(`conformance_environment`). `--core` leaves out what only repeats a property on a further model.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchsuite.measure.conformance.suite import run_suite
from benchsuite.plugins import registry
from benchsuite.schema import PRECISIONS, UNROLLS


def main(arguments: list[str]) -> int:
    """Print a line a check on stdout; returns 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchsuite.measure.conformance")
    parser.add_argument("backend")
    parser.add_argument("precision", choices=list(PRECISIONS))
    parser.add_argument("unrolls", nargs="*", default=list(UNROLLS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--core", action="store_true")
    asked = parser.parse_args(arguments)
    found = registry()
    entry = found.reference()
    reference = (entry.reference_load or entry.load)()
    backend = found.backend(asked.backend).load()
    failed = False
    for result in run_suite(backend, reference, asked.precision, asked.unrolls, asked.device, asked.core):
        failed |= result.status == "failed"
        line = {
            "check": result.item.name,
            "unroll": result.execution.unroll,
            "precision": asked.precision,
            "status": result.status,
            "message": result.message,
        }
        print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
