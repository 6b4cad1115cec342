"""doc/limits.md: its shell commands say what it shows, and its table has the defaults of the program."""

import os
import re
import subprocess

from sluicetest.gateway import E2E_FOLDER, binary
from sluicetest.shell_page import run_page

PAGE = os.path.join(os.path.dirname(os.path.dirname(E2E_FOLDER)), "doc", "limits.md")
SCALES = {"MiB": "M", "": ""}


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def read_defaults():
    """Of the program's options."""
    said = subprocess.run([binary(), "--help"], check=True, capture_output=True, text=True).stdout
    text = re.sub(r"\s+", " ", said)
    return dict(re.findall(r"--([a-z-]+)=\S+ (?:(?! --).)*?\(default ([^;)]+)", text))


def test_commands_of_the_page_say_what_it_shows(tmp_path):
    run_page(read_page(), tmp_path, [], (8080,))


def test_the_table_has_the_defaults_of_the_program():
    rows = re.findall(r"^\| [^|]+ \| `--([a-z-]+)` \| ([\d,]+)(?: (MiB))?(?: per second)? \|", read_page(), re.M)
    assert len(rows) == 10, rows
    defaults = read_defaults()
    for option, number, unit in rows:
        assert number.replace(",", "") + SCALES[unit] == defaults[option], option


def test_the_metrics_of_the_page_exist(start_gateway):
    names = set(re.findall(r"^\| `(sluice_\w+)", read_page(), re.M))
    assert len(names) > 4
    told = start_gateway().get("/metrics").body.decode()
    assert not [name for name in names if not re.search("^%s[ {]" % name, told, re.M)]
