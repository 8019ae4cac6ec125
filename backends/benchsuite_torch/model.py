"""Model: input, body, decoder, readout and head of a ModelSpec, in the unroll that the execution asks for."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_torch import fused, heads, loops, runtime
from benchsuite_torch.compiled import CompiledLoop
from benchsuite_torch.convolution import ConvolutionalBody
from benchsuite_torch.decoder import DecoderLayers
from benchsuite_torch.decoding import TorchDecoding
from benchsuite_torch.dropout import NO_MASKS
from benchsuite_torch.heads import Head
from benchsuite_torch.layers import (
    AS_IS,
    CanonicalTensor,
    CellStack,
    LayerStates,
    NamedTensors,
    RecurrentStack,
    Stack,
    allocate,
    make_stack,
)
from benchsuite_torch.placement import PlacedBatch

BACKWARD = {
    "fused": "torch.nn's layers; dL/dh_t by a second pass of our own loop",
    "autograd": "recorded by autograd",
    "compiled": "compiled by torch.compile; dL/dh_t by a second pass of our own loop",
}


class Model:
    """A model's parameters and its forward pass. `tensors` holds the parameters in canonical order."""

    def __init__(
        self, spec: ModelSpec, recipe: Recipe, execution: Execution, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.spec, self.unroll = spec, execution.unroll
        self._truncation = recipe.truncation
        self._packing = device.type == "cuda"
        own_kernels = self.unroll != "autograd"
        self.compiled = CompiledLoop() if self.unroll == "compiled" else None
        tensors: NamedTensors = {}
        self.embedding: torch.Tensor | None = None
        if isinstance(spec.input, Tokens):
            self.embedding = allocate((spec.input.vocabulary, spec.input.embedding), device, dtype)
            tensors["embed.E"] = CanonicalTensor(self.embedding, AS_IS[2])
        way = self.unroll, spec.resets, bool(recipe.recurrent_dropout)
        self.body: ConvolutionalBody | Stack
        if isinstance(spec.body, Convolutional):
            self.body = ConvolutionalBody(spec.body, device, dtype)
        else:
            self.body = make_stack(spec.body, spec.input_size, device, dtype, "rnn", *way)
        self.decoder = None
        if spec.decoder is not None:
            self.decoder = DecoderLayers(spec, device, dtype, own_kernels, *way)
        self.head = Head(spec, device, dtype, own_kernels, recipe.label_smoothing, embedding=self.embedding)
        tensors |= self.body.named_tensors() | self.head.named_tensors()
        if self.decoder is not None:
            tensors |= self.decoder.named_tensors()
        self.tensors: NamedTensors = {name: tensors[name] for name in parameter_shapes(spec)}

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [one.tensor for one in self.tensors.values()]

    @property
    def fused(self) -> bool:
        return self.unroll == "fused"

    @property
    def hides_states(self) -> bool:
        """Whether dL/dh_t needs a second pass: what runs the steps returns no h_t to differentiate by."""
        return self.unroll in ("fused", "compiled")

    @property
    def generic(self) -> bool:
        """Whether the cell runs by its own step, and not by a kernel."""
        return isinstance(self.body, CellStack)

    @property
    def backward(self) -> str:
        """How the recurrence is differentiated, for a record's notes."""
        if isinstance(self.body, CellStack):
            return "a scan backwards" if self.body.scans else "recorded by autograd"
        return BACKWARD.get(self.unroll, "our own loop, its derivative written by hand")

    def features(
        self,
        placed: PlacedBatch,
        state: LayerStates | None = None,
        final: bool = False,
        training: bool = False,
    ) -> tuple[torch.Tensor, LayerStates | None]:
        """What the head reads, (n, F): of every row, or of every valid step that has an output. With `final`
        also the state at each row's end. States are in the order of the placed rows. `training`: the dropout
        masks of the batch are used."""
        if isinstance(self.body, ConvolutionalBody):
            return self.body(placed.inputs), None
        masks = placed.masks if training else NO_MASKS
        y, end = self._encode(placed, state, final, masks)
        return self._read(y, placed, end=end, masks=masks), end if final else None

    def probed(self, placed: PlacedBatch) -> tuple[torch.Tensor, loops.Probes]:
        """Features by a loop, whatever the unroll, and the probes of every h_t: a fused layer does not return
        its h_t as something to differentiate by. The dropout masks of the batch are used."""
        probes: loops.Probes = {}
        if isinstance(self.body, ConvolutionalBody):
            return self.features(placed)[0], probes
        y, _ = self._by_loop(placed, self._truncation, None, probes=probes, masks=placed.masks)
        return self._read(y, placed, probes, masks=placed.masks), probes

    def layer_outputs(self, placed: PlacedBatch, state: LayerStates | None) -> loops.Outputs:
        """The outputs (steps, B, H) of every layer and direction by its prefix, a decoder's among them (U, B,
        H), arbitrary on padding."""
        outputs: loops.Outputs = {}
        if isinstance(self.body, ConvolutionalBody):
            return outputs
        if self.fused:
            assert isinstance(self.body, RecurrentStack)
            outputs |= fused.layer_outputs(self.body, self._embed(placed), placed.rows, state)
            last = [outputs[direction.prefix] for direction in self.body.layers[-1]]
            y = torch.cat(last, dim=2)
        else:
            y, _ = self._by_loop(placed, None, state, outputs=outputs)
        if self.decoder is not None:
            self._read(y, placed, outputs=outputs)
        return outputs

    def predictions(self, features: torch.Tensor, placed: PlacedBatch) -> torch.Tensor:
        """Scores as the contract gives them: (B, O), or by step (B, T, O), (B, U, V) with zeros on padding."""
        scores = self.head(features)
        if self.decoder is not None:
            assert placed.target_rows is not None
            return heads.by_step(scores, placed.target_rows, every=False)
        if self.spec.readout == "steps":
            return heads.by_step(scores, placed.rows, every=self.spec.loss == "ctc")
        return scores

    def decoding(
        self, placed: PlacedBatch, width: int, aligned: bool, settings: runtime.Settings
    ) -> TorchDecoding:
        """A decoding that starts from the encoder's outputs for a batch."""
        assert self.decoder is not None
        with torch.inference_mode():
            y, _ = self._encode(placed, None, False)
            last = placed.unsort(self._read_out(y, placed))
            y, rows = placed.unsort(y, 1), placed.unsorted_rows
            return TorchDecoding(self.decoder, self.head, y, last, rows, width, aligned, settings)

    def _encode(
        self,
        placed: PlacedBatch,
        state: LayerStates | None,
        final: bool,
        masks: Mapping[str, torch.Tensor] = NO_MASKS,
    ) -> tuple[torch.Tensor, LayerStates | None]:
        if not self.fused:
            return self._by_loop(placed, self._truncation, state, final=final, masks=masks)
        assert isinstance(self.body, RecurrentStack)
        x = self._embed(placed)
        return fused.run(self.body, x, placed.rows, self._truncation, state, final, self._packing, masks)

    def _by_loop(
        self,
        placed: PlacedBatch,
        truncation: int | None,
        state: LayerStates | None,
        probes: loops.Probes | None = None,
        outputs: loops.Outputs | None = None,
        final: bool = False,
        masks: Mapping[str, torch.Tensor] = NO_MASKS,
    ) -> tuple[torch.Tensor, LayerStates | None]:
        assert not isinstance(self.body, ConvolutionalBody)
        x = self._embed(placed)
        return loops.run(
            self.body,
            x,
            placed.rows,
            truncation,
            state,
            probes,
            final,
            self._one_direction(probes),
            outputs,
            placed.resets,
            masks,
        )

    def _one_direction(self, probes: loops.Probes | None) -> loops.OneDirection | None:
        if self.unroll == "autograd":
            return loops.recorded
        return None if self.compiled is None or probes is not None else loops.compiled(self.compiled)

    def _embed(self, placed: PlacedBatch) -> torch.Tensor:
        return (
            placed.inputs if self.embedding is None else functional.embedding(placed.inputs, self.embedding)
        )

    def _read(
        self,
        y: torch.Tensor,
        placed: PlacedBatch,
        probes: loops.Probes | None = None,
        outputs: loops.Outputs | None = None,
        end: LayerStates | None = None,
        masks: Mapping[str, torch.Tensor] = NO_MASKS,
    ) -> torch.Tensor:
        read = self._read_out(y, placed, end)
        if self.decoder is None:
            return read
        return self.decoder.features(y, read, placed, self.unroll, probes, outputs, masks)

    def _read_out(self, y: torch.Tensor, placed: PlacedBatch, end: LayerStates | None = None) -> torch.Tensor:
        """:param end: the state at each row's end, where it is known."""
        assert not isinstance(self.body, ConvolutionalBody)
        if (
            self.fused
            and end is not None
            and self.spec.readout == "last"
            and not self.body.body.bidirectional
        ):
            return end[0][-1]  # y's last step; the gradient of y would be an array of zeros but for that step
        return heads.read_out(self.spec, y, placed.rows, self.body.body.hidden)
