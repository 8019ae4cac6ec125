"""The data and the metrics of every task are the same in every year: digests and scores pinned once."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.tasks import load_task

from benchsuite.contracts import LoadedTask, Ragged, Split
from benchsuite.measure.provenance import dataset_digest
from benchsuite.plugins import registry
from benchsuite.schema import ModelSpec, Scalar, Size

PINNED: list[tuple[str, str, dict[str, Scalar], str | None, str, float]] = [
    ("adding", "generated", {"length": 21, "examples": 50}, "a3da37c058a454b2", "mse", 2.105400501866076),
    ("associative_recall", "generated", {"pairs": 4}, "ee23f1b0e891c743", "recall_accuracy", 0.0305),
    (
        "copy",
        "generated",
        {"length": 5, "symbols": 3},
        "bb99ecfb3139b5cb",
        "cross_entropy",
        2.626416662195096,
    ),
    ("language", "generated", {"chunk": 64}, "564c3bb40b3d321e", "bits_per_character", 5.374684644041836),
    ("mnist_rows", "digits", {"view": "columns"}, "9df9c18596ff443b", "cross_entropy", 2.7447790253264346),
    (
        "mnist_rows",
        "digits",
        {"view": "permuted", "permutation": 3, "head": "rbf"},
        "b2ec7c1a08218cc2",
        "macro_f1",
        0.09280477933772543,
    ),
    ("selective_copy", "generated", {"length": 20}, "97dc9e62fde0a60b", "cross_entropy", 3.154796956002617),
    ("sentiment", "generated", {}, "d7f86854a2745b44", "cross_entropy", 0.9379380858283802),
    (
        "speech",
        "tones",
        {"split": "speaker", "speaker": 2, "readout": "mean"},
        "4596828f40b00ee9",
        "cross_entropy",
        2.646850789454513,
    ),
    ("speech_strings", "tones", {"strings": 200}, "c6dabe4a33993068", "word_error_rate", 0.4588235294117647),
    ("state_tracking", "parity", {"longest": 12}, "05c03a34609da469", "cross_entropy", 0.8991231357960633),
    (
        "state_tracking",
        "modular_addition",
        {"modulus": 7},
        "98eda718372eb5ee",
        "cross_entropy",
        2.3439526948074545,
    ),
    ("state_tracking", "s3", {"test_length": 60}, "06d14d9544bb385c", "accuracy_longer", 0.1672),
    ("state_tracking", "s5", {"test_length": 60}, "5da5388cceb7c863", "cross_entropy", 5.281488477401865),
    ("summarisation", "reports", {}, "fc4e0e114904cb4e", "rougeL", 0.5201555444555445),
    ("summarisation", "short_reports", {}, "636929a1ef2325fd", "rougeL", 0.5475300324675325),
    ("temporal_order", "generated", {"symbols": 3}, "4f06d418fbd9a8b4", "cross_entropy", 2.4755214811457678),
    ("time_series", "sunspots", {}, None, "mase", 2.885650565643009),
    (
        "time_series",
        "co2",
        {"features": "covariates", "relative": False, "loss": "absolute"},
        None,
        "smape",
        1.461764952571655,
    ),
    ("time_series", "elnino", {}, None, "mse", 2.809437703215667),
    ("translation", "numbers", {}, "a0ebd7d97a5b0ed3", "chrf", 62.06985847112253),
    ("translation", "small_numbers", {}, "6906b65b52fb1e90", "bleu", 46.009615439823534),
    (
        "video",
        "moving_digits",
        {"sequences": 100},
        "285a2e9ef0c828b1",
        "frame_cross_entropy",
        206.9059656117348,
    ),
    (
        "video_pairs",
        "moving_digits",
        {"sequences": 100, "readout": "last"},
        "5ad26e1f63870ef7",
        "digit_accuracy",
        0.175,
    ),
]
"""Task, source, options, the digest of the data (None where sines, logarithms or sums make them, whose last
digit is the machine's), a metric, and its value for predictions()."""


def predictions(model: ModelSpec, split: Split) -> np.ndarray:
    """Random ones that any machine draws alike. Of target sequences every second one is right."""
    random = np.random.RandomState(5)  # its stream is frozen
    targets, rows = split.targets, len(split)
    if not isinstance(targets, Ragged):
        return random.standard_normal((rows, model.head.outputs)).astype(np.float32)
    longest = int(targets.lengths.max())
    if split.aligned:
        scores = random.standard_normal((rows, longest, model.head.outputs)).astype(np.float32)
        scores[np.arange(longest) >= targets.lengths[:, None]] = 0
        return scores
    decoded = np.zeros((rows, longest + 2), np.int32)
    for row in range(rows):
        length = random.randint(1, longest + 2)
        decoded[row, :length] = random.randint(1, model.head.outputs, length)
        if model.decoder is not None and random.randint(3):
            decoded[row, length - 1] = model.decoder.end
    for row in range(0, rows, 2):
        decoded[row] = 0
        decoded[row, : targets.lengths[row]] = targets[row]
    return decoded


@pytest.mark.parametrize(
    ("name", "source", "options", "digest", "metric", "value"),
    PINNED,
    ids=[f"{name}-{index}" for index, (name, *_) in enumerate(PINNED)],
)
def test_data_and_scores_are_those_of_every_year(
    name: str, source: str, options: dict[str, Scalar], digest: str | None, metric: str, value: float
) -> None:
    entry = registry().task(name)
    task = load_task(LoadedTask, entry, source, **options)
    assert digest in (None, dataset_digest(task)[:16])
    model = task.model(entry.architectures[0], "gru", Size(hidden=7))
    found = task.score(predictions(model, task.test), task.test)
    assert found[metric] == pytest.approx(value, rel=1e-6)
    assert task.primary in found


def test_every_offline_source_is_pinned() -> None:
    found = registry()
    own = [
        entry
        for name, entry in found.tasks.items()
        if found.owners[f"task:{name}"].distribution == "benchsuite"
    ]
    offline = {(entry.name, source) for entry in own for source in entry.offline}
    assert offline == {(name, source) for name, source, *_ in PINNED}
