"""HTTP to addresses that others have chosen: no private network is reached, no redirect followed, no answer waited for long.

The name is resolved here, every address it has is looked at, and the connection goes to the very address that was looked
at: else a name could point elsewhere a moment later (DNS rebinding).
"""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

PATIENCE_SECONDS = 10.0
LONGEST_ANSWER = 300  # bytes that are read of an answer


class Unreachable(Exception):
    """The other side did not answer, or lies where we do not go. Says which."""


@dataclass(frozen=True)
class Reply:
    """What the other side said: the status, and the beginning of the body."""

    status: int
    text: str


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    within: float = PATIENCE_SECONDS,
    private_allowed: bool = False,
) -> Reply:
    """POST, within so many seconds. `private_allowed`: for addresses that the operator has set. Raises Unreachable."""
    place = urlsplit(url)
    deadline = time.monotonic() + within
    try:
        connection = _connection(place, _address(place, private_allowed=private_allowed), _patience(deadline))
        try:
            target = (place.path or "/") + (f"?{place.query}" if place.query else "")
            connection.request("POST", target, body, dict(headers))
            connection.sock.settimeout(_patience(deadline))
            response = connection.getresponse()
            return Reply(response.status, response.read1(LONGEST_ANSWER).decode(errors="replace"))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error


def _address(place: SplitResult, *, private_allowed: bool) -> tuple[Any, ...]:
    """Where the name leads: family and socket address. Raises Unreachable unless all that it leads to is public."""
    if place.scheme not in ("http", "https") or not place.hostname:
        raise Unreachable("not an http or https address")
    port = place.port or (443 if place.scheme == "https" else 80)
    found = socket.getaddrinfo(place.hostname, port, type=socket.SOCK_STREAM)
    if not private_allowed and not all(_is_public(str(item[4][0])) for item in found):
        raise Unreachable("a private address")
    return found[0][0], found[0][4]


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_global) and not plain.is_multicast


def _connection(place: SplitResult, address: tuple[Any, ...], patience: float) -> http.client.HTTPConnection:
    """A connection to this very address, under the name that was asked for."""
    family, socket_address = address
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.settimeout(patience)
        plain.connect(socket_address)
        secure = place.scheme == "https"
        host = place.hostname or ""
        stream = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    except BaseException:
        plain.close()
        raise
    connection = http.client.HTTPConnection(host, place.port)
    connection.default_port = 443 if secure else 80  # so that the Host header names no port that goes without saying
    connection.sock = stream
    return connection


def _patience(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the conversation took too long")
    return min(left, PATIENCE_SECONDS)
