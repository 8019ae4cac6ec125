"""PyTorch programs that generate sequences: kernels by name, repeatable steps, decoding beside training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from fixtures.kit import SUPPORTED
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.cases import Case, decoder_cases, model_cases
from benchsuite.measure.decoding import beam_search
from benchsuite.measure.parity import compare, in_double
from benchsuite.schema import Decoder, Dense, Execution, ModelSpec, Recipe, Recurrent, Tokens
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.program import TorchProgram

UNROLLS = sorted(SUPPORTED["torch"])
"""Those that run the built-in cells."""

CASES = {case.name: case for case in [*decoder_cases(), *model_cases()]}
ADDITIVE = "gru-additive-plain"


def build(case: Case, **execution: Any) -> TorchProgram:
    chosen = Execution.model_validate(execution)
    return TorchBackend().build(case.model, case.parameters(chosen.dtype), case.recipe, chosen)


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "name",
    [
        "gru-none-deep",
        "lstm-additive-deep_bidirectional",
        "gru-additive-plain-one-row",
        "rnn-multiplicative-plain-truncated",
        "lstm-plain-ctc",
        "gru-deep_bidirectional-bernoulli-steps",
    ],
)
def test_parity(name: str, precision: str, unroll: str) -> None:
    case = CASES[name]
    program = build(case, unroll=unroll, precision=precision)
    reference = ReferenceBackend().build(
        case.model, case.parameters("float64"), case.recipe, Execution(precision="float64")
    )
    batch = case.batch(program.parameters()["out.W"].dtype.name)
    found = program.gradients(program.place(batch))
    expected = reference.gradients(reference.place(in_double(batch)))
    assert compare(found, expected, precision).breaches == []


@pytest.mark.parametrize(
    ("name", "unroll", "expected"),
    [
        (ADDITIVE, "fused", "aten+handwritten_loop"),
        (ADDITIVE, "static", "handwritten_loop"),
        ("lstm-additive-deep", "dynamic", "handwritten_loop"),
        ("gru-none-plain", "fused", "aten"),
        ("rnn-multiplicative-deep_bidirectional", "fused", "aten"),
        ("gru-multiplicative-plain", "dynamic", "handwritten_loop"),
        ("gru-plain-ctc", "fused", "aten"),
        (ADDITIVE, "autograd", "autograd_loop"),
        ("lstm-none-plain", "autograd", "autograd_loop"),
    ],
)
def test_kernel_names_every_part(name: str, unroll: str, expected: str) -> None:
    program = build(CASES[name], unroll=unroll)
    program.step(program.place(CASES[name].batch("float32")))
    assert program.kernel() == expected


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch was built without oneDNN")
@pytest.mark.parametrize(
    ("attention", "expected"),
    [("none", "onednn"), ("multiplicative", "onednn"), ("additive", "onednn+handwritten_loop")],
)
def test_lstm_decoders_run_in_onednn_where_they_can(attention: str, expected: str) -> None:
    case = CASES[f"lstm-{attention}-plain"]
    program = build(case, unroll="fused")
    program.step(program.place(case.batch("float32")))
    assert program.kernel() == expected


class Watch(TorchDispatchMode):  # type: ignore[misc]
    """Collects the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: set[str] = set()

    def __torch_dispatch__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ran.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("name", ["lstm-none-deep", ADDITIVE, "gru-multiplicative-plain"])
def test_a_step_reads_nothing_back(name: str, unroll: str) -> None:
    case = CASES[name]
    program = build(case, unroll=unroll)
    placed = program.place(case.batch("float32"))
    program.step(placed)
    with Watch() as watch:
        program.step(placed)
    assert "addmm" in watch.ran
    assert not watch.ran & {"_local_scalar_dense", "nonzero", "is_nonzero"}


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("name", [ADDITIVE, "lstm-multiplicative-plain", "lstm-plain-ctc"])
def test_steps_repeat_to_the_last_bit(name: str, unroll: str) -> None:
    case, ends = CASES[name], []
    for _ in range(2):
        program = build(case, unroll=unroll, deterministic=True)
        for index in range(4):
            program.step(program.place(case.batch("float32", index)))
        ends.append((program.parameters(), program.drain().loss))
    assert np.array_equal(ends[0][1], ends[1][1])
    assert all(np.array_equal(weight, ends[1][0][name]) for name, weight in ends[0][0].items())


@pytest.mark.parametrize("unroll", UNROLLS)
def test_decoding_first_does_not_disturb_training(unroll: str) -> None:
    case = CASES["lstm-additive-plain"]
    decoder = case.model.decoder
    assert decoder is not None
    fresh, used = (build(case, unroll=unroll, precision="float64") for _ in range(2))
    batch = case.batch("float64")
    placed = used.place(batch)
    beam_search(used, placed, decoder, batch.size, 3, aligned=True)
    used.predict(placed)
    found, expected = used.gradients(placed), fresh.gradients(fresh.place(batch))
    assert compare(found, expected, "float64").largest("gradient") == 0.0
    used.step(placed)


def test_more_tokens_than_there_are_are_clipped_and_an_alignment_is_given_where_asked() -> None:
    case = CASES["gru-multiplicative-plain"]
    decoder, batch = case.model.decoder, case.batch("float32")
    assert decoder is not None
    program = build(case)
    placed = program.place(batch)
    start = np.full(2 * batch.size, decoder.start, np.int32)
    parents = np.arange(len(start))
    found = program.decoding(placed, 2).advance(start, parents, 99)
    assert found.alignment is None
    assert found.tokens.shape == found.log_probabilities.shape == (len(start), decoder.vocabulary)
    assert (found.tokens.dtype, found.log_probabilities.dtype) == (np.int32, np.float64)
    assert np.allclose(np.exp(found.log_probabilities).sum(1), 1)
    aligned = program.decoding(placed, 2, aligned=True).advance(start, parents, 1).alignment
    assert aligned is not None
    assert aligned.shape == (len(start), batch.time)
    assert (
        build(CASES["gru-none-plain"])
        .decoding(placed, 1, True)
        .advance(start[::2], parents[: batch.size], 1)
        .alignment
        is None
    )


def test_hypotheses_go_on_from_their_parents() -> None:
    """Two hypotheses of a row change places: so do their continuations."""
    case = CASES["lstm-additive-deep"]
    batch, program = case.batch("float64"), build(case, precision="float64")
    placed, count = program.place(batch), 2 * batch.size
    straight = np.arange(count)
    crossed = straight.reshape(-1, 2)[:, ::-1].ravel()
    first = np.where(straight % 2, 4, 5).astype(np.int32)
    found = []
    for parents in (straight, crossed):
        decoding = program.decoding(placed, 2)
        decoding.advance(first, straight, 1)
        found.append(decoding.advance(np.full(count, 6, np.int32), parents, 9).log_probabilities)
    assert np.allclose(found[0], found[1][crossed], rtol=1e-12)
    assert not np.allclose(found[0], found[1], rtol=1e-3)


def test_only_a_decoder_generates() -> None:
    case = CASES["gru-plain"]
    program = build(case)
    with pytest.raises(UnsupportedError, match="no decoder"):
        program.decoding(program.place(case.batch("float32")))


@settings(max_examples=20, deadline=None)
@given(
    cell=st.sampled_from(["rnn", "lstm", "gru"]),
    attention=st.sampled_from(["none", "additive", "multiplicative"]),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    lengths=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=4),
    padding=st.integers(0, 2),
)
def test_unrolls_agree(
    cell: str,
    attention: Any,
    layers: int,
    bidirectional: bool,
    lengths: list[tuple[int, int]],
    padding: int,
) -> None:
    decoder = Decoder(7, 2, Recurrent(cell, 4, layers), attention, 6)
    body = Recurrent(cell, 3, layers, bidirectional)
    model = ModelSpec(Tokens(9, 2), body, Dense(7), "cross_entropy", decoder=decoder)
    case = Case("decoding", model, Recipe(), rows=len(lengths), time=5 + padding)
    drawn, shape = case.batch("float64"), (len(lengths), 4 + padding)
    read, generated = (np.array(part, np.int32) for part in zip(*lengths, strict=True))
    targets = np.random.default_rng(0).integers(4, 7, shape) * (np.arange(shape[1]) < generated[:, None])
    inputs = drawn.inputs * (np.arange(case.time) < read[:, None])
    batch = replace(
        drawn, inputs=inputs, lengths=read, targets=targets.astype(np.int32), target_lengths=generated
    )
    found = {}
    for unroll in UNROLLS:
        program = build(case, unroll=unroll, precision="float64")
        found[unroll] = program.gradients(program.place(batch))
    for unroll in UNROLLS:
        assert compare(found[unroll], found["static"], "float64").breaches == []
