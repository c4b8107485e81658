"""Changing the address of an account and undoing it, as a client does, with the link that came by mail."""

import re

from apps.mail import outbox
from apps.mail.models import Message
from apps.users.models import User
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, PASSWORD, generous, member

NEW = "lovelace@example.org"
TOKEN = re.compile(r"undo-email-change#token=([\w-]+)")


def ask(client: Client, token: str, email: str = NEW, password: str = PASSWORD) -> Answer:
    return client.post("/api/auth/change-email", {"email": email, "password": password}, token=token)


def confirm(client: Client, token: str, otp: str, email: str = NEW) -> Answer:
    return client.post("/api/auth/change-email/confirm", {"email": email, "otp": otp}, token=token)


def undo(client: Client, token: str) -> Answer:
    return client.before_sign_in("/api/auth/change-email/undo", {"token": token})


def undo_token(to: str = EMAIL) -> str:
    message = Message.objects.filter(kind="email_changed", recipient=to).order_by("-id")[0]
    found = TOKEN.search(outbox.content_of(message).text)
    assert found
    return found[1]


def moved(client_for: MakeClient) -> tuple[Client, str, User]:
    """A client, the token of a session, and a user whose address has just been changed."""
    customer = generous(code_resend_after=0)
    user = member(customer)
    client, token = client_for(customer), factories.session(user).access
    assert ask(client, token).status == 202
    assert confirm(client, token, newest_code()).status == 200
    return client, token, user
