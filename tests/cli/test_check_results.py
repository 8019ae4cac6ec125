"""What a check prints of a case that failed."""

from __future__ import annotations

import pytest

from benchsuite.cli.check_results import LONGEST_MESSAGE, MOST_MESSAGE_LINES, print_failure
from benchsuite.measure.worker.channel import CaseResult

ARRAY = "\n".join(f"row {k}: {' '.join(['0.123456'] * 10)}" for k in range(100))


def printed(capsys: pytest.CaptureFixture[str], result: CaseResult, verbose: bool) -> str:
    print_failure(result, "float32", "benchsuite check backend mine", verbose)
    return capsys.readouterr().out


@pytest.mark.parametrize("text", [ARRAY, ARRAY.replace("\n", " ")], ids=["lines", "letters"])
def test_a_message_that_is_a_whole_array_is_cut_unless_verbose(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    result = CaseResult(check="log[lstm-plain]", status="failed", message=text, smallest=text)
    short = printed(capsys, result, verbose=False)
    assert text.splitlines()[0][:50] in short
    assert len(short) < 2 * LONGEST_MESSAGE + 600
    assert len(short.splitlines()) < 2 * MOST_MESSAGE_LINES + 4
    assert short.count("--verbose") == 2
    assert "again  benchsuite check backend mine" in short
    assert printed(capsys, result, verbose=True).count(text) == 2


def test_a_message_of_a_few_lines_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    result = CaseResult(check="log[lstm-plain]", status="failed", message="first\nsecond")
    assert "first\nsecond\n" in printed(capsys, result, verbose=False)
