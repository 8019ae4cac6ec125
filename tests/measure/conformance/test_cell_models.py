"""The kit of a cell in a backend: on the reference it is well, and faults of a cell's derivative are seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures.broken import BrokenBackend, kit
from fixtures.cells import DecayCell, entry, example_cells, registered

from benchsuite.contracts import Batch, Gradients
from benchsuite.measure.conformance.backend import ConformanceError
from benchsuite.measure.conformance.cell_models import (
    cell_items,
    check_finite_differences,
    check_finite_gradients,
    check_resets,
    reference_items,
)
from benchsuite.measure.conformance.suite import run_item
from benchsuite.schema import Recurrent
from benchsuite.schema.cells import cell_named
from benchsuite_numpy.reference import ReferenceProgram

pytestmark = pytest.mark.usefixtures("example_cells")
__all__ = ["example_cells"]


@pytest.mark.parametrize("name", ["rotation", "steadied"])
def test_sound_cells_pass_on_the_reference(name: str) -> None:
    results = [run_item(kit(), item) for item in (*reference_items(name), *cell_items(name))]
    others = {result.item.name: result.message for result in results if result.status != "ok"}
    reads_hidden = cell_named(name).reads_hidden
    assert others.keys() == (set() if reads_hidden else {f"gradients[{name}-recurrent-dropout]"}), others


def test_every_architecture_readout_and_recipe_is_there() -> None:
    cases = [item.case for item in cell_items("decay")]
    bodies = [case.model.body for case in cases]
    assert {(body.layers > 1, body.bidirectional) for body in bodies if isinstance(body, Recurrent)} == {
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    }
    assert {case.model.readout for case in cases} == {"last", "mean", "steps"}
    attentions = {case.model.decoder.attention for case in cases if case.model.decoder}
    assert attentions == {"additive", "multiplicative"}
    assert any(case.recipe.carry for case in cases)
    assert any(case.recipe.truncation for case in cases)
    names = [item.name for item in cell_items("decay")]
    assert len(set(names)) == len(names)


class LargeGradients(ReferenceProgram):
    """Gradients by one parameter are too large by a thousandth."""

    def gradients(self, placed: Any) -> Gradients:
        found = super().gradients(placed)
        name = next(name for name in found.parameters if name.endswith(".Wa"))
        return replace(found, parameters={**found.parameters, name: found.parameters[name] * 1.001})


def test_a_wrong_derivative_is_no_slope() -> None:
    case = reference_items("decay")[0].case
    sound = kit()
    check_finite_differences(sound, case)
    wrong = replace(sound, reference=BrokenBackend(LargeGradients))
    with pytest.raises(ConformanceError, match=r"the gradient by rnn\.l0\.fwd\.Wa is not the slope"):
        check_finite_differences(wrong, case)


class IgnoresResets(ReferenceProgram):
    """Goes on where a sequence begins."""

    def place(self, batch: Batch) -> Any:
        assert batch.resets is not None
        return super().place(replace(batch, resets=np.zeros_like(batch.resets)))


class ResetsAllRows(ReferenceProgram):
    """A reset of one row is one of every row."""

    def place(self, batch: Batch) -> Any:
        assert batch.resets is not None
        together = np.broadcast_to(batch.resets.any(0), batch.resets.shape)
        return super().place(replace(batch, resets=together))


@pytest.mark.parametrize("kind", [IgnoresResets, ResetsAllRows])
def test_resets_that_are_not_kept_are_seen(kind: type[ReferenceProgram]) -> None:
    (case,) = (item.case for item in cell_items("opening") if item.check is check_resets)
    check_resets(kit(), case)
    with pytest.raises(ConformanceError, match="opening-packed"):
        check_resets(kit(kind), case)


class RootOfZero(DecayCell):
    """The state passes through a square root: at a state of zero its slope is infinite."""

    def output(self, xp: Any, w: Any, u: Any, state: Any) -> Any:  # noqa: ARG002
        return xp.sqrt(state[0] * state[0])


class Explodes(DecayCell):
    """Its factor is 3."""

    def elements(self, xp: Any, w: Any, u: Any) -> Any:  # noqa: ARG002
        gate, candidate = xp.split(u, 2)
        return (3 + 0 * gate,), (candidate,)


@pytest.mark.parametrize("kind", [RootOfZero, Explodes])
def test_gradients_that_are_not_finite_are_seen(kind: type[DecayCell]) -> None:
    with registered(entry("odd", kind)), np.errstate(all="ignore"):
        case = cell_items("odd")[0].case
        if kind is RootOfZero:
            case = replace(case, biases=False, weights=0.0)
        with pytest.raises(ConformanceError, match="is not finite"):
            check_finite_gradients(kit(precision="float32"), case)
