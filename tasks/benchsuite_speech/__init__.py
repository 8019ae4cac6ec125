"""The tasks `speech` (which digit was spoken?) and `speech_strings` (which digits, in which order?).

    fsdd   Free Spoken Digit Dataset 1.0.10: 3,000 recordings at 8 kHz, six speakers, 50 of every digit each.
           Jackson et al., github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0
    tones  1,200 digits from a small formant synthesiser with six voices (tones.py); needs no download

Both are read as log-mel energies, normalised by clip: levels differ sixteen-fold between speakers
(features.py). Two splits:

    official  recordings 0 to 4 of each speaker and digit are the test split, as the data set's README says;
              5 to 9 validate and the others train
    speaker   one speaker is the test split; of the others recordings 0 to 4 validate

A string is three to five clips of one speaker and one split, joined with short pauses. It is recognised
without being told where a digit begins, by connectionist temporal classification (Graves et al. 2006).
The two are tasks of their own because what ranks differs: accuracy, and the word error rate.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite.data import CLASSIFIER_READOUTS
from benchsuite_speech.files import FSDD

_SOURCES = {
    "fsdd": "Free Spoken Digit Dataset 1.0.10, 3,000 recordings of six speakers",
    "tones": "1,200 synthesised digits of six voices; needs no download",
}
_FEATURES = {
    "split": Option("official", "recordings 0 to 4 test, or one speaker does", ("official", "speaker")),
    "speaker": Option(
        0, "the speaker held out by split `speaker`, in alphabetical order from 0", (0, 1, 2, 3, 4, 5)
    ),
    "bands": Option(24, "mel bands, the numbers a time step sees", least=1, most=256),
    "window_ms": Option(25, "duration of what one time step sees, in milliseconds", least=1, most=1000),
    "hop_ms": Option(15, "time from one step to the next, in milliseconds", least=1, most=1000),
}


def _load() -> Task:
    from benchsuite_speech.task import Speech

    return Speech()


def _load_strings() -> Task:
    from benchsuite_speech.transcription import SpeechStrings

    return SpeechStrings()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="speech",
            load=_load,
            summary="which digit was spoken? sound in, ten classes out",
            sources=_SOURCES,
            offline=("tones",),
            options={
                **_FEATURES,
                "readout": Option("last", "what the classifier sees of the outputs", CLASSIFIER_READOUTS),
            },
            files=(FSDD,),
            requirements=("scikit-learn", "scipy"),
            extra="tasks",
        ),
        TaskEntry(
            name="speech_strings",
            load=_load_strings,
            summary="which digits were spoken, in which order? sound in, a string out, by CTC",
            sources=_SOURCES,
            offline=("tones",),
            options={
                **_FEATURES,
                "strings": Option(
                    4000,
                    "training strings; a tenth as many validate, a fifth as many test",
                    least=10,
                    most=1_000_000,
                ),
            },
            files=(FSDD,),
            requirements=("jiwer", "scipy"),
            extra="tasks",
        ),
    ]
