"""Curves of a trial: those that belong together in one drawing."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.report.pages.panels import MOST_LINES, panels
from benchsuite.schema import Series


def one(name: str, axis: Any = "step", y: tuple[float, ...] = (1.0, 2.0)) -> Series:
    return Series(name=name, axis=axis, x=[float(at) for at in range(len(y))], y=list(y))


def test_a_layer_s_gradients_over_time_are_one_drawing_by_its_logarithm() -> None:
    series = [one(f"gradient/state/rnn.l0.fwd/{when}", "lag") for when in ("start", "epoch_3", "end")]
    (panel,), folded = panels([*series])
    assert panel.title == "|dL/dh| of rnn.l0.fwd"
    assert [line.name for line in panel.lines] == ["start", "epoch 3", "end"]
    assert (panel.x, panel.log) == ("steps back in time", True)
    assert folded == []


def test_times_are_in_a_unit_that_suits_them() -> None:
    (panel,), _ = panels(
        [one("speed/step_wall", "sample", (0.001, 0.002)), one("speed/step_cpu", "sample", (0.001, 0.002))]
    )
    assert panel.y == "ms"
    assert list(panel.lines[0].y) == pytest.approx([1.0, 2.0])


def test_losses_that_fall_far_are_drawn_by_their_logarithm() -> None:
    assert panels([one("train/loss", y=(3.0, 0.01))])[0][0].log
    assert not panels([one("train/loss", y=(3.0, 1.0))])[0][0].log
    assert not panels([one("train/loss", y=(3.0, -1.0))])[0][0].log


def test_many_layers_are_thinned_to_as_many_as_there_are_colours() -> None:
    (panel,), _ = panels([one(f"gradient/norm/layer{at}", "epoch") for at in range(30)])
    assert len(panel.lines) == MOST_LINES
    assert (panel.lines[0].name, panel.lines[-1].name) == ("layer0", "layer29")


def test_curves_that_no_rule_knows_are_folded_under_their_own_name() -> None:
    first, (panel,) = panels([one("energy/{watts}\nx")])
    assert first == []
    assert panel.title == "energy/{watts}\nx"


def test_the_first_of_interest_come_first() -> None:
    names = ["speed/transfer_wall", "gradient/norm/all", "val/macro_f1", "train/loss", "gradient/maximum/all"]
    first, folded = panels([one(name) for name in names])
    assert [panel.title for panel in first] == [
        "Training loss",
        "Validation macro f1",
        "Gradient norm by layer",
    ]
    assert [panel.title for panel in folded] == ["Largest gradient entry by layer", "Time of transfer"]
