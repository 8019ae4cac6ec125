"""Network: input, body, decoder, readout and head of a ModelSpec, in the unroll that the execution asks for."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_torch import fused, heads, loops, runtime
from benchsuite_torch.cnn import ConvolutionalBody
from benchsuite_torch.decoder import DecoderLayers
from benchsuite_torch.decoding import TorchDecoding
from benchsuite_torch.heads import Head
from benchsuite_torch.placement import Placed
from benchsuite_torch.stack import RecurrentStack, State
from benchsuite_torch.weights import AS_IS, Slot, Slots, allocate


class Network:
    """A model's parameters and its forward pass. `slots` holds the parameters in canonical order."""

    def __init__(
        self, model: ModelSpec, recipe: Recipe, execution: Execution, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.model = model
        self.fused = execution.unroll == "fused"
        self._truncation = recipe.truncation
        self._packing = device.type == "cuda"
        slots: Slots = {}
        self.embedding: torch.Tensor | None = None
        if isinstance(model.input, Tokens):
            self.embedding = allocate((model.input.vocabulary, model.input.embedding), device, dtype)
            slots["embed.E"] = Slot(self.embedding, AS_IS[2])
        self.body: ConvolutionalBody | RecurrentStack
        if isinstance(model.body, Convolutional):
            self.body = ConvolutionalBody(model.body, device, dtype)
        else:
            self.body = RecurrentStack(model.body, model.input_size, device, dtype)
        self.decoder = None if model.decoder is None else DecoderLayers(model, device, dtype)
        self.head = Head(model, device, dtype)
        slots |= self.body.slots() | self.head.slots()
        if self.decoder is not None:
            slots |= self.decoder.slots()
        self.slots: Slots = {name: slots[name] for name in parameter_shapes(model)}

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [slot.tensor for slot in self.slots.values()]

    def features(
        self, placed: Placed, state: State | None = None, final: bool = False
    ) -> tuple[torch.Tensor, State | None]:
        """What the head reads, (n, F): of every row, or of every valid step that has an output. With `final`
        also the state at each row's end."""
        if isinstance(self.body, ConvolutionalBody):
            return self.body(placed.inputs), None
        y, end = self._encode(placed, state, final)
        return self._read(y, placed, self.fused, None), end

    def tapped(self, placed: Placed) -> tuple[torch.Tensor, loops.Taps]:
        """Features by the loop, whatever the unroll, and every emitted h_t: a fused layer does not give out
        its h_t as something to differentiate by."""
        taps: loops.Taps = {}
        if isinstance(self.body, ConvolutionalBody):
            return self.features(placed)[0], taps
        y, _ = loops.run(self.body, self._embed(placed), placed.rows, self._truncation, None, taps)
        return self._read(y, placed, False, taps), taps

    def predictions(self, features: torch.Tensor, placed: Placed) -> torch.Tensor:
        """Scores as the contract gives them: (B, O), or by step (B, T, O), (B, U, V) with zeros on padding."""
        scores = self.head(features)
        if self.decoder is not None:
            assert placed.written is not None
            return heads.by_step(scores, placed.written, every=False)
        if self.model.readout == "steps":
            return heads.by_step(scores, placed.rows, every=self.model.loss == "ctc")
        return scores

    def decoding(
        self, placed: Placed, width: int, aligned: bool, settings: runtime.Settings
    ) -> TorchDecoding:
        """A decoding that starts from the encoder's reading of a batch."""
        assert self.decoder is not None
        with torch.inference_mode():
            y, _ = self._encode(placed, None, False)
            last = placed.restored(self._read_out(y, placed))
            y, rows = placed.restored(y, 1), placed.rows_as_they_came
            return TorchDecoding(self.decoder, self.head, y, last, rows, width, aligned, settings)

    def _encode(self, placed: Placed, state: State | None, final: bool) -> tuple[torch.Tensor, State | None]:
        assert isinstance(self.body, RecurrentStack)
        x = self._embed(placed)
        if self.fused:
            return fused.run(self.body, x, placed.rows, self._truncation, state, final, self._packing)
        return loops.run(self.body, x, placed.rows, self._truncation, state, final=final)

    def _embed(self, placed: Placed) -> torch.Tensor:
        return (
            placed.inputs if self.embedding is None else functional.embedding(placed.inputs, self.embedding)
        )

    def _read(self, y: torch.Tensor, placed: Placed, fuse: bool, taps: loops.Taps | None) -> torch.Tensor:
        read = self._read_out(y, placed)
        return read if self.decoder is None else self.decoder.features(y, read, placed, fuse, taps)

    def _read_out(self, y: torch.Tensor, placed: Placed) -> torch.Tensor:
        assert isinstance(self.body, RecurrentStack)
        return heads.read_out(self.model, y, placed.rows, self.body.body.hidden)
