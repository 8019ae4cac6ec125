"""Record: everything that one trial produced. One line of JSON in the study's journal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from benchsuite.schema.trial import Frozen, Trial

Cause = Literal["", "exception", "crash", "exit", "memory", "timeout", "interrupted", "lost"]
"""Why a trial did not end well: an exception inside it; a signal such as SIGSEGV; its process exited; too much
memory; too much time; a signal that asks to end; its worker was killed from outside or broke its channel."""

Axis = Literal["step", "epoch", "lag", "sample"]


class Status(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    KILLED = "killed"
    SKIPPED = "skipped"
    DIVERGED = "diverged"


class Series(Frozen):
    """One curve. `axis` says what x counts: optimiser steps, epochs, steps back in time, or samples."""

    model_config: ClassVar[ConfigDict] = {
        **Frozen.model_config,
        "allow_inf_nan": True,
        "ser_json_inf_nan": "strings",
    }

    name: str
    axis: Axis
    x: list[float]
    y: list[float]


class Exhibit(Frozen):
    """Something of a trial's test split to look at. What `lines` and `tables` hold depends on `kind`:

    text       lines source, target, prediction (lists of tokens); tables alignment (U, T), the attention of
               prediction token u on source token t, where there is attention
    forecast   tables input (T, C), truth and prediction (horizon, C), in the data's own units
    confusion  lines classes; tables counts (C, C), row: true class
    picture    tables by name, each (height, width), 0 to 1, to be drawn side by side
    curve      lines x, y (one label each), and note (a sentence for its reader), where there is one; tables by
               name, a line each: points (n, 2), x ascending. The curves of one name that the models of a task
               have are drawn together
    """

    name: str
    kind: Literal["text", "forecast", "confusion", "picture", "curve"]
    lines: dict[str, list[str]] = Field(default_factory=dict)
    tables: dict[str, list[list[float]]] = Field(default_factory=dict)


class Record(Frozen):
    """What one trial produced.

    Scalars are grouped by slash: train/ val/ test/ speed/ memory/ gradient/ parity/. Times are POSIX seconds.
    A scalar may be NaN or infinite (a diverged loss is a fact). `verdicts` are words: `parity` (ok, breach,
    not_checked), `gradient` (vanishing, stable, exploding, truncated, undefined), `speed` (stable, unstable).
    """

    model_config: ClassVar[ConfigDict] = {
        **Frozen.model_config,
        "allow_inf_nan": True,
        "ser_json_inf_nan": "strings",
    }

    trial: Trial
    id: Annotated[str, Field(pattern="^([0-9a-f]{16})?$")] = ""
    """The trial's id when the record was made: later versions' trials may have more fields, and other ids."""
    status: Status
    cause: Cause = ""
    reason: str = ""
    exception: str = ""
    output_tail: str = ""
    scalars: dict[str, float] = Field(default_factory=dict)
    verdicts: dict[str, str] = Field(default_factory=dict)
    kernel: str = ""
    baselines: dict[str, dict[str, float]] = Field(default_factory=dict)
    primary: str = ""
    """Name of the test metric that ranks, as in `test/<primary>`."""
    higher_is_better: bool = True
    environment: dict[str, str] = Field(default_factory=dict)
    fingerprint: str = ""
    attempt: str = ""
    """Tells this run of the trial from every other one; part of the names of the files beside the journal. ""
    in records of versions that had none."""
    started: float = 0.0
    finished: float = 0.0
    series: list[Series] = Field(default_factory=list, exclude=True)
    """Stored beside the journal, in series/<trial>.parquet, and not in it."""
    exhibits: list[Exhibit] = Field(default_factory=list, exclude=True)
    """Stored beside the journal, in exhibits/<trial>.json."""
    artifacts: dict[str, str] = Field(default_factory=dict, exclude=True)
    """Name -> text of what the data were made with (a trained tokeniser, a vocabulary); stored beside the
    journal by hash, which `environment` holds as `artifact.<name>`."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.id:
            self.__dict__["id"] = self.trial.id  # past the freezing, which is for those who hold a record
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Record:
        """A copy; that of another trial has the other trial's id."""
        if update and "trial" in update:
            update = {"id": update["trial"].id, **update}
        return super().model_copy(update=update, deep=deep)

    @property
    def trial_id(self) -> str:
        return self.id
