"""From which length on a scan is faster: of the right pairs, and nothing beyond what was measured."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fixtures import crossing as planted
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.analysis.crossing import Crossing, crossings
from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import runs_of
from benchsuite.analysis.scaling import laws
from benchsuite.running.study import StoredStudy

LENGTHS = (32, 128, 512, 2048)


def found(folder: Path, times: planted.Times) -> list[Crossing]:
    study = StoredStudy.load(planted.study(folder, times))
    return crossings(laws(runs_of(rankings(study.records))))


def ratios(folder: Path, *planned: float) -> Crossing:
    """Of a loop of 1 ms per 100 steps and a scan of so many times its seconds."""
    loop = [(length, 1e-5 * length) for length in LENGTHS]
    scan = [(length, 1e-5 * length * ratio) for length, ratio in zip(LENGTHS, planned, strict=True)]
    (one,) = found(folder, {("jax", "dynamic"): loop, ("jax", "scan"): scan})
    assert one.lengths == pytest.approx(LENGTHS)
    assert one.ratios == pytest.approx(planned)
    return one


@settings(max_examples=10, deadline=None)
@given(at=st.floats(40, 2000), power=st.floats(-1.0, -0.1))
def test_two_power_laws_cross_where_they_are_equal(at: float, power: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one = ratios(Path(folder) / "s", *((length / at) ** power for length in LENGTHS))
    assert one.length == pytest.approx(at)
    assert not one.always


@pytest.mark.parametrize(
    ("planned", "length", "always"),
    [
        ((0.9, 0.8, 0.7, 0.6), None, True),
        ((1.9, 1.8, 1.7, 1.6), None, False),
        ((0.5, 0.7, 0.9, 1.1), None, False),
        ((4.0, 2.0, 1.0, 0.5), 512, False),
        ((4.0, 2.0, 0.5, 0.25), 256, False),
        ((2.0, 0.5, 2.0, 0.5), 1024, False),
    ],
    ids=["always faster", "always slower", "slower at last", "equal at one", "once", "the last of two"],
)  # fmt: skip
def test_the_crossing_is_where_the_scan_becomes_faster_for_good(
    tmp_path: Path, planned: tuple[float, ...], length: float | None, always: bool
) -> None:
    one = ratios(tmp_path / "s", *planned)
    assert one.length == (None if length is None else pytest.approx(length))
    assert one.always is always


def test_only_unrolls_of_one_backend_are_compared_at_lengths_that_both_have(tmp_path: Path) -> None:
    flat, steep = [(length, 1e-3) for length in LENGTHS], [(length, 1e-5 * length) for length in LENGTHS]
    made = found(
        tmp_path / "s",
        {
            ("jax", "scan"): flat,
            ("jax", "dynamic"): steep[1:],
            ("jax", "static"): steep,
            ("torch", "dynamic"): steep,
        },
    )
    assert {(one.scan.runs[0].runner, one.loop.runs[0].runner) for one in made} == {
        ("jax scan", "jax dynamic"),
        ("jax scan", "jax static"),
    }
    by_loop = {one.loop.runs[0].runner: one for one in made}
    assert by_loop["jax dynamic"].lengths == pytest.approx(LENGTHS[1:])
    assert by_loop["jax static"].length == pytest.approx(100)
    assert by_loop["jax dynamic"].always


def test_no_laws_have_no_crossing() -> None:
    assert crossings([]) == []
