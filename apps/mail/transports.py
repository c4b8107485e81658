"""The servers that take our mail: EMAIL_URL, and EMAIL_URL_FALLBACK when the first is down."""

import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.core.mail.utils import DNS_NAME

from apps.mail.content import Content

PERMANENT = range(500, 600)
DEFAULT_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}  # django-environ: smtps is STARTTLS
QUIT_WITHIN_SECONDS = 1.0


@dataclass(frozen=True)
class Receipt:
    """Which server accepted a mail, and what it answered."""

    server: str
    answer: str


class TransportDown(Exception):
    """The server could not be reached, does not take us, or asked to come back later. `answer` is what it said."""

    def __init__(self, server: str, answer: str) -> None:
        self.server, self.answer = server, answer
        super().__init__(answer)


class Refused(TransportDown):
    """The server refuses this mail for good: a 5xx answer about its recipient or its content."""


@dataclass(frozen=True)
class Transport:
    """One SMTP server."""

    url: str

    @property
    def server(self) -> str:
        """host:port, for the ledger: never the credentials."""
        parsed = self._parsed
        return f"{parsed['EMAIL_HOST']}:{parsed['EMAIL_PORT']}"

    def __repr__(self) -> str:
        return f"<Transport {self.server}>"

    def send(self, mail: Content, *, recipient: str, message_id: str, within: float) -> Receipt:
        """Hand the mail over, within so many seconds. Raises Refused or TransportDown."""
        try:
            with self._conversation(within) as conversation:
                return Receipt(self.server, conversation.hand_over(mail, recipient, message_id))
        except _AboutThisMail as error:
            raise Refused(self.server, error.text) from error
        except smtplib.SMTPResponseException as error:
            raise TransportDown(self.server, _text(error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise TransportDown(self.server, f"{type(error).__name__}: {error}") from error

    @contextmanager
    def _conversation(self, within: float) -> Iterator["_Conversation"]:
        """A connection that is encrypted and signed in as the URL says."""
        parsed = self._parsed
        kind = _EncryptedConversation if parsed.get("EMAIL_USE_SSL") else _Conversation
        conversation = kind(str(parsed["EMAIL_HOST"]), int(parsed["EMAIL_PORT"]), within=within)
        try:
            if parsed.get("EMAIL_USE_TLS"):
                conversation.starttls(context=ssl.create_default_context())
            if parsed["EMAIL_HOST_USER"]:
                conversation.login(str(parsed["EMAIL_HOST_USER"]), str(parsed["EMAIL_HOST_PASSWORD"] or ""))
            yield conversation
        finally:
            conversation.hang_up()

    @property
    def _parsed(self) -> dict[str, Any]:
        """Django's EMAIL_* settings for the URL. Raises ImproperlyConfigured for what is not SMTP."""
        scheme = self.url.partition(":")[0]
        if scheme not in DEFAULT_PORTS:
            raise ImproperlyConfigured(f"EMAIL_URL: {scheme}:// is none of {', '.join(DEFAULT_PORTS)}.")
        parsed: dict[str, Any] = environ.Env.email_url_config(self.url)
        return {**parsed, "EMAIL_PORT": parsed["EMAIL_PORT"] or DEFAULT_PORTS[scheme]}


class _AboutThisMail(Exception):
    """A permanent refusal that a retry or another server would not change."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


class _Conversation(smtplib.SMTP):
    """smtplib with one deadline for the whole conversation, so that it ends before the message's lease does."""

    def __init__(self, host: str, port: int, *, within: float) -> None:
        self._deadline = time.monotonic() + within
        super().__init__(host, port, local_hostname=DNS_NAME.get_fqdn(), timeout=self._patience())

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        return super().getreply()

    def hand_over(self, mail: Content, recipient: str, message_id: str) -> str:
        """MAIL, RCPT and DATA. Returns the answer to DATA, which Django's own backend throws away."""
        self.ehlo_or_helo_if_needed()
        _, sender = parseaddr(mail.sender)
        # RFC 6531: an address with letters beyond ASCII before the @ needs a server that knows them.
        address = _with_ascii_domain(recipient)
        _expect(self.mail(sender, [] if address.isascii() else ["SMTPUTF8"]), 250)
        with _permanent_is_about_this_mail():
            _expect(self.rcpt(address), 250, 251)
            letter = _letter(mail, recipient, message_id).message()
            return _expect(self.data(letter.as_bytes(linesep="\r\n")), 250)  # type: ignore[call-arg]  # Django's, not email's

    def hang_up(self) -> None:
        """Say goodbye. What went wrong here changes nothing about the mail."""
        self._deadline = time.monotonic() + QUIT_WITHIN_SECONDS
        with suppress(OSError, smtplib.SMTPException):
            self.quit()
        self.close()

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._patience())

    def _patience(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the conversation took too long")
        return min(left, float(settings.EMAIL_TIMEOUT_SECONDS))


class _EncryptedConversation(_Conversation, smtplib.SMTP_SSL):
    """The same with TLS from the first byte; smtplib's default context would check no certificate."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        self.context = ssl.create_default_context()
        return super()._get_socket(host, port, timeout)  # type: ignore[misc]  # smtplib's hook, not in the stubs


def configured() -> list[Transport]:
    """The transports in the order in which they are tried."""
    return [Transport(url) for url in (settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK) if url]


def _letter(mail: Content, recipient: str, message_id: str) -> EmailMultiAlternatives:
    _, sender = parseaddr(mail.sender)
    letter = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        to=[recipient],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # The same for every try by every worker, so that a repetition can be told (RFC 5322 section 3.6.4).
        headers={"Message-ID": f"<{message_id}@{sender.rpartition('@')[2]}>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(mail.html, "text/html")
    return letter


def _with_ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


@contextmanager
def _permanent_is_about_this_mail() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        if error.smtp_code in PERMANENT:
            raise _AboutThisMail(_text(error.smtp_code, error.smtp_error)) from error
        raise


def _expect(reply: tuple[int, bytes], *good: int) -> str:
    code, text = reply
    if code not in good:
        raise smtplib.SMTPResponseException(code, text)
    return _text(code, text)


def _text(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
