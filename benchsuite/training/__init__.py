"""The framework-neutral training loop and what it notes down on the way."""

from benchsuite.training.evaluation import Evaluator, Predicted, predictions
from benchsuite.training.loop import Outcome, train
from benchsuite.training.snapshots import Snapshots

__all__ = ["Evaluator", "Outcome", "Predicted", "Snapshots", "predictions", "train"]
