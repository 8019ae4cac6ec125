"""A TensorFlow program: dtypes, update rules, traces; one test for each trap of Keras and TensorFlow."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from fixtures.covering import covering

from benchsuite.contracts import Backend, Batch, Program
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.parity import in_double, relative_error
from benchsuite.plugins import registry
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent, Tokens
from benchsuite.schema.model import Readout
from benchsuite_tensorflow import model, runtime
from benchsuite_tensorflow.cells import CELLS
from benchsuite_tensorflow.fused import FusedLayer, keras_weights
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.loops import LOOPS
from benchsuite_tensorflow.program import TensorFlowProgram

pytestmark = pytest.mark.usefixtures("plain_graphs")

DOUBLE = Execution(precision="float64")
BIDIRECTIONAL = ModelSpec(Features(5), Recurrent("gru", 6, 2, True), Dense(4), "cross_entropy")
WORDS = ModelSpec(Tokens(11, 5), Recurrent("lstm", 6), Dense(4), "cross_entropy")


@pytest.fixture(scope="module")
def backend() -> Backend:
    return registry().backend("tensorflow").load()


@pytest.fixture(scope="module")
def reference() -> Backend:
    return registry().reference().load_reference()


def pair(
    backend: Backend, reference: Backend, case: Case, execution: Execution = DOUBLE
) -> tuple[Program, Program]:
    found = backend.build(case.model, case.parameters(execution.dtype), case.recipe, execution)
    return found, reference.build(case.model, case.parameters("float64"), case.recipe, DOUBLE)


def layer_data(cell: str, seed: int = 3) -> tuple[tf.Tensor, list[tf.Tensor]]:
    random = np.random.default_rng(seed)
    width = {"rnn": 1, "lstm": 4, "gru": 3}[cell] * 6
    shapes = {"Wx": (5, width), "Wh": (6, width)}
    weights = [random.uniform(-0.7, 0.7, shapes.get(name, (width,))) for name in CELLS[cell].weights]
    return tf.constant(random.normal(size=(4, 3, 5))), [tf.constant(weight) for weight in weights]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gate_order_of_keras_layers(cell: str) -> None:
    """The fused layers' weights, permuted, are the canonical cell's; so are the gradients that come back."""
    x, weights = layer_data(cell)
    layer = FusedLayer(cell, 5, 6, "float64", use_cudnn=False)
    ours = Recurrence(CELLS[cell], LOOPS["dynamic"], 6, to_inputs=True, cells=False, training=True)
    zero = (tf.zeros([3, 6], tf.float64),) * CELLS[cell].parts

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def both() -> tuple[list[tf.Tensor], ...]:
        results = []
        for run in (layer, lambda x, weights: ours(x, weights, zero)[0]):
            with tf.GradientTape() as tape:
                tape.watch([x, *weights])
                outputs = run(x, weights)
                total = tf.reduce_sum(tf.sin(3 * outputs))
            results.append([outputs, *tape.gradient(total, [x, *weights])])
        return tuple(results)

    for found, expected in zip(*both(), strict=True):
        assert relative_error(found.numpy(), expected.numpy()) < 1e-13


def test_canonical_order_is_not_keras_order() -> None:
    """Without the permutation the gru's gates are exchanged: the trap is there."""
    _, weights = layer_data("gru")
    kernel, _, bias = keras_weights("gru", weights)
    assert np.array_equal(kernel[:, :6], weights[0][:, 6:12])
    assert bias.shape == (2, 18)
    assert not np.array_equal(kernel, weights[0])


@pytest.mark.parametrize(("cell", "readout"), covering(["lstm", "gru"], ["last", "steps"]))
def test_fused_program_with_keras_layers(
    backend: Backend, reference: Backend, monkeypatch: pytest.MonkeyPatch, cell: str, readout: Readout
) -> None:
    """All of a fused program but the cuDNN kernel itself: the same Keras layers, by their CPU loop. dL/dh_t
    comes from the second pass."""

    def on_cpu(cell: str, inputs: int, hidden: int, dtype: str) -> FusedLayer:
        return FusedLayer(cell, inputs, hidden, dtype, use_cudnn=False)

    monkeypatch.setattr(model, "FusedLayer", on_cpu)
    body = Recurrent(cell, 6, 2, True)
    case = Case("fused", ModelSpec(Features(5), body, Dense(4), "cross_entropy", readout))
    execution = Execution(precision="float64", unroll="fused")
    found = TensorFlowProgram(case.model, case.parameters("float64"), case.recipe, execution)
    _, expected = pair(backend, reference, case)
    batch = case.batch("float64")
    a, b = found.gradients(found.place(batch)), expected.gradients(expected.place(batch))
    assert abs(a.loss - b.loss) < 1e-13
    for name in b.parameters:
        assert relative_error(a.parameters[name], b.parameters[name], 1e-2) < 1e-12, name
    for prefix in b.states:
        assert relative_error(a.states[prefix], b.states[prefix], 1e-4) < 1e-11, prefix
    assert found.notes()["tensorflow/state_gradients"] == "second pass by the loop"


def test_bidirectional_stays_in_double(backend: Backend, reference: Backend) -> None:
    """Keras' Bidirectional casts to float32, which costs nine digits."""
    case = Case("double", BIDIRECTIONAL)
    found, expected = pair(backend, reference, case)
    batch = case.batch("float64")
    (a, _), (b, _) = found.predict(found.place(batch)), expected.predict(expected.place(batch))
    assert a.dtype == np.float64
    assert relative_error(a, b) < 1e-13


def test_norm_of_an_embedding_with_repeated_words(backend: Backend, reference: Backend) -> None:
    """The norm of IndexedSlices counts a repeated row's parts apart; the gradient's norm adds them first."""
    case = Case("words", WORDS, Recipe(clip="norm", clip_at=0.05, optimiser="sgd", learning_rate=0.1))
    batch = case.batch("float64")
    batch = replace(batch, inputs=np.where(batch.inputs > 0, 3, 0).astype(np.int32))
    found, expected = pair(backend, reference, case)
    for program in (found, expected):
        program.step(program.place(batch))
    assert relative_error(found.drain().norm, expected.drain().norm) < 1e-12
    for name, weight in expected.parameters().items():
        assert relative_error(found.parameters()[name], weight) < 1e-12, name
    table = tf.Variable(case.parameters("float64")["embed.E"])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.gather(table, batch.inputs) ** 3)
    slices = tape.gradient(total, table)
    assert isinstance(slices, tf.IndexedSlices)
    apart = float(tf.linalg.global_norm([slices]))
    together = float(tf.linalg.global_norm([tf.convert_to_tensor(slices)]))
    assert abs(apart - together) > 0.1 * together


@pytest.mark.parametrize(
    ("optimiser", "keras_optimiser"),
    [
        ("sgd", None),
        ("momentum", None),
        ("rmsprop", lambda: keras.optimizers.RMSprop(0.01, rho=0.9, epsilon=1e-2)),
        ("adam", lambda: keras.optimizers.Adam(0.01, epsilon=1e-2)),
    ],
)
def test_canonical_update_and_not_keras(
    backend: Backend, reference: Backend, optimiser: str, keras_optimiser: object
) -> None:
    """An epsilon that is not small tells the formulas apart."""
    recipe = Recipe.model_validate({"optimiser": optimiser, "learning_rate": 0.01, "epsilon": 1e-2})
    case = Case("update", ModelSpec(Features(5), Recurrent("rnn", 6), Dense(4), "cross_entropy"), recipe)
    found, expected = pair(backend, reference, case)
    batch = case.batch("float64")
    theirs = keras_optimiser() if callable(keras_optimiser) else None
    shadow = [keras.Variable(value, dtype="float64") for value in case.parameters("float64").values()]
    for _ in range(5):
        if theirs:
            gradients = expected.gradients(expected.place(batch)).parameters
            theirs.apply([tf.constant(gradients[name]) for name in case.parameters("float64")], shadow)
        for program in (found, expected):
            program.step(program.place(batch))
    for (name, weight), other in zip(expected.parameters().items(), shadow, strict=True):
        assert relative_error(found.parameters()[name], weight) < 1e-12, name
        if theirs and name != "rnn.l0.fwd.b":
            assert relative_error(other.numpy(), weight) > 1e-5, name


def test_adam_counts_in_double(backend: Backend, reference: Backend) -> None:
    """In single precision 1 - beta2 ** t is off by 5e-5 at first, and the first updates with it."""
    recipe = Recipe(learning_rate=0.5, beta2=0.9999, epsilon=1e-12)
    case = Case("count", ModelSpec(Features(5), Recurrent("rnn", 6), Dense(4), "cross_entropy"), recipe)
    found, expected = pair(backend, reference, case, Execution())
    start, batch = case.parameters("float64")["out.W"], case.batch("float32")
    found.step(found.place(batch))
    expected.step(expected.place(in_double(batch)))
    moved = found.parameters()["out.W"] - start
    assert relative_error(moved, expected.parameters()["out.W"] - start) < 2e-6


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_one_trace_serves_every_step_of_a_schedule(
    backend: Backend, reference: Backend, optimiser: str
) -> None:
    recipe = Recipe(optimiser=optimiser, schedule="cosine", warmup=2, schedule_steps=5, weight_decay=0.5)
    case = Case("rates", ModelSpec(Features(5), Recurrent("rnn", 6), Dense(4), "cross_entropy"), recipe)
    found, expected = pair(backend, reference, case)
    batch = case.batch("float64")
    for _ in range(7):
        for program in (found, expected):
            program.step(program.place(batch))
    for name, weight in expected.parameters().items():
        assert relative_error(found.parameters()[name], weight) < 1e-12, name
    assert found.notes()["tensorflow/traces"] == "step 1"


def of_length(case: Case, time: int) -> Batch:
    return replace(case, time=time).batch("float64")


def test_one_trace_serves_every_length(backend: Backend) -> None:
    """A loop is traced once per purpose, whatever lengths, values and padded lengths come."""
    case = Case("traces", ModelSpec(Features(5), Recurrent("lstm", 6), Dense(4), "cross_entropy"))
    program = backend.build(case.model, case.parameters("float64"), case.recipe, DOUBLE)
    for time in (3, 5, 9, 5, 4):
        placed = program.place(of_length(case, time))
        program.step(placed)
        program.predict(placed)
    assert program.notes()["tensorflow/traces"] == "predict 1, step 1"


def full(case: Case, time: int) -> Batch:
    batch = of_length(case, time)
    return replace(batch, lengths=np.full_like(batch.lengths, time))


@pytest.mark.parametrize("first", [2, 4, 7])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_data_of_one_length_have_graphs_of_that_length(backend: Backend, cell: str, first: int) -> None:
    """Which compute the same, whatever is left behind the loop's last round; other lengths share the others."""
    case = Case("traces", ModelSpec(Features(5), Recurrent(cell, 6), Dense(4), "cross_entropy"))
    found, general = (
        backend.build(case.model, case.parameters("float64"), case.recipe, DOUBLE) for _ in range(2)
    )
    for time in (first, 5, first, 9):
        batch = full(case, time)
        scores = found.predict(found.place(batch))[0]
        expected = general.predict(general.place(replace(batch, ragged=True)))[0]
        assert relative_error(scores, expected) < 1e-12
        found.step(found.place(batch))
        general.step(general.place(replace(batch, ragged=True)))
    assert found.notes()["tensorflow/traces"] == "predict 2, step 2"
    assert general.notes()["tensorflow/traces"] == "predict 1, step 1"
    assert found.kernel() == general.kernel() == "while_loop"


def test_a_static_graph_is_traced_once_per_padded_length(backend: Backend) -> None:
    case = Case("traces", ModelSpec(Features(5), Recurrent("rnn", 6), Dense(4), "cross_entropy"))
    execution = Execution(unroll="static", precision="float64")
    program = backend.build(case.model, case.parameters("float64"), case.recipe, execution)
    for time in (3, 4, 3, 4, 3):
        program.step(program.place(of_length(case, time)))
    assert program.notes()["tensorflow/traces"] == "step 2"
    assert program.kernel() == "unrolled"


def test_tf32_is_off_unless_asked_for(backend: Backend) -> None:
    """float32 means IEEE, also after something else in the process switched TF32 on."""
    case = Case("tf32", ModelSpec(Features(5), Recurrent("rnn", 6), Dense(4), "cross_entropy"))
    program = backend.build(case.model, case.parameters("float32"), case.recipe, Execution())
    tf.config.experimental.enable_tensor_float_32_execution(True)
    program.predict(program.place(case.batch("float32")))
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
    runtime.apply(Execution(precision="tf32", device="gpu"))
    assert tf.config.experimental.tensor_float_32_execution_enabled()
    runtime.apply(Execution())


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_backward_pass_is_tensorflows_own(cell: str, unroll: str) -> None:
    """The backward pass written by hand against TensorFlow's differentiation of the same forward steps, with
    the probe's gradient as dL/dh_t."""
    x, weights = layer_data(cell, seed=5)
    kind = CELLS[cell]
    zero = (tf.zeros([3, 6], tf.float64),) * kind.parts
    probe = tf.zeros([4, 3, 6], tf.float64)
    ours = Recurrence(kind, LOOPS[unroll], 6, to_inputs=True, cells=False, training=True)

    def plain(x: tf.Tensor, weights: list[tf.Tensor], probe: tf.Tensor) -> tf.Tensor:
        state, outputs, prepared = zero, [], kind.prepare(weights)
        for t in range(4):
            state, _ = kind.forward(prepared, x[t], state)
            state = (state[0] + probe[t], *state[1:])
            outputs.append(state[0])
        return tf.stack(outputs)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def both() -> tuple[list[tf.Tensor], ...]:
        results = []
        for run in (plain, lambda x, weights, probe: ours(x, weights, zero, None, probe)[0]):
            with tf.GradientTape() as tape:
                tape.watch([x, probe, *weights])
                outputs = run(x, weights, probe)
                total = tf.reduce_sum(tf.sin(3 * outputs))
            results.append([outputs, *tape.gradient(total, [x, probe, *weights])])
        return tuple(results)

    for found, expected in zip(*both(), strict=True):
        assert relative_error(found.numpy(), expected.numpy()) < 1e-13
