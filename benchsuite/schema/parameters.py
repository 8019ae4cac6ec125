"""Names and shapes of a model's parameters, in the canonical layout that every backend reads and writes.

Row vectors, y = x @ W. A cell names its own parameters (schema.cells); below are those of the built-in ones.
Recurrent parameters of layer l and direction d (`fwd`, `bwd`), I input, H hidden:

    rnn   rnn.l{l}.{d}.Wx (I, H)   .Wh (H, H)   .b (H)
    lstm  rnn.l{l}.{d}.Wx (I, 4H)  .Wh (H, 4H)  .b (4H)             gates in the order i, f, g, o
    gru   rnn.l{l}.{d}.Wx (I, 3H)  .Wh (H, 3H)  .bx (3H)  .bh (3H)  gates in the order r, z, n

Decoder (H hidden, F encoder outputs, A = H, L layers; gates and biases as above, first layer's I = E or, with
additive attention, E + F):

    bridge.W (F, L*H), bridge.b (L*H)
    attn.Wq (H, A), attn.Wk (F, A), attn.b (A), attn.v (A)      additive
    attn.W (H, F)                                               multiplicative
    target_embed.E (V, E); dec.l{l}.fwd.*

Others: embed.E (V, E); cnn.c{i}.W (k, k, in, out), cnn.c{i}.b (out); cnn.dense.W, cnn.dense.b;
out.W (F, O), out.b (O); rbf.W (F, O). A tied output layer has out.b alone: its matrix is embed.E's transpose.
"""

from __future__ import annotations

from benchsuite.schema.cells import CellParameter, cell_named
from benchsuite.schema.model import Convolutional, Decoder, Dense, ModelSpec, Recurrent, Tokens

GATES: dict[str, int] = {"rnn": 1, "lstm": 4, "gru": 3}

Shapes = dict[str, tuple[int, ...]]


def recurrent_names(body: Recurrent) -> list[str]:
    """Prefixes of the recurrent layers, bottom to top: `rnn.l0.fwd`, `rnn.l0.bwd`, `rnn.l1.fwd`, ..."""
    return [f"rnn.l{layer}.{way}" for layer in range(body.layers) for way in body.directions]


def decoder_names(decoder: Decoder) -> list[str]:
    """Prefixes of the decoder's layers, bottom to top: `dec.l0.fwd`, `dec.l1.fwd`, ..."""
    return [f"dec.l{layer}.fwd" for layer in range(decoder.body.layers)]


def state_shapes(model: ModelSpec) -> Shapes:
    """Names and widths of an initial state: `rnn.l0.fwd.h` (H,) for each layer, and `rnn.l0.fwd.c` (H,) for an
    LSTM. In arrays there is a row for each of a batch's rows: (B, H).

    Empty for a model that starts at zero only: the convolutional baseline, a bidirectional stack (a backward
    layer starts at the end of each batch), a model with a decoder.
    """
    body = model.body
    if not isinstance(body, Recurrent) or body.bidirectional or model.decoder is not None:
        return {}
    parts = cell_named(body.cell).state
    return {f"{prefix}.{part.name}": (body.hidden,) for prefix in recurrent_names(body) for part in parts}


def recurrent_parameters(model: ModelSpec) -> dict[str, CellParameter]:
    """Every parameter of the body's and the decoder's cells, by name, in the canonical order."""
    found: dict[str, CellParameter] = {}
    if isinstance(model.body, Recurrent):
        body, width = model.body, model.input_size
        for layer in range(body.layers):
            for way in body.directions:
                found |= _cell_parameters(f"rnn.l{layer}.{way}", body, width)
            width = body.output_size
    if (decoder := model.decoder) is not None:
        width = decoder.embedding + (model.body.output_size if decoder.attention == "additive" else 0)
        for prefix in decoder_names(decoder):
            found |= _cell_parameters(prefix, decoder.body, width)
            width = decoder.body.hidden
    return found


def _cell_parameters(prefix: str, body: Recurrent, inputs: int) -> dict[str, CellParameter]:
    parameters = cell_named(body.cell).parameters(inputs, body.hidden)
    return {f"{prefix}.{name}": parameter for name, parameter in parameters.items()}


def parameter_shapes(model: ModelSpec) -> Shapes:
    """Every parameter of `model`, by name, in the canonical order."""
    shapes: Shapes = {}
    cells = {name: parameter.shape for name, parameter in recurrent_parameters(model).items()}
    if isinstance(model.input, Tokens):
        shapes["embed.E"] = (model.input.vocabulary, model.input.embedding)
    if isinstance(model.body, Convolutional):
        shapes |= _convolutional_shapes(model.body)
    else:
        shapes |= {name: shape for name, shape in cells.items() if name.startswith("rnn.")}
    if model.decoder is not None:
        shapes |= _decoder_shapes(model.decoder, model.body.output_size)
        shapes |= {name: shape for name, shape in cells.items() if name.startswith("dec.")}
    features, outputs = model.head_inputs, model.head.outputs
    if isinstance(model.head, Dense) and model.head.tied:
        return shapes | {"out.b": (outputs,)}
    if isinstance(model.head, Dense):
        return shapes | {"out.W": (features, outputs), "out.b": (outputs,)}
    return shapes | {"rbf.W": (features, outputs)}


def _convolutional_shapes(body: Convolutional) -> Shapes:
    shapes: Shapes = {}
    incoming = 1
    for index, channels in enumerate(body.channels):
        shapes[f"cnn.c{index}.W"] = (body.kernel, body.kernel, incoming, channels)
        shapes[f"cnn.c{index}.b"] = (channels,)
        incoming = channels
    return shapes | {"cnn.dense.W": (body.flattened, body.hidden), "cnn.dense.b": (body.hidden,)}


def _decoder_shapes(decoder: Decoder, features: int) -> Shapes:
    body = decoder.body
    start = body.layers * body.hidden
    shapes: Shapes = {"bridge.W": (features, start), "bridge.b": (start,)}
    if decoder.attention == "additive":
        shapes |= {"attn.Wq": (body.hidden, body.hidden), "attn.Wk": (features, body.hidden)}
        shapes |= {"attn.b": (body.hidden,), "attn.v": (body.hidden,)}
    if decoder.attention == "multiplicative":
        shapes["attn.W"] = (body.hidden, features)
    return shapes | {"target_embed.E": (decoder.vocabulary, decoder.embedding)}
