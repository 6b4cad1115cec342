#!/usr/bin/env python3
"""doc/sluice-log.7 against the sources: each event that they log is in the page with its levels, its keys
and whether it is limited, and nothing else is. The events of a section are in the order of the alphabet."""
import os
import re
import sys
from pathlib import Path

FEWEST = 50  # with fewer this reads something else than the sources
CALL = re.compile(r"\b(sl_log(?:_limited)?|log_\w+)\(")
LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
KEY = re.compile(r"(?:^|\s)([a-z][a-z0-9_]*)=")
LEVEL = re.compile(r"\bSL_LOG_(ERROR|WARNING|INFO|DEBUG)\b")


class Event:
    def __init__(self, levels, keys, is_limited):
        self.levels, self.keys, self.is_limited = set(levels), set(keys), is_limited

    def add(self, other):
        self.levels |= other.levels
        self.keys |= other.keys
        self.is_limited |= other.is_limited

    def __eq__(self, other):
        return (self.levels, self.keys, self.is_limited) == (other.levels, other.keys, other.is_limited)

    def as_entry(self, name):
        """The lines that sluice-log.7 needs."""
        keys = ", ".join(f"{key} (MEANING)" for key in sorted(self.keys))
        level = " or ".join(sorted(self.levels)) + (", limited" if self.is_limited else "")
        return f".TP\n.B {name}\nLevel {level}.{' Keys: ' + keys + '.' if keys else ''}\n.br\n" \
            "THE MEANING, AND THE NEXT STEP OF THE OPERATOR."

    def __str__(self):
        return "%s%s: %s" % ("/".join(sorted(self.levels)), ", limited" if self.is_limited else "",
                             " ".join(sorted(self.keys)))


# ---- the sources ----

def arguments_of(text, at):
    """What stands between the parenthesis before `at` and its partner; literals may hold any."""
    depth, start = 1, at
    while depth:
        if text[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, at).end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[start:at - 1]


def words_of(call):
    """The literals of a call, each joined and as C means it."""
    for match in LITERALS.finditer(call):
        joined = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group()))
        yield joined.replace('\\"', '"')


def keys_of(words):
    for word in words:
        yield from KEY.findall(re.sub(r'="[^"]*"', "= ", word))


def calls_of(text):
    """Each call of sl_log(), sl_log_limited() or a static function log_*() that may wrap them: its name, arguments
    and the function that it stands in."""
    within = None
    for match in re.finditer(r"^(\w+)\(|" + CALL.pattern, text, re.M):
        if match.group(1):
            within = match.group(1)
        if match.group(2):
            yield match.group(2), arguments_of(text, match.end()), within


def events_of(text):
    """Pairs of name and Event of one file."""
    wrappers, found = {}, []
    for name, call, within in calls_of(text):
        words = list(words_of(call))
        head = re.split(r",", call, maxsplit=2)
        if not name.startswith("sl_log"):
            if LEVEL.search(head[0]):
                found.append((name, head[0], words))
        elif re.match(r'\s*"', head[1]):
            found.append((None, head[0], words if name == "sl_log" else words + [" limited="]))
        else:
            wrappers[within] = words
    for wrapper, level, words in found:
        keys = set(keys_of(words[1:] if wrapper is None else wrappers.get(wrapper, [])))
        yield words[0], Event(map(str.lower, LEVEL.findall(level)), keys - {"limited"}, "limited" in keys)


# ---- the page ----

def entries_of(page):
    """Pairs of name and Event, and the name of the section before."""
    for section in re.split(r"^\.SH ", page, flags=re.M)[1:]:
        title = section.partition("\n")[0]
        for entry in re.split(r"^\.TP\n", section, flags=re.M)[1:]:
            match = re.match(r"\.B ([a-z_]+\.[a-z_]+)\nLevel ([^.]*)\.(?: Keys: ([^\n]*)\.)?\n\.br\n\S", entry)
            if match:
                name, levels, keys = match.groups()
                names = [key.split()[0] for key in re.split(r", (?![^(]*\))", keys)] if keys else []
                levels, limit, _ = levels.partition(", limited")
                yield title, name, Event(levels.split(" or "), names, bool(limit))
            elif title.startswith('"EVENTS'):
                yield title, entry.split("\n")[0], None


def compare(logged, page):
    problems, listed, last = [], {}, ("", "")
    for title, name, event in entries_of(page):
        if event is None:
            problems.append(f"{name}: the entry has another form; write \".B area.event\", then \"Level info. Keys: "
                            "key (meaning), key (meaning).\", then \".br\" and a text")
        elif name in listed:
            problems.append(f"{name} has two entries; remove one")
        if title == last[0] and name < last[1]:
            problems.append(f"{name} stands behind {last[1]}; sort the entries of a section by name")
        listed[name], last = event, (title, name)
    for name in sorted(set(logged) - set(listed)):
        problems.append(f"{name} has no entry; add one, with these lines:\n{logged[name].as_entry(name)}")
    for name in sorted(set(listed) - set(logged)):
        problems.append(f"{name} has an entry, and no source logs it; remove the entry, or correct its name")
    for name in sorted(set(listed) & set(logged)):
        if listed[name] and listed[name] != logged[name]:
            problems.append(f"{name} has the entry \"{listed[name]}\", and the source logs \"{logged[name]}\"; "
                            "correct the entry")
    return problems


def read_events(texts):
    logged = {}
    for text in texts:
        for name, event in events_of(text):
            logged.setdefault(name, Event((), (), False)).add(event)
    return logged


# ---- this file itself ----

SOURCE = r'''
static void
log_address(enum sl_log_level level, const char *event, const char *why)
{
	sl_log(level, event, "address=%s reason=\"x=1 y=%s\"", text, why);
}
static void
work(void)
{
	sl_log_limited(bad ? SL_LOG_DEBUG : SL_LOG_INFO, "a.one", "n=%" PRIu64
		" why=\"%s (%d)\"%s", n(1, 2), before ? " left=\"(\"" : "");
	sl_log(SL_LOG_ERROR, "a.two", " ");
	log_address(SL_LOG_WARNING, "b.one", "z=1");
	log_other(c, "no event");
}
'''
PAGE = r'''.SH "EVENTS OF A"
.TP
.B a.one
Level debug or info, limited. Keys: n (count, of a, b), why (text), left.
.br
Text.
.TP
.B a.two
Level error.
.br
Text.
.SH "EVENTS OF B"
.TP
.B b.one
Level warning. Keys: address, reason (text).
.br
Text.
'''
FAULTS = [("a.one\n", "a.three\n"), ("debug or info", "info"), (", limited", ""), (", left", ""),
          ("address,", "address, more,"), ("Level error.\n.br", "Level error.\nText"), ("b.one", "a.zero"),
          ("B a.two", "B a.a")]


def test_itself():
    logged = read_events([SOURCE])
    assert compare(logged, PAGE) == [], compare(logged, PAGE)
    for old, new in FAULTS:
        assert PAGE.count(old) == 1 and compare(logged, PAGE.replace(old, new)), (old, new)


test_itself()
root = Path(os.environ.get("srcdir", "."))
sources = sorted(path for folder in ("gateway", "transports") for path in (root / folder).rglob("*.c"))
events = read_events(path.read_text(encoding="utf-8") for path in sources if path.name != "log.c")
found = compare(events, (root / "doc" / "sluice-log.7").read_text(encoding="utf-8"))
for problem in found:
    print(f"sluice-log.7: {problem}")
print(f"log: {len(events)} events, {len(found)} problems")
sys.exit(1 if found or len(events) < FEWEST else 0)
