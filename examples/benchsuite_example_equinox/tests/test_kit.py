"""benchsuite's own kit, inherited. It takes minutes, since JAX compiles every case; `pytest -k "lstm-plain"` is
a part. The module is its own because JAX must not have been imported before the kit sets its precision."""

from __future__ import annotations

from benchsuite.pytest_plugin.kits import BackendKit


class TestEquinox(BackendKit):
    name = "equinox"
    precisions = ("float64",)
    unrolls = ("dynamic", "static", "autograd")
