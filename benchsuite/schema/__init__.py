"""Values: trials, models, records, races. Nothing here runs anything."""

from benchsuite.schema.architecture import encoder_decoder, recurrent_body
from benchsuite.schema.model import (
    BLANK,
    AttentionKind,
    Convolutional,
    Decoder,
    Dense,
    Features,
    Loss,
    ModelSpec,
    Rbf,
    Readout,
    Recurrent,
    Tokens,
)
from benchsuite.schema.names import (
    ARCHITECTURES,
    CELLS,
    INVALID_TIMING,
    LOSSES,
    OPTIMISERS,
    PRECISIONS,
    READOUTS,
    UNROLLS,
)
from benchsuite.schema.parameters import GATES, decoder_names, parameter_shapes, recurrent_names
from benchsuite.schema.record import Exhibit, Record, Series, Status
from benchsuite.schema.trial import Execution, Protocol, Recipe, Scalar, Size, Trial

__all__ = [
    "ARCHITECTURES",
    "BLANK",
    "CELLS",
    "GATES",
    "INVALID_TIMING",
    "LOSSES",
    "OPTIMISERS",
    "PRECISIONS",
    "READOUTS",
    "UNROLLS",
    "AttentionKind",
    "Convolutional",
    "Decoder",
    "Dense",
    "Execution",
    "Exhibit",
    "Features",
    "Loss",
    "ModelSpec",
    "Protocol",
    "Rbf",
    "Readout",
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
    "recurrent_body",
    "recurrent_names",
]
