#!/usr/bin/env python3
"""doc/proxies.md shows the files of doc/proxies, which tests/network runs, word for word."""
import os
import re
import sys
from pathlib import Path

folder = Path(os.environ.get("srcdir", "."), "doc")
blocks = re.findall(r"^```\w*\n(.*?)^```$", (folder / "proxies.md").read_text(encoding="utf-8"), re.M | re.S)
missing = [path.name for path in sorted((folder / "proxies").iterdir())
           if path.read_text(encoding="utf-8") not in blocks]
for name in missing:
    print(f"proxies.md: {name} is not in it as it is")
sys.exit(bool(missing))
