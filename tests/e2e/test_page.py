"""The page and the files beside it."""

import pytest

from checks import check_error
from sluicetest import Http


def test_root_serves_html(gateway):
    response = gateway.get("/")
    assert response.status == 200 and response.header("Sluice")
    assert response.header("Content-Type").startswith("text/html")
    assert b"<html" in response.body.lower()
    # The lanes themselves are made by its script: tests/browser looks at them.
    assert b"<title>Sluice" in response.body and b"demo/page.js" in response.body


@pytest.mark.parametrize("path", ["/client/nothing.js", "/demo/nothing.html", "/client/", "/demo/x/y"])
def test_missing_files_are_404(gateway, path):
    response = gateway.get(path)
    if path.endswith("/") and response.status == 200:
        assert response.header("Content-Type").startswith("text/html")
        return
    check_error(response, 404)


@pytest.mark.parametrize("path", [
    "/client/../../etc/passwd", "/client/..%2f..%2fetc/passwd", "/client/%2e%2e/%2e%2e/etc/passwd",
    "/demo/../../../../../../etc/passwd", "/client//etc/passwd", "/client/....//etc/passwd",
    "/client/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/../etc/passwd", "/client/..\\..\\etc\\passwd",
    "/client/.", "/client/..", "/client/./x", "/demo/%00", "/client/index.js%00.html"])
def test_paths_out_of_the_folder_are_refused(gateway, path):
    response = gateway.get(path)
    assert response.status in (400, 403, 404), response
    assert b"root:" not in response.body
    assert response.header("Sluice")


def test_head_of_the_page_has_no_body(gateway):
    with Http(gateway.address) as http:
        http.send_request("HEAD", "/")
        response = http.read_response("HEAD")
        assert response.status == 200
        assert http.request("GET", "/healthz").status == 200


def test_etag_if_any_gives_304(gateway):
    response = gateway.get("/")
    tag = response.header("ETag")
    if tag is None:
        pytest.skip("no ETag offered")
    again = gateway.get("/", {"If-None-Match": tag})
    assert again.status == 304 and again.body == b""
    assert gateway.get("/", {"If-None-Match": '"other"'}).status == 200
