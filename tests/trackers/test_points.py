"""Records in MLflow's terms."""

from __future__ import annotations

import math
import posixpath
import re

import pytest
from fixtures.planted import planted, vanishing_at_the_start_alone
from fixtures.scripted import scripted_trial
from fixtures.sources import published_bundle
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.seeds import estimate
from benchsuite.schema import INVALID_TIMING, Recipe, Record, Series, Status
from benchsuite.trackers.points import (
    MOST_IN_BATCH,
    MOST_POINTS,
    OWN_GROUPS,
    MetricNames,
    estimates,
    is_compared,
    legal,
    params,
    points,
    tags,
    thinned,
)

LEGAL = re.compile(r"[\w\-. /:]+", re.ASCII)


def record(**fields: object) -> Record:
    return Record(trial=scripted_trial(), status=Status.OK, **fields)


@given(st.text(max_size=300))
def test_every_name_becomes_legal(name: str) -> None:
    found = legal(name)
    assert LEGAL.fullmatch(found)
    assert len(found) <= 250
    assert posixpath.normpath(found) == found
    assert not found.startswith("/")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test/accuracy", "test/accuracy"),
        ("test/acc@1 [%]", "test/acc_1 ___"),
        ("a//b/../c", "a/b/c"),
        ("", "unnamed"),
        ("größe=1", "gr__e_1"),
    ],
)
def test_legal_names(name: str, expected: str) -> None:
    assert legal(name) == expected


def test_names_that_fall_together_stay_apart() -> None:
    names = MetricNames()
    assert [names.take("a@b"), names.take("a%b"), names.take("a b")] == ["a_b", "a_b_2", "a b"]
    assert [names.take("a b", "by_step"), names.take("a b", "by_step")] == ["a b_by_step", "a b_2"]


@given(st.integers(0, 5_000), st.integers(0, 600))
def test_thinning_keeps_the_ends_and_the_order(length: int, most: int) -> None:
    found = thinned(length, most)
    assert len(found) == min(length, most)
    assert found == sorted(set(found))
    if len(found) > 1:
        assert (found[0], found[-1]) == (0, length - 1)
    elif found:
        assert found[-1] == length - 1


@given(st.lists(st.integers(0, 3_000), max_size=12), st.integers(0, 100))
def test_a_record_fits_one_request(lengths: list[int], scalars: int) -> None:
    curves = [
        Series(name=f"c{place}", axis="step", x=list(range(n)), y=[0.0] * n)
        for place, n in enumerate(lengths)
    ]
    found = points(record(scalars={f"s{place}": 1.0 for place in range(scalars)}), curves)
    assert len(found) <= MOST_IN_BATCH
    assert sum(point.name.startswith("s") for point in found) == scalars
    counts = [sum(point.name == f"c{place}" for point in found) for place in range(len(lengths))]
    assert all(count <= min(n, MOST_POINTS) for count, n in zip(counts, lengths, strict=True))
    if sum(min(n, MOST_POINTS) for n in lengths) + scalars <= MOST_IN_BATCH:
        assert counts == [min(n, MOST_POINTS) for n in lengths]


def test_infinite_values_are_left_out_and_named_and_nan_is_kept() -> None:
    series = Series(name="train/loss", axis="step", x=[1, 2, 3], y=[math.inf, math.nan, 2.0])
    one = record(scalars={"a": math.inf, "b": math.nan, "c": -math.inf, "train/loss": 1.0})
    found = points(one, [series])
    assert [(point.name, point.step) for point in found] == [
        ("b", 0),
        ("train/loss", 0),
        ("train/loss_by_step", 2),
        ("train/loss_by_step", 3),
    ]
    assert tags(one)["benchsuite.infinite"] == "a, c"


def test_params_are_the_comparison_axes_and_the_rest_is_tags() -> None:
    one = record(kernel="scan", verdicts={"parity": "ok"}, reason="x" * 9_000)
    axes = params(one.trial)
    assert axes["cell"] == "rnn"
    assert axes["seed"] == "0"
    assert axes["learning_rate"] == "0.001"
    assert axes["option.do"] == "ok"
    assert (axes["task"], axes["hidden"], axes["epochs"]) == ("scripted", "64", "10")
    assert "clip" not in axes
    assert (
        params(scripted_trial().model_copy(update={"recipe": Recipe(clip="norm", weight_decay=0.01)}))[
            "weight_decay"
        ]
        == "0.01"
    )
    assert "seed" not in params(one.trial, seed=False)
    rest = tags(one)
    assert rest["benchsuite.recipe.epochs"] == "10"
    assert rest["benchsuite.verdict.parity"] == "ok"
    assert rest["benchsuite.kernel"] == "scan"
    assert len(rest["benchsuite.reason"]) == 4_000
    assert len(rest) < 95


def test_estimates_have_bounds_where_there_are_any() -> None:
    found = {
        point.name: point.value for point in estimates({"a": estimate([1.0, 3.0]), "b": estimate([2.0])})
    }
    assert found["seeds/n"] == 2
    assert found["a"] == 2.0
    assert found["a_low"] < 1.0 < 3.0 < found["a_high"]
    assert found["b"] == 2.0
    assert "b_low" not in found


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_sends_no_speed_and_says_why(word: str) -> None:
    one = planted(timing=word)
    series = [
        Series(name=name, axis="sample", x=[1], y=[1])
        for name in ("speed/step_wall", "speed/inference_cpu", "train/loss")
    ]
    names = {point.name for point in points(one, series)}
    assert not [
        name for name in names if name.startswith(("speed/step_", "speed/inference_", "speed/sequences"))
    ]
    assert {"train/loss", "train/seconds", "test/accuracy"} <= names
    found = tags(one, "what it is called")
    assert found["benchsuite.problem"] == word
    assert found["benchsuite.problem_reason"] == f"the timing is refused: {INVALID_TIMING[word]}"
    assert found["benchsuite.label"] == "what it is called"


def test_the_verdict_on_a_gradient_is_that_of_each_snapshot() -> None:
    [one] = vanishing_at_the_start_alone()
    found = tags(one)
    assert found["benchsuite.verdict.gradient_start"] == "vanishing"
    assert found["benchsuite.verdict.gradient_end"] == "stable"
    assert "benchsuite.verdict.gradient" not in found


def test_a_timing_that_is_not_steady_is_tagged_so() -> None:
    assert "something else had the core" in tags(planted(step=0.0014, cpu=0.0004))["benchsuite.unsteady"]
    assert "benchsuite.unsteady" not in tags(planted())


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("test/accuracy", True),
        ("test/anything", True),
        ("val/accuracy", True),
        ("val/macro_f1", False),
        ("train/loss", True),
        ("speed/sequences_per_second", True),
        ("speed/step_iqr_seconds", False),
        ("gradient/half_life_steps_end", True),
        ("gradient/norm/all", True),
        ("gradient/norm/rnn.l0.fwd", False),
        ("gradient/state/rnn.l0.fwd/end", False),
        ("gradient/norm_before_clip", False),
        ("time/build_seconds", False),
        ("my_probe/pages", True),
    ],
)
def test_what_people_compare_is_sent_and_the_rest_is_attached(name: str, sent: bool) -> None:
    assert is_compared(name, "accuracy") is sent


def test_a_record_of_the_published_study_is_two_dozen_metrics(published: list[Record]) -> None:
    counts = [len({point.name for point in points(one, [])}) for one in published]
    assert max(counts) <= 35
    groups = {name.partition("/")[0] for one in published for name in one.scalars}
    assert groups <= set(OWN_GROUPS)  # no probe of a plugin took part
    assert all({"test/" + one.primary} <= {point.name for point in points(one, [])} for one in published)


@pytest.fixture(scope="module")
def published() -> list[Record]:
    """The records of the study that the project publishes."""
    import zipfile

    with zipfile.ZipFile(published_bundle()) as archive:
        lines = archive.read("study/records.jsonl").splitlines()
    return [Record.model_validate_json(line) for line in lines]


def test_points_of_the_loss_have_times_of_their_own_within_the_trial() -> None:
    figures = {
        "train/steps": 4.0,
        "train/epochs": 2.0,
        "train/seconds": 5.0,
        "speed/first_step_seconds": 2.5,
    }
    one = planted(scalars=figures)
    loss = Series(name="train/loss", axis="step", x=[1, 2, 3, 4], y=[4, 3, 2, 1])
    by_epoch = Series(name="val/accuracy", axis="epoch", x=[1, 2], y=[0.5, 0.6])
    ends = Series(name="train/seconds", axis="epoch", x=[1, 2], y=[3.0, 5.0])
    found = [point for point in points(one, [loss, by_epoch, ends]) if point.step]
    start = one.scalars["speed/import_seconds"] + one.scalars["speed/build_seconds"]
    taken = {
        name: [point.seconds for point in found if point.name == name]
        for name in dict.fromkeys(point.name for point in found)
    }
    assert set(taken) == {"train/loss", "val/accuracy_by_epoch"} or set(taken) == {
        "train/loss",
        "val/accuracy",
    }
    assert taken.pop("train/loss") == pytest.approx([start + 2.5, start + 3.0, start + 4.0, start + 5.0])
    assert taken.popitem()[1] == pytest.approx([start + 3.0, start + 5.0])
    estimated = [point.seconds for point in points(one, [loss]) if point.step and point.seconds is not None]
    assert len(estimated) == sum(bool(point.step) for point in points(one, [loss]))
    assert estimated == sorted(estimated)
    assert estimated[-1] == pytest.approx(start + 5.0)
    assert all(point.seconds is None for point in points(one, []) if not point.step)
