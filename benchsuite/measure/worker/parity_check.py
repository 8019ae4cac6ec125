"""The parity of one trial: its first backward pass, and the steps that are trained and timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchsuite.contracts import Backend, Gradients, Parameters, Program, State
from benchsuite.errors import ContractError
from benchsuite.measure.batching import Chunk
from benchsuite.measure.parity import Comparison, Widening, compare, in_double, relative_error, widened
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite.schema.thresholds import TOLERANCES

STEPS = 2
"""Training steps whose losses are compared with the reference: the first shows the step's forward pass, the
second what the first one's backward pass, clipping and update made of the parameters."""


TOKENS = 3
"""Generated tokens that are compared: the first shows the start, the others what follows a choice."""


def _nothing() -> None:
    """What is done between two comparisons by default."""


class ParityCheck:
    """What the float64 reference says of a trial's first batches, and how far the trial is from it.

    gradients(), predict(), decoding() and step() may be compiled apart, so each is compared: the first three by
    what they return, the last by the losses of the first steps. Every metric comes from predict() or from
    decoding().
    """

    def __init__(
        self,
        reference: Backend,
        model: ModelSpec,
        weights: Parameters,
        recipe: Recipe,
        precision: str,
        batches: Sequence[Chunk],
    ) -> None:
        """Run the reference on `batches`, the first STEPS ones of training, from the same `weights`.

        :param recipe: with the length of its schedule. :param precision: the trial's.
        """
        self._reference, self._model, self._weights, self._recipe = reference, model, weights, recipe
        double = {name: weight.astype(np.float64) for name, weight in weights.items()}
        program = reference.build(model, double, recipe, Execution(precision="float64"))
        self._batch, self._precision = batches[0].batch, precision
        self._dtype = Execution.model_validate({"precision": precision}).dtype
        placed = program.place(in_double(self._batch))
        self._expected: Gradients | None = program.gradients(placed)
        # under dropout the scores of a backward pass are not what predict() gives
        self._scores: np.ndarray | None = (
            program.predict(placed)[0] if self._batch.masks else self._expected.predictions
        )
        state: State | None = None
        for batch, begins in batches:
            state = program.step(program.place(in_double(batch)), None if begins else state)
        self._losses = program.drain().loss
        self.comparison = Comparison({}, {})
        self.widened = Widening()
        """By which factors the tolerances were widened, because terms cancel or rounding adds up over steps."""

    def hold_gradients(self, program: Program, between: Callable[[], None] = _nothing) -> None:
        """Compare one backward pass over the first batch, what predict() says of it, and what is generated from
        it where the model decodes; to be asked once. The reference's arrays are let go then, or the peak memory
        of training would hold them.

        :param between: called before each of them, because a program compiles a function for each.
        Raises ContractError for a foreign name, shape or dtype.
        """
        assert self._expected is not None, "the gradients were compared before"
        placed = program.place(self._batch)
        between()
        self.comparison = compare(program.gradients(placed), self._expected, self._precision)
        tolerance = TOLERANCES[self._precision].forward
        between()
        self._compare("predictions/predict", self._predict_error(program, placed), tolerance)
        if self._model.decoder is not None:
            between()
            self._compare("predictions/generated", self._generation_error(program, placed), 10 * tolerance)
        if not self.comparison.ok and self._precision == "float32":
            self.comparison, self.widened = widened(self.comparison, self._own_error())
        self._expected = self._scores = None

    def _compare(self, quantity: str, error: float, allowed: float) -> None:
        known = self.comparison
        self.comparison = Comparison(known.errors | {quantity: error}, known.allowed | {quantity: allowed})

    def _predict_error(self, program: Program, placed: object) -> float:
        """How far predict() is from the reference on the first batch, from the same weights."""
        assert self._scores is not None
        scores, _ = program.predict(placed)
        if not isinstance(scores, np.ndarray) or str(scores.dtype) != self._dtype:
            kind = getattr(scores, "dtype", type(scores).__name__)
            raise ContractError(f"predict() gave {kind}, an array of {self._dtype} is expected")
        try:
            return relative_error(scores, self._scores)
        except ContractError as error:
            raise ContractError(f"predict() gave another shape than the reference: {error}") from None

    def _generation_error(self, program: Program, placed: object) -> float:
        """How far the first generated tokens are from the reference's, which follows the program's choice: the
        error of each chosen token's ln p, and what the choice lacks of the likeliest token's."""
        decoder = self._model.decoder
        assert decoder is not None
        double = {name: weight.astype(np.float64) for name, weight in self._weights.items()}
        judge = self._reference.build(self._model, double, self._recipe, Execution(precision="float64"))
        expected = judge.decoding(judge.place(in_double(self._batch)))
        found = program.decoding(placed)
        rows = np.arange(self._batch.size)
        latest, worst = np.full(self._batch.size, decoder.start, np.int32), 0.0
        for _ in range(min(TOKENS, decoder.limit)):
            chosen = found.advance(latest, rows, 1)
            tokens = np.asarray(chosen.tokens)
            if tokens.shape != (len(rows), 1) or tokens.dtype.kind not in "iu":
                raise ContractError(
                    f"advance() gave tokens {tokens.dtype} {tokens.shape}, integers of shape {(len(rows), 1)} "
                    "are expected"
                )
            if not ((tokens >= 0) & (tokens < decoder.vocabulary)).all():
                raise ContractError(
                    f"advance() gave tokens outside of the vocabulary of {decoder.vocabulary}"
                )
            likely = expected.advance(latest, rows, decoder.vocabulary)
            at = likely.tokens == tokens
            wanted, best = likely.log_probabilities[at][:, None], likely.log_probabilities[:, :1]
            scale = float(np.abs(likely.log_probabilities).max())
            lacking = float((best - wanted).max()) / scale if scale > 0 else 0.0
            worst = max(worst, relative_error(chosen.log_probabilities, wanted, scale), lacking)
            latest = tokens[:, 0].astype(np.int32)
        return worst

    def _own_error(self) -> Comparison:
        """How far the reference itself is off in single precision, on the same batch from the same
        weights."""
        assert self._expected is not None
        program = self._reference.build(
            self._model, self._weights, self._recipe, Execution(precision="float32")
        )
        found = program.gradients(program.place(self._batch))
        return compare(found, self._expected, "float32")

    def hold_steps(self, losses: Sequence[float]) -> None:
        """Compare the losses of the first training steps, as far as the reference's are finite."""
        tolerances = TOLERANCES[self._precision]
        errors, allowed = dict(self.comparison.errors), dict(self.comparison.allowed)
        limits = (tolerances.forward, tolerances.loss_10)
        for step, (found, expected, limit) in enumerate(zip(losses, self._losses, limits, strict=False), 1):
            if np.isfinite(expected):
                errors[f"step/{step}"] = relative_error(np.asarray(found), np.asarray(expected))
                allowed[f"step/{step}"] = limit * self.widened.forward
        self.comparison = Comparison(errors, allowed)

    def scalars(self) -> dict[str, float]:
        found = self.comparison
        return {
            "parity/loss_error": found.largest("loss"),
            "parity/prediction_error": found.largest("predictions"),
            "parity/gradient_error": found.largest("gradient"),
            "parity/state_error": found.largest("state"),
            "parity/step_error": found.largest("step"),
            "parity/worst_ratio": found.ratio(found.worst),
            "parity/widened": self.widened.backward,
            "parity/widened_forward": self.widened.forward,
        }
