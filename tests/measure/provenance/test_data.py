"""The digest of data: equal on every processor, another one for every real change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fixtures.tiny import MeanTask

from benchsuite.contracts import LoadedTask, Ragged, Split
from benchsuite.measure.provenance import dataset_digest
from benchsuite.plugins import registry
from benchsuite.running.suites.data_hashes import OLDER_PROCESSOR
from benchsuite.schema import Scalar
from benchsuite_speech.clips import clips_of

COMPUTED: dict[tuple[str, str], dict[str, Scalar]] = {
    ("speech", "tones"): {},
    ("speech_strings", "tones"): {"strings": 40},
    ("video", "moving_digits"): {"sequences": 20},
    ("video_pairs", "moving_digits"): {"sequences": 20},
    ("time_series", "sunspots"): {},
    ("time_series", "elnino"): {},
    ("time_series", "co2"): {},
    ("adding", "generated"): {"examples": 50},
}
"""Tasks whose values are real numbers, on sources that need no download, with options that make them small."""


@cache
def loaded(task: str, source: str) -> LoadedTask:
    entry = registry().task(task)
    return entry.load().load(source, entry.complete(COMPUTED[task, source]))


def digests() -> list[str]:
    return [dataset_digest(loaded(*name)) for name in COMPUTED]


def test_two_instruction_sets_give_one_digest() -> None:
    code = "import json\nfrom test_data import digests\nprint(json.dumps(digests()))"
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **OLDER_PROCESSOR, "PYTHONPATH": path},
    )
    assert json.loads(done.stdout) == digests()


def with_values(task: LoadedTask, change: Callable[[np.ndarray], np.ndarray]) -> LoadedTask:
    """The task with other real values in the inputs of its training split."""
    inputs = task.train.inputs
    changed = Ragged(change(inputs.values), inputs.starts, inputs.lengths)
    return replace(task, train=replace(task.train, inputs=changed))


def noisy(values: np.ndarray) -> np.ndarray:
    """Every value a unit in the last place up, down, or as it is."""
    ways = np.random.default_rng(3).integers(-1, 2, values.shape)
    moved: np.ndarray = np.nextafter(values, (values + ways).astype(values.dtype))
    return moved


@pytest.mark.parametrize("name", [("speech", "tones"), ("speech_strings", "tones")])
def test_last_digits_of_computed_values_do_not_count(name: tuple[str, str]) -> None:
    task = loaded(*name)
    assert task.origin
    assert dataset_digest(with_values(task, noisy)) == dataset_digest(task)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v * 1.25, id="scaled"),
        pytest.param(lambda v: v + 0.2, id="shifted"),
        pytest.param(lambda v: v[:, ::-1], id="columns turned round"),
        pytest.param(lambda v: v[1:], id="a frame less"),
        pytest.param(lambda v: v.astype(np.float64), id="another type"),
    ],
)
def test_another_formula_is_seen(change: Callable[[np.ndarray], np.ndarray]) -> None:
    task = loaded("speech", "tones")
    inputs = task.train.inputs
    values = change(inputs.values)
    starts = np.minimum(inputs.starts, len(values) - inputs.lengths)
    other = replace(task, train=replace(task.train, inputs=Ragged(values, starts, inputs.lengths)))
    assert dataset_digest(other) != dataset_digest(task)


def test_another_sample_setting_label_or_draw_is_seen() -> None:
    labels = np.array([[3, 4], [0, 1], [5, 5]])
    sounds = [np.array([0, 100, -100]), np.array([1, 2])]
    contents = {
        clips_of(given, of, ("ada", "bo"), "").content
        for given, of in [
            (sounds, labels),
            ([sounds[0], sounds[1] + [0, 1]], labels),
            (sounds, labels[:, ::-1]),
        ]
    }
    assert len(contents) == 3
    entry = registry().task("speech")
    task = loaded("speech", "tones")
    coarser = entry.load().load("tones", entry.complete({"hop_ms": 20}))
    split = task.train
    relabelled = replace(task, train=Split(split.inputs, np.roll(split.row_targets, 1)))
    assert len({dataset_digest(one) for one in (task, coarser, relabelled)}) == 3


def test_values_that_are_equal_everywhere_count_to_the_last_digit() -> None:
    task = MeanTask().load("generated", {})
    assert not task.origin
    assert dataset_digest(with_values(task, noisy)) != dataset_digest(task)
