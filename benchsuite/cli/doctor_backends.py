"""What `benchsuite doctor` finds of the environments and the backends: versions, devices, kernels, parity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchsuite.cli.output import installed

if TYPE_CHECKING:
    from benchsuite.contracts import BackendInfo, Executor
    from benchsuite.plugins import Registry
    from benchsuite.running.environments import Environment
    from benchsuite.schema import Record, Trial

Finding = tuple[str, str, str]
"""(what was looked at, `ok`, `missing`, `warning` or `problem`, what was found or what to do)"""

MATRIX = "smoke"
"""Where the trial comes from that parity is checked with: a tiny one that needs no download."""


def environments() -> Iterator[Finding]:
    """Each environment: whether it works, has this version and the plugins that trials of this Python need."""
    from benchsuite.running.environments import registered, serving
    from benchsuite.running.environments.registration import unreadable

    used = serving()
    for one in registered():
        mine = ", ".join(backend for backend in one.backends if used[backend] == one)
        words = f"Python {one.python}, used for {mine}" if mine else f"Python {one.python}, used for nothing"
        state, problem = _environment_problem(one)
        yield f"environment {one.name}", state, "; ".join(filter(None, [words, str(one.folder), problem]))
    for name, problem in unreadable().items():
        yield f"environment {name}", "problem", f"{problem}; run: benchsuite env remove {name}"


def _environment_problem(one: Environment) -> tuple[str, str]:
    """The state of an environment, and what is wrong with it and what mends that, or ""."""
    from importlib.metadata import version

    from benchsuite.cli.environments import unknown_backend
    from benchsuite.errors import RequestError
    from benchsuite.running.environments.question import ask

    found = installed()
    what = one.backends[0] if one.backends[0] in found.backends else one.source
    again = f"run: benchsuite env create {what} --name {one.name} --replace"
    try:
        answer = ask(one.interpreter)
    except RequestError as error:
        return "problem", f"{error}; {again}"
    if answer.benchsuite != version("benchsuite"):
        return (
            "warning",
            f"it has benchsuite {answer.benchsuite}, this Python {version('benchsuite')}; {again}",
        )
    unknown = [backend for backend in one.backends if backend not in found.backends]
    if unknown:
        return "warning", unknown_backend(unknown[0], one)
    missing = sorted(_needed(found) - set(answer.plugins))
    if missing:
        more = " ".join(f"--with {name}" for name in missing)
        return "warning", f"it lacks tasks or cells of {', '.join(missing)}; {again} {more}"
    return "ok", ""


def _needed(found: Registry) -> set[str]:
    """Distributions with a task or a cell: a worker loads those itself."""
    kinds = ("task:", "cell:")
    return {owner.distribution for name, owner in found.owners.items() if name.startswith(kinds)}


def backends() -> Iterator[Finding]:
    """Each backend, asked of a worker in its own interpreter; those that work are tried on one batch."""
    from benchsuite.contracts import RunOptions
    from benchsuite.running.environments import serving

    found, used = installed(), serving()
    with found.executor("local").load(RunOptions()) as executor:
        infos = executor.describe_backends(sorted(found.backends))
        for info in infos:
            yield _described(info, used.get(info.backend))
        yield from _parity(executor, found, [info.backend for info in infos if not info.problem])
    if not any(not info.problem for info in infos):
        yield "backends", "problem", "none works; run: pip install 'benchsuite[all]'"


def _described(info: BackendInfo, environment: Environment | None) -> Finding:
    what = f"backend {info.backend}"
    if info.problem:
        hint = (
            f"; or run: benchsuite env create {info.backend}" if not environment and not info.broken else ""
        )
        return what, "problem" if info.broken else "missing", f"{info.problem}{hint}"
    devices = ", ".join(f"{name} ({text})" for name, text in info.devices.items())
    versions = ", ".join(f"{name} {text}" for name, text in info.versions.items())
    where = f"environment {environment.name}" if environment else "this environment"
    return what, "ok", f"{versions}; {devices}; Python {info.python}, {where}"


def _parity(executor: Executor, found: Registry, names: list[str]) -> Iterator[Finding]:
    """One tiny trial per backend: it is compared with the reference on its first batch."""
    from benchsuite.contracts import Finished

    trials = _trials(found, names)
    supported = dict(zip(trials, executor.check_support(list(trials.values())), strict=True))
    for name, support in supported.items():
        if support.reason is not None:
            yield f"parity of {name}", "problem" if support.broken else "missing", support.reason
    able = [trial for name, trial in trials.items() if supported[name].reason is None]
    for event in executor.run(able):
        if isinstance(event, Finished):
            yield _judged(event.record)


def _trials(found: Registry, names: list[str]) -> dict[str, Trial]:
    """Backend -> its trial of the matrix MATRIX; empty where its task is not here."""
    from benchsuite.errors import BenchsuiteError
    from benchsuite.running.matrix import load_matrix, select

    if not names:
        return {}
    try:
        expanded = select(load_matrix(MATRIX), found, {}, [f"backend={','.join(names)}"])
    except BenchsuiteError:  # a plugin that the matrix needs is broken: its own finding says so
        return {}
    return {trial.backend: trial for trial in expanded.trials}


def _judged(record: Record) -> Finding:
    from benchsuite.analysis.validity import breaks_parity, parity_checked

    what = f"parity of {record.trial.backend}"
    if not parity_checked(record):
        why = record.reason or "the record has no verdict on parity"
        return what, "missing" if record.status == "skipped" else "problem", f"not checked: {why}"
    share = record.scalars.get("parity/worst_ratio", float("nan"))
    words = f"largest error {share:.3g} of its tolerance, kernel {record.kernel or 'not known'}"
    if breaks_parity(record):
        return what, "problem", f"{words}; run: benchsuite check backend {record.trial.backend}"
    return what, "ok", words
