#!/usr/bin/env python3
"""THREATS.md: each promise names tests, and each test that it names exists: a file below tests/, and
behind `::` a function of Python or C, or words of a test's title."""
import os
import re
import sys
from pathlib import Path

FEWEST = 40  # with fewer this reads something else than the page
root = Path(os.environ.get("srcdir", "."))
page = (root / "THREATS.md").read_text(encoding="utf-8")
problems = []


def has_test(path, name):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return re.search(rf"^def {re.escape(name)}\(", text, re.M)
    if path.suffix == ".c":
        return re.search(rf"^{re.escape(name)}\(", text, re.M)
    titles = re.findall(r"\btest\((['`])(.*?)(?<!\\)\1", text)
    return any(name in title for quote, title in titles)


def check_reference(reference):
    file, _, name = reference.partition("::")
    path = root / "tests" / file
    if not path.is_file():
        problems.append(f"tests/{file} does not exist; correct the name in the table")
    elif name and not has_test(path, name):
        problems.append(f"tests/{file} has no test {name}; correct the name in the table")


promised = page[page.index("\n## What is promised?"):page.index("\n## What is not promised?")]
rows = [line for line in promised.split("\n") if re.match(r"\| (?!(attack \| )?promise \|)", line)]
references = [re.findall(r"`([a-z0-9]+/[^`]+)`", row.split(" | ")[-1]) for row in rows]
for row, found in zip(rows, references):
    if not found:
        problems.append(f"a promise has no test in its last column; write the test and name it as `e2e/FILE::TEST`: {row}")
    for reference in found:
        check_reference(reference)
count = sum(map(len, references))
for problem in problems:
    print(f"THREATS.md: {problem}")
print(f"threats: {len(rows)} promises, {count} tests, {len(problems)} problems")
sys.exit(1 if problems or count < FEWEST else 0)
