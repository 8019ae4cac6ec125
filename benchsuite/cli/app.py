"""The application: every command group, and how errors end it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from benchsuite.cli import (
    bundle,
    calibrate,
    cancel,
    check,
    compare,
    data,
    doctor,
    environments,
    export,
    listing,
    merge,
    new,
    plan,
    publish,
    race,
    report,
    reproduce,
    run,
    show,
    site,
    studies,
    sync,
    verify,
)
from benchsuite.cli.interrupts import interrupted_code
from benchsuite.cli.single_options import Commands
from benchsuite.cli.streams import give_up_stream
from benchsuite.errors import BenchsuiteError


class ErrorGroup(TyperGroup):
    """Prints what went wrong without a traceback; a traceback means a defect of benchsuite itself."""

    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # here, where what goes wrong can still be said
                studies.close_bundles()
        except BenchsuiteError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            raise  # the reader has closed the pipe: click ends quietly
        except OSError as error:
            typer.echo(f"error: {error}", err=True)
            give_up_stream(sys.stdout)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("interrupted; what is recorded is kept, run the same command to go on", err=True)
            raise typer.Exit(interrupted_code()) from None


app = Commands(
    cls=ErrorGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Benchmarks of recurrent sequence models: same mathematics, same weights, same batches in every "
    "framework, proved before anything is timed.",
    epilog="Start with [bold]benchsuite run quick[/bold].",
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"benchsuite {version('benchsuite')}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    del version


app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("list")(listing.list_)
app.command("show")(show.show)
app.command("export")(export.export)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("race")(race.race)
app.command("reproduce")(reproduce.reproduce)
app.command("calibrate")(calibrate.calibrate)
app.command("merge")(merge.merge)
app.command("cancel")(cancel.cancel)
app.command("bundle")(bundle.bundle)
app.command("publish")(publish.publish)
app.command("site")(site.site)
app.command("verify")(verify.verify)
app.add_typer(data.app, name="data")
app.add_typer(check.app, name="check")
app.command("new")(new.new)
app.add_typer(environments.app, name="env")
app.command("sync")(sync.sync)
app.command("doctor")(doctor.doctor)
