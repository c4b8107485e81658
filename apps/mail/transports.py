"""The servers that take our mail: EMAIL_URL, and EMAIL_URL_FALLBACK if the first does not take it."""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives

from apps.core import domains
from apps.core.deadlines import Deadline
from apps.core.row_lease import LeaseLost
from apps.mail import sender
from apps.mail.content import Content

DEFAULT_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}  # django-environ: smtps is STARTTLS
QUIT_WITHIN_SECONDS = 1.0
STEPS = 3  # of EMAIL_TIMEOUT_SECONDS each, for everything before the mail itself
# RFC 3463 section 3.2: the recipient's address is wrong, or nobody has it. 5.1.7 and 5.1.8 are about the sender's.
WRONG_RECIPIENT = re.compile(r"5\d\d[ -]5\.1\.(?![78]\b)\d+")


@dataclass(frozen=True)
class Receipt:
    """Which server accepted a mail, and what it answered."""

    server: str
    answer: str


class TransportDown(Exception):
    """The server did not take the mail now, or not from us. `answer`: what it said, or what went wrong here."""

    def __init__(self, server: str, answer: str) -> None:
        self.server, self.answer = server, answer
        super().__init__(answer)


class Refused(TransportDown):
    """Nobody has this address: no other attempt and no other server would change that."""


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

    def send(
        self, mail: Content, *, recipient: str, message_id: str, before_data: Callable[[], None] = lambda: None
    ) -> Receipt:
        """Send the mail. Raises Refused, LeaseLost, or TransportDown for anything else that went wrong.

        `before_data` is called just before the mail itself is sent, which cannot be undone.
        """
        try:
            with self._conversation() as conversation:
                return Receipt(self.server, conversation.transmit(mail, recipient, message_id, before_data))
        except LeaseLost:
            raise
        except _WrongRecipient as error:
            raise Refused(self.server, error.text) from error
        except smtplib.SMTPResponseException as error:
            raise TransportDown(self.server, _text(error.smtp_code, error.smtp_error)) from error
        except Exception as error:
            raise TransportDown(self._server_if_known(), reason(error)) from error

    def _server_if_known(self) -> str:
        try:
            return self.server
        except (ImproperlyConfigured, ValueError):
            return ""

    @contextmanager
    def _conversation(self) -> Iterator["_Conversation"]:
        """A connection that is encrypted and signed in as the URL says."""
        parsed = self._parsed
        kind = _EncryptedConversation if parsed.get("EMAIL_USE_SSL") else _Conversation
        conversation = kind(str(parsed["EMAIL_HOST"]), int(parsed["EMAIL_PORT"]))
        try:
            if parsed.get("EMAIL_USE_TLS"):
                conversation.starttls(context=ssl.create_default_context())
            if parsed["EMAIL_HOST_USER"]:
                user, password = parsed["EMAIL_HOST_USER"], parsed["EMAIL_HOST_PASSWORD"] or ""
                conversation.login(_InUtf8(user), _InUtf8(password))
            yield conversation
        finally:
            conversation.hang_up()

    @property
    def _parsed(self) -> dict[str, Any]:
        """Django's EMAIL_* settings for the URL. Raises ImproperlyConfigured for what is not SMTP, ValueError for no host."""
        scheme = self.url.partition(":")[0]
        if scheme not in DEFAULT_PORTS:
            raise ImproperlyConfigured(f"EMAIL_URL must begin with one of {', '.join(DEFAULT_PORTS)}, and ://.")
        parsed: dict[str, Any] = environ.Env.email_url_config(self.url)
        return {
            **parsed,
            "EMAIL_HOST": domains.in_ascii(parsed["EMAIL_HOST"] or ""),
            "EMAIL_PORT": parsed["EMAIL_PORT"] or DEFAULT_PORTS[scheme],
        }


class _WrongRecipient(Exception):
    """The server says that nobody has the address."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


class _InUtf8(str):
    """smtplib encodes names and passwords as ASCII; SASL wants UTF-8 (RFC 4616 section 2)."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", errors)


class _Conversation(smtplib.SMTP):
    """smtplib with one deadline for everything before the mail itself, and another for the answer to it.

    A server may take long to confirm a mail (RFC 5321 section 4.5.3.2.6): a client that leaves too early sends it twice.
    """

    def __init__(self, host: str, port: int) -> None:
        step = settings.EMAIL_TIMEOUT_SECONDS
        self._deadline = Deadline.after(STEPS * step, step=step)
        super().__init__(host, port, local_hostname=sender.own_host(), timeout=self._deadline.next_wait())

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        return super().getreply()

    def auth(self, mechanism: str, authobject: Any, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        def answer(challenge: bytes | None = None) -> Any:  # None: no first answer
            text = authobject(challenge)
            return None if text is None else _InUtf8(text)

        return super().auth(mechanism, answer, initial_response_ok=initial_response_ok)

    def transmit(self, mail: Content, recipient: str, message_id: str, before_data: Callable[[], None]) -> str:
        """MAIL, RCPT and DATA. Returns the answer to DATA, which Django's backend throws away."""
        address = domains.address_in_ascii(recipient)
        letter = _letter(mail, address, message_id)
        self.ehlo_or_helo_if_needed()
        _, own_address = parseaddr(mail.sender)
        # RFC 6531: an address with other letters than ASCII before the @ needs a server that knows them.
        _expect(self.mail(own_address, [] if address.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]), 250)
        with _wrong_recipient_is_told_apart():
            _expect(self.docmd("RCPT", f"TO:<{address}>"), 250, 251)
            before_data()
            _expect(self.docmd("DATA"), 354)
            self._deadline = Deadline.after(settings.EMAIL_ACCEPTANCE_TIMEOUT_SECONDS)
            self.send(re.sub(rb"(?m)^\.", b"..", letter) + b".\r\n")  # RFC 5321 section 4.5.2
            return _expect(self.getreply(), 250)

    def hang_up(self) -> None:
        """Say goodbye. An error here changes nothing about the mail."""
        self._deadline = Deadline.after(QUIT_WITHIN_SECONDS)
        with suppress(OSError, smtplib.SMTPException):
            self.quit()
        self.close()

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._deadline.next_wait())


class _EncryptedConversation(_Conversation, smtplib.SMTP_SSL):
    """The same with TLS from the first byte; smtplib's default context would check no certificate."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        self.context = ssl.create_default_context()
        return super()._get_socket(host, port, timeout)  # type: ignore[misc]  # smtplib's hook, not in the stubs


def configured() -> list[Transport]:
    """The transports, in the order of trying them."""
    return [Transport(url) for url in (settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK) if url]


def reason(error: Exception) -> str:
    """What may be written down about an error. Most quote the value they failed on, which may be a secret."""
    if isinstance(error, (OSError, smtplib.SMTPException, ImproperlyConfigured)):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


def _letter(mail: Content, address: str, message_id: str) -> bytes:
    """The mail as bytes. `To` is written here, since Django and Python mangle some addresses:

    they encode domains by IDNA 2003, and other letters than ASCII before the @ as `=?utf-8?…?=`, which is another mailbox.
    """
    if not address.isprintable() or "@" not in address:
        raise ValueError("not an address")
    letter = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        reply_to=[mail.reply_to] if mail.reply_to else None,
        # The same for every try by every worker, so that a repetition can be told (RFC 5322 section 3.6.4).
        headers={"Message-ID": f"<{message_id}@{sender.own_host()}>", "Auto-Submitted": "auto-generated"},
    )
    letter.attach_alternative(mail.html, "text/html")
    rest = letter.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's, not email's
    return f"To: <{address}>\r\n".encode() + rest.rstrip(b"\r\n") + b"\r\n"


@contextmanager
def _wrong_recipient_is_told_apart() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        text = _text(error.smtp_code, error.smtp_error)
        if WRONG_RECIPIENT.match(text):
            raise _WrongRecipient(text) from error
        raise


def _expect(reply: tuple[int, bytes], *good: int) -> str:
    code, text = reply
    if code not in good:
        raise smtplib.SMTPResponseException(code, text)
    return _text(code, text)


def _text(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
