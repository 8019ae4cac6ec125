"""A model with its optimiser, compiled for one device."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchsuite.contracts import Batch, Decoding, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe
from benchsuite_jax import optimisers
from benchsuite_jax.decoding import JaxDecoding
from benchsuite_jax.executables import CPU_COMPILATION, QUICK_CPU_COMPILATION, Executables, loop_kind
from benchsuite_jax.feed import Feed
from benchsuite_jax.network import Network
from benchsuite_jax.placement import Placed, Placement, by_row, fetched, taken
from benchsuite_jax.recurrence import ROWS_BY_STEP
from benchsuite_jax.stack import States

PASSES = ("gradients", "predict", "step")
"""Functions that run the whole model, in the order in which they tell how it is run."""


class JaxProgram(Program):
    """Pure functions (step, predict, gradients, what decoding needs) and the arrays they act on."""

    def __init__(
        self,
        model: ModelSpec,
        parameters: Parameters,
        recipe: Recipe,
        execution: Execution,
        device: jax.Device,
    ) -> None:
        self._model, self._recipe, self._execution, self._device = model, recipe, execution, device
        truncation = None if recipe.truncation is None else int(recipe.truncation)
        precision = jax.lax.Precision.HIGH if execution.precision == "tf32" else jax.lax.Precision.HIGHEST
        self._network = Network(model, execution.unroll, truncation, precision)
        self._executables = Executables(self._scope, CPU_COMPILATION if device.platform == "cpu" else {})
        self._placement = Placement(model, execution, device)
        self._parameters = self._placement.parameters(parameters)
        with jax.default_device(device):
            self._moments = optimisers.initial_moments(recipe, self._parameters)
        self._carried: States = {}
        self._streamed: States = {}
        self._count = 0
        self._log: list[tuple[jax.Array, jax.Array | None]] = []

    def place(self, batch: Batch) -> Placed:
        return self._placement.place(batch)

    def step(self, placed: object) -> None:
        batch = taken(placed)
        self._count += 1
        corrections = optimisers.bias_corrections(self._recipe, self._count, self._execution.dtype)
        arguments = (
            self._parameters,
            self._moments,
            self._initial(batch, self._carried),
            batch.feed,
            corrections,
        )
        run = self._executables.get(("step", batch.shape), self._step, arguments, (0, 1))
        self._parameters, self._moments, self._carried, loss, clipped_at = run(*arguments)
        self._log.append((loss, clipped_at))

    def drain(self) -> StepLog:
        log = jax.device_get(self._log)
        self._log = []
        losses = np.array([loss for loss, _ in log], np.float64)
        absent = np.full(len(log), np.nan)
        seen = np.array([np.nan if value is None else value for _, value in log], np.float64)
        clip = self._recipe.clip
        return StepLog(
            loss=losses, norm=seen if clip == "norm" else absent, peak=seen if clip == "value" else absent
        )

    def predict(self, placed: object) -> np.ndarray:
        batch = taken(placed)
        teacher_forced = self._model.decoder is not None
        shape, feed = (
            (batch.shape, batch.feed) if teacher_forced else (batch.shape_read, batch.feed.untaught())
        )
        arguments = (self._parameters, self._initial(batch, self._streamed), feed)
        run = self._executables.get(("predict", shape), self._predict, arguments)
        scores, self._streamed = run(*arguments)
        return by_row(scores)

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> Decoding:
        if self._model.decoder is None:
            return super().decoding(placed, width, aligned)
        batch = taken(placed)

        def encode(parameters: Any, feed: Feed) -> Any:
            return self._network.encode(parameters, feed, self._zero(feed), width)

        arguments = (self._parameters, batch.feed.untaught())
        run = self._executables.get(("encode", (*batch.shape_read, width)), encode, arguments)
        encoded = run(*arguments)
        return JaxDecoding(self._network, self._executables, lambda: self._parameters, encoded, aligned)

    def gradients(self, placed: object) -> Gradients:
        """See the contract. cuDNN does not return dL/dh_t: for `fused` the states' gradients are taken
        through a scan of the same weights, everything else through the fused kernel. On the CPU this
        function, asked for a few times and never timed, is compiled quickly rather than well."""
        batch = taken(placed)
        arguments = (self._parameters, batch.feed)
        quick = QUICK_CPU_COMPILATION if self._device.platform == "cpu" else None
        run = self._executables.get(("gradients", batch.shape), self._gradients, arguments, options=quick)
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
        jax.block_until_ready((self._parameters, self._moments, self._carried, self._log[-1:]))

    def kernel(self) -> str:
        """Read from the compiled program with the longest loops, a training step's where there is one; `none`
        before anything ran."""
        decoder = self._model.decoder
        if isinstance(self._model.body, Convolutional):
            return "convolution"
        written = slice(None) if decoder is not None else slice(1)
        ran = [
            (PASSES.index(kind), sum(shape[0] for shape in key[::2][written]), run)
            for (kind, key), run in self._executables.compiled.items()
            if kind in PASSES
        ]
        if not ran:
            return "none"
        scopes = self._network.scopes
        beside = scopes[1:] if decoder is not None and decoder.attention == "additive" else ()
        return loop_kind(max(ran, key=lambda item: item[:2])[2].as_text(), scopes, beside)

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
        found = {
            "compilations": str(len(self._executables.compiled)),
            "compile_seconds": f"{self._executables.seconds:.3f}",
        }
        if isinstance(self._model.body, Convolutional):
            return found
        by_step, once = f"by step from {ROWS_BY_STEP} rows on", "else in one product"
        written = f"written out (jax.custom_vjp); weights' gradients {by_step}, {once}"
        return found | {"backward": "cuDNN's" if self._execution.unroll == "fused" else written}

    def _step(
        self,
        parameters: dict[str, jax.Array],
        moments: dict[str, Any],
        initial: States | None,
        feed: Feed,
        corrections: jax.Array | None,
    ) -> tuple[Any, ...]:
        if initial is None:
            initial = self._zero(feed)
        (loss, (_, final)), gradients = jax.value_and_grad(self._network.loss, has_aux=True)(
            parameters, feed, initial
        )
        gradients, clipped_at = optimisers.clip(self._recipe, gradients)
        parameters, moments = optimisers.update(self._recipe, parameters, gradients, moments, corrections)
        return parameters, moments, final if self._recipe.carry else {}, loss, clipped_at

    def _predict(self, parameters: Any, initial: States | None, feed: Feed) -> tuple[jax.Array, States]:
        scores, final = self._network.scores(
            parameters, feed, self._zero(feed) if initial is None else initial
        )
        return scores, final if self._recipe.carry else {}

    def _gradients(self, parameters: Any, feed: Feed) -> tuple[Any, ...]:
        initial = self._zero(feed)
        probes = self._network.probes(feed, jnp.dtype(self._execution.dtype))

        def loss(p: Any, at: Any) -> tuple[jax.Array, tuple[jax.Array, States]]:
            return self._network.loss(p, feed, initial, at)

        if self._execution.unroll != "fused":
            (value, (scores, _)), (found, states) = jax.value_and_grad(loss, (0, 1), has_aux=True)(
                parameters, probes
            )
        else:
            states, _ = jax.grad(loss, 1, has_aux=True)(parameters, probes)
            (value, (scores, _)), found = jax.value_and_grad(loss, has_aux=True)(parameters, None)
        return value, found, states, scores

    def _initial(self, batch: Placed, stream: States) -> States | None:
        """The states a batch starts from, of which `stream` holds the ones before it; None: zeros made inside
        the compiled function."""
        if not self._recipe.carry:
            return None
        if batch.fresh or not stream:
            with jax.default_device(self._device):
                return self._zero(batch.feed)
        rows = {state[0].shape[0] for state in stream.values()}
        if rows != {batch.rows}:
            raise ContractError(
                f"a batch of {batch.rows} rows continues a stream of {rows.pop()} rows; give fresh=True "
                "where the rows change"
            )
        return stream

    def _zero(self, feed: Feed) -> States:
        return self._network.zero_states(feed.rows, jnp.dtype(self._execution.dtype))

    def _scope(self) -> AbstractContextManager[Any]:
        tf32 = self._execution.precision == "tf32"
        scope: AbstractContextManager[Any] = jax.default_matmul_precision(
            "tensorfloat32" if tf32 else "highest"
        )
        return scope
