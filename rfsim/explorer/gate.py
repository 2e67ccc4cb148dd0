"""What is let through to the page: requests by its own names, from its own origin, of what it asks for, and no longer.

An application of ASGI around marimo's, which itself lets any origin in, keeps bodies of any length, hands a session to
whoever knows its id, and writes the path of the notebook into the page.
"""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from rfsim.disk import content
from rfsim.explorer import replies
from rfsim.explorer.hosts import Hosts, origin, place
from rfsim.explorer.replies import App, Message, Receive, Send

# all that the page asks for: files, and what goes to its session, with the most bytes of a body
READ = re.compile(r"/|/health|/auth/login|/[\w.-]+\.[a-z]+|/assets/.*|/@file/.*")
WRITTEN = {"/auth/login": 2**12, "/api/kernel/set_model_value": 2**20, "/api/kernel/set_ui_element_value": 2**20}
SOCKET = "/ws"
SESSION = b"marimo-session-id"
OTHER_NAMES = {
    b"marimo-stable-session-id",
    b"x-notebook-id",
}  # of sessions and notebooks, which are not a reader's to give
OTHER_KEYS = {"file", "kiosk"}
FOREIGN = 403, "a page of another origin asked for this; the explorer answers its own page alone"
STRANGE = 421, "the explorer is not served under this name; open the address it printed, or give --allowed-host"
ABSENT = 404, "nothing is here"
LONG = 413, "too long a request"
UNKNOWN = 403, "load the page first: a session belongs to the browser that opened it"


class Refusal(Exception):
    """A status of HTTP and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """`app` behind its gate. hosts: where the page is served; page: the notebook, whose path nobody is told.

    A browser gets a cookie with the page. The id that a session has within marimo is made of it and of the one that the
    page chose, so that nobody else can name that session, whatever they know of it.
    """

    def __init__(self, app: App, hosts: Hosts, page: Path) -> None:
        self._app, self._hosts, self._page = app, hosts, page
        self.cookie = f"rfsim_{hosts.port}"  # cookies are shared by all ports of a host

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            self._admit(scope)
            client = self._client(scope)
            if scope["type"] == "websocket":
                await self._app(self._owned(scope, client), receive, send)
            elif scope["method"] == "POST":
                body = await _body(scope, receive, WRITTEN[scope["path"]])
                if scope["path"] != "/auth/login":
                    scope = self._owned(scope, client)
                await self._app(scope, _once(body, receive), replies.hardened(send))
            elif scope["path"] == "/":
                fresh = None if client else f"{self.cookie}={secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Lax"
                await self._app(_plain(scope), receive, replies.without(self._page, replies.hardened(send, fresh)))
            else:
                await self._app(_plain(scope), receive, replies.hardened(send))
        except Refusal as refused:
            await _refuse(scope, refused, send)

    def _admit(self, scope: Message) -> None:
        """Raise Refusal for what is no request of the page."""
        hosts, origins = _all(scope, b"host"), _all(scope, b"origin")
        host = place(hosts[0]) if len(hosts) == 1 else None
        if host is None or not self._hosts.hold(host):
            raise Refusal(*STRANGE)
        if origins and (len(origins) > 1 or origin(origins[0]) != host):
            raise Refusal(*FOREIGN)
        # what a browser sends without an Origin, it marks; following a link is not reading
        site, mode = (_all(scope, name) for name in (b"sec-fetch-site", b"sec-fetch-mode"))
        top = mode == ["navigate"] and _all(scope, b"sec-fetch-dest") == ["document"]
        if site and site[0] in ("cross-site", "same-site") and not (top and scope.get("method") == "GET"):
            raise Refusal(*FOREIGN)
        path = scope["path"]
        if scope["type"] == "websocket":
            known = path == SOCKET
        elif scope["method"] in ("GET", "HEAD"):
            known = READ.fullmatch(path) is not None
        else:
            known = scope["method"] == "POST" and path in WRITTEN
        if not known:
            raise Refusal(*ABSENT)

    def _client(self, scope: Message) -> str:
        """The secret of the browser that asks, "" where it has none."""
        for text in _all(scope, b"cookie"):
            try:
                found = SimpleCookie(text).get(self.cookie)
            except CookieError:
                continue
            if found is not None and re.fullmatch(r"[\w-]{43}", found.value):
                return found.value
        return ""

    def _owned(self, scope: Message, client: str) -> Message:
        """A request to a session, by the id that it has for this browser alone."""
        if not client:
            raise Refusal(*UNKNOWN)

        def own(chosen: str) -> str:
            return content.of_text(f"{client} {chosen}")[:32]

        plain = _plain(scope)
        query = [(k, own(v) if k == "session_id" else v) for k, v in _query(plain)]
        headers = [(k, own(v.decode("latin-1")).encode() if k == SESSION else v) for k, v in plain["headers"]]
        return {**plain, "query_string": urlencode(query).encode(), "headers": headers}


def _query(scope: Message) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _plain(scope: Message) -> Message:
    """A request without names of notebooks, which would be read, or told that they are not there."""
    query = urlencode([(key, value) for key, value in _query(scope) if key not in OTHER_KEYS]).encode()
    headers = [(key, value) for key, value in scope["headers"] if key not in OTHER_NAMES]
    return {**scope, "query_string": query, "headers": headers}


def _all(scope: Message, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


async def _body(scope: Message, receive: Receive, most: int) -> bytes:
    """The whole body; raises Refusal as soon as it is longer than `most` bytes, or says so."""
    told = _all(scope, b"content-length")
    if told and not (told[0].isdigit() and int(told[0]) <= most):
        raise Refusal(*LONG)
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > most:
            raise Refusal(*LONG)
    return body


def _once(body: bytes, receive: Receive) -> Receive:
    """What receives the body that was read already, and then what follows it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(scope: Message, refused: Refusal, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before it is accepted: status 403
        return
    body = f"rfsim: {refused}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # what is left of a body is not read
        *replies.HEADERS,
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
