"""A model with its optimiser, compiled for one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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
from benchsuite.contracts.shared_compilations import REUSED_NOTE
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe
from benchsuite.schema.cells import step_source
from benchsuite_jax import optimisers, xla_flags
from benchsuite_jax.cells import Start, States
from benchsuite_jax.decoding import JaxDecoding
from benchsuite_jax.kernels.recurrence import ROWS_BY_STEP
from benchsuite_jax.model import Model
from benchsuite_jax.placement import Feed, Placed, Placement, by_row, fetched, fetched_states
from benchsuite_jax.runtime import (
    QUICK_CPU_COMPILATION,
    Executables,
    Key,
    compiler_options,
    loop_kind,
    matmul_precision,
)

PASSES = ("gradients", "predict", "step")
"""Functions that run the whole model; the last of them that was compiled tells how it is run."""


class JaxProgram(Program):
    """Pure functions (step, predict, gradients, what decoding needs) and the arrays they act on.

    A state is a dict: layer prefix -> its parts (h, and an LSTM's c), each (B, H). A function that is compiled
    takes a Start, or None for the cells' initial states, which it then makes itself.

    :param compiled: what programs of the same model, recipe and execution have compiled; this one adds to it.
    """

    def __init__(
        self,
        model: ModelSpec,
        parameters: Parameters,
        recipe: Recipe,
        execution: Execution,
        device: jax.Device,
        compiled: dict[Key, Any],
    ) -> None:
        self._spec, self._recipe, self._execution, self._device = model, recipe, execution, device
        truncation = None if recipe.truncation is None else int(recipe.truncation)
        precision = jax.lax.Precision.HIGH if execution.precision == "tf32" else jax.lax.Precision.HIGHEST
        self._model = Model(
            model,
            execution.unroll,
            truncation,
            precision,
            float(recipe.label_smoothing),
            recipe.recurrent_dropout > 0,
        )
        self._executables = Executables(
            lambda: matmul_precision(execution),
            compiler_options(execution),
            compiled,
        )
        self._placement = Placement(model, execution, device)
        self._parameters = self._placement.parameters(parameters)
        self._moments = optimisers.initial_moments(recipe, self._parameters)
        self._steps = 0
        self._log: list[tuple[jax.Array, jax.Array | None]] = []

    def place(self, batch: Batch) -> Placed:
        return self._placement.place(batch)

    def step(self, placed: Any, state: Any = None) -> States | None:
        self._steps += 1
        corrections = optimisers.bias_corrections(self._recipe, self._steps, self._execution.dtype)
        rate = optimisers.scheduled_rate(self._recipe, self._steps, self._execution.dtype)
        start = self._start(placed, state)
        arguments = (self._parameters, self._moments, start, placed.feed, corrections, rate)
        key = ("step", (*placed.shape, start is None))
        run = self._executables.get(key, self._step, arguments, (0, 1))
        self._parameters, self._moments, final, loss, clipped_at = run(*arguments)
        self._log.append((loss, clipped_at))
        return final  # type: ignore[no-any-return]

    def drain(self) -> StepLog:
        log = jax.device_get(self._log)
        self._log = []
        losses, measured = ([entry[part] for entry in log] for part in (0, 1))
        clips = self._recipe.clip != "none"
        return StepLog.of(self._recipe.clip, np.array(losses), np.array(measured if clips else []))

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, States | None]:
        shape, feed = self._read_by_forward(placed)
        start = self._start(placed, state)
        arguments = (self._parameters, start, feed)
        run = self._executables.get(("predict", (*shape, start is None)), self._predict, arguments)
        scores, final = run(*arguments)
        return by_row(scores), final

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        shape, feed = self._read_by_forward(placed)

        def function(parameters: Any, start: Start | None, feed: Feed) -> dict[str, jax.Array]:
            return self._model.layer_outputs(parameters, feed, self._or_fresh(start, feed))

        start = None if state is None else self._passed_in(state)
        arguments = (self._parameters, start, feed)
        key = ("outputs", (*shape, start is None))
        run = self._executables.get(key, function, arguments, options=self._quick_compilation)
        return {name: by_row(value) for name, value in run(*arguments).items()}

    def make_state(self, values: Mapping[str, np.ndarray]) -> States:
        return self._placement.states(values)

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        return fetched_states(self._spec, state)

    def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
        if self._spec.decoder is None:
            return super().decoding(placed, width, aligned)

        def encode(parameters: Any, feed: Feed) -> Any:
            return self._model.encode(parameters, feed, self._fresh(feed), width)

        arguments = (self._parameters, placed.feed.without_targets())
        run = self._executables.get(("encode", (*placed.input_shape, width)), encode, arguments)
        encoded = run(*arguments)
        return JaxDecoding(self._model, self._executables, lambda: self._parameters, encoded, aligned)

    def gradients(self, placed: Any) -> Gradients:
        """See the contract. cuDNN does not return dL/dh_t: for `fused` the states' gradients are taken
        through a scan of the same weights, everything else through the fused kernel. On the CPU this
        function, asked for a few times and never timed, is compiled quickly rather than well."""
        arguments = (self._parameters, placed.feed)
        key = ("gradients", placed.shape)
        run = self._executables.get(key, self._gradients, arguments, options=self._quick_compilation)
        loss, parameters, states, scores = run(*arguments)
        return Gradients(
            loss=float(loss),
            parameters=fetched(parameters),
            states={name: np.array(value.swapaxes(0, 1)) for name, value in jax.device_get(states).items()},
            predictions=by_row(scores),
        )

    def parameters(self) -> Parameters:
        return fetched(self._parameters)

    def load_parameters(self, parameters: Parameters) -> None:
        self._parameters = self._placement.parameters(parameters)

    def synchronize(self) -> None:
        jax.block_until_ready((self._parameters, self._moments, self._log[-1:]))

    def kernel(self) -> str:
        """Read from the compiled program with the longest loops, a training step's where there is one; `none`
        before anything ran."""
        decoder = self._spec.decoder
        if isinstance(self._spec.body, Convolutional):
            return "convolution"
        sizes = slice(0, 3, 2) if decoder is not None else slice(1)  # inputs' shape, and a decoder's targets'
        ran = [
            (PASSES.index(kind), sum(shape[0] for shape in key[sizes]), run)
            for (kind, key), run in self._executables.compiled.items()
            if kind in PASSES
        ]
        if not ran:
            return "none"
        scopes = self._model.scopes
        looping = scopes[1:] if decoder is not None and decoder.attention == "additive" else ()
        return loop_kind(max(ran, key=lambda item: item[:2])[2].as_text(), scopes, looping)

    def memory(self) -> dict[str, int]:
        found = {}
        temporary = [run.memory_analysis() for run in self._executables.compiled.values()]
        sizes = [analysis.temp_size_in_bytes for analysis in temporary if analysis is not None]
        if sizes:
            found["device_temporary"] = int(max(sizes))
        statistics = self._device.memory_stats() or {}
        if "peak_bytes_in_use" in statistics:
            found["device_peak"] = int(statistics["peak_bytes_in_use"])
        return found

    def notes(self) -> dict[str, str]:
        found = compilation_notes(self._executables.made) | {REUSED_NOTE: str(self._executables.reused)}
        if self._executables.options:
            found["xla_options"] = xla_flags(self._executables.options)
        if isinstance(self._spec.body, Convolutional):
            return found
        if self._execution.unroll == "fused":
            return found | {"backward": "cuDNN's"}
        if self._model.encoder is not None and self._model.encoder.kernel is None:
            source = step_source(self._spec.body.cell, "jax")
            return found | {"cell": source, "backward": "jax differentiates the cell's step"}
        by_step, once = f"by step from {ROWS_BY_STEP} rows on", "else in one product"
        return found | {"backward": f"written by hand (jax.custom_vjp); weights' gradients {by_step}, {once}"}

    def compilations(self) -> Sequence[Compilation]:
        return self._executables.made

    @property
    def _quick_compilation(self) -> Mapping[str, int | bool] | None:
        return QUICK_CPU_COMPILATION if self._device.platform == "cpu" else None

    def _read_by_forward(self, placed: Placed) -> tuple[tuple[Any, ...], Feed]:
        """What a forward pass reads of a batch, and the shape it is compiled for: a decoder is fed targets."""
        if self._spec.decoder is not None:
            return placed.shape, placed.feed._replace(masks=None)
        return placed.input_shape, placed.feed.without_targets()

    def _step(
        self,
        parameters: dict[str, jax.Array],
        moments: dict[str, Any],
        start: Start | None,
        feed: Feed,
        corrections: jax.Array | None,
        rate: jax.Array | None,
    ) -> tuple[Any, ...]:
        (loss, (_, final)), gradients = jax.value_and_grad(self._model.loss, has_aux=True)(
            parameters, feed, self._or_fresh(start, feed)
        )
        gradients, clipped_at = optimisers.clip(self._recipe, gradients)
        parameters, moments = optimisers.update(
            self._recipe, parameters, gradients, moments, corrections, rate
        )
        return parameters, moments, final if self._recipe.carry else None, loss, clipped_at

    def _predict(self, parameters: Any, start: Start | None, feed: Feed) -> tuple[jax.Array, States | None]:
        found = self._model.forward(parameters, feed, self._or_fresh(start, feed))
        return found.scores, found.final if self._recipe.carry else None

    def _gradients(self, parameters: Any, feed: Feed) -> tuple[Any, ...]:
        start = self._fresh(feed)
        probes = self._model.probes(feed, jnp.dtype(self._execution.dtype))

        def loss(p: Any, at: Any) -> tuple[jax.Array, tuple[jax.Array, States]]:
            return self._model.loss(p, feed, start, at)

        if self._execution.unroll != "fused":
            (value, (scores, _)), (found, states) = jax.value_and_grad(loss, (0, 1), has_aux=True)(
                parameters, probes
            )
        else:
            states, _ = jax.grad(loss, 1, has_aux=True)(parameters, probes)
            (value, (scores, _)), found = jax.value_and_grad(loss, has_aux=True)(parameters, None)
        return value, found, states, scores

    def _start(self, placed: Placed, state: States | None) -> Start | None:
        """What a batch's compiled function is given to start from; None: it makes the initial states itself.

        Where states are carried, a stream's first batch is given the initial states as arrays: it and the
        others then share one compiled function.
        """
        if state is not None:
            return self._passed_in(state)
        if not self._recipe.carry:
            return None
        with jax.default_device(self._device):
            states, fresh = self._fresh(placed.feed)
            return Start(states, jnp.asarray(fresh, self._execution.dtype))

    def _passed_in(self, state: States) -> Start:
        with jax.default_device(self._device):
            return Start(state, jnp.zeros((), self._execution.dtype))

    def _or_fresh(self, start: Start | None, feed: Feed) -> Start:
        return self._fresh(feed) if start is None else start

    def _fresh(self, feed: Feed) -> Start:
        return self._model.fresh_start(feed.rows, jnp.dtype(self._execution.dtype))
