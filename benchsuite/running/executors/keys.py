"""What makes two trials share a worker: interpreter, backend, device, environment variables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.contracts import BackendEntry
from benchsuite.errors import PluginError, UnknownNameError
from benchsuite.running.executors.variables import worker_variables
from benchsuite.schema import Execution
from benchsuite.schema.texts import described


@dataclass(frozen=True)
class WorkerKey:
    """What two trials must share to be served by one worker."""

    python: str
    backend: str
    device: str
    variables: tuple[tuple[str, str], ...]


def worker_key(
    backends: Mapping[str, BackendEntry],
    pythons: Mapping[str, str],
    backend: str,
    execution: Execution,
    core: bool = False,
) -> WorkerKey:
    """The worker that a trial of `backend` and `execution` needs.

    :param backends: those that are known. :param pythons: backend -> interpreter, where it is not this one.
    :param core: it is no trial but the core of the conformance kit, see BackendEntry.core_environment.

    Raises UnknownNameError for another backend, PluginError for one that cannot name its variables.
    """
    if backend not in backends:
        raise UnknownNameError("backend", backend, backends)
    try:
        variables = worker_variables(backends[backend], execution, core)
    except Exception as error:  # the plugin's own code: its failure is the reason for its trials alone
        raise PluginError(f"backend {backend!r} cannot name its environment: {described(error)}") from error
    python = pythons.get(backend, sys.executable)
    return WorkerKey(python, backend, execution.device, tuple(sorted(variables.items())))
