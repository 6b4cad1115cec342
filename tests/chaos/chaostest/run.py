"""The run: starts all, lets accidents happen, and judges."""

import argparse
import collections
import json
import multiprocessing
import os
import random
import signal
import sys
import time

from sluicetest import Gateway, Http, eventually
from sluicetest import tls
from sluicetest.tokens import Issuer

from . import network
from .ledger import Ledger
from .publisher import run_publishers
from .worker import run_clients

ADMIN = "127.0.0.1"
LEFT_S = 90
# What a life may take beside what it took at the start: its bounded tables, and for each client what the
# connection and its outbox need. A sanitizer keeps what was freed for a while.
HISTORY_MIB, OUTBOX_MIB, QUARANTINE_MIB, CLIENT_KIB = 24, 48, 64, 40
SCATTERED_MIB = 96  # that is free, and not given back to the system
TRANSPORTS = ["websocket", "sse", "stream", "longpoll", "poll"]


class World:
    """What all processes know. It is made before they are forked."""

    def __init__(self, options):
        self.issuer = Issuer()
        self.authority = tls.authority().path
        ports = _free_ports(3)
        self.clear, self.tls, self.admin = (("127.0.0.1", port) for port in ports)
        self.thin = ["chaos.thin.%d" % n for n in range(max(4, options.clients // 50))]
        self.fat = ["chaos.fat.%d" % n for n in range(4)]
        self.snails = 0.05
        self.publishers = 8
        self.publish_rate = options.rate / self.publishers / 1.8
        self.publish_cuts = 0.05
        self.forgotten = options.forget
        self.lives = multiprocessing.Value("i", 0)
        self.ramp = min(10, options.seconds / 6)
        long = min(options.seconds / 60, 1)  # what takes a while is scaled down in a short run
        self.rates = {"reset": 40 * long + 10, "leave": 80 * long + 10, "stall": 60 * long + 10,
                      "stalled": 3 + 12 * long, "away": 3 + 25 * long, "token": (4, int(12 + 30 * long)),
                      "poll": 1 + 3 * long}

    def publish_address(self, secure):
        return tls.TlsAddress(self.tls) if secure else self.clear


def _free_ports(count):
    import socket
    held = [socket.socket() for _ in range(count)]
    for sock in held:
        sock.bind((ADMIN, 0))
    ports = [sock.getsockname()[1] for sock in held]
    for sock in held:
        sock.close()
    return ports


class Lives:
    """The gateway, one life after the other on the same ports."""

    def __init__(self, world, options):
        self.world, self.options = world, options
        self.folder = options.folder
        self.config = os.path.join(self.folder, "config.json")
        self.write_config(random.Random(1))
        self.command = [
            "--listen", "127.0.0.1:%d" % world.clear[1], "--tls-listen", "127.0.0.1:%d" % world.tls[1],
            "--admin-listen", "127.0.0.1:%d" % world.admin[1], *tls.certificate_options(),
            *world.issuer.options, "--config", self.config, "--shards", "2", "--drain", "2",
            "--revocations", os.path.join(self.folder, "revocations"), "--secret",
            os.path.join(self.folder, "secret"), "--history-messages", "200", "--history-age", "20",
            "--history-bytes", "2M", "--history-total", "%dM" % HISTORY_MIB,
            "--outbox-total", "%dM" % OUTBOX_MIB,
            "--max-connections", "8000", "--deflate", "--deflate-threshold", "200",
            # Refused in the middle of a batch, publishers could not keep the order that is judged.
            "--raise-limits", "subject:publisher-*=off", *options.gateway]
        self.epochs, self.gateway = [], None
        self.largest_kib = 0

    def write_config(self, rng):
        with open(self.config + ".new", "w") as file:
            json.dump({"heartbeat": rng.choice([4, 10, 15]), "outbox": rng.choice(["64K", "128K", "256K"]),
                       "log-level": rng.choice(["warning", "info"])}, file)
        os.rename(self.config + ".new", self.config)

    def begin(self):
        """A life; its epoch is noted."""
        self.gateway = Gateway(*self.command, secure=False)
        head = self.ask("GET", "/stats").json()["cursor"]
        self.epochs.append(head.split("-")[0])

    def ask(self, method, target, body=None, headers=()):
        """At the admin listener, which no accident concerns."""
        with Http(self.world.admin) as http:
            return http.request(method, target, dict(headers, Connection="close"), body)

    def end(self, how):
        """Publishers are told first that an answer may be of either life."""
        self.world.lives.value += 1
        if how == "SIGKILL":
            self.gateway.check()
            self.gateway.kill()
        else:
            self.gateway.check()
            self.gateway.signal(signal.SIGTERM)
            status = self.gateway.wait(120)
            assert status == 0, "status %s: %s" % (status, self.gateway.stderr()[-4000:])
            self.gateway._forget()
        self.world.lives.value += 1

    def measure(self):
        self.gateway.check()
        self.largest_kib = max(self.largest_kib, self.gateway.memory_kib())

    def count_descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.gateway.pid))

    def connections(self):
        transports = self.ask("GET", "/stats").json()["transports"]
        return {name: transports[name]["connections"] for name in TRANSPORTS}


class Accidents:
    """What happens to the gateway and the network, by a plan that the seed decides."""

    def __init__(self, lives, net, rng, options):
        self.lives, self.net, self.rng = lives, net, rng
        self.world = lives.world
        self.clients = options.clients
        self.counts = collections.Counter()
        self.violations = []
        self.revoked = set()
        length = options.seconds
        restarts = options.restarts or max(2, length // 70)
        first = length * 0.2
        between = length * 0.75 / restarts
        self.plan = [(first + i * between + rng.uniform(0, between / 2),
                      self.kill if i % 2 else self.terminate) for i in range(restarts)]
        self._add_each(length, max(length / 60, 3), self.reload)
        self._add_each(length, max(length / 150, 0.5), self.revoke)
        if net.works:
            self._add_each(length, max(length / 15, 5), self.lose)
            self._add_each(length, max(length / 25, 4), self.cut)
        self.plan.sort(key=lambda entry: entry[0])

    def _add_each(self, length, between, what):
        at = self.rng.expovariate(1 / between)
        while at < length:
            self.plan.append((at, what))
            at += self.rng.expovariate(1 / between)

    def due(self, elapsed):
        while self.plan and self.plan[0][0] <= elapsed:
            self.plan.pop(0)[1](elapsed)

    def later(self, elapsed, seconds, what):
        self.plan.append((elapsed + seconds, what))
        self.plan.sort(key=lambda entry: entry[0])

    def kill(self, elapsed):
        self.counts["restarts by SIGKILL"] += 1
        self.lives.end("SIGKILL")
        self.lives.begin()

    def terminate(self, elapsed):
        self.counts["restarts by SIGTERM"] += 1
        self.lives.end("SIGTERM")
        self.lives.begin()

    def reload(self, elapsed):
        self.counts["reloads"] += 1
        self.lives.write_config(self.rng)
        self.lives.gateway.signal(signal.SIGHUP)

    def lose(self, elapsed):
        self.counts["times of loss"] += 1
        self.net.set(loss=self.rng.choice([0.01, 0.03, 0.1]))
        self.later(elapsed, self.rng.uniform(3, 15), lambda elapsed: self.net.set(loss=0.0))

    def cut(self, elapsed):
        """A sixteenth of the clients or two is cut off."""
        self.counts["times of cut"] += 1
        self.net.set(cut=self.rng.sample(range(1, 17), self.rng.choice([1, 2])))
        self.later(elapsed, self.rng.choice([1, 4, 12]), lambda elapsed: self.net.set(cut=()))

    def revoke(self, elapsed):
        """What the subject has is refused from the answer on."""
        subject = "client-%d" % self.rng.randrange(self.clients)
        token = self.world.issuer.token(subject, ["chaos.*"])
        self.counts["revocations"] += 1
        self.revoked.add(subject)
        answer = self.lives.ask("POST", "/admin/disconnect", json.dumps({"subject": subject}).encode())
        if answer.status != 200:
            self.violations.append(("revocation", "%r" % answer))
            return
        with Http(self.world.clear) as http:
            refused = http.request("GET", "/poll?wait=0&channels=chaos.thin.0",
                                   {"Authorization": "Bearer " + token})
        if refused.status != 401:
            self.violations.append(("revocation", "its token is answered with %d" % refused.status))


class Process:
    """A forked process and what it says."""

    def __init__(self, target, *arguments):
        context = multiprocessing.get_context("fork")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_run_forked, args=(target, arguments, other), daemon=True)
        self.process.start()
        other.close()
        self.counts, self.open, self.told = {}, 0, None

    def listen(self):
        while self.told is None and self.connection.poll():
            said = self.connection.recv()
            if said[0] == "counts":
                self.counts, self.open = said[1:]
            else:
                self.told, self.counts = said[1:]


def _run_forked(target, arguments, connection):
    """Ends without the parent's exit handlers, which remove its folders."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        target(*arguments, connection)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Run:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(options.seed)
        self.world = World(options)
        self.lives = Lives(self.world, options)
        self.net = network.Network([self.world.clear[1], self.world.tls[1]])
        self.violations = []
        self.counts = collections.Counter()

    def warm_up(self):
        """What is opened once is open before descriptors are counted."""
        for address in self.world.clear, tls.TlsAddress(self.world.tls):
            for target in "/healthz", "/poll?channels=chaos.thin.0&wait=0", "/check":
                with Http(address) as http:
                    http.request("GET", target, {"Connection": "close", "Authorization":
                                                 "Bearer " + self.world.issuer.operator})
        eventually(lambda: self.lives.ask("GET", "/stats").json()["transports"]["http"]["connections"] <= 1)

    def run(self):
        self.lives.begin()
        try:
            self.warm_up()
            self.descriptors = self.lives.count_descriptors()
            self.first_kib = self.lives.gateway.memory_kib()
            self.start_processes()
            self.let_happen()
            self.settle()
            self.look_at_the_gateway()
            self.lives.end("SIGTERM")
        except BaseException:
            self.net.set(loss=0.0, cut=())
            self.lives.gateway.kill()
            raise
        print("chaos: the gateway has ended", flush=True)
        self.judge()
        return self.summarise()

    def start_processes(self):
        seed, clients = self.options.seed, self.options.clients
        shares = [range(n, clients, self.options.processes) for n in range(self.options.processes)]
        self.workers = [Process(run_clients, self.world, share, seed) for share in shares]
        self.publishers = Process(run_publishers, self.world, seed)

    def let_happen(self):
        accidents = self.accidents = Accidents(self.lives, self.net, self.rng, self.options)
        began, said = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < self.options.seconds:
            accidents.due(elapsed)
            for worker in self.workers:
                worker.listen()
            self.lives.measure()
            self._expect_alive()
            if elapsed - said > self.options.seconds / 20:
                said = elapsed
                self._say_progress(elapsed)
            time.sleep(0.2)
        self.net.set(loss=0.0, cut=())

    def _expect_alive(self):
        for process in self.workers + [self.publishers]:
            assert process.process.is_alive(), "a process of the run's own has died"

    def _say_progress(self, elapsed):
        total = sum((collections.Counter(worker.counts) for worker in self.workers), collections.Counter())
        print("chaos: %4d s: %d open, %d messages, %d gaps, %d violations, %d MiB" % (
            elapsed, sum(worker.open for worker in self.workers), total["messages"], total["gaps"],
            total["violations"], self.lives.gateway.memory_kib() // 1024), flush=True)

    def settle(self):
        """No more accidents: all that was published arrives."""
        print("chaos: the accidents are over", flush=True)
        self.publishers.connection.send("stop")
        assert self.publishers.connection.poll(180), "the publishers do not end"
        self.published = self.publishers.connection.recv()
        print("chaos: %d messages are published" % len(self.published["acknowledged"]), flush=True)
        epoch, _, seq = self.lives.ask("GET", "/stats").json()["cursor"].partition("-")
        for worker in self.workers:
            worker.connection.send((epoch, int(seq)))
        deadline = time.monotonic() + 240
        while any(worker.told is None for worker in self.workers):
            for worker in self.workers:
                worker.listen()
            assert time.monotonic() < deadline, "the clients do not end"
            self.lives.measure()
            time.sleep(0.1)

    def look_at_the_gateway(self):
        """Nobody is left, and nothing of them."""
        print("chaos: the clients have ended", flush=True)
        try:  # a kept connection whose reset was lost ends by its own time, 65 s
            eventually(lambda: not any(self.lives.connections().values()), LEFT_S)
        except AssertionError:
            self.violations.append(("left", "connections: %r" % self.lives.connections()))
        try:
            eventually(lambda: self.lives.count_descriptors() <= self.descriptors, LEFT_S)
        except AssertionError:
            self.violations.append(("left", "%d descriptors, at the start %d" % (
                self.lives.count_descriptors(), self.descriptors)))
        self.last_descriptors = self.lives.count_descriptors()
        stats = self.lives.ask("GET", "/stats").json()
        self.pinned = stats["limits"].get("outbox_pinned_bytes", 0)
        if self.pinned:
            self.violations.append(("left", "%d bytes in outboxes" % self.pinned))
        self.last_kib = self.lives.gateway.memory_kib()
        self.judge_memory()

    def judge_memory(self):
        """In KiB: the most, and what is left when all have gone."""
        bound = self.first_kib + 1024 * (HISTORY_MIB + SCATTERED_MIB)
        with open("/proc/%d/maps" % self.lives.gateway.pid) as maps:
            bound += 1024 * QUARANTINE_MIB if "libasan" in maps.read() else 0
        if self.last_kib > bound:
            self.violations.append(("memory", "%d KiB are left, of at most %d" % (self.last_kib, bound)))
        bound += 1024 * OUTBOX_MIB + CLIENT_KIB * self.options.clients
        if self.lives.largest_kib > bound:
            self.violations.append(("memory", "it took %d KiB, of at most %d" % (
                self.lives.largest_kib, bound)))

    def judge(self):
        ledger = self.ledger = Ledger(self.lives.epochs)
        for entry in self.published["acknowledged"]:
            ledger.add(*entry)
        for entry in self.published["uncertain"]:
            ledger.add_uncertain(*entry)
        self.violations += [tuple(entry) for entry in self.published["wrong"]] + ledger.seal()
        self.violations += self.accidents.violations
        for worker in self.workers:
            self.counts.update(worker.counts)
            self.violations += worker.told["violations"]
            for number, hole in worker.told["holes"]:
                self.violations += [(kind, "client %d: %s" % (number, text))
                                    for kind, text in ledger.judge(hole)]
            for channel, n in worker.told["again"]:
                self.violations += ledger.judge_again(channel, n)
        if self.counts["given up"] and not self.net.works:
            self.violations.append(("silent", "%d connections said nothing" % self.counts["given up"]))
        if self.counts["messages"] == 0 or not ledger.published:
            self.violations.append(("nothing", "no message was delivered"))

    def summarise(self):
        counts, published = self.counts, self.published["counts"]
        made = counts["clear connections"], counts["tls connections"]
        print("""chaos: %d clients, %d s, seed %s
connections made     %d (%d clear, %d TLS; %d with permessage-deflate), %d attempts
messages published   %d (%d retries, %d resets before the answer)
messages delivered   %d
gaps told            %d, which excuse %d messages that did not come
resets               %d, leaves %d, stalls %d
restarts             %d by SIGKILL, %d by SIGTERM; reloads %d
network              %s
tokens               %d minted, %d times expired, %d times revoked (%d revocations)
ends                 %s
gateway              %d descriptors at the end, %d at the start; at most %d MiB, %d at the end
violations           %d""" % (
            self.options.clients, self.options.seconds, self.options.seed,
            sum(made), *made, counts["compressed"], counts["attempts"],
            published["published"], published["retries"], published["cuts"],
            counts["messages"], counts["gaps"], self.ledger.excused,
            counts["resets"], counts["leaves"], counts["stalls"],
            *(self.accidents.counts[name] for name in (
                "restarts by SIGKILL", "restarts by SIGTERM", "reloads")),
            "%d times of loss, %d cuts" % (self.accidents.counts["times of loss"],
                                           self.accidents.counts["times of cut"])
            if self.net.works else "nothing was lost: " + (network.missing() or "not asked for"),
            counts["tokens"], counts["expired"], counts["revoked"], self.accidents.counts["revocations"],
            ", ".join("%s %d" % (name.split(": ")[1] if name.startswith("ends") else name, n)
                      for name, n in sorted(counts.items())
                      if name.startswith(("ends", "bye", "refused", "given"))),
            self.last_descriptors, self.descriptors, self.lives.largest_kib // 1024,
            self.last_kib // 1024, len(self.violations)))
        kinds = collections.Counter(kind for kind, _ in self.violations)
        for kind, n in kinds.most_common():
            print("violation %s: %d times" % (kind, n))
        for kind, text in self.violations[:40]:
            print("  %s: %s" % (kind, text[:400]))
        return 1 if self.violations else 0


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rate", type=float, default=30, help="messages published a second")
    parser.add_argument("--restarts", type=int, help="by default one in 70 s, at least two")
    parser.add_argument("--processes", type=int, default=2, help="that the clients share")
    parser.add_argument("--no-loss", action="store_true", help="no network of its own")
    parser.add_argument("--forget", type=int, help="the message of each connection that clients lose, so that "
                        "the run fails")
    parser.add_argument("--gateway", nargs=argparse.REMAINDER, default=[], help="more options of the gateway")
    return parser.parse_args(arguments)


def main(arguments=None):
    import tempfile
    options = parse(arguments)
    if not options.no_loss:
        why = network.missing() if not os.environ.get(network.INSIDE) else None
        if why is None:
            network.enter()
        else:
            print("chaos: no packet is lost: %s" % why)
            if os.environ.get("SLUICE_REQUIRE_TOOLS"):
                return 1
    os.environ["ASAN_OPTIONS"] = "%s:quarantine_size_mb=%d" % (
        os.environ.get("ASAN_OPTIONS", "detect_stack_use_after_return=1"), QUARANTINE_MIB)
    with tempfile.TemporaryDirectory(prefix="sluice-chaos-") as options.folder:
        return Run(options).run()
