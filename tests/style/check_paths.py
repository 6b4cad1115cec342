#!/usr/bin/env python3
"""ARCHITECTURE.md and CONTRIBUTING.md name what exists: each path and file in code or in a link, each
function `sl_...`, and each target of `make`.

A path counts from the top folder, from gateway/, or from any folder that ends so: `live/link.c` is
gateway/live/link.c, and `link.c` is the file of that name. `<name>` stands for any name. Blocks of code
are skipped."""
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("srcdir", "."))
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
FEWEST = 150  # with fewer names this reads something else than the pages
SKIPPED = {".git", "node_modules", "__pycache__", "autom4te.cache"}
ENDINGS = r"(?:c|h|md|py|mjs|js|d\.ts|css|html|mk|am|ac|json|conf|8|7|1)"
# What programs write, and what is not ours.
MADE = {"lab.json", "lab.html", "networks.json", "networks.html", "cluster.md", "microhttpd.h", "jansson.h",
        "zlib.h", "nats/nats.h"}
BUILD_FOLDERS = ("build/", "build-check/")
STANDARD_TARGETS = {"check", "install", "dist", "distcheck", "uninstall", "clean"}


def files():
    """All files and folders of the source, as paths from the top."""
    found = []
    for folder, names, leaves in os.walk(ROOT):
        here = Path(folder)
        names[:] = [n for n in names if n not in SKIPPED and not (here == ROOT and n.startswith(("build", "sluice-")))
                    and not (here / n / "config.status").exists()]
        found += [(here / n).relative_to(ROOT).as_posix() for n in names + leaves]
    return found


def names_of(text):
    """Pairs of a line and a name that must exist: paths, functions, targets of make."""
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.M | re.S)
    for found in re.finditer(r"`([^`]+)`|\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        number = text.count("\n", 0, found.start()) + 1
        for name in names_in_span(found[1]) if found[1] else [found[2]]:
            yield number, name


def names_in_span(span):
    make = re.match(r"make ([a-z][a-z-]*)", span)
    if make:
        return ["make " + make[1]]
    function = re.match(r"sl_\w+", span)
    if function:
        return [function[0]]
    first = span.split()[0].rstrip(",")
    if "://" in first or first.startswith(("/", "--", ".", "~")) or not re.fullmatch(r"[\w./<>*-]+", first):
        return []
    if re.search(rf"\.{ENDINGS}$", first) or re.match(r"(?:[\w<>-]{2,}/)+[\w<>*-]*$", first):
        return [first]
    return []


def pattern_of(name):
    """A regular expression for the paths that a name stands for."""
    name = re.sub(r"<\w+>", "\0", name.rstrip("/"))
    parts = re.split(r"(\0|\*)", name)
    body = "".join("[^/]+" if part == "\0" else "[^/]*" if part == "*" else re.escape(part) for part in parts)
    return re.compile(rf"(?:^|\n)(?:[^\n]*/)?{body}(?:\n|$)")


def missing(names, paths, functions, targets):
    listing, problems = "\n".join(paths), []
    for number, name in names:
        if name.startswith("make "):
            known = name[5:] in targets | STANDARD_TARGETS
        elif name.startswith("sl_"):
            known = name in functions
        else:
            known = name in MADE or name.startswith(BUILD_FOLDERS) or pattern_of(name).search(listing)
        if not known:
            problems.append((number, name))
    return problems


def known_functions(paths):
    found = set()
    for path in paths:
        if path.endswith((".c", ".h")) and path.startswith(("gateway/", "transports/")):
            found |= set(re.findall(r"\bsl_\w+", (ROOT / path).read_text(encoding="utf-8")))
    return found


def known_targets(paths):
    found = set()
    for path in paths:
        if path == "Makefile.am" or path.endswith("local.mk"):
            for rule in re.findall(r"^([a-z][a-z -]*):", (ROOT / path).read_text(encoding="utf-8"), re.M):
                found |= set(rule.split())
    return found


def self_test():
    """It finds what is missing, and passes what exists."""
    paths, functions, targets = ["gateway/live", "gateway/live/link.c", "web/a.js"], {"sl_link_close"}, {"lab"}
    text = ("`live/link.c` `link.c` `live/` `gateway/<folder>/<name>.c` `live/l*.c` `sl_link_close()` `make lab X=1` "
            "`/live/none` `a/b/none.c` `none.h` `sl_none` `make none` `--x` [a](web/a.js#x) [b](none.md)\n"
            "```\n`none.c`\n```")
    found = [name for _, name in missing(names_of(text), paths, functions, targets)]
    assert found == ["a/b/none.c", "none.h", "sl_none", "make none", "none.md"], found


def main():
    self_test()
    paths = files()
    functions, targets, count, problems = known_functions(paths), known_targets(paths), 0, 0
    for page in PAGES:
        names = list(names_of((ROOT / page).read_text(encoding="utf-8")))
        count += len(names)
        for number, name in missing(names, paths, functions, targets):
            print(f"{page}:{number}: {name} does not exist; correct the name, or remove it from the page")
            problems += 1
    print(f"paths: {count} names, {problems} problems")
    return 1 if problems or count < FEWEST else 0


sys.exit(main())
