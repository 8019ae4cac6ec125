"""A failure is followed to its first wrong number, on the smallest input that shows it, in the plugin's
file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.broken import kit

from benchsuite.contracts import Gradients
from benchsuite.measure.conformance.diagnosis import explain, first_difference
from benchsuite.measure.conformance.failures import plugin_place
from benchsuite.measure.conformance.suite import run_item, suite
from benchsuite_numpy.reference import ReferenceProgram


def changed(array: np.ndarray, index: tuple[Any, ...]) -> np.ndarray:
    copy = array.copy()
    copy[index] += 1.0
    return copy


class WrongOutputs(ReferenceProgram):
    """The outputs of the second layer are wrong from step 1 on, and so is the loss of more than one step."""

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        found = super().outputs(placed, state)
        names = list(found)
        return {**found, names[1]: changed(found[names[1]], (0, slice(1, None), 0))}

    def gradients(self, placed: Any) -> Gradients:
        found = super().gradients(placed)
        return replace(found, loss=found.loss + (found.states["rnn.l0.fwd"].shape[1] > 1))


class WrongState(ReferenceProgram):
    """dL/dh_t of one step."""

    def gradients(self, placed: Any) -> Gradients:
        found = super().gradients(placed)
        states = {name: changed(values, (0, 0, 0)) for name, values in found.states.items()}
        return replace(found, states=states)


class WrongGate(ReferenceProgram):
    """The gradient by the gate g of every layer."""

    def gradients(self, placed: Any) -> Gradients:
        found = super().gradients(placed)
        parameters = dict(found.parameters)
        for name, values in parameters.items():
            if name.endswith(".Wh"):
                units = len(values)
                parameters[name] = changed(values, (slice(None), slice(2 * units, 3 * units)))
        return replace(found, parameters=parameters)


class WrongUpdate(ReferenceProgram):
    """The second training step changes one weight too many."""

    steps = 0

    def step(self, placed: Any, state: Any = None) -> Any:
        found = super().step(placed, state)
        self.steps += 1
        if self.steps >= 2:
            weights = self.parameters()
            self.load_parameters({**weights, "out.b": changed(weights["out.b"], (0,))})
        return found


class Raises(ReferenceProgram):
    """Fails in a function of its own."""

    def predict(self, placed: Any, state: Any = None) -> Any:
        del placed, state
        return self.missing()

    def missing(self) -> Any:
        raise KeyError("rnn.l0.fwd.Wx")


FILES = frozenset([Path(__file__).resolve()])
ITEMS = {item.name: item for item in suite()}


@pytest.mark.parametrize(
    ("program", "name", "begins", "method"),
    [
        (
            WrongOutputs,
            "gradients[lstm-deep]",
            "step 1 of the outputs of rnn.l1.fwd, at row 0, unit 0",
            "outputs",
        ),
        (
            WrongState,
            "gradients[lstm-plain]",
            "step 0 of dL/dh_t of rnn.l0.fwd, at row 0, unit 0",
            "gradients",
        ),
        (WrongGate, "gradients[lstm-plain]", "the gradient by rnn.l0.fwd.Wh (gate g), at [0, ", "gradients"),
        (WrongUpdate, "training[train-sgd-value]", "update 2 of the training, in out.b, at [0]", "step"),
        (Raises, "gradients[gru-plain]", "", "missing"),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else None,
)
def test_a_failure_is_followed_to_where_it_begins(
    program: type[ReferenceProgram], name: str, begins: str, method: str
) -> None:
    broken, item = kit(program), ITEMS[name]
    found = run_item(broken, item)
    assert found.status == "failed"
    assert found.error is not None
    explained = explain(broken, item, found.error)
    assert explained.begins.startswith(begins)
    assert ": " in explained.smallest
    assert explained.smallest.startswith(("1 row, ", "2 rows, "))
    place = plugin_place(explained.error, FILES) or explained.place(FILES)
    assert place.startswith(f"{__file__}:")
    assert place.endswith(method)


@pytest.mark.parametrize(
    "name", ["gradients[lstm-deep_bidirectional]", "training[train-adam-norm]", "gradients[cnn]"]
)
def test_the_reference_differs_nowhere(name: str) -> None:
    assert first_difference(kit(), ITEMS[name].case) is None


def test_a_failure_of_no_smaller_input_is_shown_as_it_is() -> None:
    class OnlyLarge(ReferenceProgram):
        def gradients(self, placed: Any) -> Gradients:
            found = super().gradients(placed)
            return replace(found, loss=found.loss + (len(found.predictions) > 3))

    item = ITEMS["gradients[rnn-plain]"]
    found = run_item(kit(OnlyLarge), item)
    assert found.error is not None
    assert explain(kit(OnlyLarge), item, found.error).smallest.startswith("7 rows, 9 steps, 6 units: ")


def test_an_explanation_never_raises() -> None:
    class Fails(ReferenceProgram):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            raise RuntimeError("no program")

    item = ITEMS["gradients[rnn-plain]"]
    explained = explain(kit(Fails), item, RuntimeError("no program"))
    assert explained.begins == ""
    assert "no program" in explained.smallest
