#!/usr/bin/env python3
"""PROTOCOL.md against the program: error codes with their statuses, query parameters, types of objects,
reasons and codes of ends, metrics and options. What the page names is in the sources, and the other way
round; of metrics and options only the former."""
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("srcdir", "."))
FEWEST = 40  # codes; with fewer this reads something else than the program
CODE = r'"([a-z]+(?:_[a-z0-9]+)*)"'

# Codes of errors that reach no client: each place that could send one has a code of its own.
INNER_CODES = {"bad_value", "protocol"}
# Ends that send no bye.
SILENT_ENDS = {"client", "protocol", "refused", "silent"}
# Options of scripts/demo, and the beginning of several.
OTHER_OPTIONS = {"cluster", "history"}
# A close code that no side sends: there was none in the frame.
NEVER_SENT = {"1005"}


# ---- the program ----

def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def read_sources(root=ROOT):
    paths = sorted(path for folder in ("gateway", "transports") for path in (root / folder).rglob("*.[ch]"))
    return {str(path.relative_to(root)): without_comments(path.read_text(encoding="utf-8")) for path in paths}


def find_statuses(text):
    """Pairs of status and code that stand side by side: `429, "limit"`, `503, cond ? "a" : "b"`."""
    for status, first, second in re.findall(
            rf"\b([1-5]\d\d),\s*(?:(?:&\(struct sl_refusal\)\{{|[^\",;]*\?)\s*)?{CODE}(?:\s*:\s*{CODE})?\s*,", text):
        yield from ((status, code) for code in (first, second) if code)


CALL = re.compile(rf"\b(?:refuse|refuse_access|refuse_with|refuse_value|refuse_emitted|refuse_text|refuse_member|send_error|sl_refusal_format|sl_refusal_set(?:_value)?)\((?:[^;\"()]|\([^;\"]*?\))*?{CODE}\s*[,)]")
FILLED = re.compile(rf"struct sl_(?:auth_)?refusal(?:\)|\s+\*?\w+\s*=)\s*\{{[^\"}}]*?{CODE}(?:\s*:\s*{CODE})?\s*,")
LISTED = re.compile(rf"\b\w+\s*=\s*\{{\s*{CODE},\s*\"[^\"]*[ .][^\"]*\"")
SET = re.compile(rf"\bcode\s*=\s*(?:\w+ \? )?{CODE}(?:\s*:\s*{CODE})?")


def find_codes(text):
    codes = {code for _, code in find_statuses(text)}
    for pattern in (CALL, FILLED, LISTED, SET):
        for match in pattern.finditer(text):
            codes |= {code for code in match.groups() if code}
    return codes


def find_parameters(sources):
    """The rows of the table, the last event ids, and what paths of their own have."""
    text = sources["gateway/http/params.c"]
    names = set(re.findall(r"\{ \"(\w+)\", set_", text))
    names |= set(re.findall(r"\"([\w-]+)\"", re.search(r"is_last_event_id.*?\};", text, re.S)[0]))
    for other in sources.values():
        for row in re.findall(r"sl_\w+_query_names\[\] = \{(.*?)\}", other):
            names |= set(re.findall(r"\"(\w+)\"", row))
    return names


def find_types(sources):
    """Types of objects: those that are sent, and those that are asked for."""
    sent, asked = set(), set()
    for path, text in sources.items():
        if not path.startswith(("gateway/live/", "transports/")):
            continue
        sent |= set(re.findall(r'\{\\"type\\":\\"(\w+)\\"', text))
        asked |= set(re.findall(r'has_type\(&\w+, "(\w+)"\)', text))
        sent |= {name for pair in re.findall(r'send_channels\(\w+, \w+ \? "(\w+)" : "(\w+)"', text) for name in pair}
    return sent, asked


def find_reasons(sources):
    return set(re.findall(r'\[SL_END_\w+\] = "(\w+)"', sources["gateway/live/control.c"]))


def find_close_codes(sources):
    numbers = {number for path, text in sources.items() if path.startswith("transports/")
               for number in re.findall(r"\b(?:SL_WS_)?CLOSE_[A-Z_]+(?:\s*=|)\s+(\d{4})\b", text)}
    return numbers - NEVER_SENT


def find_options(sources):
    return set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', sources["gateway/config/options.c"]))


def find_metrics(sources):
    """Names of rows: `requests` for sluice_requests_total."""
    return {name for path, text in sources.items() if "/metrics" in path for name in re.findall(r'"(\w+)"', text)}


# ---- the page ----

def section(page, title):
    """The text below a heading, with the sections inside it."""
    start = re.search(rf"^(#+) {re.escape(title)}$", page, re.M)
    end = re.compile(rf"^#{{1,{len(start[1])}}} ", re.M).search(re.sub(
        r"^```.*?^```", lambda m: "." * len(m[0]), page, flags=re.M | re.S), start.end())
    return page[start.end():end.start() if end else len(page)]


def rows(text):
    """The cells of each row of the tables."""
    lines = [line for line in text.split("\n") if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def page_codes(page):
    """Pairs of status, or of the place that has none, and code."""
    return {(row[0], code) for row in rows(section(page, "Errors")) if len(row) == 3 for code in quoted(row[1])}


def page_parameters(page):
    return {name for row in rows(section(page, "Parameters")) for name in quoted(row[0])}


def page_types(page, title):
    return {name for row in rows(section(page, title)) for name in re.findall(r'\{"type":"(\w+)"', row[0])}


def page_reasons(page):
    return {name for row in rows(section(page, "Ends")) if len(row) == 4 for name in quoted(row[0])}


def page_close_codes(page):
    return {number for row in rows(section(page, "Ends")) for cell in row[:2]
            for number in re.findall(r"^\d{4}", cell)}


# ---- both ----

def compare(what, program, page):
    return [f"the {what} {name} of the sources is not in the page; add it to its table" for name in sorted(program - page)] + \
        [f"the {what} {name} is not in the sources; remove it from the page, or correct it" for name in sorted(page - program)]


def check_statuses(sources, documented):
    statuses = {pair for text in sources.values() for pair in find_statuses(text)}
    known = {code for _, code in documented}
    return [f"the gateway answers {code} with {status}; add this status to the table of Errors"
            for status, code in sorted(statuses - documented) if code in known and status[0] in "45"
            and not any(place for place, other in documented if other == code and not place.isdigit())]


def check(sources, page):
    documented = page_codes(page)
    codes = set().union(*(find_codes(text) for text in sources.values()))
    codes |= {code for _, code in re.findall(rf"\{{ ([45]\d\d), {CODE}", sources["gateway/util/err.c"])}
    sent, asked = find_types(sources)
    problems = compare("error code", codes - INNER_CODES, {code for _, code in documented})
    problems += check_statuses(sources, documented)
    problems += compare("query parameter", find_parameters(sources), page_parameters(page))
    problems += compare("type", sent, page_types(page, "The json format"))
    problems += compare("type of a client", asked, page_types(page, "What a WebSocket client sends"))
    problems += compare("reason", find_reasons(sources) - SILENT_ENDS - {"forbidden"}, page_reasons(page))
    problems += compare("close code", find_close_codes(sources), page_close_codes(page))
    options = find_options(sources)
    problems += [f"--{name} is not an option; correct the name" for name in re.findall(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)", page)
                 if name.removeprefix("no-") not in options | OTHER_OPTIONS]
    names = find_metrics(sources)
    problems += [f"sluice_{name} is not a metric; correct the name" for name in re.findall(r"\bsluice_(\w+)", page)
                 if name not in names and name.removesuffix("_total") not in names]
    return len(codes), problems


def self_test():
    """Each pattern finds its shape, and each difference is one problem."""
    for text, wanted in (
            ('reply(r, 404, "no_such", "there is none");', {"no_such"}),
            ('reply(r, 503, going ? "draining" : "backend",', {"draining", "backend"}),
            ('return refuse(parse->error, "bad_wait", "wait: 0 to %d", 55);', {"bad_wait"}),
            ('refuse(shard, reply, 400, &(struct sl_refusal){ "bad_key",\n "a key" });', {"bad_key"}),
            ('static const struct sl_auth_refusal old = { "too_old", "it is" };', {"too_old"}),
            ('refusal->code = is_known ? "forbidden" : "unauthorized";', {"forbidden", "unauthorized"}),
            ('static const struct row rows[] = { { "since", set_since } };', set()),
            ('add_text(&head, "Cache-Control", "no-store");', set())):
        assert find_codes(text) == wanted, (text, find_codes(text))
    page = "## Errors\n| status | code | cause |\n|---|---|---|\n| 400 | `a`, `b` | c |\n## Next\n| 500 | `d` | e |\n"
    assert page_codes(page) == {("400", "a"), ("400", "b")}
    assert check_statuses({"x": 'f(404, "a", "b");'}, {("400", "a")}) == \
        ["the gateway answers a with 404; add this status to the table of Errors"]
    assert compare("code", {"a", "b"}, {"b", "c"}) == \
        ["the code a of the sources is not in the page; add it to its table",
         "the code c is not in the sources; remove it from the page, or correct it"]
    assert section("# A\n```\n# no\n```\nx\n## B\ny\n# C\nz\n", "A") == "\n```\n# no\n```\nx\n## B\ny\n"


def main():
    self_test()
    count, problems = check(read_sources(), (ROOT / "PROTOCOL.md").read_text(encoding="utf-8"))
    for problem in problems:
        print(f"PROTOCOL.md: {problem}")
    print(f"protocol: {count} error codes, {len(problems)} problems")
    return 1 if problems or count < FEWEST else 0


sys.exit(main())
