"""POST /check/report: the schema says what is accepted, what is stored is written again from parsed
values, and files, limits and metrics are as the manual says."""

import copy
import json
import math
import os
import re
import signal

import jsonschema
import pytest

from checks import NOBODY, check_error
from sluicetest import GatewayFailed, Http, eventually
from sluicetest.gateway import E2E_FOLDER

DOC = os.path.join(E2E_FOLDER, "..", "..", "doc")
with open(os.path.join(DOC, "check-report.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NAME = re.compile(r"check-\d{8}T\d{6}Z-([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})-\d\d\.json")
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TRANSPORTS = list(SCHEMA["properties"]["transports"]["properties"])
CLASSES = SCHEMA["$defs"]["transport"]["properties"]["class"]["enum"]
JSON = {"Content-Type": "application/json"}


# ---- the code, by doc/check.md ----

def multiply(a, b):
    """In GF(32), by x^5 + x^2 + 1."""
    product = 0
    for bit in range(5):
        product ^= (a << bit) * (b >> bit & 1)
    for bit in range(8, 4, -1):
        product ^= (0b100101 << (bit - 5)) * (product >> bit & 1)
    return product


def check_digit(digits):
    weight, check = 1, 0
    for digit in digits:
        weight = multiply(weight, 2)
        check ^= multiply(weight, digit)
    return check


def encode(report, version=1, times=(7, 8, 9, 0, 15, 3), silence=0):
    bits = "%s%s%s%d%d%s%s" % (
        format(version, "03b"),
        "".join(format(CLASSES.index(report["transports"][name]["class"]), "04b")
                for name in TRANSPORTS),
        format(TRANSPORTS.index(report["choice"]) + 1 if report["choice"] else 0, "03b"),
        report["secure"], report["patient"],
        "".join(format(time, "04b") for time in times), format(silence, "03b"))
    digits = [int(bits[at:at + 5], 2) for at in range(0, 55, 5)]
    text = "".join(DIGITS[digit] for digit in digits + [check_digit(digits)])
    return "-".join((text[:4], text[4:8], text[8:]))


def agrees(report):
    """A report that the schema allows, and its code."""
    digits = [DIGITS.index(character) for character in report["code"].replace("-", "")]
    if check_digit(digits[:-1]) != digits[-1]:
        return False
    bits = "".join(format(digit, "05b") for digit in digits[:-1])
    return bits[:28] == "".join((
        "001", "".join(format(CLASSES.index(report["transports"][name]["class"]), "04b")
                       for name in TRANSPORTS),
        format(TRANSPORTS.index(report["choice"]) + 1 if report["choice"] else 0, "03b"),
        str(int(report["secure"])), str(int(report["patient"]))))


# ---- reports ----

def transport(state="works", class_="works"):
    return {"state": state, "class": class_, "why": "", "connect_ms": 12.1, "first_ms": 20.4,
            "round_trip": {"count": 20, "p50_ms": 40.1, "p90_ms": 44},
            "largest_up": 65536, "largest_down": 65536, "buffered": False, "cached": False,
            "compressed": False, "cut": False, "silence": {"watched_ms": 64000, "cut_ms": 30000}}


def good_report():
    report = {
        "version": 1, "made": "2026-11-27T03:40:00Z", "code": "", "patient": True, "seconds": 6.2,
        "secure": True, "http": "http/1.1", "choice": "websocket", "latency_ms": 41.5,
        "base_ms": 38.2, "verdict": "WebSocket works. \u00e4 \U0001f600", "advice": ["Ask.", "Beg."],
        "proxies": ["Via: 1.1 squid", "X-Forwarded-For"],
        "transports": {"websocket": transport(), "sse": transport("degraded", "buffered"),
                       "stream": transport("dead", "swallowed"), "longpoll": transport(),
                       "poll": transport("degraded", "cached")}}
    report["code"] = encode(report)
    return report


def written(value, schema=SCHEMA):
    """A value of a right report as the gateway writes it."""
    while "$ref" in schema:
        schema = {**SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]],
                  **{name: each for name, each in schema.items() if name != "$ref"}}
    if isinstance(value, dict):
        return {name: written(value[name], each) for name, each in schema["properties"].items()}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        tenths = math.floor(value * 10 + 0.5)
        return tenths // 10 if tenths % 10 == 0 else tenths / 10
    return value


def line(report):
    return json.dumps(written(report), ensure_ascii=False, separators=(",", ":")) + "\n"


def body(report):
    return json.dumps(report).encode()


def post(gateway, report, headers=JSON, target="/check/report"):
    data = report if isinstance(report, bytes) else body(report)
    return gateway.request("POST", target, headers, data)


def accepted(response, report):
    assert response.status == 201, response
    assert response.header("Sluice"), response
    assert response.json() == {"stored": True, "code": report["code"]}, response
    return True


def files(folder):
    """The files of reports, whole ones: a temporary one may be there for a moment."""
    return {name: (folder / name).read_bytes()
            for name in os.listdir(folder) if NAME.fullmatch(name)}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "reports"
    path.mkdir()
    return path


@pytest.fixture
def start(start_gateway, folder):
    return lambda *options: start_gateway("--check-reports", folder, *options)


# ---- the form: hundreds of reports, judged by the schema and by the gateway ----

MISSING = object()
VALUES = [
    MISSING, None, True, False, 0, 1, -1, -0.0, 0.04, 0.05, 1.0, 2, 20.5, 20.0, 41.04999, 41.25, 64,
    64.0, 65, 200, 201, 300, 300.04, 301, 4096, 65536, 599999.96, 600000, 600000.01, 1e300, -1e-9,
    "", "x", "null", "works", "dead", "degraded", "cut", "websocket", "poll", "WORKS", "h2", "H2",
    "http/1.1.2-abcdefgh", "1.1 squid", "Via", "Via: ", "Via: x", "via", "Cookie: secret", "TE",
    "2026-02-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-27T03:40:00Z\n", "2026-11-27T24:00:00Z",
    "\n", "tab\there", "\u007f", "\u009b31m", "\u00a0", "\u2029", "\u202e", "\u2067", "\u061c", "\ufeff",
    "x" * 200, "x" * 201, "x" * 400, "x" * 401, "x" * 600, "x" * 601, "\U0001f600" * 400,
    "x" * 2000, "x" * 2001, [], ["x"], [1], [[]], ["\u0000"], ["x"] * 10, ["x"] * 11, {}, {"count": 1},
    {"count": 1, "p50_ms": 0, "p90_ms": 0}, {"count": 0, "p50_ms": 0, "p90_ms": 0},
    {"count": 1, "p50_ms": 0, "p90_ms": 0, "p99_ms": 0}, {"watched_ms": 1, "cut_ms": None},
    {"watched_ms": None, "cut_ms": None},
]
# Of the five transports, which are alike, each value is tried for one.
ALIKE = {name: i for i, name in enumerate(TRANSPORTS)}


def paths(value, path=()):
    yield path
    for name, each in (value.items() if isinstance(value, dict) else
                       enumerate(value) if isinstance(value, list) else ()):
        yield from paths(each, path + (name,))


def replace(report, path, value):
    report = copy.deepcopy(report)
    here = report
    for name in path[:-1]:
        here = here[name]
    if not path:
        return None if value is MISSING else value
    if value is MISSING:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return report


def mutations():
    """Each value in each place, with the code as it was and as it should be then; and one member
    more in each object."""
    good = good_report()
    for path in paths(good):
        for i, value in enumerate(VALUES):
            if len(path) > 1 and path[0] == "transports" and i % 5 != ALIKE[path[1]]:
                continue
            changed = replace(good, path, value)
            yield changed
            if path and VALIDATOR.is_valid(changed) and not agrees(changed):
                yield {**changed, "code": encode(changed)}
        if isinstance(copy_of(good, path), dict):
            yield replace(good, path, {**copy_of(good, path), "more": 1})
    for name in SCHEMA["properties"]["proxies"]["items"]["anyOf"][1]["enum"]:
        yield {**good, "proxies": [name]}
        yield {**good, "proxies": [name + "x"]}
        yield {**good, "proxies": [name + ": 1.1 squid"]}
    for name in "Via: " + 195 * "x", "Via: " + 196 * "x", "Via: " + 195 * "\U0001f600":
        yield {**good, "proxies": [name]}
    for version in 16 * "h", 17 * "h", "h\n", "/-.a0z9", "\u00e4":
        yield {**good, "http": version}
    for first, last in (0, 0x20), (0x7e, 0xa0), (0x2029, 0x202f), (0x2065, 0x206a):
        for number in range(first, last + 1):
            yield {**good, "verdict": "a%cb" % number}
    for class_ in CLASSES:
        changed = replace(good, ("transports", "poll", "class"), class_)
        yield {**changed, "code": encode(changed)}
    for at in range(14):
        yield {**good, "code": good["code"][:at] + "0" + good["code"][at + 1:]}
    yield {**good, "code": encode(good, version=2)}
    yield {**good, "code": encode(good, times=(0, 0, 0, 0, 0, 0), silence=7)}


def copy_of(report, path):
    for name in path:
        report = report[name]
    return report


def expected_status(report, data):
    if len(data) > 16384:
        return 413
    return 201 if VALIDATOR.is_valid(report) and agrees(report) else 400


def hand_in(http, data):
    """Until the gateway has room for it: its main thread may be slow."""
    def answer():
        response = http.request("POST", "/check/report", JSON, data)
        return None if response.status == 429 and b'"busy"' in response.body else response
    return eventually(answer)


def test_the_gateway_and_the_schema_agree(start_gateway, folder, tmp_path):
    """A Unix socket has no address that could be limited."""
    path = str(tmp_path / "socket")
    gateway = start_gateway("--check-reports", folder, "--listen", "unix:" + path,
                            "--listen", "127.0.0.1:0")
    seen, kept = {201: 0, 400: 0}, []
    http = Http(path)
    for report in mutations():
        data = body(report)
        status = expected_status(report, data)
        response = hand_in(http, data)
        assert response.status == status, (report, response)
        seen[status] = seen.get(status, 0) + 1
        if status == 201:
            accepted(response, report)
            kept.append(line(report))
        else:
            check_error(response, status, "bad_report" if status == 400 else "too_large")
        if response.header("Connection") == "close":
            http.close()
            http = Http(path)
    http.close()
    assert seen[201] >= 200 and seen[400] >= 1000, seen
    assert len(kept) <= 1000, "the oldest files are gone"
    eventually(lambda: len(files(folder)) == len(kept))
    assert sorted(each.decode() for each in files(folder).values()) == sorted(kept)
    for name, text in files(folder).items():
        stored = json.loads(text)
        VALIDATOR.validate(stored)
        assert stored["code"] == NAME.fullmatch(name).group(1)


@pytest.mark.parametrize("change", [
    lambda text: text[:-1], lambda text: text + "x", lambda text: text.replace('"http":', '"http" '),
    lambda text: text.replace('"patient": true', '"patient": true, "patient": true'),
    lambda text: text.replace('"cached": false', '"cached": false, "cached": false', 1),
    lambda text: text.replace("6.2", "06.2"), lambda text: text.replace("6.2", "NaN"),
    lambda text: text.replace("6.2", "1e999"), lambda text: text.replace("6.2", "9" * 40),
    lambda text: text.replace("Ask.", "\\ud800"), lambda text: text.replace("Ask.", "\\u0000"),
    lambda text: text.replace("Ask.", "\n"), lambda text: "[" * 8000 + "]" * 8000, lambda text: "",
    lambda text: "{}", lambda text: "null", lambda text: "\ufeff" + text])
def test_what_is_not_such_json_is_refused(start, folder, change):
    gateway = start()
    error = check_error(post(gateway, change(body(good_report()).decode()).encode()), 400,
                        "bad_report")
    assert "patient" not in error["message"] or "no other" in error["message"]
    assert not files(folder)


@pytest.mark.parametrize("bytes_", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0"])
def test_what_is_not_utf8_is_refused(start, folder, bytes_):
    gateway = start()
    check_error(post(gateway, body(good_report()).replace(b"Ask.", bytes_)), 400, "bad_report")
    assert not files(folder)


def test_a_refusal_names_the_member_and_what_is_right(start):
    gateway = start()
    report = good_report()
    report["transports"]["sse"]["round_trip"]["p50_ms"] = "fast"
    error = check_error(post(gateway, report), 400, "bad_report")
    assert error["message"] == ("transports.sse.round_trip.p50_ms: must be a number from 0 to "
                                "600000")
    report = {**good_report(), "secret": "<script>"}
    error = check_error(post(gateway, report), 400, "bad_report")
    assert "secret" not in error["message"] and "script" not in error["message"]


# ---- what is stored ----

def test_nothing_of_the_client_is_stored_but_its_report(start, folder):
    gateway = start()
    report = good_report()
    report["proxies"] = ["Via: 1.1 10.1.2.3:3128 (squid), 1.1 [2001:db8::7]", "X-Forwarded-For"]
    headers = {**JSON, "Cookie": "secret=1", "User-Agent": "secret-agent", "Via": "1.0 secret",
               "X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer secret"}
    accepted(post(gateway, report, headers, "/check/report?secret=1"), report)
    eventually(lambda: files(folder))
    (name, text), = files(folder).items()
    stored = json.loads(text)
    assert stored["proxies"] == ["Via: 1.1 - (squid), 1.1 -", "X-Forwarded-For"]
    for secret in (b"secret", b"203.0.113.9", b"10.1.2.3", b"2001:db8", b"127.0.0.1"):
        assert secret not in text and secret not in name.encode()
    assert b"secret" not in gateway.stderr() and b"203.0" not in gateway.stderr()
    assert os.stat(folder / name).st_mode & 0o777 == 0o640 & ~umask()
    assert os.listdir(folder) == [name]


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_was_accepted_is_there_after_the_gateway_ended(start, folder):
    gateway = start()
    report = good_report()
    accepted(post(gateway, report), report)
    gateway.stop()
    assert [text.decode() for text in files(folder).values()] == [line(report)]


def test_old_files_go_and_those_of_others_stay(start, folder):
    old = "check-20200101T000000Z-41K0-GSVG-130P-00.json"
    others = {"check-20200101T000000Z-41K0-GSVG-130P-00.json~", "notes.txt",
              "check-20200101T000000Z-41k0-gsvg-130p-00.json"}
    for name in others | {old}:
        (folder / name).write_text("{}")
    gateway = start()
    eventually(lambda: not (folder / old).exists())
    assert set(os.listdir(folder)) == others
    eventually(lambda: gateway.metric("sluice_check_report_files_removed_total") == 1)
    assert gateway.metric("sluice_check_report_files") == 0


def test_no_more_than_a_thousand_files_are_kept(start, folder):
    for i in range(1005):
        (folder / ("check-20990101T%02d%02d00Z-41K0-GSVG-130P-00.json" % (i // 60, i % 60))
         ).write_text("{}")
    gateway = start()
    eventually(lambda: gateway.metric("sluice_check_report_files") == 1000)
    assert len(files(folder)) == 1000
    assert not (folder / "check-20990101T000400Z-41K0-GSVG-130P-00.json").exists()
    assert (folder / "check-20990101T000500Z-41K0-GSVG-130P-00.json").exists()


def test_a_report_that_cannot_be_written_is_kept_and_written_later(start, folder, tmp_path):
    gateway = start()
    report = good_report()
    folder.rename(tmp_path / "away")
    accepted(post(gateway, report), report)
    eventually(lambda: gateway.metric("sluice_check_report_writes_failed_total") >= 1)
    assert b"check.report_not_written" in gateway.stderr()
    assert not files(tmp_path / "away")
    (tmp_path / "away").rename(folder)
    accepted(post(gateway, report), report)
    eventually(lambda: len(files(folder)) == 2)


def test_reports_that_are_lost_at_the_end_are_told_of(start, folder):
    gateway = start()
    report = good_report()
    folder.rmdir()
    accepted(post(gateway, report), report)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    assert b"check.reports_lost count=1" in gateway.stderr()


def test_when_no_more_can_wait_the_gateway_is_busy(start_gateway, folder, tmp_path):
    path = str(tmp_path / "socket")
    gateway = start_gateway("--check-reports", folder, "--listen", "unix:" + path,
                            "--listen", "127.0.0.1:0")
    data = body(good_report())
    folder.rename(tmp_path / "away")
    with Http(path) as http:
        for _ in range(64):
            assert http.request("POST", "/check/report", JSON, data).status == 201
        response = http.request("POST", "/check/report", JSON, data)
    check_error(response, 429, "busy")
    assert int(response.header("Retry-After")) == 10
    assert gateway_metric(path, 'sluice_check_reports_total{result="busy"}') == 1
    (tmp_path / "away").rename(folder)
    gateway.signal(signal.SIGUSR1)  # as the gateway wakes itself
    eventually(lambda: len(files(folder)) == 64)


def gateway_metric(path, sample):
    with Http(path) as http:
        text = http.request("GET", "/metrics").body.decode()
    return float(re.search("^" + re.escape(sample) + r" (\S+)$", text, re.M).group(1))


# ---- who may send one, and how many ----

def post_from(gateway, source, report):
    with gateway.connect(source=source) as http:
        return http.request("POST", "/check/report", JSON, body(report))


def test_an_address_may_send_five_within_an_hour(start, folder):
    gateway = start()
    report = good_report()
    check_error(post_from(gateway, "127.0.0.5", {}), 400, "bad_report")  # does not count
    for _ in range(5):
        accepted(post_from(gateway, "127.0.0.5", report), report)
    response = post_from(gateway, "127.0.0.5", report)
    check_error(response, 429, "too_many_reports")
    assert 3000 < int(response.header("Retry-After")) <= 3600
    accepted(post_from(gateway, "127.0.0.6", report), report)
    eventually(lambda: len(files(folder)) == 6)
    assert gateway.metric("sluice_check_reports_total", result="accepted") == 6
    assert gateway.metric("sluice_check_reports_total", result="bad") == 1
    assert gateway.metric("sluice_check_reports_total", result="limited") == 1
    eventually(lambda: gateway.metric("sluice_check_report_files") == 6)


def test_clients_of_a_trusted_proxy_have_limits_of_their_own(start):
    gateway = start("--trust-proxy", "127.0.0.1")
    report = good_report()

    def hand_in_for(client):
        return post(gateway, report, {**JSON, "X-Forwarded-For": client})

    for _ in range(5):
        accepted(hand_in_for("203.0.113.1"), report)
    check_error(hand_in_for("203.0.113.1"), 429, "too_many_reports")
    accepted(hand_in_for("203.0.113.2"), report)


def test_the_limit_holds_over_shards(start):
    gateway = start("--shards", "4")
    report = good_report()
    for _ in range(5):
        accepted(post(gateway, report), report)
    for _ in range(8):
        check_error(post(gateway, report), 429, "too_many_reports")


def test_a_page_of_another_origin_sends_none(start, folder):
    gateway = start()
    response = post(gateway, good_report(), {**JSON, "Origin": NOBODY})
    check_error(response, 403, "bad_origin")
    assert not files(folder)


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded",
                                  "application/jsonp", "multipart/form-data; boundary=x"])
def test_a_report_is_application_json(start, kind):
    """So that another site's form cannot send one."""
    gateway = start()
    check_error(post(gateway, good_report(), {"Content-Type": kind}), 415, "bad_content_type")


def test_parameters_of_the_content_type_do_not_matter(start):
    gateway = start()
    report = good_report()
    accepted(post(gateway, report, {"Content-Type": "application/json; charset=utf-8"}), report)


def test_a_report_of_more_than_16_kib_is_refused(start, folder):
    gateway = start("--max-message", "1M")
    report = good_report()
    whole = body(report).ljust(16384)
    accepted(post(gateway, whole), report)
    check_error(post(gateway, whole + b" "), 413, "too_large")
    with gateway.connect() as http:
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(whole) + 1, whole + b" ")
        http.send_request("POST", "/check/report", {**JSON, "Transfer-Encoding": "chunked"})
        http.send(chunked)
        check_error(http.read_response("POST"), 413, "too_large")
    eventually(lambda: len(files(folder)) == 1)


def test_a_small_max_message_does_not_limit_reports(start):
    gateway = start("--max-message", "100")
    report = good_report()
    accepted(post(gateway, report), report)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_post_is_there(start, method):
    response = start().request(method, "/check/report")
    assert response.status == 405 and response.header("Allow") == "POST, OPTIONS"


# ---- the option ----

def test_without_the_option_no_report_is_taken(start_gateway):
    check_error(post(start_gateway(), good_report()), 404, "not_found")


def test_without_the_check_page_no_report_is_taken(start, folder):
    check_error(post(start("--no-check"), good_report()), 404, "not_found")


def test_below_a_base_path(start, folder):
    report = good_report()
    accepted(post(start("--base-path", "/push/"), report, target="/push/check/report"), report)


@pytest.mark.parametrize("kind, error", [("missing", "No such file or directory"),
                                         ("file", "Not a directory")])
def test_a_folder_that_cannot_be_used_is_told_of_at_start(start_gateway, tmp_path, kind, error):
    path = tmp_path / kind
    if kind == "file":
        path.write_text("")
    with pytest.raises(GatewayFailed) as failed:
        start_gateway("--check-reports", path)
    assert failed.value.status == 1
    assert 'check.bad_folder folder="%s" error="%s"' % (path, error) in failed.value.stderr


def test_verdicts_are_counted(start):
    gateway = start()
    report = good_report()
    accepted(post(gateway, report), report)
    accepted(post(gateway, report), report)
    check_error(post(gateway, {}), 400)
    for name, verdict in report["transports"].items():
        for state in ("works", "degraded", "dead"):
            assert gateway.metric("sluice_check_verdicts_total", transport=name, state=state) == \
                2 * (state == verdict["state"])
    assert gateway.stats()["transports"]["stream"]["verdicts"] == \
        {"works": 0, "degraded": 0, "dead": 2}


def test_a_reload_does_not_disturb_the_store(start, folder):
    gateway = start()
    report = good_report()
    gateway.signal(signal.SIGHUP)
    eventually(lambda: b"reload.done" in gateway.stderr())
    accepted(post(gateway, report), report)
    eventually(lambda: files(folder))


def test_the_schema_lists_the_fields_that_probe_head_shows(start_gateway):
    """The names of both, each way: a field that is shown has a value."""
    gateway = start_gateway()
    enum = SCHEMA["properties"]["proxies"]["items"]["anyOf"][1]["enum"]
    with open(os.path.join(DOC, "..", "gateway", "http", "head_echo.c")) as source:
        shown = re.search(r"shown\[\] = \{(.*?)\};", source.read(), re.S).group(1)
    assert re.findall(r'"([^"]+)"', shown) == enum
    echoed = gateway.get("/probe/head", {"X-Real-IP": "a", "X-Secret": "b"}).json()["headers"]
    assert ["X-Real-IP", "a"] in echoed and ["X-Secret", None] in echoed
