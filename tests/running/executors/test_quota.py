"""The limits of control groups: of both versions, of the groups around, and of texts that are none."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.running.executors.quota import allowed_processors, own_groups, parse_cpu_max, parse_quota


@given(st.integers(1, 10**9), st.integers(1, 10**7))
def test_a_quota_is_a_share_of_its_period(quota: int, period: int) -> None:
    assert parse_cpu_max(f"{quota} {period}\n") == quota / period == parse_quota(str(quota), str(period))


@given(st.text(max_size=30))
def test_what_is_no_quota_is_no_limit_and_no_error(text: str) -> None:
    assert parse_cpu_max(text) > 0
    assert parse_quota(text, text) > 0
    assert isinstance(own_groups(text), dict)


@pytest.mark.parametrize("text", ["max 100000", "", "-1 100000", "0 100000", "100000", "a b", "1 2 3"])
def test_no_limit(text: str) -> None:
    assert parse_cpu_max(text) == math.inf


def files(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "texts", "allowed"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "300000 100000", "a/cpu.max": "max 100000"}, 3.0),
        ("0::/a/b\n", {"a/b/cpu.max": "300000 100000", "a/cpu.max": "150000 100000"}, 1.5),
        ("0::/\n", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/../x\n", {"cpu.max": "200000 100000"}, 2.0),
        ("0::/gone\n", {}, math.inf),
        (
            "4:cpu,cpuacct:/docker/1\n0::/\n",
            {
                "cpu/docker/1/cpu.cfs_quota_us": "-1",
                "cpu/docker/1/cpu.cfs_period_us": "100000",
                "cpu/docker/cpu.cfs_quota_us": "250000",
                "cpu/docker/cpu.cfs_period_us": "100000",
            },
            2.5,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4.0),
    ],
)
def test_the_least_of_all_groups_counts(
    groups: str, texts: dict[str, str], allowed: float, tmp_path: Path
) -> None:
    listing = tmp_path / "cgroup"
    listing.write_text(groups)
    assert allowed_processors(listing, files(tmp_path / "root", texts)) == allowed


def test_a_system_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert allowed_processors(tmp_path / "none", tmp_path / "neither") == math.inf
