"""TensorFlow programs that generate sequences: parity, kernels by name, traces, decoding during training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from benchsuite.contracts import Backend, Batch, Program
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case, carry_cases, decoder_cases, model_cases
from benchsuite.measure.conformance.decoding import check_generation, check_teacher_forcing
from benchsuite.measure.decoding import beam_search, greedy_search
from benchsuite.measure.parity import compare, in_double, relative_error
from benchsuite.plugins import registry
from benchsuite.schema import Execution, Recurrent
from benchsuite_tensorflow import model
from benchsuite_tensorflow.attention import Memory
from benchsuite_tensorflow.cells import CELLS
from benchsuite_tensorflow.fused import FusedLayer
from benchsuite_tensorflow.kernels.attention_loop import AttentionLoop, AttentionWeights, LoopInputs
from benchsuite_tensorflow.kernels.recurrence import Recurrence
from benchsuite_tensorflow.loops import LOOPS
from benchsuite_tensorflow.program import TensorFlowProgram
from benchsuite_tensorflow.runtime import kernel_of

pytestmark = pytest.mark.usefixtures("plain_graphs")

CASES = {case.name: case for case in [*decoder_cases(), *carry_cases(), *model_cases()]}
ADDITIVE = "gru-additive-plain"
DOUBLE = Execution(precision="float64")


@pytest.fixture(scope="module")
def backend() -> Backend:
    return registry().backend("tensorflow").load()


@pytest.fixture(scope="module")
def reference() -> Backend:
    return registry().reference().load_reference()


def built(backend: Backend, case: Case, **execution: Any) -> Program:
    chosen = Execution.model_validate({"precision": "float64"} | execution)
    return backend.build(case.model, case.parameters(chosen.dtype), case.recipe, chosen)


def breaches(found: Program, reference: Backend, case: Case, dtype: str = "float64") -> list[str]:
    """What of one backward pass is beyond parity."""
    expected = reference.build(case.model, case.parameters("float64"), case.recipe, DOUBLE)
    batch = case.batch(dtype)
    ours = found.gradients(found.place(batch))
    theirs = expected.gradients(expected.place(in_double(batch)))
    return compare(ours, theirs, dtype).breaches


@pytest.mark.parametrize(
    ("name", "unroll"),
    [
        ("gru-none-deep", "dynamic"),
        ("lstm-none-plain", "static"),
        ("lstm-additive-deep_bidirectional", "dynamic"),
        ("gru-additive-plain-one-row", "static"),
        ("rnn-additive-plain-features", "dynamic"),
        ("gru-additive-plain-truncated", "dynamic"),
        ("rnn-multiplicative-plain-full", "dynamic"),
        ("lstm-plain-ctc", "dynamic"),
        ("gru-plain-ctc", "static"),
        ("gru-deep_bidirectional-bernoulli-steps", "dynamic"),
    ],
)
def test_parity(backend: Backend, reference: Backend, name: str, unroll: str) -> None:
    assert breaches(built(backend, CASES[name], unroll=unroll), reference, CASES[name]) == []


def test_parity_in_single_precision(backend: Backend, reference: Backend) -> None:
    case = CASES["lstm-additive-plain"]
    assert breaches(built(backend, case, precision="float32"), reference, case, "float32") == []


@pytest.mark.parametrize("name", ["lstm-none-plain", ADDITIVE, "gru-multiplicative-deep_bidirectional"])
def test_generation(backend: Backend, reference: Backend, name: str) -> None:
    """Fed with the targets it gives what predict() gives; searches generate the reference's tokens."""
    kit = Kit(backend, reference, DOUBLE)
    check_teacher_forcing(kit, CASES[name])
    check_generation(kit, CASES[name])


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_backward_pass_of_layers_that_attend_is_tensorflows_own(cell: str, unroll: str) -> None:
    """The backward pass of two layers, written by hand, to everything they read, against TensorFlow's
    differentiation of the same forward loop; the probes' gradients are those of values added to each h_t."""
    kind, random = CELLS[cell], np.random.default_rng(7)
    steps, rows, time, features, hidden = 4, 3, 5, 6, 4
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell] * hidden

    def draw(*shape: int) -> tf.Tensor:
        return tf.constant(random.uniform(-0.8, 0.8, shape))

    def weights(inputs: int) -> list[tf.Tensor]:
        shapes = {"Wx": (inputs, gates), "Wh": (hidden, gates)}
        return [draw(*shapes.get(name, (gates,))) for name in kind.weights]

    valid = tf.sequence_mask([5, 2, 1], time)
    given = LoopInputs(
        precomputed=draw(steps, rows, gates),
        memory=Memory(draw(rows, time, features), valid, draw(rows, time, hidden)),
        attention=AttentionWeights(draw(hidden, hidden), draw(hidden)),
        layers=[weights(features), weights(hidden)],
        initial=[tuple(draw(rows, hidden) for _ in range(kind.parts)) for _ in range(2)],
    )
    probes = [tf.zeros([steps, rows, hidden], tf.float64)] * 2
    ours = AttentionLoop(kind, LOOPS[unroll], hidden, training=True)
    plain = AttentionLoop(kind, LOOPS[unroll], hidden, training=False)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def both() -> tuple[list[tf.Tensor], ...]:
        results = []
        for run in (plain, ours):
            with tf.GradientTape() as tape:
                tape.watch(given.flat())
                tops, contexts = run(given, probes)
                total = tf.reduce_sum(tf.sin(3 * tops)) + tf.reduce_sum(tf.sin(2 * contexts))
            results.append([tops, contexts, *tape.gradient(total, given.flat())])
        return tuple(results)

    expected, found = both()
    for ours_, theirs in zip(found, expected, strict=True):
        assert relative_error(ours_.numpy(), theirs.numpy()) < 1e-12


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_gradient_by_the_initial_state(cell: str) -> None:
    """What the bridge learns from: a loop that does not return it leaves the bridge untrained, silently."""
    kind, random = CELLS[cell], np.random.default_rng(5)
    width = {"rnn": 1, "lstm": 4, "gru": 3}[cell] * 6
    shapes = {"Wx": (5, width), "Wh": (6, width)}
    weights = [tf.constant(random.uniform(-0.7, 0.7, shapes.get(n, (width,)))) for n in kind.weights]
    x = tf.constant(random.normal(size=(4, 3, 5)))
    initial = tuple(tf.constant(random.uniform(-1, 1, (3, 6))) for _ in range(kind.parts))
    run = Recurrence(kind, LOOPS["dynamic"], 6, to_inputs=True, cells=False, training=True)

    def total(start: tuple[tf.Tensor, ...]) -> tf.Tensor:
        return tf.reduce_sum(tf.sin(3 * run(x, weights, start)[0]))

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def slopes() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(initial)
            value = total(initial)
        found: list[tf.Tensor] = tape.gradient(value, list(initial))
        return found

    for part, slope in enumerate(slopes()):
        towards = tf.constant(random.normal(size=(3, 6)))
        moved = [
            total(
                tuple(state + (sign * 1e-6 * towards if i == part else 0) for i, state in enumerate(initial))
            )
            for sign in (1, -1)
        ]
        expected = float(moved[0] - moved[1]) / 2e-6
        assert float(tf.reduce_sum(slope * towards)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", ["lstm-none-plain", "gru-multiplicative-plain", "lstm-additive-plain"])
@pytest.mark.usefixtures("backend")
def test_fused_decoders_with_keras_layers(
    reference: Backend, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """All of a fused program but the cuDNN kernel itself: the same Keras layers, by their CPU loop."""
    made = []

    def on_cpu(cell: str, inputs: int, hidden: int, dtype: str) -> FusedLayer:
        made.append(cell)
        return FusedLayer(cell, inputs, hidden, dtype, use_cudnn=False)

    monkeypatch.setattr(model, "FusedLayer", on_cpu)
    case = CASES[name]
    execution = Execution(precision="float64", unroll="fused")
    program = TensorFlowProgram(case.model, case.parameters("float64"), case.recipe, execution)
    assert breaches(program, reference, case) == []
    additive = "additive" in name
    assert isinstance(case.model.body, Recurrent)
    assert len(made) == case.model.body.layers * (1 if additive else 2)
    assert ("written by hand" in program.notes()["tensorflow/backward"]) == additive


@pytest.mark.parametrize(
    ("name", "unroll", "kernel"),
    [
        (ADDITIVE, "dynamic", "while_loop"),
        (ADDITIVE, "static", "unrolled"),
        ("gru-none-plain", "dynamic", "while_loop"),
        ("lstm-multiplicative-plain", "static", "unrolled"),
        ("gru-plain-ctc", "dynamic", "while_loop"),
        ("gru-plain-ctc", "static", "unrolled"),
    ],
)
def test_kernel_is_read_from_the_graph(backend: Backend, name: str, unroll: str, kernel: str) -> None:
    program = built(backend, CASES[name], unroll=unroll)
    assert program.kernel() == "none"
    program.step(program.place(CASES[name].batch("float64")))
    assert program.kernel() == kernel


def test_a_loop_beside_cudnn_is_named_where_it_is_a_recurrence() -> None:
    """That of additive attention is, CTC's is not. The graph is made, not run: that takes a GPU."""

    def mixed(x: tf.Tensor) -> tf.Tensor:
        state = tf.zeros([1, 2, 4])
        weights = tf.zeros([tf.constant(100)])
        y = tf.raw_ops.CudnnRNN(input=x, input_h=state, input_c=state, params=weights)[0]
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, 2 * y), (tf.constant(0), y))[1]

    traced = tf.function(mixed, autograph=False).get_concrete_function(tf.TensorSpec([3, 2, 4]))
    assert kernel_of(traced, looping=True) == "cudnn+while_loop"
    assert kernel_of(traced, looping=False) == "cudnn"


def with_lengths(case: Case, time: int, written: int) -> Batch:
    """A batch of other padded lengths."""
    batch = replace(case, time=time).batch("float64")
    assert batch.target_lengths is not None
    lengths = np.minimum(batch.target_lengths, written)
    kept = batch.targets[:, :written]
    targets = kept * (np.arange(kept.shape[1]) < lengths[:, None])
    return replace(batch, targets=targets.astype(np.int32), target_lengths=lengths)


@pytest.mark.parametrize("name", ["lstm-none-plain", ADDITIVE, "gru-multiplicative-plain", "gru-plain-ctc"])
def test_one_trace_serves_every_pair_of_lengths(backend: Backend, name: str) -> None:
    case = CASES[name]
    program = built(backend, case)
    for time, written in ((9, 6), (5, 2), (9, 3), (12, 6)):
        placed = program.place(with_lengths(case, time, written))
        program.step(placed)
        program.predict(placed)
        program.gradients(placed)
    assert program.notes()["tensorflow/traces"] == "gradients 1, predict 1, step 1"
    assert np.all(np.isfinite(program.drain().loss))


def test_one_trace_per_token_serves_every_length_of_the_inputs(backend: Backend) -> None:
    case = CASES["lstm-additive-plain"]
    assert case.model.decoder is not None
    program = built(backend, case)
    for time in (9, 4, 12):
        batch = replace(case, time=time).batch("float64")
        greedy_search(program, program.place(batch), case.model.decoder, batch.size, aligned=True)
    assert program.notes()["tensorflow/traces"] == "advance 1, start 1"


def test_a_static_graph_is_traced_once_per_pair_of_padded_lengths(backend: Backend) -> None:
    """And not once per number of target tokens, which differs from batch to batch."""
    case = CASES["rnn-none-plain"]
    program = built(backend, case, unroll="static")
    for index, written in enumerate((4, 3, 4, 3)):
        batch = with_lengths(case, 5, written)
        assert batch.target_lengths is not None
        lengths = np.maximum(1, np.roll(batch.target_lengths, index))
        program.step(program.place(replace(batch, target_lengths=lengths)))
    assert program.notes()["tensorflow/traces"] == "step 2"


def test_a_static_graph_of_too_many_steps_is_refused(backend: Backend) -> None:
    case = replace(CASES["rnn-none-deep"], time=60)
    batch = case.batch("float64")
    longer = replace(batch, targets=np.pad(batch.targets, [(0, 0), (0, 1)]))
    with pytest.raises(
        UnsupportedError, match="60 steps x 3 layers and directions, and 7 x 3 of the decoder"
    ):
        built(backend, case, unroll="static").place(longer)
    case = replace(CASES["rnn-plain-ctc"], time=101)
    with pytest.raises(UnsupportedError, match="and 101 of CTC"):
        built(backend, case, unroll="static").place(case.batch("float64"))


def test_generation_does_not_disturb_training(backend: Backend) -> None:
    case = CASES["lstm-additive-plain"]
    assert case.model.decoder is not None
    steady, generating = built(backend, case), built(backend, case)
    batch = case.batch("float64")
    placed = generating.place(batch)
    beam_search(generating, placed, case.model.decoder, batch.size, 3, aligned=True)
    for program, one in ((generating, placed), (steady, steady.place(batch))):
        program.step(one)
    assert np.array_equal(generating.drain().loss, steady.drain().loss)
    ends, expected = generating.parameters(), steady.parameters()
    assert all(np.array_equal(ends[name], weight) for name, weight in expected.items())


def test_more_tokens_than_there_are_are_clipped_and_an_alignment_is_given_where_asked(
    backend: Backend,
) -> None:
    case = CASES["gru-multiplicative-plain"]
    decoder, batch = case.model.decoder, case.batch("float32")
    assert decoder is not None
    program = built(backend, case, precision="float32")
    placed = program.place(batch)
    start = np.full(2 * batch.size, decoder.start, np.int32)
    found = program.decoding(placed, 2).advance(start, np.arange(len(start)), 99)
    assert found.alignment is None
    assert found.log_probabilities.dtype == np.float64
    assert found.tokens.shape == found.log_probabilities.shape == (len(start), decoder.vocabulary)
    aligned = program.decoding(placed, 2, aligned=True).advance(start, np.arange(len(start)), 1)
    assert aligned.alignment is not None
    assert aligned.alignment.shape == (len(start), batch.time)


def test_what_has_no_decoder_generates_nothing(backend: Backend) -> None:
    case = CASES["gru-plain-ctc"]
    program = built(backend, case)
    placed = program.place(case.batch("float64"))
    with pytest.raises(UnsupportedError, match="no decoder"):
        program.decoding(placed)


def test_predictions_of_a_stream_do_not_depend_on_training(backend: Backend) -> None:
    case = CASES["lstm-deep-carry"]
    program, steady = built(backend, case), built(backend, case)
    chunks = [case.batch("float64", index) for index in range(3)]
    state = other = None
    for chunk in chunks:
        program.gradients(program.place(case.batch("float64", 9)))
        found, state = program.predict(program.place(chunk), state)
        expected, other = steady.predict(steady.place(chunk), other)
        assert np.array_equal(found, expected)
    from_zero, _ = steady.predict(steady.place(chunks[2]))
    assert relative_error(from_zero, expected) > 1e-3


@pytest.mark.parametrize("name", [ADDITIVE, "gru-plain-ctc"])
def test_deterministic_programs_end_in_the_same_bits(backend: Backend, name: str) -> None:
    case, ends = CASES[name], []
    for _ in range(2):
        program = built(backend, case, precision="float32", deterministic=True)
        for index in range(3):
            program.step(program.place(case.batch("float32", index)))
        ends.append(program.parameters())
    assert all(np.array_equal(weight, ends[1][name]) for name, weight in ends[0].items())
