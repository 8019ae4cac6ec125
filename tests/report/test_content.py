"""What a report says follows from the records that it is about: records are planted, and every page is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fixtures.blocks import every, tables, text
from fixtures.records import record

from benchsuite.contracts.report import Cards, Chart, Facts, LineChart, Table
from benchsuite.report import FORMATS, write_report
from benchsuite.report.content import make_site
from benchsuite.report.data import collect
from benchsuite.report.flow import bare
from benchsuite.report.layout import cell_of, table_text
from benchsuite.report.site import Page, Site
from benchsuite.running.study import StoredStudy
from benchsuite.schema import INVALID_TIMING, Record, Series, Status

SPEED = "speed/sequences_per_second"
TRAINED = {
    "speed/import_seconds": 1.0, "speed/build_seconds": 0.1, "speed/first_step_seconds": 0.01,
    "train/seconds": 1.0, "train/steps": 100.0, "train/epochs": 10.0, "train/best_epoch": 5.0,
}  # fmt: skip


def timed(
    backend: str,
    speed: float,
    verdict: str = "stable",
    seed: int = 0,
    scalars: dict[str, float] | None = None,
) -> Record:
    """A ranked record whose step takes 16 / speed seconds, on either clock."""
    step = 16.0 / speed
    own = {SPEED: speed, "speed/step_median_seconds": step, "speed/step_cpu_seconds": step, **TRAINED}
    made = record(0.9, backend=backend, seed=seed, scalars={**own, **(scalars or {})})
    series = [Series(name="speed/step_wall", axis="sample", x=[0.0, 1.0], y=[step, step])]
    return made.model_copy(update={"verdicts": {**made.verdicts, "speed": verdict}, "series": series})


class Held(StoredStudy):
    """A study in memory, with the curves that its records hold."""

    def series(self, trial_id: str, attempt: str | None = None) -> list[Series]:  # noqa: ARG002
        return [one for made in self.records if made.trial_id == trial_id for one in made.series]


def site_of(folder: Path, records: Sequence[Record]) -> Site:
    return make_site(collect([Held("mine", folder, list(records))]))


def pages(site: Site) -> Iterator[Page]:
    yield from site.pages
    yield from site.trials(0, 1)


def blocks_of(page: Page) -> Iterator[Any]:
    for section in page.sections:
        yield from every(section.blocks)


def sentences(page: Page) -> str:
    """All that a page says: lead, paragraphs, cards, facts."""
    said = [bare(page.lead), text(blocks_of(page))]
    for block in blocks_of(page):
        if isinstance(block, Cards):
            said += [bare(line.text) for card in block.cards for line in card.lines]
        if isinstance(block, Facts):
            said += [f"{fact.name}: {cell_of(fact.value).value}" for fact in block.facts]
    return "\n".join(said)


def everywhere(site: Site) -> str:
    """The sentences of all pages, the trials' included, and the texts of all tables."""
    said = []
    for page in pages(site):
        said.append(sentences(page))
        for block in blocks_of(page):
            if isinstance(block, Table):
                said += [one.text for row in table_text(block).rows for one in row]
    return "\n".join(said)


def numbers(site: Site) -> set[float]:
    """Every number on any page: of tables, facts and charts."""
    found: set[float] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for part in value.values():
                look(part)
        elif isinstance(value, list | tuple):
            for part in value:
                look(part)
        elif isinstance(value, int | float):
            found.add(float(value))

    for page in pages(site):
        for block in blocks_of(page):
            if isinstance(block, Table):
                look([[cell_of(value).value for value in row] for row in block.rows])
            elif isinstance(block, Facts):
                look([cell_of(fact.value).value for fact in block.facts])
            elif isinstance(block, Chart):
                look(dict(block.spec))
            elif isinstance(block, LineChart):
                look([list(line.y) for line in block.lines])
    return found


@pytest.mark.parametrize("verdict", INVALID_TIMING)
def test_an_invalid_timing_is_nowhere_a_speed(verdict: str, tmp_path: Path) -> None:
    """The largest figure of the study is a refused one."""
    site = site_of(
        tmp_path,
        [timed("jax", 679_479.0, verdict), timed("torch", 9_499.0), timed("numpy", 4_321.0)],
    )
    step = 16.0 / 679_479.0
    assert not {
        value for value in numbers(site) if math.isclose(value, 679_479.0) or math.isclose(value, step)
    }
    said = everywhere(site)
    assert "679" not in said.replace(record(backend="jax").trial_id, "")
    assert "jax dynamic has the fastest steps" not in said
    assert "jax has the fastest steps" not in said
    assert "Fastest steps with torch, 9,499 sequences/s: 2.2 times as fast as numpy." in said
    assert "The timing of jax is refused" in said
    assert "about" not in sentences(site.pages[0]), "a refused timing is no rough one"
    assert "The timing of jax is not steady" not in said


@pytest.mark.parametrize("verdict", INVALID_TIMING)
def test_no_page_says_that_all_is_well_beside_an_invalid_timing(verdict: str, tmp_path: Path) -> None:
    site = site_of(tmp_path, [timed("jax", 679_479.0, verdict), timed("torch", 9_499.0)])
    for page in pages(site):
        said = sentences(page)
        assert "Every trial ended well" not in said, page.key
        assert "has a valid timing." not in said, page.key
        assert "no reason given" not in said, page.key
    overview = site.pages[0]
    rows = tables(blocks_of(overview))["Not ranked or not timed, and why"]
    assert [(row["what"], row["trials"]) for row in rows] == [(verdict, 1)]
    assert INVALID_TIMING[verdict] in str(rows[0]["reason"])


@pytest.mark.parametrize("status", [Status.TIMEOUT, Status.FAILED, Status.KILLED, Status.SKIPPED])
def test_what_no_trial_reached_is_not_said(status: Status, tmp_path: Path) -> None:
    records = [
        record(None, status, seed=seed, reason="").model_copy(update={"scalars": {}, "verdicts": {}})
        for seed in range(4)
    ]
    site = site_of(tmp_path, records)
    lead = sentences(site.pages[0])
    assert "No trial got as far as the comparison with the float64 reference." in lead
    said = everywhere(site)
    for claim in (
        "agrees with it",
        "proved equal",
        "Every trial ended well",
        "no reason given",
        "not ranked: ",
    ):
        assert claim not in said
    assert "the worker gave no reason" in said


def test_a_study_where_all_went_well_says_so(tmp_path: Path) -> None:
    site = site_of(tmp_path, [timed("jax", 9_000.0), timed("torch", 5_000.0)])
    assert "Every trial was compared with a float64 reference, agrees with it" in sentences(site.pages[0])
    assert "Every trial ended well and is ranked" in everywhere(site)


def test_some_that_broke_parity_are_counted(tmp_path: Path) -> None:
    broken = record(0.9, backend="jax", parity="breach", reason="gradient of out.W is 3e-3 off")
    lead = sentences(site_of(tmp_path, [timed("torch", 5_000.0), broken]).pages[0])
    assert "Compared with a float64 reference: 2 trials, of which 1 agree." in lead
    assert "With a valid timing: 1." in lead


def test_fast_steps_and_early_training_are_two_answers(tmp_path: Path) -> None:
    """jax steps ten times as fast and compiles for 9 s: with 100 steps numpy is trained soonest."""
    site = site_of(
        tmp_path,
        [
            timed("jax", 16_000.0, scalars={"train/seconds": 9.1, "speed/first_step_seconds": 9.0}),
            timed("numpy", 1_600.0, scalars={"train/seconds": 1.0}),
        ],
    )
    for key in ("overview", "task:digits-tiny"):
        said = sentences(next(page for page in site.pages if page.key == key))
        assert "Fastest steps with jax, 16,000 sequences/s: 10 times as fast as numpy." in said
        assert (
            "Trained soonest with numpy, in 1.10 s from the start (import apart); jax took 9.20 s, 9.00 s"
            in said
        )
        assert "its faster steps pay from about 1,000 steps on (trained here: 100 steps)" in said
    said = sentences(next(page for page in site.pages if page.key == "backends"))
    assert "jax has the fastest steps." in said
    assert "numpy has the model trained soonest." in said


def test_a_backend_alone_is_not_called_the_soonest(tmp_path: Path) -> None:
    said = everywhere(site_of(tmp_path, [timed("numpy", 1_600.0, scalars={"train/seconds": 1.0})]))
    assert "Trained with numpy alone, in 1.10 s from the start (import apart)." in said
    assert "soonest with" not in said


def test_a_task_whose_models_lose_to_a_baseline_says_so_first(tmp_path: Path) -> None:
    better = {"bag_of_words": {"accuracy": 0.99}}
    site = site_of(tmp_path, [record(0.9).model_copy(update={"baselines": better})])
    task = next(page for page in site.pages if page.key == "task:digits-tiny")
    assert (
        "No model is better than the baseline bag of words (accuracy 0.99), which has no recurrence."
        in task.lead
    )


def test_long_sequences_are_written_with_separators(tmp_path: Path) -> None:
    facts = {"data.rows": "1 training", "data.steps": "90 to 1003853"}
    long = record(0.9)
    long = long.model_copy(update={"environment": {**long.environment, **facts}})
    assert "90 to 1,003,853" in everywhere(site_of(tmp_path, [long]))


def test_a_model_that_was_still_improving_says_so_beside_its_rank(tmp_path: Path) -> None:
    site = site_of(tmp_path, [timed("jax", 9_000.0, scalars={"train/best_epoch": 10.0})])
    row = tables(blocks_of(site.pages[0]))["digits / tiny"][0]
    assert row["cautions"] == "still improving"
    assert "it was still improving when training stopped" in sentences(site.pages[0])


def seeds(cell: str, values: Sequence[float]) -> list[Record]:
    return [record(value, cell=cell, seed=seed) for seed, value in enumerate(values)]


def test_what_seeds_cannot_tell_is_not_distinguishable_with_that_many(tmp_path: Path) -> None:
    site = site_of(tmp_path, [*seeds("lstm", [0.62, 0.70, 0.78]), *seeds("gru", [0.60, 0.72, 0.71])])
    said = everywhere(site)
    assert "Not distinguishable from it with n = 3: gru plain" in said
    assert "not distinguishable, n = 3" in said
    assert "tie" not in said.split()


def test_what_more_seeds_would_tell_is_said(tmp_path: Path) -> None:
    site = site_of(tmp_path, [*seeds("lstm", [0.70, 0.80, 0.75]), *seeds("gru", [0.45, 0.40, 0.62])])
    said = sentences(site.pages[0])
    assert "Not distinguishable from it with n = 3: gru plain" in said
    assert "Differences as large as the ones seen would take about 5 seeds to find." in said


def test_equal_figures_have_equal_ranks(tmp_path: Path) -> None:
    records = [record(1.0, cell="lstm"), record(1.0 - 1.5e-9, cell="gru"), record(0.5, cell="rnn")]
    rows = tables(blocks_of(site_of(tmp_path, records).pages[0]))["digits / tiny"]
    assert [(row["model"], row["#"]) for row in rows[:3]] == [
        ("lstm plain", 1),
        ("gru plain", 1),
        ("rnn plain", 3),
    ]
    assert "Equal in rank is gru plain with 1." in everywhere(site_of(tmp_path, records))


def test_a_verdict_stands_beside_figures_of_its_own_snapshot(tmp_path: Path) -> None:
    """The GRU of the adding problem: vanishing before training, a half-life of 33 steps after it."""
    made = record(
        0.9,
        cell="gru",
        scalars={
            "gradient/change_start": 0.002, "gradient/change_end": 0.44,
            "gradient/half_life_steps_start": 5.0, "gradient/half_life_steps_end": 33.0,
        },
    )  # fmt: skip
    made = made.model_copy(update={"verdicts": {**made.verdicts, "gradient": "vanishing"}})
    site = site_of(tmp_path, [made])
    found = [block for block in blocks_of(site.pages[0]) if isinstance(block, Table)]
    row = table_text(next(block for block in found if block.title == "digits / tiny"))
    cells = dict(zip([head.text for head in row.headings], [one.text for one in row.rows[0]], strict=True))
    assert cells["gradient before"] == "vanishing (5 steps)"
    assert cells["gradient after"] == "stable (33 steps)"
    page = next(page for page in site.pages if page.key == "gradients")
    (half,) = tables(blocks_of(page))["Half-life of the gradient, before and after training"]
    assert (half["before"], half["half-life before"], half["left before"]) == ("vanishing", 5.0, 0.002)
    assert (half["after"], half["half-life after"], half["left after"]) == ("stable", 33.0, 0.44)
    trial = sentences(next(iter(site.trials(0, 1))))
    assert "gradient before training: vanishing" in trial
    assert "gradient after training: stable" in trial


def test_an_infinite_half_life_is_not_an_absent_one(tmp_path: Path) -> None:
    shown = {}
    for name, life in (("infinite", math.inf), ("absent", None)):
        scalars = {"gradient/change_start": 0.5, "gradient/change_end": 1.5}
        if life is not None:
            scalars |= {"gradient/half_life_steps_start": 9.0, "gradient/half_life_steps_end": life}
        made = record(0.9, scalars=scalars)
        older = {at: value for at, value in made.scalars.items() if at != "gradient/half_life_steps"}
        site = site_of(tmp_path, [made.model_copy(update={"scalars": older})])
        page = next(page for page in site.pages if page.key == "gradients")
        block = next(one for one in blocks_of(page) if isinstance(one, Table) and "Half-life" in one.title)
        found = table_text(block)
        shown[name] = dict(zip([head.text for head in found.headings], found.rows[0], strict=True))[
            "half-life after"
        ].text
    assert shown == {"infinite": "∞", "absent": ""}


def test_every_format_gives_the_same_answer(tmp_path: Path) -> None:
    """Of a refused timing no format shows the figure, and each names the reason or the backend that is left."""
    study = Held("mine", tmp_path, [timed("jax", 679_479.0, "cached"), timed("torch", 9_499.0)])
    write_report([study], tmp_path / "out", list(FORMATS))
    for path in [*tmp_path.joinpath("out").rglob("*")]:
        if path.suffix in (".html", ".md", ".tex", ".csv") and "assets" not in path.parts:
            said = path.read_text("utf-8")
            assert "679,4" not in said, path
            assert "679479" not in said, path
            assert "679{,}4" not in said, path


@pytest.mark.parametrize(
    ("more", "said"), [(0, ""), (1, "One more task has its chart"), (2, "2 more tasks have")]
)
def test_charts_that_are_left_out_are_counted_and_no_others(more: int, said: str, tmp_path: Path) -> None:
    """Twelve tasks with several models are drawn; a task with one model has no chart to leave out."""
    names = [f"task{at}" for at in range(12 + more)]
    records = [record(0.9, task=name, cell=cell) for name in names for cell in ("lstm", "gru")]
    records.append(record(0.9, task="alone"))
    found = sentences(site_of(tmp_path, records).pages[0])
    assert ("more task" in found) == bool(said)
    assert said in found
