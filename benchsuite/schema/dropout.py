"""Which masks a model's dropout has, and how wide they are."""

from __future__ import annotations

from benchsuite.schema.model import ModelSpec, Recurrent
from benchsuite.schema.parameters import decoder_names, recurrent_names
from benchsuite.schema.trial import Recipe

DROPOUTS = ("input_dropout", "layer_dropout", "recurrent_dropout")
"""Fields of a recipe that are shares of units to drop."""


def mask_widths(model: ModelSpec, recipe: Recipe) -> dict[str, tuple[float, int]]:
    """Name -> (share of units that are dropped, units) of every mask of `model` under `recipe`; empty without
    dropout.

    rnn.l{l}.x        what enters layer l, both of its directions alike: input_dropout for l = 0, where ids have
                      been embedded already, and layer_dropout above
    rnn.l{l}.{d}.h    h_{t-1} where the products of the layer's step read it: recurrent_dropout
    dec.l{l}.x        what enters layer l of a decoder; for l = 0 it is as wide as the embedding of the token
                      before, and an attention's context is not masked
    dec.l{l}.fwd.h    as rnn.l{l}.{d}.h
    """
    found: dict[str, tuple[float, int]] = {}
    if not isinstance(model.body, Recurrent):
        return found
    stacks = [("rnn", model.body, model.input_size, recurrent_names(model.body))]
    if model.decoder is not None:
        decoder = model.decoder
        stacks.append(("dec", decoder.body, decoder.embedding, decoder_names(decoder)))
    for stack, body, inputs, names in stacks:
        for layer in range(body.layers):
            share, width = recipe.layer_dropout, body.output_size
            if layer == 0:
                share, width = recipe.input_dropout, inputs
            if share:
                found[f"{stack}.l{layer}.x"] = share, width
        if recipe.recurrent_dropout:
            found |= {f"{name}.h": (recipe.recurrent_dropout, body.hidden) for name in names}
    return found
