"""TensorFlowProgram: a network with its optimiser on one device."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from benchsuite.contracts import Batch, Gradients, Program, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.contracts.checks import check_parameters
from benchsuite.errors import ContractError
from benchsuite.spec import Convolutional, Execution, ModelSpec, Recipe, Tokens, parameter_shapes
from benchsuite_tensorflow import runtime
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.checks import check_unrolled
from benchsuite_tensorflow.graphs import Graphs, kernel_of
from benchsuite_tensorflow.network import Network
from benchsuite_tensorflow.optimisers import Optimiser, clip
from benchsuite_tensorflow.placement import Placed, as_placed, place


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
        self._graphs = Graphs(free_time=self._network.recurrent and not self._static)
        self._carried: list[Tensor] = []
        self._log: list[Tensor] = []
        self._kernel = ""

    def place(self, batch: Batch) -> Placed:
        if self._static:
            check_unrolled(self._model, batch.time)
        with tf.device(self._device):
            placed = place(batch, self._model, self._execution.dtype)
        self.synchronize()
        return placed

    def step(self, placed: object) -> None:
        batch = as_placed(placed)
        states = self._initial(batch) if self._recipe.carry else []
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
        return _copy(self._run("predict", self._predict, as_placed(placed)))

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

    def kernel(self) -> str:
        """Read from the operations of the traced step, or of a prediction traced for the purpose."""
        if not self._kernel:
            if self._graphs.any is None:
                self.predict(self.place(self._sample()))
            self._kernel = kernel_of(self._graphs.any)
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
            "tensorflow/backward": "CudnnRNNBackprop" if second else "written out (tf.custom_gradient)",
            "tensorflow/state_gradients": "second pass by the loop" if second else "same pass",
        }

    def _run(self, purpose: str, function: Any, batch: Placed, states: list[Tensor] | None = None) -> Any:
        runtime.apply(self._execution)
        arguments = [batch.inputs, batch.lengths, batch.targets, *(states or ())]
        timed = [True, False, self._network.by_step, *(False for _ in states or ())]
        with tf.device(self._device):
            return self._graphs.get(purpose, function, arguments, timed)(*arguments)

    def _weights(self) -> dict[str, Tensor]:
        return {name: tf.convert_to_tensor(variable) for name, variable in self._variables.items()}

    def _step(self, inputs: Tensor, lengths: Tensor, targets: Tensor, *states: Tensor) -> list[Tensor]:
        variables, parts = list(self._variables.values()), self._network.state_parts
        initial: dict[str, State] = {
            prefix: tuple(states[index * parts : (index + 1) * parts])
            for index, prefix in enumerate(self._network.prefixes if states else ())
        }
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            run = self._network.forward(self._weights(), inputs, lengths, True, initial)
            loss = self._network.loss(run.scores, lengths, targets)
        gradients, measured = clip(self._recipe, _dense(tape.gradient(loss, variables)))
        self._optimiser.apply(gradients)
        logged = tf.cast(tf.stack([loss, measured]), tf.float64)
        return [logged, *(part for prefix in run.finals for part in run.finals[prefix])]

    def _predict(self, inputs: Tensor, lengths: Tensor, _: Tensor) -> Tensor:
        run = self._network.forward(self._weights(), inputs, lengths, training=False)
        return self._network.predictions(run.scores, lengths)

    def _gradients(
        self, inputs: Tensor, lengths: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor], dict[str, Tensor]]:
        network, variables = self._network, self._variables
        probes = network.probes(inputs)
        second = network.second_pass
        with tf.GradientTape(persistent=second, watch_accessed_variables=False) as tape:
            tape.watch([list(variables.values()), probes])
            weights = self._weights()
            run = network.forward(weights, inputs, lengths, probes=None if second else probes)
            loss = network.loss(run.scores, lengths, targets)
            tapped = loss
            if second:
                probed = network.forward(weights, inputs, lengths, probes=probes)
                tapped = network.loss(probed.scores, lengths, targets)
        if second:
            found, states = tape.gradient(loss, variables), tape.gradient(tapped, probes)
        else:
            found, states = tape.gradient(loss, (variables, probes))
        dense = dict(zip(found, _dense(list(found.values())), strict=True))
        turned = {prefix: tf.transpose(state, [1, 0, 2]) for prefix, state in states.items()}
        return loss, network.predictions(run.scores, lengths), dense, turned

    def _initial(self, batch: Placed) -> list[Tensor]:
        """The states that a stream's batch starts from, flat: those carried, or zeros."""
        body = self._model.body
        if batch.fresh or not self._carried:
            count = len(self._network.prefixes) * self._network.state_parts
            with tf.device(self._device):
                return [tf.zeros([batch.rows, body.hidden], self._execution.dtype)] * count
        rows = self._carried[0].shape[0]
        if rows != batch.rows:
            raise ContractError(
                f"a batch of {batch.rows} rows continues a stream of {rows} rows; "
                "give fresh=True where the rows change"
            )
        return self._carried

    def _sample(self) -> Batch:
        """The smallest batch the model takes."""
        model = self._model
        tokens = isinstance(model.input, Tokens)
        body = model.body
        picture = body.height * body.width if isinstance(body, Convolutional) else 0
        time = picture // model.input_size or 2
        shape = (1, time) if tokens else (1, time, model.input_size)
        rows = (1, time) if self._network.by_step else (1,)
        classes = model.loss == "cross_entropy"
        targets = np.zeros(rows if classes else (*rows, model.head.outputs), "int32" if classes else float)
        inputs = np.zeros(shape, "int32" if tokens else self._execution.dtype)
        return Batch(inputs, np.full(1, time, np.int32), targets)


def _dense(gradients: list[Any]) -> list[Tensor]:
    """IndexedSlices of embeddings as full arrays: a row met twice counts as a sum, for the norm as well."""
    return [tf.convert_to_tensor(gradient) for gradient in gradients]


def _copy(values: Any) -> np.ndarray:
    return np.array(values.numpy())
