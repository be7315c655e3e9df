"""A machine that changes its speed: runs a command in a control group of its own, whose quota lets it have a third of a
core in the middle third of the time.

    python3 throttle.py SECONDS COMMAND...

Exits as the command does, and with 77 where no group can be made.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time

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


def run_throttled(quota: Quota, command: list[str], seconds: float) -> tuple[int, str, float]:
    """Its exit status, what it printed, and how long it took."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stop = threading.Event()

    def throttle() -> None:
        stop.wait(seconds / 3)
        quota.limit(1 / 3)
        stop.wait(seconds / 3)
        quota.limit(None)

    turning = threading.Thread(target=throttle)
    try:
        quota.hold(process.pid)
        turning.start()
        out = process.communicate(timeout=6 * seconds)[0]
    finally:
        process.kill()
        process.wait()
        stop.set()
        if turning.ident is not None:
            turning.join()
    return process.returncode, out, time.monotonic() - begun


def main() -> int:
    try:
        quota = Quota()
    except OSError as error:
        print(f"no control group can be made here: {error}")
        return 77
    try:
        status, out, _ = run_throttled(quota, sys.argv[2:], float(sys.argv[1]))
    finally:
        quota.remove()
    print(out, end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
