"""The third-party plugin of examples/, installed as its user would install it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.example_site import ask, authors_tests, install
from fixtures.sources import ROOT

EXAMPLE = ROOT / "examples" / "benchsuite_example"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin, installed from its wheel."""
    return install(EXAMPLE, tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site"))


def test_the_authors_own_tests_pass(site: Path) -> None:
    said = authors_tests(EXAMPLE, site)
    assert " passed" in said
    assert "skipped" not in said


def test_the_registry_finds_it_by_its_entry_point_alone(site: Path) -> None:
    script = """
import json, sys
from benchsuite.plugins import registry
found = registry()
entry, owner = found.task("parity_bits"), found.owners["task:parity_bits"]
print(json.dumps([owner.distribution, owner.version, sorted(entry.options), sorted(found.tasks),
                  "benchsuite_example.task" in sys.modules]))
"""
    distribution, version, options, tasks, loaded = ask(script, site)
    assert (distribution, version, options) == ("benchsuite-example", "1.0.0", ["longest", "shortest"])
    assert {"mnist_rows", "sentiment", "time_series"} < set(tasks)
    assert not loaded, "listing a task must not import it"


def test_a_matrix_of_it_expands_and_its_rule_skips(site: Path) -> None:
    script = """
import json
from benchsuite.running.matrix import parse_matrix, select
from benchsuite.plugins import registry
text = '''
name = "bits"
[axes]
task = "parity_bits"
source = "generated"
cell = ["gru", "lstm"]
architecture = "plain"
backend = "numpy"
size.hidden = [1, 8]
[tasks.parity_bits]
options.longest = 20
'''
found = select(parse_matrix(text, "bits", "bits.toml"), registry())
print(json.dumps([[trial.model_dump() for trial in found.trials],
                  [[skipped.trial.size.hidden, skipped.reason] for skipped in found.skipped]]))
"""
    trials, skipped = ask(script, site)
    assert [(trial["cell"], trial["size"]["hidden"]) for trial in trials] == [("gru", 8), ("lstm", 8)]
    assert all(trial["options"] == {"shortest": 6, "longest": 20} for trial in trials)
    assert [hidden for hidden, _ in skipped] == [1, 1]
    assert all(reason.startswith("a parity needs at least 2 hidden units") for _, reason in skipped)


def test_a_trial_of_it_runs_at_parity_on_the_numpy_backend(site: Path) -> None:
    script = """
import json
from benchsuite.schema import Trial
from benchsuite.measure.worker.runner import Session
trial = Trial.model_validate({
    "task": "parity_bits", "source": "generated", "options": {"shortest": 6, "longest": 12},
    "cell": "gru", "architecture": "plain", "size": {"hidden": 4}, "backend": "numpy",
    "recipe": {"epochs": 2, "batch_size": 64, "limit": 256},
    "protocol": {"rounds": 2, "round_seconds": 0.002, "warmup_seconds": 0.01, "gradient_snapshots": 2},
})
phases = []
record = Session("numpy").run(trial, lambda progress: phases.append(progress.phase))
print(json.dumps([record.model_dump(mode="json"), phases]))
"""
    record, phases = ask(script, site)
    assert record["status"] == "ok", record["reason"] + record["exception"]
    assert record["verdicts"]["parity"] == "ok"
    assert list(dict.fromkeys(phases)) == [
        "load",
        "calibrate",
        "build",
        "parity",
        "train",
        "evaluate",
        "time",
    ]
    assert record["primary"] == "accuracy"
    assert 0 <= record["scalars"]["test/accuracy"] <= 1
    assert record["baselines"]["majority"]["accuracy"] == pytest.approx(0.5, abs=0.1)
    assert record["scalars"]["collector/train_pauses"] >= 0
    assert record["scalars"]["train/sequences"] == 2 * 256
    assert record["environment"]["example.gc_threshold"].count(",") == 2
    assert record["fingerprint"]
