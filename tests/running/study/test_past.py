"""Times are expected from the studies that lie beside a study, where it does not know them itself."""

from __future__ import annotations

import os
from pathlib import Path

import threadpoolctl
from fixtures.planted import planted
from fixtures.shards import BIG, on, write_study

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.measure.provenance import hardware
from benchsuite.running.study.past import PastTimes
from benchsuite.running.study.product_rate import product_rate


def here() -> dict[str, str]:
    return dict(machine_of(hardware()).facts)


def test_studies_of_other_names_and_machines_are_asked(tmp_path: Path) -> None:
    write_study(tmp_path / "mine", [on(here(), planted(cell="lstm"), finished=103.0)])
    write_study(tmp_path / "other", [on(here(), planted(cell="gru"), finished=107.0)])
    write_study(tmp_path / "far", [on(BIG, planted(cell="rnn"), finished=150.0)], environment=BIG)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "records.jsonl").write_text("no record\n")
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "records.jsonl").touch()
    (tmp_path / "newer" / "study.json").write_text('{"format": 99}')
    own = [on(here(), planted(cell="lstm"), finished=103.0)]
    trials = [planted(cell=cell, seed=5).trial for cell in ("lstm", "gru", "rnn")]
    lstm, gru, rnn = PastTimes(tmp_path / "mine", own)(trials)
    assert lstm is not None
    assert gru is not None
    assert rnn is not None
    assert (lstm.seconds, gru.seconds) == (3.0, 7.0)
    assert "on Big, 64 cores" in rnn.known_from
    (alone,) = PastTimes(tmp_path / "mine", own)(trials[:1])
    assert alone == lstm


def test_nothing_is_expected_in_an_empty_folder(tmp_path: Path) -> None:
    assert PastTimes(tmp_path / "mine", [])([planted().trial]) == [None]
    assert PastTimes(tmp_path / "mine", [])([]) == []
    assert machine_of({}) == Machine()


def test_the_rate_of_products_is_measured_on_one_thread_and_leaves_the_threads_alone() -> None:
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    assert 1e8 < product_rate() < 1e13 * (os.cpu_count() or 1)
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
