"""HTTP to others: no redirects, bounded time and size of an answer, and no host without a valid certificate."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core import outgoing
from apps.core.outgoing import Unreachable
from tests.core.naming import Resolve
from tests.timing import TRIES, takes_at_most

LOOPBACK = "127.0.0.1"


class Server(ThreadingTCPServer):
    """Answers every request with these bytes, piece by piece, `pause` seconds apart; notes the requests."""

    daemon_threads = True
    pause = 0.0

    def __init__(self, certificate: Path | None) -> None:
        super().__init__((LOOPBACK, 0), _Conversation)
        if certificate:
            self.socket = encrypted(self.socket, certificate)
        self.pieces: Iterator[bytes] = iter(())
        self.asked: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/"


class _Conversation(StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        with suppress(OSError):
            self.server.asked.append(self.connection.recv(65_536))
            for piece in self.server.pieces:
                self.wfile.write(piece)
                time.sleep(self.server.pause)


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(*pieces: bytes, endlessly: bytes = b"", pause: float = 0, certificate: Path | None = None) -> Server:
        server = Server(certificate)
        servers.append(server)
        server.pause = pause
        server.pieces = iter([*pieces, *([endlessly] * 100_000 if endlessly else ())])
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    yield make
    for server in servers:
        server.pieces = iter(())
        server.shutdown()
        server.server_close()


MakeServer = Callable[..., Server]


def post(url: str, *, within: float = 60) -> outgoing.Reply:
    return outgoing.post(url, b"{}", {"X-Test": "1"}, within=within, private_allowed=True)


def test_the_answer_is_heard(make_server: MakeServer) -> None:
    server = make_server(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nfine")
    assert post(f"{server.url}checks?a=b") == outgoing.Reply(201, "fine")
    lines = server.asked[0].decode().split("\r\n")
    assert lines[0] == "POST /checks?a=b HTTP/1.1"
    assert f"Host: {LOOPBACK}:{server.port}" in lines
    assert "X-Test: 1" in lines


def test_a_private_server_is_not_asked_unless_the_operator_allows_it(make_server: MakeServer) -> None:
    server = make_server(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(Unreachable, match="a private address"):
        outgoing.post(server.url, b"", {})
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(make_server: MakeServer, status: int) -> None:
    inside = make_server(b"HTTP/1.1 200 OK\r\n\r\nsecret")
    server = make_server(f"HTTP/1.1 {status} Elsewhere\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode())
    assert post(server.url) == outgoing.Reply(status, "")
    assert inside.asked == []


@pytest.mark.parametrize("coding", ["", "Content-Length: 9999999999\r\n", "Transfer-Encoding: chunked\r\n"])
def test_of_an_endless_answer_the_beginning_is_read(make_server: MakeServer, coding: str) -> None:
    piece = b"400\r\n" + b"x" * 1024 + b"\r\n" if "chunked" in coding else b"x" * 1024
    server = make_server(f"HTTP/1.1 500 No\r\n{coding}\r\n".encode(), endlessly=piece)
    reply = post(server.url)
    assert reply.status == 500
    assert 0 < len(reply.text) <= outgoing.LONGEST_ANSWER


@pytest.mark.parametrize("endless", [b"X-Header: x\r\n", b"x" * 1024, b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_endless_headers_end_in_time(make_server: MakeServer, endless: bytes) -> None:
    start = b"" if endless.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n"
    server = make_server(start, endlessly=endless)

    def ask() -> None:
        with pytest.raises(Unreachable):
            post(server.url, within=1)

    assert takes_at_most(3, ask)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_not_waited_for_long(make_server: MakeServer, scheme: str) -> None:
    server = make_server(*[b""] * TRIES, pause=4)

    def ask() -> None:
        with pytest.raises(Unreachable, match=r"TimeoutError|timed out"):
            post(server.url.replace("http", scheme), within=0.3)

    assert takes_at_most(2, ask)


def test_a_server_that_drips_is_not_waited_for_long(make_server: MakeServer) -> None:
    """Each byte comes in time; all together do not."""
    server = make_server(b"HTTP/1.1 200 OK\r\nX: ", endlessly=b"x", pause=0.05)

    def ask() -> None:
        with pytest.raises(Unreachable, match="TimeoutError"):
            post(server.url, within=0.5)

    assert takes_at_most(2, ask)


def test_a_literal_address_is_named_whole_in_the_host_header(make_server: MakeServer, resolver: Resolve) -> None:
    """Of an IPv6 address without a port, the last group is no port."""
    server = make_server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    resolver([[LOOPBACK]], server.port)
    assert post("http://[2606:4700::1111]/").status == 200
    assert b"\r\nHost: [2606:4700::1111]\r\n" in server.asked[0]


# --- Encrypted ------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for good.example, and its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("good.example")])
    signed = builder.add_extension(names, critical=True).sign(key, hashes.SHA256())
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(signed.public_bytes(pem) + key.private_bytes(pem, *formats))
    return path


def encrypted(listening: socket, certificate: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)


@pytest.mark.parametrize(("host", "known"), [("good.example", True), ("good.example", False), ("evil.example", True)])
def test_only_whoever_proves_the_name_is_told_anything(
    host: str,
    known: bool,
    certificate: Path,
    make_server: MakeServer,
    resolver: Resolve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though it is an address that we connect to."""
    server = make_server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", certificate=certificate)
    resolver([[LOOPBACK]])
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = f"https://{host}:{server.port}/"
    if host == "good.example" and known:
        assert post(url).status == 200
    else:
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            post(url)
        assert not any(server.asked)
