"""The task `summarisation`: a text in, one line that says what it is about out.

    aeslc    emails and their subject lines: 14,421 / 1,749 / 1,906, the published split without what its parts
             share. Zhang and Tetreault, ACL 2019, from the Enron corpus. The subject that the author wrote is
             the one reference
    reports  generated reports of measurements, and the headline that names the extreme one (reports.py):
             8,000 / 500 / 1,000

The emails are real people's, under a licence for non-commercial use. Nothing of them leaves the data set: no
example is shown, no vocabulary stored, and no message or representation holds a word of them.

ROUGE (Lin 2004) is that of the rouge-score package, with Porter's stemmer: what Google's papers report.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite.data import DECODER_OPTIONS
from benchsuite_summarisation.files import AESLC


def _load() -> Task:
    from benchsuite_summarisation.task import Summarisation

    return Summarisation()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="summarisation",
            load=_load,
            summary="a text into the line that says what it is about",
            sources={
                "aeslc": "emails to subject lines, non-commercial licence (Zhang and Tetreault 2019)",
                "reports": "generated reports to headlines; needs no download",
                "short_reports": "the same of two or three towns; needs no download",
            },
            offline=("reports", "short_reports"),
            architectures=("encoder_decoder", "attention"),
            options={
                "max_length": Option(120, "most words of a text; longer ones lose their end", least=1),
                "vocabulary": Option(
                    10_000, "most words known of texts and of summaries, special ones included", least=5
                ),
                "min_count": Option(
                    2, "a word is known if it occurs this often in the training split", least=1
                ),
                "lower_case": Option(True, "whether `Report` and `report` are one word", (True, False)),
                **DECODER_OPTIONS,
            },
            files=(AESLC,),
            requirements=("rouge-score",),
            extra="tasks",
        )
    ]
