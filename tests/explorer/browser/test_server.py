"""What the server lets in, and how it ends."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from rfsim.explorer import server
from tests.commands import run
from tests.explorer.browser.conftest import CHROMIUM, serving
from tests.explorer.browser.driver import Driver


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
    assert status(bare(served.url) + "api/status")[0] == 404
    assert status(bare(served.url) + "api/kernel/set_model_value", b"{}")[0] == 403
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


@pytest.fixture(scope="module")
def open_to_all(cache):
    """An explorer without a token: nothing but its gate stands before it."""
    with serving(cache, "--no-token") as found:
        yield found


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return 1024 * int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


@pytest.mark.parametrize("path", ["/auth/login", "/api/kernel/set_model_value"])
def test_bodies_of_strangers_are_not_kept(served, path):
    place = urllib.parse.urlsplit(served.url).netloc
    before = resident(served.process.pid)
    with contextlib.closing(http.client.HTTPConnection(place, timeout=60)) as told:
        told.putrequest("POST", path)
        told.putheader("Content-Length", str(200 * 2**20))
        told.endheaders(b"x" * 1024)
        with told.getresponse() as got:
            assert got.status == 413
    with contextlib.closing(http.client.HTTPConnection(place, timeout=60)) as streamed:
        streamed.putrequest("POST", path)
        streamed.putheader("Transfer-Encoding", "chunked")
        streamed.endheaders()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):  # closed on us long before
            for _ in range(200):
                streamed.send(b"100000\r\n" + b"x" * 2**20 + b"\r\n")
    assert resident(served.process.pid) - before < 100 * 2**20


# what a page of somebody else's tries, on a site of its own and under its own name for this address
ATTACK = """async target => {
    const tried = {};
    const json = {method: 'POST', body: '{}', headers: {'Marimo-Session-Id': 's_000000'}};
    for (const [name, path, how] of [['read', '', {}], ['write', 'api/kernel/set_model_value', json],
                                      ['form', 'auth/login', {method: 'POST', body: 'password=1'}]])
        tried[name] = await fetch(target + path, how).then(got => got.status, () => 'unreadable');
    tried.socket = await new Promise(resolve => {
        const socket = new WebSocket(target.replace('http', 'ws') + 'ws?session_id=s_000000');
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
    });
    return tried;
}"""


@pytest.mark.parametrize("token", [False, True])
def test_a_foreign_page_in_the_same_browser_reaches_nothing(browser, open_to_all, served, token):
    found = served if token else open_to_all
    context = browser.new_context()
    try:
        own = Driver(context.new_page())
        own.open(found.url)  # a reader is logged in, with all cookies
        foreign = context.new_page()
        foreign.route(
            "http://evil.example/", lambda route: route.fulfill(body="<h1>a page</h1>", content_type="text/html")
        )
        foreign.goto("http://evil.example/")
        assert foreign.evaluate(ATTACK, bare(found.url)) == {
            "read": "unreadable", "write": "unreadable", "form": "unreadable", "socket": "refused",
        }  # fmt: skip
        foreign.set_content(f"<iframe src='{bare(found.url)}'></iframe>")
        foreign.wait_for_timeout(500)
        assert "rfsim" not in "".join(one.content() for one in foreign.frames)
        own.type("train_time", "100")
        own.check()
    finally:
        context.close()


def test_a_foreign_name_for_this_address_reaches_nothing(browser, open_to_all):
    port = urllib.parse.urlsplit(open_to_all.url).port
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=arguments)
    try:
        page = other.new_page()
        assert page.goto(f"http://evil.example:{port}/").status == 421
        tried = page.evaluate(ATTACK, f"http://evil.example:{port}/")
    finally:
        other.close()
    assert tried == {"read": 421, "write": 421, "form": 421, "socket": "refused"}


def test_a_second_client_with_the_token_takes_over_no_session(browser, served):
    sockets = []
    first, second = browser.new_context(), browser.new_context()
    try:
        page = first.new_page()
        page.on("websocket", lambda opened: sockets.append(opened))
        own = Driver(page)
        own.open(served.url)
        session = urllib.parse.parse_qs(urllib.parse.urlsplit(sockets[-1].url).query)["session_id"][0]
        other = Driver(second.new_page())
        other.open(served.url)
        asked = {"modelId": "x", "message": {"method": "update", "state": {}, "bufferPaths": []}, "buffers": []}
        got = other.page.request.post(
            f"{bare(served.url)}api/kernel/set_model_value", data=asked, headers={"Marimo-Session-Id": session}
        )
        assert got.status >= 400
        opened = other.page.evaluate(
            "url => new Promise(done => { const s = new WebSocket(url); s.onopen = () => done('open'); })",
            sockets[-1].url,
        )
        assert opened == "open"  # a session of its own
        other.page.wait_for_timeout(500)
        assert not sockets[-1].is_closed()
        assert own.type("train_time", "100") > 0
        own.check()
    finally:
        first.close()
        second.close()


def test_no_path_of_the_disk_is_sent(browser, served):
    told = []
    context = browser.new_context()
    try:
        page = context.new_page()
        page.on("websocket", lambda opened: opened.on("framereceived", lambda frame: told.append(str(frame))))
        page.on("response", lambda got: got.request.resource_type != "font" and got.status == 200 and told.append(got))
        driver = Driver(page)
        driver.open(served.url)
        texts = [one if isinstance(one, str) else one.body().decode("latin-1") for one in told]
        assert len(texts) > 10
        for place in (server.PAGE.parent, server.PAGE.parents[2], Path.home(), Path.cwd()):
            for form in (str(place), place.as_uri(), urllib.parse.quote(str(place), safe="")):
                assert not [text[:80] for text in texts if len(form) > 6 and form in text], form
    finally:
        context.close()
