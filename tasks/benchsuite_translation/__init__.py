"""The task `translation`: a sentence in one language, the same in another; lengths differ on both sides.

    multi30k  captions of photographs, 29,000 / 1,014 / 1,000 (test_2016_flickr): the canonical split of Elliott
              et al. 2016 (English, German) and Elliott et al. 2017 (French). de-en, en-de, en-fr, fr-en
    tatoeba   short sentences in everyday language with all their Spanish translations, en-es: 105,258 English
              sentences by volunteers, of which 1,000 validate and 2,000 test. Sentences that differ in case
              or signs alone are in one split. Use recipe.limit to train on fewer pairs
    numbers   0 to 99,999 in English words and in Spanish, German or French ones (numbers.py): 8,000 / 500 /
              1,000 distinct numbers. en-es, en-de, en-fr
    small_numbers  0 to 999: 700 / 100 / 200. Learnt in seconds, also without attention

A text is read and generated as words with marks for where no space is, as characters, or as subwords (byte pair
encoding, Sennrich et al. 2016) learnt from the training split. The decoded tokens are joined into a text again
and scored as one: sacreBLEU (Post 2018) does its own tokenising, so scores compare across the three, and with
published ones of the same signature. References are the texts as published.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite.data import DECODER_OPTIONS
from benchsuite_translation.files import FILES


def _load() -> Task:
    from benchsuite_translation.task import Translation

    return Translation()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="translation",
            load=_load,
            summary="a sentence into another language, token by token",
            sources={
                "multi30k": "captions in English, German and French (Elliott et al. 2016, 2017)",
                "tatoeba": "short everyday sentences, English to Spanish (tatoeba.org)",
                "numbers": "number words in English and Spanish, German or French; needs no download",
                "small_numbers": "the same up to 999; needs no download",
            },
            offline=("numbers", "small_numbers"),
            architectures=("encoder_decoder", "attention"),
            options={
                "pair": Option(
                    "default",
                    "from which language to which; default: de-en for multi30k, en-es for the others",
                    ("default", "de-en", "en-de", "en-fr", "fr-en", "en-es"),
                ),
                "tokens": Option("words", "what is read and generated", ("words", "characters", "bpe")),
                "vocabulary": Option(
                    10_000, "most tokens known in either language, special ones included", least=5
                ),
                "min_count": Option(
                    2, "a word is known, a pair merged, if the training split has it so often", least=1
                ),
                "lower_case": Option(True, "whether `The` and `the` are one word", (True, False)),
                "max_length": Option(
                    200, "longest side of a training pair, in tokens; longer ones are left out", least=1
                ),
                **DECODER_OPTIONS,
            },
            files=tuple(FILES.values()),
            requirements=("num2words", "sacrebleu", "tokenizers"),
            extra="tasks",
        )
    ]
