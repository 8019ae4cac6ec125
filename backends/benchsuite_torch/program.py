"""TorchProgram: a network with its optimiser on one device."""

from __future__ import annotations

import numpy as np
import torch

from benchsuite.contracts import Batch, Decoding, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import check_parameters
from benchsuite.errors import ContractError
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_torch import runtime
from benchsuite_torch.kernels import kernel_of, sample_batch
from benchsuite_torch.loops import Taps
from benchsuite_torch.network import Network
from benchsuite_torch.optimisers import Clipping, make_optimiser
from benchsuite_torch.placement import Placed, place
from benchsuite_torch.products import mkl_is_throttled
from benchsuite_torch.stack import State
from benchsuite_torch.weights import read, write


class TorchProgram(Program):
    """What step() measures stays on the device until drain()."""

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
        self._model, self._recipe = model, recipe
        self._static = execution.unroll == "static"
        # a stream's rows keep their places: their states are carried from batch to batch
        self._sorts = execution.unroll == "dynamic" and not recipe.carry
        self._network = Network(model, recipe, execution, self._device, self._dtype)
        self.load_parameters(parameters)
        self._trainable = self._network.parameters
        self._optimiser = make_optimiser(recipe, self._trainable)
        self._clip = Clipping(recipe)
        self._carried: State | None = None
        self._streamed: State | None = None
        self._losses: list[torch.Tensor] = []
        self._clipped_by: list[torch.Tensor] = []
        self._latest: Placed | None = None
        self._kernel = ""

    def place(self, batch: Batch) -> Placed:
        runtime.apply(self._settings)
        placed = place(batch, self._model, self._static, self._sorts, self._device, self._dtype)
        runtime.synchronize(self._device)
        return placed

    def step(self, placed: object) -> None:
        batch = self._placed(placed)
        carry = self._recipe.carry
        self._optimiser.zero_grad(set_to_none=True)
        state = _continued(self._carried, batch) if carry and not batch.fresh else None
        features, end = self._network.features(batch, state, final=carry)
        loss = self._network.head.loss(features, batch)
        loss.backward()
        if end is not None:
            self._carried = tuple(part.detach() for part in end)
        measured = self._clip([tensor.grad for tensor in self._trainable])
        self._optimiser.step()
        self._losses.append(loss.detach())
        if measured is not None:
            self._clipped_by.append(measured)

    def drain(self) -> StepLog:
        loss, measured = _to_host(self._losses), _to_host(self._clipped_by)
        self._losses, self._clipped_by = [], []
        absent = np.full(loss.shape, np.nan)
        clip = self._recipe.clip
        return StepLog(
            loss=loss,
            norm=measured if clip == "norm" else absent,
            peak=measured if clip == "value" else absent,
        )

    def predict(self, placed: object) -> np.ndarray:
        batch, carry = self._placed(placed), self._recipe.carry
        state = _continued(self._streamed, batch) if carry and not batch.fresh else None
        with torch.inference_mode():
            features, end = self._network.features(batch, state, final=carry)
            predictions = self._network.predictions(features, batch)
        if end is not None:
            self._streamed = end
        return _copy(batch.restored(predictions))

    def gradients(self, placed: object) -> Gradients:
        """Loss, predictions and parameter gradients come from the unroll itself. dL/dh_t of a fused unroll
        comes from a second pass, by the loop, over the same parameters."""
        batch, network = self._placed(placed), self._network
        features, taps = (network.features(batch)[0], {}) if network.fused else network.tapped(batch)
        loss = network.head.loss(features, batch)
        found = _gradients(loss, [*self._trainable, *_flat(taps)])
        tapped = found[len(self._trainable) :]
        if network.fused:
            probe, taps = network.tapped(batch)
            tapped = _gradients(network.head.loss(probe, batch), _flat(taps))
        with torch.no_grad():
            predictions = network.predictions(features, batch)
        return Gradients(
            loss=float(loss.detach().double()),
            parameters={
                name: slot.canonical(value)
                for (name, slot), value in zip(network.slots.items(), found, strict=False)
            },
            states=_by_layer(taps, tapped, batch),
            predictions=_copy(batch.restored(predictions)),
        )

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> Decoding:
        if self._model.decoder is None:
            return super().decoding(placed, width, aligned)
        return self._network.decoding(self._placed(placed), width, aligned, self._settings)

    def parameters(self) -> Parameters:
        return read(self._network.slots)

    def load_parameters(self, parameters: Parameters) -> None:
        check_parameters(self._model, parameters)
        write(self._network.slots, parameters)

    def synchronize(self) -> None:
        runtime.synchronize(self._device)

    def kernel(self) -> str:
        """Read from a profile of one forward pass in training mode, over the latest batch or a sample."""
        if not self._kernel:
            batch = self._latest or self.place(sample_batch(self._model))
            runtime.apply(self._settings)
            self._kernel = kernel_of(lambda: self._network.features(batch, final=self._recipe.carry))
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
            "optimiser": _implementation(self._optimiser),
            "state_gradients": "second pass by the loop" if self._network.fused else "same pass",
        }
        if self._device.type == "cpu" and self._dtype == torch.float32:
            found["products"] = "BLAS, large ones oneDNN" if mkl_is_throttled() else "BLAS"
        return found

    def _placed(self, placed: object) -> Placed:
        if not isinstance(placed, Placed):
            raise ContractError(
                f"step, predict and gradients take what place() returned, not {type(placed).__name__}"
            )
        runtime.apply(self._settings)
        self._latest = placed
        return placed


def _flat(taps: Taps) -> list[torch.Tensor]:
    return [h for emitted in taps.values() for h in emitted]


def _gradients(loss: torch.Tensor, inputs: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    if not inputs:
        return ()
    found: tuple[torch.Tensor, ...] = torch.autograd.grad(
        loss, inputs, allow_unused=True, materialize_grads=True
    )
    return found


def _by_layer(taps: Taps, gradients: tuple[torch.Tensor, ...], batch: Placed) -> dict[str, np.ndarray]:
    """Gradients of the tapped h_t by layer: (B, T, H), a decoder's (B, U, H)."""
    left = iter(gradients)
    states: dict[str, np.ndarray] = {}
    for prefix, emitted in taps.items():
        rows = batch.written if batch.written is not None and prefix.startswith("dec.") else batch.rows
        by_step = torch.stack([next(left) for _ in emitted], dim=1)
        padded = torch.nn.functional.pad(by_step, (0, 0, 0, rows.time - len(emitted)))
        states[prefix] = _copy(batch.restored(padded))
    return states


def _continued(state: State | None, batch: Placed) -> State | None:
    """The state that a stream's next batch starts from; zero where nothing came before."""
    if state is not None and state[0].shape[1] != batch.rows.batch:
        raise ContractError(
            f"a batch of {batch.rows.batch} rows continues a stream of {state[0].shape[1]} rows; "
            "give fresh=True where the rows change"
        )
    return state


def _copy(values: torch.Tensor) -> np.ndarray:
    return np.array(values.cpu().numpy())


def _to_host(values: list[torch.Tensor]) -> np.ndarray:
    if not values:
        return np.zeros(0)
    host: np.ndarray = torch.stack(values).double().cpu().numpy()
    return host


def _implementation(optimiser: torch.optim.Optimizer) -> str:
    how = [flag for flag in ("fused", "foreach") if optimiser.defaults.get(flag)]
    return f"torch.optim.{type(optimiser).__name__} ({how[0]})"
