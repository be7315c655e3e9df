"""The examples of docs/python.md and of the README's Python lines run as they stand."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest
from test_results import program

ROOT = pathlib.Path(__file__).parents[2]
BLOCK = re.compile(
    r"<!-- python: run(?: with (?P<needs>\w+))?\n(?P<given>.*?)-->\n+```python\n(?P<code>.*?)```", re.DOTALL
)
BLOCKS = [
    (file.name, match)
    for file in (ROOT / "docs" / "python.md", ROOT / "README.md", ROOT / "python" / "README.md")
    for match in BLOCK.finditer(file.read_text())
]


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[f"{name}-{match.start()}" for name, match in BLOCKS])
def test_examples(name: str, block: re.Match[str]) -> None:
    if block["needs"] == "program":
        program()
    elif block["needs"]:
        pytest.importorskip(block["needs"])
    answer = subprocess.run(
        [sys.executable, "-c", block["given"] + block["code"]],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert answer.returncode == 0, answer.stderr


def test_every_python_block_is_run() -> None:
    for file in (ROOT / "docs" / "python.md", ROOT / "README.md", ROOT / "python" / "README.md"):
        assert (
            file.read_text().count("```python") == sum(name == file.name for name, _ in BLOCKS)
            or file.name == "README.md"
        )
    assert len(BLOCKS) >= 5
