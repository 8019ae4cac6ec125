"""Hypothesis for shared machines: equal examples every time, and no deadline, which is a bet on load. Fixtures
that several folders use."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path

from fixtures.cells import example_cells
from hypothesis import settings

__all__ = ["example_cells"]

# the environments of whoever runs the tests are not for them, and their calibrations not ours
os.environ["BENCHSUITE_CALIBRATION"] = str(Path(tempfile.gettempdir()) / "benchsuite-test-calibration")
os.environ["BENCHSUITE_ENVS"] = str(Path(tempfile.gettempdir()) / "benchsuite-no-environments")

# other test runs on this machine are not waited for
os.environ["BENCHSUITE_JOBS"] = "1"
os.environ["BENCHSUITE_RUNTIME"] = tempfile.mkdtemp(prefix="benchsuite-tests-")

# `nohup` and a shell's `&` leave signals ignored for all that is started: the tests that send them would wait
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGHUP", "SIGQUIT"):
    if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, name), signal.SIG_DFL)

# a CUDA build of PyTorch brings triton, whose import after TensorFlow ends the process with a segmentation
# fault (Triton 3.7, TensorFlow 2.21); before it, both work
with contextlib.suppress(ImportError):
    import triton  # noqa: F401

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
