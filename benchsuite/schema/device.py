"""Device names, as a trial's `execution.device` has them: `cpu`, `gpu`, `gpu:1`."""

from __future__ import annotations

import re
from typing import NamedTuple

from benchsuite.errors import UnsupportedError

DEVICE = re.compile(r"([a-z]+)(?::(\d+))?")


class DeviceName(NamedTuple):
    """A device: its kind (`cpu`, `gpu`) and its number among them, counted from 0. `str()` gives `gpu`,
    `gpu:1`."""

    kind: str
    number: int = 0

    @classmethod
    def parse(cls, name: str) -> DeviceName:
        """`gpu:1` -> ("gpu", 1). Raises UnsupportedError for text that is no device name."""
        found = DEVICE.fullmatch(name)
        if found is None:
            raise UnsupportedError(f"{name!r} is no device name; write cpu, gpu, or gpu:1 for the second GPU")
        return cls(found[1], int(found[2] or 0))

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" if self.number else self.kind
