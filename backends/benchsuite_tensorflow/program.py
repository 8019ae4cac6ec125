"""TensorFlowProgram: a network with its optimiser on one device."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import check_parameters
from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_tensorflow import runtime
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.checks import check_unrolled
from benchsuite_tensorflow.generation import Generator, TensorFlowDecoding
from benchsuite_tensorflow.graphs import Graphs, kernel_of
from benchsuite_tensorflow.network import Network
from benchsuite_tensorflow.optimisers import Optimiser, clip
from benchsuite_tensorflow.placement import Data, Placed, as_placed, place


class TensorFlowProgram(Program):
    """Every call is one graph; what step() measures stays on the device until drain()."""

    def __init__(
        self, model: ModelSpec, parameters: Parameters, recipe: Recipe, execution: Execution
    ) -> None:
        check_parameters(model, parameters)
        self._model, self._recipe, self._execution = model, recipe, execution
        self._device = runtime.tf_device(execution.device)
        runtime.apply(execution)
        if execution.device != "cpu":
            tf.config.experimental.reset_memory_stats(self._device.lstrip("/"))
        self._network = Network(model, recipe, execution)
        with tf.device(self._device):
            self._variables = {
                name: tf.Variable(np.array(parameters[name], execution.dtype), trainable=True)
                for name in parameter_shapes(model)
            }
            self._optimiser = Optimiser(recipe, list(self._variables.values()))
        self._static = execution.unroll == "static"
        self._free_time = self._network.recurrent and not self._static
        self._graphs = Graphs()
        self._carried: list[Tensor] = []
        self._streamed: list[Tensor] = []
        self._log: list[Tensor] = []
        self._kernel = ""

    def place(self, batch: Batch) -> Placed:
        if self._static:
            check_unrolled(self._model, batch)
        with tf.device(self._device):
            placed = place(batch, self._model, self._execution.dtype)
        self.synchronize()
        return placed

    def step(self, placed: object) -> None:
        batch = as_placed(placed)
        states = self._initial(batch, self._carried)
        logged, *finals = self._run("step", self._step, batch, states)
        self._log.append(logged)
        if self._recipe.carry:
            self._carried = finals

    def drain(self) -> StepLog:
        log = tf.stack(self._log).numpy() if self._log else np.zeros((0, 2))
        self._log = []
        absent = np.full(len(log), np.nan)
        clipping = self._recipe.clip
        return StepLog(
            loss=log[:, 0],
            norm=log[:, 1] if clipping == "norm" else absent,
            peak=log[:, 1] if clipping == "value" else absent,
        )

    def predict(self, placed: object) -> np.ndarray:
        batch = as_placed(placed)
        found, *finals = self._run("predict", self._predict, batch, self._initial(batch, self._streamed))
        if self._recipe.carry:
            self._streamed = finals
        return _copy(found)

    def gradients(self, placed: object) -> Gradients:
        """Loss, predictions and parameter gradients come from the unroll itself. dL/dh_t of a fused unroll
        comes from a second pass, by the loop, over the same parameters."""
        loss, predictions, found, states = self._run("gradients", self._gradients, as_placed(placed))
        return Gradients(
            loss=float(loss),
            parameters={name: _copy(value) for name, value in found.items()},
            states={prefix: _copy(value) for prefix, value in states.items()},
            predictions=_copy(predictions),
        )

    def parameters(self) -> Parameters:
        return {name: _copy(variable) for name, variable in self._variables.items()}

    def load_parameters(self, parameters: Parameters) -> None:
        check_parameters(self._model, parameters)
        for name, variable in self._variables.items():
            variable.assign(np.asarray(parameters[name], self._execution.dtype))

    def synchronize(self) -> None:
        runtime.synchronize(self._execution.device)

    def decoding(self, placed: object, width: int = 1, aligned: bool = False) -> TensorFlowDecoding:
        writer = self._network.writer
        if writer is None:
            raise UnsupportedError("this model generates nothing: it has no decoder")
        generator = Generator(self._network, writer, self._weights)
        return TensorFlowDecoding(generator, self._traced, as_placed(placed), width, aligned, self._free_time)

    def kernel(self) -> str:
        """Read from the operations of the traced step, or of a backward pass traced for the purpose."""
        if not self._kernel:
            if self._graphs.any is None:
                self.gradients(self.place(self._sample()))
            self._kernel = kernel_of(self._graphs.any, self._network.loops_beside_fused)
        return self._kernel

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
        if not self._network.recurrent:
            return found
        second = self._network.second_pass
        return found | {
            "tensorflow/xla": "off: compiling a shape takes seconds, a loop's trace tenths of one",
            "tensorflow/backward": self._backward_path(),
            "tensorflow/state_gradients": "second pass by the loop" if second else "same pass",
        }

    def _backward_path(self) -> str:
        written = f"written out (tf.custom_gradient); {self._network.weight_gradients}"
        if not self._network.second_pass:
            return written
        return (
            f"CudnnRNNBackprop, the decoder's {written}"
            if self._network.loops_beside_fused
            else "CudnnRNNBackprop"
        )

    def _run(self, purpose: str, function: Any, batch: Placed, states: Sequence[Tensor] = ()) -> Any:
        data, free = batch.data, self._free_time
        time = 0 if free else None
        targets = time if self._network.by_step or self._model.has_sequence_targets else None
        # the number of target tokens differs from batch to batch, whatever their padded shape
        tokens = 0 if self._model.decoder is not None else None
        opened = [time, None, targets, tokens][: len(data.tensors)]
        arguments = [*data.tensors, *states]
        return self._traced(purpose, function, arguments, [*opened, *(None for _ in states)])

    def _traced(
        self,
        purpose: str,
        function: Any,
        arguments: Sequence[Tensor],
        opened: Sequence[int | None],
        variant: Hashable = None,
    ) -> Any:
        runtime.apply(self._execution)
        with tf.device(self._device):
            return self._graphs.get(purpose, function, arguments, opened, variant)(*arguments)

    def _weights(self) -> dict[str, Tensor]:
        return {name: tf.convert_to_tensor(variable) for name, variable in self._variables.items()}

    def _given(self, tensors: Sequence[Tensor]) -> tuple[Data, dict[str, State]]:
        """A graph's arguments as what they stand for: a batch, and the states it starts from, by prefix."""
        count, parts = 4 if self._model.has_sequence_targets else 3, self._network.state_parts
        data, states = Data(*tensors[:count]), tensors[count:]
        return data, {
            prefix: tuple(states[index * parts : (index + 1) * parts])
            for index, prefix in enumerate(self._network.prefixes if states else ())
        }

    def _step(self, *tensors: Tensor) -> list[Tensor]:
        data, initial = self._given(tensors)
        variables = list(self._variables.values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            run = self._network.forward(self._weights(), data, True, initial)
            loss = self._network.loss(run.scores, data)
        gradients, measured = clip(self._recipe, _dense(tape.gradient(loss, variables)))
        self._optimiser.apply(gradients)
        logged = tf.cast(tf.stack([loss, measured]), tf.float64)
        return [logged, *(part for prefix in run.finals for part in run.finals[prefix])]

    def _predict(self, *tensors: Tensor) -> list[Tensor]:
        data, initial = self._given(tensors)
        run = self._network.forward(self._weights(), data, False, initial)
        finals = [part for prefix in run.finals for part in run.finals[prefix]]
        return [self._network.predictions(run.scores, data), *finals]

    def _gradients(self, *tensors: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor], dict[str, Tensor]]:
        data, _ = self._given(tensors)
        network, variables = self._network, self._variables
        probes = network.probes(data)
        second = network.second_pass
        with tf.GradientTape(persistent=second, watch_accessed_variables=False) as tape:
            tape.watch([list(variables.values()), probes])
            weights = self._weights()
            run = network.forward(weights, data, probes=None if second else probes)
            loss = network.loss(run.scores, data)
            tapped = loss
            if second:
                probed = network.forward(weights, data, probes=probes)
                tapped = network.loss(probed.scores, data)
        if second:
            found, states = tape.gradient(loss, variables), tape.gradient(tapped, probes)
        else:
            found, states = tape.gradient(loss, (variables, probes))
        dense = dict(zip(found, _dense(list(found.values())), strict=True))
        turned = {prefix: tf.transpose(state, [1, 0, 2]) for prefix, state in states.items()}
        return loss, network.predictions(run.scores, data), dense, turned

    def _initial(self, batch: Placed, carried: list[Tensor]) -> list[Tensor]:
        """The states that a stream's batch starts from, flat: those carried, or zeros; none without a
        stream."""
        if not self._recipe.carry:
            return []
        if batch.fresh or not carried:
            count = len(self._network.prefixes) * self._network.state_parts
            with tf.device(self._device):
                return [tf.zeros([batch.rows, self._model.body.hidden], self._execution.dtype)] * count
        rows = carried[0].shape[0]
        if rows != batch.rows:
            raise ContractError(
                f"a batch of {batch.rows} rows continues a stream of {rows} rows; "
                "give fresh=True where the rows change"
            )
        return carried

    def _sample(self) -> Batch:
        """The smallest batch the model takes."""
        model = self._model
        tokens = isinstance(model.input, Tokens)
        body = model.body
        picture = body.height * body.width if isinstance(body, Convolutional) else 0
        time = picture // model.input_size or 2
        shape = (1, time) if tokens else (1, time, model.input_size)
        inputs = np.zeros(shape, "int32" if tokens else self._execution.dtype)
        lengths = np.full(1, time, np.int32)
        if model.has_sequence_targets:
            return Batch(inputs, lengths, np.ones((1, 1), np.int32), target_lengths=np.ones(1, np.int32))
        rows = (1, time) if self._network.by_step else (1,)
        classes = model.loss == "cross_entropy"
        targets = np.zeros(rows if classes else (*rows, model.head.outputs), "int32" if classes else float)
        return Batch(inputs, lengths, targets)


def _dense(gradients: list[Any]) -> list[Tensor]:
    """IndexedSlices of embeddings as full arrays: a row met twice counts as a sum, for the norm as well."""
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def _copy(values: Any) -> np.ndarray:
    return np.array(values.numpy())
