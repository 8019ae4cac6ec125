"""The whole model: a batch in, loss, predictions and every gradient out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Batch, Gradients, valid_mask
from benchsuite.contracts.backend import Parameters
from benchsuite.schema import Convolutional, ModelSpec, Recurrent, Tokens, decoder_names
from benchsuite_numpy.reference.cells import CellState
from benchsuite_numpy.reference.convolution import ConvolutionRun, convolution_backward, convolution_forward
from benchsuite_numpy.reference.ctc import ctc
from benchsuite_numpy.reference.decoder import DecoderRun, decoder_backward, decoder_forward, remember
from benchsuite_numpy.reference.decoding import ReferenceDecoding
from benchsuite_numpy.reference.heads import loss, read, read_back, score, score_back
from benchsuite_numpy.reference.layers import LayerRun, Steps, stack_backward, stack_forward


@dataclass(frozen=True)
class ModelRun:
    """A forward pass: scores, the features they were made of, and the body's own run."""

    scores: np.ndarray
    """(B, O), (B, T, O) or (B, U, V), zero where not `valid`."""
    features: np.ndarray
    valid: np.ndarray
    """(B,), (B, T) for readout `steps` or (B, U) for a decoder: which scores count."""
    mask: np.ndarray
    """(B, T): which steps are not padding."""
    body: ConvolutionRun | dict[str, LayerRun]
    outputs_shape: tuple[int, ...]
    decoder: DecoderRun | None
    masks: Mapping[str, np.ndarray]
    """Of dropout, those that were used."""

    @property
    def final_states(self) -> dict[str, CellState]:
        """The forward direction's last states by prefix: what the next batch of a stream starts from."""
        if isinstance(self.body, ConvolutionRun):
            return {}
        return {prefix: run.final for prefix, run in self.body.items() if prefix.endswith(".fwd")}

    def layer_outputs(self, model: ModelSpec) -> dict[str, np.ndarray]:
        """y_t by layer prefix: (B, T, H), a decoder's (B, U, H); zero on padding."""
        found = (
            {} if isinstance(self.body, ConvolutionRun) else {p: run.outputs for p, run in self.body.items()}
        )
        if self.decoder is not None:
            assert model.decoder is not None
            for layer, prefix in enumerate(decoder_names(model.decoder)):
                y = np.stack([step.outputs[layer] for step in self.decoder.steps], axis=1)
                found[prefix] = np.where(self.valid[..., None], y, 0).astype(y.dtype)
        return found


def forward(
    model: ModelSpec,
    parameters: Parameters,
    batch: Batch,
    initial: Mapping[str, CellState] | None = None,
    training: bool = False,
) -> ModelRun:
    """Scores of a batch. Recurrent states start at `initial` (by prefix), or at the cell's initial values.
    `training`: the batch's dropout masks are used."""
    dtype = next(iter(parameters.values())).dtype
    mask, masks = valid_mask(batch.lengths, batch.time), batch.masks if training else {}
    body, outputs = body_forward(model, parameters, batch, initial or {}, masks)
    if isinstance(model.body, Convolutional):
        features, shape = outputs, outputs.shape
    else:
        features, shape = read(model, outputs, batch.lengths, model.body.hidden), outputs.shape
    valid, decoder_run = mask if model.readout == "steps" else np.ones(batch.size, bool), None
    if model.decoder is not None:
        assert batch.target_lengths is not None
        tokens = batch.decoder_inputs(model.decoder.start)
        memory = remember(model.decoder, parameters, outputs, mask)
        features, decoder_run = decoder_forward(model.decoder, parameters, memory, features, tokens, masks)
        valid = valid_mask(batch.target_lengths, tokens.shape[1])
    scores = np.where(valid[..., None], score(model, parameters, features), 0).astype(dtype)
    return ModelRun(scores, features, valid, mask, body, shape, decoder_run, masks)


def body_forward(
    model: ModelSpec,
    parameters: Parameters,
    batch: Batch,
    initial: Mapping[str, CellState],
    masks: Mapping[str, np.ndarray],
) -> tuple[ConvolutionRun | dict[str, LayerRun], np.ndarray]:
    """The body's run and its outputs: (B, T, F) of a recurrent one, (B, F) of the convolutional one."""
    dtype = next(iter(parameters.values())).dtype
    x = parameters["embed.E"][batch.inputs] if isinstance(model.input, Tokens) else batch.inputs.astype(dtype)
    if isinstance(model.body, Convolutional):
        run = convolution_forward(model.body, parameters, x)
        return run, run.outputs
    steps = Steps.of(valid_mask(batch.lengths, batch.time), batch.resets)
    outputs, runs = stack_forward(model.body, parameters, x, steps, initial, masks)
    return runs, outputs


def decode(
    model: ModelSpec, parameters: Parameters, batch: Batch, width: int, aligned: bool
) -> ReferenceDecoding:
    """Run the encoder over a batch's inputs; the decoder then goes on from it, `width` hypotheses a row."""
    assert model.decoder is not None
    assert isinstance(model.body, Recurrent)
    _, outputs = body_forward(model, parameters, batch, {}, {})
    last = read(model, outputs, batch.lengths, model.body.hidden)
    memory = remember(model.decoder, parameters, outputs, valid_mask(batch.lengths, batch.time))
    return ReferenceDecoding(model, parameters, memory, last, width, aligned)


def loss_of(
    model: ModelSpec, batch: Batch, run: ModelRun, smoothing: float = 0.0
) -> tuple[float, np.ndarray]:
    """The batch's loss and dL/d(scores); `smoothing` of a cross-entropy's targets."""
    if model.loss == "ctc":
        assert batch.target_lengths is not None
        return ctc(run.scores, batch.lengths, batch.targets, batch.target_lengths)
    return loss(model, run.scores, batch.targets, run.valid, smoothing)


def backward(
    model: ModelSpec,
    parameters: Parameters,
    batch: Batch,
    run: ModelRun,
    truncation: int | None,
    smoothing: float = 0.0,
) -> Gradients:
    """Loss and every gradient of a batch after its forward pass."""
    value, d_scores = loss_of(model, batch, run, smoothing)
    d_features, gradients = score_back(model, parameters, run.features, d_scores)
    states: dict[str, np.ndarray] = {}
    decoder_states: dict[str, np.ndarray] = {}
    d_memory: np.ndarray | float = 0.0
    if run.decoder is not None:
        assert model.decoder is not None
        d_features, d_memory, decoder_states, found = decoder_backward(
            model.decoder, parameters, run.decoder, d_features
        )
        gradients |= found
    if isinstance(model.body, Convolutional):
        assert isinstance(run.body, ConvolutionRun)
        gradients |= convolution_backward(parameters, run.body, d_features)
    else:
        assert isinstance(run.body, dict)
        d_outputs = read_back(model, d_features, run.outputs_shape, batch.lengths, model.body.hidden)
        steps = Steps.of(run.mask, batch.resets)
        dx, states, found = stack_backward(
            model.body,
            parameters,
            run.body,
            steps,
            model.input_size,
            d_outputs + d_memory,
            truncation,
            run.masks,
        )
        gradients |= found
        if isinstance(model.input, Tokens):
            # a tied output layer has given its own part
            gradients.setdefault("embed.E", np.zeros_like(parameters["embed.E"]))
            np.add.at(gradients["embed.E"], batch.inputs, dx)
    in_order = {name: gradients[name] for name in parameters}
    return Gradients(loss=value, parameters=in_order, states=states | decoder_states, predictions=run.scores)
