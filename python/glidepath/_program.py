"""The installed program from Python: train and study."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from typing import Any, Union

from glidepath._errors import Error, InputError, RunError
from glidepath._results import RunResult, Study, load_run, load_study

Path = Union[str, "pathlib.Path"]


def train(
    out: Path, *, resume: bool = False, quiet: bool = False, program: Path | None = None, **options: Any
) -> RunResult:
    """Trains with the program `glidepath train` and gives the run that it left in `out`.

    Options are those of the command line, with _ in the place of -: data="cifar10", budget="20m", base_lr=0.1. With
    `resume` the run in `out` is gone on with. The program is $GLIDEPATH_PROGRAM or the `glidepath` on the PATH. Its
    messages are exceptions here: InputError for wrong options, RunError for what failed on the way.

    glidepath.train("runs/a", data="cifar10", model="resnet8", budget="5m")
    """
    command = [find_program(program), "train", *(["--resume", str(out)] if resume else ["--out", str(out)])]
    _run([*command, *_flags(options)], quiet)
    return load_run(out)


def study(
    file: Path,
    out: Path,
    *,
    set: dict[str, Any] | None = None,
    profile: str | None = None,
    jobs: int | None = None,
    quiet: bool = False,
    program: Path | None = None,
) -> Study:
    """Runs a study file with the program `glidepath study`, or goes on with it, and gives its results.

    `set` has options for every run, and lists for axes: {"data": "digits", "seed": [1, 2, 3]}.
    """
    command = [find_program(program), "study", str(file), "--out", str(out)]
    for key, value in (set or {}).items():
        text = (
            "[" + ", ".join(_text(item) for item in value) + "]" if isinstance(value, (list, tuple)) else _text(value)
        )
        command += ["--set", f"{key}={text}"]
    command += _flags({"profile": profile, "jobs": jobs})
    _run(command, quiet)
    return load_study(out)


def find_program(program: Path | None = None) -> str:
    """The program's path. Raises InputError where it is not installed, and says what would help."""
    if program is not None:
        return str(program)
    found = os.environ.get("GLIDEPATH_PROGRAM") or shutil.which("glidepath")
    if not found:
        raise InputError(
            "the program glidepath is not installed: build it with scripts/build and cmake --install, or name it in "
            "GLIDEPATH_PROGRAM"
        )
    return found


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _flags(options: dict[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        if value is None:
            continue
        if not name.isidentifier():
            raise InputError(f"{name!r} is no option")
        flags.append(f"--{name.replace('_', '-')}={_text(value)}")
    return flags


def _run(command: list[str], quiet: bool) -> None:
    """What the program prints goes where this one's does; its one line of error becomes an exception."""
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL if quiet else None, stderr=subprocess.PIPE, text=True
        )
    except OSError as error:
        raise InputError(f"{command[0]}: cannot be run: {error.strerror}") from None
    errors = ""
    while True:
        try:
            errors += process.communicate()[1]
            break
        except KeyboardInterrupt:
            continue  # it was told too: it saves and ends
    if process.returncode == 0:
        return
    message = errors.strip().splitlines()[-1] if errors.strip() else f"exit status {process.returncode}"
    for prefix in ("glidepath train: ", "glidepath study: "):
        message = message[len(prefix) :] if message.startswith(prefix) else message
    kind: type[Error] = InputError if process.returncode == 2 else RunError
    if process.returncode in (130, -2):
        raise KeyboardInterrupt(message)
    raise kind(message)
