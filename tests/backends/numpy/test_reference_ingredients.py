"""The reference's smoothed cross-entropy: the formula term by term, and finite differences of its gradients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, model, parameters

from benchsuite.contracts import Batch, Parameters
from benchsuite.measure.dropout import with_masks
from benchsuite.schema import Dense, Execution, ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

MODELS = {
    "row": model("gru", "bidirectional"),
    "steps": model("lstm", "deep", readout="steps", inputs="tokens"),
    "rbf": model("rnn", head="rbf"),
    "decoder": decoder_model("gru", attention="multiplicative"),
    "tied": replace(
        model("gru", readout="steps", inputs="tokens", size=4, outputs=7), head=Dense(7, tied=True)
    ),
}
DATA: dict[str, Batch] = {name: batch(spec, [4, 1, 3]) for name, spec in MODELS.items()}


def build(spec: ModelSpec, weights: Parameters, smoothing: float) -> ReferenceProgram:
    execution = Execution(precision="float64")
    return ReferenceBackend().build(spec, weights, Recipe(label_smoothing=smoothing), execution)


def by_definition(scores: np.ndarray, data: Batch, smoothing: float) -> float:
    """-sum_k q_k ln p_k, one entry after another."""
    lengths = data.lengths if data.target_lengths is None else data.target_lengths
    by_step = scores.ndim == 3
    terms = []
    for row, length in enumerate(lengths):
        for t in range(length if by_step else 1):
            one, target = (
                (scores[row, t], data.targets[row, t]) if by_step else (scores[row], data.targets[row])
            )
            p, classes = np.exp(one) / np.exp(one).sum(), len(one)
            q = [(1 - smoothing) * (k == target) + smoothing / classes for k in range(classes)]
            terms.append(-sum(q[k] * np.log(p[k]) for k in range(classes)))
    return float(np.mean(terms))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("name", MODELS)
def test_the_loss_is_the_definitions(name: str, smoothing: float) -> None:
    spec, data = MODELS[name], DATA[name]
    found = build(spec, parameters(spec), smoothing).gradients(data)
    assert found.loss == pytest.approx(by_definition(found.predictions, data, smoothing), rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_finite_differences(name: str) -> None:
    spec, data, step = MODELS[name], DATA[name], 1e-5
    weights = parameters(spec)
    found = build(spec, weights, 0.3).gradients(data).parameters
    random = np.random.default_rng(0)
    for parameter, value in weights.items():
        direction = random.standard_normal(value.shape)
        there, back = (
            build(spec, weights | {parameter: value + sign * step * direction}, 0.3).gradients(data).loss
            for sign in (1, -1)
        )
        wanted = (there - back) / (2 * step)
        assert float((found[parameter] * direction).sum()) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_scores_do_not_depend_on_it_and_a_uniform_target_is_met_by_equal_scores() -> None:
    spec, data = MODELS["row"], DATA["row"]
    weights = parameters(spec)
    plain, smoothed = (build(spec, weights, share).predict(data)[0] for share in (0.0, 0.5))
    np.testing.assert_array_equal(plain, smoothed)
    even = weights | {"out.W": 0 * weights["out.W"], "out.b": 0 * weights["out.b"]}
    almost = build(spec, even, np.nextafter(1.0, 0)).gradients(replace(data)).parameters
    assert max(float(np.abs(g).max()) for g in almost.values()) < 1e-15


DROPOUT = Recipe(input_dropout=0.4, layer_dropout=0.3, recurrent_dropout=0.2)
DROPPED = {
    "stack": model("gru", "deep_bidirectional", readout="steps", loss="squared"),
    "ids": model("lstm", "deep", inputs="tokens", readout="mean"),
    "elman": model("rnn", "deep"),
    "additive": decoder_model("lstm", "deep", "additive", "tokens"),
    "none": decoder_model("gru", "deep", "none"),
}


@pytest.mark.parametrize("share", ["input_dropout", "layer_dropout", "recurrent_dropout", "all"])
@pytest.mark.parametrize("name", DROPPED)
def test_gradients_under_dropout_are_finite_differences(name: str, share: str) -> None:
    spec, step = DROPPED[name], 1e-5
    recipe = DROPOUT if share == "all" else Recipe.model_validate({share: 0.4})
    data = with_masks(batch(spec, [4, 1, 3]), spec, recipe, 0, 1, "float64")
    weights, random = parameters(spec), np.random.default_rng(0)

    def loss(changed: Parameters) -> float:
        program = ReferenceBackend().build(spec, changed, recipe, Execution(precision="float64"))
        return program.gradients(data).loss

    program = ReferenceBackend().build(spec, weights, recipe, Execution(precision="float64"))
    found = program.gradients(data).parameters
    for parameter, value in weights.items():
        direction = random.standard_normal(value.shape)
        there, back = (loss(weights | {parameter: value + sign * step * direction}) for sign in (1, -1))
        wanted = (there - back) / (2 * step)
        assert float((found[parameter] * direction).sum()) == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_dropping_a_unit_of_the_input_is_leaving_out_its_weights() -> None:
    """A mask of zeros and ones is another model: one whose rows of Wx are zero, and whose columns of Wh are."""
    spec = model("lstm", "deep")
    data, weights = batch(spec, [4, 2, 3]), parameters(spec)
    kept = {"rnn.l0.x": np.array([1.0, 0, 1]), "rnn.l1.x": np.array([0.0, 1, 1, 0])}
    masks = {name: np.tile(mask, (3, 1)) for name, mask in kept.items()}
    masks["rnn.l0.fwd.h"] = np.tile([1.0, 1, 0, 1], (3, 1))
    cut = {name: value.copy() for name, value in weights.items()}
    cut["rnn.l0.fwd.Wx"] *= kept["rnn.l0.x"][:, None]
    cut["rnn.l1.fwd.Wx"] *= kept["rnn.l1.x"][:, None]
    cut["rnn.l0.fwd.Wh"][2] = 0
    program, other = (
        ReferenceBackend().build(spec, each, DROPOUT, Execution(precision="float64"))
        for each in (weights, cut)
    )
    found, expected = program.gradients(replace(data, masks=masks)), other.gradients(data)
    assert found.loss == pytest.approx(expected.loss, rel=1e-13)
    np.testing.assert_allclose(found.predictions, expected.predictions, rtol=1e-12)
    np.testing.assert_allclose(found.states["rnn.l0.fwd"], expected.states["rnn.l0.fwd"], rtol=1e-10)
