"""`benchsuite check`: test a backend, a task or a cell against its contract, with the kit of the tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.check_results import TypedCommand
from benchsuite.cli.single_options import Commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchsuite.contracts import BackendEntry
    from benchsuite.plugins import Registry

app = Commands(no_args_is_help=True, help="Test a backend, a task or a cell against its contract.")

BOTH_PRECISIONS = "float64,float32"
"""float64 is the gate of meaning: several wrong formulas slip through float32. float32 is what is timed."""

CORE_PRECISION, CORE_UNROLL = "float64", "dynamic"
"""What --core checks where nothing else is asked for: a framework that compiles takes minutes for more."""

CASE_SECONDS, SOURCE_SECONDS = 300.0, 1800.0
"""How long a case of a backend or its import, and a source of a task may take: it may be downloaded first."""

CELL_UNROLLS = ("dynamic", "static", "scan")
"""Those that may run any cell: the others are kernels of single cells."""

Precision = Annotated[str, typer.Option(help="float64, float32, tf32; separated by commas.")]
OnDevice = Annotated[str, typer.Option(help="cpu, gpu or gpu:1.")]
CaseTimeout = Annotated[
    float, typer.Option("--timeout", min=0.001, help="Seconds that each case may take; it alone then fails.")
]
Cases = Annotated[
    str,
    typer.Option(
        "--case",
        metavar="PATTERN",
        help="Only these cases, separated by commas: a name, a check's name, or a pattern with * and ?.",
    ),
]
OnlyNames = Annotated[bool, typer.Option("--list-cases", help="Print the names of the cases and end.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="End at the first case that fails.")]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Begin anew, where a check that was interrupted would otherwise go on."),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Show each failure with traceback and whole message.")
]
ResultsFolder = Annotated[
    Path | None,
    typer.Option(
        "--results",
        help="Where results are kept until the check is finished [dim](default: in the user's cache)[/dim].",
    ),
]


@app.command()
def backend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A backend, see `benchsuite list backends`.")],
    precision: Annotated[
        str,
        typer.Option(
            help="float64, float32, tf32; with commas [dim](float64,float32; with --core float64)[/dim]."
        ),
    ] = "",
    unroll: Annotated[
        str,
        typer.Option(
            help="static, dynamic, fused, autograd, compiled, scan; with commas [dim](all but compiled, which "
            "takes minutes; with --core dynamic)[/dim]."
        ),
    ] = "",
    device: OnDevice = "cpu",
    core: Annotated[
        bool,
        typer.Option("--core", help="Each rule once, on few models, for an answer while one develops."),
    ] = False,
    case: Cases = "",
    list_cases: OnlyNames = False,
    fail_fast: FailFast = False,
    fresh: Fresh = False,
    timeout: CaseTimeout = CASE_SECONDS,
    pythons: given.Pythons = None,
    results: ResultsFolder = None,
    verbose: Verbose = False,
    json: given.AsJson = False,
) -> None:
    """Check a backend against the float64 reference: parity, invariances, truncation, clipping, optimisers.

    Runs in a worker process per precision. A case that the backend says it does not support is no failure.
    Ends with 1 when a case failed, hung or ended the worker, and when no case was checked at all. The same
    command goes on with a check that was interrupted.
    """
    from benchsuite.cli.check_run import CheckOptions, CheckPart, run_parts
    from benchsuite.running.checks import check_backend
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import UNROLLS, Execution
    from benchsuite.schema.names import COMPILED_UNROLL

    entry = _plugins("backend", name).backend(name)
    precisions = _precisions(precision or (CORE_PRECISION if core else BOTH_PRECISIONS))
    unrolls = split_values(
        unroll or (CORE_UNROLL if core else ",".join(name for name in UNROLLS if name != COMPILED_UNROLL))
    )
    _check_known("unroll", unrolls, UNROLLS)
    python = request.interpreters(pythons).get(entry.name, sys.executable)
    parts = [
        CheckPart(
            f"{entry.name} in {each}",
            {"precision": each},
            check_backend(
                entry.name,
                Execution.model_validate({"precision": each, "device": device}),
                unrolls,
                core=core,
                timeout=timeout,
                python=python,
            ),
        )
        for each in precisions
    ]
    options = {"precision": precision, "unroll": unroll, "core": "yes" if core else "", "case": case}
    options["python"] = "" if python == sys.executable else f"{entry.name}={python}"
    command = _typed("backend", entry.name, options, device, results, timeout)
    wanted = CheckOptions(split_values(case), list_cases, fail_fast, fresh, results, verbose, json)
    run_parts(entry.name, parts, wanted, command)


@app.command()
def task(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A task, see `benchsuite list tasks`.")],
    source: Annotated[
        str,
        typer.Option(help="Sources, separated by commas [dim](default: those whose data are here)[/dim]."),
    ] = "",
    timeout: CaseTimeout = SOURCE_SECONDS,
    fail_fast: FailFast = False,
    verbose: Verbose = False,
    json: given.AsJson = False,
) -> None:
    """Check the data, models and metrics of a task, on the sources that are here or on those named.

    Without --source nothing is downloaded, and the sources that are not here are named. Runs in a worker
    process. Ends with 1 when a source failed, hung or ended the worker, and when none was checked.
    """
    from benchsuite.cli.check_run import CheckOptions, CheckPart, run_parts
    from benchsuite.errors import UnknownNameError
    from benchsuite.running.checks import check_task
    from benchsuite.running.matrix import split_values

    entry = _plugins("task", name).task(name)
    named = split_values(source)
    for each in named:
        if each not in entry.sources:
            raise UnknownNameError(f"source of {name}", each, entry.sources)
    check = check_task(entry.name, named or list(entry.sources), download=bool(named), timeout=timeout)
    wanted = CheckOptions([], False, fail_fast, True, None, verbose, json)
    run_parts(entry.name, [CheckPart("", {}, check)], wanted, TypedCommand(("check", "task", entry.name)))


@app.command()
def cell(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cell, see `benchsuite list cells`.")],
    backend: Annotated[
        str,
        typer.Option(help="Backends, separated by commas [dim](default: all that are installed)[/dim]."),
    ] = "",
    precision: Precision = BOTH_PRECISIONS,
    unroll: Annotated[str, typer.Option(help="dynamic, static, scan; separated by commas.")] = "",
    device: OnDevice = "cpu",
    case: Cases = "",
    list_cases: OnlyNames = False,
    fail_fast: FailFast = False,
    fresh: Fresh = False,
    timeout: CaseTimeout = CASE_SECONDS,
    pythons: given.Pythons = None,
    results: ResultsFolder = None,
    verbose: Verbose = False,
    json: given.AsJson = False,
) -> None:
    """Check a cell by itself, and small models of it in each backend against the float64 reference.

    By itself: its declarations, initial values, operations, rows and states, its affine form, small and large
    inputs, long rows, its products. In a backend: parity, gradients held to finite differences, padding,
    companions, truncation, carried states, decoders. Ends with 1 when a case failed, hung or ended a worker.
    The same command goes on with a check that was interrupted.
    """
    from benchsuite.cli.check_run import CheckOptions, CheckPart, run_parts
    from benchsuite.running.checks import check_cell, check_cell_models
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import UNROLLS, Execution

    found = _plugins("cell", name)
    entry = found.cell(name)
    unrolls = split_values(unroll) or list(CELL_UNROLLS)
    _check_known("unroll", unrolls, UNROLLS)
    precisions = _precisions(precision)
    chosen = request.interpreters(pythons)
    names = [found.backend(each).name for each in split_values(backend)]
    names = names or [each.name for each in found.backends.values() if each.name in chosen or _is_here(each)]
    python = chosen.get(found.reference().name, sys.executable)
    alone = check_cell(entry.name, timeout=timeout, python=python)
    parts = [CheckPart(f"{entry.name} by itself", {}, alone)]
    parts += [
        CheckPart(
            f"{entry.name} in {backend_name}, {each}",
            {"backend": backend_name, "precision": each},
            check_cell_models(
                entry.name,
                backend_name,
                Execution.model_validate({"precision": each, "device": device}),
                unrolls,
                timeout=timeout,
                python=chosen.get(backend_name, sys.executable),
            ),
        )
        for backend_name in names
        for each in precisions
    ]
    options = {"backend": backend, "unroll": unroll, "case": case}
    options["precision"] = "" if precision == BOTH_PRECISIONS else precision
    command = _typed("cell", entry.name, options, device, results, timeout)
    wanted = CheckOptions(split_values(case), list_cases, fail_fast, fresh, results, verbose, json)
    run_parts(entry.name, parts, wanted, command)


def _plugins(kind: str, name: str) -> Registry:
    """The installed plugins. Raises RequestError where `name` is not registered and a broken plugin may be the
    reason."""
    from benchsuite.cli.output import installed
    from benchsuite.errors import RequestError
    from benchsuite.plugins import registry

    found = registry()
    known = {"backend": list(found.backends), "task": list(found.tasks), "cell": list(found.cells)}[kind]
    if name not in known and found.problems:
        broken = "; ".join(
            f"plugin {one.name} of {one.distribution} {one.version}: {one.problem}" for one in found.problems
        )
        raise RequestError(
            f"no {kind} {name!r} is registered, and what is broken may be the reason: {broken}"
        )
    return installed()


def _precisions(text: str) -> list[str]:
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import PRECISIONS

    found = split_values(text)
    _check_known("precision", found, PRECISIONS)
    return found


def _check_known(kind: str, values: Sequence[str], known: Iterable[str]) -> None:
    """Raises UnknownNameError for a value that is not known, RequestError where there is none."""
    from benchsuite.errors import RequestError, UnknownNameError

    allowed = list(known)
    if not values:
        raise RequestError(f"--{kind} names nothing: give values, or leave it out")
    for each in values:
        if each not in allowed:
            raise UnknownNameError(kind, each, allowed)


def _typed(
    kind: str, name: str, options: dict[str, str], device: str, results: Path | None, timeout: float
) -> TypedCommand:
    """The command as it was typed, which the lines that run a case again repeat: its options, and those that
    backends and cells have alike. An option that has its default is ""."""
    alike = {
        "device": "" if device == "cpu" else device,
        "results": "" if results is None else str(results),
        "timeout": "" if timeout == CASE_SECONDS else f"{timeout:g}",
    }
    return TypedCommand(("check", kind, name), options | alike)


def _is_here(entry: BackendEntry) -> bool:
    """Whether what the backend needs is installed in this interpreter."""
    from benchsuite.plugins import is_installed

    return all(map(is_installed, entry.requirements))
