"""Trial: one point of the matrix. Frozen, JSON-serialisable, and its id is a hash of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from benchsuite.schema.choices import format_choices, parse_choices
from benchsuite.schema.names import NO_CELL

Scalar = bool | int | float | str


class Frozen(BaseModel):
    """Immutable, closed to unknown fields, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Size(Frozen):
    """How large the model is; a task reads what its architecture uses."""

    hidden: PositiveInt = 64
    """Hidden units of a recurrent layer."""
    layers: PositiveInt = 2
    """Layers of architectures that are deep, and of an encoder and a decoder."""
    embedding: PositiveInt = 64
    """Width of the embedding of tokens."""
    tied: bool = False
    """Whether the output layer shares the embedding's matrix, see schema.Dense: for tasks that score the ids
    they read, such as language, with `embedding` as wide as what the output layer reads."""


class Recipe(Frozen):
    """How to train. What learning rates and moments mean is in names.OPTIMISERS and contracts.updated()."""

    optimiser: Literal["sgd", "momentum", "rmsprop", "adam"] = "adam"
    """The update of the parameters, see names.OPTIMISERS."""
    learning_rate: PositiveFloat = 1e-3
    """Factor of the update; with a schedule or a warm-up the largest one."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Optimiser `momentum`: the share of the velocity that is kept."""
    rho: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Optimiser `rmsprop`: the share of the mean square that is kept."""
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Optimiser `adam`: the share of the first moment that is kept."""
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Optimiser `adam`: the share of the second moment that is kept."""
    epsilon: PositiveFloat = 1e-8
    """Optimisers `rmsprop` and `adam`: added to the root that the update is divided by."""
    batch_size: PositiveInt = 64
    """Rows of a batch."""
    epochs: PositiveInt = 10
    """Passes over the training split."""
    steps: PositiveInt | None = None
    """Stop after this many optimiser steps, whatever `epochs` says."""
    clip: Literal["none", "norm", "value"] = "none"
    """Gradient clipping: by the global L2 norm, or of every entry."""
    clip_at: PositiveFloat = 1.0
    """The norm, or the largest absolute entry, that clipping leaves."""
    truncation: PositiveInt | None = None
    """Truncated BPTT: states are detached every this many steps; None is full BPTT."""
    carry: bool = False
    """Streams: the final state of a batch is the (detached) initial state of the next one."""
    patience: PositiveInt | None = None
    """Stop after this many epochs without a better validation metric; None trains every epoch."""
    target: float | None = None
    """Validation metric whose first crossing is recorded as time to target."""
    limit: PositiveInt | None = None
    """Train on at most this many examples, the same ones for every seed. Vocabulary, scaling and baselines
    remain those of the whole training split."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay of every parameter, see names.WEIGHT_DECAY."""
    schedule: Literal["constant", "step", "cosine"] = "constant"
    """How the learning rate falls after the warm-up, see names.SCHEDULES and schedule.learning_rate()."""
    warmup: Annotated[int, Field(ge=0)] = 0
    """Optimiser steps over which the learning rate rises linearly to `learning_rate`."""
    decay_every: PositiveInt | None = None
    """Schedule `step`: the optimiser steps from one multiplication of the rate by decay_factor to the next."""
    decay_factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Schedule `step`: what the rate is multiplied by."""
    schedule_steps: PositiveInt | None = None
    """Optimiser steps after which the schedule starts again, warm-up included; None: those of the training."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Cross-entropy alone: the share of a target that is spread over all classes, see names.LABEL_SMOOTHING."""
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the units dropped of what the first layer reads, one mask per row, see dropout.mask_widths()."""
    layer_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The same between one layer and the next."""
    recurrent_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The same of the hidden state, where the products of the next step read it."""
    initialisation: Literal["default", "glorot", "orthogonal", "uniform"] = "default"
    """Initial weights of the recurrent layers, see names.INITIALISATIONS; cells rnn, lstm and gru."""
    recurrent_scale: PositiveFloat = 1.0
    """Factor of the initial Wh: with orthogonal matrices, all of their singular values."""
    forget_bias: float | None = None
    """Initial bias of the LSTM's forget gate; None: that of the initialisation."""

    @model_validator(mode="after")
    def _check_schedule(self) -> Recipe:
        if self.schedule == "step" and self.decay_every is None:
            raise ValueError(
                "schedule 'step' needs decay_every: the optimiser steps between two decays of the rate"
            )
        if self.schedule_steps is not None and self.warmup >= self.schedule_steps:
            raise ValueError(
                f"warmup is {self.warmup} steps and schedule_steps {self.schedule_steps}: "
                "the warm-up must be shorter than the schedule"
            )
        if self.learning_rate * self.weight_decay >= 1:
            raise ValueError(
                f"learning_rate {self.learning_rate:g} times weight_decay {self.weight_decay:g} must be below "
                "1: one step would take away more than the whole weight"
            )
        return self


ADDED_TO_PROTOCOL = ("online", "calibration")
ADDED_TO_EXECUTION = ("choices",)
ADDED_TO_SIZE = ("tied",)
ADDED_TO_RECIPE = (
    "weight_decay",
    "schedule",
    "warmup",
    "decay_every",
    "decay_factor",
    "schedule_steps",
    "label_smoothing",
    "input_dropout",
    "layer_dropout",
    "recurrent_dropout",
    "initialisation",
    "recurrent_scale",
    "forget_bias",
)
"""Fields that trials did not always have. At their defaults they are left out of a trial's id, so that the ids
of records that were made before are still those of their trials."""


def _sorted_choices(text: str) -> str:
    """The choices of `execution.choices` by name, so that equal ones are written equally."""
    return format_choices(parse_choices(text))


Choices = Annotated[str, AfterValidator(_sorted_choices)]


class Execution(Frozen):
    """Where and how the program runs; everything a worker's environment depends on."""

    device: str = "cpu"
    """`cpu`, `gpu`, or `gpu:1` for the second one."""
    unroll: Literal["static", "dynamic", "fused", "autograd", "compiled", "scan", "best"] = "dynamic"
    """How the recurrence runs over time, see names.UNROLLS; `best`: the fastest of them on this machine."""
    precision: Literal["float32", "float64", "tf32"] = "float32"
    """The type of all numbers, see names.PRECISIONS."""
    threads: PositiveInt = 1
    """Threads that the framework may use on the CPU."""
    allocator: Literal["default", "tuned"] = "tuned"
    """The memory allocator's settings: the system's, or tuned to keep freed memory (glibc)."""
    deterministic: bool = False
    """Ask the framework for kernels that give equal bits in every run."""
    choices: Choices = ""
    """The backend's choices that are not left to the calibration: `products=onednn tanh=plain`."""

    @property
    def alone(self) -> bool:
        """One thread on the CPU: its processor time is its time, and others' work is not in it."""
        return self.device == "cpu" and self.threads == 1

    @property
    def dtype(self) -> str:
        """The NumPy name of the parameters' type."""
        return "float64" if self.precision == "float64" else "float32"


class Protocol(Frozen):
    """How much is measured around the training."""

    rounds: PositiveInt = 12
    """Timed rounds of the steady state."""
    round_seconds: PositiveFloat = 0.05
    """Least duration of one round; short steps are repeated until it is reached."""
    warmup_seconds: PositiveFloat = 0.5
    """Most time spent on warming up until the step time is stable."""
    gradient_snapshots: Annotated[int, Field(ge=2)] = 3
    """How often gradient statistics are taken: at the start, evenly during, and at the end of training."""
    latency: Annotated[int, Field(ge=0)] = 0
    """Predictions for a single row that are timed one by one, for the quantiles of their latency; 0: none, for
    a batch of one is another shape, which frameworks compile for."""
    online: Annotated[int, Field(ge=0)] = 0
    """Time steps of a single row that are timed one by one, each from the state of the step before; 0: none."""
    calibration: Literal["measured", "none"] = "measured"
    """What decides the backend's choices, and unroll `best`: a measurement of a few seconds that this machine
    keeps, or `none`: the framework's own default way."""
    beam: PositiveInt = 1
    """Hypotheses kept while the test split is decoded (decoders, CTC); 1 is greedy, as validation is."""


IGNORED_IN_RECIPE: dict[str, tuple[str, ...]] = {
    "plain": ("layer_dropout",),
    "bidirectional": ("layer_dropout",),
    "cnn": (
        "input_dropout",
        "layer_dropout",
        "recurrent_dropout",
        "initialisation",
        "recurrent_scale",
        "forget_bias",
    ),
}
"""By architecture, fields of a recipe that have nothing to act on, and take their defaults."""


def _fields(part: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    return part.model_dump() if isinstance(part, BaseModel) else dict(part or {})


class Trial(Frozen):
    """One point of the matrix."""

    task: str
    source: str
    options: dict[str, Scalar] = Field(default_factory=dict)
    cell: str
    architecture: str
    size: Size = Size()
    backend: str
    execution: Execution = Execution()
    recipe: Recipe = Recipe()
    protocol: Protocol = Protocol()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="before")
    @classmethod
    def _drop_what_does_not_matter(cls, data: Any) -> Any:
        """Fields an architecture ignores take one value, so that equal work has one id."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if data.get("architecture") == "cnn":
            data["cell"] = NO_CELL
            data["size"] = {**_fields(data.get("size")), "tied": False}
            data["execution"] = {**_fields(data.get("execution")), "unroll": "dynamic"}
        if data.get("architecture") in ("plain", "bidirectional", "cnn"):
            data["size"] = {**_fields(data.get("size")), "layers": 1}
        ignored = IGNORED_IN_RECIPE.get(str(data.get("architecture")), ())
        if ignored:
            recipe = _fields(data.get("recipe"))
            data["recipe"] = {name: value for name, value in recipe.items() if name not in ignored}
        return data

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Trial:
        """A validated copy, with an id of its own.

        pydantic's copy would validate nothing and keep the cached ids of the original.
        """
        copied = super().model_copy(deep=deep)
        fields = {name: getattr(copied, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **(update or {})})

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:16]

    def canonical_json(self) -> str:
        """The trial without what ADDED_TO_EXECUTION, ADDED_TO_PROTOCOL, ADDED_TO_RECIPE and ADDED_TO_SIZE leave
        out, which Trial.model_validate_json() brings back."""
        return _canonical(self.model_dump(mode="json"))

    @property
    def model(self) -> str:
        """`lstm bidirectional`, or `cnn` alone."""
        return self.architecture if self.cell == NO_CELL else f"{self.cell} {self.architecture}"

    @property
    def label(self) -> str:
        """What a person calls this trial: task/source cell architecture backend unroll device seed."""
        ex = self.execution
        return (
            f"{self.task}/{self.source} {self.model} {self.backend} {ex.unroll} {ex.device} "
            f"{ex.precision} seed {self.seed}"
        )

    def configuration(self) -> dict[str, Any]:
        """The trial without its seed: what seeds are averaged over."""
        return {key: value for key, value in self.model_dump(mode="json").items() if key != "seed"}

    @cached_property
    def configuration_id(self) -> str:
        """Id of the configuration: equal for trials that differ in their seed alone."""
        return hashlib.sha256(_canonical(self.configuration()).encode()).hexdigest()[:16]


def _canonical(fields: dict[str, Any]) -> str:
    """What is hashed of a trial's fields."""
    recipe = _without_defaults(Recipe, fields["recipe"], ADDED_TO_RECIPE)
    size = _without_defaults(Size, fields["size"], ADDED_TO_SIZE)
    protocol = _without_defaults(Protocol, fields["protocol"], ADDED_TO_PROTOCOL)
    execution = _without_defaults(Execution, fields["execution"], ADDED_TO_EXECUTION)
    kept = {**fields, "recipe": recipe, "size": size, "protocol": protocol, "execution": execution}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"))


def _without_defaults(part: type[Frozen], given: dict[str, Any], added: tuple[str, ...]) -> dict[str, Any]:
    """`given` without those of the fields `added` that have their default."""
    return {
        name: value
        for name, value in given.items()
        if name not in added or value != part.model_fields[name].default
    }
