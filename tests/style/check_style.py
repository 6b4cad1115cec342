#!/usr/bin/env python3
"""Notices drift: layers, sizes, orphan tests, paths of somebody's machine.

Run by `make check` with srcdir set; also by hand from the top folder.
"""
import os
import re
import sys
from pathlib import Path

FILE_LINES = 600
TEST_LINES = 800  # tables of cases
FUNCTION_LINES = 80

# header -> files that may include it (regular expressions on the path).
LAYERS = {
    r"microhttpd\.h": r"gateway/http/|tests/",
    r"openssl/": r"gateway/util/crypto|gateway/core/tls|bench/load/tls\.|tests/",
    r"jansson\.h": r"gateway/config/config\.c|gateway/http/(api_|metrics_text)|tests/|bench/",
    # The lower layers know nothing above them; of the transports others know the list.
    r"transports/registry\.h": r"gateway/(?!core/|bus/|util/)|transports/|tests/|bench/",
    r"transports/(?!registry)": r"transports/|tests/|bench/",
    r"(http|live)/": r"(?!gateway/(core|bus|util)/)",
    r"bus/(?!cursor)": r"(?!gateway/util/)",
    # The demo looks on: what serves clients does without it.
    r"demo/": r"gateway/(demo/|http/|app\.c)|tests/",
    r"core/": r"(?!gateway/util/)",
}

# A transport's files know those of their own, of nobody else.
FAMILIES = {"ws": "websocket", "websocket": "websocket", "sse": "sse", "stream": "stream",
            "longpoll": "longpoll", "poll": "longpoll"}
TRANSPORT_WORDS = re.compile(r"websocket|longpoll|long_poll|\bsse\b", re.I)
# Written in two parts so that this file does not find itself.
MACHINE_PATHS = re.compile("|".join(a + b for a, b in [
    ("/wor", "k/"), ("/tmp/", "wt"), ("/tmp/", "b-"), ("/ro", "ot/"), ("/home/", "[a-z]+/")]))
SKIPPED = {"autom4te.cache", "build-aux", "node_modules", "__pycache__", ".deps", "_build",
           "_inst", "peers.d"}
GENERATED = {".git", "configure", "configure~", "aclocal.m4", "Makefile", "Makefile.in", "config.status",
             "config.log", "autoconf.h", "autoconf.h.in"}
TEXT = {".c", ".h", ".py", ".sh", ".mk", ".am", ".ac", ".md", ".js", ".html", ".css", ".json", ".in",
        ".8", ".1", ".conf", ""}

root = Path(os.environ.get("srcdir", ".")).resolve()
problems = []


def complain(path, text):
    problems.append(f"{path}: {text}")


def sources():
    for folder, names, files in os.walk(root):
        here = Path(folder)
        names[:] = [n for n in names if n not in SKIPPED | {".git"} and not n.startswith("sluice-0")
                    and not (here == root and n.startswith("build"))
                    and not (here / n / "config.status").exists()]
        for name in files:
            path = here / name
            if name not in GENERATED and path.suffix in TEXT and not path.is_symlink():
                yield path.relative_to(root).as_posix(), path


def without_comments(text):
    keep_lines = lambda match: "\n" * match.group(0).count("\n")
    return re.sub(r"//[^\n]*", "", re.sub(r"/\*.*?\*/", keep_lines, text, flags=re.S))


def family_of(name):
    return FAMILIES.get(re.split(r"[_.]", name)[0])


def check_includes(path, code):
    for header in re.findall(r'^#include [<"]([^>"]+)[>"]', code, re.M):
        for pattern, allowed in LAYERS.items():
            if re.match(pattern, header) and not re.match(allowed, path):
                complain(path, f"may not include {header} (layers, ARCHITECTURE.md)")
        if path.startswith("transports/") and header.startswith("transports/"):
            mine = family_of(os.path.basename(path))
            theirs = family_of(os.path.basename(header))
            if mine and theirs and mine != theirs:
                complain(path, f"is {mine} and may not include {header}")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > FUNCTION_LINES:
                complain(path, f"line {start}: a function of {number - start - 1} lines, "
                               f"{FUNCTION_LINES} are allowed")
            start = None


def check_c(path, text):
    code = without_comments(text)
    lines = text.split("\n")
    check_includes(path, code)
    if path.endswith(".c"):
        limit = TEST_LINES if path.startswith("tests/") else FILE_LINES
        if len(lines) - 1 > limit:
            complain(path, f"{len(lines) - 1} lines, {limit} are allowed")
        check_functions(path, lines)
    if path.startswith("gateway/core/") and TRANSPORT_WORDS.search(code):
        complain(path, "the core does not know transports by name")
    if path.endswith(".h") and not text.startswith("/*"):
        complain(path, "a header begins with its four-fact comment")


def check_listed(path, makefiles):
    """A C file that no local.mk lists is neither built nor in the tarball."""
    listed = re.match(r"(tests/(unit|fuzz|metrics|style)|gateway|transports|bench)/.*\.[ch]$", path)
    if listed and path not in makefiles:
        complain(path, "is in no local.mk")


def main():
    files = [(path, full.read_text(encoding="utf-8", errors="replace")) for path, full in sources()]
    files = [(path, text) for path, text in files if "\0" not in text]  # programs built in place
    makefiles = "\n".join(text for path, text in files if path.endswith("local.mk")).split()
    c_files = [(path, text) for path, text in files if path.endswith((".c", ".h"))]
    if len(c_files) < 20:
        complain(root, f"only {len(c_files)} C files found: is srcdir right?")
    for path, text in files:
        found = MACHINE_PATHS.search(text)
        if found:
            complain(path, f"names a path of somebody's machine: {found.group(0)}")
        check_listed(path, makefiles)
    for path, text in c_files:
        check_c(path, text)
    for problem in sorted(problems):
        print(problem)
    print(f"style: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
