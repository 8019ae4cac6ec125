"""The backend `new_backend`. Every benchsuite command imports this module: it imports no framework."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Backend, BackendEntry


def _load() -> Backend:
    from benchsuite_new_backend.backend import NewBackend

    return NewBackend()


@hookimpl
def benchsuite_register_backends() -> Iterable[BackendEntry]:
    return [
        BackendEntry(
            name="new_backend",
            load=_load,
            summary="single layers of rnn, lstm and gru in NumPy, differentiated by autograd",
            requirements=("autograd",),  # distributions that its interpreter must have
            extra=None,
        )
    ]
