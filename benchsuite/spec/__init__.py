"""What a trial is, what a model is, what a record is: values only, no behaviour that runs anything."""

from benchsuite.spec.architecture import recurrent_body
from benchsuite.spec.model import (
    Convolutional,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
)
from benchsuite.spec.names import ARCHITECTURES, CELLS, LOSSES, OPTIMISERS, PRECISIONS, UNROLLS
from benchsuite.spec.parameters import GATES, parameter_shapes, recurrent_names
from benchsuite.spec.record import Record, Series, Status
from benchsuite.spec.trial import Execution, Protocol, Recipe, Size, Trial

__all__ = [
    "ARCHITECTURES",
    "CELLS",
    "GATES",
    "LOSSES",
    "OPTIMISERS",
    "PRECISIONS",
    "UNROLLS",
    "Convolutional",
    "Dense",
    "Execution",
    "Features",
    "ModelSpec",
    "Protocol",
    "Rbf",
    "Recipe",
    "Record",
    "Recurrent",
    "Series",
    "Size",
    "Status",
    "Tokens",
    "Trial",
    "parameter_shapes",
    "recurrent_body",
    "recurrent_names",
]
