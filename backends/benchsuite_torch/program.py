"""TorchProgram: the contract's Program over the model and the optimiser, on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchsuite.contracts import (
    Batch,
    Compilation,
    Decoding,
    Gradients,
    Parameters,
    Program,
    StepLog,
    compilation_notes,
)
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent, state_shapes
from benchsuite.schema.cells import step_source
from benchsuite_torch import runtime
from benchsuite_torch.layers import LayerStates, load_parameters, read_parameters
from benchsuite_torch.loops import Probes
from benchsuite_torch.model import Model
from benchsuite_torch.optimisers import Clipping, Optimiser
from benchsuite_torch.placement import PlacedBatch, place_batch


class TorchProgram(Program):
    """What step() measures stays on the device until drain().

    A state is the parts of the cell's state, each (layers, B, H), rows in the batch's own order.
    """

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        self._settings = runtime.Settings.of(execution)
        runtime.apply(self._settings)
        self._device = runtime.torch_device(execution.device)
        self._dtype = getattr(torch, execution.dtype)
        if self._device.type == "cuda":
            torch.cuda.init()
            torch.cuda.reset_peak_memory_stats(self._device)
        self._spec, self._recipe, self._unroll = model, recipe, execution.unroll
        # in a stream sorting would cost more than it saves: states would have to be sorted with every batch
        self._sorts = execution.unroll == "dynamic" and not recipe.carry
        self._model = Model(model, recipe, execution, self._device, self._dtype)
        self.load_parameters(parameters)
        self._trainable = self._model.parameters
        self._optimiser = Optimiser(recipe, self._trainable)
        self._clip = Clipping(recipe)
        self._losses: list[torch.Tensor] = []
        self._measured: list[torch.Tensor] = []
        self._latest: PlacedBatch | None = None
        self._kernel = ""

    def place(self, batch: Batch) -> PlacedBatch:
        runtime.apply(self._settings)
        static = self._unroll in ("static", "compiled")
        placed = place_batch(batch, self._spec, static, self._sorts, self._device, self._dtype)
        runtime.synchronize(self._device)
        return placed

    def step(self, placed: Any, state: Any = None) -> LayerStates | None:
        runtime.apply(self._settings)
        self._latest = placed
        self._optimiser.zero_grad()
        features, end = self._model.features(
            placed, _sorted(state, placed), final=self._recipe.carry, training=True
        )
        loss = self._model.head.loss(features, placed)
        loss.backward()
        self._fill_gradients()
        measured = self._clip([tensor.grad for tensor in self._trainable])
        self._optimiser.step()
        self._losses.append(loss.detach())
        if measured is not None:
            self._measured.append(measured)
        return None if end is None else tuple(placed.unsort(part.detach(), 1) for part in end)

    def _fill_gradients(self) -> None:
        """Zero gradients for parameters that the loss does not depend on, such as some of a plugin's cell."""
        for tensor in self._trainable:
            if tensor.grad is None:
                tensor.grad = torch.zeros_like(tensor)

    def drain(self) -> StepLog:
        losses, measured = _to_host(self._losses), _to_host(self._measured)
        self._losses, self._measured = [], []
        return StepLog.of(self._recipe.clip, losses, measured)

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, LayerStates | None]:
        runtime.apply(self._settings)
        with torch.inference_mode():
            features, end = self._model.features(placed, _sorted(state, placed), final=self._recipe.carry)
            predictions = self._model.predictions(features, placed)
        if end is not None:  # copied, since step() could not use a tensor of inference mode
            end = tuple(placed.unsort(part.clone(), 1) for part in end)
        return _copy(placed.unsort(predictions)), end

    def gradients(self, placed: Any) -> Gradients:
        """Loss, predictions and parameter gradients come from the unroll itself. dL/dh_t of a fused or compiled
        unroll comes from a second pass, by our own loop, over the same parameters."""
        runtime.apply(self._settings)
        model, probes = self._model, Probes()
        if model.hides_states:
            features, _ = model.features(placed, training=True)
        else:
            features, probes = model.probed(placed)
        loss = model.head.loss(features, placed)
        found = _gradients(loss, [*self._trainable, *_flat(probes)])
        of_states = found[len(self._trainable) :]
        if model.hides_states:
            probed, probes = model.probed(placed)
            of_states = _gradients(model.head.loss(probed, placed), _flat(probes))
        with torch.no_grad():
            predictions = model.predictions(features, placed)
        left = iter(of_states)
        by_layer = {prefix: torch.stack([next(left) for _ in zeros]) for prefix, zeros in probes.items()}
        return Gradients(
            loss=float(loss.detach().double()),
            parameters={
                name: one.canonical(value)
                for (name, one), value in zip(model.tensors.items(), found, strict=False)
            },
            states=_by_layer(by_layer, placed, masked=False),
            predictions=_copy(placed.unsort(predictions)),
        )

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        runtime.apply(self._settings)
        with torch.inference_mode():
            return _by_layer(self._model.layer_outputs(placed, _sorted(state, placed)), placed, masked=True)

    def make_state(self, values: Mapping[str, np.ndarray]) -> LayerStates:
        parts: dict[str, list[torch.Tensor]] = {}
        for name in state_shapes(self._spec):  # layer by layer, the parts of each in their order
            part = torch.tensor(values[name], dtype=self._dtype, device=self._device)
            parts.setdefault(name.rpartition(".")[2], []).append(part)
        return tuple(torch.stack(layers) for layers in parts.values())

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        seen: dict[str, int] = {}
        values: dict[str, np.ndarray] = {}
        for name in state_shapes(self._spec):
            kind = name.rpartition(".")[2]
            layer = seen.setdefault(kind, 0)
            values[name] = _copy(state[list(seen).index(kind)][layer])
            seen[kind] += 1
        return values

    def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
        if self._spec.decoder is None:
            return super().decoding(placed, width, aligned)
        runtime.apply(self._settings)
        return self._model.decoding(placed, width, aligned, self._settings)

    def parameters(self) -> Parameters:
        return read_parameters(self._model.tensors)

    def load_parameters(self, parameters: Parameters) -> None:
        load_parameters(self._model.tensors, parameters)

    def synchronize(self) -> None:
        runtime.synchronize(self._device)

    def kernel(self) -> str:
        """Read from a profile of one more forward pass, in training mode, over the batch of the latest step."""
        if not self._kernel and self._latest is not None:
            batch = self._latest
            runtime.apply(self._settings)
            self._kernel = runtime.kernel_of(
                lambda: self._model.features(batch, final=self._recipe.carry, training=True)
            )
        return self._kernel

    def memory(self) -> dict[str, int]:
        if self._device.type != "cuda":
            return {}
        return {
            "device_peak": torch.cuda.max_memory_allocated(self._device),
            "device_reserved_peak": torch.cuda.max_memory_reserved(self._device),
        }

    def notes(self) -> dict[str, str]:
        found = {
            "optimiser": self._optimiser.description,
            "backward": self._model.backward,
        }
        if self._model.generic and isinstance(self._spec.body, Recurrent):
            found["cell"] = step_source(self._spec.body.cell, "torch")
        return found | compilation_notes(self.compilations()) if self._model.compiled else found

    def compilations(self) -> Sequence[Compilation]:
        return () if self._model.compiled is None else self._model.compiled.made


def _sorted(state: LayerStates | None, placed: PlacedBatch) -> LayerStates | None:
    """A state, whose rows are in the batch's order, in the order of the placed rows."""
    return None if state is None else tuple(placed.sort(part, 1) for part in state)


def _flat(probes: Probes) -> list[torch.Tensor]:
    return [zeros for by_step in probes.values() for zeros in by_step]


def _gradients(loss: torch.Tensor, inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    if not inputs:
        return ()
    found: tuple[torch.Tensor, ...] = torch.autograd.grad(
        loss, inputs, allow_unused=True, materialize_grads=True
    )
    return found


def _by_layer(found: Mapping[str, torch.Tensor], placed: PlacedBatch, masked: bool) -> dict[str, np.ndarray]:
    """(B, T, H) by layer prefix, a decoder's (B, U, H), from (steps, B, H); `masked`: zero on padding, where
    `found` is arbitrary."""
    arrays: dict[str, np.ndarray] = {}
    for prefix, by_step in found.items():
        rows = placed.rows
        if placed.target_rows is not None and prefix.startswith("dec."):
            rows = placed.target_rows
        values = by_step if rows.full or not masked else by_step * rows.mask
        padded = torch.nn.functional.pad(values.transpose(0, 1), (0, 0, 0, rows.time - len(values)))
        arrays[prefix] = _copy(placed.unsort(padded))
    return arrays


def _copy(values: torch.Tensor) -> np.ndarray:
    return np.array(values.cpu().numpy())


def _to_host(values: list[torch.Tensor]) -> np.ndarray:
    if not values:
        return np.zeros(0)
    host: np.ndarray = torch.stack(values).double().cpu().numpy()
    return host
