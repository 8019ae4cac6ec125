"""How a submission is cited and shown elsewhere: BibTeX, and the badge of shields.io."""

from __future__ import annotations

import datetime
import json

from benchsuite.publishing.board.confirmations import SubmissionLevel
from benchsuite.publishing.repository.submission import Submission

_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
        "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    }
)  # fmt: skip


def bibtex(submission: Submission, title: str, address: str) -> str:
    """An entry `@misc`. :param title: of the site. :param address: of the site, "" where it is not known."""
    moment = datetime.datetime.fromtimestamp(submission.published, datetime.UTC)
    fields = {
        "author": f"{{{submission.by.translate(_TEX)}}}" if submission.by else "",
        "title": f"{{benchsuite}} study {submission.name} ({submission.board})".translate(
            {key: value for key, value in _TEX.items() if chr(key) not in "{}"}
        ),
        "year": str(moment.year),
        "month": moment.strftime("%b").lower(),
        "howpublished": title.translate(_TEX),
        "note": f"Study {submission.id}, {submission.level}, SHA-256 {submission.content}",
        "url": f"{address.rstrip('/')}/submissions/{submission.id}.html" if address else "",
    }
    lines = [
        f"  {name} = {value if name == 'month' else '{' + value + '}'},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@misc{{{submission.id},", *lines, "}", ""])


def badge(level: SubmissionLevel) -> str:
    """The JSON that the endpoint of shields.io reads."""
    found = level.submission
    return json.dumps(
        {
            "schemaVersion": 1,
            "label": f"benchsuite {found.board}",
            "message": level.words,
            "color": level.colour,
        },
        ensure_ascii=False,
    )
