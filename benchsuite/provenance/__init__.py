"""Where a record comes from: machine, software, code, data."""

from benchsuite.provenance.data import dataset_digest
from benchsuite.provenance.environment import environment
from benchsuite.provenance.fingerprint import fingerprint

__all__ = ["dataset_digest", "environment", "fingerprint"]
