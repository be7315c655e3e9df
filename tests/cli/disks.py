#!/usr/bin/env python3
"""Disks that are full, read-only or gone while the real program runs, on a small tmpfs of its own.

    disks.py PROGRAM [TEST...]

Mounting needs root or user namespaces; skipped, with the reason, where there are neither.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "loop"))
import runs  # noqa: E402

RUN = dict(budget="600it", eval_every="100it", checkpoint_every="20it")


def check(condition, what):
    if not condition:
        sys.exit(what)


def in_own_namespace():
    """Goes on in a mount namespace of its own: whatever is mounted goes with the process."""
    if os.environ.get("GLIDEPATH_OWN_MOUNTS"):
        return
    ways = [["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]]
    for way in ways:
        if shutil.which("unshare") and subprocess.run([*way, "sh", "-c", "mount -t tmpfs none /tmp"],
                                                      capture_output=True).returncode == 0:
            os.environ["GLIDEPATH_OWN_MOUNTS"] = "1"
            os.execvp(way[0], [*way, sys.executable, *sys.argv])
    runs.skip("mounting a tmpfs needs root or user namespaces")


class Disk:
    def __init__(self, path):
        self.path = path
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", path], check=True)
        self.filler = path / "filler"

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def free(self):
        self.filler.unlink()

    def cover(self):
        """Read-only from now on for every name; a remount is refused while any file is open for writing."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", self.path], check=True)

    def uncover(self):
        subprocess.run(["umount", self.path], check=True)


class Held:
    """The run does nothing in the meantime."""

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        check(self.process.poll() is None, "the run was over too early")
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)


def begin(program, folder, temporary, *more):
    process = runs.start(program, "--out", folder, *runs.arguments(**RUN), "--quiet", *more,
                         env={"TMPDIR": str(temporary)})
    while not list((folder / "checkpoint").glob("*.safetensors")):
        check(process.poll() is None, "no checkpoint before the end")
    return process


def warned(process, disk_says):
    line = process.stderr.readline()
    check(line.startswith("glidepath train: warning: ") and disk_says in line, f"no warning: {line}")


def full_for_a_while(program, disk, scratch, whole):
    folder = disk.path / "run"
    process = begin(program, folder, scratch)
    with Held(process):
        disk.fill()
    warned(process, "No space left on device; training goes on")
    with Held(process):
        disk.free()
    _, errors = process.communicate()
    check(process.returncode == 0, f"exit {process.returncode}: {errors}")
    check(errors == "glidepath train: warning: the disk takes files again; what it refused is written\n", errors)
    runs.require_same(folder, whole, "full for a while")
    check(not list(folder.glob("**/*.part")), "a temporary file was left")


def read_only_for_a_while(program, disk, scratch, whole):
    folder = disk.path / "run"
    process = begin(program, folder, scratch)
    with Held(process):
        disk.cover()
    warned(process, "Read-only file system; training goes on")
    with Held(process):
        disk.uncover()
    _, errors = process.communicate()
    check(process.returncode == 0, f"exit {process.returncode}: {errors}")
    runs.require_same(folder, whole, "read-only for a while")


def removed(program, disk, scratch, whole):
    folder = disk.path / "run"
    process = begin(program, folder, scratch)
    with Held(process):
        shutil.rmtree(folder)
    _, errors = process.communicate()
    check(process.returncode == 0, f"exit {process.returncode}: {errors}")
    runs.require_same(folder, whole, "removed while running")


def full_to_the_end(program, disk, scratch, whole):
    folder = disk.path / "run"
    process = begin(program, folder, disk.path)  # the temporary folder is on the same disk
    with Held(process):
        disk.fill()
    output, errors = process.communicate()
    lines = errors.splitlines()
    check(process.returncode == 1, f"exit {process.returncode}: {errors}")
    check(sum("warning" not in line for line in lines) == 1 and "No space left on device" in lines[-1] and
          f"go on with: glidepath train --resume {folder}" in lines[-1], errors)
    check(not (folder / "summary.json").exists(), "a summary of a run that was not saved")
    disk.free()
    status, errors = runs.run(program, "--resume", folder)
    check(status == 0 and "warning" not in errors, f"resumed when there was room: exit {status}: {errors}")
    runs.require_same(folder, whole, "full to the end, then resumed")


def full_and_saved_elsewhere(program, disk, scratch, whole):
    process = begin(program, disk.path / "run", scratch)
    with Held(process):
        disk.fill()
    _, errors = process.communicate()
    check(process.returncode == 0 and "the run was saved in" in errors, f"exit {process.returncode}: {errors}")
    elsewhere, = scratch.glob("glidepath-run-*")
    runs.require_same(elsewhere, whole, "saved elsewhere")


def full_and_not_saved_elsewhere(program, disk, scratch, whole):
    process = begin(program, disk.path / "run", scratch, "--no-rescue")
    with Held(process):
        disk.fill()
    _, errors = process.communicate()
    check(process.returncode == 1 and "No space left on device" in errors.splitlines()[-1], errors)
    check(not list(scratch.iterdir()), "something was saved elsewhere")


def stopped_when_full(program, disk, scratch, whole):
    process = begin(program, disk.path / "run", scratch)
    with Held(process):
        disk.fill()
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate()
    elsewhere, = scratch.glob("glidepath-run-*")
    check(process.returncode == 143 and f"--resume {elsewhere}" in errors, f"exit {process.returncode}: {errors}")
    check(runs.run(program, "--resume", elsewhere)[0] == 0, "resumed elsewhere")
    runs.require_same(elsewhere, whole, "stopped when full")


def main():
    in_own_namespace()
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="glidepath-disks-") as name:
        base = pathlib.Path(name)
        status, errors = runs.run(program, "--out", base / "whole", *runs.arguments(**RUN))
        check(status == 0, errors)
        whole = runs.outcome(base / "whole")
        for test in (full_for_a_while, read_only_for_a_while, removed, full_to_the_end,
                     full_and_saved_elsewhere, full_and_not_saved_elsewhere, stopped_when_full):
            if sys.argv[2:] and test.__name__ not in sys.argv[2:]:
                continue
            disk, scratch = Disk(base / test.__name__), base / f"{test.__name__}-tmp"
            scratch.mkdir()
            test(program, disk, scratch, whole)
            subprocess.run(["umount", disk.path], check=True)
            print(f"{test.__name__}: passed")


if __name__ == "__main__":
    main()
