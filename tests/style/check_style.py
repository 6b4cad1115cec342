#!/usr/bin/env python3
"""Notices drift: layers, sizes, orphan tests, paths of somebody's machine.

Run by `make check` with srcdir set; also by hand from the top folder.
"""
import os
import re
import sys
from pathlib import Path

# Of the program itself, and of what stands beside it; tests are tables of cases.
FILE_LINES, FUNCTION_LINES = 450, 45
OTHER_FILE_LINES, OTHER_FUNCTION_LINES = 600, 80
TEST_LINES = 800

# Folders include those before them and themselves. `app` is what lies in gateway/ itself. The families of clients
# have a folder each in gateway/clients/; `clients` is what lies there itself.
ORDER = ("util", "config", "core", "bus", "auth", "live", "http", "transports",
         "engine_io", "socket_io", "clients", "check", "demo", "app")

# header -> files that may include it (regular expressions on the path).
LAYERS = {
    r"microhttpd\.h": r"gateway/http/|tests/",
    r"openssl/": r"gateway/util/crypto|gateway/core/tls|gateway/auth/|bench/(load|obstacle)/tls\.|"
        r"bench/server/(certificate|signer)\.|tests/",
    r"jansson\.h": r"gateway/config/config\.c|gateway/bus/nats_stream_info\.c|gateway/check/report\.c|gateway/auth/|gateway/token_command\.c|gateway/http/(api_|metrics_text)|tests/|bench/",
    r"nats/": r"gateway/bus/nats_|tests/|bench/",
    r"zlib\.h": r"gateway/util/deflate\.c|bench/|tests/",
    # Of the transports others know the list alone, but for those who speak WebSocket too.
    r"transports/(?!registry|ws_)": r"transports/|tests/|bench/",
    r"transports/ws_": r"transports/|gateway/clients/|tests/|bench/",
}

# Each source of the program has a unit test of its name, tests/unit/test_NAME.c, but for these:
# at most ten, each with its reason.
EXCEPTIONS_MAX = 10
EXCEPTIONS = {
    "gateway/main.c": "the process itself: signals, exit status; tests/e2e runs it",
    "gateway/app.c": "the process too: it starts threads and waits for signals; tests/e2e runs it",
    "gateway/http/metrics_text.c": "its texts are read by the tools that they are for: tests/metrics",
}

# A transport's files know those of their own, of nobody else.
FAMILIES = {"ws": "websocket", "websocket": "websocket", "sse": "sse", "stream": "stream",
            "longpoll": "longpoll", "poll": "longpoll"}
SHARED = {"long_response", "registry"}  # files of several transports
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


def is_program(path):
    return path.startswith(("gateway/", "transports/"))


def layer_of(path):
    """The place in ORDER of a file of the program; None for any other file."""
    parts = path.split("/")
    if parts[0] == "transports":
        return ORDER.index("transports")
    if parts[0] != "gateway":
        return None
    folder = parts[1] if len(parts) > 2 else "app"
    if folder == "clients" and len(parts) > 3:
        folder = parts[2]
    return ORDER.index(folder) if folder in ORDER else None


def path_of(header, here):
    """The file that a quoted include names, whatever folder it is named from."""
    for folder in ("gateway", "", here):
        path = os.path.normpath(os.path.join(folder, header))
        if (root / path).is_file():
            return path
    return header


def check_order(path, header):
    included = path_of(header, os.path.dirname(path))
    mine, theirs = layer_of(path), layer_of(included)
    if mine is None:
        complain(path, "its folder is not in ORDER of tests/style/check_style.py; "
                       "add the folder there, behind all folders whose headers it includes")
    elif theirs is not None and theirs > mine:
        complain(path, f"is in the layer {ORDER[mine]} and may not include {included} of {ORDER[theirs]}, which lies "
                       "above it; move the code, or let the upper layer pass in what is needed")


def check_includes(path, code):
    for kind, header in re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', code, re.M):
        for pattern, allowed in LAYERS.items():
            if re.match(pattern, header) and not re.match(allowed, path):
                complain(path, f"may not include {header}; call the files that may, "
                               "see LAYERS in tests/style/check_style.py and law 8 of ARCHITECTURE.md")
        if kind == '"' and is_program(path):
            check_order(path, header)
        if path.startswith("transports/") and header.startswith("transports/"):
            mine = family_of(os.path.basename(path))
            theirs = family_of(os.path.basename(header))
            if mine and theirs and mine != theirs:
                complain(path, f"belongs to the transport {mine} and may not include {header} of {theirs}; "
                               "put shared code into a file that is in SHARED of tests/style/check_style.py")


def check_declarations(path, code):
    """What a source declares itself instead of including its header escapes the order."""
    declared = re.findall(r"^\s*extern\b[^;{]*", code, re.M)
    declared += re.findall(r"^(?!static\b|typedef\b)\w[\w \t\n*]*\bsl_\w+\s*\([^;{}]*\)[^;{}]*;",
                           code, re.M)
    for text in declared:
        complain(path, f"declares {' '.join(text.split())[:60]}; include the header that declares it, "
                       "or make the function static")


def check_functions(path, lines, limit):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > limit:
                complain(f"{path}:{start}", f"the function has {number - start - 1} lines; "
                         f"move a part into another function, at most {limit} are allowed")
            start = None


def check_length(path, lines):
    limit = FILE_LINES if is_program(path) else OTHER_FILE_LINES
    if path.startswith("tests/"):
        limit = TEST_LINES
    if len(lines) - 1 > limit and (is_program(path) or path.endswith(".c")):
        complain(path, f"has {len(lines) - 1} lines; move a part into another file, at most {limit} are allowed")


def check_c(path, text):
    code = without_comments(text)
    lines = text.split("\n")
    check_includes(path, code)
    check_length(path, lines)
    if path.endswith(".c"):
        check_functions(path, lines, FUNCTION_LINES if is_program(path) else OTHER_FUNCTION_LINES)
    if path.endswith(".c") and is_program(path):
        check_declarations(path, code)
    word = TRANSPORT_WORDS.search(code)
    if path.startswith("gateway/core/") and word:
        complain(path, f"names a transport: {word.group(0)}; use a capability or an argument in its place, "
                       "see law 7 of ARCHITECTURE.md")
    if path.endswith(".h") and not text.startswith("/*"):
        complain(path, "does not begin with a comment; begin with the four facts: what it is, who owns it, "
                       "which thread, which errors")


def check_tested(paths):
    if len(EXCEPTIONS) > EXCEPTIONS_MAX:
        complain("tests/style/check_style.py", f"EXCEPTIONS has {len(EXCEPTIONS)} sources without a unit test; "
                                               f"write tests, at most {EXCEPTIONS_MAX} are allowed")
    for path in EXCEPTIONS:
        if path not in paths:
            complain(path, "does not exist; remove it from EXCEPTIONS in tests/style/check_style.py")
    for path in paths:
        test = f"tests/unit/test_{os.path.basename(path)}"
        if path.endswith(".c") and is_program(path) and path not in EXCEPTIONS \
                and test not in paths:
            complain(path, f"has no unit test; write {test} and list it in tests/unit/local.mk")


def nearest_makefile(path):
    """The local.mk of the file's folder, or of the nearest folder above that has one."""
    for folder in Path(path).parents:
        if (root / folder / "local.mk").is_file():
            return (folder / "local.mk").as_posix()
    return "Makefile.am"


def check_listed(path, makefiles):
    """A C file that no local.mk lists is neither built nor in the tarball. Nobody runs such a style check."""
    listed = re.match(r"(tests/(backend|unit|fuzz|metrics|style)|gateway|transports|bench)/.*\.[ch]$|"
                      r"tests/style/.*\.py$", path)
    if listed and path not in makefiles:
        complain(path, f"is in no local.mk, so make does not use it; list it in {nearest_makefile(path)}")
    if path.startswith("tests/style/") and path.endswith(".py") and not os.access(root / path, os.X_OK):
        complain(path, f"make check cannot run it; chmod +x {path}")


def check_family(path):
    """A transport's file whose name FAMILIES does not know would escape the rule of families."""
    match = re.match(r"transports/([^/]+)\.[ch]$", path)
    if match and match.group(1) not in SHARED and not family_of(match.group(1)):
        complain(path, "its name begins with no transport of FAMILIES in tests/style/check_style.py; "
                       "add the transport there, or the file to SHARED")


def main():
    files = [(path, full.read_text(encoding="utf-8", errors="replace")) for path, full in sources()]
    files = [(path, text) for path, text in files if "\0" not in text]  # programs built in place
    makefiles = "\n".join(text for path, text in files if path.endswith("local.mk")).split()
    c_files = [(path, text) for path, text in files if path.endswith((".c", ".h"))]
    if len(c_files) < 20:
        complain(root, f"has only {len(c_files)} C files; set srcdir to the top folder of the source")
    for path, text in files:
        found = MACHINE_PATHS.search(text)
        if found:
            complain(path, f"has a path of somebody's machine: {found.group(0)}; use a relative path")
        check_listed(path, makefiles)
        check_family(path)
    for path, text in c_files:
        check_c(path, text)
    check_tested({path for path, text in c_files})
    for problem in sorted(problems):
        print(problem)
    print(f"style: {len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
