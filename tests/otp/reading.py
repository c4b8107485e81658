"""Reading codes from the outbox, as their recipients would from the mail."""

import re

from apps.mail import outbox
from apps.mail.models import Message

NEVER_RIGHT = {"000000", "123456"}  # what tests give as a wrong code: each time, one of a million would be right

# A policy whose codes stand in no id, time or token by chance: of six digits, each page with a hundred ids holds some.
UNMISTAKABLE = {"code_alphabet": "letters", "code_length": 10}


def code_of(message: Message) -> str:
    found = re.search(r"#(\w+)$", outbox.content_of(message).text.strip())
    assert found, "the mail holds no code"
    return found[1]


def newest_code() -> str:
    return code_of(Message.objects.exclude(content="").order_by("-id")[0])


def all_codes() -> list[str]:
    """Oldest first."""
    return [code_of(message) for message in Message.objects.exclude(content="").order_by("id")]


def wrong_code(right: str) -> str:
    """A code that differs in its last digit."""
    return right[:-1] + ("0" if right[-1] != "0" else "1")
