"""The parity of one trial: its first backward pass, and the steps that are trained and timed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.contracts import Backend, Gradients, Parameters, Program, State
from benchsuite.measure.batching import Chunk
from benchsuite.measure.parity import Comparison, compare, in_double, relative_error, widened
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite.schema.thresholds import TOLERANCES

STEPS = 2
"""Training steps whose losses are compared with the reference: the first shows the step's forward pass, the
second what the first one's backward pass, clipping and update made of the parameters."""


class ParityCheck:
    """What the float64 reference says of a trial's first batches, and how far the trial is from it.

    gradients() and step() may be compiled apart, so both are compared: the one by all it returns, the other
    by the losses of the first steps.
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
        self._expected: Gradients | None = program.gradients(program.place(in_double(self._batch)))
        state: State | None = None
        for batch, begins in batches:
            state = program.step(program.place(in_double(batch)), None if begins else state)
        self._losses = program.drain().loss
        self.comparison = Comparison({}, {})
        self.widened = 1.0
        """By which factor the tolerances of the gradients were widened, because their terms cancel."""

    def hold_gradients(self, program: Program) -> None:
        """Compare one backward pass over the first batch; to be asked once. The reference's arrays are let go
        then, or the peak memory of training would hold them.

        Raises ContractError for a foreign name or shape.
        """
        assert self._expected is not None, "the gradients were compared before"
        found = program.gradients(program.place(self._batch))
        self.comparison = compare(found, self._expected, self._precision)
        if not self.comparison.ok and self._precision == "float32":
            self.comparison, self.widened = widened(self.comparison, self._own_error())
        self._expected = None

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
                allowed[f"step/{step}"] = limit
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
            "parity/widened": self.widened,
        }
