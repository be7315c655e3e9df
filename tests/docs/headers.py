#!/usr/bin/env python3
"""Every public header has an example in the documentation, which scripts/test-install compiles; every header that an
example includes is there, and so is every file and folder of the sources that a page names.

    python3 headers.py SOURCE_FOLDER
"""

from __future__ import annotations

import pathlib
import re
import sys

PATH = re.compile(r"`((?:src|include|tests|scripts|bench|fuzz|python|examples|studies)/[\w./-]*\w/?)`")


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    # In a block, or in the comment before it, which blocks.py puts on top of the program.
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    shown = set(re.findall(r"#include <glidepath/(\w+\.h)>", text))
    there = {path.name for path in (root / "include" / "glidepath").glob("*.h")}
    for name in sorted(there - shown):
        print(f"include/glidepath/{name}: no C++ block of the documentation uses it; docs/library.md has one for each")
    for name in sorted(shown - there):
        print(f"docs: a C++ block includes glidepath/{name}, which is no public header")
    assert len(there) > 20, there
    pages.append(root / "CONTRIBUTING.md")
    named = {(page, path) for page in pages for path in PATH.findall(page.read_text(encoding="utf-8"))}
    lost = sorted((page.name, path) for page, path in named if not (root / path).exists() and "NAME" not in path)
    for page, path in lost:
        print(f"{page} names {path}, which is not there")
    assert len(named) > 50, named
    return 1 if there != shown or lost else 0


if __name__ == "__main__":
    sys.exit(main())
