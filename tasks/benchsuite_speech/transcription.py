"""The task `speech_strings`: data, model, metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task
from benchsuite.errors import RequestError
from benchsuite.schema import BLANK, Dense, Exhibit, Features, ModelSpec, Size, recurrent_body
from benchsuite_speech.clips import Clips
from benchsuite_speech.exhibits import spectrogram, transcript
from benchsuite_speech.features import LogMel
from benchsuite_speech.settings import load_clips, log_mel
from benchsuite_speech.strings import draw_strings, drawn_clips, frames_needed, join
from benchsuite_speech.task import WORDS

LABELS = ("<blank>", *WORDS)
"""The text of each class; digit d is label d + 1."""

_SEEDS = (2006, 2007, 2008)
_SHOWN = 6


class SpeechStrings(Task):
    """Strings of three to five spoken digits."""

    def load(self, source: str, options: Options) -> LoadedSpeechStrings:
        """Strings as log-mel frames, (frames, bands) float32 each, normalised by string; targets Ragged int32
        of a length of their own, the digits plus one.

        Raises RequestError where the frames of a string are fewer than CTC needs for its labels.
        """
        clips, allowed = load_clips(source, options)
        features = log_mel(options)
        count = options.integer("strings")
        drawn = [
            draw_strings(clips, rows, size, seed)
            for rows, size, seed in zip(allowed, (count, count // 10, count // 5), _SEEDS, strict=True)
        ]
        train, validation, test = (
            _split(clips, strings, features, seed) for strings, seed in zip(drawn, _SEEDS, strict=True)
        )
        return LoadedSpeechStrings(
            name=f"speech_strings/{source}",
            train=train,
            validation=validation,
            test=test,
            clips=tuple(tuple(map(clips.title, string)) for string in drawn[2]),
            baselines={"constant": _word_errors(_constant(train, len(test)), test)},
            licence=clips.licence,
            origin=f"{clips.content} {features.recipe} {drawn_clips(drawn)}",
            target_vocabulary=LABELS,
            signatures={"word_error_rate": f"jiwer {version('jiwer')}"},
        )


@dataclass(frozen=True, kw_only=True)
class LoadedSpeechStrings(LoadedTask):
    """Three to five digits in a row, by CTC; `word_error_rate` ranks, the less the better.

    clips  for every row of the test split the names of the clips that were joined
    """

    primary = "word_error_rate"
    higher_is_better = False

    clips: tuple[tuple[str, ...], ...]

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack read at every step, scores of the ten digits and of the blank."""
        return ModelSpec(
            input=Features(self.train.inputs.values.shape[1]),
            body=recurrent_body(architecture, cell, size),
            head=Dense(len(LABELS)),
            loss="ctc",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """word_error_rate and exact_match of labels (n, L), zero after the last; see _word_errors()."""
        return _word_errors(predictions, split)

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The first strings, as spoken and as recognised, and the spectrogram of the first one."""
        shown: list[Exhibit] = [spectrogram("the first string", split.inputs[0])]
        rows = np.searchsorted(self.test.inputs.starts, split.inputs.starts[:_SHOWN])
        for index, row in enumerate(rows):
            spoken, heard = _words(split.sequence_targets[index]), _words(predictions[index])
            shown.append(transcript(f"string {row + 1}", self.clips[row], spoken, heard))
        return shown


def _split(clips: Clips, strings: list[np.ndarray], features: LogMel, seed: int) -> Split:
    random = np.random.RandomState(seed)
    frames = [features(join(random, [clips.waves[row] for row in string])) for string in strings]
    labels = [clips.digits[string] + 1 for string in strings]
    for read, digits in zip(frames, labels, strict=True):
        if len(read) < frames_needed(digits):
            raise RequestError(
                f"speech_strings: a string of {len(digits)} digits has {len(read)} frames, and CTC needs "
                f"{frames_needed(digits)} for it; lower option hop_ms"
            )
    return Split(Ragged.from_sequences(frames), Ragged.from_sequences(labels), aligned=False)


def _words(labels: np.ndarray) -> list[str]:
    return [LABELS[label] for label in labels if label != BLANK]


def _word_errors(predictions: np.ndarray, split: Split) -> dict[str, float]:
    """word_error_rate, its parts, and exact_match, of labels (n, L) against a split's.

    word_error_rate is (substitutions + deletions + insertions) / words spoken, of the alignment with the
    fewest errors, over the whole split at once (jiwer); its parts are over the same count. exact_match is the
    share of strings without an error.
    """
    import jiwer

    targets = split.sequence_targets
    spoken = [" ".join(_words(targets[row])) for row in range(len(targets))]
    heard = [" ".join(_words(labels)) for labels in predictions]
    found = jiwer.process_words(spoken, heard)
    count = found.hits + found.substitutions + found.deletions
    return {
        "word_error_rate": found.wer,
        "substitutions": found.substitutions / count,
        "deletions": found.deletions / count,
        "insertions": found.insertions / count,
        "exact_match": sum(map(str.__eq__, spoken, heard)) / len(spoken),
    }


def _constant(train: Split, count: int) -> np.ndarray:
    """The most frequent digit as often as the most frequent length says: (count, L) int32."""
    targets = train.sequence_targets
    label = Counter(targets.values.tolist()).most_common(1)[0][0]
    length = Counter(targets.lengths.tolist()).most_common(1)[0][0]
    return np.full((count, length), label, np.int32)
