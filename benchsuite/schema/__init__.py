"""What a trial is, what a model is, what a record is: values only, no behaviour that runs anything."""

from benchsuite.schema.architecture import encoder_decoder, planned_model, recurrent_body
from benchsuite.schema.device import DeviceName
from benchsuite.schema.model import (
    BLANK,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Tokens,
)
from benchsuite.schema.names import (
    ARCHITECTURES,
    ATTENTIONS,
    CELLS,
    INVALID_TIMING,
    LOSSES,
    NO_CELL,
    OPTIMISERS,
    PRECISIONS,
    READOUTS,
    UNROLLS,
)
from benchsuite.schema.parameters import GATES, decoder_names, parameter_shapes, recurrent_names, state_shapes
from benchsuite.schema.record import Exhibit, Record, Series, Status
from benchsuite.schema.trial import Execution, Protocol, Recipe, Scalar, Size, Trial

__all__ = [
    "ARCHITECTURES",
    "ATTENTIONS",
    "BLANK",
    "CELLS",
    "GATES",
    "INVALID_TIMING",
    "LOSSES",
    "NO_CELL",
    "OPTIMISERS",
    "PRECISIONS",
    "READOUTS",
    "UNROLLS",
    "Convolutional",
    "Decoder",
    "Dense",
    "DeviceName",
    "Execution",
    "Exhibit",
    "Features",
    "ModelSpec",
    "Protocol",
    "Rbf",
    "Recipe",
    "Record",
    "Recurrent",
    "Scalar",
    "Series",
    "Size",
    "Status",
    "Tokens",
    "Trial",
    "decoder_names",
    "encoder_decoder",
    "parameter_shapes",
    "planned_model",
    "recurrent_body",
    "recurrent_names",
    "state_shapes",
]
