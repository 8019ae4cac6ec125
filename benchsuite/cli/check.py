"""`benchsuite check`: test a backend, a task or a cell against its contract, with the kit of the tests."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchsuite.contracts import BackendEntry
    from benchsuite.measure.worker.channel import CaseResult
    from benchsuite.running.checks import CheckEvent

app = typer.Typer(no_args_is_help=True, help="Test a backend, a task or a cell against its contract.")

GATE = "float64"
"""float64 is the gate of meaning: several wrong formulas slip through float32."""

CASE_SECONDS, SOURCE_SECONDS = 300.0, 1800.0
"""How long a case of a backend or its import, and a source of a task may take: it may be downloaded first."""

CELL_PRECISIONS = "float64,float32"
CELL_UNROLLS = ("dynamic", "static", "scan")
"""Those that may run any cell: the others are kernels of single cells."""

STATES = ("ok", "failed", "unsupported")

CaseTimeout = Annotated[float, typer.Option("--timeout", min=0.001, help="Seconds that each case may take.")]


@app.command()
def backend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A backend, see `benchsuite list backends`.")],
    precision: Annotated[str, typer.Option(help="float64, float32 or tf32.")] = GATE,
    unroll: Annotated[str, typer.Option(help="static, dynamic, fused, autograd; separated by commas.")] = "",
    device: Annotated[str, typer.Option(help="cpu, gpu or gpu:1.")] = "cpu",
    core: Annotated[
        bool, typer.Option("--core", help="Leave out what repeats a property on a further model.")
    ] = False,
    timeout: CaseTimeout = CASE_SECONDS,
    pythons: given.Pythons = None,
    json: given.AsJson = False,
) -> None:
    """Check a backend against the float64 reference: parity, invariances, truncation, clipping, optimisers.

    Runs in a worker process. A case that the backend says it does not support is no failure. Ends with 1 when a
    case failed, hung or ended the worker, and when no case was checked at all.
    """
    import sys

    from benchsuite.errors import UnknownNameError
    from benchsuite.running.checks import check_backend
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import PRECISIONS, UNROLLS, Execution

    entry = installed().backend(name)
    if precision not in PRECISIONS:
        raise UnknownNameError("precision", precision, PRECISIONS)
    unrolls = split_values(unroll) or list(UNROLLS)
    for each in unrolls:
        if each not in UNROLLS:
            raise UnknownNameError("unroll", each, UNROLLS)
    python = request.interpreters(pythons).get(entry.name, sys.executable)
    execution = Execution.model_validate({"precision": precision, "device": device})
    events = check_backend(entry.name, execution, unrolls, core=core, timeout=timeout, python=python)
    results = _follow(events, quiet=json)
    if json:
        print_json([{**vars(result), "precision": precision} for result in results])
    else:
        _print_counts(f"{entry.name} in {precision}", results)
    _end(entry.name, results)


@app.command()
def task(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A task, see `benchsuite list tasks`.")],
    source: Annotated[
        str,
        typer.Option(help="Sources, separated by commas [dim](default: those that need no download)[/dim]."),
    ] = "",
    timeout: CaseTimeout = SOURCE_SECONDS,
    json: given.AsJson = False,
) -> None:
    """Check the data, models and metrics of a task, on its sources that need no download or on those named.

    Runs in a worker process. Ends with 1 when a source failed, hung or ended the worker.
    """
    from benchsuite.errors import RequestError, UnknownNameError
    from benchsuite.running.checks import check_task
    from benchsuite.running.matrix import split_values

    entry = installed().task(name)
    sources = split_values(source) or list(entry.offline)
    if not sources:
        named = ", ".join(entry.sources)
        raise RequestError(f"every source of {name} needs a download: name some with --source ({named})")
    for each in sources:
        if each not in entry.sources:
            raise UnknownNameError(f"source of {name}", each, entry.sources)
    results = _follow(check_task(entry.name, sources, timeout=timeout), quiet=json)
    if json:
        print_json([vars(result) for result in results])
    else:
        for result in results:
            if result.status == "ok":
                typer.echo(f"ok      {result.check}")
    _end(entry.name, results)


@app.command()
def cell(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cell, see `benchsuite list cells`.")],
    backend: Annotated[
        str,
        typer.Option(help="Backends, separated by commas [dim](default: all that are installed)[/dim]."),
    ] = "",
    precision: Annotated[str, typer.Option(help="float64, float32; separated by commas.")] = CELL_PRECISIONS,
    unroll: Annotated[str, typer.Option(help="dynamic, static, scan; separated by commas.")] = "",
    device: Annotated[str, typer.Option(help="cpu, gpu or gpu:1.")] = "cpu",
    timeout: CaseTimeout = CASE_SECONDS,
    pythons: given.Pythons = None,
    json: given.AsJson = False,
) -> None:
    """Check a cell by itself, and small models of it in each backend against the float64 reference.

    By itself: its declarations, initial values, operations, rows and states, its affine form, small and large
    inputs, long rows, its products. In a backend: parity, gradients held to finite differences, padding,
    companions, truncation, carried states, decoders. Ends with 1 when a case failed, hung or ended a worker.
    """
    import sys

    from benchsuite.errors import UnknownNameError
    from benchsuite.running.checks import check_cell, check_cell_models
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import PRECISIONS, UNROLLS, Execution

    found = installed()
    entry = found.cell(name)
    unrolls = split_values(unroll) or list(CELL_UNROLLS)
    precisions = split_values(precision)
    for kind, values, known in (("precision", precisions, PRECISIONS), ("unroll", unrolls, UNROLLS)):
        for each in values:
            if each not in known:
                raise UnknownNameError(kind, each, known)
    chosen = request.interpreters(pythons)
    names = [found.backend(each).name for each in split_values(backend)]
    names = names or [each.name for each in found.backends.values() if each.name in chosen or _is_here(each)]
    python = chosen.get(found.reference().name, sys.executable)
    alone = _follow(check_cell(entry.name, timeout=timeout, python=python), quiet=json)
    rows = [vars(result) for result in alone]
    if not json:
        _print_counts(f"{entry.name} by itself", alone)
    results = list(alone)
    for backend_name, each in itertools.product(names, precisions):
        execution = Execution.model_validate({"precision": each, "device": device})
        python = chosen.get(backend_name, sys.executable)
        events = check_cell_models(
            entry.name, backend_name, execution, unrolls, timeout=timeout, python=python
        )
        there = _follow(events, quiet=json)
        results += there
        rows += [{**vars(result), "backend": backend_name, "precision": each} for result in there]
        if not json:
            _print_counts(f"{entry.name} in {backend_name}, {each}", there)
    if json:
        print_json(rows)
    _end(entry.name, results)


def _is_here(entry: BackendEntry) -> bool:
    """Whether what the backend needs is installed in this interpreter."""
    from benchsuite.plugins import is_installed

    return all(map(is_installed, entry.requirements))


def _follow(events: Iterable[CheckEvent], quiet: bool) -> list[CaseResult]:
    """The results. Unless `quiet`, failures are printed as they come and a terminal shows what is checked."""
    from rich.markup import escape
    from rich.status import Status

    from benchsuite.measure.worker.channel import CaseStarted

    out = console()
    results: list[CaseResult] = []
    if quiet or not out.is_terminal:
        for event in events:
            if not isinstance(event, CaseStarted):
                results.append(event)
                _print_failure(event, quiet)
        return results
    with Status("loading", console=out) as status:
        for event in events:
            if isinstance(event, CaseStarted):
                now = escape(_name(event.check, event.unroll))
                status.update(f"{len(results)} checked; now {now}")
            else:
                results.append(event)
                _print_failure(event, quiet)
    return results


def _print_failure(result: CaseResult, quiet: bool) -> None:
    if result.status == "failed" and not quiet:
        typer.echo(f"failed  {_name(result.check, result.unroll)}: {result.message}")


def _name(check: str, unroll: str) -> str:
    return f"{check} {unroll}".rstrip()


def _print_counts(title: str, results: Sequence[CaseResult]) -> None:
    """How many cases of each check ended how, and why some are not supported."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for result in results:
        kind = result.check.partition("[")[0].replace("_", " ")
        by_status = counts.setdefault((kind, result.unroll), dict.fromkeys(STATES, 0))
        by_status[result.status] += 1
    rows = [
        [kind, unroll, *(str(by_status[state] or "") for state in STATES)]
        for (kind, unroll), by_status in counts.items()
    ]
    console().print(table(title, ["check", "unroll", *(f">{state}" for state in STATES)], rows))
    reasons = {(result.unroll, result.message) for result in results if result.status == "unsupported"}
    for unroll, reason in sorted(reasons):
        typer.echo(f"unsupported  {unroll}: {reason}")


def _end(name: str, results: Sequence[CaseResult]) -> None:
    """Ends with 1 where a case failed, and where none was checked."""
    if not any(result.status in ("ok", "failed") for result in results):
        why = "no case is supported" if results else "there was no case"
        typer.echo(f"nothing of {name} was checked: {why}", err=True)
        raise typer.Exit(1)
    if any(result.status == "failed" for result in results):
        raise typer.Exit(1)
