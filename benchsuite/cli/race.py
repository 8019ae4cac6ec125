"""`benchsuite race`: trials of a study that run one model in several ways, timed side by side."""

from __future__ import annotations

import shlex
from contextlib import closing
from json import loads as json_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.interrupts import ended_by_signals, interrupted_code
from benchsuite.cli.output import console, print_json, table, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.running.races import Race, RaceGroup, RaceResults
    from benchsuite.running.study import StoredStudy
    from benchsuite.schema import Trial
    from benchsuite.schema.race import Racer, Rank

BUSY = 0.05
"""Share of the others' time above which a process that was not at rest is named."""


def race(
    study: given.StudyName,
    task: given.Tasks = None,
    source: given.Sources = None,
    cell: given.Cells = None,
    architecture: given.Architectures = None,
    backend: given.Backends = None,
    device: given.Devices = None,
    unroll: given.Unrolls = None,
    precision: given.Precisions = None,
    seed: given.Seeds = None,
    overrides: given.Overrides = None,
    rounds: Annotated[int, typer.Option("--rounds", help="How often each racer runs, 5 times or more.")] = 30,
    what: Annotated[
        str, typer.Option("--what", metavar="step|inference", help="Training steps, or predictions.")
    ] = "step",
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock",
            metavar="cpu|wall",
            help="Which time is judged [dim](default: cpu where every racer has one thread on the CPU, "
            "else wall)[/dim].",
        ),
    ] = None,
    results: given.Results = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", help="Seconds that a racer may take to get ready.")
    ] = None,
    pin: given.Pin = True,
    pythons: given.Pythons = None,
    json: given.AsJson = False,
) -> None:
    """Time trials of a study in turn that run one model and differ in backend, unroll, device, threads or
    allocator.

    All of them stay loaded; in each round every one runs once, in an order that is drawn anew. Who is faster is
    told by the ratios of the rounds, tested and corrected for all pairs. With --set other ways race than those
    that were recorded. The results are stored in the study's folder. Ends with 1 where a trial failed in its
    race, with 2 where there is nothing to race.
    """
    from benchsuite.errors import RequestError
    from benchsuite.measure.worker.racing import RACE_KINDS
    from benchsuite.running.races import run_races
    from benchsuite.running.races.runner import CLOCKS, LEAST_ROUNDS
    from benchsuite.running.races.workers import RaceRunner
    from benchsuite.running.store import RACES, StudyStore

    filters = request.filters(
        task=task, source=source, cell=cell, architecture=architecture, backend=backend, device=device,
        unroll=unroll, precision=precision, seed=seed,
    )  # fmt: skip
    request.check_choice("--what", what, RACE_KINDS)
    if rounds < LEAST_ROUNDS:
        raise RequestError(f"--rounds {rounds}: fewer than {LEAST_ROUNDS} rounds are not judged")
    request.check_choice("--clock", clock, CLOCKS)
    options = request.run_options("worker", 1, timeout, pythons, pin)
    found = _study(study, results)
    race_groups = _race_groups(found, filters, overrides or (), quiet=json)
    from benchsuite.cli.race_display import RaceDisplay

    store = StudyStore(found.folder)
    trials = [trial for group in race_groups for trial in group.racers.values()]
    with ended_by_signals(), store.writing(), closing(RaceRunner(trials, options)) as runner:
        if runner.remark:
            warn(runner.remark)
        with RaceDisplay(console(), len(race_groups), quiet=json) as shown:
            raced = run_races(
                found.folder, race_groups, runner, what=what, rounds=rounds, clock=clock, on_event=shown
            )
    if json:
        print_json(json_of(raced.model_dump_json()))
    else:
        for one in raced.races:
            print_race(one, raced)
        if raced.races:
            several = "s" if len(raced.races) > 1 else ""
            typer.echo(f"{len(raced.races)} race{several}, stored in {found.folder / RACES}")
    _end(raced)


def _study(name: str, results: Path | None) -> StoredStudy:
    """A study whose folder can be written. Raises RequestError for a bundle."""
    from benchsuite.cli.studies import open_study
    from benchsuite.errors import RequestError

    if name.endswith(".zip"):
        raise RequestError(
            f"{name} is a bundle, and races are stored in a study's folder: run its matrix here, or unpack it"
        )
    return open_study(name, results)


def _race_groups(
    study: StoredStudy, filters: dict[str, list[str]], overrides: Sequence[str], quiet: bool
) -> list[RaceGroup]:
    """Raises RequestError where there is nothing to race, and MatrixError for what --set cannot set."""
    from benchsuite.errors import RequestError
    from benchsuite.running.races import race_groups
    from benchsuite.running.races.workers import MOST_RACERS

    if not study.records:
        raise RequestError(f"study {study.name!r} has no records; `benchsuite run` makes some")
    chosen = _chosen(study, filters, overrides)
    found, alone = race_groups(study.records, "seed" in filters, lambda trial: chosen[trial.id])
    if not found:
        raise RequestError(_nothing(study, chosen))
    if quiet:
        return found
    if alone:
        typer.echo(f"{alone} model{'s' if alone > 1 else ''} of one trial only: no race")
    for group in found:
        if group.left:
            warn(
                f"{group.name}: {len(group.racers) + len(group.left)} trials could race, and no more than "
                f"{MOST_RACERS} may at once: the fastest do; choose others with --backend or --unroll"
            )
    return found


def _chosen(
    study: StoredStudy, filters: dict[str, list[str]], overrides: Sequence[str]
) -> dict[str, list[Trial]]:
    """Id of every recorded trial -> what --set makes of it, as far as the filters keep it."""
    from benchsuite.plugins import registry
    from benchsuite.running.matrix import Expansion, changed, narrow

    origin = f"study {study.name!r}"
    recorded = {record.trial_id: record.trial for record in study.records}
    made = {
        name: changed(trial, registry(), overrides, origin) if overrides else Expansion((trial,))
        for name, trial in recorded.items()
    }
    for reason in dict.fromkeys(skip.reason for one in made.values() for skip in one.skipped):
        warn(f"no race: {reason}")
    everything = Expansion(tuple({trial.id: trial for one in made.values() for trial in one.trials}.values()))
    kept = {trial.id for trial in narrow(everything, filters, origin).trials}
    return {name: [trial for trial in one.trials if trial.id in kept] for name, one in made.items()}


def _nothing(study: StoredStudy, chosen: dict[str, list[Trial]]) -> str:
    from benchsuite.analysis.validity import has_valid_timing

    records = [record for record in study.records if chosen[record.trial_id]]
    ranked = [record for record in records if has_valid_timing(record)]
    trials = {trial.id: trial for record in ranked for trial in chosen[record.trial_id]}
    if not trials:
        return (
            f"nothing to race: none of the {len(records)} trials chosen of {study.name} ended well, at parity, "
            f"with a valid timing; `benchsuite show {shlex.quote(study.name)}` says why"
        )
    if len(trials) == 1:
        return (
            f"nothing to race: only one trial is chosen, {study.label(next(iter(trials.values())))}; "
            "a race needs two of one model"
        )
    return (
        f"nothing to race: no two of the {len(trials)} trials chosen of {study.name} run the same model (task, "
        "cell, architecture, size, recipe, precision, seed) in different ways; run its matrix with several "
        "backends or unrolls, or set several values, as in --set threads=1,2"
    )


def print_race(one: Race, results: RaceResults) -> None:
    """The table of one race, what it does not tell apart, and what fell out of it."""
    from rich.text import Text

    out = console()
    if one.judgement is None:
        out.print(Text(f"{one.name}: no two racers finished enough rounds to be judged", style="bold"))
    else:
        unit = "training step" if results.what == "step" else "predicted batch"
        clock = "CPU" if one.clock == "cpu" else "wall"
        title = f"{one.name}: {clock} time of a {unit}, {one.judgement.rounds} rounds"
        racers = {racer.name: racer for racer in one.racers}
        columns = [
            "", "kernel", ">median", ">95 % interval", ">times the first", ">95 % interval", ">p", "", "",
        ]  # fmt: skip
        rows = [_rank_cells(rank, racers[rank.racer]) for rank in one.judgement.ranks]
        out.print(table(title, columns, rows))
        first = one.judgement.ranks[0].racer
        unsure = [
            f"{pair.racer} and {pair.other} ({pair.verdict})"
            for pair in one.judgement.pairwise
            if pair.other != first and pair.verdict in ("same", "unclear")
        ]
        if unsure:
            out.print(Text(f"not distinguishable either: {'; '.join(unsure)}"))
    for racer in one.racers:
        if racer.problem:
            where = "did not start" if racer.out_since is None else f"fell out in round {racer.out_since + 1}"
            out.print(Text(f"  {racer.name} {where}: {racer.problem.splitlines()[0]}"))


def _rank_cells(rank: Rank, racer: Racer) -> tuple[str, ...]:
    """Median and interval of a racer's rounds, and how many times the first one's time it took."""
    from benchsuite.report.formatting import format_value

    notes = ["not steady"] if rank.unstable else []
    notes += [] if racer.warm else ["not warm"]
    if racer.busy > BUSY:
        notes.append(f"at work while others ran ({format_value(racer.busy, form='share', rough=True)})")
    low, median, high = (format_value(value, form="seconds") for value in (rank.low, rank.median, rank.high))
    pair = rank.pair
    if pair is None:
        compared = ("1", "", "", "fastest")
    else:
        compared = (
            f"{pair.ratio:.3f}",
            f"{pair.low:.3f} to {pair.high:.3f}",
            format_value(pair.p, rough=True),
            str(pair.verdict),
        )
    return (rank.racer, racer.kernel, median, f"{low} to {high}", *compared, ", ".join(notes))


def _end(results: RaceResults) -> None:
    """Ends with 130 when interrupted, with 1 where a racer failed or nothing could be judged."""
    if results.interrupted:
        typer.echo("interrupted; what was raced is kept", err=True)
        raise typer.Exit(interrupted_code())
    broken = any(racer.broken for one in results.races for racer in one.racers)
    if broken or not all(one.judgement for one in results.races):
        raise typer.Exit(1)
