"""Under which names the page is served: what the Host and the Origin of a request may say.

A foreign page that is open in the same browser may send requests here, or have its own name resolve to this address.
Its Origin tells the first and the Host of its requests the second: a browser lets no page choose either.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import NamedTuple

from rfsim.checking.text import shown

HERE = frozenset(("localhost", "127.0.0.1", "::1"))
STANDARD = 0  # in the place of a port: that of the scheme
_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]{1,253})(:[0-9]{1,5})?")
_PORTS = {"http": 80, "https": 443}


class HostPort(NamedTuple):
    """Where a page is.

    Attributes:
        name: In lower case, an address in its short form.
        port: STANDARD where it is the scheme's.
    """

    name: str
    port: int


def place(text: str, scheme: str = "http") -> HostPort | None:
    """What a Host header says.

    Args:
        text: Of the header.
        scheme: "http" or "https", which has the port that is left out.

    Returns:
        The place; None where that is no name or address, with a port at most.

    >>> place("LocalHost:8000"), place("[0::1]:80"), place("a@b")
    (HostPort(name='localhost', port=8000), HostPort(name='::1', port=0), None)
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    port = int(found[2][1:]) if found[2] else _PORTS[scheme]
    name = _canonical(found[1].strip("[]"))
    return None if name is None else HostPort(name, STANDARD if port == _PORTS[scheme] else port)


def origin(text: str) -> HostPort | None:
    """What an Origin header says.

    Args:
        text: Of the header.

    Returns:
        The place; None for "null" and whatever else is no page's of HTTP.

    >>> origin("https://example.org"), origin("null")
    (HostPort(name='example.org', port=0), None)
    """
    scheme, mark, rest = text.partition("://")
    return place(rest, scheme) if mark and scheme in _PORTS else None


class Hosts(NamedTuple):
    """The places that are the page's own.

    Attributes:
        names: At `port`.
        port: STANDARD where it is the scheme's.
        anywhere: Whether every address at `port` is one.
        further: Names, each at its port or, where that is None, at any.
    """

    names: frozenset[str]
    port: int
    anywhere: bool
    further: tuple[tuple[str, int | None], ...]

    def hold(self, host: HostPort) -> bool:
        """Whether the page is served at a place.

        Args:
            host: The place.

        Returns:
            Whether it is.
        """
        if host.port == self.port and (host.name in self.names or (self.anywhere and _is_address(host.name))):
            return True
        return any(name == host.name and port in (None, host.port) for name, port in self.further)


def served(host: str, listening: socket.socket, further: Sequence[str] = ()) -> Hosts:
    """The places of a page that is served at a host.

    What this machine alone reaches is also localhost, 127.0.0.1 and [::1]. What listens at every address of this
    machine is reached at any, since no foreign page has a number for its name, and by the machine's own name.

    Args:
        host: As it was given.
        listening: The socket that listens there.
        further: Names by which browsers reach it besides, as through a tunnel or a proxy, each NAME or NAME:PORT.

    Returns:
        The places.

    Raises:
        ValueError: For a further name that is none.
    """
    address, port = listening.getsockname()[:2]
    numbers = ipaddress.ip_address(address)
    names = {host.lower(), str(numbers)}
    if numbers.is_loopback or numbers.is_unspecified:
        names |= HERE
    if numbers.is_unspecified:
        own = socket.gethostname().lower()
        names |= {own, f"{own.partition('.')[0]}.local"}
    return Hosts(
        frozenset(names),
        STANDARD if port == _PORTS["http"] else port,
        numbers.is_unspecified,
        tuple(map(_further, further)),
    )


def _further(text: str) -> tuple[str, int | None]:
    found = place(text)
    if found is None:
        raise ValueError(f"--allowed-host must be a name of the page, as NAME or NAME:PORT; got {shown(text)}")
    return found.name, found.port if re.search(r":[0-9]+$", text.rpartition("]")[2]) else None


def _canonical(name: str) -> str | None:
    """A name in lower case, an address in its short form; None where a colon belongs to no address."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return None if ":" in name else name.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
