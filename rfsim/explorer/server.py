"""Serving the explorer: one process, a session for each page that is open, each a thread of it.

marimo serves the page read-only: it sends no code to the browser and runs none from it. Addresses other than this
machine's own need the token that is printed. What reaches marimo at all is for the gate to say.
"""

from __future__ import annotations

import gc
import ipaddress
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rfsim.explorer.gate import Gate
from rfsim.explorer.hosts import Hosts, served

PAGE = Path(__file__).with_name("page.py")
SESSION_SECONDS = 30  # that a session outlives its page, which may only have lost the connection
HOST = "127.0.0.1"
LAST_PORT = 2**16 - 1
MESSAGE = 2**16  # bytes of a message by WebSocket, of which the page sends none
# marimo leaves wide margins around a page; a phone has none to spare
HEAD = "<style>#App > div { padding-inline: 0 !important; }</style>"


class Address(NamedTuple):
    """Where the page is found.

    Attributes:
        listening: The socket that already listens there.
        url: With the token.
        hosts: All its names.
    """

    listening: socket.socket
    url: str
    hosts: Hosts


def require_extra() -> None:
    """Refuse to go on where the extra `explore` is not installed.

    Raises:
        ValueError: In one line, where it is not.
    """
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
    """Whether only this machine reaches a host.

    Args:
        host: A name or an address.

    Returns:
        Whether it is.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int, token: str, further: Sequence[str] = ()) -> Address:
    """A socket at a host and port.

    Args:
        host: A name or an address of this machine.
        port: 0 takes any that is free.
        token: Needed to open the page; none is asked for where it is empty.
        further: Other names of the page, as `hosts.served` takes them.

    Returns:
        The address.

    Raises:
        ValueError: In one line, where that cannot be, and for an address of others than this machine alone, as the
            system resolves it, without a token.
    """
    if not host.strip():
        raise ValueError(f"--host must be an address or a name of this machine, such as {HOST}; got nothing")
    if port > LAST_PORT:
        raise ValueError(f"--port must be at most {LAST_PORT}; got {port}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listening.bind((host, port))
        except (OSError, ValueError, TypeError) as error:  # the latter two of names that are none
            reason = getattr(error, "strerror", None) or error
            raise ValueError(f"cannot listen at {host} port {port} ({reason}); give another --port or --host") from None
        if not token and not is_loopback(listening.getsockname()[0]):
            raise ValueError(f"--no-token is for addresses of this machine alone, such as {HOST}; got --host {host}")
        hosts = served(host, listening, further)
        listening.listen()
    except BaseException:
        listening.close()
        raise
    name = f"[{host}]" if ":" in host else host
    query = f"?access_token={token}" if token else ""
    return Address(listening, f"http://{name}:{listening.getsockname()[1]}/{query}", hosts)


def new_token() -> str:
    """A token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def serve(address: Address, token: str, ready: Callable[[], Any]) -> None:
    """Serve pages until interrupted.

    Args:
        address: Where.
        token: As `listen` has it.
        ready: Called once the server answers.
    """
    import marimo
    import uvicorn

    page = marimo.create_asgi_app(quiet=True, token=token or None, session_ttl=SESSION_SECONDS, html_head=HEAD)
    app = page.with_app(path="/", root=str(PAGE)).build()
    # the name of marimo's cookie: without the port a second explorer would take the first one's place in a browser
    for mounted in getattr(app, "routes", ()):
        mounted.app.state.port = address.listening.getsockname()[1]
    gate = Gate(app, address.hosts, PAGE)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # what stays is not searched for garbage again and again: it is most of the memory
            gc.collect()
            gc.freeze()
            ready()

    config = uvicorn.Config(gate, log_level="warning", timeout_graceful_shutdown=1, ws_max_size=MESSAGE)
    Server(config).run(sockets=[address.listening])
