"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_FILTER = "Only these, separated by commas"

MatrixName = Annotated[
    str,
    typer.Argument(
        metavar="MATRIX",
        help="A matrix that ships with benchsuite (`benchsuite list matrices`), a frozen suite "
        "(`benchsuite list suites`), or a TOML file.",
    ),
]
Tasks = Annotated[str | None, typer.Option("--task", help=f"{_FILTER}.", rich_help_panel="Filters")]
Sources = Annotated[str | None, typer.Option("--source", help=f"{_FILTER}.", rich_help_panel="Filters")]
Cells = Annotated[str | None, typer.Option("--cell", help=f"{_FILTER}.", rich_help_panel="Filters")]
Architectures = Annotated[
    str | None, typer.Option("--architecture", help=f"{_FILTER}.", rich_help_panel="Filters")
]
Backends = Annotated[str | None, typer.Option("--backend", help=f"{_FILTER}.", rich_help_panel="Filters")]
Devices = Annotated[str | None, typer.Option("--device", help=f"{_FILTER}.", rich_help_panel="Filters")]
Unrolls = Annotated[str | None, typer.Option("--unroll", help=f"{_FILTER}.", rich_help_panel="Filters")]
Precisions = Annotated[str | None, typer.Option("--precision", help=f"{_FILTER}.", rich_help_panel="Filters")]
Seeds = Annotated[str | None, typer.Option("--seed", help=f"{_FILTER}.", rich_help_panel="Filters")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Set a field above what the matrix says, as in recipe.epochs=2 or seed=0,1,2; with += add to "
        "the values that it has, as in backend+=mine; repeatable.",
    ),
]
LogReport = Annotated[
    bool,
    typer.Option("--log-report", help="Attach the report's first page and pictures to the study in MLflow."),
]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results", envvar="BENCHSUITE_RESULTS", help="Folder of the studies [dim](default: results)[/dim]."
    ),
]
Name = Annotated[
    str | None, typer.Option("--name", help="Name of the study [dim](default: the matrix's name)[/dim].")
]
ExecutorName = Annotated[str, typer.Option("--executor", help="Who runs the trials.")]
Calibration = Annotated[
    str | None,
    typer.Option(
        "--calibration",
        metavar="measured|none",
        help="What decides how a backend runs where that is open: a measurement that this machine keeps, or "
        "the framework's own default. Short for --set protocol.calibration=VALUE.",
    ),
]
ExecutorOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--executor-option",
        metavar="NAME=VALUE",
        help="A setting of the executor, as in partition=gpu; repeatable (`benchsuite list executors`).",
    ),
]
Isolation = Annotated[
    str,
    typer.Option(
        "--isolation",
        metavar="worker|trial",
        help="Warm workers serve trials in turn, or every trial has a fresh process.",
    ),
]
Jobs = Annotated[
    str,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N|auto",
        envvar="BENCHSUITE_JOBS",
        help="Trials at the same time; auto: as many as there are cores for their threads, and memory. What is "
        "timed has the machine alone all the same.",
    ),
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="SECONDS|none", help="Time that a trial may take."),
]
Memory = Annotated[
    str,
    typer.Option(
        "--memory",
        metavar="SIZE|SHARE|none",
        help="Memory that a trial may use with all that it starts, as in 8GiB, or a share of what is free.",
    ),
]
Retry = Annotated[
    list[str] | None,
    typer.Option(
        "--retry",
        metavar="CAUSE=N",
        help="Try a trial again that ended so, as in lost=2; repeatable.",
    ),
]
Pythons = Annotated[
    list[str] | None,
    typer.Option(
        "--python",
        metavar="BACKEND=INTERPRETER",
        help="The Python that a backend lives in, where it is not this one; repeatable, or BENCHSUITE_PYTHON.",
    ),
]
Pin = Annotated[
    bool,
    typer.Option(
        "--pin/--no-pin",
        help="Keep each trial on processor cores of its own, as many as it has threads (Linux, CPU).",
    ),
]
Rerun = Annotated[
    str | None,
    typer.Option(
        "--rerun",
        metavar="failed|all",
        help="Run only what failed before, or everything [dim](default: new, failed and stale)[/dim].",
    ),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Only the I-th of N parts of the trials, into a study of its own, for `benchsuite merge`.",
    ),
]
Times = Annotated[
    str | None,
    typer.Option(
        "--times",
        metavar="STUDY",
        help="Balance the shards by the times of this study; every shard needs the same one.",
    ),
]
StudyName = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="A study's name in the results folder, its path, a bundle of it, or REPOSITORY/NAME of a "
        "published one.",
    ),
]
AllowDamage = Annotated[
    bool,
    typer.Option("--allow-damage", help="Go on although the journal has lines that are no records."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
