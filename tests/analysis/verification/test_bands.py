"""Reference bands hold what they were made of, stay inside a metric's domain, and have two sides."""

from __future__ import annotations

import pytest
from fixtures.planted import planted
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.verification.bands import Band, band_faults, bounds, model_digest, without_band
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.analysis.verification.metrics import domain
from benchsuite.schema import Status

METRICS = ["accuracy", "bleu", "mse", "perplexity", "elo"]


@given(st.sampled_from(METRICS), st.floats(0.03, 0.97), st.integers(1, 5), st.floats(0, 0.5))
def test_a_band_holds_its_values_inside_of_the_domain(
    metric: str, share: float, seeds: int, spread: float
) -> None:
    least, most = domain(metric)
    value = least + share * (most - least) if most - least < 1e9 else 1 + 10 * share
    low, high = bounds(metric, [value], spread, seeds)
    assert least <= low < value < high <= most


@pytest.mark.parametrize(
    ("metric", "value", "seeds", "low", "high"),
    [
        ("accuracy", 0.96, 3, 0.923, 0.98),
        ("accuracy", 0.9, 3, 0.818, 0.947),
        ("accuracy", 0.9, 1, 0.75, 0.964),
        ("mse", 0.2, 3, 0.1414, 0.2828),
        ("mse", 0.2, 1, 0.1155, 0.3464),
    ],
)
def test_the_least_width_is_a_factor_of_the_odds_or_of_the_error(
    metric: str, value: float, seeds: int, low: float, high: float
) -> None:
    assert bounds(metric, [value], 0.0, seeds) == pytest.approx((low, high), abs=1e-3)


def test_a_perfect_score_may_come_again_and_spread_widens_a_band() -> None:
    assert bounds("accuracy", [1.0], 0.0, 3)[1] == 1.0
    narrow, wide = bounds("accuracy", [0.8], 0.0, 3), bounds("accuracy", [0.8], 0.5, 3)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("value", "words"), [(0.85, ""), (0.95, "above the reference"), (0.7, "below the reference")]
)
def test_both_sides_of_a_band_are_suspect(value: float, words: str) -> None:
    found = Evidence(planted(value))
    band = Band("lstm plain", "accuracy", 0.8, 0.9, (0.85,), 1, "a study")
    faults = list(band_faults([found], {model_digest(found.record.trial): band}))
    assert len(faults) == bool(words)
    assert all(words in fault for fault in faults)


def test_a_model_without_a_band_is_named_once_and_what_is_not_ranked_never() -> None:
    two = [Evidence(planted(0.9, backend=name)) for name in ("numpy", "torch")]
    failed = Evidence(planted(status=Status.FAILED, cell="gru"))
    assert without_band([*two, failed], {}) == ["lstm plain digits/tiny"]
    assert not list(band_faults([*two, failed], {}))


def test_a_band_is_its_json() -> None:
    band = Band("lstm plain", "accuracy", 0.8, 0.9, (0.85,), 1, "a study")
    assert Band.read(band.as_json()) == band
