"""What a program predicts for a whole split, in the split's own order, and how good that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Batch, LoadedTask, Program, Ragged, Split, State, valid_mask
from benchsuite.measure.batching import Batcher, stream_evaluation
from benchsuite.measure.decoding import Generated, beam_search, best_path, greedy_search, prefix_beam
from benchsuite.schema import Decoder, ModelSpec, Recipe

ALIGNED_ROWS = 6
"""First rows of a split whose attention is kept, to be looked at."""


def _nothing() -> None:
    """What is done between batches by default."""


@dataclass(frozen=True)
class Predicted:
    """Predictions for every row of a split, as LoadedTask.score() takes them.

    metrics     what the core itself finds: a decoder's cross-entropy, token accuracy and share of the rows
                whose END was never generated
    alignments  row -> (L, T) attention of what was generated, for some rows
    finite      whether every score was a finite number
    """

    values: np.ndarray
    metrics: Mapping[str, float] = field(default_factory=dict)
    alignments: Mapping[int, np.ndarray] = field(default_factory=dict)
    finite: bool = True


@dataclass(frozen=True)
class Evaluator:
    """How the programs of one trial are evaluated."""

    batcher: Batcher
    task: LoadedTask
    model: ModelSpec
    recipe: Recipe
    between: Callable[[], None] = _nothing
    """Called after each batch."""

    def metrics(self, program: Program, split: Split) -> dict[str, float]:
        """The task's metrics on `split`, greedily decoded where the model decodes; the primary one is
        NaN where a score is not finite."""
        return self.score(self.predict(program, split), split)

    def score(self, predicted: Predicted, split: Split) -> dict[str, float]:
        """Metrics of what predict() gave for `split`."""
        if not predicted.finite:
            return {self.task.primary: float("nan")}
        found = self.task.score(predicted.values, split)
        return {name: float(value) for name, value in {**predicted.metrics, **found}.items()}

    def predict(self, program: Program, split: Split, width: int = 1, aligned: bool = False) -> Predicted:
        """Predictions for `split`. Sequences are decoded by a beam of `width` (1: greedily); `aligned` asks
        for the attention of the first rows."""
        if self.model.decoder is not None:
            generation = _Generation(self.batcher, self.model.decoder, width, aligned, self.between)
            return generation.predict(program, split)
        if self.recipe.carry:
            assert self.recipe.truncation is not None, "training refused a stream without chunks"
            rows, time = self.recipe.batch_size, self.recipe.truncation
            return _stream(program, split, rows, time, self.batcher.dtype, self.between)
        if self.model.loss == "ctc":
            return _labels(program, self.batcher, split, width, self.between)
        values = predictions(program, self.batcher, split, self.between)
        return Predicted(values, finite=bool(np.all(np.isfinite(values))))


def predictions(
    program: Program, batcher: Batcher, split: Split, between: Callable[[], None] = _nothing
) -> np.ndarray:
    """What the program predicts for every row of `split`: (n, C), (n, O), or by step (n, T, ...), where T is
    the longest padded length and steps beyond a row's own length are zero."""
    found: np.ndarray | None = None
    by_step = isinstance(split.targets, Ragged)
    for rows, batch in batcher.evaluation(split):
        part = program.predict(program.place(batch))[0][: len(rows)]
        if found is None:
            shape = (len(split), batcher.boundaries[-1], *part.shape[2:]) if by_step else None
            found = np.zeros(shape or (len(split), *part.shape[1:]), part.dtype)
        if by_step:
            found[rows, : part.shape[1]] = part
        else:
            found[rows] = part
        between()
    assert found is not None, "a split has at least one example"
    return found


def _stream(
    program: Program, split: Split, rows: int, time: int, dtype: str, between: Callable[[], None]
) -> Predicted:
    """Scores (1, N, ...) of one long sequence, read as the parallel streams that training reads."""
    found: np.ndarray | None = None
    state: State | None = None
    for positions, batch in stream_evaluation(split, rows, time, dtype):
        part, state = program.predict(program.place(batch), state)
        if found is None:
            found = np.zeros((1, len(split.inputs[0]), *part.shape[2:]), part.dtype)
        found[0, positions[positions >= 0]] = part[positions >= 0]
        between()
    assert found is not None, "a split has at least one step"
    return Predicted(found, finite=bool(np.all(np.isfinite(found))))


def _labels(
    program: Program, batcher: Batcher, split: Split, width: int, between: Callable[[], None]
) -> Predicted:
    """Label sequences (n, T), decoded from CTC's scores."""
    found = np.zeros((len(split), batcher.boundaries[-1]), np.int32)
    finite = True
    for rows, batch in batcher.evaluation(split):
        scores, lengths = program.predict(program.place(batch))[0][: len(rows)], batch.lengths[: len(rows)]
        finite = finite and bool(np.all(np.isfinite(scores)))
        if finite:
            part = best_path(scores, lengths) if width == 1 else prefix_beam(scores, lengths, width)
            found[rows, : part.shape[1]] = part
        between()
    return Predicted(found, finite=finite)


@dataclass(frozen=True)
class _Generation:
    """What a decoder generates, and the probabilities it gives to the targets."""

    batcher: Batcher
    decoder: Decoder
    width: int
    aligned: bool
    between: Callable[[], None]

    def predict(self, program: Program, split: Split) -> Predicted:
        tokens = np.zeros((len(split), self.decoder.limit), np.int32)
        alignments: dict[int, np.ndarray] = {}
        loss, hits, count, unended, finite = 0.0, 0, 0, 0, True
        for rows, batch in self.batcher.evaluation(split):
            placed = program.place(batch)
            losses, right = token_losses(program.predict(placed)[0], batch, len(rows))
            finite = finite and bool(np.all(np.isfinite(losses)))
            if not finite:
                break
            loss, hits, count = loss + float(losses.sum()), hits + int(right.sum()), count + len(losses)
            wanted = self.aligned and bool(np.any(rows < ALIGNED_ROWS))
            generated = self._generate(program, placed, batch.size, wanted)
            tokens[rows] = generated.tokens[: len(rows)]
            unended += int(np.sum(~generated.ended[: len(rows)]))
            if generated.alignment is not None:
                for place, row in enumerate(rows):
                    if row < ALIGNED_ROWS:
                        length = int(np.count_nonzero(generated.tokens[place]))
                        alignments[int(row)] = generated.alignment[place, :length, : batch.lengths[place]]
            self.between()
        metrics = {
            "cross_entropy": loss / max(count, 1),
            "token_accuracy": hits / max(count, 1),
            "unended_share": unended / len(split),
        }
        return Predicted(tokens, metrics, alignments, finite)

    def _generate(self, program: Program, placed: object, rows: int, aligned: bool) -> Generated:
        if self.width == 1:
            return greedy_search(program, placed, self.decoder, rows, aligned)
        return beam_search(program, placed, self.decoder, rows, self.width, aligned)


def token_losses(scores: np.ndarray, batch: Batch, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every target token of the first `rows` rows: -ln p under teacher forcing, (n,) float64, and whether it
    is the likeliest, (n,). scores (B, U, V)."""
    assert batch.target_lengths is not None
    valid = valid_mask(batch.target_lengths[:rows], batch.targets.shape[1])
    taken, wanted = scores[:rows][valid], batch.targets[:rows][valid]
    with np.errstate(invalid="ignore", over="ignore"):  # a diverged model's scores are a fact, not a warning
        shifted = taken - taken.max(axis=1, keepdims=True)
        sums = np.exp(shifted).sum(axis=1, dtype=np.float64)
        losses = np.log(sums) - np.take_along_axis(shifted, wanted[:, None].astype(np.int64), axis=1)[:, 0]
    return losses, taken.argmax(axis=1) == wanted
