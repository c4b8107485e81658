"""What the journeys share: the client, the mailbox, and steps that must succeed."""

import re
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from demo import inbox, screen
from demo.client import Answer, Client, over_http

MAIL_WITHIN_SECONDS = 60


class StepFailed(Exception):
    """A step of a journey did not end as expected."""


class Stage:
    """Calls the API as the demo's customer, reads the demo's mailbox, and shows both."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self.facts = facts
        self.client = self.client_with(facts["api_key"])
        self._mailbox = Path(facts["mailbox"])
        self._steps = 0

    def client_with(self, api_key: str | None) -> Client:
        """A client with this key, or with none."""
        return Client(
            send=over_http(self.facts["base_url"]),
            api_key=api_key,
            service_key=self.facts["service_encryption_key"],
        )

    def step(self, text: str) -> None:
        self._steps += 1
        screen.step(self._steps, text)

    def show(self, answer: Answer, *, expected: int) -> Any:
        """Print the exchange. Raises StepFailed for another status."""
        screen.sent(answer.call, answer.sent_document, answer.sent_wire)
        screen.received(answer.status, answer.document, answer.wire if answer.encrypted else None)
        self.require(answer.status == expected, f"expected {expected}, got {answer.status}")
        return answer.document

    def require(self, true: bool, otherwise: str) -> None:  # noqa: FBT001  (reads as an assertion)
        if not true:
            raise StepFailed(f"The journey failed: {otherwise}.")

    def mail(self, recipient: str, *, about: re.Pattern[str]) -> EmailMessage:
        """Wait for a mail to `recipient` whose text matches `about`; the newest one."""
        try:
            message = inbox.wait_for_mail(
                self._mailbox, recipient=recipient, about=about, within_seconds=MAIL_WITHIN_SECONDS
            )
        except TimeoutError as error:
            raise StepFailed(str(error)) from error
        screen.note(f"From {message['From']}: “{message['Subject']}”")
        return message

    def code(self, recipient: str) -> str:
        """The code in the newest mail to `recipient` that holds one."""
        code = inbox.code_in(self.mail(recipient, about=inbox.CODE))
        screen.note(f"The code is {code}")
        return code
