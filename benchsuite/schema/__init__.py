"""Values: trials, models, records, races. Nothing here runs anything."""

from benchsuite.schema.architecture import encoder_decoder, planned_model, recurrent_body
from benchsuite.schema.cells import BUILTIN_CELLS, cell_named, known_cells
from benchsuite.schema.device import DeviceName
from benchsuite.schema.dropout import DROPOUTS, mask_widths
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
    ATTENTIONS,
    INVALID_TIMING,
    LOSSES,
    NO_CELL,
    OPTIMISERS,
    PRECISIONS,
    READOUTS,
    SCHEDULES,
    UNROLLS,
)
from benchsuite.schema.parameters import GATES, decoder_names, parameter_shapes, recurrent_names, state_shapes
from benchsuite.schema.record import Cause, Exhibit, Record, Series, Status
from benchsuite.schema.schedule import is_scheduled, learning_rate, learning_rates
from benchsuite.schema.trial import Execution, Protocol, Recipe, Scalar, Size, Trial

__all__ = [
    "ARCHITECTURES",
    "ATTENTIONS",
    "BLANK",
    "BUILTIN_CELLS",
    "DROPOUTS",
    "GATES",
    "INVALID_TIMING",
    "LOSSES",
    "NO_CELL",
    "OPTIMISERS",
    "PRECISIONS",
    "READOUTS",
    "SCHEDULES",
    "UNROLLS",
    "AttentionKind",
    "Cause",
    "Convolutional",
    "Decoder",
    "Dense",
    "DeviceName",
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
    "cell_named",
    "decoder_names",
    "encoder_decoder",
    "is_scheduled",
    "known_cells",
    "learning_rate",
    "learning_rates",
    "mask_widths",
    "parameter_shapes",
    "planned_model",
    "recurrent_body",
    "recurrent_names",
    "state_shapes",
]
