#!/usr/bin/env python3
"""Data that cannot be read for a while, or for good, while the real program uses them.

    lost_data.py PROGRAM FAILING_DISK [TEST...]

FAILING_DISK is a library that is preloaded (tests/support/failing_disk.cpp): it makes a disk fail without mounting one.
"""

import gzip
import io
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "loop"))
import runs  # noqa: E402

GOLDEN = pathlib.Path(__file__).parent.parent / "data/golden/images/odd"
RUN = dict(data="imagefolder:", model="resnet8", width=0.25, train_res=24, budget="120it", full="10ep", batch_size=8,
           base_lr=0.02, eval_every="30it", workers=2, checkpoint_every="1000it")


def check(condition, what):
    if not condition:
        sys.exit(what)


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    sys.exit(f"timed out: {what}")


class Scene:
    """A folder of images, the same as shards and as a pack, and a disk below it that fails while `away` is there."""

    def __init__(self, program, failing_disk, root):
        self.program, self.root = program, root
        self.data, self.away = root / "data", root / "away"
        self.environment = {"LD_PRELOAD": failing_disk, "FAILING_BELOW": f"{self.data}/", "FAILING_WHEN": str(self.away),
                            "XDG_CACHE_HOME": str(root / "cache")}
        files = sorted(GOLDEN.glob("*.jpg")) + sorted(GOLDEN.glob("*.png"))
        for split, count in (("train", 16), ("val", 8)):
            for label, name in enumerate(("cat", "dog")):
                folder = self.data / "folder" / split / name
                folder.mkdir(parents=True)
                for i in range(count):
                    file = files[(i * 2 + label) % len(files)]
                    shutil.copy(file, folder / f"{i:02}{file.suffix}")
        (self.data / "shards").mkdir()
        for split in ("train", "val"):
            with tarfile.open(self.data / f"shards/{split}-0.tar", "w") as tar:
                for label, name in enumerate(("cat", "dog")):
                    for file in sorted((self.data / "folder" / split / name).iterdir()):
                        tar.add(file, f"{name}{file.name}")
                        info = tarfile.TarInfo(f"{name}{file.stem}.cls")
                        info.size = 1
                        tar.addfile(info, io.BytesIO(str(label).encode()))
        subprocess.run([program, "data", "pack", f"imagefolder:{self.data / 'folder'}", "--out", self.data / "pack.gpk", "--quiet"],
                       check=True)
        self.forms = {"folder": self.data / "folder", "shards": self.data / "shards", "pack": self.data / "pack.gpk"}

    def start(self, form, out, *more, ranks=0, **options):
        chosen = {**RUN, "data": f"imagefolder:{self.forms[form]}", **options}
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in {**dict(precision="fp32", threads=1), **chosen}.items()]
        launcher = [self.program, "launch", "-n", str(ranks)] if ranks else [self.program]
        return subprocess.Popen([*launcher, "train", "--out", self.root / out, *flags, *map(str, more), "--no-progress"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **self.environment, "OMP_NUM_THREADS": "1"})

    def resume(self, out):
        return runs.run(self.program, "--resume", self.root / out)

    def whole(self, form):
        out = f"whole-{form}"
        if not (self.root / out).exists():
            _, errors = (process := self.start(form, out)).communicate()
            check(process.returncode == 0, errors)
        return runs.outcome(self.root / out)

    def records(self, out):
        file = self.root / out / "metrics.jsonl"
        return file.read_text().count("\n") if file.exists() else 0

    def fail_for(self, process, out, seconds):
        """From the first record on."""
        wait_for(lambda: self.records(out) > 0 or process.poll() is not None, "the first record")
        check(process.poll() is None, "the run was over too early")
        self.away.touch()
        time.sleep(seconds)
        self.away.unlink(missing_ok=True)


def warnings_in(errors):
    return [line for line in errors.splitlines() if "warning: " in line]


def hiccup(scene):
    for form in scene.forms:
        whole = scene.whole(form)
        process = scene.start(form, f"hiccup-{form}")
        scene.fail_for(process, f"hiccup-{form}", 0.6)
        _, errors = process.communicate()
        check(process.returncode == 0, f"{form}: exit {process.returncode}: {errors}")
        told = warnings_in(errors)
        check(len(told) == 2 and "Input/output error; waiting for the data, for up to 60 s" in told[0] and
              told[1].endswith("the data can be read again"), f"{form}: {errors}")
        runs.require_same(scene.root / f"hiccup-{form}", whole, form)


def folder_renamed(scene):
    whole = scene.whole("folder")
    process = scene.start("folder", "renamed")
    wait_for(lambda: scene.records("renamed") > 0, "the first record")
    moved = scene.data / "elsewhere"
    scene.forms["folder"].rename(moved)
    time.sleep(0.6)
    moved.rename(scene.forms["folder"])
    _, errors = process.communicate()
    check(process.returncode == 0 and "No such file or directory; waiting for the data" in errors, errors)
    runs.require_same(scene.root / "renamed", whole, "renamed")


def too_many_open_files(scene):
    whole = scene.whole("folder")
    scene.environment["FAILING_WITH"] = "24"
    process = scene.start("folder", "files")
    scene.fail_for(process, "files", 0.4)
    del scene.environment["FAILING_WITH"]
    _, errors = process.communicate()
    check(process.returncode == 0 and "Too many open files; waiting for the data" in errors, errors)
    runs.require_same(scene.root / "files", whole, "files")


def for_good(scene):
    """Saved as at a signal, whatever fails: training images, or those of an evaluation; resumed to the same bits."""
    for form, below in (("folder", "folder/train/"), ("folder", "folder/val/"), ("shards", ""), ("pack", "")):
        whole = scene.whole(form)
        out = f"gone-{form}-{below.strip('/').replace('/', '-')}"
        scene.environment["FAILING_BELOW"] = f"{scene.data}/{below}"
        process = scene.start(form, out, "--data-wait", "1")
        wait_for(lambda: scene.records(out) > 0, "the first record")
        scene.away.touch()
        _, errors = process.communicate(timeout=60)
        scene.away.unlink()
        scene.environment["FAILING_BELOW"] = f"{scene.data}/"
        check(process.returncode == 1, f"{out}: exit {process.returncode}: {errors}")
        last = errors.splitlines()[-1]
        check("Input/output error, for 1 s; stopped at update " in last and
              last.endswith(f"; go on with: glidepath train --resume {scene.root / out}"), f"{out}: {errors}")
        check("cannot be decoded" not in errors, errors)
        status, errors = scene.resume(out)
        check(status == 0, errors)
        runs.require_same(scene.root / out, whole, out)


def signal_while_waiting(scene):
    whole = scene.whole("folder")
    process = scene.start("folder", "signal")
    wait_for(lambda: scene.records("signal") > 0, "the first record")
    scene.away.touch()
    line = process.stderr.readline()
    while "waiting for the data" not in line:
        check(line, "no warning")
        line = process.stderr.readline()
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    scene.away.unlink()
    check(process.returncode == 128 + signal.SIGINT and time.monotonic() - begun < 5, f"exit {process.returncode}: {errors}")
    status, errors = scene.resume("signal")
    check(status == 0, errors)
    runs.require_same(scene.root / "signal", whole, "signal")


def sets_in_memory(scene):
    """Read once, at the start: a disk that comes back a little later is waited for."""
    folder = scene.data / "mnist"
    folder.mkdir()
    for name, count in (("train", 60000), ("t10k", 10000)):
        with gzip.open(folder / f"{name}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">4I", 0x803, count, 28, 28) + bytes(count * 28 * 28))
        with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">2I", 0x801, count) + bytes(count))
    for with_error in ("5", "116"):  # EIO, ESTALE
        scene.away.touch()
        process = subprocess.Popen([scene.program, "data", "info", "mnist", "--data-dir", scene.data], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, **scene.environment, "FAILING_WITH": with_error})
        line = process.stderr.readline()
        check("waiting for the data, for up to 60 s" in line, f"did not wait: {line}")
        scene.away.unlink()
        output, errors = process.communicate(timeout=60)
        check(process.returncode == 0 and "60000 training and 10000 test images" in output, f"{output}{errors}")


def while_measuring(scene):
    """The instrument that looks at the next batch in the middle of an update, and the one that reads all images."""
    measures = dict(measure="grad-norm-online@every=10it,grad-norm@every=40it", budget="80it")
    process = scene.start("folder", "measured", **measures)
    check(process.communicate() and process.returncode == 0, "not measured")
    whole = runs.outcome(scene.root / "measured")
    for i in range(4):
        out = f"measured-{i}"
        process = scene.start("folder", out, "--data-wait", "0", **measures)
        wait_for(lambda: scene.records(out) > i, "a record")
        scene.away.touch()
        _, errors = process.communicate(timeout=60)
        scene.away.unlink()
        check(process.returncode == 1 and "go on with" in errors, errors)
        status, errors = scene.resume(out)
        check(status == 0, errors)
        runs.require_same(scene.root / out, whole, out)


def several_ranks(scene):
    process = scene.start("folder", "ranks", ranks=2)
    check(process.communicate() and process.returncode == 0, "two ranks")
    whole = runs.outcome(scene.root / "ranks")
    process = scene.start("folder", "ranks-hiccup", ranks=2)
    scene.fail_for(process, "ranks-hiccup", 0.6)
    _, errors = process.communicate()
    check(process.returncode == 0 and "waiting for the data" in errors, errors)
    runs.require_same(scene.root / "ranks-hiccup", whole, "ranks")
    process = scene.start("folder", "ranks-gone", "--data-wait", "1", ranks=2)
    wait_for(lambda: scene.records("ranks-gone") > 0, "the first record")
    scene.away.touch()
    _, errors = process.communicate(timeout=60)
    scene.away.unlink()
    check(process.returncode == 1 and "Input/output error, for 1 s; stopped at update " in errors and
          errors.count("go on with: glidepath train --resume") == 1, errors)


def ranks_with_other_data(scene):
    """Copies on the disks of two machines that are not the same: told by count, or by checksum."""
    scene.environment["HIDDEN_FROM_RANK_1"] = next((scene.forms["folder"] / "train/cat").iterdir()).name
    process = scene.start("folder", "ranks-other", ranks=2)
    del scene.environment["HIDDEN_FROM_RANK_1"]
    _, errors = process.communicate(timeout=60)
    check(process.returncode == 2 and 'training images: "32" on rank 0 and "30" on rank 1' in errors, errors)


def evaluation_and_packing(scene):
    scene.whole("folder")
    weights = scene.root / "whole-folder/model.safetensors"
    data = f"imagefolder:{scene.forms['folder']}"
    evaluate = ["evaluate", "--weights", weights, "--data", data, "--model", "resnet8", "--width", "0.25", "--eval-res", "24"]
    pack = ["data", "pack", data, "--out", scene.root / "made.gpk"]
    for arguments, lasting in ((evaluate, ["--data-wait", "1"]), (pack, [])):
        environment = {**os.environ, **scene.environment}
        # The data set is opened, then fails: what is read first are the names.
        environment["FAILING_BELOW"] = f"{scene.forms['folder']}/val/dog/0"
        expected = subprocess.run([scene.program, *arguments], capture_output=True, text=True, env=environment, check=True).stdout
        scene.away.touch()
        process = subprocess.Popen([scene.program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        time.sleep(2.5)
        check(process.poll() is None, f"{arguments[0]} did not wait")
        scene.away.unlink()
        output, errors = process.communicate(timeout=60)
        check(process.returncode == 0 and "waiting for the data" in errors, errors)
        if arguments is evaluate:
            check(output == expected, f"{output} is not {expected}")
            scene.away.touch()
            result = subprocess.run([scene.program, *arguments, *lasting], capture_output=True, text=True, env=environment)
            scene.away.unlink()
            check(result.returncode == 1 and "Input/output error, for 1 s" in result.stderr, result.stderr)
    # A file that its disk does not give is a problem to be told of, and nothing that is waited for.
    scene.away.touch()
    environment["FAILING_BELOW"] = f"{scene.forms['folder']}/val/dog/00"
    result = subprocess.run([scene.program, "data", "verify", data], capture_output=True, text=True, env=environment)
    scene.away.unlink()
    check(result.returncode == 2 and "cannot be read: Input/output error" in result.stdout, result)


TESTS = (hiccup, folder_renamed, too_many_open_files, for_good, signal_while_waiting, sets_in_memory, while_measuring, several_ranks,
         ranks_with_other_data, evaluation_and_packing)


def main():
    chosen = sys.argv[3:]
    with tempfile.TemporaryDirectory(prefix="glidepath-lost-data-") as root:
        scene = Scene(sys.argv[1], sys.argv[2], pathlib.Path(root).resolve())
        for test in TESTS:
            if not chosen or test.__name__ in chosen:
                begun = time.monotonic()
                test(scene)
                print(f"{test.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
