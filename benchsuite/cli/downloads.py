"""The progress bar of a download, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from benchsuite.data import DownloadProgress


@contextmanager
def download_bar(name: str) -> Iterator[DownloadProgress]:
    """A bar on standard error for the file `name`; it is drawn where that is a terminal, while bytes come in,
    and taken away afterwards."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bar(progress, name)


class _Bar:
    """One line of a rich progress display, in the words that pooch uses."""

    def __init__(self, progress: Progress, name: str) -> None:
        self.total = 0
        self._progress, self._name = progress, name
        self._line = progress.add_task(name, visible=False)

    def update(self, count: int) -> None:
        self._progress.update(self._line, advance=count, total=self.total or None, visible=True)

    def reset(self) -> None:
        self._progress.reset(self._line)

    def close(self) -> None:
        self._progress.remove_task(self._line)
