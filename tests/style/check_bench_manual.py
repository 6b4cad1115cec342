#!/usr/bin/env python3
"""sluice-bench's man page against the program: each option is there with its argument and
default, each scenario too, and nothing else is."""
import os
import re
import subprocess
import sys
from pathlib import Path

page = Path(os.environ.get("srcdir", "."), "doc", "sluice-bench.1").read_text(encoding="utf-8")
problems = []


def run(option):
    return subprocess.run(["./sluice-bench", option], check=True, capture_output=True, text=True,
                          env={**os.environ, "ARGP_HELP_FMT": "rmargin=200"}).stdout


def paragraphs(title):
    start = page.index(".SH " + title)
    end = page.find("\n.SH ", start)
    for part in re.split(r"^\.TP\n", page[start:end], flags=re.M)[1:]:
        tag, _, text = part.partition("\n")
        yield tag.replace("\\-", "-").replace('"', ""), re.sub(r"\s+", " ", text.replace("\\-", "-"))


described = {}
for tag, text in paragraphs("OPTIONS"):
    for name in re.findall(r"--([a-z-]+)", tag + " " + (text if "--usage" in text else "")):
        described[name] = (tag, text)

options = re.findall(r"^ +(?:-\S, +)?--([a-z-]+)(?:=([A-Z]+))?  +(.*)$", run("--help"), re.M)
for name, argument, meaning in options:
    if name not in described:
        problems.append(f"--{name} of --help is not in the page; add a paragraph under OPTIONS")
        continue
    tag, text = described[name]
    if argument and not re.search(rf"--{name}= *{argument}\b", tag):
        problems.append(f"--{name} lacks its argument; write --{name}={argument}")
    default = re.search(r"\(default ([^):]+)\)", meaning)
    if default and f"Default: {default[1]}" not in text:
        problems.append(f'the paragraph of --{name} lacks "Default: {default[1]}."; write it as its last sentence')
for name in sorted(set(described) - {name for name, _, _ in options}):
    problems.append(f"--{name} is not in --help; remove its paragraph, or correct the name")

listed = re.search(r"Scenarios.*\n((?: .*\n)+)", run("--list"))[1]
scenarios = {(name, bool(star.strip())) for star, name in re.findall(r"^ +([* ]) ([\w-]+)", listed, re.M)}
known = {(tag.split()[1], tag.endswith("*")) for tag, _ in paragraphs("SCENARIOS")}
for name, star in sorted(scenarios - known):
    problems.append(f"the scenario {name}{' *' if star else ''} of --list is not in the page; "
                    "add it under SCENARIOS, or correct its star")
for name, star in sorted(known - scenarios):
    problems.append(f"the scenario {name}{' *' if star else ''} of the page is not in --list; "
                    "remove it from SCENARIOS, or correct its star")

for problem in problems:
    print(f"sluice-bench.1: {problem}")
print(f"manual: {len(options)} options, {len(scenarios)} scenarios, {len(problems)} problems")
sys.exit(1 if problems or not options else 0)
