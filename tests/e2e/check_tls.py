#!/usr/bin/env python3
"""Runs the end-to-end tests over https: all with TLS 1.3 and with TLS 1.2, then those of the
transports with each cipher that is offered, fresh and resumed.

    check_tls.py [PYTEST_OPTION...]

SLUICE and SLUICE_BENCH name the programs. The last line is `N profiles passed, N failed`."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from sluicetest.tls import CIPHERS  # noqa: E402  (needs the path above)

# What OpenSSL's clients in Python offer of TLS 1.3; there is no call for it.
CONFIGURATION = """openssl_conf = all
[all]
ssl_conf = parts
[parts]
system_default = clients
[clients]
Ciphersuites = %s
"""


def profiles():
    """(SLUICE_TLS, options of pytest) of each run."""
    for version in "1.3", "1.2":
        yield version, []
        yield version + "/resumed", ["-m", "transports"]
    for version, ciphers in CIPHERS.items():
        for cipher in ciphers:
            for resumed in "", "/resumed":
                yield "%s/%s%s" % (version, cipher, resumed), ["-m", "transports"]


def run(profile, options, folder):
    environment = dict(os.environ, SLUICE_TLS=profile)
    cipher = profile.split("/")[1:2]
    if profile.startswith("1.3/") and cipher != ["resumed"]:
        path = os.path.join(folder, cipher[0] + ".cnf")
        with open(path, "w") as file:
            file.write(CONFIGURATION % cipher[0])
        environment["OPENSSL_CONF"] = path
    print("check-tls: %s" % profile, flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           *options, *sys.argv[1:], HERE], env=environment).returncode == 0


def main():
    with tempfile.TemporaryDirectory(prefix="sluice-tls-") as folder:
        results = [(profile, run(profile, options, folder)) for profile, options in profiles()]
    failed = [profile for profile, passed in results if not passed]
    for profile in failed:
        print("check-tls: %s FAILED" % profile)
    print("%d profiles passed, %d failed" % (len(results) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
