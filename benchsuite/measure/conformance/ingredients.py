"""Cases for the ingredients of training: weight decay, schedules of the learning rate, smoothed targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchsuite.measure.conformance.cases import (
    FEATURES,
    HIDDEN_UNITS,
    OUTPUTS,
    TARGET_TIME,
    TARGET_VOCABULARY,
    VOCABULARY,
    Case,
)
from benchsuite.schema import (
    SCHEDULES,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
)

RATES = {"sgd": 0.1, "momentum": 0.05, "rmsprop": 2e-3, "adam": 5e-3}
"""By optimiser; that of every case."""

_TOKENS = ModelSpec(Tokens(VOCABULARY, 5), Recurrent("lstm", HIDDEN_UNITS), Dense(OUTPUTS), "cross_entropy")
_STACK = ModelSpec(Features(FEATURES), Recurrent("gru", HIDDEN_UNITS, 2), Dense(2), "squared", "mean")
DECODER = replace(
    _TOKENS,
    head=Dense(TARGET_VOCABULARY),
    decoder=Decoder(TARGET_VOCABULARY, 4, Recurrent("gru", HIDDEN_UNITS), "additive", TARGET_TIME),
)


def _recipe(optimiser: str, **fields: Any) -> Recipe:
    given = {"optimiser": optimiser, "learning_rate": RATES[optimiser], **fields}
    return Recipe.model_validate(given)


def decay_cases() -> list[Case]:
    """Weight decay beside every optimiser; of embeddings whose rows no batch reads and of biases as well. With
    a schedule it follows the schedule, and clipping by norm measures the gradient alone."""
    plain = {
        f"train-decay-{name}": (_TOKENS, _recipe(name, weight_decay=0.05 / rate))
        for name, rate in RATES.items()
    }
    clipped = {"weight_decay": 2.0, "clip": "norm", "clip_at": 0.1}
    scheduled = {"weight_decay": 5.0, "schedule": "cosine", "warmup": 3, "schedule_steps": 8}
    stepped = {"schedule": "step", "warmup": 3, "schedule_steps": 8, "decay_every": 2, "decay_factor": 0.3}
    both = {
        "train-decay-clipped": (_STACK, _recipe("adam", **clipped)),
        "train-decay-scheduled": (_STACK, _recipe("momentum", **scheduled | {"weight_decay": 0.5})),
        "train-decay-scheduled-adam": (_TOKENS, _recipe("adam", **scheduled)),
        "train-decay-scheduled-sgd": (_TOKENS, _recipe("sgd", weight_decay=0.5, **stepped)),
        "train-decay-scheduled-rmsprop": (_STACK, _recipe("rmsprop", weight_decay=10.0, **stepped)),
    }
    return [Case(name, model, recipe) for name, (model, recipe) in (plain | both).items()]


def schedule_cases() -> list[Case]:
    """Every schedule with every optimiser, longer and shorter than the training, with and without a warm-up."""
    found = []
    for schedule in SCHEDULES:
        for optimiser in RATES:
            fields = {"schedule": schedule, "warmup": 3, "schedule_steps": 8}
            if schedule == "step":
                fields |= {"decay_every": 2, "decay_factor": 0.3}
            found.append(Case(f"train-{schedule}-{optimiser}", _TOKENS, _recipe(optimiser, **fields)))
            if schedule != "constant" and optimiser in ("sgd", "adam"):
                fields |= {"warmup": 0, "schedule_steps": 60}
                name = f"train-{schedule}-{optimiser}-long"
                found.append(Case(name, _STACK, _recipe(optimiser, **fields)))
    return found


def smoothing_cases() -> list[Case]:
    """Smoothed targets of classes by row, by step with padding, of pictures, of an RBF layer, of a decoder."""
    body = Convolutional(8, 8, channels=(3, 4), hidden=7)
    features = replace(_TOKENS, input=Features(FEATURES))
    models = {
        "row": features,
        "tagging": replace(_TOKENS, readout="steps"),
        "tagging-both": replace(_TOKENS, readout="steps", body=Recurrent("gru", HIDDEN_UNITS, 2, True)),
        "rbf": replace(features, head=Rbf(OUTPUTS)),
        "decoder": DECODER,
        "cnn": replace(features, input=Features(8), body=body),
    }
    recipe = Recipe(label_smoothing=0.3)
    found = [
        Case(f"smoothed-{name}", model, recipe, time=8, ragged=name != "cnn")
        for name, model in models.items()
    ]
    return [
        *found,
        Case("smoothed-almost-all", replace(_TOKENS, readout="steps"), Recipe(label_smoothing=0.99)),
    ]


def tied_cases() -> list[Case]:
    """An output layer that shares the embedding's matrix: one gradient and one norm for both of its uses, with
    ids that no batch reads, weight decay, and smoothed targets."""
    found = []
    for cell, both, readout in (("lstm", False, "steps"), ("gru", True, "steps"), ("rnn", False, "mean")):
        body = Recurrent(cell, HIDDEN_UNITS, 2, both)
        model = ModelSpec(
            Tokens(VOCABULARY, body.output_size),
            body,
            Dense(VOCABULARY, tied=True),
            "cross_entropy",
            readout,  # type: ignore[arg-type]
        )
        recipe = _recipe("adam", weight_decay=2.0, clip="norm", clip_at=0.1, label_smoothing=0.1)
        found += [Case(f"tied-{cell}", model), Case(f"tied-{cell}-trained", model, recipe)]
    stream = replace(model, body=Recurrent("lstm", HIDDEN_UNITS), readout="steps")
    recipe = _recipe("sgd", carry=True)
    return [*found, Case("tied-stream", stream, recipe, time=5)]
