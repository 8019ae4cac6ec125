"""Commands that a page prints, for the study at hand: its name, its results folder, its matrix, and the filters
that give the trials that are meant and no others."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.contracts.report import Block, Command, Paragraph
from benchsuite.contracts.study import StudyReader, results_folder
from benchsuite.report.data import Entry, ReportData
from benchsuite.schema import Trial
from benchsuite.schema.names import NO_CELL

BUILT_IN = re.compile(r"built-in matrix (\S+)")


def study_words(study: StudyReader) -> list[str]:
    """What a command names the study by: its bundle; or its name, with its results folder where that is not the
    one in which commands look by themselves."""
    if study.origin:
        return [study.origin]
    if study.folder.name != study.name:
        return [_path(study.folder)]
    return [study.name, *results_words(study)]


def results_words(study: StudyReader) -> list[str]:
    """`--results FOLDER`, or nothing where commands look there by themselves."""
    home = results_folder()
    parent = study.folder.absolute().parent
    return [] if study.origin or parent == home else ["--results", _path(parent)]


def _path(path: Path) -> str:
    """As seen from the working directory, where it lies below. With a slash: a bare word would be a name."""
    own = path.absolute()
    here = Path.cwd()
    return f"./{own.relative_to(here)}" if own.is_relative_to(here) else str(own)


def reproduce_command(study: StudyReader, trial_id: str = "") -> Command:
    """Runs a trial of the study again, or every ranked one, and compares the figures."""
    name, *options = study_words(study)
    return Command(shlex.join(["benchsuite", "reproduce", name, *([trial_id] if trial_id else []), *options]))


@dataclass(frozen=True)
class Variation:
    """What a study may vary next.

    name      of the new study, after that of this one
    setting   `size.hidden=32,64,128`
    suits     which trials it can be varied for
    """

    name: str
    setting: str
    suits: Callable[[Trial], bool]


def _recurrent(trial: Trial) -> bool:
    return trial.cell != NO_CELL


VARY_HIDDEN = Variation("hidden", "size.hidden=32,64,128,256", _recurrent)
VARY_LENGTH = Variation(
    "length",
    "options.length=50,100,200,400",
    lambda trial: trial.cell != NO_CELL and isinstance(trial.options.get("length"), int),
)
VARY_BATCH = Variation("batch", "recipe.batch_size=16,32,64,128", _recurrent)
VARY_ALLOCATOR = Variation(
    "allocator", "execution.allocator=default,tuned", lambda trial: trial.execution.device == "cpu"
)
VARY_CLIPPING = Variation("clipping", "recipe.clip=none,norm", _recurrent)
VARY_TRUNCATION = Variation(
    "truncation",
    "recipe.truncation=none,5,10",
    lambda trial: trial.cell != NO_CELL and trial.architecture in ("plain", "deep"),
)
VARY_BACKENDS = Variation("backends", "backend=numpy,torch,tensorflow,jax", lambda _: True)


def vary(data: ReportData, variation: Variation, entries: Sequence[Entry] | None = None) -> list[Block]:
    """How to see what a field changes: the command that runs one model of the study with several values of
    it, into a study of its own. A sentence alone where no trial suits.

    :param entries: to choose the model from; all by default. The one that took least time is taken.
    """
    known = data.entries if entries is None else entries
    suited = [entry for entry in known if variation.suits(entry.record.trial)]
    if not suited:
        return [Paragraph(f"No trial of this study can be run with {variation.setting.partition('=')[0]}.")]
    entry = min(suited, key=lambda one: (not one.record.verdicts, one.record.finished - one.record.started))
    matrix, saved = _matrix(data, entry.study)
    blocks: list[Block] = []
    if saved:
        blocks.append(
            Paragraph(f"The matrix of study {entry.study.name} is on the page Methods; save it as {matrix}.")
        )
    name = f"{entry.study.name.removesuffix('.crate.zip')}-{variation.name}"
    words = ["benchsuite", "run", matrix, *_filters(entry.record.trial, variation)]
    words += ["--set", variation.setting, "--name", re.sub(r"[^A-Za-z0-9._-]", "-", name)]
    return [*blocks, Command(shlex.join([*words, *results_words(entry.study)]))]


def _filters(trial: Trial, variation: Variation) -> list[str]:
    """Filters that leave one model, run in one way, with one seed."""
    values = {
        "task": trial.task, "source": trial.source, "cell": trial.cell, "architecture": trial.architecture,
        "backend": trial.backend, "unroll": trial.execution.unroll, "device": trial.execution.device,
        "precision": trial.execution.precision, "seed": str(trial.seed),
    }  # fmt: skip
    if variation is VARY_BACKENDS:  # each backend has unrolls and devices of its own
        values = {name: values[name] for name in ("task", "source", "cell", "architecture", "seed")}
    return [word for name, value in values.items() for word in (f"--{name}", value)]


def _matrix(data: ReportData, study: StudyReader) -> tuple[str, bool]:
    """What `run` names the study's matrix by, and whether its text must be saved under that name first."""
    description = next(
        told for one, told in zip(data.studies, data.descriptions, strict=True) if one is study
    )
    matrix = description.get("matrix")
    found = matrix if isinstance(matrix, dict) else {}
    origin = str(found.get("origin", ""))
    if match := BUILT_IN.fullmatch(origin):
        return match[1], False
    if origin.endswith(".toml") and Path(origin).is_file():
        return origin, False
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', str(found.get('name') or study.name))}.toml", True
