"""The servers that take our mail: EMAIL_URL, and EMAIL_URL_FALLBACK when the first is down."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

import environ
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.utils import DNS_NAME

from apps.mail.content import Content

PERMANENT = range(500, 600)


@dataclass(frozen=True)
class Receipt:
    """Which server accepted a mail, and what it answered."""

    server: str
    answer: str


class TransportDown(Exception):
    """The server could not be reached, or asked to come back later. The message is its answer."""

    def __init__(self, server: str, answer: str) -> None:
        self.server, self.answer = server, answer
        super().__init__(answer)


class Refused(TransportDown):
    """The server refuses this mail for good (a 5xx answer about it)."""


@dataclass(frozen=True)
class Transport:
    """One SMTP server."""

    url: str

    @property
    def server(self) -> str:
        """host:port, for the ledger: never the credentials."""
        parsed = environ.Env.email_url_config(self.url)
        return f"{parsed['EMAIL_HOST']}:{parsed['EMAIL_PORT'] or 25}"

    def __repr__(self) -> str:
        return f"<Transport {self.server}>"

    def send(self, mail: Content, *, recipient: str, message_id: str) -> Receipt:
        """Hand the mail over. Raises Refused or TransportDown."""
        try:
            answer = self._converse(mail, recipient, message_id)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._failure(code, text) from error
        except smtplib.SMTPResponseException as error:
            raise self._failure(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TransportDown(self.server, type(error).__name__) from error
        return Receipt(self.server, answer)

    def _converse(self, mail: Content, recipient: str, message_id: str) -> str:
        """One SMTP conversation; Django's backend opens it (TLS, sign-in), we keep the answer to DATA."""
        backend = self._backend()
        backend.open()
        connection = backend.connection
        try:
            connection.ehlo_or_helo_if_needed()
            letter = _letter(mail, recipient, message_id).message()
            _, sender = parseaddr(mail.sender)
            _expect(connection.mail(sender), 250)
            _expect(connection.rcpt(recipient), 250, 251)
            return _expect(connection.data(letter.as_bytes(linesep="\r\n")), 250)
        finally:
            backend.close()

    def _backend(self) -> EmailBackend:
        parsed = environ.Env.email_url_config(self.url)
        return EmailBackend(
            host=parsed["EMAIL_HOST"],
            port=parsed["EMAIL_PORT"] or 25,
            username=parsed["EMAIL_HOST_USER"] or "",
            password=parsed["EMAIL_HOST_PASSWORD"] or "",
            use_tls=bool(parsed.get("EMAIL_USE_TLS")),
            use_ssl=bool(parsed.get("EMAIL_USE_SSL")),
            timeout=settings.EMAIL_TIMEOUT_SECONDS,
        )

    def _failure(self, code: int, text: bytes | str) -> TransportDown:
        answer = f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
        return Refused(self.server, answer) if code in PERMANENT else TransportDown(self.server, answer)


def configured() -> Iterator[Transport]:
    """The transports in the order in which they are tried."""
    for url in (settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK):
        if url:
            yield Transport(url)


def _letter(mail: Content, recipient: str, message_id: str) -> EmailMultiAlternatives:
    letter = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        to=[recipient],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # The same for every try, so that a mail server can tell a repetition (RFC 5322 section 3.6.4).
        headers={"Message-ID": f"<{message_id}@{DNS_NAME}>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(mail.html, "text/html")
    return letter


def _expect(reply: tuple[int, bytes], *good: int) -> str:
    code, text = reply
    if code not in good:
        raise smtplib.SMTPResponseException(code, text)
    return f"{code} {text.decode(errors='replace')}"
