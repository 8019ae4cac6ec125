"""The page on backends: what it says is what the records hold, and what cannot be said has its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures import crossing, varied
from fixtures import records as planted
from fixtures.blocks import charts, everything, section, tables, text, values
from fixtures.races import store_race

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import runs_of
from benchsuite.analysis.validity import is_ranked
from benchsuite.contracts.report import Table
from benchsuite.report.data import collect
from benchsuite.report.layout import cell_of
from benchsuite.report.pages.backends import backends_page
from benchsuite.report.pages.backends_allocator import pairs_of
from benchsuite.report.site import Page
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Execution, Recipe, Record


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return shown(varied.study(tmp_path_factory.mktemp("studies") / "varied"))


def shown(*folders: Path) -> Page:
    found = backends_page(collect([StoredStudy.load(folder) for folder in folders]))
    assert found is not None
    return found


def some(folder: Path, keep: Callable[[Record], bool], cpu: str = "") -> Path:
    """A study of those of the varied records, perhaps of another machine."""
    store = StudyStore(folder)
    environment = {"hardware.cpu": cpu or "Example"}
    with store.writing():
        store.describe({"matrix": {}, "environment": environment})
        for place, trial in enumerate({one.id: one for one in varied.trials()}.values()):
            made = varied.record(trial, place)
            if keep(made):
                store.append(made.model_copy(update={"environment": environment}))
    return folder


def test_the_fastest_is_named_with_how_much_longer_the_others_take(page: Page) -> None:
    said = text(section(page, "Speed"))
    assert "torch allocator=tuned has the fastest steps in 6 of 6 models" in said
    assert "those of numpy allocator=tuned 4 times as long" in said
    rows = tables(section(page, "Speed"))["Who is fastest, and who is trained soonest"]
    assert rows[0]["run by"] == "torch allocator=tuned"
    by_name = {row["run by"]: row for row in rows}
    assert by_name["jax allocator=tuned"]["relative speed"] == pytest.approx(0.5, rel=0.05)


def test_relative_speeds_are_drawn_by_model_and_backend(page: Page) -> None:
    chart = charts(section(page, "Speed"))["Training speed relative to the fastest"]
    drawn = {(row["backend"], row["model"]): row["relative"] for row in values(chart)}
    assert drawn["numpy allocator=tuned", "gru plain"] == pytest.approx(0.25, rel=0.05)
    assert chart.table is not None
    assert len(chart.table.rows) == len(drawn)


def test_the_way_that_ran_and_what_the_others_cost_are_shown_where_they_were_measured(
    page: Page, tmp_path: Path
) -> None:
    title = "In which way each model ran"
    assert "none was measured" in text(section(page, title))
    facts = {
        "calibration.way": "fused products=blas",
        "calibration.relative_seconds": "dynamic products=blas: 1.204; dynamic products=onednn: 1.5; "
        "fused products=blas: 1.000",
    }
    store = StudyStore(tmp_path / "measured")
    made = planted.record(0.9, backend="torch", execution={"unroll": "best"})
    with store.writing():
        store.describe({})
        store.append(made.model_copy(update={"environment": facts}))
    [table] = tables(section(shown(store.folder), title)).values()
    [row] = table
    assert row["way that ran"] == "fused products=blas"
    assert row["default took"] == pytest.approx(1.204)
    assert row["the others"] == "dynamic products=blas 1.2, dynamic products=onednn 1.5"


def test_compilation_stands_apart(page: Page) -> None:
    rows = {
        row["run by"]: row for row in tables(section(page, "Starting"))["Cold start, medians over models"]
    }
    assert rows["jax allocator=tuned"]["of it compilation"] == pytest.approx(0.8)
    assert rows["torch allocator=tuned"]["of it compilation"] == 0
    assert rows["torch allocator=tuned"]["in steps"] is None


def test_kernels_are_those_that_ran(page: Page) -> None:
    rows = tables(section(page, "Which kernel really ran"))["Kernels"]
    assert {(row["backend"], row["kernel that ran"]) for row in rows} == set(varied.KERNELS.items())
    assert sum(row["trials"] for row in rows) > 40


def test_exponents_stand_with_their_intervals(page: Page) -> None:
    blocks = section(page, "How time grows with size")
    found = tables(blocks)
    assert len(found["Exponents of hidden size"]) == 3
    assert found["Exponents of sequence length"][0]["sizes"] == "50, 100, 200"
    assert "Not shown" not in text(blocks)
    assert any("steepest" in chart.alt.lower() for chart in charts(blocks).values())


def test_a_scan_and_a_loop_have_a_line_each_and_the_length_at_which_they_cross(tmp_path: Path) -> None:
    lengths = (32, 128, 512, 2048)
    loop = [(length, 1e-5 * length) for length in lengths]
    times: crossing.Times = {
        ("jax", "dynamic"): loop,
        ("jax", "scan"): [(length, 2.56e-3 * (length / 256) ** 0.5) for length in lengths],
        ("torch", "dynamic"): loop,
        ("torch", "scan"): [(length, 2 * seconds) for length, seconds in loop],
        ("numpy", "dynamic"): loop,
        ("numpy", "scan"): [(length, seconds / 2) for length, seconds in loop],
    }
    blocks = section(shown(crossing.study(tmp_path / "s", times)), "How time grows with size")
    rows = {row["scan"]: row for row in tables(blocks)["Where a scan becomes faster than a loop"]}
    assert {name: row["scan is faster"] for name, row in rows.items()} == {
        "jax scan": "from 256 steps on",
        "torch scan": "not within the measured lengths",
        "numpy scan": "at every measured length",
    }
    assert rows["torch scan"]["ratio at the longest"] == pytest.approx(2)
    assert rows["jax scan"]["compared with"] == "jax dynamic"
    (chart,) = (one for one in charts(blocks).values() if "sequence length" in one.title)
    assert {(row["backend"], row["unroll"]) for row in values(chart)} == set(times)
    assert "strokeDash" in str(chart.spec)
    exponents = {row["run by"]: row["exponent"] for row in tables(blocks)["Exponents of sequence length"]}
    assert exponents["jax scan"] == pytest.approx(0.5)
    assert exponents["jax dynamic"] == pytest.approx(1)


def test_without_a_scan_nothing_is_said_of_a_crossing(page: Page) -> None:
    assert "Where a scan becomes faster than a loop" not in tables(section(page, "How time grows with size"))


def test_the_allocator_is_told_by_pairs(page: Page) -> None:
    blocks = section(page, "What the memory allocator changes")
    (row,) = tables(blocks)["Default and tuned allocator"]
    assert row["ratio"] == pytest.approx(1.3, rel=0.05)
    (own,) = tables(blocks)["Default over tuned allocator, by backend"]
    assert (own["run by"], own["pairs"], own["ratio"]) == ("torch dynamic", 1, row["ratio"])
    assert "torch dynamic 1.3 times" in text(blocks)
    assert "In 1 of 1 pair the 95 % interval does not hold 1." in text(blocks)


def test_the_ratio_of_two_speeds_has_an_interval_from_both(tmp_path: Path) -> None:
    def kept(record: Record) -> bool:
        return record.trial.task == "adding"

    study = StoredStudy.load(some(tmp_path / "s", kept))
    (pair,) = pairs_of(runs_of(rankings(study.records)))
    assert pair.default.aggregate.trial.execution.allocator == "default"
    assert pair.half is not None
    assert pair.default.step_half is not None
    assert pair.default.step is not None
    assert pair.half > pair.ratio * pair.default.step_half / pair.default.step
    assert pair.told


def test_every_run_is_in_the_table_of_timings_with_its_interval(page: Page) -> None:
    rows = tables(section(page, "Every timing"))["Timings"]
    assert len(rows) == len({t.configuration_id for t in varied.trials() if t.recipe.clip != "none"
                             or t.task == "mnist_rows"})  # fmt: skip


def test_what_a_study_lacks_is_told_with_the_command_that_would_give_it(tmp_path: Path) -> None:
    def plain(record: Record) -> bool:
        trial = record.trial
        return trial.seed == 0 and trial == varied.trial(cell=trial.cell)

    said = text(everything(shown(some(tmp_path / "s", plain))))
    assert "No model has a valid timing by more than one backend" in said
    assert "--set size.hidden=32,64,128,256 --name s-hidden" in said
    assert "scaling with hidden size, sequence length and batch size" in said
    assert "--set execution.allocator=default,tuned --name s-allocator" in said


def test_machines_are_never_mixed(tmp_path: Path) -> None:
    def torch(record: Record) -> bool:
        return record.trial.backend == "torch"

    def others(record: Record) -> bool:
        return record.trial.backend != "torch"

    page = shown(some(tmp_path / "a", torch, "One"), some(tmp_path / "b", others, "Two"))
    assert {section.title for section in page.sections} >= {"Speed on One", "Speed on Two"}
    for name in ("One", "Two"):
        for row in tables(section(page, f"Every timing on {name}"))["Timings"]:
            assert row["backend"] == "torch" if name == "One" else row["backend"] != "torch"


def test_a_study_without_a_ranked_trial_has_no_such_page(tmp_path: Path) -> None:
    folder = some(tmp_path / "s", lambda record: not is_ranked(record))
    assert backends_page(collect([StoredStudy.load(folder)])) is None


def test_races_are_shown_the_latest_of_each_on_its_machine(tmp_path: Path) -> None:
    folder = some(tmp_path / "one", lambda _: True)
    assert not [part for part in shown(folder).sections if part.title == "Raced"]
    store_race(folder, 2000.0, slower=1.5)
    store_race(folder, 1000.0, slower=3.0)
    store_race(folder, 3000.0, slower=9.0, cpu="Another")
    blocks = section(shown(folder), "Raced")
    rows = tables(blocks)["Races"]
    assert [(row["racer"], row["is"]) for row in rows] == [("a", "first"), ("b", "slower")]
    assert rows[1]["times the first"] == pytest.approx(1.5, rel=0.05)
    assert "adding lstm: c left in round 3: died" in text(blocks)
    assert "1 race; the margin is" in text(blocks)


def test_a_backend_is_one_row_with_its_ways_inside(tmp_path: Path) -> None:
    """Of two ways to run a model its user takes the faster one: that is the backend's figure."""

    def timed(backend: str, unroll: str, cell: str, speed: float) -> Record:
        step = 16.0 / speed
        own = {
            "speed/sequences_per_second": speed,
            "speed/step_median_seconds": step,
            "speed/step_cpu_seconds": step,
        }
        return planted.record(
            backend=backend,
            cell=cell,
            execution=Execution(unroll=unroll),
            recipe=Recipe(batch_size=16),
            scalars=own,
        )

    speeds = {
        "torch": {"dynamic": (800.0, 200.0), "fused": (400.0, 400.0)},
        "numpy": {"dynamic": (200.0, 100.0)},
    }
    records = [
        timed(backend, unroll, cell, speed)
        for backend, ways in speeds.items()
        for unroll, pair in ways.items()
        for cell, speed in zip(("lstm", "gru"), pair, strict=True)
    ]
    page = backends_page(collect([StoredStudy("s", tmp_path, records)]))
    assert page is not None
    blocks = section(page, "Speed")
    (table,) = (one for one in blocks if isinstance(one, Table))
    marks = [(cell_of(row[0]).value, cell_of(row[0]).mark) for row in table.rows]
    assert marks == [("torch", ""), ("torch dynamic", "inside"), ("torch fused", "inside"), ("numpy", "")]
    rows = tables(blocks)["Who is fastest, and who is trained soonest"]
    assert [row["fastest steps in"] for row in rows] == [2, 1, 1, 0]
    assert [row["models"] for row in rows] == [2, 2, 2, 2]
    assert [row["relative speed"] for row in rows] == pytest.approx([1, 0.5**0.5, 0.5**0.5, 0.25])
    assert "torch has the fastest steps in 2 of 2 models" in text(blocks)
    drawn = values(charts(blocks)["Training speed relative to the fastest"])
    assert {row["backend"]: row["relative"] for row in drawn if row["model"] == "gru plain"} == pytest.approx(
        {"torch": 1, "numpy": 0.25}
    )
