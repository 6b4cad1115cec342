#!/usr/bin/env python3
"""The man page against the table of options: each option is there with its argument,
default and range, and nothing else is."""
import os
import re
import subprocess
import sys
from pathlib import Path

page = Path(os.environ.get("srcdir", "."), "doc", "sluice.8").read_text(encoding="utf-8")
table = subprocess.run(["tests/style/print_options"], check=True, capture_output=True, text=True).stdout
problems = []


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\\-", "-").replace("\\(ti", "~"))


paragraphs = {}
section = page[page.index(".SH OPTIONS"):page.index(".SH", page.index(".SH OPTIONS") + 3)]
for part in re.split(r"^\.TP\n", section, flags=re.M)[1:]:
    tag, _, text = part.partition("\n")
    for name in re.findall(r"--([a-z-]+)", plain(tag)):
        paragraphs[name] = (plain(tag), plain(text))

names = set()
for line in table.splitlines():
    name, arg, default, bounds = line.split("\t")
    names.add(name)
    if name not in paragraphs:
        problems.append(f"--{name} is missing")
        continue
    tag, text = paragraphs[name]
    if arg and arg not in tag:
        problems.append(f"--{name} lacks its argument {arg}")
    # The default of --web depends on the prefix.
    if default and name != "web" and f"Default: {default}" not in text:
        problems.append(f"--{name} lacks \"Default: {default}\"")
    for word in bounds.split("|") if "|" in bounds else [bounds]:
        if word not in text:
            problems.append(f"--{name} lacks \"{word}\"")
for name in sorted(set(paragraphs) - names):
    problems.append(f"--{name} is in the page but is no option")

for problem in problems:
    print(f"sluice.8: {problem}")
print(f"manual: {len(names)} options, {len(problems)} problems")
sys.exit(1 if problems or not names else 0)
