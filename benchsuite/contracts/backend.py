"""Backend: builds and runs a ModelSpec in one framework. Program: a model built on one device.

A backend owns only how the model runs. Initial weights, batches, recurrent states between batches, the
training loop, evaluation, gradient statistics, timing and parity are the core's. So are the rules about what
is asked: before it calls supports() and build() the core has refused what no backend could compute
(contracts.checks), parameters fit the model, and every batch, placed batch and state is of the program that
is given it. A backend checks none of that again; what it refuses itself is what its framework or this machine
lacks.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from benchsuite.contracts.batch import Batch
from benchsuite.contracts.compilation import Compilation
from benchsuite.contracts.decoding import Decoding
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite.schema.entry_checks import (
    check_flag,
    check_function,
    check_name,
    check_optional_text,
    check_text,
    check_tuple,
)

Parameters = dict[str, np.ndarray]
"""Canonical name -> array, in the shapes of benchsuite.schema.parameter_shapes."""

State = object
"""The recurrent states of a batch's rows between two batches, opaque, in whatever form and place the program
keeps them. None: the cell's initial values. Only the program that made it can read it."""


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
    predictions what predict() returns for the batch; under dropout masks, the scores that the loss was taken of
    """

    loss: float
    parameters: Parameters
    states: dict[str, np.ndarray]
    predictions: np.ndarray


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

    @classmethod
    def of(cls, clip: str, loss: np.ndarray, measured: np.ndarray) -> StepLog:
        """The log of n steps under `recipe.clip`.

        :param loss: (n,), any real dtype. :param measured: (n,), the norms or peaks that `clip` measured;
            not looked at, and of any length, where it is "none".
        """
        absent = np.full(len(loss), np.nan)
        measured = np.asarray(measured, np.float64)
        return cls(
            loss=np.asarray(loss, np.float64),
            norm=measured if clip == "norm" else absent,
            peak=measured if clip == "value" else absent,
        )


class Program(abc.ABC):
    """A model with its optimiser, built on one device. What `place` returns is what the others take as
    `placed`.

    A program keeps no recurrent state between calls: states are passed in and returned, so that two streams
    are two variables of the caller. A state may be passed any number of times and is never changed. It
    belongs to the rows of the batch that it came from, in their order, and is of the same number of rows as
    the batch it is passed with. It may be passed whatever `recipe.carry` says, to a model that can start from
    one (`schema.state_shapes`); `recipe.carry` says whether final states are returned.

    A program owns its memory: it copies what it is given, and what it returns is a copy. Equal calls give equal
    results, on a CPU bit for bit. Memory does not grow with the number of calls.
    """

    @abc.abstractmethod
    def place(self, batch: Batch) -> object:
        """Copy a batch to the device, synchronously; the result may be used any number of times."""

    @abc.abstractmethod
    def step(self, placed: object, state: State | None = None) -> State | None:
        """One optimiser step: forward, backward, clip, update. May return before the work is done, never
        reads a value back: loss and norm stay on the device until drain().

        :param state: where the recurrence starts. :returns: each row's state after its last valid step,
            detached, on the device; None where `recipe.carry` is false.
        """

    @abc.abstractmethod
    def drain(self) -> StepLog:
        """Losses and norms of the steps since the last drain; waits for the device."""

    @abc.abstractmethod
    def predict(self, placed: object, state: State | None = None) -> tuple[np.ndarray, State | None]:
        """Scores before the loss: logits (B, C) or (B, T, C), forecasts (B, O) or (B, T, O), in the trial's
        dtype, zero on padded steps; with a decoder (B, U, V) under teacher forcing, zero beyond the targets'
        lengths. Changes nothing in the program.

        :param state: where the recurrence starts. :returns: the scores, and the final states as step()
        returns
            them.
        """

    @abc.abstractmethod
    def gradients(self, placed: object) -> Gradients:
        """Loss, predictions and all gradients of a batch, as NumPy; changes nothing in the program.
        `recipe.truncation` is honoured; recurrent states start at the cell's initial values."""

    def outputs(self, placed: object, state: State | None = None) -> dict[str, np.ndarray]:  # noqa: ARG002
        """What every recurrent layer and direction gives, by layer prefix (`rnn.l0.fwd`): y_t (B, T, H) in the
        trial's dtype, zero on padding; h_t where the cell's output is its hidden state. A decoder's are among
        them (`dec.l0.fwd`, (B, U, H), zero beyond the targets' lengths) under teacher forcing. Empty for a
        model without recurrence. For looking at, not for speed.

        Raises UnsupportedError where the program cannot give them.
        """
        raise UnsupportedError("this backend does not give the states of its layers")

    def make_state(self, values: Mapping[str, np.ndarray]) -> State:  # noqa: ARG002
        """A state from arrays by name, (B, H) each, as `schema.state_shapes` names them (`rnn.l0.fwd.h`, and
        `rnn.l0.fwd.c` for an LSTM: every part of the cell's state); copies them, in the trial's dtype.

        Raises UnsupportedError where the program takes none but its own.
        """
        raise UnsupportedError("this backend makes no initial state from arrays")

    def read_state(self, state: State) -> dict[str, np.ndarray]:  # noqa: ARG002
        """The inverse of make_state(): copies, in the trial's dtype, on the host.

        Raises UnsupportedError where the program cannot.
        """
        raise UnsupportedError("this backend does not read its states back")

    @abc.abstractmethod
    def parameters(self) -> Parameters:
        """A copy of the current parameters, canonical layout."""

    @abc.abstractmethod
    def load_parameters(self, parameters: Parameters) -> None:
        """Copy `parameters` in; the optimiser's state is kept as it is."""

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Return when all work handed to the device is done."""

    @abc.abstractmethod
    def kernel(self) -> str:
        """The path that really ran the recurrence (`cudnn`, `onednn`, `scan`, `while_loop`,
        `python_loop` ...), asked of the framework, not assumed. Called after at least one step(). Loops over
        steps are named `python_loop`, `handwritten_loop` (a loop in a framework that differentiates, with its
        derivative written by hand), `autograd_loop` (the framework's own cells, differentiated by it),
        `compiled_loop` (blocks of steps that a compiler joined), `while_loop`, `scan` and `unrolled`; any other
        word is taken for a fused kernel."""

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
        """What else a reader of the record should know (traces, algorithm choices); may be empty. Where a
        program may be given what an earlier one compiled, `compilations_reused` says how many functions
        (contracts.shared_compilations)."""
        return {}

    def compilations(self) -> Sequence[Compilation]:
        """What has been compiled or traced for this program so far, in order; empty for a framework that
        compiles nothing. A record shows these seconds apart from those of the steps."""
        return ()


class Backend(abc.ABC):
    """One framework, imported. Made by BackendEntry.load(), in a worker of the backend's own.

    shares_compiled  whether programs of one model, recipe and execution give each other what they compiled,
                     until release(), and their notes() say how much (contracts.shared_compilations)
    """

    shares_compiled: ClassVar[bool] = False

    @abc.abstractmethod
    def devices(self) -> list[Device]:
        """The devices that are here, `cpu` first."""

    @abc.abstractmethod
    def supports(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        """None, or the reason why this backend cannot run the model so on this machine. The unroll is one of
        UNROLLS: the core asks about each of them where it is `best`.

        Asked twice: when a trial is planned, with the little that is then known of its model
        (schema.planned_model), and with the model itself right before build().
        """

    @abc.abstractmethod
    def build(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> Program:
        """Build a program holding copies of `parameters`. The caller has asked supports() before.

        Raises UnsupportedError with the reason where only building shows that it cannot be done.
        """

    def choices(
        self,
        model: ModelSpec,  # noqa: ARG002
        recipe: Recipe,  # noqa: ARG002
        execution: Execution,  # noqa: ARG002
    ) -> Mapping[str, tuple[str, ...]]:
        """What this backend can compute in several ways that give the same numbers up to rounding, such as
        `{"products": ("blas", "onednn")}`: name -> ways, of which the first is the framework's own default.

        build() finds what to take in `execution.choices` (schema.parse_choices), and takes the default of a
        choice that is not there. The core measures which ways are the fastest on this machine.
        """
        return {}

    @abc.abstractmethod
    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:
        """A function that runs one (m, k) @ (k, n) matrix product on the device and waits for it: the core
        times it to learn the machine's limit."""

    def release(self) -> None:  # noqa: B027 - doing nothing is a valid answer
        """Called after a trial, when its program is gone: release what the framework still holds for it
        (compiled graphs, cached device memory). Where `shares_compiled` holds and users ask for it, it is not
        called between trials that differ in their seed alone."""

    def versions(self) -> dict[str, str]:
        """What to record of the framework: versions, BLAS, CUDA, cuDNN, build flags."""
        return {}


@dataclass(frozen=True)
class BackendEntry:
    """What is known of a backend without importing its framework; only load() does that.

    environment(execution) gives the variables a worker must have before the framework is imported, beside
    those that the core sets for every backend: the thread counts of OpenMP and of the BLAS libraries.
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
    """Whether this backend's float64 results are what parity is compared with; exactly one entry says so."""
    reference_load: Callable[[], Backend] | None = None
    """Loads the plain, readable implementation that parity is compared with (for the reference entry)."""
    core_environment: Callable[[Execution], Mapping[str, str]] | None = None
    """In place of `environment` for a worker that runs the core of the conformance kit, where nothing is timed:
    a framework that compiles may be told to do so quickly instead of well. None: `environment`."""

    def load_reference(self) -> Backend:
        """The implementation that parity is compared with, of the entry that is the reference."""
        return (self.reference_load or self.load)()

    def __post_init__(self) -> None:
        """Raises PluginError for a field that is not what this class says."""
        check_name("backend", self.name)
        check_function(self, "load", "environment")
        check_text(self, "summary")
        check_tuple(self, "requirements", str)
        check_optional_text(self, "extra")
        check_flag(self, "reference")
        if self.reference_load is not None:
            check_function(self, "reference_load")
        if self.core_environment is not None:
            check_function(self, "core_environment")
