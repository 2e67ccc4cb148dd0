"""Serving the explorer: one process, a session for each page that is open, each a thread of it.

marimo serves the page read-only: it sends no code to the browser and runs none from it. Addresses other than this
machine's own need the token that is printed.
"""

from __future__ import annotations

import gc
import ipaddress
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).with_name("page.py")
SESSION_SECONDS = 30  # that a session outlives its page, which may only have lost the connection
HOST = "127.0.0.1"
# marimo leaves wide margins around a page; a phone has none to spare
HEAD = "<style>#App > div { padding-inline: 0 !important; }</style>"


class Address(NamedTuple):
    """Where the page is found: the socket that already listens there, and the URL with its token."""

    listening: socket.socket
    url: str


def require_extra() -> None:
    """Raise ValueError, in one line, where the extra `explore` is not installed."""
    try:
        import anywidget
        import marimo
        import zmq  # of marimo's server
    except ImportError as error:
        raise ValueError(
            f"rfsim explore needs {error.name}; install the extra: python -m pip install 'rfsim[explore]'"
        ) from None
    del anywidget, marimo, zmq


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int, token: str) -> Address:
    """A socket at `host` and `port`; port 0 takes any that is free.

    Raises ValueError, in one line, where that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ValueError(
            f"cannot listen at {host} port {port} ({error.strerror or error}); give another --port or --host"
        ) from None
    name = f"[{host}]" if ":" in host else host
    query = f"?access_token={token}" if token else ""
    return Address(listening, f"http://{name}:{listening.getsockname()[1]}/{query}")


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def serve(address: Address, token: str, ready: Callable[[], Any]) -> None:
    """Serve pages until interrupted; `ready` is called once the server answers."""
    import marimo
    import uvicorn

    page = marimo.create_asgi_app(quiet=True, token=token or None, session_ttl=SESSION_SECONDS, html_head=HEAD)
    app = page.with_app(path="/", root=str(PAGE)).build()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # what stays is not searched for garbage again and again: it is most of the memory
            gc.collect()
            gc.freeze()
            ready()

    Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)).run(sockets=[address.listening])
