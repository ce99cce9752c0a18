import os
from pathlib import Path

import pytest

from ttsworker.engines.cpu import cpu_limit

HERE = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("cpu_max", "expected"),
    [("max 100000", HERE), ("50000 100000", 1), ("150000 100000", min(2, HERE)), ("6400000 100000", HERE)],
)
def test_cgroup_v2(tmp_path: Path, cpu_max: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(cpu_max + "\n")
    assert cpu_limit(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", HERE), ("100000", 1)])
def test_cgroup_v1(tmp_path: Path, quota: str, expected: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cpu_limit(tmp_path) == expected


def test_no_cgroup(tmp_path: Path) -> None:
    assert cpu_limit(tmp_path) == HERE
