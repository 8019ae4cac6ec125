"""The pytest plugin: a matrix as tests and benchmarks of any pytest run.

    pytest --benchsuite MATRIX    a built-in matrix or a TOML file, as items parity[...] and speed[...]
    bench_*.toml                  matrices in the folders that pytest collects
    fixtures                      trial, racer, study, for tests of one's own

pytest imports this module in every run of its environment, so it imports nothing heavy: that comes with the
first option, file or fixture that is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchsuite.api.study import Study
    from benchsuite.pytest_plugin.racers import Racers, TrialRacer
    from benchsuite.schema import Trial

MATRIX_FILES = "bench_*.toml"
FILTERS = ("task", "source", "cell", "architecture", "backend", "device", "unroll", "precision", "seed")

_RACERS: pytest.StashKey[Racers] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchsuite", "benchmarks of recurrent sequence models")
    group.addoption(
        "--benchsuite",
        action="append",
        default=[],
        metavar="MATRIX",
        help="collect a matrix (built-in name or TOML file) as items parity[...] and speed[...]; "
        "without other paths, nothing else is collected",
    )
    for name in FILTERS:
        group.addoption(
            f"--benchsuite-{name}",
            default=None,
            metavar="NAMES",
            help=f"keep the trials of these {name}s (a comma list)",
        )
    group.addoption(
        "--benchsuite-set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="set a field above what the matrix says, or with += add to its values, as in backend+=mine",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "benchsuite(**fields): the trial that the fixtures `trial` and `racer` are about"
    )
    if config.getoption("--benchsuite") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


def pytest_unconfigure(config: pytest.Config) -> None:
    racers = config.stash.get(_RACERS, None)
    if racers is not None:
        racers.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if not file_path.match(MATRIX_FILES):
        return None
    from benchsuite.pytest_plugin.collection import MatrixItems

    return MatrixItems.from_parent(parent, path=file_path, request=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the matrices that the option names: they are no files of the tested project."""
    for request in config.getoption("--benchsuite"):
        from benchsuite.pytest_plugin.collection import MatrixItems

        items.extend(session.genitems(MatrixItems.named(session, request)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    trials_of = getattr(metafunc.definition.parent, "benchsuite_trials", None)
    if trials_of is not None and "trial" in metafunc.fixturenames:
        metafunc.parametrize("trial", trials_of(metafunc.function.__name__))


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What records say of the machine, for runs that measured something with benchsuite."""
    if config.stash.get(_RACERS, None) is not None:
        from benchsuite.measure.provenance import environment

        machine_info["benchsuite"] = environment()


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """The trial that the test's marker `benchsuite(task=..., cell=..., backend=..., ...)` describes."""
    from benchsuite.pytest_plugin.requests import trial_of

    marker = request.node.get_closest_marker("benchsuite")
    if marker is None:
        pytest.fail(
            "the fixtures `trial` and `racer` need the trial's fields: mark the test with "
            "@pytest.mark.benchsuite(task=..., cell=..., architecture=..., backend=...)",
            pytrace=False,
        )
    return trial_of(marker.kwargs)


@pytest.fixture
def racer(request: pytest.FixtureRequest, trial: Trial) -> Iterator[TrialRacer]:
    """`trial`, built in a worker, at parity and warm. Skips what this machine lacks, fails on a breach."""
    from benchsuite.pytest_plugin.racers import Racers

    config = request.config
    if _RACERS not in config.stash:
        config.stash[_RACERS] = Racers()
    with config.stash[_RACERS].ready(trial) as one:
        yield one


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Study]:
    """A function that runs a matrix as `benchsuite.run` does, in a folder of the test's own, and returns the
    Study. Nothing is mirrored to MLflow unless `tracking_uri` is given."""

    def run(matrix: Any, **arguments: Any) -> Study:
        from benchsuite.api.run import run as run_matrix

        given: dict[str, Any] = {"results": tmp_path, "tracking_uri": "none", "progress": False}
        return run_matrix(matrix, **(given | arguments))

    return run
