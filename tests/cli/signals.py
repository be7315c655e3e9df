#!/usr/bin/env python3
"""Signals to the real program: saved within 5 s, exit 128 + number, and resumed to the same bits.

    signals.py PROGRAM
"""

import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "loop"))
import runs  # noqa: E402

LONG = dict(model="resnet8", width=0.25, budget="100000it", eval_every="end")
SLOW_EVALUATION = dict(model="resnet20", width=2, budget="2it", eval_every="end", eval_batch_size=1, batch_size=8,
                       train_limit=16)


def check(condition, what):
    if not condition:
        sys.exit(what)


def wait_for(condition, what):
    for _ in range(60000):
        if condition():
            return
        time.sleep(0.001)
    sys.exit(f"timed out: {what}")


def records(folder):
    file = folder / "metrics.jsonl"
    return file.read_text().count("\n") if file.exists() else 0


def stop(process, number, patience=5):
    started = time.monotonic()
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=60)
    except Exception:
        process.kill()
        sys.exit(f"signal {number}: still running after a minute")
    took = time.monotonic() - started
    check(took <= patience, f"signal {number}: took {took:.1f} s")
    return errors


def each_signal(program, scratch):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        folder = scratch / number.name
        process = runs.start(program, "--out", folder, *runs.arguments(**LONG))
        wait_for(lambda: records(folder) > 0, "the first record")
        errors = stop(process, number)
        check(process.returncode == 128 + number, f"{number.name}: exit {process.returncode}: {errors}")
        check("go on with: glidepath train --resume" in errors, f"{number.name}: {errors}")
        check(list((folder / "checkpoint").glob("step-*.safetensors")), f"{number.name}: no checkpoint")


def while_evaluating(program, scratch):
    whole = scratch / "whole"
    check(runs.run(program, "--out", whole, *runs.arguments(**SLOW_EVALUATION))[0] == 0, "the whole run")
    folder = scratch / "evaluating"
    process = runs.start(program, "--out", folder, *runs.arguments(**SLOW_EVALUATION))
    wait_for(lambda: records(folder) >= 2, "the last update")  # from here on it evaluates
    errors = stop(process, signal.SIGTERM)
    check(process.returncode == 143, f"while evaluating: exit {process.returncode}: {errors}")
    check(records(folder) == 2, "the evaluation was not cut short")
    check(runs.run(program, "--resume", folder)[0] == 0, "resumed after an evaluation was cut short")
    runs.require_same(folder, runs.outcome(whole), "an evaluation that was cut short")


def while_loading(program, scratch):
    """Nothing to save yet: it ends at once and leaves nothing that is in the way."""
    for delay in (0, 0.05, 0.2):
        folder = scratch / f"loading-{delay}"
        process = runs.start(program, "--out", folder, *runs.arguments(budget="5it"))
        time.sleep(delay)
        stop(process, signal.SIGTERM)
        # Before the program asks for signals, the system ends it; it may also have been done already.
        check(process.returncode in (143, -signal.SIGTERM, 0), f"while loading: exit {process.returncode}")
        if process.returncode != 0:
            again = ["--resume", folder] if (folder / "config.toml").exists() else \
                ["--out", folder, *runs.arguments(budget="5it")]
            check(runs.run(program, *again)[0] == 0, "started again after a signal while loading")


def twice(program, scratch):
    """A second SIGINT ends at once; two that come together, or two SIGTERM, are one request."""
    folder = scratch / "twice"
    process = runs.start(program, "--out", folder, *runs.arguments(**LONG))
    wait_for(lambda: records(folder) > 0, "the first record")
    for number in (signal.SIGTERM, signal.SIGTERM):
        process.send_signal(number)
    errors = stop(process, signal.SIGTERM)
    check(process.returncode == 143 and "go on with" in errors, f"SIGTERM three times: {process.returncode} {errors}")

    process = runs.start(program, "--resume", folder)
    wait_for(lambda: len(list((folder / "tensorboard").iterdir())) > 1, "the first record")
    process.send_signal(signal.SIGINT)
    errors = stop(process, signal.SIGINT)
    check(process.returncode == 130 and "go on with" in errors, f"SIGINT twice at once: {errors}")

    # An update takes seconds here, so the first is not answered when the second comes.
    slow = scratch / "slow"
    process = runs.start(program, "--out", slow,
                         *runs.arguments(**dict(LONG, batch_size=1000, model="resnet20", width=8)))
    wait_for(lambda: (slow / "metrics.jsonl").exists(), "the run directory")
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.15)
    errors = stop(process, signal.SIGINT)
    check(process.returncode == 130, f"second SIGINT: exit {process.returncode}: {errors}")
    check(not (slow / "checkpoint").exists(), "the second SIGINT was waited with")


def ignored(program, scratch):
    """What the program was started to ignore (nohup) stays ignored."""
    folder = scratch / "nohup"
    process = runs.start(program, "--out", folder, *runs.arguments(**LONG),
                         preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for(lambda: records(folder) > 0, "the first record")
    process.send_signal(signal.SIGHUP)
    seen = records(folder)
    wait_for(lambda: records(folder) > seen or process.poll() is not None, "another record")
    check(process.poll() is None, "SIGHUP was not ignored")
    stop(process, signal.SIGTERM)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="glidepath-signals-") as scratch:
        for test in (each_signal, while_evaluating, while_loading, twice, ignored):
            folder = pathlib.Path(scratch) / test.__name__
            folder.mkdir()
            test(program, folder)
            print(f"{test.__name__}: passed")


if __name__ == "__main__":
    main()
