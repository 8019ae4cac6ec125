"""A batch that breaks its contract ends in one way: an error that says what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, model
from fixtures.tiny import MeanTask, SignTask

from benchsuite.contracts import NO_TARGETS, Batch, LoadedTask, Ragged, Split, check_batch, check_data
from benchsuite.errors import ContractError
from benchsuite.measure.conformance.cases import (
    Case,
    carry_cases,
    decoder_cases,
    model_cases,
    padded,
)
from benchsuite.schema import Convolutional, Dense, Features, ModelSpec, Recurrent, Tokens

ALL = [*model_cases(), *decoder_cases(), *carry_cases()]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_kits_batches_keep_the_contract(case: Case) -> None:
    for dtype in ("float32", "float64"):
        check_batch(case.model, case.batch(dtype), dtype)
        check_batch(case.model, padded(case.batch(dtype), 0, (1.0, 3, 3)), dtype)


FEATURES = model()
TOKENS = model(inputs="tokens")
STEPS = model(readout="steps", loss="squared")
CTC = model(loss="ctc", readout="steps", outputs=5)
DECODER = decoder_model(vocabulary=6)
SHARES = model(loss="binary_cross_entropy")

RESET = replace(FEATURES, resets=True)


def _with_resets(batch: Batch, shape: tuple[int, ...], dtype: str = "bool") -> Batch:
    return replace(batch, resets=np.zeros(shape, dtype))


Change = Callable[[Batch], Batch]
WRONG: list[tuple[ModelSpec, Change, str]] = [
    (
        FEATURES,
        lambda b: replace(b, lengths=np.array([4, 0], np.int32)),
        "lengths must lie in 1..4, given 0..4",
    ),
    (
        FEATURES,
        lambda b: replace(b, lengths=np.array([5, 2], np.int32)),
        "lengths must lie in 1..4, given 2..5",
    ),
    (FEATURES, lambda b: _with_resets(b, (2, 4)), "resets: some given, none wanted"),
    (RESET, lambda b: replace(b, resets=None), "resets: none given, bool (B, T) wanted"),
    (RESET, lambda b: _with_resets(b, (2, 3)), "resets: bool (2, 3) given, bool (2, 4) wanted"),
    (RESET, lambda b: _with_resets(b, (2, 4), "int32"), "resets: int32 (2, 4) given, bool"),
    (FEATURES, lambda b: replace(b, lengths=np.array([4], np.int32)), "lengths: int32 (1,) given"),
    (FEATURES, lambda b: replace(b, lengths=b.lengths.astype(np.int64)), "lengths: int64 (2,) given, int32"),
    (
        FEATURES,
        lambda b: replace(b, inputs=b.inputs[:, :, :2]),
        "inputs: float64 (2, 4, 2) given, float64 (2, 4, 3)",
    ),
    (
        FEATURES,
        lambda b: replace(b, inputs=b.inputs[:, :, 0]),
        "inputs: float64 (2, 4) given, reals (B, T, 3)",
    ),
    (FEATURES, lambda b: replace(b, inputs=b.inputs.astype(np.float32)), "inputs: float32"),
    (FEATURES, lambda b: replace(b, inputs=b.inputs[:, :0]), "with rows and steps"),
    (FEATURES, lambda b: replace(b, targets=b.targets[:1]), "targets: int32 (1,) given, int32 (2,) wanted"),
    (FEATURES, lambda b: replace(b, targets=b.targets[:, None]), "targets: int32 (2, 1) given"),
    (FEATURES, lambda b: replace(b, targets=b.targets.astype(float)), "targets: float64 (2,) given, int32"),
    (
        FEATURES,
        lambda b: replace(b, targets=np.array([0, 3], np.int32)),
        "targets must lie in 0..2, given 0..3",
    ),
    (FEATURES, lambda b: replace(b, targets=NO_TARGETS), "targets: float64 (0,) given"),
    (TOKENS, lambda b: replace(b, inputs=np.full_like(b.inputs, 7)), "inputs must lie in 0..6, given 7..7"),
    (TOKENS, lambda b: replace(b, inputs=b.inputs - 9), "inputs must lie in 0..6"),
    (TOKENS, lambda b: replace(b, inputs=b.inputs.astype(np.int64)), "inputs: int64 (2, 4) given, int32"),
    (STEPS, lambda b: replace(b, targets=b.targets[:, :3]), "targets: float64 (2, 3, 3) given"),
    (STEPS, lambda b: replace(b, targets=b.targets[:, :, :2]), "targets: float64 (2, 4, 2) given"),
    (STEPS, lambda b: replace(b, targets=b.targets[:, 0]), "targets: float64 (2, 3) given"),
    (SHARES, lambda b: replace(b, targets=b.targets + 1), "'binary_cross_entropy' must lie in 0..1"),
    (CTC, lambda b: replace(b, target_lengths=None), "without target_lengths"),
    (CTC, lambda b: replace(b, targets=0 * b.targets), "id 0 is CTC's blank"),
    (CTC, lambda b: replace(b, targets=b.targets + 9), "targets must lie in 0..4"),
    (CTC, lambda b: replace(b, targets=b.targets[0]), "ids (B, U) wanted"),
    (
        DECODER,
        lambda b: replace(b, target_lengths=np.array([3, 0], np.int32)),
        "target_lengths must lie in 1..3, given 0..3",
    ),
    (DECODER, lambda b: replace(b, target_lengths=np.array([3], np.int32)), "target_lengths: int32 (1,)"),
    (DECODER, lambda b: replace(b, targets=b.targets + 5), "targets must lie in 0..5"),
    (DECODER, lambda b: replace(b, targets=b.targets.astype(np.int64)), "targets: int64"),
]


def given(spec: ModelSpec) -> Batch:
    lengths = [3, 2] if spec.decoder is not None else None
    found = batch(spec, [4, 3], target_lengths=lengths)
    return _with_resets(found, (2, 4)) if spec.resets else found


@pytest.mark.parametrize(("spec", "change", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_batch_is_named(spec: ModelSpec, change: Change, message: str) -> None:
    check_batch(spec, given(spec), "float64")
    with pytest.raises(ContractError) as caught:
        check_batch(spec, change(given(spec)), "float64")
    assert message in str(caught.value)


@pytest.mark.parametrize("spec", [FEATURES, TOKENS, STEPS, CTC, DECODER])
def test_without_targets_only_inputs_are_looked_at(spec: ModelSpec) -> None:
    bare = replace(given(spec), targets=NO_TARGETS, target_lengths=None)
    check_batch(spec, bare, "float64", targets=False)
    with pytest.raises(ContractError, match="lengths must lie in"):
        check_batch(spec, replace(bare, lengths=0 * bare.lengths), "float64", targets=False)


def test_a_picture_has_all_its_numbers() -> None:
    spec = ModelSpec(Features(3), Convolutional(4, 3), Dense(2), "cross_entropy")
    check_batch(spec, batch(spec, [4, 4]), "float64")
    with pytest.raises(ContractError, match=r"5 steps of 3 given, a picture of 4 x 3 numbers wanted"):
        check_batch(spec, batch(spec, [5, 5]), "float64")


def split(targets: np.ndarray | Ragged, inputs: np.ndarray | None = None, aligned: bool = True) -> Split:
    values = np.zeros((6, 2)) if inputs is None else inputs
    starts = np.array([0, 3])
    return Split(Ragged(values, starts, np.array([3, 3])), targets, aligned)


def loaded(one: Split) -> LoadedTask:
    return replace(SignTask().load("generated", {}), train=one, validation=one, test=one)


CLASSES = ModelSpec(Features(2), Recurrent("gru", 3), Dense(2), "cross_entropy")
BY_STEP = Ragged(np.zeros(6, np.int32), np.array([0, 3]), np.array([3, 3]))


@pytest.mark.parametrize(
    ("spec", "one", "message"),
    [
        (replace(CLASSES, resets=True), split(np.zeros(2, int)), "train resets: none given, some wanted"),
        (
            CLASSES,
            replace(split(np.zeros(2, int)), resets=np.zeros(6, bool)),
            "train resets: some given, none wanted",
        ),
        (CLASSES, split(np.array([0, 2])), "train targets must lie in 0..1, given 0..2"),
        (CLASSES, split(np.zeros((2, 1))), "train targets: float64 (2, 1) given, whole numbers (n,) wanted"),
        (
            CLASSES,
            split(np.zeros(2, int), np.zeros((6, 3))),
            "train inputs: float64 (6, 3) given, reals (n, 2)",
        ),
        (CLASSES, split(np.zeros(2, int), np.zeros((6, 2), int)), "train inputs: int64 (6, 2) given, reals"),
        (CLASSES, split(BY_STEP), "train targets: the model needs one target per row"),
        (replace(CLASSES, readout="steps"), split(np.zeros(2, int)), "needs one target per step"),
        (
            replace(CLASSES, loss="squared"),
            split(np.zeros(2, int)),
            "targets: int64 (2,) given, reals (n, 2)",
        ),
        (
            replace(CLASSES, input=Tokens(4, 2)),
            split(np.zeros(2, int), np.arange(6)),
            "train inputs must lie in 0..3, given 0..5",
        ),
        (
            replace(CLASSES, loss="ctc", readout="steps"),
            split(BY_STEP),
            "needs sequences of a length of their own",
        ),
    ],
)
def test_data_that_do_not_fit_the_model_are_named(spec: ModelSpec, one: Split, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_data(spec, loaded(one))
    assert message in str(caught.value)


def test_data_that_fit() -> None:
    check_data(CLASSES, SignTask().load("generated", {}))
    check_data(replace(CLASSES, loss="squared"), MeanTask().load("generated", {}))
    check_data(replace(CLASSES, readout="steps"), loaded(split(BY_STEP)))
    check_data(replace(CLASSES, loss="ctc", readout="steps"), loaded(split(BY_STEP, aligned=False)))
