"""Who runs a model fast, in the terminal: speed once it runs and seconds to trained, always together."""

from __future__ import annotations

import pytest
from fixtures.printed import printed, rows
from fixtures.records import record

from benchsuite.analysis.ranking import rankings
from benchsuite.schema import INVALID_TIMING, Record


def run(backend: str, step: float, trained: float, verdict: str = "stable", **fields: object) -> Record:
    """A record of 100 steps of 10 sequences, `step` seconds each once they run, that was trained in `trained`
    seconds from its start."""
    scalars = {
        "speed/step_median_seconds": step,
        "speed/step_cpu_seconds": step,
        "speed/sequences_per_second": 10 / step,
        "speed/import_seconds": 2.0,
        "speed/build_seconds": 0.0,
        "speed/first_step_seconds": trained - 99 * step,
        "train/seconds": trained,
        "train/steps": 100.0,
    }
    made = record(0.9, backend=backend, scalars=scalars, **fields)  # type: ignore[arg-type]
    return made.model_copy(
        update={"verdicts": {**made.verdicts, "speed": verdict}, "kernel": f"{backend}_kernel"}
    )


def cells(text: str) -> list[str]:
    """The row of the speeds."""
    return rows(text, "lstm plain")[1]


def test_both_answers_are_given_together_with_the_steps_from_which_the_first_pays() -> None:
    text = printed([run("jax", 0.001, 11.0), run("numpy", 0.002, 1.0)])
    assert cells(text) == [
        "lstm plain", "10,000 · 11.0 s", "5,000 · 1.00 s", "jax (2 times numpy)", "numpy", "10,000"
    ]  # fmt: skip
    assert "by CPU time" in text
    assert "import, not within the seconds: jax 2.00 s; numpy 2.00 s" in text
    assert "compilation and whatever else the first step takes beyond a later one" in text
    assert "kernels: jax jax_kernel; numpy numpy_kernel" in text


def test_one_way_to_run_has_both_answers_too() -> None:
    assert cells(printed([run("numpy", 0.002, 1.0)])) == ["lstm plain", "5,000 · 1.00 s"]


def test_who_is_first_in_both_has_nothing_to_pay_for() -> None:
    assert cells(printed([run("jax", 0.001, 0.5), run("numpy", 0.002, 1.0)]))[-2:] == ["jax", "-"]


def test_a_narrow_terminal_has_a_table_for_each_answer() -> None:
    names = ("jax", "numpy", "tensorflow", "torch")
    text = printed([run(name, 0.001 * (1 + at), 9.0 - at) for at, name in enumerate(names)], 100)
    found = rows(text, "lstm plain")
    assert found[1] == ["lstm plain", "10,000", "5,000", "3,333", "2,500", "jax"]
    assert found[2][:6] == ["lstm plain", "9.00 s", "8.00 s", "7.00 s", "6.00 s", "torch"]


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_is_no_speed_and_wins_nothing(word: str) -> None:
    records = [run("jax", 0.0001, 3.0, word), run("numpy", 0.002, 1.0), run("torch", 0.001, 2.0)]
    text = printed(records)
    assert cells(text) == [
        "lstm plain", "refused · 3.00 s", "5,000 · 1.00 s", "10,000 · 2.00 s", "torch (2 times numpy)", "numpy",
        "1,100",
    ]  # fmt: skip
    assert "100,000" not in text
    [ranking] = rankings(records)
    assert [one.trial.backend for one in ranking.models[0].runs] == ["torch", "numpy", "jax"]


def test_a_timing_that_was_not_steady_is_marked_and_rough() -> None:
    text = printed([run("numpy", 0.00234, 1.0, "unstable")])
    assert cells(text)[1] == "~4,300 · 1.00 s"
    assert "~ the timing was not steady" in text
    assert "not steady" not in printed([run("numpy", 0.002, 1.0)])


def test_another_process_on_the_core_makes_a_timing_not_steady_and_the_clock_is_the_processors() -> None:
    made = run("numpy", 0.001441, 1.0)
    disturbed = made.model_copy(update={"scalars": made.scalars | {"speed/step_cpu_seconds": 0.000413}})
    text = printed([disturbed, run("torch", 0.0005, 1.0)])
    assert cells(text)[1].startswith("~24,000")
    assert "something else had the core" in text


def test_four_threads_and_one_are_compared_by_wall_time() -> None:
    one = run("numpy", 0.012, 1.0)
    four = run("numpy", 0.004, 1.0, execution={"threads": 4})
    four = four.model_copy(update={"scalars": four.scalars | {"speed/step_cpu_seconds": 0.016}})
    text = printed([one, four])
    assert "by wall time" in text
    assert "numpy threads=4 (3 times numpy threads=1)" in cells(text)


def test_runs_of_different_machines_are_not_compared() -> None:
    other = run("torch", 0.001, 1.0).model_copy(update={"environment": {"hardware.cpu": "two"}})
    text = printed(
        [run("numpy", 0.002, 1.0).model_copy(update={"environment": {"hardware.cpu": "one"}}), other]
    )
    assert "fastest steps" not in text
    assert text.count("digits / tiny on one: ") >= 1
    assert text.count("digits / tiny on two: ") >= 1
    assert len(rows(text, "lstm plain")) == 4


def test_models_that_the_table_does_not_hold_are_counted() -> None:
    records = [run("numpy", 0.002, 1.0, size={"hidden": hidden}) for hidden in range(1, 28)]
    text = printed(records)
    assert text.count("  and 3 more models") == 1
    assert text.count("  and 15 more models") == 1
