"""What no backend could run is refused by the core, and so is what does not fit a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.cells import AFFINE_CELLS
from fixtures.numpy_cases import decoder_model, model, parameters

from benchsuite.contracts import (
    check_parameters,
    check_state,
    execution_problem,
    model_problem,
    scan_problem,
    why_unsupported,
)
from benchsuite.errors import ContractError
from benchsuite.schema import (
    LOSSES,
    Convolutional,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
    state_shapes,
)
from benchsuite_numpy.reference import ReferenceBackend

CNN = ModelSpec(Features(3), Convolutional(4, 3), Dense(2), "cross_entropy")
CARRY = Recipe(carry=True)


@pytest.mark.parametrize(
    ("spec", "recipe", "message"),
    [
        (model("gru", "bidirectional"), CARRY, "recipe.carry needs a forward stack"),
        (CNN, CARRY, "recipe.carry needs recurrent states"),
        (replace(CNN, input=Tokens(5, 3)), Recipe(), "not tokens"),
        (replace(CNN, readout="steps"), Recipe(), "one output per picture"),
        (decoder_model(), CARRY, "recipe.carry streams one long sequence"),
        (model(loss="ctc", readout="steps"), CARRY, "recipe.carry streams one long sequence"),
        (model(loss="ctc"), Recipe(), "loss 'ctc' reads every step"),
        (replace(decoder_model(), loss="ctc"), Recipe(), "goes without a decoder"),
        (replace(decoder_model(), readout="mean"), Recipe(), "starts from the encoder's readout 'last'"),
        (replace(decoder_model(), head=Rbf(6)), Recipe(), "needs a dense head over its vocabulary"),
        (replace(decoder_model(), head=Dense(5)), Recipe(), "needs a dense head over its vocabulary"),
        (replace(decoder_model(), loss="squared"), Recipe(), "and the loss 'cross_entropy'"),
        (replace(decoder_model(), body=Convolutional(4, 3)), Recipe(), "needs a recurrent encoder"),
        *(
            (
                model(loss=loss, readout="steps"),
                Recipe(label_smoothing=0.1),
                "only 'cross_entropy' has classes",
            )
            for loss in LOSSES
            if loss != "cross_entropy"
        ),
    ],
)
def test_models_that_mean_nothing(spec: ModelSpec, recipe: Recipe, message: str) -> None:
    assert message in str(model_problem(spec, recipe))
    assert message in str(why_unsupported(ReferenceBackend(), spec, recipe, Execution()))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (CNN, "the convolutional baseline has none"),
        (model("gru", "bidirectional"), "use architecture plain or deep"),
        (decoder_model(), "a decoder generates one sequence for each row"),
        (model(loss="ctc", readout="steps"), "aligns one label sequence with each row"),
    ],
)
def test_resets_need_a_forward_stack_of_recurrent_layers(spec: ModelSpec, message: str) -> None:
    assert message in str(model_problem(replace(spec, resets=True), Recipe()))


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(carry=True, truncation=3)])
def test_resets_go_with_every_forward_stack(recipe: Recipe) -> None:
    for readout in ("last", "mean", "steps"):
        spec = replace(model("gru", "deep", readout=readout), resets=True)
        assert model_problem(spec, recipe) is None


SCAN = Execution(unroll="scan")


def test_only_affine_cells_scan(example_cells: dict[str, object]) -> None:
    for cell in example_cells:
        message = scan_problem(model(cell), SCAN)
        if cell in AFFINE_CELLS:
            assert message is None
        else:
            wanted = f"cell {cell!r} has no affine step, so unroll scan cannot run it; use static or dynamic"
            assert message == wanted
        assert scan_problem(model(cell), Execution()) is None
        assert scan_problem(decoder_model(cell), SCAN) == message
    assert "has no steps to scan" in str(scan_problem(CNN, SCAN))
    mixed = replace(decoder_model("decay"), body=Recurrent("lstm", 4))
    assert "cell 'lstm' has no affine step" in str(why_unsupported(ReferenceBackend(), mixed, Recipe(), SCAN))


TIED = replace(
    model("lstm", "bidirectional", readout="steps", inputs="tokens", size=8, outputs=7),
    head=Dense(7, tied=True),
)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (replace(TIED, input=Features(8)), "this model has no such pair: set size.tied to false"),
        (replace(TIED, head=Dense(6, tied=True)), "this model has no such pair"),
        (replace(decoder_model(inputs="tokens"), head=Dense(6, tied=True)), "this model has no such pair"),
        (
            replace(TIED, input=Tokens(7, 4)),
            "the embedding has 4 columns and the output layer reads 8 features",
        ),
        (replace(TIED, input=Tokens(7, 4)), "set size.embedding to 8"),
    ],
)
def test_embeddings_that_cannot_be_tied(spec: ModelSpec, message: str) -> None:
    assert message in str(model_problem(spec, Recipe()))
    assert model_problem(TIED, Recipe()) is None


def test_a_decoder_generates_forwards() -> None:
    spec = decoder_model()
    assert spec.decoder is not None
    both = replace(spec.decoder, body=Recurrent("gru", 4, bidirectional=True))
    assert "cannot be bidirectional" in str(model_problem(replace(spec, decoder=both), Recipe()))


@pytest.mark.parametrize("spec", [CNN, model(), model("gru", "bidirectional"), decoder_model()])
def test_models_that_mean_something(spec: ModelSpec) -> None:
    assert model_problem(spec, Recipe()) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"precision": "tf32"}, "on the CPU use float32 or float64"),
        ({"device": "gpu:x"}, "'gpu:x' is no device name"),
        ({"device": "cpu:1"}, "there is one CPU"),
    ],
)
def test_executions_that_mean_nothing(fields: dict[str, str], message: str) -> None:
    execution = Execution.model_validate(fields)
    assert message in str(execution_problem(execution))
    assert message in str(why_unsupported(ReferenceBackend(), model(), Recipe(), execution))


def test_executions_that_mean_something() -> None:
    for fields in ({}, {"device": "gpu:3", "precision": "tf32"}, {"precision": "float64"}):
        assert execution_problem(Execution.model_validate(fields)) is None


def test_the_backend_is_asked_last() -> None:
    gpu = Execution(device="gpu")
    assert "has no device 'gpu'; it has cpu" in str(
        why_unsupported(ReferenceBackend(), model(), Recipe(), gpu)
    )
    assert why_unsupported(ReferenceBackend(), model(), Recipe(), Execution()) is None


def test_parameters_that_do_not_fit() -> None:
    spec = model()
    check_parameters(spec, parameters(spec))
    wrong = parameters(spec) | {"out.W": np.zeros((2, 2)), "out.x": np.zeros(1)}
    wrong["rnn.l0.fwd.b"] = wrong["rnn.l0.fwd.b"].astype(np.int32)
    del wrong["out.b"]
    with pytest.raises(ContractError) as caught:
        check_parameters(spec, wrong)
    for problem in (
        "out.b is missing",
        "out.x is unknown",
        "out.W is (2, 2), not (4, 3)",
        "rnn.l0.fwd.b is int32, not a NumPy array of real numbers",
    ):
        assert problem in str(caught.value)


def state(spec: ModelSpec, rows: int = 3) -> dict[str, np.ndarray]:
    return {name: np.zeros((rows, *width)) for name, width in state_shapes(spec).items()}


def test_states_that_fit() -> None:
    for spec in (model("lstm", "deep"), model("gru"), model(loss="ctc", readout="steps")):
        assert check_state(spec, state(spec)) == 3


def test_states_that_do_not_fit() -> None:
    spec = model("lstm", "deep")
    wrong: dict[str, object] = {
        **state(spec),
        "rnn.l0.fwd.c": np.zeros((2, 4)),
        "rnn.l9.fwd.h": np.zeros((3, 4)),
    }
    wrong["rnn.l1.fwd.c"] = [[0.0]]
    del wrong["rnn.l1.fwd.h"]
    with pytest.raises(ContractError) as caught:
        check_state(spec, wrong)  # type: ignore[arg-type]
    for problem in (
        "rnn.l1.fwd.h is missing",
        "rnn.l9.fwd.h is unknown",
        "rnn.l0.fwd.c is (2, 4), not (3, 4)",
        "rnn.l1.fwd.c is list, not a NumPy array",
    ):
        assert problem in str(caught.value)
    with pytest.raises(ContractError, match="there are no rows"):
        check_state(spec, state(spec, rows=0))
    with pytest.raises(ContractError, match="is missing"):
        check_state(spec, {})


@pytest.mark.parametrize("spec", [CNN, model("gru", "bidirectional"), decoder_model()])
def test_models_that_start_at_zero_only(spec: ModelSpec) -> None:
    with pytest.raises(ContractError, match="this model starts at zero"):
        check_state(spec, {})
