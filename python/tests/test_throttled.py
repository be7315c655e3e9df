"""A budget on a machine that is throttled to a third in its middle by a cgroup's quota, and then let go: Glide in a Python
loop, and the program itself."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Iterator

import pytest
from test_results import program

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "support"))

from throttle import Quota, run_throttled


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
    status, out, _ = run_throttled(quota, [sys.executable, "-c", LOOP], 12)
    assert status == 0
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
    status, _, taken = run_throttled(quota, command, 20)
    assert status == 0 and taken == pytest.approx(20, abs=2.5)
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    rates = [line["lr"] for line in lines if line["kind"] == "train"]
    assert rates[-1] < 0.1 * 0.02 and rates == sorted(rates, reverse=True)
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["status"] == "done"
