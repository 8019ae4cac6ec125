"""publish_study: verifies a study and adds it to a results repository."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.errors import RequestError, StoreError
from benchsuite.publishing.bundle import unpacked, write_bundle
from benchsuite.publishing.repository.folder import BUNDLE, RACES_FILE, VERIFICATION, Repository
from benchsuite.publishing.repository.index import index_rows, write_index
from benchsuite.publishing.repository.submission import (
    SUMMARY,
    Submission,
    content_digest,
    read_submission,
    submission_id,
    summarised,
)
from benchsuite.publishing.samples import withheld
from benchsuite.publishing.verdict import Verification
from benchsuite.publishing.verify import verify
from benchsuite.running.races.files import races_to_json
from benchsuite.running.study import StoredStudy

LONGEST_NAME = 100
INDEX_FILE = "index.parquet"
"""Its name beside the other files of a submission until it is moved to its place."""


@dataclass(frozen=True)
class Published:
    """What became of a study that was to be published.

    already       whether the repository held it: then nothing was written
    withheld      `task / source` -> licence, of data whose samples were left out
    verification  None where it was not verified again, because it was there already
    """

    submission: Submission
    folder: Path
    already: bool
    verification: Verification | None
    withheld: Mapping[str, str] = field(default_factory=dict)


def publish_study(
    source: Path,
    repository: Repository,
    *,
    by: str = "",
    claimed: bool = False,
    licence: str = "",
    published: float | None = None,
) -> Published:
    """Add the study at `source`, a folder or a bundle, to `repository`.

    A study whose content the repository holds already is left as it is. Earlier submissions are never changed.

    :param by: the name that it is published under. :param claimed: publish it also where the verification
        fails, as a claim. :param licence: of a study that is no bundle yet. :param published: POSIX seconds;
        now by default.

    Raises RequestError for a name that cannot be shown and a study that is not verified, StoreError for what
    cannot be read or written.
    """
    by = checked_name(by)
    with tempfile.TemporaryDirectory(prefix="benchsuite-publish-") as made, contextlib.ExitStack() as stack:
        # a folder is bundled first, so that what is judged is what is published, also of a study that grows
        bundle = (
            source
            if source.is_file()
            else write_bundle(StoredStudy.read(source), Path(made) / BUNDLE, None, licence)
        )
        study = StoredStudy.read(stack.enter_context(unpacked(bundle)))
        description = study.description()
        name = str(description.get("name") or source.name.removesuffix(".zip").removesuffix(".crate"))
        if not study.records:
            raise RequestError(f"{source} holds no record: there is nothing to publish")
        content = content_digest(study.folder)
        identity = submission_id(name, content)
        if repository.holds(identity):
            kept = read_submission(repository.study(identity))
            return Published(kept, repository.study(identity), True, None)
        found = verify(bundle)
        if not found.passed and not claimed:
            raise RequestError(_refusal(source, found))
        summary = summarised(
            study.records,
            study.machines(),
            description,
            content=content,
            name=name,
            suite=found.suite or "",
            by=by,
            licence=licence,
            published=time.time() if published is None else published,
            level="verified" if found.passed else "claimed",
            bundle=bundle,
        )
        _add(repository, summary, found, bundle, study)
    written = read_submission(repository.study(identity))
    left_out = {} if source.is_file() else withheld(source)
    return Published(written, repository.study(identity), written != summary, found, left_out)


def _add(
    repository: Repository,
    summary: Submission,
    found: Verification,
    bundle: Path,
    study: StoredStudy,
) -> None:
    with repository.adding(summary.id) as folder:
        shutil.copyfile(bundle, folder / BUNDLE)
        (folder / VERIFICATION).write_text(found.to_json() + "\n", encoding="utf-8")
        (folder / SUMMARY).write_text(summary.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if races := study.races():
            (folder / RACES_FILE).write_bytes(races_to_json(races))
        index = folder / INDEX_FILE
        write_index(index, index_rows(summary.id, study.records, study.machines()))
        repository.place_index(summary.id, index)  # before the folder is there: no submission is without one
        index.unlink()


def checked_name(by: str) -> str:
    """The name that a study is published under, in one line. Raises RequestError for one that cannot be
    shown."""
    plain = " ".join(by.split())
    if len(plain) > LONGEST_NAME or not plain.isprintable():
        raise RequestError(
            f"--as {by[:40]!r} cannot be shown: a name has up to {LONGEST_NAME} printable characters"
        )
    return plain


def _refusal(source: Path, found: Verification) -> str:
    failed = "\n".join(f"  {one.rule}: {one.summary}" for one in found.rules if one.status == "fail")
    return (
        f"{source} is not verified, and so not published:\n{failed}\n"
        "`benchsuite verify` says more; --claimed publishes it as a claim, which is shown apart and not ranked"
    )


def publish_repository(
    source: Repository, repository: Repository, *, claimed: bool = False
) -> list[Published]:
    """Add every submission of another results repository, each under its own name and date, verified anew.

    Raises as publish_study().
    """
    found = []
    for one in source.submissions():
        try:
            found.append(
                publish_study(
                    source.study(one.id) / BUNDLE,
                    repository,
                    by=one.by,
                    claimed=claimed or one.level == "claimed",
                    licence=one.licence,
                    published=one.published,
                )
            )
        except StoreError as error:
            raise StoreError(f"submission {one.id} of {source.folder}: {error}") from error
    return found
