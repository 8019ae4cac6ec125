"""Operation counts, held to a count of the products that the reference really runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch
from benchsuite.measure.flops import Product, forward_products, inference_flops, training_flops
from benchsuite.schema import (
    BUILTIN_CELLS,
    GATES,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
)
from benchsuite.schema.model import AttentionKind


def batch(lengths: list[int], size: int = 3, tokens: bool = False) -> Batch:
    shape = (len(lengths), max(lengths)) + (() if tokens else (size,))
    return Batch(np.zeros(shape), np.array(lengths, np.int32), np.zeros(len(lengths), np.int32))


def counted_by_hand(model: ModelSpec, lengths: list[int]) -> tuple[int, int]:
    """(forward, training) multiply-add operations, row by row, step by step, gate by gate: one for the
    forward product, one for each gradient that somebody needs."""
    assert isinstance(model.body, Recurrent)
    forward = training = 0
    for length in lengths:
        below = model.input_size
        for layer in range(model.body.layers):
            for _ in model.body.directions:
                for _ in range(length * GATES[model.body.cell]):
                    from_input, from_state = below * model.body.hidden, model.body.hidden**2
                    forward += from_input + from_state
                    wants_input = layer > 0 or isinstance(model.input, Tokens)
                    training += from_input * (3 if wants_input else 2) + 3 * from_state
            below = model.body.output_size
        heads = length if model.readout == "steps" else 1
        forward += heads * below * model.head.outputs
        training += 3 * heads * below * model.head.outputs
    return 2 * forward, 2 * training


@settings(max_examples=60)
@given(
    cell=st.sampled_from(sorted(BUILTIN_CELLS)),
    layers=st.integers(1, 3),
    both=st.booleans(),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    steps=st.booleans(),
    tokens=st.booleans(),
)
def test_recurrent_counts_are_those_of_a_count_by_hand(
    cell: str, layers: int, both: bool, lengths: list[int], steps: bool, tokens: bool
) -> None:
    model = ModelSpec(
        Tokens(9, 3) if tokens else Features(3),
        Recurrent(cell, 5, layers, both),
        Dense(4),
        "cross_entropy",
        "steps" if steps else "last",
    )
    data = batch(lengths, tokens=tokens)
    forward, training = counted_by_hand(model, lengths)
    assert inference_flops(model, data) == pytest.approx(forward)
    assert training_flops(model, data) == pytest.approx(training)


@given(extra=st.integers(0, 9))
def test_padding_is_not_work(extra: int) -> None:
    model = ModelSpec(Features(3), Recurrent("lstm", 8), Dense(2), "cross_entropy")
    short = batch([4, 2])
    padded = replace(short, inputs=np.zeros((2, 4 + extra, 3)))
    assert training_flops(model, short) == training_flops(model, padded)


def test_a_convolution_costs_its_kernel_at_every_pixel() -> None:
    model = ModelSpec(
        Features(8), Convolutional(8, 8, channels=(4, 6), kernel=3, hidden=10), Dense(5), "cross_entropy"
    )
    first, second = 64 * 9 * 1 * 4, 16 * 9 * 4 * 6
    dense, head = (2 * 2 * 6) * 10, 10 * 5
    rows = 3
    data = batch([8] * rows, size=8)
    assert inference_flops(model, data) == 2 * rows * (first + second + dense + head)
    assert training_flops(model, data) == 2 * rows * (2 * first + 3 * (second + dense + head))


def test_a_product_is_two_operations_an_entry_and_term() -> None:
    assert Product(2, 3, 4).flops == 48
    assert Product(2, 3, 4, count=2.5).flops == 120
    assert all(
        product.flops > 0
        for product in forward_products(
            ModelSpec(Features(3), Recurrent("gru", 4), Dense(2), "squared"), batch([2, 1])
        )
    )


def test_squares_of_differences_are_no_product() -> None:
    dense = ModelSpec(Features(3), Recurrent("gru", 8), Dense(4), "cross_entropy")
    data = batch([4, 2])
    assert (
        training_flops(dense, data) - training_flops(replace(dense, head=Rbf(4)), data) == 3 * 2 * 2 * 8 * 4
    )


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
def test_a_decoders_products_are_counted_at_real_lengths(attention: AttentionKind) -> None:
    lengths, written = np.array([4, 4], np.int32), np.array([3, 3], np.int32)
    E, F, H, V, B, T, U = 5, 12, 7, 9, 2, 4, 3
    model = ModelSpec(
        Tokens(11, E),
        Recurrent("gru", F // 2, 1, bidirectional=True),
        Dense(V),
        "cross_entropy",
        decoder=Decoder(V, E, Recurrent("gru", H), attention, 8),
    )
    batch = Batch(np.zeros((B, T), np.int32), lengths, np.zeros((B, U), np.int32), target_lengths=written)
    encoder = 2 * B * T * (E + F // 2) * 3 * (F // 2) * 2
    context = F if attention == "additive" else 0
    decoder = 2 * B * F * H + 2 * B * U * (E + context + H) * 3 * H
    if attention == "additive":
        decoder += 2 * B * U * H * H + 2 * B * T * F * H + 2 * B * U * T * H + 2 * B * U * T * F
    if attention == "multiplicative":
        decoder += 2 * B * U * H * F + 2 * B * U * F * T + 2 * B * U * T * F
    head = 2 * B * U * (H + (0 if attention == "none" else F)) * V
    assert inference_flops(model, batch) == pytest.approx(encoder + decoder + head)
