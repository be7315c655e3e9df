"""A budget on a machine that is throttled to a third in its middle by a cgroup's quota, and then let go: Glide in a Python
loop, and the program itself."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from test_results import program

PERIOD = 20_000  # microseconds


class Quota:
    """A control group of the test's own, version 1 or 2; processes put into it have so many cores."""

    def __init__(self) -> None:
        name = f"glidepath-test-{os.getpid()}"
        first, second = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
        self.is_first = (first / "cpu.cfs_quota_us").exists()
        self.folder = (first if self.is_first else second) / name
        if not self.is_first and "cpu" not in (second / "cgroup.subtree_control").read_text().split():
            raise OSError("the cpu controller is not given to groups")
        self.folder.mkdir()

    def limit(self, cores: float | None) -> None:
        quota = -1 if cores is None else int(cores * PERIOD)
        if self.is_first:
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self.folder / "cpu.max").write_text(f"{'max' if cores is None else quota} {PERIOD}")

    def hold(self, process: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(process))

    def remove(self) -> None:
        for _ in range(50):
            try:
                return self.folder.rmdir()
            except OSError:
                time.sleep(0.1)


@pytest.fixture
def quota() -> Iterator[Quota]:
    try:
        made = Quota()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield made
    finally:
        made.remove()


def run_throttled(quota: Quota, command: list[str], seconds: float) -> tuple[str, float]:
    """What it printed, and how long it took; throttled to a third of a core for a third of the time."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    quota.hold(process.pid)
    stop = threading.Event()

    def throttle() -> None:
        stop.wait(seconds / 3)
        quota.limit(1 / 3)
        stop.wait(seconds / 3)
        quota.limit(None)

    turning = threading.Thread(target=throttle)
    turning.start()
    try:
        out = process.communicate(timeout=6 * seconds)[0]
    finally:
        process.kill()
        stop.set()
        turning.join()
    assert process.returncode == 0
    return out, time.monotonic() - begun


LOOP = """
import json, time, glidepath
glide = glidepath.Glide("12s")
rates, durations = [], []
while not glide.done:
    begun = time.perf_counter()
    rates.append(glide.lr)
    sum(i * i for i in range(200_000))
    glide.update()
    durations.append(time.perf_counter() - begun)
print(json.dumps([rates, durations, glide.seconds_spent]))
"""


def test_a_loop_of_ones_own(quota: Quota) -> None:
    out, _ = run_throttled(quota, [sys.executable, "-c", LOOP], 12)
    rates, durations, spent = json.loads(out)
    # It was throttled: updates of the middle took longer than those before.
    count = len(durations)
    assert max(durations[count // 4 : -count // 8]) > 2 * sorted(durations)[count // 4]
    assert spent == pytest.approx(12, abs=2)
    assert rates[-1] < 0.02 and rates == sorted(rates, reverse=True)
    assert max(a - b for a, b in zip(rates, rates[1:])) < 0.05


def test_the_program(quota: Quota, tmp_path: pathlib.Path) -> None:
    command = [
        program(), "train", "--data=digits", "--model=convnet", "--budget=20s", "--threads=1", f"--out={tmp_path / 'a'}",
        "--quiet", "--no-progress",
    ]  # fmt: skip
    _, taken = run_throttled(quota, command, 20)
    assert taken == pytest.approx(20, abs=2.5)
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    rates = [line["lr"] for line in lines if line["kind"] == "train"]
    assert rates[-1] < 0.1 * 0.02 and rates == sorted(rates, reverse=True)
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["status"] == "done"
