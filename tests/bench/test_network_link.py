"""The emulated link, held against what others see of it: tcpdump, a TCP echo, the kernel's counters
and plain datagrams. Run as root, or where unprivileged user namespaces and /dev/net/tun may be used.

Shares and bytes are exact or wide. Times are never asserted to be short: a busy machine may take as
long as it likes until one median of a round trip is as asked; none may ever be shorter."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from benchtest.bench import binary
from benchtest.link import CLIENT, DEVICE, SERVER, LinkRun, read_ip_packets, require_networks

WAYS = {"up": CLIENT, "down": SERVER}


@pytest.fixture(scope="module", autouse=True)
def networks():
    require_networks()


def require_tcpdump():
    if os.geteuid() != 0:
        pytest.skip("tcpdump needs root: in a user namespace it cannot become another user")
    if shutil.which("tcpdump"):
        return
    if os.environ.get("SLUICE_REQUIRE_TOOLS") == "1":
        pytest.fail("tcpdump is not installed (scripts/setup check)")
    pytest.skip("tcpdump is not installed")


# One in each namespace: of a direction, what enters the link is where it is sent. It ends when it
# has seen nothing for a while and what it has seen is in the file.
CAPTURE = """
    def capture(name):
        path = os.path.join(folder, name)
        command = ["tcpdump", "-i", "%s", "-n", "-U", "--immediate-mode", "-B", "65536", "-s", "64",
                   "-w", path]
        if os.geteuid() == 0:
            command += ["-Z", "root"]
        with open(path + ".said", "w") as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        while process.poll() is None and "listening on" not in open(path + ".said").read():
            time.sleep(0.02)
        assert process.poll() is None, open(path + ".said").read()
        return process, path
    def finish(process, path):
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 1:
            size = os.path.getsize(path)
            if size != last:
                last, since = size, time.monotonic()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.wait()
        said = open(path + ".said").read()
        assert "\\n0 packets dropped by kernel" in said, said
""" % DEVICE


@pytest.mark.parametrize("network", ["rtt=5,loss=3", "rtt=5,jitter=5,rate=20/5"])
def test_its_bytes_are_those_of_tcpdump_within_1_percent(network):
    require_tcpdump()
    run = LinkRun(network, CAPTURE + """
    wait_for("ready")
    here = capture("up")
    with connect() as echo:
        for i in range(120):
            echo.sendall(b"x" * (i * 20))
            left = i * 20
            while left:
                left -= len(echo.recv(left))
    finish(*here)
    open(os.path.join(folder, "done"), "w")
    wait_for("closed")
    """, CAPTURE + """
    here = capture("down")
    open(os.path.join(folder, "ready"), "w")
    wait_for("done")
    finish(*here)
    open(os.path.join(folder, "closed"), "w")
    """)
    for way, source in WAYS.items():
        sent = [length for sender, length in read_ip_packets(run.read(way)) if sender == source]
        counted = run.counted[way]
        assert counted["bytes"] > 120 * 119 * 20 / 2, counted
        assert counted["bytes"] == pytest.approx(sum(sent), rel=0.01), (way, counted, len(sent))
        assert counted["packets"] == pytest.approx(len(sent), rel=0.01), (way, counted, len(sent))


@pytest.mark.parametrize("network", ["rtt=0", "lan", "wifi", "4g", "atlantic", "bad", "satellite"])
def test_its_round_trip_is_the_one_asked_for(network):
    """By a TCP echo. Half of the jitter is its mean and its median. Where it may, the client comes
    before other programs: this is about the link."""
    run = LinkRun(network, """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass
    with connect() as echo:
        medians, least = [], float("inf")
        until = time.monotonic() + 60
        asked = %r
        while time.monotonic() < until:
            times = []
            for i in range(25 if asked < 50 else 7 if asked < 300 else 5):
                start = time.perf_counter()
                echo.sendall(b"x" * 64)
                assert len(echo.recv(64, socket.MSG_WAITALL)) == 64
                times.append((time.perf_counter() - start) * 1e3)
            medians.append(statistics.median(times))
            least = min(least, min(times))
            if abs(medians[-1] - asked) <= max(asked * 0.05, 0.2):
                break
    tell(medians=medians, least=least)
    """ % {"rtt=0": 0, "lan": 0.2, "wifi": 6, "4g": 45, "atlantic": 90, "bad": 150,
           "satellite": 600}[network])
    asked = run.counted["network"]["rtt_ms"] + run.counted["network"]["jitter_ms"] / 2
    assert run.said["medians"][-1] == pytest.approx(asked, rel=0.05, abs=0.2), run.said
    assert run.said["least"] >= run.counted["network"]["rtt_ms"], run.said


# Counts datagrams until all are sent and none comes for a second.
COUNT_DATAGRAMS = """
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sink.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
    except PermissionError:
        pass
    sink.bind((ECHO[0], 9))
    open(os.path.join(folder, "ready"), "w")
    numbers = [int.from_bytes(sink.recv(2000)[:4], "big")]
    sink.settimeout(1)
    all_sent = False
    while True:
        try:
            numbers.append(int.from_bytes(sink.recv(2000)[:4], "big"))
        except TimeoutError:
            if all_sent:
                break
            all_sent = os.path.exists(os.path.join(folder, "sent"))
    with open(os.path.join(folder, "numbers.new"), "w") as file:
        json.dump(numbers, file)
    os.rename(os.path.join(folder, "numbers.new"), os.path.join(folder, "numbers"))
"""
SEND_DATAGRAMS = """
    def send(count, size, at_once):
        source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wait_for("ready")
        for number in range(count):
            source.sendto(number.to_bytes(4, "big") + bytes(size - 4), (ECHO[0], 9))
            if number % at_once == at_once - 1:
                time.sleep(0.002)
        open(os.path.join(folder, "sent"), "w")
        wait_for("numbers")
        with open(os.path.join(folder, "numbers")) as file:
            tell(numbers=json.load(file))
"""


def send_datagrams(network, count, size=64, at_once=50):
    run = LinkRun(network, SEND_DATAGRAMS + "    send(%d, %d, %d)\n" % (count, size, at_once),
                  COUNT_DATAGRAMS)
    assert run.counted["up"]["packets"] == count, run.counted
    assert run.counted["up"]["bytes"] == count * (size + 28), run.counted
    return run


def test_it_loses_the_share_asked_for_and_the_same_packets_in_each_run():
    first, second = (send_datagrams("rtt=2,jitter=2,loss=10", 10000) for _ in range(2))
    lost = first.counted["up"]["lost_packets"]
    assert lost == pytest.approx(1000, abs=180), first.counted  # six standard deviations
    assert len(first.said["numbers"]) == 10000 - lost
    assert first.said["numbers"] == second.said["numbers"]


def test_jitter_never_reorders():
    numbers = send_datagrams("rtt=2,jitter=20", 5000).said["numbers"]
    assert numbers == list(range(5000))


def test_a_full_queue_drops_what_comes_last():
    """64 KiB is 63 such packets; at 1 Mbit/s one more leaves in 8 ms."""
    run = send_datagrams("rtt=2,rate=1", 400, size=1000, at_once=400)
    up = run.counted["up"]
    assert run.counted["network"]["queue_bytes"] == 65536
    assert up["dropped_packets"] > 0 and up["lost_packets"] == 0, up
    assert len(run.said["numbers"]) == 400 - up["dropped_packets"]
    assert run.said["numbers"][:60] == list(range(60))
    assert run.said["numbers"] == sorted(run.said["numbers"])


@pytest.mark.parametrize("network", ["rtt=10,rate=8/4", "rtt=10,rate=4/8"])
def test_its_rate_is_about_the_one_asked_for(network):
    """An echo of a megabyte, for which the slower direction sets the pace; never a faster one."""
    run = LinkRun(network, """
    import threading
    size = 1 << 20
    with connect() as echo:
        sender = threading.Thread(target=echo.sendall, args=(bytes(size),))
        sender.start()
        got = len(echo.recv(65536))
        first, start = got, time.monotonic()
        while got < size:
            got += len(echo.recv(65536))
        took = time.monotonic() - start
        sender.join()
    tell(mbit=(size - first) * 8 / took / 1e6)
    """)
    assert 2 < run.said["mbit"] < 4.1, run.said


def test_what_it_calls_retransmitted_is_what_the_kernel_retransmitted():
    run = LinkRun("rtt=4,loss=5", """
    with connect() as echo:
        for i in range(100):
            echo.sendall(b"x" * (i * 60))
            left = i * 60
            while left:
                left -= len(echo.recv(left))
    open(os.path.join(folder, "done"), "w")
    wait_for("closed")
    tell(up=retransmitted(), down=int(open(os.path.join(folder, "closed")).read()))
    """, """
    wait_for("done")
    time.sleep(0.5)
    with open(os.path.join(folder, "closed.new"), "w") as file:
        file.write(str(retransmitted()))
    os.rename(os.path.join(folder, "closed.new"), os.path.join(folder, "closed"))
    """)
    for way in WAYS:
        counted = run.counted[way]
        assert counted["retransmitted_packets"] > 5, counted
        assert counted["retransmitted_packets"] == pytest.approx(run.said[way], abs=2), run.said
        assert counted["retransmitted_bytes"] >= 52 * counted["retransmitted_packets"], counted


def test_a_cut_loses_all_and_the_connection_outlives_it():
    run = LinkRun("rtt=4", """
    with connect() as echo:
        os.kill(os.getppid(), signal.SIGUSR1)
        sent = got = b""
        echo.settimeout(1)
        try:
            while True:  # until the signal has come
                sent += b"%d," % len(sent)
                echo.sendall(sent[len(got):])
                while len(got) < len(sent):
                    got += echo.recv(64)
        except TimeoutError:
            before = len(got)
        os.kill(os.getppid(), signal.SIGUSR2)
        echo.settimeout(None)
        while len(got) < len(sent):
            got += echo.recv(64)
    tell(sent=sent.decode(), got=got.decode(), before=before)
    """)
    assert run.said["got"] == run.said["sent"] and run.said["before"] < len(run.said["sent"])
    assert run.counted["up"]["cut_packets"] > 0, run.counted
    assert run.counted["up"]["retransmitted_packets"] > 0, run.counted
    assert run.counted["up"]["lost_packets"] == run.counted["down"]["lost_packets"] == 0


def test_its_own_echo_and_cost_are_told():
    run = LinkRun("rtt=20", "tell()", options=["--echo=5"])
    echo = run.counted["echo"]
    assert echo["rounds"] == 5 and 20 <= echo["min_ms"] <= echo["p50_ms"] <= echo["max_ms"], echo
    assert echo["connect_ms"] >= 20, echo
    assert run.counted["link"]["cpu_ms"] > 0 and run.counted["link"]["late_p99_us"] > 0
    assert run.counted["link"]["evicted_flows"] == 0


def link(*words, before=()):
    return subprocess.run([*before, binary(), "link", *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)


def test_its_status_is_the_commands():
    assert link("lan", "sh", "-c", "exit 7").returncode == 7
    assert link("lan", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9
    missing = link("lan", "/no/such/program")
    assert missing.returncode == 127 and "/no/such/program" in missing.stderr


@pytest.mark.parametrize("words, says", [
    ((), "NETWORK is missing"), (("5g",), '"5g"'), (("rtt=x",), "rtt is"),
    (("--echo=0", "lan"), "--echo"), (("--echo=x", "lan"), "--echo"),
])
def test_what_makes_no_sense_is_said(words, says):
    run = link(*words)
    assert run.returncode == 2 and says in run.stderr, run.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to take the device away")
def test_a_missing_device_file_is_made_by_root_and_told_to_others():
    """In a mount namespace, where an empty folder hides the one there is."""
    hide = "mount -t tmpfs none /dev/net && "
    run = link("lan", "true", before=["unshare", "-m", "sh", "-c", hide + 'exec "$@"', "sh"])
    assert run.returncode == 0, run.stderr
    nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups"
    run = link("lan", "true",
               before=["unshare", "-m", "sh", "-c", "mkdir /dev/net 2>/dev/null; " + hide + nobody
                       + ' "$@"', "sh"])
    assert run.returncode == 1 and "this machine cannot make the network: " in run.stderr, run.stderr


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def two_spaces():
    """Two namespaces with a TUN device and an address each, and nothing between them."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("needs root and ip(8)")
    names = ["sluice-link-%d-%s" % (os.getpid(), side) for side in ("server", "client")]
    try:
        for number, name in enumerate(names, 1):
            ip("netns", "add", name)
            ip("-n", name, "tuntap", "add", "dev", "far", "mode", "tun")
            ip("-n", name, "addr", "add", "10.98.0.%d/24" % number, "dev", "far")
            ip("-n", name, "link", "set", "dev", "far", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


ANSWER_ONE = """
import socket
with socket.create_server(("10.98.0.1", 7)) as listener:
    print("listening", flush=True)
    accepted = listener.accept()[0]
    accepted.sendall(accepted.recv(100))
"""
ASK_ONE = """
import socket, time
began = time.monotonic()
with socket.create_connection(("10.98.0.1", 7)) as asked:
    asked.sendall(b"there and back")
    assert asked.recv(100) == b"there and back"
print(time.monotonic() - began)
"""


def test_it_carries_between_devices_that_others_have_made(two_spaces):
    ends = ",".join("/run/netns/%s:far" % name for name in two_spaces)
    link = subprocess.Popen([binary(), "link", "--between", ends, "rtt=50"], stdout=subprocess.PIPE)
    try:
        assert link.stdout.readline() == b"carrying\n"
        server, client = (["ip", "netns", "exec", name, sys.executable, "-c"] for name in two_spaces)
        answerer = subprocess.Popen(server + [ANSWER_ONE], stdout=subprocess.PIPE)
        try:
            assert answerer.stdout.readline() == b"listening\n"
            took = subprocess.run(client + [ASK_ONE], check=True, capture_output=True, timeout=60)
        finally:
            answerer.kill()
            answerer.communicate()
        assert float(took.stdout) >= 0.1  # a handshake and an answer
    finally:
        link.terminate()
        counted = json.loads(link.communicate()[0])
    assert link.returncode == 0
    assert counted["network"]["rtt_ms"] == 50
    assert counted["up"]["packets"] >= 3 and counted["down"]["packets"] >= 2


@pytest.mark.parametrize("ends", ["/run/netns/no-such:far,/run/netns/no-such:far", "one,other"])
def test_devices_that_are_not_there_are_an_error(ends):
    done = subprocess.run([binary(), "link", "--between", ends, "rtt=50"], capture_output=True,
                          timeout=60)
    assert done.returncode == 1 and b"sluice-bench: network: " in done.stderr


@pytest.mark.parametrize("words", [["--between", "one", "lan"], ["--between", "a:b,c:d", "lan", "true"]])
def test_between_with_one_device_or_a_command_is_refused(words):
    assert subprocess.run([binary(), "link", *words], capture_output=True).returncode == 2
