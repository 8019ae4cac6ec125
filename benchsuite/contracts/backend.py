"""Backend: builds and runs a ModelSpec in one framework. Program: a model built on one device.

A backend owns only how the model runs. Initial weights, batches, the training loop, evaluation, gradient
statistics, timing and parity are the core's.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts.batch import Batch
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution, ModelSpec, Recipe, Trial

Parameters = dict[str, np.ndarray]
"""Canonical name -> array, in the shapes of benchsuite.schema.parameter_shapes."""


@dataclass(frozen=True)
class Device:
    """A device of this machine: `name` is what a trial's execution.device says (`cpu`, `gpu`, `gpu:1`)."""

    name: str
    description: str


@dataclass(frozen=True)
class Gradients:
    """What one backward pass yields, without an optimiser step and before any clipping.

    A decoder's layers (`dec.l0.fwd`) are among the states, (B, U, H), zero beyond a row's target length, and
    its predictions are the scores (B, U, V) under teacher forcing.

    loss        the batch's loss
    parameters  gradient of every parameter, canonical names and shapes
    states      layer prefix (`rnn.l0.fwd`) -> dL/dh_t (B, T, H): total derivative with respect to the emitted
                h_t at fixed c_t, zero on padding; empty for a model without recurrence
    predictions what predict() returns for the batch
    """

    loss: float
    parameters: Parameters
    states: dict[str, np.ndarray]
    predictions: np.ndarray


@dataclass(frozen=True)
class Advance:
    """What one step of generation says of N hypotheses.

    log_probabilities  (N, k) float64, ln p of the k likeliest next tokens, the likeliest first
    tokens             (N, k) int32, which they are
    alignment          (N, T): the step's attention on the inputs, zero on padding, T the batch's padded length;
                       None where not asked for or where the model has no attention
    """

    log_probabilities: np.ndarray
    tokens: np.ndarray
    alignment: np.ndarray | None = None


class Decoding(abc.ABC):
    """A decoder generating over one batch of B rows, `width` hypotheses a row: hypothesis i of row r is
    number r * width + i, N = B * width in all. The encoder has run; nothing is written yet."""

    @abc.abstractmethod
    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        """Go on by one token.

        :param tokens: (N,) int32, the latest token of each hypothesis (`start` at first).
        :param parents: (N,) int64, which hypothesis of the step before each one continues; never one of
            another row.
        :param k: how many next tokens are wanted for each.
        """


@dataclass(frozen=True)
class StepLog:
    """The steps since the last drain(), oldest first; all of shape (n,), float64.

    loss  the loss of each step's batch before the update
    norm  global L2 norm of the gradient before clipping; NaN where clip is not "norm"
    peak  largest absolute gradient entry before clipping; NaN where clip is not "value"
    """

    loss: np.ndarray
    norm: np.ndarray
    peak: np.ndarray


class Program(abc.ABC):
    """A model with its optimiser, built on one device. What `place` returns is what the others take."""

    @abc.abstractmethod
    def place(self, batch: Batch) -> object:
        """Copy a batch to the device, synchronously; the result may be used any number of times."""

    @abc.abstractmethod
    def step(self, placed: object) -> None:
        """One optimiser step: forward, backward, clip, update. May return before the work is done, never
        reads a value back: loss and norm stay on the device until drain()."""

    @abc.abstractmethod
    def drain(self) -> StepLog:
        """Losses and norms of the steps since the last drain; waits for the device."""

    @abc.abstractmethod
    def predict(self, placed: object) -> np.ndarray:
        """Scores before the loss: logits (B, C) or (B, T, C), forecasts (B, O) or (B, T, O), in the trial's
        dtype, zero on padded steps; with a decoder (B, U, V) under teacher forcing, zero beyond the targets'
        lengths. Leaves the training's carried states and parameters as they are. Recurrent states start at
        zero, but under `recipe.carry` a batch that is not fresh goes on from the final states of the latest
        predict(): evaluation is a stream of its own."""

    @abc.abstractmethod
    def gradients(self, placed: object) -> Gradients:
        """Loss, predictions and all gradients of a batch, as NumPy; changes nothing in the program.
        `recipe.truncation` is honoured; recurrent states start at zero."""

    @abc.abstractmethod
    def parameters(self) -> Parameters:
        """A copy of the current parameters, canonical layout."""

    @abc.abstractmethod
    def load_parameters(self, parameters: Parameters) -> None:
        """Copy `parameters` in; optimiser state and carried states are kept as they are."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Return when all work handed to the device is done."""

    @abc.abstractmethod
    def kernel(self) -> str:
        """The path that really ran the recurrence (`cudnn`, `onednn`, `scan`, `while_loop`,
        `python_loop` ...), asked of the framework, not assumed. The words `python_loop`, `while_loop`,
        `scan` and `unrolled` stand for loops over steps; any other word is taken for a fused kernel."""

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> Decoding:  # noqa: ARG002
        """Start generating from a batch's inputs (its targets are not looked at), `width` hypotheses a row;
        `aligned` asks for the attention. Raises UnsupportedError for a model without a decoder."""
        raise UnsupportedError(
            "this program generates nothing: its model has no decoder, or its backend none"
        )

    def memory(self) -> dict[str, int]:
        """Bytes by name that the framework reports for the device (`device_peak`, ...); may be empty."""
        return {}

    def notes(self) -> dict[str, str]:
        """What else a reader of the record should know (traces, algorithm choices); may be empty."""
        return {}


class Backend(abc.ABC):
    """One framework, imported. Made by BackendEntry.load(), in a worker of the backend's own."""

    @abc.abstractmethod
    def devices(self) -> list[Device]:
        """The devices that are here, `cpu` first."""

    @abc.abstractmethod
    def supports(self, trial: Trial) -> str | None:
        """None, or the reason why this backend cannot run the trial on this machine."""

    @abc.abstractmethod
    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> Program:
        """Build a program holding copies of `parameters`.

        Raises UnsupportedError with the reason when model or execution is out of reach.
        """

    @abc.abstractmethod
    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        """A function that runs one (m, k) @ (k, n) matrix product on the device and waits for it: the core
        times it to learn the machine's limit."""

    def release(self) -> None:  # noqa: B027 - doing nothing is a valid answer
        """Called after a trial, when its program is gone: give back what the framework still holds for it
        (compiled graphs, cached device memory)."""

    def versions(self) -> dict[str, str]:
        """What to record of the framework: versions, BLAS, CUDA, cuDNN, build flags."""
        return {}


@dataclass(frozen=True)
class BackendEntry:
    """The cheap card of a backend: only load() imports the framework.

    environment(execution) gives the variables a worker must have before the framework is imported.
    """

    name: str
    load: Callable[[], Backend]
    summary: str
    requirements: tuple[str, ...]
    """Distributions that must be installed in the backend's interpreter."""
    extra: str | None
    """The extra that installs them."""
    environment: Callable[[Execution], Mapping[str, str]] = field(default=lambda _execution: {})
    reference: bool = False
    """Whether this backend's float64 results are what parity is held to; exactly one entry says so."""
    reference_load: Callable[[], Backend] | None = None
    """Loads the plain, readable implementation that parity is held to (for the reference entry)."""
