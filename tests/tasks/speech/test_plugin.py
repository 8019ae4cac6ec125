"""What the two tasks of spoken digits share: their entries, sources and architectures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from fixtures.speech import DIGIT, spoken, strings
from fixtures.tasks import load_task

from benchsuite.contracts import LoadedTask
from benchsuite.errors import UnknownNameError, UnsupportedError
from benchsuite.schema import Size
from benchsuite_speech.task import LoadedSpeech


def test_listing_the_tasks_imports_nothing_heavy() -> None:
    code = (
        "import sys, benchsuite_speech as m; m.benchsuite_register_tasks();"
        "print([n for n in ('sklearn', 'scipy', 'jiwer', 'pooch', 'requests') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="fsdd, tones"):
        load_task(LoadedSpeech, DIGIT, "timit")


@pytest.mark.parametrize("load", [spoken, strings])
def test_an_architecture_without_use_is_refused(load: Callable[[], LoadedTask]) -> None:
    with pytest.raises(UnsupportedError, match="plain, deep"):
        load().model("cnn", "lstm", Size())
