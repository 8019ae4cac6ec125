"""TensorFlowProgram: a model with its optimiser on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch, Compilation, Decoding, Gradients, Parameters, Program, StepLog
from benchsuite.schema import Execution, ModelSpec, Recipe, Recurrent, parameter_shapes
from benchsuite.schema.cells import step_source
from benchsuite_tensorflow import runtime
from benchsuite_tensorflow.cells import State, States, Tensor
from benchsuite_tensorflow.decoding import Generator, TensorFlowDecoding
from benchsuite_tensorflow.model import Model
from benchsuite_tensorflow.optimisers import Optimiser, clip
from benchsuite_tensorflow.placement import (
    Placed,
    fetched,
    fetched_states,
    padded_time,
    place_batch,
    place_states,
)
from benchsuite_tensorflow.support import check_static

RUN_A_FEW_TIMES = ("gradients", "outputs")
"""Functions of a comparison: to improve their graphs would take longer than to run them as they are."""


class TensorFlowProgram(Program):
    """Every call is one graph; what step() measures stays on the device until drain().

    A state is a dict: layer prefix -> its parts (h, and an LSTM's c), each (B, H).
    """

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        self._spec, self._recipe, self._execution = model, recipe, execution
        self._device = runtime.tf_device(execution.device)
        runtime.apply(execution)
        if execution.device != "cpu":
            tf.config.experimental.reset_memory_stats(self._device.lstrip("/"))
        self._model = Model(model, recipe, execution)
        with tf.device(self._device):
            self._variables = {
                name: tf.Variable(np.array(parameters[name], execution.dtype), trainable=True)
                for name in parameter_shapes(model)
            }
            self._optimiser = Optimiser(recipe, list(self._variables.values()))
        self._static = execution.unroll == "static"
        self._free_time = self._model.recurrent and not self._static
        self._first_length: int | None = None
        self._graphs = runtime.Graphs()
        self._log: list[Tensor] = []

    def place(self, batch: Batch) -> Placed:
        if self._static:
            check_static(self._spec, batch)
        with tf.device(self._device):
            placed = place_batch(batch, self._spec, self._execution.dtype, self._free_time)
        self.synchronize()
        return replace(placed, one_length=self._has_first_length(batch))

    def step(self, placed: Any, state: Any = None) -> States | None:
        logged, *final = self._run("step", self._step, placed, self._initial(placed, state), placed.masks)
        self._log.append(logged)
        return self._by_prefix(final) if self._recipe.carry else None

    def drain(self) -> StepLog:
        log = tf.stack(self._log).numpy() if self._log else np.zeros((0, 2))
        self._log = []
        return StepLog.of(self._recipe.clip, log[:, 0], log[:, 1])

    def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, States | None]:
        found, *final = self._run("predict", self._predict, placed, self._initial(placed, state))
        return self._by_row(found, placed), self._by_prefix(final) if self._recipe.carry else None

    def outputs(self, placed: Any, state: Any = None) -> dict[str, np.ndarray]:
        found = self._run("outputs", self._outputs, placed, _flat(state or {}))
        return {name: _padded(name, fetched(h), placed) for name, h in found.items()}

    def make_state(self, values: Mapping[str, np.ndarray]) -> States:
        with tf.device(self._device):
            return place_states(values, self._spec, self._execution.dtype)

    def read_state(self, state: Any) -> dict[str, np.ndarray]:
        return fetched_states(state, self._spec)

    def gradients(self, placed: Any) -> Gradients:
        """Loss, predictions and parameter gradients come from the unroll itself. dL/dh_t of a fused unroll
        comes from a second pass, by the loop, over the same parameters."""
        loss, predictions, found, states = self._run("gradients", self._gradients, placed, [], placed.masks)
        return Gradients(
            loss=float(loss),
            parameters={name: fetched(value) for name, value in found.items()},
            states={name: _padded(name, fetched(value), placed) for name, value in states.items()},
            predictions=self._by_row(predictions, placed),
        )

    def parameters(self) -> Parameters:
        return {name: fetched(variable) for name, variable in self._variables.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        for name, variable in self._variables.items():
            variable.assign(np.asarray(parameters[name], self._execution.dtype))

    def synchronize(self) -> None:
        runtime.synchronize(self._execution.device)

    def decoding(self, placed: Any, width: int = 1, aligned: bool = False) -> Decoding:
        decoder = self._model.decoder
        if decoder is None:
            return super().decoding(placed, width, aligned)
        generator = Generator(self._model, decoder, self._weights)
        return TensorFlowDecoding(generator, self._traced, placed, width, aligned, self._free_time)

    def kernel(self) -> str:
        """Read from the operations of the traced step; `none` before anything ran."""
        graph = self._graphs.any
        return "none" if graph is None else runtime.kernel_of(graph, self._model.loops_beside_fused)

    def memory(self) -> dict[str, int]:
        if self._execution.device == "cpu":
            return {}
        found = tf.config.experimental.get_memory_info(self._device.lstrip("/"))
        return {"device_peak": found["peak"], "device_current": found["current"]}

    def notes(self) -> dict[str, str]:
        traces = self._graphs.traces
        found = {
            "tensorflow/traces": ", ".join(f"{name} {count}" for name, count in sorted(traces.items())),
            "tensorflow/trace_seconds": f"{self._graphs.seconds:.2f}",
        }
        if not self._model.recurrent:
            return found
        second = self._model.second_pass
        if self._model.generic and isinstance(self._spec.body, Recurrent):
            found["cell"] = step_source(self._spec.body.cell, "tensorflow")
        return found | {
            "tensorflow/xla": "off: compiling a shape takes seconds, a loop's trace tenths of one",
            "tensorflow/backward": self._backward_path(),
            "tensorflow/state_gradients": "second pass by the loop" if second else "same pass",
        }

    def compilations(self) -> Sequence[Compilation]:
        return self._graphs.made

    def _backward_path(self) -> str:
        if self._model.generic:
            scans = self._execution.unroll == "scan"
            return f"TensorFlow's differentiation of the {'layer, a scan for the scan' if scans else 'loop'}"
        by_hand = f"written by hand (tf.custom_gradient); {self._model.weight_gradients}"
        if not self._model.second_pass:
            return by_hand
        if self._model.loops_beside_fused:
            return f"CudnnRNNBackprop, the decoder's {by_hand}"
        return "CudnnRNNBackprop"

    def _run(
        self,
        purpose: str,
        function: Any,
        batch: Placed,
        states: Sequence[Tensor],
        masks: Mapping[str, Tensor] = MappingProxyType({}),
    ) -> Any:
        """Call the graph of `function` for a batch; `masks`: its dropout masks, where `function` uses them."""
        time = 0 if self._free_time and not batch.one_length else None
        targets = time if self._model.by_step else None
        if self._spec.has_sequence_targets and self._free_time:
            targets = 0
        # the number of target tokens differs from batch to batch, whatever their padded shape
        positions = 0
        optional = [None, positions] if batch.resets is None else [time]
        free = [time, None, targets, *optional][: len(batch.tensors)]
        more, names = [*masks.values(), *states], tuple(masks)
        free_axes = [*free, *(None for _ in more)]
        run = partial(function, names)
        return self._traced(purpose, run, [*batch.tensors, *more], free_axes, names)

    def _traced(
        self,
        purpose: str,
        function: Any,
        arguments: Sequence[Tensor],
        free_axes: Sequence[int | None],
        variant: Any = None,
    ) -> Any:
        runtime.apply(self._execution)
        few = runtime.as_traced() if purpose in RUN_A_FEW_TIMES else nullcontext()
        with tf.device(self._device), few:
            return self._graphs.run(purpose, function, arguments, free_axes, variant)

    def _has_first_length(self, batch: Batch) -> bool:
        """Whether the batch's longest row is as long as all rows of the first batch that was placed, of data
        that are not known to be ragged.

        Graphs of that one length are traced and optimised sooner. Other lengths share graphs that serve all.
        """
        longest = int(batch.lengths.max())
        if self._first_length is None:
            alone = not batch.ragged and int(batch.lengths.min()) == longest
            self._first_length = longest if alone else 0
        return self._free_time and longest == self._first_length

    def _by_row(self, predictions: Tensor, placed: Placed) -> np.ndarray:
        """Predictions on the host, as long as the batch was given."""
        found = fetched(predictions)
        by_step = self._model.by_step and self._spec.decoder is None
        return padded_time(found, placed.padded) if by_step else found

    def _weights(self) -> dict[str, Tensor]:
        return {name: tf.convert_to_tensor(variable) for name, variable in self._variables.items()}

    def _arguments(self, names: Sequence[str], tensors: Sequence[Tensor]) -> tuple[Placed, States]:
        """A graph's arguments: a batch with the masks called `names`, and the states it starts from."""
        count = 3 + self._spec.has_sequence_targets + (self._spec.decoder is not None)
        count += self._spec.resets  # never with targets of a length of their own
        end = count + len(names)
        masks = dict(zip(names, tensors[count:end], strict=True))
        states = self._by_prefix(tensors[end:])
        if self._spec.resets:
            inputs, lengths, targets, resets = tensors[:count]
            return Placed(inputs, lengths, targets, resets=resets, masks=masks), states
        return replace(Placed(*tensors[:count]), masks=masks), states

    def _by_prefix(self, states: Sequence[Tensor]) -> States:
        """States by prefix, from the tensors of all layers."""
        parts = self._model.state_parts
        return {
            prefix: tuple(states[index * parts : (index + 1) * parts])
            for index, prefix in enumerate(self._model.prefixes if states else ())
        }

    def _step(self, names: Sequence[str], *tensors: Tensor) -> list[Tensor]:
        batch, initial = self._arguments(names, tensors)
        variables = list(self._variables.values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            run = self._model.forward(self._weights(), batch, True, initial)
            loss = self._model.loss(run.scores, batch)
        gradients, measured = clip(self._recipe, _dense(tape.gradient(loss, variables)))
        self._optimiser.apply(gradients)
        return [tf.cast(tf.stack([loss, measured]), tf.float64), *_flat(run.final)]

    def _predict(self, names: Sequence[str], *tensors: Tensor) -> list[Tensor]:
        batch, initial = self._arguments(names, tensors)
        run = self._model.forward(self._weights(), batch, False, initial)
        return [self._model.predictions(run.scores, batch), *_flat(run.final)]

    def _outputs(self, names: Sequence[str], *tensors: Tensor) -> dict[str, Tensor]:
        batch, initial = self._arguments(names, tensors)
        return self._model.layer_outputs(self._weights(), batch, initial)

    def _gradients(
        self, names: Sequence[str], *tensors: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor], dict[str, Tensor]]:
        batch, _ = self._arguments(names, tensors)
        model, variables = self._model, self._variables
        probes = model.probes(batch)
        second = model.second_pass
        with tf.GradientTape(persistent=second, watch_accessed_variables=False) as tape:
            tape.watch([list(variables.values()), probes])
            weights = self._weights()
            run = model.forward(weights, batch, probes=None if second else probes)
            loss = probed_loss = model.loss(run.scores, batch)
            if second:
                probed = model.forward(weights, batch, probes=probes)
                probed_loss = model.loss(probed.scores, batch)
        if second:
            found, states = tape.gradient(loss, variables), tape.gradient(probed_loss, probes)
        else:
            found, states = tape.gradient(loss, (variables, probes))
        dense = dict(zip(found, _dense(list(found.values())), strict=True))
        turned = {prefix: tf.transpose(state, [1, 0, 2]) for prefix, state in states.items()}
        return loss, model.predictions(run.scores, batch), dense, turned

    def _initial(self, batch: Placed, state: States | None) -> list[Tensor]:
        """The states that a batch starts from as a graph's arguments; none for the cell's own.

        Where states are carried, a stream's first batch is given the initial ones: it and the others then share
        one graph. Not where the cell can tell them from others.
        """
        if state is None and self._recipe.carry and not self._model.reads_begins:
            with tf.device(self._device):
                state = self._model.initial_states(batch.rows)
        return _flat(state or {})


def _flat(states: Mapping[str, State]) -> list[Tensor]:
    return [part for parts in states.values() for part in parts]


def _padded(prefix: str, values: np.ndarray, placed: Placed) -> np.ndarray:
    """What a layer has by step, as long as the batch was given. A decoder's steps are those of its targets."""
    return values if prefix.startswith("dec.") else padded_time(values, placed.padded)


def _dense(gradients: list[Any]) -> list[Tensor]:
    """IndexedSlices of embeddings as full arrays: a row met twice counts as a sum, for the norm as well."""
    return [tf.convert_to_tensor(gradient) for gradient in gradients]
