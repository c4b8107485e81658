"""The servers that take our mail: EMAIL_URL, and EMAIL_URL_FALLBACK if the first does not take it."""

import smtplib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import environ
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.core import domains
from apps.core.row_lease import LeaseLost
from apps.mail import idle_conversations, letters, sender, smtp
from apps.mail.content import Content
from apps.mail.smtp import Conversation, Letter, WrongRecipient

DEFAULT_PORTS = {"smtp": 25, "smtps": 587, "smtp+tls": 587, "smtp+ssl": 465}  # django-environ: smtps is STARTTLS

log = structlog.get_logger(__name__)


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
        parsed = _parsed(self.url)
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
            letter = letters.written(mail, recipient=recipient, message_id=message_id)
            return Receipt(self.server, self._transmit(letter, before_data))
        except LeaseLost:
            raise
        except WrongRecipient as error:
            raise Refused(self.server, error.text) from error
        except smtplib.SMTPResponseException as error:
            raise TransportDown(self.server, smtp.text(error.smtp_code, error.smtp_error)) from error
        except Exception as error:
            raise TransportDown(self._server_if_known(), reason(error)) from error

    def _server_if_known(self) -> str:
        try:
            return self.server
        except (ImproperlyConfigured, ValueError):
            return ""

    def _transmit(self, letter: Letter, before_data: Callable[[], None]) -> str:
        """In a conversation that was kept. If that ends without the letter, or the server refuses it there, in a new one.

        Servers end conversations as they like, and some take only so many mails in one: only a new one tells how it is.
        """
        kept = idle_conversations.take(self._place)
        if kept is not None:
            try:
                return self._transmit_in(kept, letter, before_data)
            except (OSError, smtplib.SMTPException) as error:
                if kept.letter_is_out:
                    raise
                log.info("conversation_ended", server=self.server, error=type(error).__name__)
        return self._transmit_in(smtp.begin(_parsed(self.url)), letter, before_data)

    def _transmit_in(self, conversation: Conversation, letter: Letter, before_data: Callable[[], None]) -> str:
        """Kept afterwards, unless anything went wrong."""
        try:
            answer = conversation.transmit(letter, before_data)
        except BaseException:
            conversation.hang_up()
            raise
        idle_conversations.keep(self._place, conversation)
        return answer

    @property
    def _place(self) -> Hashable:
        """What a conversation depends on: where, as whom, and how we greeted."""
        return self.url, sender.own_host()


def configured() -> list[Transport]:
    """The transports, in the order of trying them."""
    return [Transport(url) for url in (settings.EMAIL_URL, settings.EMAIL_URL_FALLBACK) if url]


def reason(error: Exception) -> str:
    """What may be written down about an error. Most quote the value they failed on, which may be a secret."""
    if isinstance(error, (OSError, smtplib.SMTPException, ImproperlyConfigured)):
        return f"{type(error).__name__}: {error}"
    return type(error).__name__


@lru_cache(maxsize=4)
def _parsed(url: str) -> Mapping[str, Any]:
    """Django's EMAIL_* settings for the URL. Raises ImproperlyConfigured for what is not SMTP, ValueError for no host."""
    scheme = url.partition(":")[0]
    if scheme not in DEFAULT_PORTS:
        raise ImproperlyConfigured(f"EMAIL_URL must begin with one of {', '.join(DEFAULT_PORTS)}, and ://.")
    parsed: dict[str, Any] = environ.Env.email_url_config(url)
    return {
        **parsed,
        "EMAIL_HOST": domains.in_ascii(parsed["EMAIL_HOST"] or ""),
        "EMAIL_PORT": parsed["EMAIL_PORT"] or DEFAULT_PORTS[scheme],
    }
