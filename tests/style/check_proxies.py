#!/usr/bin/env python3
"""doc/proxies.md shows the files of doc/proxies, doc/deploy.md those of doc/deploy, doc/auth.md those of
doc/auth and doc/cluster.md those of doc/cluster, word for word; tests/network, tests/deploy, tests/e2e and tests/browser run them."""
import os
import re
import sys
from pathlib import Path

folder = Path(os.environ.get("srcdir", "."), "doc")
status = 0
for name in ("proxies", "deploy", "auth", "cluster"):
    text = (folder / f"{name}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, re.M | re.S)
    files = sorted((folder / name).iterdir())
    for path in files:
        if path.read_text(encoding="utf-8") not in blocks:
            print(f"doc/{name}.md: no block of code equals doc/{name}/{path.name}; copy the file into the page, "
                  "or the block into the file")
            status = 1
    if not files:
        print(f"doc/{name} has no files; set srcdir to the top folder of the source")
        status = 1
sys.exit(status)
