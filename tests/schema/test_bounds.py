"""Records are cut to what a journal and a reader can hold, and no further."""

from __future__ import annotations

from fixtures.records import record

from benchsuite.schema import Status
from benchsuite.schema.bounds import bounded
from benchsuite.schema.texts import MOST_ENTRIES, MOST_FACT, MOST_REASON, MOST_TRACE, MOST_WORD


def test_a_record_within_its_bounds_is_itself() -> None:
    one = record()
    assert bounded(one) is one


def test_texts_and_tables_are_cut() -> None:
    long = record(status=Status.FAILED).model_copy(
        update={
            "reason": "r" * 10**7,
            "exception": "e" * 10**7,
            "kernel": "k\udcff" * 10**6,
            "environment": {"fact": "f" * 10**7, "\ud83d": "g"},
            "scalars": {f"s{n}": float(n) for n in range(MOST_ENTRIES + 5)},
        }
    )
    kept = bounded(long)
    assert len(kept.model_dump_json()) < MOST_REASON + MOST_TRACE + MOST_FACT + 40 * MOST_ENTRIES
    assert (len(kept.scalars), len(kept.kernel)) == (MOST_ENTRIES, MOST_WORD)
    assert kept.kernel.startswith("k?k?")
    assert set(kept.environment) == {"fact", "?"}
    assert kept.trial_id == long.trial_id
    assert bounded(kept) is kept
