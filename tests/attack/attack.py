#!/usr/bin/python3
"""Attack a gateway, and measure the effect on its honest clients. doc/attack.md explains the output."""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sluiceattack import report, world  # noqa: E402
from sluiceattack.catalogue import ATTACKS, find  # noqa: E402
from sluiceattack.honest import SCENARIOS  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attacks", metavar="NAMES",
                        help="run only these attacks, with commas between; `honest` stands for the honest crowds")
    parser.add_argument("--place", choices=["clear", "tls", "both"], default="both",
                        help="attack without TLS, over TLS, or both (default)")
    parser.add_argument("--repeats", type=int, default=5, metavar="N",
                        help="run each attack N times and print medians (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S",
                        help="attack for S seconds in each run (default 3)")
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--short", action="store_true", help="use few clients and low limits to "
                        "see effects quickly; ignore the times of such a run")
    parser.add_argument("--markdown", action="store_true", help="also print the table for doc/attack.md")
    parser.add_argument("--list", action="store_true", help="list the attacks and the honest crowds")
    parser.add_argument("--verbose", action="store_true", help="also print each run as JSON")
    return parser.parse_args()


def enter_namespace():
    """A network of this process's own, with an IPv6 /64 on its loopback; False where it may not."""
    clone_net = 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(clone_net) != 0:
        return False
    return all(subprocess.run(["ip", *words.split()], stderr=subprocess.DEVNULL).returncode == 0
               for words in ("link set lo up", "-6 route add local fd00:1::/64 dev lo"))


def in_child(call):
    """What `call` returns, by way of a process of its own that enters a namespace; None without."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            answer = call() if enter_namespace() else None
            with os.fdopen(writing, "w") as file:
                json.dump(answer, file)
        except BaseException:  # told here, since the parent only sees that nothing came
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def run_all(attack, place, arguments):
    if any(one.startswith("--") and not world.knows(one) for one in attack.options):
        return None
    scale = world.Scale.short(arguments.seconds) if arguments.short else world.Scale(arguments.seconds)
    runs = []
    for number in range(arguments.repeats):
        def one():
            return world.run(attack, place == "tls", scale, number % 2 == 1)
        result = in_child(one) if attack.namespace else one()
        if result is None:
            return None
        if arguments.verbose:
            print(json.dumps(result))
        runs.append(result)
    return report.summarize(attack, place, runs)


def play_honest(names, places, arguments):
    crowds = []
    for scenario in SCENARIOS:
        for place in places:
            if scenario.name in names or "honest" in names:
                result = scenario.play(place == "tls", max(arguments.seconds, 4))
                crowds.append(dict(result, crowd=scenario.name, place=place))
                report.print_crowd(crowds[-1])
    return crowds


def main():
    arguments = parse()
    if arguments.list:
        for one in ATTACKS + SCENARIOS:
            print("%-26s %s" % (one.name, one.text))
        return 0
    names = (arguments.attacks or ",".join(["honest"] + [one.name for one in ATTACKS])).split(",")
    places = ["clear", "tls"] if arguments.place == "both" else [arguments.place]
    began, rows = time.monotonic(), []
    attacks = [find(name) for name in names if not name.startswith("honest")]
    crowds = play_honest(names, places, arguments)
    if attacks:
        report.print_head()
    for attack in attacks:
        for place in places:
            if place in attack.places:
                row = run_all(attack, place, arguments)
                if row is None:
                    print("%-25s %-5s skipped: needs root, or a gateway with its options" % (attack.name, place))
                    continue
                rows.append(row)
                report.print_row(row)
    print(report.describe(arguments, rows, crowds, time.monotonic() - began))
    if arguments.markdown:
        print(report.list_markdown(rows))
    if arguments.json:
        report.write(arguments.json, arguments, rows, crowds)
    return 0 if all(row["good"] for row in rows + crowds) else 1


if __name__ == "__main__":
    sys.exit(main())
