"""Makes a program of every C++ block of the documentation, and the CMake file that builds them.

A block is a whole program, a plug-in, or a fragment. What a fragment takes for granted stands in a comment before it, which
readers of the page do not see:

    <!-- cpp: link glidepath::study
    #include <iostream>
    ---
    const std::int64_t updates = 10;
    -->

The first line names what the page says to link (glidepath::core where there is no comment); up to --- come lines for the
top of the file, after it lines for the top of the function that the fragment is put into. #include lines of the fragment
itself go to the top.

    python3 blocks.py SOURCE_FOLDER OUTPUT_FOLDER

Prints how many blocks there are.
"""

from __future__ import annotations

import pathlib
import re
import sys

BLOCK = re.compile(r"(?:<!-- cpp: link (?P<link>\S+)\n(?P<given>.*?)-->\n+)?```cpp\n(?P<code>.*?)```", re.DOTALL)


def program_of(code: str, given: str) -> str:
    """A whole C++ program that holds the block."""
    if "int main(" in code:
        return code
    if "GLIDEPATH_PLUGIN(" in code:
        return f"{code}\nint main() {{}}\n"
    top, _, before = given.partition("---\n")
    includes = [line for line in code.splitlines() if line.startswith("#include")]
    body = [line for line in code.splitlines() if not line.startswith("#include")]
    return "\n".join([*includes, top, "void block() {", before, *body, "}", "int main() {}", ""])


def main() -> None:
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    cmake = ["set(components)"]
    targets = []
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    for page in pages:
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")), start=1):
            name = f"{page.parent.name}_{page.stem}_{number}" if page.parent.name != "docs" else f"{page.stem}_{number}"
            name = re.sub(r"\W", "_", name)
            (out / f"{name}.cpp").write_text(program_of(match["code"], match["given"] or ""), encoding="utf-8")
            link = match["link"] or "glidepath::core"
            cmake.append(f"list(APPEND components {link.split('::')[1]})")
            targets += [f"add_executable({name} {name}.cpp)", f"target_link_libraries({name} PRIVATE {link})",
                        f"target_compile_features({name} PRIVATE cxx_std_17)"]
    cmake += ["list(REMOVE_DUPLICATES components)", "find_package(glidepath 0.1 REQUIRED COMPONENTS ${components})"]
    header = ["cmake_minimum_required(VERSION 3.18)", "project(docs_consumer LANGUAGES CXX)"]
    (out / "CMakeLists.txt").write_text("\n".join([*header, *cmake, *targets, ""]), encoding="utf-8")
    print(len(targets) // 3)


if __name__ == "__main__":
    main()
