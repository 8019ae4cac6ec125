"""What every backend refuses, said once: models that mean nothing, and parameters that do not fit."""

from __future__ import annotations

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import Convolutional, Dense, ModelSpec, Recipe, Tokens, parameter_shapes

BIDIRECTIONAL_CARRY = (
    "recipe.carry needs a forward stack: a backward layer starts at the end of each batch, so no state can "
    "be carried into it; use architecture plain or deep"
)


def model_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """Why no backend could compute `model` under `recipe`, or None."""
    body = model.body
    if problem := _transcription_problem(model, recipe):
        return problem
    if not isinstance(body, Convolutional):
        return BIDIRECTIONAL_CARRY if body.bidirectional and recipe.carry else None
    if isinstance(model.input, Tokens):
        return "the convolutional baseline reads pictures of real numbers, not tokens"
    if model.readout == "steps":
        return "the convolutional baseline has one output a picture; use readout 'last', not 'steps'"
    if recipe.carry:
        return "recipe.carry needs recurrent states; the convolutional baseline has none"
    return None


def _transcription_problem(model: ModelSpec, recipe: Recipe) -> str | None:
    """What a decoder and CTC cannot be combined with."""
    decoder, dense = model.decoder, isinstance(model.head, Dense)
    if model.has_sequence_targets and recipe.carry:
        return "recipe.carry streams one long sequence; targets of a length of their own have no place in it"
    if model.loss == "ctc":
        if decoder is not None:
            return "loss 'ctc' aligns scores with labels by itself; it goes without a decoder"
        return None if model.readout == "steps" else "loss 'ctc' reads every step; use readout 'steps'"
    if decoder is None:
        return None
    if isinstance(model.body, Convolutional):
        return "a decoder needs a recurrent encoder, not the convolutional baseline"
    if decoder.body.bidirectional:
        return "a decoder writes forwards: its body cannot be bidirectional"
    if not dense or model.head.outputs != decoder.vocabulary or model.loss != "cross_entropy":
        return "a decoder needs a dense head over its vocabulary and the loss 'cross_entropy'"
    return None if model.readout == "last" else "a decoder starts from the encoder's readout 'last'"


def check_parameters(model: ModelSpec, parameters: Parameters) -> None:
    """Raises ContractError naming every parameter that is missing, unknown or of another shape."""
    shapes = parameter_shapes(model)
    problems = [f"{name} is missing" for name in shapes if name not in parameters]
    problems += [f"{name} is unknown" for name in parameters if name not in shapes]
    problems += [
        f"{name} is {parameters[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if name in parameters and parameters[name].shape != shape
    ]
    if problems:
        raise ContractError(f"parameters do not fit the model: {'; '.join(problems)}")
