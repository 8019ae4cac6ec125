"""Seconds to trained: the bars and the tables hold what the records say, and old records are told so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fixtures.blocks import charts, every, tables, text, values
from fixtures.planted import planted, timed_parts

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import runs_of
from benchsuite.contracts.report import Block
from benchsuite.report.pages.backends_time import time_to_trained
from benchsuite.schema import Record

BACKENDS = ["numpy", "jax"]


def shown(records: Sequence[Record]) -> list[Block]:
    return list(every(time_to_trained(runs_of(rankings(records)), BACKENDS)))


def test_what_a_user_pays_is_apart_from_what_the_suite_adds() -> None:
    records = [
        planted(backend=backend, scalars=timed_parts(training=2.0, compile=compiled, parity=0.25, timing=1.0))
        for backend, compiled in (("numpy", 0.0), ("jax", 7.5))
    ]
    blocks = shown(records)
    assert "numpy had its models trained in 2.50 s; jax 4 times as long." in text(blocks)
    drawn = charts(blocks)
    paid = {(row["backend"], row["part"]): row["seconds"] for row in values(drawn["Seconds to trained"])}
    assert paid["jax", "compile"] == 7.5
    assert ("jax", "parity") not in paid
    added = {(row["backend"], row["part"]): row["seconds"] for row in values(drawn["What this suite adds"])}
    assert added["numpy", "timing"] == 1.0
    assert ("numpy", "waiting") not in added  # nobody waited
    rows = {row["run by"]: row for row in tables(blocks)["Seconds to trained, by part"]}
    assert rows["jax"]["to trained"] == pytest.approx(
        sum(paid["jax", part] for _, part in paid if _ == "jax")
    )
    more = {row["run by"]: row for row in tables(blocks)["Seconds that this suite adds, by part"]}
    assert more["jax"]["in all"] == pytest.approx(1.25)


def test_both_charts_have_one_scale() -> None:
    drawn = charts(shown([planted(backend=name, scalars=timed_parts(training=3.0)) for name in BACKENDS]))
    scales = [chart.spec["encoding"]["x"]["scale"] for chart in drawn.values()]
    assert scales[0] == scales[1]
    assert scales[0]["domain"][1] == pytest.approx(3.5)


def test_records_of_earlier_versions_are_told_so() -> None:
    assert "the trials have to run again" in text(shown([planted(backend="jax")]))
