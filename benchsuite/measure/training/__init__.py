"""The framework-neutral training loop and what it notes down on the way."""

from benchsuite.measure.training.evaluation import Evaluator, Predicted, predictions
from benchsuite.measure.training.loop import Outcome, train
from benchsuite.measure.training.snapshots import Snapshots

__all__ = ["Evaluator", "Outcome", "Predicted", "Snapshots", "predictions", "train"]
