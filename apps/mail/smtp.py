"""Conversations with mail servers: smtplib's, with deadlines, real addresses, and several mails one after the other."""

import re
import select
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apps.core.deadlines import Deadline
from apps.mail import sender

QUIT_WITHIN_SECONDS = 1.0
STEPS = 3  # of EMAIL_TIMEOUT_SECONDS each, for everything before the mail itself
KEPT_ANSWERS_WITHIN_SECONDS = 3.0  # one that was kept may be dead without a word, and a new one is soon made
# RFC 3463 section 3.2: the recipient's address is wrong, or nobody has it. 5.1.7 and 5.1.8 are about the sender's.
WRONG_RECIPIENT = re.compile(r"5\d\d[ -]5\.1\.(?![78]\b)\d+")


class WrongRecipient(Exception):
    """The server says that nobody has the address."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


@dataclass(frozen=True)
class Letter:
    """A mail as it goes over the wire, and its envelope: whom it comes from, in ASCII, and whom it goes to."""

    own_address: str
    recipient: str
    document: bytes = field(repr=False)


class Conversation(smtplib.SMTP):
    """smtplib with one deadline for everything before the mail itself, and another for the answer to it.

    A server may take long to confirm a mail (RFC 5321 section 4.5.3.2.6): a client that leaves too early sends it twice.
    """

    letter_is_out = False  # the last letter, or a part of it: nobody may send it again as if nothing had been
    _letters = 0

    def __init__(self, host: str, port: int) -> None:
        self.began_at = time.monotonic()
        self._deadline = _before_the_letter()
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

    def transmit(self, letter: Letter, before_data: Callable[[], None]) -> str:
        """MAIL, RCPT and DATA. Returns the answer to DATA, which Django's backend throws away.

        `before_data` is called when the server waits for the letter itself.
        """
        self.letter_is_out = False
        self.ehlo_or_helo_if_needed()
        replies = self._replies(
            f"MAIL FROM:<{letter.own_address}>{self._options(letter)}", f"RCPT TO:<{letter.recipient}>", "DATA"
        )
        with self._soon_if_kept():
            expect(next(replies), 250)
        with _wrong_recipient_is_told_apart():
            expect(next(replies), 250, 251)
            expect(next(replies), 354)
            before_data()
            return self._hand_over(letter.document)

    def is_silent(self) -> bool:
        """Whether the server has said nothing since its last answer: no goodbye, no end of the connection (3 µs)."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def hang_up(self) -> None:
        """Say goodbye. An error here changes nothing about the mail."""
        self._deadline = Deadline.after(QUIT_WITHIN_SECONDS)
        with suppress(OSError, smtplib.SMTPException):
            self.quit()
        self.close()

    def _options(self, letter: Letter) -> str:
        """RFC 6531: an address with other letters than ASCII before the @ needs a server that knows them."""
        if letter.recipient.isascii():
            return ""
        if not self.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("SMTPUTF8 not supported by server")
        self.command_encoding = "utf-8"
        return " SMTPUTF8 BODY=8BITMIME"

    def _replies(self, *commands: str) -> Iterator[tuple[int, bytes]]:
        """Send the commands together, if the server can read them so (RFC 2920), else each after the answer to the one before."""
        together = self.has_extn("pipelining")
        if together:
            self.send("".join(f"{command}\r\n" for command in commands))
        for command in commands:
            if not together:
                self.putcmd(command)
            yield self.getreply()

    def _hand_over(self, document: bytes) -> str:
        self._deadline = Deadline.after(settings.EMAIL_ACCEPTANCE_TIMEOUT_SECONDS)
        self.letter_is_out = True
        self.send(re.sub(rb"(?m)^\.", b"..", document) + b".\r\n")  # RFC 5321 section 4.5.2
        answer = expect(self.getreply(), 250)
        self._letters += 1
        return answer

    @contextmanager
    def _soon_if_kept(self) -> Iterator[None]:
        if self._letters:
            self._deadline = Deadline.after(KEPT_ANSWERS_WITHIN_SECONDS)
        yield
        if self._letters:
            self._deadline = _before_the_letter()

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._deadline.next_wait())


class EncryptedConversation(Conversation, smtplib.SMTP_SSL):
    """The same with TLS from the first byte; smtplib's default context would check no certificate."""

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        self.context = ssl.create_default_context()
        return super()._get_socket(host, port, timeout)  # type: ignore[misc]  # smtplib's hook, not in the stubs


def begin(server: Mapping[str, Any]) -> Conversation:
    """A new conversation, encrypted and signed in as Django's EMAIL_* settings say."""
    kind = EncryptedConversation if server.get("EMAIL_USE_SSL") else Conversation
    conversation = kind(str(server["EMAIL_HOST"]), int(server["EMAIL_PORT"]))
    try:
        if server.get("EMAIL_USE_TLS"):
            conversation.starttls(context=ssl.create_default_context())
        if server["EMAIL_HOST_USER"]:
            user, password = server["EMAIL_HOST_USER"], server["EMAIL_HOST_PASSWORD"] or ""
            conversation.login(_InUtf8(user), _InUtf8(password))
    except BaseException:
        conversation.hang_up()
        raise
    return conversation


def expect(reply: tuple[int, bytes], *good: int) -> str:
    """The answer as text. Raises SMTPResponseException unless its code is one of these."""
    code, answer = reply
    if code not in good:
        raise smtplib.SMTPResponseException(code, answer)
    return text(code, answer)


def text(code: int, answer: bytes | str) -> str:
    return f"{code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"


class _InUtf8(str):
    """smtplib encodes names and passwords as ASCII; SASL wants UTF-8 (RFC 4616 section 2)."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", errors)


def _before_the_letter() -> Deadline:
    step = settings.EMAIL_TIMEOUT_SECONDS
    return Deadline.after(STEPS * step, step=step)


@contextmanager
def _wrong_recipient_is_told_apart() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        said = text(error.smtp_code, error.smtp_error)
        if WRONG_RECIPIENT.match(said):
            raise WrongRecipient(said) from error
        raise
