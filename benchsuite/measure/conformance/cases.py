"""Cases: small models with data, chosen so that every branch of the canonical mathematics is met.

Inputs and weights are rounded to float32 first, so that both precisions start from the same numbers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import numpy as np

from benchsuite.contracts import Batch, Parameters
from benchsuite.measure.dropout import with_masks
from benchsuite.measure.initialisation import stream
from benchsuite.schema import (
    BUILTIN_CELLS,
    READOUTS,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
    parameter_shapes,
)
from benchsuite.schema.model import AttentionKind, Loss

HIDDEN_UNITS, OUTPUTS, FEATURES, VOCABULARY = 6, 4, 5, 11
TARGET_TIME, TARGET_VOCABULARY = 6, 9
STACKS: dict[str, tuple[int, bool]] = {
    "plain": (1, False),
    "deep": (3, False),
    "bidirectional": (1, True),
    "deep_bidirectional": (2, True),
}


@dataclass(frozen=True)
class Case:
    """A model, a recipe, and batches of (rows, time); `ragged` lengths include 1 and `time` itself.

    inputs   all real inputs are multiplied by this; weights: the same for the weights
    biases   False: they are zero, so that small inputs or weights make small states and scores
    ties     some predictions equal their targets exactly, see tied()
    longer   training meets a batch of more steps as well
    """

    name: str
    model: ModelSpec
    recipe: Recipe = field(default_factory=Recipe)
    rows: int = 7
    time: int = 9
    ragged: bool = True
    inputs: float = 1.0
    weights: float = 1.0
    biases: bool = True
    ties: bool = False
    longer: bool = True

    def parameters(self, dtype: str) -> Parameters:
        """Weights large enough that every gate is used, biases included."""
        weights: Parameters = {}
        for name, shape in parameter_shapes(self.model).items():
            draw = stream(11, f"{self.name}/{name}").uniform(-0.7, 0.7, shape) * self.weights
            if not self.biases and name.rpartition(".")[2].startswith("b"):
                draw[...] = 0
            weights[name] = draw.astype(np.float32).astype(dtype)
        if self.ties:  # the first output is zero whatever the input
            weights["out.W"][:, 0] = weights["out.b"][0] = 0
        return weights

    def batch(self, dtype: str, index: int = 0) -> Batch:
        """Batch number `index`, with masks where the recipe has dropout, and where the model has resets with
        resets at a third of the steps, those of padding among them; equal for equal arguments."""
        batch = self._without_masks(dtype, index)
        if self.model.resets:
            marks = stream(23, f"{self.name}/{index}/resets").uniform(size=batch.inputs.shape[:2]) < 1 / 3
            batch = replace(batch, resets=marks)
        masks = with_masks(batch, self.model, self.recipe, 31, index, "float32").masks
        return replace(batch, masks={name: mask.astype(dtype) for name, mask in masks.items()})

    def _without_masks(self, dtype: str, index: int) -> Batch:
        random = stream(23, f"{self.name}/{index}")
        lengths = np.full(self.rows, self.time, np.int32)
        if self.ragged:
            lengths = random.integers(1, self.time + 1, self.rows).astype(np.int32)
            lengths[0], lengths[-1] = self.time, 1
        valid = np.arange(self.time) < lengths[:, None]
        shape: tuple[int, ...] = (self.rows, self.time)
        if isinstance(self.model.input, Tokens):
            inputs = (random.integers(0, self.model.input.vocabulary, shape) * valid).astype(np.int32)
        else:
            reals = (random.normal(size=(*shape, self.model.input.size)) * self.inputs).astype(np.float32)
            inputs = (reals * valid[..., None]).astype(dtype)
        if self.model.has_sequence_targets:
            return self._with_sequences(Batch(inputs, lengths, lengths), random)
        batch = Batch(inputs, lengths, self._targets(random, valid, dtype))
        return tied(batch) if self.ties else batch

    def _with_sequences(self, batch: Batch, random: np.random.Generator) -> Batch:
        """Targets of a length of their own: a decoder's end with its END, CTC's fit into the inputs."""
        decoder, classes = self.model.decoder, self.model.head.outputs
        longest = self.time // 2 if decoder is None else TARGET_TIME
        lengths = random.integers(1, longest + 1, self.rows).astype(np.int32)
        lengths[0] = longest
        if decoder is None:
            lengths = np.minimum(lengths, (batch.lengths + 1) // 2).astype(np.int32)
        valid = np.arange(longest) < lengths[:, None]
        targets = random.integers(1 if decoder is None else 4, classes, valid.shape)
        if decoder is not None:
            targets[np.arange(self.rows), lengths - 1] = decoder.end
        return replace(batch, targets=(targets * valid).astype(np.int32), target_lengths=lengths)

    def _targets(self, random: np.random.Generator, valid: np.ndarray, dtype: str) -> np.ndarray:
        by_step = self.model.readout == "steps"
        shape = valid.shape if by_step else (self.rows,)
        outputs = self.model.head.outputs
        if self.model.loss == "binary_cross_entropy":
            shares = random.uniform(size=(*shape, outputs)).astype(np.float32)
            return (shares * valid[..., None] if by_step else shares).astype(dtype)
        if self.model.loss == "cross_entropy":
            classes = random.integers(0, outputs, shape)
            return (classes * valid if by_step else classes).astype(np.int32)
        reals = random.normal(size=(*shape, outputs)).astype(np.float32)
        return (reals * valid[..., None] if by_step else reals).astype(dtype)


def tied(batch: Batch) -> Batch:
    """A batch whose first output is wanted at zero, and whose first row is constant: its inputs are zero at
    all steps, as in a window of a constant series, and so are its targets. Where biases are zero, so are its
    states and predictions."""
    inputs, targets = batch.inputs.copy(), batch.targets.copy()
    inputs[0] = 0
    targets[..., 0] = targets[0] = 0
    return replace(batch, inputs=inputs, targets=targets)


def padded(batch: Batch, more: int = 0, other: tuple[float, int, int] | None = None) -> Batch:
    """The same rows with `more` steps of padding, of inputs and of targets by step or of a length of their
    own.

    :param other: what all padding holds instead of zero: (number, input id, target id). Where there are resets,
        every step of padding is then one of them.
    """
    number, input_id, target_id = other or (0.0, 0, 0)

    def widened(array: np.ndarray, lengths: np.ndarray, identity: int) -> np.ndarray:
        wide = np.pad(array, [(0, 0), (0, more)] + [(0, 0)] * (array.ndim - 2))
        beyond = np.arange(wide.shape[1]) >= lengths[:, None]
        wide[beyond] = number if wide.dtype.kind == "f" else identity
        return wide

    targets, by_step = batch.targets, batch.targets.ndim >= 2 and batch.targets.shape[1] == batch.time
    if batch.target_lengths is not None:
        targets = widened(targets, batch.target_lengths, target_id)
    elif by_step:
        targets = widened(targets, batch.lengths, target_id)
    resets = batch.resets
    if resets is not None:
        resets = widened(resets, batch.lengths, other is not None)
    inputs = widened(batch.inputs, batch.lengths, input_id)
    return replace(batch, inputs=inputs, targets=targets, resets=resets)


def _recurrent(cell: str, stack: str) -> Recurrent:
    layers, both = STACKS[stack]
    return Recurrent(cell, HIDDEN_UNITS, layers, both)


def model_cases() -> list[Case]:
    """Every cell, stack, input, readout, head, loss and length pattern, one thing varied at a time."""
    found: list[Case] = []
    for cell, stack in itertools.product(BUILTIN_CELLS, STACKS):
        base = ModelSpec(Features(FEATURES), _recurrent(cell, stack), Dense(OUTPUTS), "cross_entropy")
        found.append(Case(f"{cell}-{stack}", base))
        found.append(Case(f"{cell}-{stack}-full", base, ragged=False))
        found.append(Case(f"{cell}-{stack}-steps", replace(base, readout="steps", loss="squared")))
        if stack in ("plain", "bidirectional"):
            tokens = replace(base, input=Tokens(VOCABULARY, 5), readout="mean")
            found.append(Case(f"{cell}-{stack}-tokens-mean", tokens))
            found.append(Case(f"{cell}-{stack}-tagging", replace(tokens, readout="steps")))
            found.append(Case(f"{cell}-{stack}-rbf", replace(base, head=Rbf(OUTPUTS))))
        if stack == "plain":
            found.append(Case(f"{cell}-absolute", replace(base, loss="absolute", readout="mean")))
            found.append(Case(f"{cell}-squared-rbf", replace(base, loss="squared", head=Rbf(OUTPUTS))))
            found.append(Case(f"{cell}-one-feature", replace(base, input=Features(1)), time=17))
            found.append(Case(f"{cell}-one-row", base, rows=1, ragged=False))
            found.append(Case(f"{cell}-one-step", base, time=1, ragged=False))
            found.append(Case(f"{cell}-bernoulli", replace(base, loss="binary_cross_entropy")))
        if stack in ("plain", "deep_bidirectional"):
            every_step = replace(base, readout="steps")
            found.append(
                Case(f"{cell}-{stack}-bernoulli-steps", replace(every_step, loss="binary_cross_entropy"))
            )
            found.append(Case(f"{cell}-{stack}-ctc", replace(every_step, loss="ctc"), time=10))
    losses: tuple[Loss, ...] = ("binary_cross_entropy", "ctc")
    for cell, loss in itertools.product(BUILTIN_CELLS, losses):
        base = ModelSpec(Features(FEATURES), _recurrent(cell, "plain"), Rbf(OUTPUTS), "ctc", "steps")
        name = f"{cell}-ctc-rbf" if loss == "ctc" else f"{cell}-bernoulli-rbf"
        found.append(Case(name, replace(base, loss=loss), time=10))
    return found + convolutional_cases()


def decoder_cases() -> list[Case]:
    """Encoder and decoder: every cell, attention and stack; tokens and features; truncation in the
    encoder."""
    found: list[Case] = []
    kinds: tuple[AttentionKind, ...] = ("none", "additive", "multiplicative")
    for cell, attention, stack in itertools.product(
        BUILTIN_CELLS, kinds, ("plain", "deep", "deep_bidirectional")
    ):
        layers, both = STACKS[stack]
        body, limit = Recurrent(cell, HIDDEN_UNITS + 1, layers), TARGET_TIME + 2
        decoder = Decoder(TARGET_VOCABULARY, 5, body, attention, limit)
        model = ModelSpec(
            Tokens(VOCABULARY, 4),
            Recurrent(cell, HIDDEN_UNITS, layers, both),
            Dense(TARGET_VOCABULARY),
            "cross_entropy",
            decoder=decoder,
        )
        name = f"{cell}-{attention}-{stack}"
        found.append(Case(name, model))
        if stack == "plain":
            found.append(Case(f"{name}-features", replace(model, input=Features(FEATURES))))
            found.append(Case(f"{name}-full", model, ragged=False))
            found.append(Case(f"{name}-truncated", model, Recipe(truncation=4)))
            found.append(Case(f"{name}-one-row", model, rows=1))
    return found


def convolutional_cases() -> list[Case]:
    """The image baseline: even and odd sizes, one and two stages, both heads."""
    square = Convolutional(8, 8, channels=(3, 4), hidden=7)
    odd = Convolutional(7, 5, channels=(3,), hidden=6, kernel=5)
    rows = ModelSpec(Features(8), square, Dense(OUTPUTS), "cross_entropy")
    return [
        Case("cnn", rows, time=8, ragged=False),
        Case("cnn-rbf", replace(rows, head=Rbf(OUTPUTS)), time=8, ragged=False),
        Case("cnn-odd", replace(rows, input=Features(5), body=odd), time=7, ragged=False),
        Case("cnn-pixels", replace(rows, input=Features(1)), time=64, ragged=False),
        Case("cnn-regression", replace(rows, loss="squared"), time=8, ragged=False),
    ]


def truncation_cases() -> list[Case]:
    """Truncated BPTT inside a sequence, where rows end before, at and after the boundaries."""
    found = []
    for cell, stack in itertools.product(BUILTIN_CELLS, STACKS):
        base = ModelSpec(Features(FEATURES), _recurrent(cell, stack), Dense(OUTPUTS), "cross_entropy")
        found.append(Case(f"{cell}-{stack}-truncated", base, Recipe(truncation=4)))
        if stack == "plain":
            steps = replace(base, readout="steps", loss="squared")
            found.append(Case(f"{cell}-steps-truncated", steps, Recipe(truncation=3)))
    return found


def carry_cases() -> list[Case]:
    """Streams: each batch goes on from the final states of the one before."""
    found = []
    for cell, stack in itertools.product(BUILTIN_CELLS, ("plain", "deep")):
        steps = ModelSpec(
            Features(FEATURES), _recurrent(cell, stack), Dense(OUTPUTS), "squared", readout="steps"
        )
        recipe = Recipe(carry=True, optimiser="sgd", learning_rate=0.05)
        found.append(Case(f"{cell}-{stack}-carry", steps, recipe, time=5, ragged=False))
        found.append(Case(f"{cell}-{stack}-carry-ragged", steps, recipe, time=5))
    return found


def small_cases() -> list[Case]:
    """Small inputs and small weights without biases, and a stack of ten layers: formulas that cancel near
    zero, as 1 - 2 / (1 + exp(2 x)) does for tanh, lose all their digits here."""
    found = []
    for cell in BUILTIN_CELLS:
        plain = ModelSpec(Features(FEATURES), _recurrent(cell, "plain"), Dense(OUTPUTS), "squared")
        deep = replace(plain, body=Recurrent(cell, HIDDEN_UNITS, 10))
        both = replace(plain, body=_recurrent(cell, "deep_bidirectional"), readout="steps")
        found += [
            Case(f"{cell}-inputs-0.01", plain, inputs=1e-2, biases=False),
            Case(f"{cell}-inputs-0.0001", plain, inputs=1e-4, biases=False),
            Case(f"{cell}-inputs-0.0001-both", both, inputs=1e-4, biases=False),
            Case(f"{cell}-weights-0.001", plain, weights=1e-3, biases=False),
            Case(f"{cell}-ten-layers", deep),
            Case(f"{cell}-ten-layers-small", deep, inputs=1e-2, biases=False),
        ]
    return found


def tie_cases() -> list[Case]:
    """The loss `absolute` where predictions equal their targets exactly: the subgradient of |x| at 0 is 0."""
    found = []
    for cell, readout in itertools.product(BUILTIN_CELLS, READOUTS):
        model = ModelSpec(Features(FEATURES), _recurrent(cell, "plain"), Dense(OUTPUTS), "absolute")
        by_readout = replace(model, readout=readout)  # type: ignore[arg-type]
        found.append(Case(f"{cell}-{readout}-ties", by_readout, biases=False, ties=True))
    return found


def still_cases() -> list[Case]:
    """Training on rows that are constant altogether: every gradient, and its norm, is exactly zero."""
    body = Recurrent("gru", HIDDEN_UNITS)
    model = ModelSpec(Features(FEATURES), body, Dense(1), "absolute")
    recipe = Recipe(clip="norm", clip_at=0.1)
    return [Case("train-still", model, recipe, rows=1, ragged=False, biases=False, ties=True)]


def training_cases() -> list[Case]:
    """Every optimiser with every kind of clipping, on models whose parameters are of every kind."""
    tokens = ModelSpec(Tokens(VOCABULARY, 5), _recurrent("lstm", "plain"), Dense(OUTPUTS), "cross_entropy")
    gru = ModelSpec(Features(FEATURES), _recurrent("gru", "bidirectional"), Rbf(OUTPUTS), "cross_entropy")
    rnn = ModelSpec(Features(FEATURES), _recurrent("rnn", "deep"), Dense(2), "squared", readout="mean")
    rates = {"sgd": 0.1, "momentum": 0.05, "rmsprop": 2e-3, "adam": 5e-3}
    clips = {"none": 1.0, "norm": 0.1, "value": 0.02}
    found = []
    for (optimiser, rate), (clip, at) in itertools.product(rates.items(), clips.items()):
        model = {"none": gru, "norm": tokens, "value": rnn}[clip]
        recipe = Recipe.model_validate(
            {"optimiser": optimiser, "learning_rate": rate, "clip": clip, "clip_at": at}
        )
        found.append(Case(f"train-{optimiser}-{clip}", model, recipe))
        if clip == "none":  # the update without clipping on a dense layer too
            found.append(Case(f"train-{optimiser}-none-dense", rnn, recipe))
    return found
