"""The whole kit as a list of (check, case) pairs, for pytest and for `benchsuite check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance import copies, decoding, dropout, facts, states, timing
from benchsuite.measure.conformance.backend import Check, ConformanceError, Kit
from benchsuite.measure.conformance.cases import (
    Case,
    carry_cases,
    decoder_cases,
    model_cases,
    small_cases,
    still_cases,
    tie_cases,
    training_cases,
    truncation_cases,
)
from benchsuite.measure.conformance.claims import Claims, about, properties
from benchsuite.measure.conformance.dropout import dropout_cases, dropout_stream_cases
from benchsuite.measure.conformance.ingredients import (
    decay_cases,
    schedule_cases,
    smoothing_cases,
    tied_cases,
)
from benchsuite.measure.conformance.resets import check_packed, every_packed_case, every_reset_case
from benchsuite.schema import BUILTIN_CELLS, Convolutional, Execution, ModelSpec, Recipe

CORE_MODELS = {
    *(f"{cell}-plain" for cell in BUILTIN_CELLS),
    "lstm-deep_bidirectional",
    "rnn-deep-full",
    "gru-plain-tokens-mean",
    "lstm-bidirectional-tagging",
    "gru-bidirectional-rbf",
    "rnn-absolute",
    "gru-squared-rbf",
    "lstm-one-feature",
    "gru-one-row",
    "rnn-one-step",
    "gru-bernoulli",
    "gru-plain-ctc",
    "gru-ctc-rbf",
    "lstm-bernoulli-rbf",
    "cnn",
    "cnn-odd",
    "cnn-rbf",
}
CORE_DECODERS = {
    "gru-none-plain",
    "lstm-additive-deep_bidirectional",
    "rnn-additive-plain-features",
    "lstm-multiplicative-plain",
    "gru-additive-plain-truncated",
}
CORE_DECODING = {"gru-additive-plain", "lstm-multiplicative-plain", "rnn-none-plain"}
CORE_TRUNCATED = {
    "rnn-plain-truncated",
    "lstm-deep_bidirectional-truncated",
    "lstm-steps-truncated",
}
CORE_SMALL = {
    *(f"{cell}-inputs-0.0001" for cell in BUILTIN_CELLS),
    "gru-weights-0.001",
    "lstm-ten-layers-small",
}
CORE_TIES = {"rnn-steps-ties", "lstm-last-ties", "gru-mean-ties"}
CORE_OUTPUTS = {"lstm-deep", "gru-deep_bidirectional", "gru-additive-plain", "lstm-multiplicative-plain"}
CORE_TRAINING = {
    "train-sgd-norm",
    "train-momentum-none",
    "train-rmsprop-value",
    "train-adam-none",
    "train-sgd-none-dense",
}
CORE_PLACED = {"lstm-plain", "gru-plain-tokens-mean", "cnn", "gru-additive-plain"}
CORE_LONGER = {"train-sgd-norm", "train-adam-none", "smoothed-tagging", "dropped-layers-lstm-both"}
"""Cases of training, in each form of padding once, whose third batch is longer than the others."""
CORE_DECAY = {
    "train-decay-scheduled-sgd",
    "train-decay-scheduled",
    "train-decay-scheduled-rmsprop",
    "train-decay-scheduled-adam",
}
"""Weight decay, a schedule and a warm-up together, with each optimiser."""
CORE_SCHEDULES = {"train-constant-sgd"}
CORE_SMOOTHED = {"smoothed-row", "smoothed-tagging", "smoothed-rbf", "smoothed-decoder"}
CORE_DROPPED = {
    "dropped-inputs-rnn-both",
    "dropped-layers-lstm-deep",
    "dropped-inputs-gru-decoder",
    "dropped-layers-rnn-decoder",
    "dropped-recurrent-lstm-both",
}


@dataclass(frozen=True)
class KitItem:
    """One thing to check."""

    check: Check
    case: Case

    @property
    def name(self) -> str:
        return f"{self.check.__name__.removeprefix('check_')}[{self.case.name}]"

    @property
    def program(self) -> tuple[ModelSpec, Recipe]:
        """What its programs are built for, beside an execution."""
        return self.case.model, self.case.recipe


@dataclass(frozen=True)
class KitResult:
    """How one check of one execution ended: `ok`, `failed` or `unsupported`, why, and what was raised."""

    item: KitItem
    execution: Execution
    status: Literal["ok", "failed", "unsupported"]
    message: str = ""
    error: Exception | None = None


def suite(core: bool = False) -> list[KitItem]:
    """Every check with the cases it is meant for. `core`: every check, cell and stack once, and each readout,
    head, loss, optimiser and clip somewhere, on few enough models for a framework that compiles each."""
    models, decoders = model_cases(), decoder_cases()
    recurrent = [case for case in models if not isinstance(case.model.body, Convolutional)]
    ragged = [case for case in recurrent if case.ragged]
    both = [case for case in ragged if "bidirectional" in case.name and case.model.readout != "steps"]
    few = [case for case in models if case.name in ("lstm-plain", "gru-bidirectional-rbf", "cnn")]
    clipped = [case for case in training_cases() if case.recipe.clip != "none"]
    deep = [case for case in ragged if case.name.endswith("-deep")]
    whole = [case for case in carry_cases() if not case.ragged]
    forward = [case for case in models if case.name.endswith(("-plain", "-deep", "-tokens-mean", "-one-row"))]
    forward = [case for case in forward if "bidirectional" not in case.name]
    resets = [case for case in every_reset_case() if not case.recipe.carry]
    chunks = [case for case in every_reset_case() if case.recipe.carry]
    placed = [case for case in [*models[::3], *decoders[::6]] if case.name not in CORE_PLACED]
    placed += [case for case in [*models, *decoders] if case.name in CORE_PLACED]
    unclipped = [case for case in training_cases() if case.recipe.clip == "none"]
    pictures = [case for case in models if case.name == "cnn"]
    groups: list[tuple[Check, list[Case], set[str] | None]] = [
        (checks.check_gradients, models, CORE_MODELS),
        (checks.check_gradients, truncation_cases(), CORE_TRUNCATED),
        (checks.check_gradients, decoders, CORE_DECODERS),
        (checks.check_gradients, small_cases(), CORE_SMALL),
        (checks.check_gradients, tie_cases(), CORE_TIES),
        (decoding.check_teacher_forcing, decoders, CORE_DECODING),
        (decoding.check_generation, decoders, CORE_DECODING),
        (decoding.check_parents, decoders, {"gru-additive-plain"}),
        (checks.check_padding, decoders[::3], {"lstm-additive-deep"}),
        (checks.check_companions, decoders[1::3], set()),
        (checks.check_training, decoders[::2], {"gru-multiplicative-plain"}),
        (checks.check_purity, [case for case in decoders if case.name == "gru-additive-plain"], None),
        (checks.check_stream_predictions, carry_cases(), {"lstm-deep-carry", "gru-plain-carry-ragged"}),
        (states.check_two_streams, carry_cases(), {"lstm-plain-carry", "gru-deep-carry-ragged"}),
        (states.check_state_given, whole, {"gru-deep-carry", "lstm-plain-carry"}),
        (states.check_state_values, carry_cases(), {"lstm-deep-carry-ragged", "rnn-plain-carry"}),
        (states.check_state_companions, carry_cases(), {"lstm-plain-carry-ragged"}),
        (states.check_initial_state, forward, {"lstm-deep", "gru-plain-tokens-mean"}),
        (states.check_initial_state, carry_cases(), {"lstm-plain-carry-ragged"}),
        (states.check_outputs, models[::2] + decoders[::2], CORE_OUTPUTS),
        (checks.check_full_truncation, deep, {"lstm-deep"}),
        (checks.check_padding, ragged[::2], {"lstm-deep_bidirectional", "gru-plain-tokens-mean"}),
        (checks.check_companions, ragged, {"rnn-deep_bidirectional", "lstm-plain"}),
        (checks.check_reversal, both, {"gru-bidirectional", "lstm-deep_bidirectional"}),
        (checks.check_purity, few, None),
        (checks.check_log, few, {"lstm-plain"}),
        (copies.check_placed_copies, placed, CORE_PLACED),
        (copies.check_parameter_copies, few, {"lstm-plain"}),
        (copies.check_optimiser_state, unclipped, {"train-adam-none", "train-momentum-none"}),
        (copies.check_current_parameters, few, {"lstm-plain"}),
        (copies.check_repeatable, few, {"lstm-plain"}),
        (timing.check_synchronised, timing.timing_cases(), {"lstm-timed"}),
        (timing.check_steps_work, timing.timing_cases(), {"lstm-timed"}),
        (timing.check_computed_predictions, timing.timing_cases(), {"lstm-timed"}),
        (timing.check_threads, timing.timing_cases(), {"lstm-timed"}),
        (timing.check_memory, timing.large_cases(), {"lstm-large"}),
        (timing.check_kernel_word, [*timing.timing_cases(), *pictures], {"lstm-timed", "cnn"}),
        (facts.check_facts, few, {"lstm-plain"}),
        (checks.check_carry, carry_cases(), {"lstm-deep-carry-ragged", "gru-plain-carry"}),
        (checks.check_training, training_cases(), CORE_TRAINING),
        (checks.check_training, still_cases(), None),
        (checks.check_training, pictures, {"cnn"}),
        (checks.check_training, decay_cases(), CORE_DECAY),
        (checks.check_training, schedule_cases(), CORE_SCHEDULES),
        (checks.check_gradients, smoothing_cases(), CORE_SMOOTHED),
        (checks.check_training, smoothing_cases(), {"smoothed-tagging"}),
        (checks.check_gradients, tied_cases(), {"tied-lstm", "tied-gru-trained"}),
        (checks.check_training, tied_cases(), {"tied-gru-trained"}),
        (checks.check_padding, tied_cases(), {"tied-lstm"}),
        (checks.check_carry, tied_cases()[-1:], set()),
        (checks.check_gradients, dropout_cases(), CORE_DROPPED),
        (dropout.check_masks, dropout_cases()[::4], {"dropped-inputs-gru-ids", "dropped-recurrent-gru-deep"}),
        (checks.check_padding, dropout_cases()[1::5], {"dropped-layers-gru-both"}),
        (
            checks.check_training,
            dropout_cases()[::3],
            {"dropped-layers-lstm-both", "dropped-recurrent-rnn-ids"},
        ),
        (checks.check_carry, dropout_stream_cases(), {"dropped-stream-apart"}),
        (check_packed, every_packed_case(), {"lstm-resets", "gru-resets-tagging"}),
        (checks.check_gradients, resets, {"rnn-resets-last", "lstm-resets-truncated"}),
        (checks.check_padding, resets[::2], {"gru-resets-last"}),
        (checks.check_companions, resets[1::2], set()),
        (states.check_outputs, resets[::3], set()),
        (checks.check_training, resets[::4], {"gru-resets-truncated"}),
        (checks.check_carry, chunks, {"lstm-resets-carry"}),
        (states.check_state_values, chunks, set()),
        (checks.check_fifty_steps, clipped, {"train-adam-norm", "train-momentum-value"}),
    ]
    found = [
        KitItem(check, case)
        for check, cases, chosen in groups
        for case in cases
        if not core or chosen is None or case.name in chosen
    ]
    return _by_program([_of_the_core(item) for item in found] if core else found)


def _of_the_core(item: KitItem) -> KitItem:
    """Training meets batches of one shape, but for CORE_LONGER: a framework compiles for each."""
    if item.check not in UPDATES or item.case.name in CORE_LONGER:
        return item
    return replace(item, case=replace(item.case, longer=False))


def _by_program(items: list[KitItem]) -> list[KitItem]:
    """Items of one model and recipe one after the other, so that a framework may compile once for all."""
    groups: dict[object, list[KitItem]] = {}
    for item in items:
        groups.setdefault(item.program, []).append(item)
    return [item for group in groups.values() for item in group]


UPDATES = (checks.check_training, checks.check_fifty_steps, copies.check_optimiser_state)
"""Checks that are about the recipe, on whichever model."""
BY_STEP = (states.check_state_given, check_packed)
"""Checks that read a score, or a target, of each step."""


def claimed(kit: Kit, items: Iterable[KitItem]) -> Iterator[KitItem]:
    """The items, and after one whose case the backend declines its stand-ins: cases that share what the item is
    about and that the backend supports. Each is given once."""
    claims, given = Claims(kit), set[tuple[Check, Case]]()
    for item in items:
        given.add((item.check, replace(item.case, name="")))
        yield item
        if kit.supports(item.case) is None:
            continue
        for case in claims.stand_ins(item.case, _kept(item), _must(item)):
            if (key := (item.check, replace(case, name=""))) not in given:
                given.add(key)
                yield KitItem(item.check, case)


def _kept(item: KitItem) -> dict[str, str]:
    """The properties that a stand-in of the item should have, or one stand-in for each of them."""
    if item.check is checks.check_gradients:
        return about(item.case)
    return about(item.case, training=True) if item.check in UPDATES else {}


def _must(item: KitItem) -> dict[str, str]:
    """The properties without which the item's check would not apply to a stand-in."""
    found = properties(item.case)
    if item.check is checks.check_fifty_steps:  # without clipping, rounding may grow over so many steps
        return {"clip": found["clip"]}
    if item.check is checks.check_reversal:
        return {"stack": found["stack"]}
    if item.check is states.check_initial_state:
        return {"stack": "plain"}
    return {"readout": "steps"} if item.check in BY_STEP else {}


def run_item(kit: Kit, item: KitItem) -> KitResult:
    """Run one check; what a backend says it does not support is reported as that, not as a failure."""
    try:
        if reason := kit.supports(item.case):
            return KitResult(item, kit.execution, "unsupported", reason)
        item.check(kit, item.case)
    except UnsupportedError as error:
        return KitResult(item, kit.execution, "unsupported", str(error))
    except ConformanceError as error:
        return KitResult(item, kit.execution, "failed", str(error), error)
    except Exception as error:  # a framework may fail in any way; the other checks go on
        return KitResult(item, kit.execution, "failed", f"{type(error).__name__}: {error}", error)
    return KitResult(item, kit.execution, "ok")
