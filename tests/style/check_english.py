#!/usr/bin/env python3
"""The English of the documents, the manuals and the `--help` texts: no sentence of more than 30
words, at most 18 on average, and none of the phrases that a reader stumbles over. CONTRIBUTING.md
has the rules. The texts of the pages and the messages of the programs are searched for the phrases.

usage: check_english.py [FILE]...    (without FILE: all)"""
import html
import os
import re
import subprocess
import sys
from pathlib import Path

LONGEST = 30  # words of a sentence
MEAN = 18  # words of a file's sentences on average

# A pattern, and what to write in its place.
PHRASES = [(re.compile(pattern, flags), better) for pattern, better, flags in (
    (r"\bway that the path\b|\b(?:over|by) (?:which|the|that) way\b",
     "using whichever transport the network allows", re.I),
    (r"\bcan no longer be (?:had|delivered)\b|\bto be had\b|\bmay be had\b|\bcan be had\b",
     "name what is lost: lost messages raise a `gap` event", re.I),
    (r"\bby a sweep\b", "a check each second", re.I),
    (r"\bslow is only\b|\bonly who\b|\bwho does not take\b",
     "a client is slow only if it does not read", re.I),
    (r"\b(?:say|says|said|told) otherwise\b", "name what decides", re.I),
    (r"\bthis and worse\b|\bof this weight\b", "minimum severity", re.I),
    (r"\balthough no token is asked for\b", "without authentication", re.I),
    (r"\bother addresses than\b", "public addresses", re.I),
    (r"\b(?:is|are|was|were|be) told\b(?! to\b)", "report: `the gateway reports a gap`", re.I),
    (r"\btells? of\b|\btold of\b", "report, or notify", re.I),
    (r"\bgo(?:es)? on (?:where|at|from|behind)\b|\bwent on (?:where|at|from|behind)\b", "resume", re.I),
    (r"\bwhat is held back\b", "name the thing", re.I),
    (r"\b[Ww]hoever\b", "name who: the client, the operator", 0),
    (r"\bof one's own\b", "your own", re.I),
    (r"\bdoes as well\b|\bdo as well\b", "also works", re.I),
    (r"\bone would\b|\bone has to\b|\bone may\b|\bone can\b|\bone must\b", "you, or name who", re.I),
    (r"\bin that it\b|\bfor it to be\b", "say it with a subject and a verb", re.I),
    (r"\bhands? on\b(?!-)", "deliver, or pass", re.I),
    (r"\bhas (?:everything|it|them|all) [a-z]+ed again\b", "say who does it", re.I),
    (r"\bthrows? (?:it |them )?out\b", "evict, or remove", re.I),
    (r"\bin the clear\b", "without TLS", re.I),
    (r"\bby turns\b", "alternately", re.I),
    (r"\b(?:has|have|holds?) most\b", "the most", re.I),
    (r"\bin all\b(?=$|[,.;:|)])", "in total", re.I),
    (r"\balso (?:if|when)\b", "even if", re.I),
    (r"\b(?:leave|leaves|left) (?:it |them )?away\b", "omit", re.I),
)]

# The text of an option begins with one of these.
VERBS = set("""
    Accept Act Allow Apply Authenticate Bind Break Check Close Compress Connect Create Declare Describe
    Disconnect Do Fail Forward Give Keep Let Limit List Listen Load Log Measure Multiply Name Offer
    Print Read Reject Require Reserve Run Send Serve Set Share Show Sign Speak Start Store Treat Trust
    Use Write
    """.split())

# A noun clause as the subject of a sentence: "What is held back counts", "Who may read is ...".
NOUN_CLAUSE = re.compile(r"^(?:What|Who|Which|Whether|That which)\b(?!['’]s\b)")


def words(sentence):
    return [word for word in sentence.split() if re.search(r"[A-Za-z0-9]", word)]


def sentences(block):
    """The sentences of a block. A stop ends one where a space and a capital, a quote, code or a name follow."""
    block = re.sub(r"\s+", " ", block).strip()
    block = re.sub(r"\b(e\.g|i\.e|etc|vs|cf)\.", r"\1", block)
    return [part for part in re.split(r"(?<=[.!?])[)\"*_]*\s+(?=[\"'(*_\[]*(?:[A-Z0-9`«]|\*[a-z]|nginx|haproxy|caddy|squid|nchan|systemd))",
                                   block) if words(part)]


def code_free(text):
    """Markdown text with each span of code, link and picture as one word."""
    text = re.sub(r"(`+)(?:(?!\1).)+\1", lambda m: "`code`" + ("." if m[0].endswith(".`") else ""), text, flags=re.S)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", lambda m: m[1][:1].upper() + m[1][1:], text)
    return re.sub(r"<!--.*?-->|<[^<>\s][^<>]*>", "", text, flags=re.S)


def markdown_blocks(text):
    """Pairs of a block's first line and its text: paragraphs, items of lists, cells of tables."""
    lines, blocks, fence = text.split("\n"), [], None
    start, gathered = 0, []

    def end():
        if gathered:
            blocks.append((start, " ".join(gathered)))
            gathered.clear()

    for number, line in enumerate(lines, 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if fence or mark:
            end()
            if mark:
                fence = None if fence and mark[1].startswith(fence) else fence or mark[1]
            continue
        stripped = line.strip()
        if stripped.startswith("|"):
            end()
            if not re.fullmatch(r"[|\s:-]+", stripped):
                cells = re.sub(r"\\\||`[^`]*`", lambda m: m[0].replace("|", "/"), stripped).strip("|").split("|")
                blocks.extend((number, cell.strip()) for cell in cells if cell.strip())
            continue
        if not stripped or stripped.startswith("#") or line.startswith("    ") and not gathered:
            end()
            continue
        item = re.match(r"\s*(?:[-*+]|\d+\.)\s+", line)
        if item:
            end()
        if not gathered:
            start = number
        gathered.append(line[item.end():] if item else stripped)
    end()
    return [(number, code_free(block)) for number, block in blocks]


def roff_blocks(text):
    """The same of a manual page. Its examples, between .EX or .nf and their ends, are left out."""
    blocks, gathered, start, example, tag = [], [], 0, False, False

    def end():
        if gathered:
            blocks.append((start, " ".join(gathered)))
            gathered.clear()

    for number, line in enumerate(text.split("\n"), 1):
        request = re.match(r"\.(\w+)\s*(.*)", line)
        if request and request[1] in ("EX", "nf", "EE", "fi"):
            end()
            example = request[1] in ("EX", "nf")
            continue
        if example or not line.strip() or line.startswith('.\\"'):
            continue
        if request and request[1] in ("TP", "PP", "SH", "SS", "TH", "IP", "RS", "RE", "br", "P"):
            end()
            tag = request[1] == "TP"
            continue
        if tag:  # the line behind .TP is the term, not a sentence
            tag = False
            continue
        if not gathered:
            start = number
        gathered.append(roff_plain(request, line))
    end()
    return blocks


def roff_plain(request, line):
    """A line of a page without its markup. A word in bold or italics alternates with its neighbours."""
    if request:
        parts = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', request[2])]
        line = ("" if len(request[1]) == 2 and request[1] != "SM" else " ").join(parts)
    for escape, character in ((r"\(lq", '"'), (r"\(rq", '"'), (r"\(ti", "~"), (r"\~", "_"), (r"\-", "-"),
                              (r"\(aq", "'"), (r"\(co", "©"), (r"\e", "\\"), (r"\&", "")):
        line = line.replace(escape, character)
    return re.sub(r"\\f.|\\\(..", "", line)


# An option of `--help` with its argument, up to its text.
OPTION = re.compile(r"\s+(?:-\w, )?--?[\w-]+(?:\[?=\S+|(?: [A-Z][A-Z:=,|]+)+)?(?:\s+|$)")


def help_blocks(text):
    """The same of `--help`: a paragraph or an option's text each, at whatever column it stands."""
    blocks, gathered, start = [], [], 0
    for number, line in enumerate(text.split("\n") + [""], 1):
        option = OPTION.match(line) or re.match(r"\s{2,}[a-z][\w-]*(?: [A-Z|\[\].]+)*\s{2,}", line)
        if (not line.strip() or option or re.match(r"(usage|or): ", line, re.I)) and gathered:
            blocks.append((start, " ".join(gathered)))
            gathered = []
        rest = line[option.end():] if option else line
        if rest.strip() and not re.match(r"\s*(usage|or): ", line, re.I):
            if not gathered:
                start = number
            gathered.append(rest.strip())
    return [(number, block) for number, block in blocks if not block.endswith(":") or " " in block]


def sentence_problems(name, blocks):
    """Too long ones, a too high mean, and noun clauses as subjects."""
    lengths, problems = [], []
    for line, block in blocks:
        for sentence in sentences(block):
            count = len(words(sentence))
            # A cell, a label or a name is no sentence.
            if count > 3:
                lengths.append(count)
            if count > LONGEST:
                problems.append(f"{name}:{line}: a sentence of {count} words; split it, at most {LONGEST} are allowed: {sentence}")
            if NOUN_CLAUSE.match(sentence.lstrip("*_\"(")) and sentence.endswith((".", ";")) and \
                    not sentence.endswith("?"):
                problems.append(f"{name}:{line}: a clause is the subject; name the thing: {sentence}")
    mean = sum(lengths) / len(lengths) if lengths else 0
    if mean > MEAN:
        problems.append(f"{name}: {mean:.1f} words per sentence on average; split some, at most {MEAN} are allowed")
    return problems


def phrase_problems(name, blocks):
    return [f"{name}:{line}: a reader stumbles over \"{found[0]}\"; write instead: {better}" for line, block in blocks
            for pattern, better in PHRASES for found in [pattern.search(block)] if found]


def string_blocks(text):
    """The string literals of a source, joined where C joins them, and the text of a page."""
    blocks = []
    for match in re.finditer(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+|\'(?:[^\'\\\n]|\\.)*\'|`(?:[^`\\]|\\.)*`', text):
        blocks.append((text.count("\n", 0, match.start()) + 1, re.sub(r'"\s*"', "", match[0])))
    return blocks


def page_blocks(text):
    text = re.sub(r"<(script|style)\b.*?</\1>", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    plain = re.sub(r"<[^>]*>", lambda m: "\n" * m[0].count("\n"), text)
    plain = html.unescape(plain)
    return [(number, line) for number, line in enumerate(plain.split("\n"), 1) if line.strip()]


ROOT = Path(os.environ.get("srcdir", "."))
HELP = (("./sluice", "--help"), ("./sluice", "token", "--help"), ("./sluice-bench", "--help"),
        ("./sluice-obstacle", "--help"))


def documents():
    names = [*ROOT.glob("*.md"), *ROOT.glob("doc/*.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("doc/*.[1-8]")]
    return sorted(str(path.relative_to(ROOT)) for path in names)


def sources():
    folders = ("gateway", "transports", "bench", "web", "scripts")
    return sorted(str(path.relative_to(ROOT)) for folder in folders for path in Path(ROOT, folder).rglob("*")
                  if path.suffix in (".c", ".js", ".html", ".mjs") and "vendor" not in path.parts
                  and "node_modules" not in path.parts)


def check(name):
    text = Path(ROOT, name).read_text(encoding="utf-8")
    if name.endswith(".md"):
        blocks = markdown_blocks(text)
    elif re.search(r"\.[1-8]$", name):
        blocks = roff_blocks(text)
    else:
        return phrase_problems(name, page_blocks(text) if name.endswith(".html") else string_blocks(text))
    return sentence_problems(name, blocks) + phrase_problems(name, blocks)


def option_texts(text):
    """The line and the first words of each option's text, which may begin on the line below the option."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        option = OPTION.match(line)
        if option:
            yield number, line[option.end():] or lines[number].strip()


def verb_problems(name, text):
    return [f"{name}:{line}: the help text does not begin with a verb of VERBS in tests/style/check_english.py; "
            f"begin with a verb, or add the verb there: {words}" for line, words in option_texts(text)
            if words.split(" ")[0].capitalize() not in VERBS]


def check_help(command):
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    name, blocks = " ".join(command), help_blocks(text)
    return sentence_problems(name, blocks) + phrase_problems(name, blocks) + verb_problems(name, text)


def self_test():
    """The checker finds what it is for, and passes what is right."""
    long = "A " + "word " * LONGEST + "ends."
    for text, wanted in (
            ("Short. Sentences.", 0), (long, 1), (f"| a | {long} |", 1), (f"```sh\n{long}\n```", 0),
            ("What is lost is a gap.", 1), ("What is lost?", 0), ("- " + long.replace("A", "`a b`", 1), 1),
            (" ".join(f"{'Word ' * 10}`x y z`. Next" for _ in range(3)), 0)):
        found = sentence_problems("test.md", markdown_blocks(text))
        assert len([p for p in found if "on average" not in p]) == wanted, (text, found)
    assert any("on average" in p for p in sentence_problems("t", [(1, "A " + "word " * 20 + "ends.")]))
    assert len(phrase_problems("t", [(1, "Lost is what can no longer be had.")])) == 1
    assert not phrase_problems("t", [(1, "Lost messages raise a gap event.")])
    assert roff_blocks(".TP\n.B \\-\\-x\nDo it.\n.EX\nnot this\n.EE\n.PP\nAnd\n.BR that .\n") == [
        (3, "Do it."), (8, "And that.")]
    assert help_blocks("usage: x\n  -a, --all     Do\n                all.\n") == [(2, "Do all.")]
    assert len(verb_problems("t", "  -a, --all     Do it\n      --b=BYTES\n           Largest payload\n")) == 1
    assert phrase_problems("t", string_blocks('say("as told "\n    "otherwise");')), "joined strings"


def main():
    self_test()
    wanted = sys.argv[1:]
    names = wanted or documents() + sources()
    problems = [problem for name in names for problem in check(name)]
    if not wanted:
        problems += [problem for command in HELP for problem in check_help(command)]
    for problem in problems:
        print(problem)
    print(f"english: {len(names)} texts, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
