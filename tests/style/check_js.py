#!/usr/bin/env python3
"""Notices drift in the JavaScript of the pages and of the bench's report (long functions, nested ternaries,
long lines) and in the pages' style sheets (long files, and sheets that the demo page does not import).

Run by `make check` with srcdir set; also by hand from the top folder. It reads tokens, not a
syntax tree: enough for code that ends its statements with semicolons.
"""
import os
import re
import sys
from pathlib import Path

FUNCTION_LINES = 50  # from its name to its last line, with what is nested in it
COLUMNS = 100
TAB = 4  # as in .clang-format
FEWEST = 50  # files; with fewer srcdir is wrong
SHEET_LINES = 300
LONGER_SHEETS = {"web/check/check.css": 620}  # not yet split
SKIPPED = {"vendor", "assembled", "node_modules"}

TOKEN = re.compile(r"""
    (?P<space> \s+ | //[^\n]* | /\*.*?\*/ )
  | (?P<string> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
  | (?P<word> \#?[\w$]+ )
  | (?P<sign> => | \?\?=? | \?\.(?!\d) | . )
""", re.X | re.S)
TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)", re.S)
REGEXP = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
BEFORE_REGEXP = {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "else", "do",
                 "await", "yield"}
CONTROL = {"if", "for", "while", "switch", "catch", "await"}  # `for await (`
OPENING = "([{"
CLOSING = ")]}"


class Token:
    def __init__(self, kind, text, line, opener=None):
        self.kind, self.text, self.line = kind, text, line
        self.last_line = line + text.count("\n")
        self.opener = opener  # of a closing bracket: where its opening one is

    def is_sign(self, texts):
        return self.kind == "sign" and self.text in texts


def begins_regexp(tokens):
    """Whether a slash after these tokens begins a regular expression, or divides."""
    if not tokens:
        return True
    last = tokens[-1]
    if last.is_sign(")"):
        return tokens[last.opener - 1].text in CONTROL
    if last.kind == "word":
        return last.text in BEFORE_REGEXP
    return last.kind == "sign" and last.text != "]"


def match_text(text, at, tokens, closes_hole):
    """The token at a position: its kind and its match. Of a template each piece of text is one."""
    if text[at] == "`" or closes_hole:
        return "template", TEMPLATE.match(text, at + 1)
    match = TOKEN.match(text, at)
    if match.group("sign") == "/" and begins_regexp(tokens):
        return "string", REGEXP.match(text, at)
    return match.lastgroup, match


def tokenize(text):
    """All tokens but comments. What a template holds (a hole) stands between `{` and `}`."""
    tokens, opened, holes, at = [], [], [], 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        closes_hole = text[at] == "}" and holes[-1:] == opened[-1:] != []
        if closes_hole:
            tokens.append(Token("sign", "}", line, opened.pop()))
            holes.pop()
        kind, match = match_text(text, at, tokens, closes_hole)
        if not match:
            raise SyntaxError(f"line {line}: this check cannot read the code; is a string, a template or a comment open?")
        at = match.end()
        if kind == "space":
            continue
        tokens.append(Token(kind, match.group(), line))
        if kind == "template" and match.group().endswith("${"):
            tokens.append(Token("sign", "{", line))
            holes.append(len(tokens) - 1)
        if tokens[-1].is_sign(OPENING):
            opened.append(len(tokens) - 1)
        elif tokens[-1].is_sign(CLOSING):
            if not opened:
                raise SyntaxError(f"line {line}: {tokens[-1].text} closes no bracket; end statements with semicolons")
            tokens[-1].opener = opened.pop()
    return tokens


def find_functions(tokens):
    """Of each function where its name or its parameters are, and where its body begins."""
    for i in range(2, len(tokens)):
        before = tokens[i - 1]
        if before.is_sign(["=>"]):
            yield tokens[i - 2].opener or i - 2, i
        elif tokens[i].is_sign("{") and before.is_sign(")"):
            name = before.opener - 1
            if tokens[name].text not in CONTROL and tokens[name - 1].text != "extends":
                yield name, i


def find_end(tokens, body):
    """The last token of a function's body: a block, or an expression."""
    depth = ternaries = 0
    for i in range(body, len(tokens)):
        token = tokens[i]
        if token.is_sign(OPENING):
            depth += 1
        elif token.is_sign(CLOSING):
            depth -= 1
            if token.opener == body and tokens[body].text == "{":
                return i
            if depth < 0:
                return i - 1
        elif depth == 0 and token.is_sign("?"):
            ternaries += 1
        elif depth == 0 and token.is_sign(":") and ternaries:
            ternaries -= 1
        elif depth == 0 and token.is_sign(",;:"):
            return i - 1
    return len(tokens) - 1


def check_functions(tokens):
    for start, body in find_functions(tokens):
        line = tokens[start].line
        lines = tokens[find_end(tokens, body)].last_line - line + 1
        if lines > FUNCTION_LINES:
            yield (f"line {line}: the function has {lines} lines; move a part into another function, "
                   f"at most {FUNCTION_LINES} are allowed")


def check_ternaries(tokens):
    """No branch of a ternary holds another one, unless in the block of a function."""
    blocks = {body for _, body in find_functions(tokens) if tokens[body].is_sign("{")}
    outer = []
    at_start = within = False  # of the part between commas or semicolons; here: within a branch
    for i, token in enumerate(tokens):
        if token.is_sign("?"):
            if within:
                yield f"line {token.line}: a ternary within another one; move the inner one into a variable or a function"
            within = True
        elif token.is_sign(OPENING):
            outer.append((at_start, within))
            at_start = within = within and i not in blocks
        elif token.is_sign(CLOSING):
            at_start, within = outer.pop()
        elif token.is_sign(",;"):
            within = at_start


def check_lines(text):
    for number, line in enumerate(text.split("\n"), 1):
        columns = len(line.expandtabs(TAB))
        if columns > COLUMNS:
            yield f"line {number}: {columns} columns; break the line, at most {COLUMNS} are allowed"


def check(text):
    yield from check_lines(text)
    try:
        tokens = tokenize(text)
    except SyntaxError as error:
        yield str(error)
    else:
        yield from check_functions(tokens)
        yield from check_ternaries(tokens)


def check_sheets(root):
    """The size of each style sheet; those of the demo page are all imported by page.css, once."""
    for path in find_sources(root / "web", ".css"):
        name = str(path.relative_to(root))
        lines, most = len(path.read_text().splitlines()), LONGER_SHEETS.get(name, SHEET_LINES)
        if lines > most:
            yield f"{name}: {lines} lines; move a part into another style sheet, at most {most} are allowed"
    demo = root / "web/demo"
    imported = re.findall(r'^@import "(?!vendor/)(.+)";$', (demo / "page.css").read_text(), re.M)
    present = [str(path.relative_to(demo)) for path in find_sources(demo, ".css")]
    for name in sorted({*imported, *present} - {"page.css"}):
        if name not in present:
            yield f"web/demo/page.css: imports {name}, which does not exist; remove the line"
        elif imported.count(name) != 1:
            yield f"web/demo/page.css: imports {name} {imported.count(name)} times; import it once"


def find_sources(folder, endings=(".js", ".mjs")):
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(here, name) for name in sorted(files) if name.endswith(endings))


def main():
    root = Path(os.environ.get("srcdir", ".")).resolve()
    sources = [path for folder in ("web", "bench/report") for path in find_sources(root / folder)]
    problems = [f"{path.relative_to(root)}: {problem}" for path in sources
                for problem in check(path.read_text(encoding="utf-8"))]
    problems += check_sheets(root)
    if len(sources) < FEWEST:
        problems.append(f"{root}: has only {len(sources)} scripts; set srcdir to the top folder of the source")
    print("\n".join([*problems, f"js: {len(sources)} files, {len(problems)} problems"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
