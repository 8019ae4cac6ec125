"""Network: input, body, readout and head of a ModelSpec, in the unroll that the execution asks for."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.spec import Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_torch import fused, heads, loops
from benchsuite_torch.cnn import ConvolutionalBody
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
        self.head = Head(model, device, dtype)
        slots |= self.body.slots() | self.head.slots()
        self.slots: Slots = {name: slots[name] for name in parameter_shapes(model)}

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [slot.tensor for slot in self.slots.values()]

    def scores(
        self, placed: Placed, state: State | None = None, final: bool = False
    ) -> tuple[torch.Tensor, State | None]:
        """Scores (B, O) or (steps, B, O), arbitrary on padding; with `final` the state at each row's end."""
        if isinstance(self.body, ConvolutionalBody):
            return self.head(self.body(placed.inputs)), None
        x = self._embed(placed)
        if self.fused:
            y, end = fused.run(self.body, x, placed.rows, self._truncation, state, final, self._packing)
        else:
            y, end = loops.run(self.body, x, placed.rows, self._truncation, state, final=final)
        return self._head(y, placed), end

    def tapped(self, placed: Placed) -> tuple[torch.Tensor, loops.Taps]:
        """Scores by the loop, whatever the unroll, and every emitted h_t: a fused layer does not give out its
        h_t as something to differentiate by."""
        taps: loops.Taps = {}
        if isinstance(self.body, ConvolutionalBody):
            return self.scores(placed)[0], taps
        y, _ = loops.run(self.body, self._embed(placed), placed.rows, self._truncation, None, taps)
        return self._head(y, placed), taps

    def loss(self, scores: torch.Tensor, placed: Placed) -> torch.Tensor:
        return heads.loss(self.model, scores, placed)

    def predictions(self, scores: torch.Tensor, placed: Placed) -> torch.Tensor:
        """Scores as the contract gives them: (B, O), or (B, T, O) with zeros on padding."""
        return heads.padded(scores, placed.rows) if self.model.readout == "steps" else scores

    def _embed(self, placed: Placed) -> torch.Tensor:
        return (
            placed.inputs if self.embedding is None else functional.embedding(placed.inputs, self.embedding)
        )

    def _head(self, y: torch.Tensor, placed: Placed) -> torch.Tensor:
        assert isinstance(self.body, RecurrentStack)
        return self.head(heads.read_out(self.model, y, placed.rows, self.body.body.hidden))
