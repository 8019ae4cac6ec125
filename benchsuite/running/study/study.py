"""StoredStudy: the records of a study and their curves. benchsuite.Study adds what needs the report."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchsuite.analysis.decay import verdicts
from benchsuite.analysis.identity import Labels
from benchsuite.analysis.machines import Machine, latest_by_machine, machines_of
from benchsuite.analysis.validity import is_ranked, problem, problem_reason, unsteady, valid_scalars
from benchsuite.contracts import Damage
from benchsuite.running.races.files import read_races
from benchsuite.running.store import StudyStore
from benchsuite.running.study.columns import NESTED
from benchsuite.schema import Exhibit, Record, Series, Trial
from benchsuite.schema.race import RaceResults

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StoredStudy:
    """A study on disk.

    records      the latest record of each trial on each machine
    left         trials that were to run and did not, because the run was interrupted
    interrupted  whether it was
    damage       lines of the journal that are no records, and so are in nothing that is read here
    origin       the bundle that it was read from; "" for a study's own folder
    """

    name: str
    folder: Path
    records: list[Record] = field(repr=False)
    left: tuple[Trial, ...] = ()
    interrupted: bool = False
    damage: tuple[Damage, ...] = ()
    origin: str = ""

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a study's folder. Warns of every line of its journal that is no record.

        Raises StoreError when it is no study."""
        study = cls.read(folder)
        for one in study.damage:
            warnings.warn(one.sentence(study.name), stacklevel=2)
        return study

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """As load(), without a warning: the caller says what `damage` holds."""
        store = StudyStore.open(Path(folder))
        records, damage = store.history()
        current = latest_by_machine(records, store.home)
        return cls(store.name, store.folder, list(current.values()), damage=tuple(damage))

    @cached_property
    def label(self) -> Labels:
        """Gives each trial of the study what it is called in it: no two of its trials have one label."""
        return Labels([*(record.trial for record in self.records), *self.left])

    def description(self) -> dict[str, Any]:
        """What study.json holds: matrix, plugins, environment. Raises StoreError."""
        return StudyStore(self.folder).description()

    def races(self) -> list[RaceResults]:
        """The races that were run in this study, oldest first. Raises StoreError."""
        return read_races(self.folder)

    def series(self, trial_id: str, attempt: str | None = None) -> list[Series]:
        """The curves of a trial: loss, metrics, gradient norms, timing samples. Raises StoreError.

        :param attempt: of the record that is meant, where several machines ran the trial; the last one's else.
        """
        own = self._attempts.get(trial_id, "") if attempt is None else attempt
        return StudyStore(self.folder).series(trial_id, own)

    def exhibits(self, trial_id: str, attempt: str | None = None) -> list[Exhibit]:
        """What there is to look at of a trial: texts, alignments, forecasts, pictures. Arguments as of
        series(). Raises StoreError."""
        own = self._attempts.get(trial_id, "") if attempt is None else attempt
        return StudyStore(self.folder).exhibits(trial_id, own)

    def machines(self) -> list[Machine]:
        """The machine of each of the records. Raises StoreError."""
        return machines_of(self.records, StudyStore(self.folder).home)

    @cached_property
    def _attempts(self) -> dict[str, str]:
        """Trial id -> the attempt of its last record."""
        return {record.trial_id: record.attempt for record in self.records}

    def frame(self) -> pd.DataFrame:
        """One row per record: the trial's label and fields, how it ended and where it ran, `test/accuracy` and
        every other scalar, `verdict.parity` and the others, `baseline.NAME.METRIC`. Every column is described
        in docs/reference/frames.md. `attrs["damage"]` says what of the journal is missing, where anything is.

        `ranked` says whether the record may be ranked; `problem` and `problem_reason` why it is not, or why its
        timing is refused: of such a timing there is no figure. `unsteady` says why a timing is not steady.
        The verdict on gradients has two columns, `verdict.gradient_start` and `_end`: before and after
        training.
        """
        import pandas as pd

        machines = self.machines()
        frame = pd.DataFrame(
            [
                _row(record, self.label(record.trial), machine)
                for record, machine in zip(self.records, machines, strict=True)
            ]
        )
        if self.damage:
            frame.attrs["damage"] = [one.sentence(self.name) for one in self.damage]
        return frame


def _row(record: Record, label: str, machine: Machine) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial_id": record.trial_id,
        "configuration_id": record.trial.configuration_id,
        "label": label,
    }
    fields = record.trial.model_dump(mode="json")
    for key, value in fields.items():
        if key in NESTED:
            row |= value
        elif key == "options":
            row |= {f"option.{name}": chosen for name, chosen in value.items()}
        else:
            row[key] = value
    row |= {
        "status": str(record.status),
        "reason": record.reason,
        "ranked": is_ranked(record),
        "problem": problem(record),
        "problem_reason": problem_reason(record),
        "unsteady": unsteady(record),
        "machine": machine.name,
        "kernel": record.kernel,
        "primary": record.primary,
        "higher_is_better": record.higher_is_better,
        "started": record.started,
        "finished": record.finished,
    }
    row |= {f"verdict.{name}": word for name, word in verdicts(record).items()}
    row |= valid_scalars(record)
    for name, metrics in record.baselines.items():
        row |= {f"baseline.{name}.{metric}": value for metric, value in metrics.items()}
    return row
