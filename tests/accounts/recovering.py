"""Forgetting a password and setting another, as a client does, with the link that came by mail."""

import re

from apps.mail import outbox
from apps.mail.models import Message
from demo.client import Answer, Client
from tests.signin.entering import EMAIL, FRESH

TOKEN = re.compile(r"#token=([\w-]+)")


def forgot(client: Client, email: str = EMAIL) -> Answer:
    return client.before_sign_in("/api/auth/forgot-password", {"email": email})


def reset(client: Client, token: str, password: str = FRESH) -> Answer:
    return client.before_sign_in("/api/auth/reset-password", {"token": token, "password": password})


def text_of_newest(kind: str) -> str:
    return outbox.content_of(Message.objects.filter(kind=kind).exclude(content="").order_by("-id")[0]).text


def mailed_token() -> str:
    found = TOKEN.search(text_of_newest("password_reset"))
    assert found
    return found[1]
