"""Record: everything that one trial produced. One line of JSON in the study's journal."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from benchsuite.spec.trial import Frozen, Trial

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
    status: Status
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
    started: float = 0.0
    finished: float = 0.0
    series: list[Series] = Field(default_factory=list, exclude=True)
    """Kept beside the journal, in series/<trial>.parquet, not in it."""

    @property
    def trial_id(self) -> str:
        return self.trial.id

    @property
    def ranked(self) -> bool:
        """Whether the record may stand in a ranking: it ended well and parity was proved."""
        return self.status is Status.OK and self.verdicts.get("parity") == "ok"
