"""HTTP to addresses that others have chosen: no private networks, no redirects, no long waits.

The name is resolved here, all its addresses are checked, and the connection goes to a checked address: else the name could
point elsewhere a moment later (DNS rebinding).
"""

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Thread
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

from apps.core import domains
from apps.core.deadlines import Deadline

PATIENCE_SECONDS = 10.0  # for a whole conversation, and for each wait in a longer one
LONGEST_ANSWER = 300  # bytes that are read of an answer

# Of IPv6 only what is handed out to networks (RFC 4291 section 2.4, IANA). So no fec0::/10, and no address that wraps an IPv4 address,
# which a translator or tunnel nearby might unwrap (::/96, ::ffff:0:0/96, ::ffff:0:0:0/96, 64:ff9b::/96, 64:ff9b:1::/48).
UNICAST = IPv6Network("2000::/3")
NOT_PUBLIC = (  # where Python's `is_global` says otherwise, or did before 3.11.10
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments (RFC 6890)
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    IPv6Network("2001::/23"),  # IETF protocol assignments (RFC 2928), Teredo among them (RFC 4380)
    IPv6Network("2002::/16"),  # 6to4 (RFC 3056)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)


class Unreachable(Exception):
    """The other side did not answer, or its address is not allowed. Says which."""


@dataclass(frozen=True)
class Reply:
    """The answer: its status, and the beginning of its body."""

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
    """POST `within` so many seconds, and read at most `longest` bytes of the answer. Raises Unreachable.

    `private_allowed`: private addresses too, for those that the operator has set.
    """
    deadline = Deadline.after(within, step=PATIENCE_SECONDS)
    try:
        place = urlsplit(url)
        connection = _connection(place, _address(place, deadline, private_allowed=private_allowed), deadline)
        try:
            target = (place.path or "/") + (f"?{place.query}" if place.query else "")
            connection.request("POST", target, body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, _beginning(response, longest))
        finally:
            connection.close()
    except OSError as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    except (
        http.client.HTTPException,
        ValueError,
    ) as error:  # their texts quote headers and answers, so only the type is told
        raise Unreachable(type(error).__name__) from error


def _beginning(response: http.client.HTTPResponse, longest: int) -> str:
    """The beginning of the body. The status is known already, so a body that breaks off is no failure."""
    try:
        return response.read1(longest).decode(errors="replace")
    except (OSError, http.client.HTTPException, ValueError):
        return ""


def _address(place: SplitResult, deadline: Deadline, *, private_allowed: bool) -> tuple[Any, ...]:
    """Where the name leads: family and socket address. Raises Unreachable unless all its addresses are public."""
    if place.scheme not in ("http", "https") or not place.hostname:
        raise Unreachable("not an http or https address")
    found = _resolve(_host(place), _port(place), deadline)
    if not private_allowed and not all(_is_public(str(item[4][0])) for item in found):
        raise Unreachable("a private address")
    return found[0][0], found[0][4]


def _resolve(host: str, port: int, deadline: Deadline) -> list[Any]:
    """What `getaddrinfo` finds. It has no timeout, so it runs in a thread that is abandoned when time is over."""
    found: Future[list[Any]] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # noqa: BLE001  (raised again where the result is waited for)
            found.set_exception(error)

    Thread(target=look_up, name="getaddrinfo", daemon=True).start()
    return found.result(deadline.next_wait())


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in NOT_PUBLIC)


def _connection(place: SplitResult, address: tuple[Any, ...], deadline: Deadline) -> http.client.HTTPConnection:
    """A connection to this very address, under the name that was asked for."""
    secure, host = place.scheme == "https", _host(place)
    connection = http.client.HTTPConnection(host, _port(place))  # refuses an impossible name before anything is opened
    connection.default_port = _default_port(place)  # so that the Host header leaves out the usual port
    stream = _stream(address, host if secure else None, deadline)
    connection.sock = cast(socket.socket, _Hurried(stream, deadline))
    return connection


def _stream(address: tuple[Any, ...], secure_host: str | None, deadline: Deadline) -> socket.socket:
    """Connected. With `secure_host` also encrypted, to a server that has proven to be that host."""
    family, socket_address = address
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        deadline.hurry(plain)
        plain.connect(socket_address)
        deadline.hurry(plain)  # for the handshake
        if secure_host is None:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=secure_host)
    except BaseException:
        plain.close()
        raise


def _host(place: SplitResult) -> str:
    """The name that DNS and certificates know. Raises NotADomain."""
    return domains.in_ascii(place.hostname or "")


def _port(place: SplitResult) -> int:
    return place.port or _default_port(place)


def _default_port(place: SplitResult) -> int:
    return 443 if place.scheme == "https" else 80


class _Hurried:
    """What http.client needs of a socket, with a deadline."""

    def __init__(self, stream: socket.socket, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def sendall(self, data: bytes) -> None:
        self._deadline.hurry(self._stream)
        self._stream.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_HurriedReader(self._stream, self._deadline))

    def close(self) -> None:
        self._stream.close()


class _HurriedReader(io.RawIOBase):
    """The reading end."""

    def __init__(self, stream: socket.socket, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline
        self._file = stream.makefile("rb", buffering=0)  # keeps the socket open until the answer has been read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._deadline.hurry(self._stream)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
