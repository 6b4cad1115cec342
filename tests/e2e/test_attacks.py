"""What has to hold under attack whatever the machine: honest clients lose nothing, memory stays under
its bound, the attacker is limited or closed, a counter says so, and no connection has more steps in a
turn than it may. `make attack` measures what honest clients feel."""

import json
import os
import subprocess
import sys

import pytest

ATTACK_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "attack")
sys.path.insert(0, ATTACK_FOLDER)

from sluiceattack import report, victims  # noqa: E402  (needs the path above)
from sluiceattack.catalogue import ATTACKS as CATALOGUE, find  # noqa: E402
from sluiceattack.honest import SCENARIOS  # noqa: E402

ATTACKS = [("publish_ws", "clear"), ("publish_keyed", "clear"), ("publish_post", "tls"),
           ("subscribe", "tls"), ("fragments", "clear"), ("polls", "clear"), ("streams", "clear"),
           ("history_poll", "clear"), ("channel_publishes", "clear"), ("tokens_wrong", "tls"),
           ("tls_key_updates_in_a_row", "tls"), ("eio_sessions", "clear"), ("eio_payloads", "tls"),
           ("sio_events", "clear"), ("sio_bad_packets", "clear")]
STEPS_OF_A_CONNECTION, STEPS_OF_AN_ADDRESS = 16, 64
KEPT_BY_SANITIZER_MIB = 800
HELD_OFF = ("429", "rate_limited", "bye ", "closed 1008", "ended by ")


def attack(name, place, folder):
    """The run of a short attack, as attack.py writes it. It is a process of its own since it forks."""
    path = os.path.join(folder, "attack.json")
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(ATTACK_FOLDER, "attack.py"), "--short", "--repeats", "1",
         "--seconds", "1", "--attacks", name, "--place", place, "--json", path],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    assert os.path.exists(path), done.stdout.decode() + done.stderr.decode()
    with open(path) as file:
        rows = json.load(file)["attacks"]
    assert rows, done.stdout.decode()
    return rows[0]


@pytest.mark.parametrize("name, place", ATTACKS)
def test_an_attack_costs_honest_clients_nothing_but_time(name, place, tmp_path):
    row = attack(name, place, str(tmp_path))
    run, = row["runs"]
    assert run["others"]["samples"], "nothing was measured: %s" % run
    assert (row["lost"], row["locked_out"]) == (0, 0), run
    about = find(name)
    bound = about.bound + KEPT_BY_SANITIZER_MIB * bool(os.environ.get("SLUICE", "").count("san/"))
    assert run["rss_peak_mib"] < run["rss_control_mib"] + bound, run
    assert row["evidence"], "no counter moved: %s" % run
    assert about.may_wait or any(what.startswith(HELD_OFF) for what in row["offender"]), run
    assert 0 < run["longest"]["sluice_turn_steps_longest"] <= STEPS_OF_A_CONNECTION, run
    assert run["longest"]["sluice_turn_address_steps_longest"] <= STEPS_OF_AN_ADDRESS, run


# The checker itself: what it would not find, the attacks could not either.

def test_the_checker_finds_what_is_lost_doubled_or_out_of_order():
    checker = victims.Checker()
    assert [checker.see(number) for number in (1, 2, 5, 5, 4, 6)] == [
        True, True, True, False, False, True]
    assert (checker.lost, checker.repeated) == (2, 2)


def run_of(**others):
    """A run in which nothing went wrong but what is said."""
    calm = {"p50": 1.0, "p99": 1.0, "entry_p50": 1.0, "entry_p99": 1.0, "lost": 0, "repeated": 0,
            "counts": {}}
    return {"others": dict(calm, **others), "own": None, "quiet_lost": 0, "probe_notes_lost": 0,
            "rss_peak_mib": 10, "rss_control_mib": 10, "kernel_mib": 1, "moved": {},
            "offender": {"counts": {}}}


@pytest.mark.parametrize("others", [
    {"lost": 1}, {"repeated": 1}, {"p99": 2.1}, {"p50": 2.1}, {"counts": {"newcomer refused 429": 1}}])
def test_a_report_is_not_good_when_others_were_hurt(others):
    about = find("publish_ws")
    assert report.summarize(about, "clear", [run_of()])["good"]
    assert not report.summarize(about, "clear", [run_of(**others)])["good"]


def test_the_manual_names_every_attack_and_crowd():
    path = os.path.join(ATTACK_FOLDER, "..", "..", "doc", "attack.md")
    with open(path) as file:
        text = file.read()
    for one in CATALOGUE:
        assert "\n| %s | %s |\n" % (one.name, one.text) in text, one.name
    for one in SCENARIOS:
        assert "\n| %s |" % one.name in text, one.name
