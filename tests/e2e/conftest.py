"""Fixtures: gateways that are watched, and channel names nobody else uses."""

import itertools
import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from sluicetest import (  # noqa: E402  (needs the path above)
    PLACES, TRANSPORTS, Gateway, Place, SharedGateway)
from sluicetest import nats as nats_servers  # noqa: E402

pytest.register_assert_rewrite("checks")

# What each transport does.
TRANSPORT_FILES = ("test_transports", "test_resume", "test_kept", "test_publish", "test_last_words",
                   "test_slow_consumer")
# With SLUICE_TLS these say nothing more: they start programs beside the gateway, which have tests of
# their own over TLS, or choose TLS themselves.
NOT_OVER_TLS = ("test_auth_page", "test_bench", "test_obstacle", "test_tls")

_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "shards: what is tested crosses shards")
    config.addinivalue_line("markers", "slow: takes more than five seconds by its nature")
    config.addinivalue_line("markers", "transports: what each transport does; CI runs it over TLS too")


def pytest_collection_modifyitems(config, items):
    for item in items:
        if item.path.stem in TRANSPORT_FILES:
            item.add_marker(pytest.mark.transports)
    if os.environ.get("SLUICE_TLS"):
        left_out = [item for item in items if item.path.stem.startswith(NOT_OVER_TLS)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="module")
def shared_gateway():
    """One gateway with the default options for a whole file."""
    with SharedGateway() as shared:
        yield shared


@pytest.fixture
def gateway(shared_gateway):
    with shared_gateway.use() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def shared_two_sockets(request):
    """One gateway on TCP and a Unix socket for a whole file, whose OPTIONS it takes."""
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        options = getattr(request.module, "OPTIONS", [])
        with SharedGateway("--listen", "127.0.0.1:0", "--listen", "unix:%s/s" % folder,
                           *options) as shared:
            yield shared


@pytest.fixture
def two_sockets(shared_two_sockets):
    with shared_two_sockets.use() as gateway:
        yield gateway


@pytest.fixture(params=PLACES)
def place(request, two_sockets):
    """Both kinds of sockets, fresh and after each kind of request."""
    return Place(two_sockets, request.param)


@pytest.fixture
def start_gateway():
    """Starts gateways with options of the test's own; all end with the test, and must end
    well when the test passed."""
    started = []

    def start(*options, **how):
        started.append(Gateway(*options, **how))
        return started[-1]

    yield start
    failures = []
    for gateway in started:
        try:
            gateway.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, failures[0]


@pytest.fixture(scope="module")
def nats():
    """A NATS server of the file's own."""
    nats_servers.require()
    with nats_servers.run_cluster() as cluster:
        yield cluster


@pytest.fixture
def channel(request):
    return "t%d.%s" % (next(_numbers), request.node.originalname[:60])


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


def pytest_make_parametrize_id(config, val, argname):
    """Keeps the ids of long values short; None leaves it to pytest."""
    if isinstance(val, (str, bytes)) and len(val) > 40:
        return "%s...(%d)" % (repr(val[:16]), len(val))
    return None
