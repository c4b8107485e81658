"""A real SMTP server that behaves as a test decides: it accepts, refuses, hangs, counts, and keeps what it got."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from apps.mail import idle_conversations
from tests.ports import free_port


@dataclass(frozen=True)
class Letter:
    """What a server was given: what it was told about us, the envelope, and the letter in it, as sent and as read."""

    greeted_as: str
    sender: str
    recipients: list[str]
    raw: bytes
    message: EmailMessage

    def part(self, kind: str) -> str:
        """The text of the "plain" or the "html" part."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


class MailServer:
    """Listens on a port of its own. `answer_to_recipient` and `answer_to_data` are SMTP replies.

    While `hanging`, it does not answer DATA; while `cutting`, it drops the connection instead. `slow`: it answers after so
    many seconds, whether or not anybody still listens, and has the mail then. `options` are aiosmtpd's.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.port = free_port()
        self.letters: list[Letter] = []
        self.greetings = 0  # of connections that were begun
        self.goodbyes = 0
        self.knows_pipelining = False
        self.most_letters = 1_000_000
        self.says_then: dict[str, str] = {}
        self.conversations = 0  # that got as far as DATA
        self.answer_to_recipient = "250 2.1.5 Ok"
        self.answer_to_data = "250 2.0.0 Ok: queued as 4F2B"
        self.hanging = False
        self.cutting = False
        self.slow = 0.0
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=90, **self.options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self.hanging = False
            self._controller.stop()
            self._controller = None

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name, session.letters = hostname, 0
        return [*responses[:-1], *(["250-PIPELINING"] if self.knows_pipelining else []), responses[-1]]

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.goodbyes += 1
        return "221 Bye"

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if (said := await self._tired_of(session, "MAIL")) is not None:
            return said
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def _tired_of(self, session: Any, command: str) -> str | None:
        """What a connection that has had its letters is told."""
        if session.letters < self.most_letters or command not in self.says_then:
            return None
        while not self.says_then[command]:  # noqa: ASYNC110  (as below)
            await asyncio.sleep(0.01)
        return self.says_then[command]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if (said := await self._tired_of(session, "RCPT")) is not None:
            return said
        if self.answer_to_recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's names)
        self.conversations += 1
        while self.hanging:  # noqa: ASYNC110  (set by the test's thread, which has no part in this loop)
            await asyncio.sleep(0.01)
        await asyncio.sleep(self.slow)
        if self.cutting:
            server.transport.abort()
        elif self.answer_to_data.startswith("2"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            letter = Letter(session.host_name, envelope.mail_from, envelope.rcpt_tos, envelope.content, message)  # type: ignore[arg-type]
            self.letters.append(letter)
            session.letters += 1
        return self.answer_to_data


@pytest.fixture
def make_mail_server() -> Iterator[Callable[..., MailServer]]:
    """As many servers as a test needs, each started."""
    servers: list[MailServer] = []

    def make(**options: Any) -> MailServer:
        server = MailServer(**options)
        servers.append(server)
        server.start()
        return server

    yield make
    idle_conversations.hang_up()
    for server in servers:
        server.stop()


@pytest.fixture
def mail_server(make_mail_server: Callable[..., MailServer], settings: Any) -> MailServer:
    """The server that EMAIL_URL names, started."""
    server = make_mail_server()
    settings.EMAIL_URL = server.url
    return server
