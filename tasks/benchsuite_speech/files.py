"""The pinned file of the speech tasks."""

from __future__ import annotations

from benchsuite.data import DataFile

FSDD = DataFile(
    "fsdd-1.0.10.zip",
    "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
    "c680098f5d2355ba7cc4bd8b0ca9e0a24c00ebe3b4c552208889a4d28d4fbc2b",
    16_419_872,
    "CC BY-SA 4.0",
)
