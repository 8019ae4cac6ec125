"""Generated reports: measurements from several towns, of which a headline names the one that matters.

    report    "report: frost." and, in any order, one "<town>: <value>." for each of 3 to 8 towns, with notes
              in between: the day, the sender, how many stations there are
    headline  "<town> coldest at <value> degrees": what is measured says whether the largest or the smallest
              value is meant, and in which words

Values of a report differ, so a headline is right or wrong. The town and the value have to be found among the
others and carried over: what attention is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchsuite_summarisation.corpora import Corpus, Summarised

_SEED = 2004

SUBJECTS = {
    "heat": (max, "{town} hottest at {value} degrees"),
    "frost": (min, "{town} coldest at {value} degrees"),
    "rain": (max, "{value} millimetres of rain in {town}"),
    "prices": (min, "rent lowest in {town} at {value} euros"),
    "goals": (max, "{town} lead with {value} goals"),
    "waiting": (min, "wait only {value} minutes in {town}"),
}
"""What is measured -> which value matters, and the headline."""

TOWNS = (
    "aarhus", "bergen", "cork", "delft", "evora", "fulda", "ghent", "hull", "izmir", "jena", "krakow", "lille",
    "malmo", "nantes", "oulu", "porto", "quimper", "riga", "siena", "tartu", "ulm", "varna", "wels", "zadar",
)  # fmt: skip
VALUES = range(10, 60)


@dataclass(frozen=True)
class Form:
    """Which reports there are.

    sizes   reports in the training, validation and test split
    towns   the first ones of TOWNS that occur
    counts  least and most towns of a report
    values  that are measured
    notes   share of the notes that stand in a report
    """

    sizes: tuple[int, int, int] = (8000, 500, 1000)
    towns: int = len(TOWNS)
    counts: tuple[int, int] = (3, 8)
    values: range = VALUES
    notes: float = 0.5


REPORTS = Form()
SHORT_REPORTS = Form((2000, 200, 400), towns=8, counts=(2, 3), values=range(10, 20), notes=0.0)
"""Few words in short texts: a network with attention learns them in seconds."""

_SENDERS = ("anna", "bruno", "carla", "david", "elena", "frank")
_MONTHS = ("january", "april", "july", "october")


def reports(form: Form = REPORTS) -> Corpus:
    """The three splits; no report occurs twice."""
    random = np.random.RandomState(_SEED)  # its stream is frozen, so these reports never change
    rows: dict[str, tuple[str, str]] = {}
    while len(rows) < sum(form.sizes):
        text, headline, first = _report(random, form)
        rows.setdefault(text, (headline, first))
    ends = np.cumsum((0, *form.sizes))
    texts, headlines = list(rows), [headline for headline, _ in rows.values()]
    train, validation, test = (
        Summarised(texts[start:stop], headlines[start:stop]) for start, stop in pairwise(ends)
    )
    guesses = [first for _, first in rows.values()][-len(test.texts) :]
    licence = "generated; no rights reserved"
    return Corpus(licence, train, validation, test, guesses={"first_entry": guesses})


def _report(random: np.random.RandomState, form: Form) -> tuple[str, str, str]:
    """A report, its headline, and the headline that its first entry would have."""
    subject = _one(random, tuple(SUBJECTS))
    choose, headline = SUBJECTS[subject]
    count = random.randint(form.counts[0], form.counts[1] + 1)
    towns = [TOWNS[index] for index in random.permutation(form.towns)[:count]]
    values = (form.values[0] + random.permutation(len(form.values))[:count]).tolist()
    lines = [f"{town}: {value}." for town, value in zip(towns, values, strict=True)]
    for note in _notes(random):
        if random.random_sample() < form.notes:
            lines.insert(random.randint(len(lines) + 1), note)
    matters = values.index(choose(values))
    text = " ".join([f"report: {subject}.", *lines])
    right, first = (headline.format(town=towns[row], value=values[row]) for row in (matters, 0))
    return text, right, first


def _notes(random: np.random.RandomState) -> list[str]:
    day = f"day: {random.randint(1, 29)} {_one(random, _MONTHS)}."
    sender = f"sent by {_one(random, _SENDERS)}, checked by {_one(random, _SENDERS)}."
    return [day, sender, f"stations: {random.randint(10, 60)}."]


def _one(random: np.random.RandomState, words: tuple[str, ...]) -> str:
    return words[random.randint(len(words))]
