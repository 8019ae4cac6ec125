"""JAX decoders: against the reference, what is compiled how often, and what a program says of its loops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from fixtures.jax_kit import kit  # noqa: E402
from jax.experimental import rnn  # noqa: E402

from benchsuite.contracts import Batch  # noqa: E402
from benchsuite.errors import UnsupportedError  # noqa: E402
from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance import decoding as decoding_checks  # noqa: E402
from benchsuite.measure.conformance.cases import Case, carry_cases, decoder_cases, model_cases  # noqa: E402
from benchsuite.measure.decoding import beam_search, greedy_search  # noqa: E402
from benchsuite.schema import Execution  # noqa: E402
from benchsuite_jax import fused  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_jax.loops import DECODER, ENCODER  # noqa: E402
from benchsuite_jax.model import Model  # noqa: E402
from benchsuite_jax.placement import Feed  # noqa: E402
from benchsuite_jax.program import JaxProgram  # noqa: E402
from benchsuite_jax.runtime import loop_kind  # noqa: E402

pytestmark = pytest.mark.usefixtures("double_precision")


def named(name: str) -> Case:
    return next(case for case in [*decoder_cases(), *model_cases()] if case.name == name)


def build(name: str, unroll: str = "dynamic") -> tuple[JaxProgram, Batch]:
    """A float32 program, and a batch of its case."""
    case, execution = named(name), Execution.model_validate({"unroll": unroll})
    program = JaxBackend().build(case.model, case.parameters("float32"), case.recipe, execution)
    return program, case.batch("float32")


def compilations(program: JaxProgram) -> int:
    return int(program.notes()["compilations"])


@pytest.mark.parametrize(
    ("name", "unroll"),
    [
        ("gru-none-plain", "dynamic"),
        ("lstm-none-deep_bidirectional", "dynamic"),
        ("gru-additive-plain-truncated", "dynamic"),
        ("lstm-additive-deep_bidirectional", "dynamic"),
        ("rnn-additive-plain-features", "dynamic"),
        ("lstm-multiplicative-plain", "dynamic"),
        ("gru-multiplicative-deep_bidirectional", "dynamic"),
        ("gru-additive-plain-full", "dynamic"),
        ("rnn-additive-deep", "static"),
        ("lstm-multiplicative-plain", "static"),
    ],
)
def test_models_agree_with_the_reference(name: str, unroll: str) -> None:
    checks.check_gradients(kit(unroll), named(name))


@pytest.mark.parametrize("name", ["lstm-additive-deep", "rnn-multiplicative-plain"])
def test_models_agree_with_the_reference_in_single_precision(name: str) -> None:
    checks.check_gradients(kit(precision="float32"), named(name))


@pytest.mark.parametrize("name", ["lstm-none-deep", "gru-additive-plain", "lstm-multiplicative-plain"])
def test_generation_gives_what_teacher_forcing_gives_and_the_references_tokens(name: str) -> None:
    decoding_checks.check_teacher_forcing(kit(), named(name))
    decoding_checks.check_generation(kit(), named(name))


def test_training_follows_the_reference() -> None:
    checks.check_training(kit(), named("gru-additive-plain"))


def test_padding_and_companions_change_nothing() -> None:
    checks.check_padding(kit(), named("lstm-multiplicative-plain"))
    checks.check_companions(kit(), named("gru-additive-plain"))


def test_predictions_and_generation_change_nothing() -> None:
    checks.check_purity(kit(), named("gru-additive-plain"))


def test_a_program_is_compiled_once_for_both_lengths() -> None:
    program, batch = build("gru-additive-plain")
    assert batch.target_lengths is not None
    program.step(program.place(batch))
    program.step(program.place(replace(batch, targets=batch.targets[:, ::-1])))
    assert compilations(program) == 1
    wider = replace(batch, targets=np.pad(batch.targets, ((0, 0), (0, 2))))
    program.step(program.place(wider))
    assert compilations(program) == 2
    # full rows do without masks, unless the shape was met with padding first
    full = np.full(batch.size, batch.targets.shape[1] + 2, np.int32)
    assert program.place(replace(wider, target_lengths=full)).feed.target_lengths is not None
    longer = replace(wider, targets=np.pad(wider.targets, ((0, 0), (0, 1))), target_lengths=full + 1)
    assert program.place(longer).feed.target_lengths is None


def test_the_scores_of_full_rows_need_no_lengths() -> None:
    program, batch = build("gru-multiplicative-plain")
    steps = batch.targets.shape[1]
    full = replace(batch, target_lengths=np.full(batch.size, steps, np.int32))
    plain, _ = program.predict(program.place(full))
    program.predict(program.place(batch))
    assert compilations(program) == 2
    assert program.place(full).feed.target_lengths is None
    other, _ = build("gru-multiplicative-plain")
    assert other.place(replace(full, ragged_targets=True)).feed.target_lengths is not None
    np.testing.assert_array_equal(program.predict(program.place(full))[0], plain)
    assert compilations(program) == 2


def test_ctc_predictions_do_not_depend_on_the_labels_length() -> None:
    program, batch = build("gru-plain-ctc")
    program.predict(program.place(batch))
    program.predict(program.place(replace(batch, targets=np.pad(batch.targets, ((0, 0), (0, 3))))))
    assert compilations(program) == 1


def test_generation_compiles_one_call_for_a_token() -> None:
    program, batch = build("gru-additive-plain")
    decoder = named("gru-additive-plain").model.decoder
    assert decoder is not None
    for index in range(3):
        placed = program.place(named("gru-additive-plain").batch("float32", index))
        greedy_search(program, placed, decoder, batch.size)
    assert compilations(program) == 2, "the encoder, and one step"
    for _ in range(2):
        beam_search(program, program.place(batch), decoder, batch.size, 3)
    assert compilations(program) == 4
    assert program.kernel() == "none", "generation alone does not show how training runs"


def test_a_decoding_goes_on_after_a_training_step() -> None:
    """A step's parameters take the place of those before it: their memory is gone."""
    program, batch = build("gru-additive-plain")
    placed = program.place(batch)
    decoding = program.decoding(placed)
    tokens, parents = np.full(batch.size, 2, np.int32), np.arange(batch.size)
    decoding.advance(tokens, parents, 1)
    program.step(placed)
    found = decoding.advance(tokens, parents, 100)
    assert found.tokens.shape == found.log_probabilities.shape == (batch.size, 9), "no more than there are"
    np.testing.assert_allclose(np.exp(found.log_probabilities).sum(axis=1), 1, rtol=1e-5)
    assert found.tokens.dtype == np.int32
    assert found.log_probabilities.dtype == np.float64
    assert found.alignment is None


@pytest.mark.parametrize(
    ("name", "unroll", "kernel"),
    [
        ("gru-additive-plain", "dynamic", "scan"),
        ("gru-additive-plain", "static", "unrolled"),
        ("lstm-multiplicative-plain", "dynamic", "scan"),
        ("lstm-none-plain", "static", "unrolled"),
    ],
)
def test_the_kernel_names_both_loops(name: str, unroll: str, kernel: str) -> None:
    program, batch = build(name, unroll)
    program.step(program.place(batch))
    assert program.kernel() == kernel
    text = next(iter(program._executables.compiled.values())).as_text()
    assert "f64[" not in text, "double precision in a float32 program"


def test_a_loop_that_xla_unrolled_is_named_with_the_other() -> None:
    program, batch = build("gru-additive-plain")
    ends = np.full((batch.size, 1), 3, np.int32)
    program.predict(program.place(replace(batch, targets=ends, target_lengths=np.ones(batch.size, np.int32))))
    assert program.kernel() == "scan+unrolled"


def test_cudnn_is_named_with_the_loop_that_additive_attention_needs() -> None:
    """A GPU's program is this one with cuDNN's call in the place of the encoder's loop."""
    program, batch = build("gru-additive-plain")
    program.predict(program.place(batch))
    text = next(iter(program._executables.compiled.values())).as_text()
    called = f'{text}\n%call = custom-call(), custom_call_target="cudnn_rnn"\n'
    both = (ENCODER, DECODER)
    assert loop_kind(text, both) == "scan"
    assert loop_kind(called, both) == "cudnn"
    assert loop_kind(called, both, looping=(DECODER,)) == "cudnn+scan"


@pytest.mark.parametrize("name", ["lstm-multiplicative-deep_bidirectional", "lstm-additive-plain"])
def test_fused_decoders_give_the_same_gradients(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN needs a GPU; jax's own model of what cuDNN computes does not, and takes the same arguments."""
    calls = []

    def model_of_cudnn(x: Any, h: Any, c: Any, w: Any, n: Any, *rest: object) -> object:
        *sizes, dropout, both, _ = rest
        calls.append(x.shape[1])
        return rnn.lstm_ref(x, h, c, *rnn.unpack_lstm_weights(w, *sizes, both), n, *sizes, dropout, both)

    monkeypatch.setattr(fused, "lstm", model_of_cudnn)
    case, batch = named(name), named(name).batch("float64")
    feed = Feed(batch.inputs.swapaxes(0, 1), batch.lengths, batch.targets.T, batch.target_lengths)
    found = []
    for unroll in ("fused", "dynamic"):
        model = Model(case.model, unroll, None, jax.lax.Precision.HIGHEST)
        start = model.fresh_start(batch.size, np.dtype("float64"))
        function = jax.grad(lambda p, m=model, s=start: m.loss(p, feed, s)[0])
        found.append(jax.jit(function)(case.parameters("float64")))
    time, steps = batch.time, batch.targets.shape[1]
    assert calls == ([time] if "additive" in name else [time, steps])
    for parameter, gradient in found[0].items():
        np.testing.assert_allclose(gradient, found[1][parameter], atol=1e-14, err_msg=parameter)


def test_what_a_decoder_needs_is_named() -> None:
    plain, read = build("gru-plain")
    with pytest.raises(UnsupportedError, match="its model has no decoder"):
        plain.decoding(plain.place(read))
    static, batch = build("gru-additive-plain", "static")
    longer = replace(batch, targets=np.pad(batch.targets, ((0, 0), (0, 60))))
    with pytest.raises(
        UnsupportedError, match=r"9 steps x 1 layers .* \+ 66 steps x 1 layers of the decoder = 75"
    ):
        static.place(longer)


@pytest.mark.parametrize("name", ["gru-plain-carry-ragged", "lstm-deep-carry"])
def test_predictions_of_a_stream_go_on(name: str) -> None:
    case = next(case for case in carry_cases() if case.name == name)
    checks.check_stream_predictions(kit(), case)
