"""What a framework compiled or traced for a program, told by the program itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Compilation:
    """One function, compiled or traced for batches of one shape.

    function     `step`, `predict`, `gradients`, or another word of the backend's for what generation needs
    shape        of its inputs, as the backend lays them out: `28x32x8`; `any` for an axis of any length
    seconds      wall seconds that this took; cpu_seconds: processor seconds
    """

    function: str
    shape: str
    seconds: float
    cpu_seconds: float
