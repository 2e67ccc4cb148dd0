"""Who reaches the page, by name, origin, path and length; whose sessions are whose; what the answers tell."""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest

from rfsim.explorer import gate, server
from rfsim.explorer.gate import SESSION, WRITTEN, Gate
from rfsim.explorer.hosts import Hosts, place, served
from rfsim.explorer.replies import nameless

PORT = 8123
HERE = f"127.0.0.1:{PORT}"
PAGE = Path("/home/somebody's & <own>/naïve folder/rfsim/explorer/page.py")
SECRET = "a" * 43
COOKIE = {"cookie": f"rfsim_{PORT}={SECRET}"}
STRANGERS = (
    "evil.example", "evil.example:8123", "127.0.0.1:8124", "127.0.0.1", "localhost.evil.example:8123", "", "[::1]:8124",
    "evil@127.0.0.1:8123", "127.0.0.1:8123.evil.example", "10.0.0.7:8123", "localhost :8123",
)  # fmt: skip
FOREIGNERS = (
    "http://evil.example", "http://127.0.0.1:8124", "null", "file://", "", "http://localhost:8123",
    "http://127.0.0.1:8123/", "http://127.0.0.1:8123 http://evil.example",
)  # fmt: skip


class Heard:
    """Stands in marimo's place: answers everything, and keeps what reached it."""

    def __init__(self, body: bytes = b"", kind: bytes = b"text/plain") -> None:
        self.scopes, self.bodies, self.body, self.kind = [], [], body, kind

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        self.bodies.append((await receive()).get("body", b""))
        headers = [(b"content-type", self.kind), (b"access-control-allow-origin", b"*")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        middle = len(self.body) // 2  # in two parts, which cut a path
        await send({"type": "http.response.body", "body": self.body[:middle], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[middle:]})


class Answer:
    def __init__(self, messages):
        self.messages = messages
        self.status = messages[0].get("status")
        self.headers = {key.decode(): value.decode() for key, value in messages[0].get("headers", [])}
        self.body = b"".join(one.get("body", b"") for one in messages[1:])


def ask(app, path="/", method="GET", *, host=HERE, query="", parts=(b"",), hosts=None, page=PAGE, **more) -> Answer:
    """Ask the gate before `app`; method WS opens a WebSocket. more: headers, _ for -."""
    hosts = hosts or Hosts(frozenset(("localhost", "127.0.0.1", "::1")), PORT, False, ())
    headers = [(b"host", host.encode())] if host is not None else []
    headers += [(name.replace("_", "-").encode(), text.encode()) for name, text in more.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    if method == "WS":
        scope = {key: value for key, value in scope.items() if key != "method"} | {"type": "websocket"}
    sent, waiting = [], list(parts)

    async def receive():
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    asyncio.run(Gate(app, hosts, page)(scope, receive, send))
    return Answer(sent)


def requests():
    """One request of each kind that the page makes."""
    return [
        {"path": "/"},
        {"path": "/assets/index.js"},
        {"path": "/health"},
        *({"path": path, "method": "POST"} for path in WRITTEN),
        {"path": "/ws", "method": "WS", "query": "session_id=s_1"},
    ]


@pytest.mark.parametrize("request_", requests(), ids=str)
def test_every_request_of_the_page_itself_is_let_through(request_):
    app = Heard()
    for name in ("localhost", "127.0.0.1", "[::1]", "LOCALHOST"):
        place_ = f"{name}:{PORT}"
        ask(app, **request_, **COOKIE, host=place_, origin=f"http://{place_}", sec_fetch_site="same-origin")
    ask(app, **request_, **COOKIE)
    assert len(app.scopes) == 5


@pytest.mark.parametrize("request_", requests(), ids=str)
def test_no_other_name_and_no_other_origin_reaches_anything(request_):
    app = Heard()
    answers = [ask(app, **request_, **COOKIE, host=host) for host in (*STRANGERS, None)]
    answers += [ask(app, **request_, **COOKIE, origin=one) for one in FOREIGNERS]
    answers += [ask(app, **request_, **COOKIE, sec_fetch_site=site) for site in ("cross-site", "same-site")]
    assert app.scopes == []
    if request_.get("method") == "WS":
        assert {one.messages[0]["type"] for one in answers} == {"websocket.close"}
    else:
        assert {one.status for one in answers} == {403, 421}
        assert not any("access-control" in name for one in answers for name in one.headers)
        assert not any(b"evil" in one.body for one in answers)


def test_a_link_on_another_page_opens_it_and_a_frame_does_not():
    asked = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert ask(Heard(), **asked, sec_fetch_dest="document").status == 200
    assert ask(Heard(), **asked, sec_fetch_dest="iframe").status == 403
    assert ask(Heard()).headers["x-frame-options"] == "DENY"


def test_preflights_and_what_the_page_never_asks_for_are_not_there():
    app = Heard()
    found = [
        *(ask(app, "/", method) for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE")),
        *(ask(app, "/api/kernel/set_model_value", method, **COOKIE) for method in ("GET", "OPTIONS")),
        *(ask(app, path, method, **COOKIE) for method in ("GET", "POST") for path in (
            "/api/kernel/run", "/api/status", "/api/export/html", "/api/files/list_files", "/public/page.py", "/sse",
            "/api/kernel/read_code", "//", "/auth/token", "/terminal/ws", "/og/thumbnail", "/api/home/workspace_files",
        )),
    ]  # fmt: skip
    assert {one.status for one in found} == {404}
    assert [ask(app, path, "WS", **COOKIE).messages[0]["type"] for path in ("/ws_sync", "/terminal/ws", "/")] == [
        "websocket.close"
    ] * 3
    assert app.scopes == []


@pytest.mark.parametrize("path", WRITTEN)
def test_bodies_are_bounded_whether_or_not_they_say_their_length(path):
    most = WRITTEN[path]
    app = Heard()
    assert ask(app, path, "POST", **COOKIE, parts=[b"x" * (most - 1), b"x"]).status == 200
    assert app.bodies == [b"x" * most]
    told = [ask(app, path, "POST", **COOKIE, content_length=n) for n in (str(most + 1), str(10**30), "-1", "1e3")]
    endless = [b"x" * 1024] * (most // 1024 + 2)
    assert {one.status for one in (*told, ask(app, path, "POST", **COOKIE, parts=endless))} == {413}
    assert len(app.bodies) == 1


def own(app) -> tuple[str, str]:
    """The session's id as marimo would see it: of a WebSocket and of what is written to it."""
    (opened, written) = app.scopes[-2:]
    return parse_qs(opened["query_string"].decode())["session_id"][0], dict(written["headers"])[SESSION].decode()


def test_a_session_belongs_to_the_browser_that_opened_it():
    app = Heard()

    def use(secret: str, session: str) -> tuple[str, str]:
        cookie = {"cookie": f"other=1; rfsim_{PORT}={secret}"}
        ask(app, "/ws", "WS", query=f"session_id={session}&file=/etc/passwd&kiosk=true", **cookie)
        ask(app, "/api/kernel/set_model_value", "POST", marimo_session_id=session, x_notebook_id="/etc/passwd",
            marimo_stable_session_id="1", **cookie)  # fmt: skip
        return own(app)

    mine = use(SECRET, "s_mine12")
    assert mine[0] == mine[1]
    assert use(SECRET, "s_mine12") == mine  # again after a lost connection
    theirs = use("b" * 43, "s_mine12")
    assert theirs[0] == theirs[1] != mine[0]
    assert use(SECRET, "s_other1")[0] != mine[0]
    assert all(b"passwd" not in str(scope).encode() and "stable" not in str(scope) for scope in app.scopes)


def test_without_the_pages_cookie_there_is_no_session():
    app = Heard()
    for cookie in (
        {},
        {"cookie": f"rfsim_{PORT}="},
        {"cookie": "rfsim_9=" + SECRET},
        {"cookie": f"rfsim_{PORT}=short"},
    ):
        assert ask(app, "/ws", "WS", query="session_id=s", **cookie).messages[0]["type"] == "websocket.close"
        assert ask(app, "/api/kernel/set_model_value", "POST", marimo_session_id="s", **cookie).status == 403
    assert app.scopes == []
    given = [ask(Heard()).headers["set-cookie"] for _ in range(2)]
    assert len(set(given)) == 2
    assert all(re.fullmatch(rf"rfsim_{PORT}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Lax", one) for one in given)
    assert "set-cookie" not in ask(Heard(), **COOKIE).headers


@pytest.mark.parametrize(
    "write", [str, lambda path: json.dumps(path)[1:-1], html.escape, lambda path: quote(path, safe=""), quote]
)
def test_no_path_of_the_disk_is_told_however_it_is_written(write):
    roots = [parent.as_uri() for parent in PAGE.parents]
    text = json.dumps({"a": 1, "size": 3}) + "".join(
        f'<p title="{write(str(one))}">{write(str(one))}</p>' for one in (PAGE, PAGE.parent)
    )
    app = Heard((text + " ".join(f'"{root}"' for root in roots)).encode(), b"text/html; charset=utf-8")
    got = ask(app)
    assert int(got.headers["content-length"]) == len(got.body)
    told = got.body.decode()
    assert not any(part in told for part in ("home", "somebody", "folder", "explorer"))
    assert told.count("page.py") == 2
    assert '{"a": 1, "size": 3}' in told
    assert nameless("nothing", PAGE) == "nothing"


def test_answers_are_for_no_other_page():
    headers = ask(Heard()).headers
    assert not any(name.startswith("access-control") for name in headers)
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"


def bound(address: str) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listening.bind((address, 0))
    return listening


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0"])
def test_the_names_of_an_address(host):
    with bound(host) as listening:
        port = listening.getsockname()[1]
        hosts = served(host, listening, ["slides.example", "proxy.example:9000"])

        def held(text: str) -> bool:
            asked = place(text)
            return asked is not None and hosts.hold(asked)

        assert all(held(f"{name}:{port}") for name in ("localhost", "127.0.0.1", "[::1]", host))
        assert held(f"10.1.2.3:{port}") == held(f"{socket.gethostname()}:{port}") == (host == "0.0.0.0")
        assert not any(held(text) for text in (f"evil.example:{port}", f"127.0.0.1:{port + 1}", "127.0.0.1"))
        assert all(map(held, ("slides.example", "slides.example:7", "proxy.example:9000")))
        assert not any(map(held, ("proxy.example", "proxy.example:7")))


def test_behind_a_proxy_of_https_the_origin_is_the_host():
    hosts = Hosts(frozenset(), PORT, False, (("slides.example", None),))
    assert ask(Heard(), hosts=hosts, host="slides.example", origin="https://slides.example").status == 200
    assert ask(Heard(), hosts=hosts, host="slides.example", origin="https://evil.example").status == 403


@pytest.mark.parametrize("text", ["", "a b", "a@b", "*", "http://a", "a:b", "a/", "x" * 300])
def test_a_further_name_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="--allowed-host must be a name"):
        server.listen("127.0.0.1", 0, "token", [text])


@pytest.mark.parametrize("host", ["", " ", "\t"])
def test_an_empty_host_is_not_every_address(host):
    with pytest.raises(ValueError, match="--host must be an address or a name"):
        server.listen(host, 0, "token")


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "::", "0.0"])
def test_without_a_token_only_this_machine_is_served_however_the_address_is_written(host):
    with pytest.raises(ValueError, match="--no-token is for addresses of this machine alone"):
        server.listen(host, 0, "")
    server.listen("localhost", 0, "").listening.close()


def test_other_refusals_of_an_address_are_one_line():
    for host, port in (("127.0.0.1", 70000), ("no..name", 0), ("a" * 300, 0), ("a\0b", 0), ("203.0.113.1", 0)):
        with pytest.raises(ValueError, match=r"^[^\n]*(--port|--host)[^\n]*$"):
            server.listen(host, port, "token")


def test_every_refusal_says_what_to_do_in_one_line():
    for status, reason in (gate.FOREIGN, gate.STRANGE, gate.ABSENT, gate.LONG, gate.UNKNOWN):
        assert 400 <= status < 500
        assert "\n" not in reason
