"""What the server lets in, and how it ends."""

from __future__ import annotations

import signal
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from rfsim.explorer import server
from tests.commands import run
from tests.explorer.browser.conftest import serving


def bare(url: str) -> str:
    return url.partition("?")[0]


def status(url: str, body: bytes | None = None) -> tuple[int, str]:
    """HTTP status of a GET, or of a POST of `body`, and the address it ends at."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as got:
            return got.status, got.url
    except urllib.error.HTTPError as error:
        return error.code, url


def test_listens_on_the_loopback_address_alone(served):
    assert urllib.parse.urlsplit(served.url).hostname == "127.0.0.1"
    ports = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    port = urllib.parse.urlsplit(served.url).port
    assert f"0100007F:{port:04X}" in ports
    assert f"00000000:{port:04X}" not in ports


def test_nothing_is_shown_without_the_token(served):
    assert "/auth/login" in status(bare(served.url))[1]
    assert status(bare(served.url) + "api/status")[0] == 401
    assert "/auth/login" in status(bare(served.url) + "?access_token=guessed")[1]


@pytest.mark.parametrize("place", ["run", "scratchpad/run", "instantiate", "delete", "save", "rename"])
def test_no_code_is_taken_from_the_page(opened, served, place):
    driver = opened(1440)
    body = {"cellIds": ["x"], "codes": ["open('ran', 'w')"], "code": "open('ran', 'w')"}
    got = driver.page.request.post(f"{bare(served.url)}api/kernel/{place}", data=body)
    assert got.status in (401, 403, 404, 405), got.status


def test_the_page_holds_no_code(opened, served):
    driver = opened(1440)
    text = driver.page.request.get(bare(served.url)).text()
    assert "Explorer()" not in text
    assert "rfsim.explorer" not in text


def test_ctrl_c_ends_it_with_a_page_open(browser, cache):
    with serving(cache) as served:
        context = browser.new_context()
        page = context.new_page()
        page.goto(served.url)
        page.locator(".rfsim[aria-busy='false']").wait_for(timeout=60_000)
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(20) == 130
        context.close()


def test_a_port_in_use_is_one_line(capsys, served):
    port = urllib.parse.urlsplit(served.url).port
    code, out, err = run(capsys, "explore", "--port", str(port), "--no-browser")
    assert (code, out) == (2, "")
    assert f"cannot listen at 127.0.0.1 port {port}" in err
    assert err.count("\n") == 1


def test_no_token_is_for_this_machine_alone(capsys):
    code, out, err = run(capsys, "explore", "--host", "0.0.0.0", "--no-token", "--no-browser")
    assert (code, out) == (2, "")
    assert "--no-token is for addresses of this machine alone" in err


def test_loopback_addresses():
    assert all(map(server.is_loopback, ("127.0.0.1", "127.8.0.1", "::1", "localhost")))
    assert not any(map(server.is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))
