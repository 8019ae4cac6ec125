"""`benchsuite check`: hold a backend or a task to its contract, with the same kit that the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchsuite.contracts import BackendEntry

app = typer.Typer(no_args_is_help=True, help="Hold a backend or a task to its contract.")

GATE = "float64"
"""float64 is the gate of meaning: several wrong formulas slip through float32."""


@app.command()
def backend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A backend, see `benchsuite list backends`.")],
    precision: Annotated[str, typer.Option(help="float64, float32 or tf32.")] = GATE,
    unroll: Annotated[str, typer.Option(help="static, dynamic, fused, autograd; separated by commas.")] = "",
    device: Annotated[str, typer.Option(help="cpu, gpu or gpu:1.")] = "cpu",
    core: Annotated[
        bool, typer.Option("--core", help="Leave out what repeats a property on more models.")
    ] = False,
    json: given.AsJson = False,
) -> None:
    """Parity, invariances, truncation, clipping and optimisers of a backend against the float64 reference.

    Runs in a process of its own; ends with 1 when a check fails. A case that the backend says it does not
    support is no failure.
    """
    from benchsuite.errors import UnknownNameError
    from benchsuite.running.matrix import split_values
    from benchsuite.schema import PRECISIONS, UNROLLS

    entry = installed().backend(name)
    if precision not in PRECISIONS:
        raise UnknownNameError("precision", precision, PRECISIONS)
    unrolls = split_values(unroll)
    for each in unrolls:
        if each not in UNROLLS:
            raise UnknownNameError("unroll", each, UNROLLS)
    arguments = [name, precision, *unrolls, "--device", device, *(["--core"] if core else [])]
    results = list(_conformance(entry, precision, arguments))
    if json:
        print_json(results)
    else:
        _print_results(name, precision, results)
    if any(result["status"] == "failed" for result in results):
        raise typer.Exit(1)


@app.command()
def task(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A task, see `benchsuite list tasks`.")],
    source: Annotated[
        str,
        typer.Option(help="Sources, separated by commas [dim](default: those that need no download)[/dim]."),
    ] = "",
) -> None:
    """The data, models and metrics of a task, on its sources that need no download or those named."""
    from benchsuite.errors import BenchsuiteError, UnknownNameError
    from benchsuite.measure.conformance.tasks import check_task
    from benchsuite.running.matrix import split_values

    entry = installed().task(name)
    sources = split_values(source) or list(entry.offline)
    for each in sources:
        if each not in entry.sources:
            raise UnknownNameError(f"source of {name}", each, entry.sources)
    failed = False
    for each in sources:
        try:
            check_task(entry, each)
            typer.echo(f"ok      {name} {each}")
        except BenchsuiteError as error:
            failed = True
            typer.echo(f"failed  {name} {each}: {error}")
    if failed:
        raise typer.Exit(1)


def _conformance(entry: BackendEntry, precision: str, arguments: list[str]) -> Iterator[dict[str, Any]]:
    """Results of the kit, as they come. Raises WorkerError when its process ends before it is done."""
    import json
    import os
    import subprocess
    import sys
    import tempfile

    from benchsuite.errors import WorkerError
    from benchsuite.running.executors.variables import worker_variables
    from benchsuite.schema import Execution

    execution = Execution.model_validate({"precision": precision})
    variables = {**os.environ, **worker_variables(entry, execution)}
    command = [sys.executable, "-m", "benchsuite.measure.conformance", *arguments]
    with tempfile.TemporaryFile("w+") as log:
        with subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if line.startswith("{"):  # frameworks print on stdout too
                        yield json.loads(line)
            except BaseException:
                process.kill()
                raise
        if process.returncode not in (0, 1):
            log.seek(0)
            tail = "".join(log.readlines()[-10:])
            raise WorkerError(f"the check of {entry.name} ended with {process.returncode}\n{tail}".rstrip())


def _print_results(name: str, precision: str, results: list[dict[str, Any]]) -> None:
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for result in results:
        kind = result["check"].partition("[")[0].replace("_", " ")
        by_status = counts.setdefault((kind, result["unroll"]), {})
        by_status[result["status"]] = by_status.get(result["status"], 0) + 1
    states = ("ok", "failed", "unsupported")
    rows = [
        [kind, unroll, *(str(by_status.get(state, "")) for state in states)]
        for (kind, unroll), by_status in counts.items()
    ]
    out = console()
    out.print(table(f"{name} in {precision}", ["check", "unroll", *(f">{state}" for state in states)], rows))
    for result in results:
        if result["status"] == "failed":
            typer.echo(f"failed  {result['check']} {result['unroll']}: {result['message']}")
    reasons = {
        (result["unroll"], result["message"]) for result in results if result["status"] == "unsupported"
    }
    for unroll, reason in sorted(reasons):
        typer.echo(f"unsupported  {unroll}: {reason}")
