#!/usr/bin/env python3
"""Checks that every test that docs/reliability.md names, as `Suite.Name` or with a star, is in the sources.

    named_tests.py ROOT
"""

import fnmatch
import pathlib
import re
import sys


def tests_of(root):
    names = set()
    for file in (root / "tests").rglob("*.cpp"):
        for suite, name in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", file.read_text()):
            names.add(f"{suite}.{name}")
    for file in [*(root / "tests").rglob("CMakeLists.txt"), root / "fuzz/CMakeLists.txt"]:
        names.update(re.findall(r"\b([A-Z]\w+\.\w+)\b", file.read_text()))
    return names


def main():
    root = pathlib.Path(sys.argv[1])
    known = tests_of(root)
    named = re.findall(r"`([A-Z]\w+\.[A-Z*][\w*]*|Program\.\w+)(?:`|\.\.\.`)", (root / "docs/reliability.md").read_text())
    replayed = {f"FuzzCorpus.{file.stem}" for file in (root / "fuzz").glob("*.cpp")}
    missing = [name for name in named if not any(fnmatch.fnmatch(test, name + "*") for test in known | replayed)]
    if missing or len(named) < 50:
        sys.exit(f"docs/reliability.md: {len(named)} tests named; not in the sources: {', '.join(missing)}")


if __name__ == "__main__":
    main()
