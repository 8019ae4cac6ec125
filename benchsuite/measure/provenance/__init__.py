"""Where a record comes from: machine, software, code, data."""

from benchsuite.measure.provenance.code import (
    fingerprint,
    kit_fingerprint,
    software_facts,
    trial_fingerprint,
)
from benchsuite.measure.provenance.data import data_facts, dataset_digest, text_digest
from benchsuite.measure.provenance.machine import environment, hardware, kernel_variables
from benchsuite.measure.provenance.process import process_facts

__all__ = [
    "data_facts",
    "dataset_digest",
    "environment",
    "fingerprint",
    "hardware",
    "kernel_variables",
    "kit_fingerprint",
    "process_facts",
    "software_facts",
    "text_digest",
    "trial_fingerprint",
]
