"""Floating-point operations of a model's matrix products, counted analytically; a cell's are found by running
one step of it on arrays that record (measure.recorded).

Only products count (2 m k n each): they are what a machine's peak is measured with. A training step costs
three times the forward pass: forward, gradient by the inputs, gradient by the weights. Padding is not work
that was asked for, so recurrent layers are counted over valid steps. The Euclidean output layer is no product:
it sums squares of differences.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchsuite.contracts import Batch
from benchsuite.measure.recorded.products import cell_products
from benchsuite.schema import Convolutional, Decoder, Dense, ModelSpec, Recurrent


@dataclass(frozen=True)
class Product:
    """`count` products of (m, k) @ (k, n)."""

    m: int
    k: int
    n: int
    count: float = 1.0

    @property
    def flops(self) -> float:
        return 2.0 * self.m * self.k * self.n * self.count


def forward_products(model: ModelSpec, batch: Batch) -> list[Product]:
    """The products of one forward pass over `batch`."""
    rows = batch.size
    body, found = model.body, []
    if isinstance(body, Convolutional):
        height, width, incoming = body.height, body.width, 1
        for channels in body.channels:
            found.append(Product(rows * height * width, body.kernel**2 * incoming, channels))
            height, width, incoming = height // 2, width // 2, channels
        found.append(Product(rows, body.flattened, body.hidden))
    else:
        found += _recurrent_products(body, model.input_size, rows, batch.valid_steps)
    times = batch.valid_steps if model.readout == "steps" else rows
    if model.decoder is not None:
        times = _target_steps(batch)
        found += _decoder_products(model.decoder, body.output_size, batch)
    if isinstance(model.head, Dense):
        found.append(Product(times, model.head_inputs, model.head.outputs))
    return found


def _target_steps(batch: Batch) -> int:
    """Target tokens in the batch."""
    assert batch.target_lengths is not None
    return int(batch.target_lengths.sum())


def _recurrent_products(body: Recurrent, inputs: int, rows: int, steps: int) -> list[Product]:
    found = []
    times = steps / rows * len(body.directions)
    for _ in range(body.layers):
        # the recurrent product of one step has the batch's rows; the input's could be done at once
        products = cell_products(body.cell, inputs, body.hidden)
        found += [Product(rows, k, n, times) for k, n in products.by_row]
        found += [Product(m, k, n, len(body.directions)) for m, k, n in products.fixed]
        inputs = body.output_size
    return found


def _decoder_products(decoder: Decoder, features: int, batch: Batch) -> list[Product]:
    """Bridge, recurrent layers and attention: queries, keys, scores, contexts, row by row at mean lengths."""
    body, rows, tokens = decoder.body, batch.size, _target_steps(batch)
    found = [Product(rows, features, body.layers * body.hidden)]
    inputs = decoder.embedding + (features if decoder.attention == "additive" else 0)
    found += _recurrent_products(body, inputs, rows, tokens)
    if decoder.attention == "none":
        return found
    pairs = float(batch.lengths.astype(float) @ batch.target_lengths) / rows  # of steps, in a row
    targets, steps = max(1, round(tokens / rows)), max(1, round(batch.valid_steps / rows))
    share = pairs / (targets * steps) * rows
    if decoder.attention == "additive":
        found += [
            Product(tokens, body.hidden, body.hidden),
            Product(batch.valid_steps, features, body.hidden),
        ]
        found.append(Product(targets * steps, body.hidden, 1, share))
    else:
        found += [Product(tokens, body.hidden, features), Product(targets, features, steps, share)]
    return [*found, Product(targets, steps, features, share)]


def training_flops(model: ModelSpec, batch: Batch) -> float:
    """Operations of one optimiser step's products; the first layer's input gradient is not needed."""
    products = forward_products(model, batch)
    total = 3.0 * sum(product.flops for product in products)
    return total - _unneeded(model, batch)


def _unneeded(model: ModelSpec, batch: Batch) -> float:
    """The gradient by the model's own input: only an embedding wants it."""
    body = model.body
    if isinstance(body, Convolutional):
        first = body.channels[0]
        return Product(batch.size * body.height * body.width, body.kernel**2, first).flops
    if model.as_dict()["input"]["kind"] == "tokens":
        return 0.0
    ways = len(body.directions)
    products = cell_products(body.cell, model.input_size, body.hidden).unneeded
    return sum(Product(batch.valid_steps, k, n, ways).flops for k, n in products)


def inference_flops(model: ModelSpec, batch: Batch) -> float:
    """Operations of one forward pass's products."""
    return sum(product.flops for product in forward_products(model, batch))
