#!/usr/bin/env python3
"""Each relative link of a document points at a file and a heading that exist, and each file of doc/ is linked
from README.md or from a page that README.md links. Headings have the names that GitHub gives them.

usage: check_links.py [FILE]...    (without FILE: all)"""
import os
import re
import sys
from pathlib import Path

ROOT = Path(os.environ.get("srcdir", "."))
FEWEST = 15  # documents; with fewer this reads another folder than the source
LINK = re.compile(r"""\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)"""
                  r"""|<(?:a|img)\s[^>]*?(?:href|src)=["']([^"']+)""", re.M)
NO_DOCUMENT = {"local.mk"}  # of the build


def without_fences(text):
    """The text with an empty line in place of each line of a block of code."""
    lines, fence = [], ""
    for line in text.split("\n"):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        lines.append("" if fence or mark else line)
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
    return "\n".join(lines)


def links_of(text):
    """Pairs of a line and a relative target. Spans of code have none."""
    text = re.sub(r"(`+)(?:(?!\1|\n\n)[^\0])+?\1", lambda m: "code" + "\n" * m[0].count("\n"), without_fences(text))
    found = ((text.count("\n", 0, match.start()) + 1, next(filter(None, match.groups())))
             for match in LINK.finditer(text))
    return [(line, target) for line, target in found if not re.match(r"[a-z][a-z0-9+.-]*:|//", target, re.I)]


def anchors_of(text):
    """The names of the headings: GitHub's rule."""
    anchors, seen = set(), {}
    for match in re.finditer(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", without_fences(text), re.M):
        heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        anchors.add(f"{name}-{count}" if count else name)
    anchors.update(re.findall(r"<a\s[^>]*?(?:id|name)=[\"']([^\"']+)", text))
    return anchors


def documents(root):
    """The Markdown files of the source, without those of builds and packages."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] not in "._" and name != "node_modules"
                            and not Path(folder, name, "config.status").exists())
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".md")]
    return found


def resolve(page, target):
    """The file and the anchor of a link."""
    path, _, anchor = target.partition("#")
    return (Path(os.path.normpath(page.parent / path)) if path else page), anchor


def check(root, page):
    problems = []
    for line, target in links_of(page.read_text(encoding="utf-8")):
        path, anchor = resolve(page, target)
        wrong = ""
        if not path.exists():
            wrong = "there is no such file; correct the path, which counts from the page's folder"
        elif anchor and path.suffix == ".md" and anchor not in anchors_of(path.read_text(encoding="utf-8")):
            wrong = f"{path.relative_to(root)} has no such heading; its headings are the texts behind #, in small letters " \
                "with - for spaces and without punctuation"
        if wrong:
            problems.append(f"{page.relative_to(root)}:{line}: {target}: {wrong}")
    return problems


def linked_from(page):
    """The files that a page links; of a folder, all of its files."""
    found = {resolve(page, target)[0] for _, target in links_of(page.read_text(encoding="utf-8"))}
    return found | {path for folder in found if folder.is_dir() for path in folder.rglob("*")}


def unlinked(root):
    near = linked_from(root / "README.md")
    near |= {path for page in near if page.suffix == ".md" and page.is_file() for path in linked_from(page)}
    files = (path for path in (root / "doc").rglob("*") if path.is_file() and path.name not in NO_DOCUMENT)
    return [f"{path.relative_to(root)}: no page that a reader finds links this file; link it in README.md, or in a page that README.md links"
            for path in sorted(set(files) - near)]


def self_test():
    """The checker finds what it is for, and passes what is right."""
    assert anchors_of("# What is `a_b`?\n## Is it [C](c.md)?\n## Is it C\n```\n# no\n```\n### Ends, too ###\n") == {
        "what-is-a_b", "is-it-c", "is-it-c-1", "ends-too"}
    assert links_of("[a](b.md#c) `[x](y)` <https://z>\n[d](https://e)\n```\n[f](g)\n```\n![h](i.png \"t\")\n[`j`](k)\n"
                    "[l]: m.md\n") == [(1, "b.md#c"), (6, "i.png"), (7, "k"), (8, "m.md")]
    page = Path("doc/a.md")
    assert resolve(page, "../README.md#x") == (Path("README.md"), "x") and resolve(page, "#x") == (page, "x")


def self_test_tree(folder):
    """In a source of four files, each fault is found, and nothing else."""
    (folder / "doc/sub").mkdir(parents=True)
    for name, text in (("README.md", "# R\n[a](doc/a.md#here)\n"), ("doc/a.md", "# Here\n[r](../README.md#r) [s](sub)\n"),
                       ("doc/sub/b.md", "[gone](c.md)\n[no](../a.md#there)\n"), ("doc/lost.md", "")):
        (folder / name).write_text(text, encoding="utf-8")
    problems = [problem for page in documents(folder) for problem in check(folder, page)] + unlinked(folder)
    assert [problem.split(": ")[0] for problem in problems] == ["doc/sub/b.md:1", "doc/sub/b.md:2", "doc/lost.md"], problems


def main():
    import tempfile
    self_test()
    with tempfile.TemporaryDirectory() as folder:
        self_test_tree(Path(folder))
    wanted = [Path(os.path.normpath(name)) for name in sys.argv[1:]]
    pages = wanted or documents(ROOT)
    problems = [problem for page in pages for problem in check(ROOT, page)]
    if not wanted:
        problems += unlinked(ROOT)
        if len(pages) < FEWEST:
            problems.append(f"only {len(pages)} documents found; set srcdir to the top folder of the source")
    for problem in problems:
        print(problem)
    print(f"links: {len(pages)} documents, {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
