"""Figures of a record that may be changed without any rule's noticing it, and why.

docs/howto/verify.md has the same table; a test changes every figure of a record, and asks for a rule that fails
or for a line here.
"""

NOT_DETECTED = {
    "test/": "the test split is scored once: beside the reference band only a confusion matrix tells",
    "parity/": "one ratio is recorded, that of the worst quantity: the other errors may be changed below it",
    "train/seconds": "of earlier versions: with its timed steps it is compared by a factor of two",
    "train/cpu_seconds": "processor time of training has no second witness",
    "train/time_to_target_seconds": "of earlier versions: only that it is within training",
    "time/": "the parts of a trial's time have one witness: together they are no longer than the trial",
    "memory/": "a peak has no second witness",
    "energy/": "a counter has no second witness",
}
"""Beginning of a scalar's name -> why a change of it may pass."""
