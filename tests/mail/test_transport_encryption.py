"""smtp+tls and smtp+ssl: mail goes out only encrypted, to a server with a valid certificate."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.mail import content
from apps.mail.transports import Transport, TransportDown
from tests.mail import posting
from tests.mail.smtp import MailServer


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "server.pem"
    path.write_bytes(pem + signed.public_bytes(serialization.Encoding.PEM))
    return path


def server_for(scheme: str, certificate: Path, make: Callable[..., MailServer]) -> tuple[MailServer, Transport]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    options = {"ssl_context": context} if scheme == "smtp+ssl" else {"tls_context": context, "require_starttls": True}
    server = make(**options)
    return server, Transport(f"{scheme}://127.0.0.1:{server.port}")


def send(transport: Transport) -> None:
    mail = content.render(kind="sign_in_code", locale="en", branding=posting.branding(), facts=posting.draft().facts)
    transport.send(mail, recipient="ada@example.com", message_id="1")


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtp+ssl"])
def test_mail_goes_encrypted_to_a_server_with_a_good_certificate(
    scheme: str, certificate: Path, make_mail_server: Callable[..., MailServer], monkeypatch: Any
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, transport = server_for(scheme, certificate, make_mail_server)
    send(transport)
    assert len(server.letters) == 1


@pytest.mark.parametrize("scheme", ["smtp+tls", "smtp+ssl"])
def test_no_mail_goes_to_a_server_whose_certificate_is_unknown(
    scheme: str, certificate: Path, make_mail_server: Callable[..., MailServer]
) -> None:
    server, transport = server_for(scheme, certificate, make_mail_server)
    with pytest.raises(TransportDown, match="CERTIFICATE_VERIFY_FAILED"):
        send(transport)
    assert server.conversations == 0


def test_a_server_that_demands_encryption_gets_no_mail_in_the_clear(
    certificate: Path, make_mail_server: Callable[..., MailServer]
) -> None:
    server, encrypted = server_for("smtp+tls", certificate, make_mail_server)
    with pytest.raises(TransportDown):
        send(Transport(encrypted.url.replace("smtp+tls", "smtp")))
    assert server.conversations == 0


def test_a_url_that_is_not_smtp_is_refused() -> None:
    with pytest.raises(TransportDown, match="EMAIL_URL") as refused:
        send(Transport("s3cret@consolemail"))
    assert "s3cret" not in str(refused.value)
