"""The generator polls its core while CPU is measured, so that no send has to wake it; how often
one did stands beside each CPU figure."""

import os
import time

import pytest

CORES = sorted(os.sched_getaffinity(0))
ONE_A_DELIVERY = ("--scenarios", "channels", "--transports", "websocket", "--connections", 50,
                  "--repeats", 1, "--seconds", 0.5)
FANOUT = ("--scenarios", "fanout", "--transports", "websocket", "--quick", "--subscribers", 20)

two_cores = pytest.mark.skipif(len(CORES) < 2, reason="with one core nobody can poll")


def cannot_poll(run):
    return [text for text in run.report["warnings"] if "could not busy-poll" in text]


@two_cores
def test_it_polls_unless_told_to_sleep_and_no_send_wakes_it(run_bench):
    woken = {}
    for polls, options in ((True, ()), (False, ("--no-busy-poll",))):
        run = run_bench(*ONE_A_DELIVERY, *options)
        assert run.status == 0, run.stdout + run.stderr
        repeat = run.repeat("channels")
        assert run.report["settings"]["busy_polling"] is polls
        assert repeat["generator"]["busy_polling"] is polls
        assert not cannot_poll(run)
        woken[polls] = repeat["figures"]["wakeups_per_delivery"]
    # Asleep, it is woken by the delivery, and mostly by the answer to its publish too.
    assert woken[False] > 0.1, woken
    assert woken[True] < woken[False] / 10, woken


@two_cores
@pytest.mark.parametrize("options", [
    ("--scenarios", "latency,fanout,channels,opening,connect", "--transports", "websocket", "--quick",
     "--subscribers", 20, "--connections", 50),
    ("--scenarios", "request,publish", "--quick"),
    ("--scenarios", "idle", "--transports", "poll", "--connections", 50, "--repeats", 1),
], ids=lambda options: options[1])
def test_wakeups_stand_beside_every_cpu_figure(run_bench, options):
    run = run_bench(*options)
    assert run.status == 0, run.stdout + run.stderr
    named = set(options[1].split(","))
    assert {result["scenario"] for result in run.report["results"]} == named
    for result in run.report["results"]:
        figures = result["summary"]
        assert any("cpu" in name for name in figures) or result["scenario"] == "latency", figures
        for kind in ("wakeups_per_", "server_sleeps_per_"):
            assert any(name.startswith(kind) for name in figures), figures
    tables = [block for block in run.stdout.split("\n\n")
              if "CPU each" in block or "CPU of 10,000" in block]
    assert tables
    for table in tables:
        assert "wake-ups" in table, table


@pytest.mark.parametrize("options, before", [
    ((), ("taskset", "-c", CORES[0])),
    (("--server-core", CORES[-1], "--load-core", CORES[-1]), ()),
    (("--threads", len(CORES)), ()),
], ids=["one-core", "the-server-on-it-too", "a-thread-on-every-core"])
def test_where_polling_would_starve_the_server_it_sleeps_and_says_so(run_bench, options, before):
    run = run_bench(*FANOUT, *options, before=tuple(map(str, before)))
    assert run.status == 0, run.stdout + run.stderr
    assert len(cannot_poll(run)) == 1, run.report["warnings"]
    assert run.report["settings"]["busy_polling"] is False
    for result in run.results("fanout"):
        repeat = result["repeats"][0]
        assert repeat["deliveries"] == repeat["expected"] > 0
        assert repeat["generator"]["busy_polling"] is False


@pytest.mark.parametrize("options, before", [
    ((), ()),
    ((), ("taskset", "-c", CORES[0])),
    (("--server-core", CORES[0], "--load-core", CORES[0]), ()),
], ids=["two-cores", "one-core", "the-server-on-it-too"])
def test_a_real_time_priority_starves_nobody(run_bench, options, before):
    """As the manual advises: both the server and the generator go before everything else."""
    before = tuple(map(str, before))
    if os.system("chrt -r 10 true 2>/dev/null") != 0:
        pytest.skip("no right to a real-time priority")
    run = run_bench(*FANOUT, *options, before=("chrt", "-r", "10", *before))
    assert run.status == 0, run.stdout + run.stderr
    for result in run.results("fanout"):
        assert result["repeats"][0]["lost"] == 0, result


def children_of(pid):
    """Of all threads of a process; none when it has ended."""
    found = set()
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread)) as file:
                found |= set(map(int, file.read().split()))
    except OSError:
        pass
    return found


def descendants_of(pid):
    found, parents = set(), [pid]
    while parents:
        children = children_of(parents.pop())
        found |= children
        parents += children
    return found


def cores_of(pid):
    """The cores that each thread of a process may use."""
    found = set()
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            found.add(frozenset(os.sched_getaffinity(int(thread))))
    except OSError:
        pass
    return found


@two_cores
@pytest.mark.parametrize("peer", ["floor", "nchan", "ws", "socket.io", "pushpin", "sluice"])
def test_a_peer_keeps_to_its_core_with_all_its_helpers(start_bench, peer):
    bench = start_bench("peers", "--peers", peer, "--transports", "websocket", "--scenarios",
                        "latency", "--repeats", 1, "--seconds", 1.5)
    seen, cores = {}, {}
    while bench.process.poll() is None:
        for pid in descendants_of(bench.process.pid):
            seen[pid] = seen.get(pid, 0) + 1
            cores[pid] = cores_of(pid) or cores.get(pid)
        time.sleep(0.02)
    run = bench.wait()
    if not run.results("latency"):
        pytest.skip(run.report["not_measured"][0])
    # Not those that only tell their version.
    servers = [pid for pid, times in seen.items() if times > 25]
    assert servers
    assert {pid: cores[pid] for pid in servers} == {
        pid: {frozenset({CORES[0]})} for pid in servers}
