"""A server that speaks TLS with a certificate of the test's, and keeps what it is told after the handshake."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from socket import create_server, socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class TlsServer:
    """On 127.0.0.1. Answers `+OK` to every command, as a minimal Redis would."""

    def __init__(self, certificate: Path) -> None:
        self.received = b""
        self.handshakes = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket) -> None:
        connection.settimeout(5)
        with suppress(OSError), self._context.wrap_socket(connection, server_side=True) as encrypted:
            self.handshakes += 1
            while told := encrypted.recv(4096):
                self.received += told
                encrypted.sendall(b"+OK\r\n")
        connection.close()

    def close(self) -> None:
        self._listener.close()


@contextmanager
def serving(certificate: Path) -> Iterator[TlsServer]:
    server = TlsServer(certificate)
    try:
        yield server
    finally:
        server.close()


def certificate_for(folder: Path, host: str) -> Path:
    """A self-signed certificate (its own authority) and its key, in one PEM file. `host`: a name, or an IPv4 address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    is_address = host.replace(".", "").isdecimal()
    names = [x509.IPAddress(IPv4Address(host)) if is_address else x509.DNSName(host)]
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{host}.pem"
    path.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return path
