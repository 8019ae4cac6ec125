"""TaskKit: the conformance kit of a task as a class of tests, for authors of tasks to inherit."""

from __future__ import annotations

from typing import Any, ClassVar

from benchsuite.data.cache import without_downloads
from benchsuite.errors import MissingFrameworkError, NotDownloadedError
from benchsuite.measure.conformance.kit_cases import parametrised
from benchsuite.measure.conformance.tasks import check_task
from benchsuite.measure.worker.installed import check_task_installed
from benchsuite.plugins import registry


class TaskKit:
    """Inherit it in a test module and set `name`; every source is a test of its own: `test_source[SOURCE]`.
    One whose data are not on this machine, or that needs what is not installed, is skipped with the reason.

    name      the task, whose plugin is installed
    sources   its sources, by default all
    download  whether data that are not here are downloaded
    """

    name: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = ()
    download: ClassVar[bool] = False

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Called by pytest: a test for each source."""
        sources = self.sources or tuple(registry().task(self.name).sources)
        parametrised(metafunc, "source", sources, sources)

    def test_source(self, source: str) -> None:
        import pytest

        entry = registry().task(self.name)
        entry.check_source(source)
        try:
            check_task_installed(entry, source)
            if self.download:
                check_task(entry, source)
            else:
                with without_downloads():
                    check_task(entry, source)
        except (MissingFrameworkError, NotDownloadedError) as error:
            pytest.skip(str(error))
