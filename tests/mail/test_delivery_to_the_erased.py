"""A message that is being sent while its user is erased: no answer of a server brings the address back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from django.utils import timezone

from apps.accounts import erasure
from apps.mail import delivery
from apps.mail.models import Message, MessageState
from apps.users.models import User
from tests import factories
from tests.accounts.test_own_data import tables_with
from tests.mail import posting
from tests.mail.smtp import MailServer

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"
REPEATING = f"for <{EMAIL}>"


@pytest.fixture
def message() -> Message:
    user = factories.user(factories.customer(), EMAIL)
    return posting.post(posting.branding(user.customer_id), user_id=user.id)


def erase() -> None:
    user = User.objects.get()
    erasure.erase(customer_id=user.customer_id, user_id=user.id, context=factories.context("system"))


@contextmanager
def being_sent(message: Message, server: MailServer) -> Iterator[None]:
    """A worker is in the middle of its conversation with the server, which answers at the end."""
    server.hanging = True

    def work() -> None:
        try:
            delivery.attempt(message.id, now=timezone.now())
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    while not server.conversations:
        time.sleep(0.01)
    yield
    server.hanging = False
    worker.join()


@pytest.mark.parametrize(
    ("answer", "noted"),
    [
        (f"250 2.0.0 queued {REPEATING}", ["taken", "accepted"]),
        (f"451 4.3.0 try later {REPEATING}", ["taken", "deferred"]),
        (f"550 5.1.1 no mailbox {REPEATING}", ["taken"]),
    ],
)
def test_the_address_does_not_come_back_whatever_the_server_says(
    message: Message, mail_server: MailServer, answer: str, noted: list[str]
) -> None:
    """C4: erases the user."""
    mail_server.answer_to_data = answer
    with being_sent(message, mail_server):
        erase()
    assert tables_with(EMAIL) == set()
    assert posting.steps(message) == noted


def test_what_was_given_up_is_not_tried_again(message: Message, mail_server: MailServer) -> None:
    mail_server.answer_to_data = "451 4.3.0 try later"
    with being_sent(message, mail_server):
        erase()
    message.refresh_from_db()
    assert (message.state, message.recipient, message.content) == (MessageState.SUPPRESSED, "", "")
    assert delivery.take_overdue(now=timezone.now() + 2 * delivery.SETTLING, queue_is_empty=True) == []


def test_two_servers_that_repeat_the_address_bring_it_back_no_more_than_one(
    message: Message, mail_server: MailServer, make_mail_server: Callable[[], MailServer], settings: object
) -> None:
    fallback = make_mail_server()
    settings.EMAIL_URL_FALLBACK = fallback.url  # type: ignore[attr-defined]
    mail_server.answer_to_data = f"451 4.3.0 try later {REPEATING}"
    fallback.answer_to_data = f"250 2.0.0 queued {REPEATING}"
    with being_sent(message, mail_server):
        erase()
    assert tables_with(EMAIL) == set()


def test_of_whom_was_not_erased_the_answer_is_kept(message: Message, mail_server: MailServer) -> None:
    """C7.2: accepted by which server with which answer."""
    mail_server.answer_to_data = f"250 2.0.0 queued {REPEATING}"
    with being_sent(message, mail_server):
        pass
    assert tables_with(REPEATING) == {"mail_ledgerentry"}
