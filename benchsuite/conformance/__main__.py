"""`python -m benchsuite.conformance BACKEND PRECISION [DEVICE]`: the kit, one JSON line a result.

Runs in the backend's own interpreter, with its environment set before the framework is imported.
"""

from __future__ import annotations

import json
import sys

from benchsuite.conformance.suite import run_suite
from benchsuite.plugins import registry


def main(arguments: list[str]) -> int:
    """Print a line a check on stdout; returns 1 if one failed."""
    name, precision, device = (*arguments, "cpu")[:3]
    found = registry()
    reference = found.reference()
    backend = found.backend(name).load()
    plain = (reference.reference_load or reference.load)()
    failed = False
    for result in run_suite(backend, plain, precision, device):
        failed |= result.status == "failed"
        line = {
            "check": result.item.name,
            "unroll": result.execution.unroll,
            "precision": precision,
            "status": result.status,
            "message": result.message,
        }
        print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
