"""Products that are found by recording one step are those that torch's own counter sees run."""

from __future__ import annotations

import pytest
from fixtures.flop_cases import FEATURES, HIDDEN, OUTPUTS, FlopCase
from fixtures.modern_layers import modern_cell
from fixtures.modern_loops import LOOPS

from benchsuite.measure.flops import inference_flops, training_flops
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent

torch = pytest.importorskip("torch")
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from benchsuite_torch.backend import TorchBackend  # noqa: E402


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", sorted(LOOPS))
def test_products_counted_are_the_products_run(name: str, layers: int) -> None:
    """To the last one; the gradients by first states, which are nobody's parameters, may be left out."""
    modern_cell(name)
    model = ModelSpec(Features(FEATURES), Recurrent(name, HIDDEN, layers), Dense(OUTPUTS), "cross_entropy")
    case = FlopCase(name, model)
    program = TorchBackend().build(model, case.parameters(), Recipe(), Execution(unroll="static"))
    placed = program.place(case.batch)
    with FlopCounterMode(display=False) as predicted:
        program.predict(placed)
    assert predicted.get_total_flops() == inference_flops(model, case.batch)
    with FlopCounterMode(display=False) as stepped:
        program.step(placed)
    left = training_flops(model, case.batch) - stepped.get_total_flops()
    by_first_states = 2 * case.rows * 2 * HIDDEN * 4 * HIDDEN * layers
    assert 0 <= left <= by_first_states
