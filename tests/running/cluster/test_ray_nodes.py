"""The executor `ray` on a Ray cluster of three nodes on this machine, of which one dies: `tox run -e ray`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.cluster_study import MATRIX, differences, outlives, times_recorded
from fixtures.command import call

import benchsuite
from benchsuite.contracts import Finished, RunOptions
from benchsuite.errors import RequestError
from benchsuite.plugins import is_installed
from benchsuite.running.study import StoredStudy, StudyEvent
from benchsuite.schema import Status

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not is_installed("ray"), reason="needs ray: tox run -e ray"),
]


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "nodes.toml"
    path.write_text(MATRIX)
    return path


def options(cluster: Any, *more: tuple[str, str]) -> RunOptions:
    return RunOptions(settings=(("address", cluster.address), *more))


def test_a_node_that_dies_costs_nothing_but_time(cluster: Any, matrix: Path, tmp_path: Path) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
    recorded: list[str] = []

    def hear(event: StudyEvent) -> None:
        if isinstance(event, Finished):
            recorded.append(event.record.trial_id)
            if len(recorded) == 2:
                cluster.remove_node(nodes[0], allow_graceful=False)

    study = benchsuite.run(
        matrix,
        results=tmp_path / "cluster",
        tracking_uri="none",
        executor="ray",
        options=options(cluster, ("shards", "3")),
        on_event=hear,
    )
    alone: StoredStudy = benchsuite.run(matrix, results=tmp_path / "alone", tracking_uri="none")
    assert {record.status for record in study.records} == {Status.OK}
    assert times_recorded(study.folder) == {1: 12}
    assert differences(study, alone) == []
    assert outlives(tmp_path) == []


def test_a_run_that_is_interrupted_ends_its_tasks_and_goes_on(
    cluster: Any, matrix: Path, tmp_path: Path
) -> None:
    cluster.add_node(num_cpus=1)

    def interrupt(event: StudyEvent) -> None:
        if isinstance(event, Finished):
            raise KeyboardInterrupt

    left = benchsuite.run(
        matrix,
        results=tmp_path,
        tracking_uri="none",
        executor="ray",
        options=options(cluster),
        on_event=interrupt,
    )
    assert left.interrupted
    assert outlives(tmp_path) == []
    done = benchsuite.run(
        matrix, results=tmp_path, tracking_uri="none", executor="ray", options=options(cluster)
    )
    assert times_recorded(done.folder) == {1: 12}


def test_a_cluster_without_a_node_that_is_large_enough_is_refused(
    cluster: Any, matrix: Path, tmp_path: Path
) -> None:
    with pytest.raises(
        RequestError, match="needs 1 cores, and none of the 1 nodes of the Ray cluster has them"
    ):
        benchsuite.run(
            matrix, results=tmp_path, tracking_uri="none", executor="ray", options=options(cluster)
        )


def test_without_a_cluster_the_command_ends_with_a_way_out(matrix: Path, tmp_path: Path) -> None:
    done = call("run", str(matrix), "--executor", "ray", "--results", str(tmp_path), code=2)
    assert "error: no Ray cluster answers at 'auto'" in done.output
    assert "ray start --head" in done.output
