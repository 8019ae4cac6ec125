"""What a trial counts in a cut is the same on every machine."""

from __future__ import annotations

from fixtures.planted import planted

from benchsuite.running.shards import trial_weights
from benchsuite.schema import Record


def took(seconds: float, **fields: object) -> Record:
    record = planted(0.9, **fields)  # type: ignore[arg-type]
    return record.model_copy(update={"started": 0.0, "finished": seconds})


def test_without_records_a_trial_counts_what_it_asks() -> None:
    weight = trial_weights()
    small, large = planted().trial, planted(recipe={"epochs": 500, "batch_size": 10}).trial
    assert 0 < weight(small) < weight(large)
    assert weight(small) == weight(planted(seed=9, backend="torch").trial)


def test_with_the_records_of_a_study_it_counts_what_it_took() -> None:
    weight = trial_weights([took(3.0), took(30.0, backend="torch")])
    assert weight(planted(seed=4).trial) == 3_000_000
    assert weight(planted(backend="torch").trial) == 30_000_000
