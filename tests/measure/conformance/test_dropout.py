"""The kit sees a program that leaves out a mask of dropout, or uses one where it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.broken import kit

from benchsuite.contracts import Batch
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.conformance.dropout import check_masks, dropout_cases, dropout_stream_cases
from benchsuite.schema import mask_widths
from benchsuite_numpy.reference import ReferenceProgram

CASES = [case for case in dropout_cases() if "-lstm-" in case.name]


def forgetful(part: str) -> type[ReferenceProgram]:
    """Programs that have no mask whose name holds `part`."""

    class Forgetful(ReferenceProgram):
        def place(self, batch: Batch) -> Batch:
            return replace(batch, masks={k: v for k, v in batch.masks.items() if part not in k})

    return Forgetful


class DropsAlways(ReferenceProgram):
    """Uses the masks in predict(), too."""

    def predict(self, placed: Any, _state: Any = None) -> tuple[np.ndarray, object]:
        return self.gradients(placed).predictions, None


class DropsInStepsAlone(ReferenceProgram):
    """gradients() knows nothing of masks."""

    def gradients(self, placed: Any) -> Any:
        return super().gradients(replace(placed, masks={}))


class DropsInGradientsAlone(ReferenceProgram):
    """step() knows nothing of masks."""

    def step(self, placed: Any, state: Any = None) -> object:
        return super().step(replace(placed, masks={}), state)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mask_that_is_left_out_is_seen(case: Case) -> None:
    checks.check_gradients(kit(), case)
    check_masks(kit(), case)
    for name in mask_widths(case.model, case.recipe):
        for check in (checks.check_gradients, check_masks):
            with pytest.raises(ConformanceError):
                check(kit(forgetful(name)), case)


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case.name)
def test_masks_in_the_wrong_place_are_seen(case: Case) -> None:
    with pytest.raises(ConformanceError, match=r"predict\(\) of a batch with masks"):
        check_masks(kit(DropsAlways), case)
    with pytest.raises(ConformanceError):
        checks.check_gradients(kit(DropsInStepsAlone), case)
    with pytest.raises(ConformanceError):
        checks.check_training(kit(DropsInGradientsAlone), case)


@pytest.mark.parametrize("case", dropout_stream_cases(), ids=lambda case: case.name)
def test_a_stream_without_its_masks_is_seen(case: Case) -> None:
    checks.check_carry(kit(), case)
    with pytest.raises(ConformanceError):
        checks.check_carry(kit(forgetful("rnn")), case)


def test_the_batches_of_a_case_have_masks_of_their_own() -> None:
    case = CASES[0]
    one, other = case.batch("float64"), case.batch("float64", 1)
    assert one.masks.keys() == other.masks.keys() == mask_widths(case.model, case.recipe).keys()
    assert all(not np.array_equal(one.masks[name], other.masks[name]) for name in one.masks)
    single = case.batch("float32").masks
    assert all(np.array_equal(single[name].astype(np.float64), mask) for name, mask in one.masks.items())
