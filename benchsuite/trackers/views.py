"""What MLflow's pages show first: saved views of an experiment's charts, and the links that open them.

MLflow keeps a shared view as a tag of the experiment, under a key that a link names. What such a tag holds is
described in no documentation: it is what MLflow's own button for sharing a view writes. A version that reads
it differently says so on the page and shows its own charts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

VIEW_TAG = "mlflow.sharedViewState."
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""An experiment of this kind opens on its runs, where MLflow asks for the kind at all."""

LOSS_METRIC, SPEED_METRIC = "train/loss", "speed/sequences_per_second"
OPEN_SECTION = "first"
"""The section of charts that is open; the sections of all other metrics are folded."""
FOLDED_SECTIONS = (
    "test",
    "val",
    "train",
    "speed",
    "memory",
    "model",
    "energy",
    "parity",
    "gradient",
    "seeds",
)
MOST_BARS = 20
"""Runs that a chart shows: the best ones, since runs are sorted by the metric."""


def view_key(study_id: str) -> str:
    """The key of a study's view in each of its experiments."""
    return f"benchsuite-{study_id[:16]}"


def study_filter(tag: str, study_id: str) -> str:
    """What MLflow searches runs of one study by."""
    return f"tags.`{tag}` = '{study_id}'"


def view(metric: str, higher_is_better: bool, only: str) -> str:
    """A view of an experiment: runs sorted by `metric`, the best first; open are the charts of the metric, of
    the training loss by step and of the speed.

    :param metric: the metric's name in MLflow. :param only: the search filter of the runs that are shown.
    """
    best = "higher" if higher_is_better else "lower"
    charts = [
        _chart("BAR", metric, f"{metric}, {best} is better"),
        _chart(
            "LINE", LOSS_METRIC, "training loss by step", scaleType="log", selectedMetricKeys=[LOSS_METRIC]
        ),
        _chart("BAR", SPEED_METRIC, "training, sequences per second"),
    ]
    state: dict[str, Any] = {
        "searchFilter": only,
        "orderByKey": f"metrics.`{metric}`",
        "orderByAsc": not higher_is_better,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "compareRunCharts": charts,
        "compareRunSections": [
            _section(OPEN_SECTION, True),
            *(_section(name, False) for name in FOLDED_SECTIONS),
        ],
        "isAccordionReordered": True,
        "runsHiddenMode": f"FIRST_{MOST_BARS}_RUNS",
        "hideEmptyCharts": True,
    }
    return json.dumps(state, separators=(",", ":"))


def view_link(server: str, experiment_id: str, key: str) -> str:
    """The address of an experiment's charts as a view shows them."""
    shown = {"compareRunsMode": "CHART", "viewStateShareKey": key}
    return _address(server, f"experiments/{experiment_id}/runs", shown)


def run_link(server: str, experiment_id: str, run_id: str) -> str:
    """The address of a run's page."""
    return _address(server, f"experiments/{experiment_id}/runs/{run_id}", {})


def _address(server: str, page: str, more: Mapping[str, str]) -> str:
    # without the workflow's type MLflow shows pages for language models first
    return f"{server.rstrip('/')}/#/{page}?{urlencode({'workflowType': 'machine_learning', **more})}"


def _section(name: str, is_open: bool) -> dict[str, Any]:
    return {
        "uuid": f"section-{name}",
        "name": name,
        "display": is_open,
        "isReordered": True,
        "deleted": False,
        "isGenerated": True,
    }


def _chart(kind: str, metric: str, title: str, **more: Any) -> dict[str, Any]:
    line = {
        "lineSmoothness": 0,
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
    return {
        "uuid": f"chart-{metric}",
        "type": kind,
        "metricSectionId": f"section-{OPEN_SECTION}",
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": MOST_BARS,
        "metricKey": metric,
        "displayName": title,
        **(line if kind == "LINE" else {}),
        **more,
    }
