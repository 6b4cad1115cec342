"""doc/use.md: its shell commands say what it shows. Its programs run in tests/browser."""

import os
import re

from sluicetest.gateway import E2E_FOLDER
from sluicetest.shell_page import run_page

PAGE = os.path.join(os.path.dirname(os.path.dirname(E2E_FOLDER)), "doc", "use.md")


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def test_commands_of_the_page_say_what_it_shows(tmp_path):
    run_page(read_page(), tmp_path, [], (8080, 8000))


def test_every_program_of_the_page_is_run():
    assert set(re.findall(r"^```(\w+)$", read_page(), re.M)) == {"sh", "js"}
