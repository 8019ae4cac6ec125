"""Every backend package has the same files for the same things: who knows one of them knows all."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.sources import ROOT

ROLES = {
    "backend": "devices, what is supported, build, the matrix product",
    "program": "the contract's Program",
    "model": "input to loss",
    "layers": "stacks of recurrent layers, embeddings",
    "cells": "one step of rnn, lstm and gru",
    "loops": "a cell over time",
    "operations": "what a cell is written in, in this framework",
    "generic": "a layer of any cell: a loop over steps",
    "affine_scan": "a layer of an affine cell: a scan over time",
    "fused": "the framework's own recurrent layers",
    "compilations": "what the framework compiled, where it does not tell",
    "compiled": "loops that the framework compiles",
    "attention": "the scores, their softmax and the context",
    "decoder": "the decoder under teacher forcing",
    "decoding": "the decoder while it generates",
    "heads": "readout, output layer, losses",
    "ctc": "the loss ctc",
    "convolution": "the convolutional baseline",
    "dropout": "the masks of dropout, where they act",
    "optimisers": "clipping and updates",
    "placement": "a batch on the device",
    "support": "what the framework or this machine lacks",
    "runtime": "devices, threads, settings of the framework",
}
REQUIRED = {"backend", "program", "model", "layers", "optimisers", "placement", "support", "runtime"}
FOLDERS = {"kernels", "reference", "frameworks"}
"""`kernels` may hold files of any name; `reference` keeps to the roles; `frameworks` has one file for each
framework that a library runs on."""

BACKENDS = sorted((ROOT / "backends").glob("benchsuite_*"))


def names(folder: Path) -> set[str]:
    """Modules and packages of a folder, without their endings."""
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")}


def test_all_backends_are_looked_at() -> None:
    assert {folder.name for folder in BACKENDS} >= {
        f"benchsuite_{name}" for name in ("numpy", "torch", "tensorflow", "jax", "keras")
    }


@pytest.mark.parametrize("folder", BACKENDS, ids=lambda folder: folder.name)
def test_files_have_the_names_of_their_roles(folder: Path) -> None:
    found = names(folder)
    assert found - set(ROLES) - FOLDERS == set()
    assert REQUIRED - found == set()
    if (folder / "reference").is_dir():
        assert names(folder / "reference") - set(ROLES) == set()
