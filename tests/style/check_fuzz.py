#!/usr/bin/env python3
"""tests/fuzz/README.md: each fuzz target is in its tables and has a corpus, and what they name exists."""
import os
import re
import sys
from pathlib import Path

FEWEST = 30  # with fewer this reads something else than the tables
root = Path(os.environ.get("srcdir", "."))
folder = root / "tests/fuzz"
page = (folder / "README.md").read_text(encoding="utf-8")
rows = [line.strip("| ").split(" | ") for line in page.split("\n") if re.match(r"\| .* \| .*`", line)]
listed = {name for row in rows for name in re.findall(r"`(\w+)`", row[-1])}
targets = {path.stem.removeprefix("fuzz_") for path in folder.glob("fuzz_*.c")}
problems = [f"tests/fuzz/fuzz_{name}.c does not exist; correct the target in the table" for name in sorted(listed - targets)]
problems += [f"the target {name} is in no table; add a row: | bytes | `FILE.c` | `{name}` |" for name in sorted(targets - listed)]
problems += [f"the target {name} has no corpus; add an input as tests/fuzz/corpus/{name}/NAME" for name in sorted(targets)
             if not any((folder / "corpus" / name).glob("*"))]
sources = {source for row in rows for source in re.findall(r"`([\w/]+\.c)`", row[-2])}
problems += [f"{source} does not exist; correct the parser in the table" for source in sorted(sources)
             if not (root / source).is_file() and not (root / "gateway" / source).is_file()]
if len(listed) < FEWEST:
    problems.append(f"only {len(listed)} targets found; set srcdir to the top folder of the source")
for problem in problems:
    print("tests/fuzz/README.md:", problem)
sys.exit(1 if problems else 0)
