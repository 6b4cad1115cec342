#!/usr/bin/env python3
"""The man pages against the programs: sluice.8 against its table of options, each with its
argument, default and range, and whether it needs a restart; sluice-obstacle.1 against its own
help and list of faults. Nothing else is in the pages."""
import os
import re
import subprocess
import sys
from pathlib import Path

problems = []


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\\-", "-").replace("\\(ti", "~"))


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def section_of(name, title):
    """The paragraphs of a section: pairs of tag and text."""
    page = Path(os.environ.get("srcdir", "."), "doc", name).read_text(encoding="utf-8")
    start = page.index(title)
    end = re.compile(r"^\.S[HS]", re.M).search(page, start + 3).start() if title.startswith(".SS") \
        else page.index(".SH", start + 3)
    for part in re.split(r"^\.TP\n", page[start:end], flags=re.M)[1:]:
        tag, _, text = part.partition("\n")
        yield plain(tag), plain(text)


def options_of(name):
    return {option: (tag, text) for tag, text in section_of(name, ".SH OPTIONS")
            for option in re.findall(r"--([a-z-]+)", tag)}


def compare(name, wanted, found):
    for missing in sorted(set(wanted) - set(found)):
        problems.append(f"{name}: {missing} of the program is not in the page; add a paragraph")
    for extra in sorted(set(found) - set(wanted)):
        problems.append(f"{name}: {extra} is not in the program; remove its paragraph, or correct the name")


def check_gateway(name):
    paragraphs = options_of(name)
    rows = [line.split("\t") for line in output_of("tests/style/print_options").split("\n") if line]
    compare(name, {f"--{row[0]}" for row in rows}, {f"--{option}" for option in paragraphs})
    for option, arg, default, bounds, restart in rows:
        if option not in paragraphs:
            continue
        tag, text = paragraphs[option]
        if arg and arg not in tag:
            problems.append(f"{name}: --{option} lacks its argument; write .BI \\-\\-{option}= {arg}")
        # The default of --web depends on the prefix.
        if default and option != "web" and f"Default: {default}" not in text:
            problems.append(f"{name}: the paragraph of --{option} lacks \"Default: {default}.\"; write it as its last sentence")
        for word in bounds.split("|") if "|" in bounds else [bounds]:
            if word not in text:
                problems.append(f"{name}: the paragraph of --{option} lacks \"{word}\", which config/options.c allows")
        if bool(restart) != ("Needs a restart." in text):
            problems.append(f"{name}: the paragraph of --{option} {'lacks' if restart else 'has'} \"Needs a restart.\"; "
                            f"{'write' if restart else 'remove'} it, or change needs_restart in config/options.c")
    return len(rows)


def check_obstacle(name):
    said = dict(re.findall(r"--([a-z-]+)(?:=([A-Z:]+))?", output_of("./sluice-obstacle", "--help")))
    said = {option: arg for option, arg in said.items() if option not in ("help", "usage")}
    paragraphs = options_of(name)
    compare(name, {f"--{option}" for option in said}, {f"--{option}" for option in paragraphs})
    for option, arg in said.items():
        if arg not in paragraphs.get(option, ("", ""))[0]:
            problems.append(f"{name}: --{option} lacks its argument; write .BI \\-\\-{option}= {arg}")
    listed = re.findall(r"^([a-z0-9-]\S*)\n    (\S.*)$", output_of("./sluice-obstacle", "--list"), re.M)
    faults = {tag.removeprefix(".B "): text for tag, text in section_of(name, ".SS \"All faults\"")}
    compare(name, {synopsis for synopsis, _ in listed}, faults)
    for synopsis, sentence in listed:
        if not faults.get(synopsis, sentence).startswith(sentence):
            problems.append(f"{name}: the paragraph of {synopsis} does not begin with the sentence of --list: {sentence}")
    return len(said) + len(listed)


count = check_gateway("sluice.8") + check_obstacle("sluice-obstacle.1")
for problem in problems:
    print(problem)
print(f"manual: {count} options and faults, {len(problems)} problems")
sys.exit(1 if problems or count < 40 else 0)
