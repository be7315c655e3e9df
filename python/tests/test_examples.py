"""Every example of examples/python runs, ends in time, and learns."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"


def run(name: str, *arguments: str) -> tuple[str, float]:
    begun = time.monotonic()
    environment = {**os.environ, "KERAS_BACKEND": "torch", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    answer = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments], capture_output=True, text=True, timeout=300, env=environment
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    return answer.stdout.strip().splitlines()[-1], time.monotonic() - begun


@pytest.mark.parametrize(
    ("name", "library"), [("with_lightning.py", "lightning"), ("with_keras.py", "keras"), ("with_optax.py", "optax")]
)
def test_examples_on_digits(name: str, library: str) -> None:
    pytest.importorskip(library)
    told, _ = run(name, "4s")
    found = re.fullmatch(r"accuracy ([\d.]+) % after (\d+) updates", told)
    assert found and float(found[1]) > 85 and int(found[2]) > 50, told


def test_the_example_with_transformers() -> None:
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    told, _ = run("with_transformers.py", str(EXAMPLES / "cifar10.py"), "5s")
    found = re.fullmatch(r"loss ([\d.]+) after (\d+) updates", told)
    assert found and float(found[1]) < 4.6 and int(found[2]) > 10, told


def test_the_example_on_cifar10(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("torch")
    folder = pathlib.Path(os.environ.get("GLIDEPATH_DATA", "/nowhere")) / "cifar-10-batches-bin"
    if not folder.is_dir():
        pytest.skip("GLIDEPATH_DATA names no folder with cifar-10-batches-bin")
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        (tmp_path / name).write_bytes((folder / name).read_bytes()[: 3073 * 400])
    told, _ = run("cifar10.py", str(tmp_path), "15s")
    found = re.fullmatch(r"test accuracy ([\d.]+) % after (\d+) updates", told)
    assert found and float(found[1]) > 15 and int(found[2]) > 20, told
