"""HTTP to addresses that others have chosen: no private network is reached, no redirect followed, no answer waited for long.

The name is resolved here, every address it has is looked at, and the connection goes to the very address that was looked
at: else a name could point elsewhere a moment later (DNS rebinding).
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast
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
    longest: int = LONGEST_ANSWER,
) -> Reply:
    """POST, within so many seconds, and read at most `longest` bytes of the answer. Raises Unreachable.

    `private_allowed`: for addresses that the operator has set.
    """
    place = urlsplit(url)
    deadline = time.monotonic() + within
    try:
        connection = _connection(place, _address(place, private_allowed=private_allowed), deadline)
        try:
            target = (place.path or "/") + (f"?{place.query}" if place.query else "")
            connection.request("POST", target, body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, _beginning(response, longest))
        finally:
            connection.close()
    except OSError as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    except (http.client.HTTPException, ValueError) as error:  # their texts quote headers and answers
        raise Unreachable(type(error).__name__) from error


def _beginning(response: http.client.HTTPResponse, longest: int) -> str:
    """Of the body. The status has been said already, so a body that breaks off makes no failure of it."""
    try:
        return response.read1(longest).decode(errors="replace")
    except (OSError, http.client.HTTPException, ValueError):
        return ""


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


def _connection(place: SplitResult, address: tuple[Any, ...], deadline: float) -> http.client.HTTPConnection:
    """A connection to this very address, under the name that was asked for."""
    family, socket_address = address
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.settimeout(_patience(deadline))
        plain.connect(socket_address)
        secure = place.scheme == "https"
        host = place.hostname or ""
        stream = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
    except BaseException:
        plain.close()
        raise
    connection = http.client.HTTPConnection(host, place.port)
    connection.default_port = 443 if secure else 80  # so that the Host header names no port that goes without saying
    connection.sock = cast(socket.socket, _Hurried(stream, deadline))
    return connection


class _Hurried:
    """What http.client needs of a socket, with a deadline: a plain timeout begins anew with every byte that drips in."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def sendall(self, data: bytes) -> None:
        self._stream.settimeout(_patience(self._deadline))
        self._stream.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_HurriedReader(self._stream, self._deadline))

    def close(self) -> None:
        self._stream.close()


class _HurriedReader(io.RawIOBase):
    """The reading end."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline
        self._file = stream.makefile("rb", buffering=0)  # keeps the socket open until the answer has been read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._stream.settimeout(_patience(self._deadline))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _patience(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the conversation took too long")
    return min(left, PATIENCE_SECONDS)
