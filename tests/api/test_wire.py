"""Requests as bytes: what granian makes of them, and what shortcuts and views then see."""

import json
import socket
from collections.abc import Iterator

import pytest

from apps.tokens.models import RefreshToken
from apps.users.models import User
from demo.client import TokenKeys, envelope
from tests import factories
from tests.api.servers import FORM
from tests.running import Server
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
JSON, IN_CHUNKS = "Content-Type: application/json", "Transfer-Encoding: chunked"
LAST = "Connection: close"
ME, REFRESH = "/api/auth/me", "/api/auth/refresh"


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    try:
        wait_until(started.answers)
        yield started
    finally:
        started.stop()


def test_bodies_over_the_wire(server: Server) -> None:
    user = factories.user(factories.customer())
    in_chunks_they_count(server, user)
    half_a_request_is_none(server, user)
    what_nobody_reads_is_no_request(server, user)
    answers_say_how_long_they_are(server, user)


def in_chunks_they_count(server: Server, user: User) -> None:
    """As .NET's JsonContent and Cloudflare's proxies send them: to a shortcut, to a view's form, under a token."""
    pair = factories.session(user)
    (refreshed,) = sent(server, f"POST {REFRESH}", JSON, IN_CHUNKS, body=chunks(refreshing(user)))
    assert refreshed.startswith("HTTP/1.1 200") and '"access_token"' in refreshed
    _row, key = factories.api_key(user.customer, scopes=["tokens:introspect"])
    form = chunks(b"token=" + pair.access.encode())
    headers = (f"X-OTP-API-Key: {key}", f"Content-Type: {FORM}", IN_CHUNKS)
    (introspected,) = sent(server, "POST /api/auth/introspect", *headers, body=form)
    assert '"active":true' in introspected
    named = envelope(TokenKeys(pair.access).seal({"name": "Ada"}, info=f"request PATCH {ME}"))
    (changed,) = sent(server, f"PATCH {ME}", JSON, IN_CHUNKS, bearing(pair.access), body=chunks(named))
    assert changed.startswith("HTTP/1.1 200") and User.objects.filter(id=user.id, name="Ada").exists()
    for length in (65_536, 300_000):
        (refused,) = sent(server, f"POST {REFRESH}", JSON, IN_CHUNKS, body=chunks(b'{"x": "%s"}' % (b"x" * length)))
        assert refused.startswith("HTTP/1.1 413")


def half_a_request_is_none(server: Server, user: User) -> None:
    """Though the half could be read: who has gone on sending it meant something else."""
    used, body = RefreshToken.objects.exclude(used_at=None).count(), refreshing(user)
    for length in (500_000, len(body) + 1):
        name = f"half-of-{length}"
        headers = (JSON, f"Content-Length: {length}", f"X-Request-ID: {name}")
        with connected(server) as wire:
            wire.sendall(request(f"POST {REFRESH}", *headers) + body)
        wait_until(lambda name=name: name in server.told())  # nobody hears the answer
        (line,) = (json.loads(line) for line in server.told().splitlines() if name in line)
        assert (line["event"], line["status"]) == ("request_finished", 400)
    assert RefreshToken.objects.exclude(used_at=None).count() == used


def what_nobody_reads_is_no_request(server: Server, user: User) -> None:
    """A proxy's question with the body of the client, which is a request by itself; then the next one of the connection."""
    token = bearing(factories.session(user).access)
    hidden = f"DELETE {ME} HTTP/1.1\r\nHost: localhost\r\n{token}\r\n\r\n".encode()
    for headers, body in (((f"Content-Length: {len(hidden)}",), hidden), ((IN_CHUNKS,), chunks(hidden))):
        first = request("POST /verify/customer=*/x", token, *headers) + body
        answers = exchanged(server, first + request(f"GET {ME}", token, LAST))
        assert [answer[:12] for answer in answers] == ["HTTP/1.1 200"] * 2
    assert User.objects.filter(id=user.id).exists()


def answers_say_how_long_they_are(server: Server, user: User) -> None:
    """Those of shortcuts, of views, and of Django: else a proxy could not tell a whole one from one that was cut off."""
    token = bearing(factories.session(user).access)
    asked = [(f"GET {ME}", token), (f"GET {ME}", token, "Origin: https://a.example"), ("GET /nowhere",), ("GET /",)]
    for line, *headers in asked:
        (answer,) = sent(server, line, *headers)
        head, _, body = answer.partition("\r\n\r\n")
        assert f"content-length: {len(body)}\r\n" in f"{head}\r\n".lower()
        assert "transfer-encoding" not in head.lower()
    (nothing,) = sent(server, "GET /verify?customer=*", token)
    assert nothing.startswith("HTTP/1.1 204") and "content-length" not in nothing.lower()


def refreshing(user: User) -> bytes:
    return json.dumps({"refresh_token": factories.session(user).refresh}).encode()


def bearing(token: str) -> str:
    return f"Authorization: Bearer {token}"


def chunks(body: bytes, *, size: int = 1000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def request(line: str, *headers: str) -> bytes:
    """All of it but the body."""
    return "\r\n".join((f"{line} HTTP/1.1", "Host: localhost", *headers, "\r\n")).encode()


def sent(server: Server, line: str, *headers: str, body: bytes = b"") -> list[str]:
    return exchanged(server, request(line, *headers, LAST) + body)


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=90)


def exchanged(server: Server, data: bytes) -> list[str]:
    """The answers, until the server closes the connection."""
    with connected(server) as wire:
        wire.sendall(data)
        told = b"".join(iter(lambda: wire.recv(65_536), b"")).decode("latin-1")
    return [f"HTTP/1.1{answer}" for answer in told.split("HTTP/1.1")[1:]]
