"""Where a record comes from: machine, software, code, data."""

from benchsuite.provenance.data import data_facts, dataset_digest, text_digest
from benchsuite.provenance.environment import environment
from benchsuite.provenance.fingerprint import fingerprint
from benchsuite.provenance.process import process_facts

__all__ = ["data_facts", "dataset_digest", "environment", "fingerprint", "process_facts", "text_digest"]
