"""What leaves the server: answers that no other page may read or frame, and in which no path of the disk is told."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

HEADERS: Headers = [
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),  # an address may hold the token
    (b"cross-origin-resource-policy", b"same-origin"),
]


def hardened(send: Send, cookie: str | None = None) -> Send:
    """Answers that no other page may read, frame or guess the type of; a cookie with them."""
    ours = {name for name, _ in HEADERS}

    async def harden(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in ours and not name.lower().startswith(b"access-control-")
            ]
            given: Headers = [] if cookie is None else [(b"set-cookie", cookie.encode())]
            message = {**message, "headers": [*kept, *HEADERS, *given]}
        await send(message)

    return harden


def without(page: Path, send: Send) -> Send:
    """Answers in HTML without the path of the notebook; they are held until they are whole."""
    start: Message = {}
    parts: list[bytes] = []

    async def rewrite(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            kind = dict(message.get("headers", [])).get(b"content-type", b"")
            start = dict(message) if kind.startswith(b"text/html") else {}
        if not start:
            await send(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = nameless(b"".join(parts).decode(), page).encode()
                headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
                await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
                await send({"type": "http.response.body", "body": body})

    return rewrite


def nameless(text: str, page: Path) -> str:
    """A text of HTML in which no path of this machine's disk is left, however it was written there.

    >>> nameless('"cwd": "/home/me", "name": "/home/me/page.py", "root": "file:///home"', Path("/home/me/page.py"))
    '"cwd": "", "name": "page.py", "root": "file:///"'
    """
    for path, instead in ((page, page.name), (page.parent, "")):
        plain = str(path)
        forms = {plain, json.dumps(plain)[1:-1], html.escape(plain), quote(plain, safe=""), quote(plain)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, instead)
    return re.sub(r"file://[^\"'<>\s]*", "file:///", text)
