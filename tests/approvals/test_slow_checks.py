"""An outside check that is slow keeps nothing else waiting: its requests have a queue of their own."""

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from apps.approvals import decisions, outside_requests, tasks
from apps.approvals.models import IdentityCheck
from apps.mail.models import Message, MessageState
from config.celery import app
from tests import factories
from tests.approvals.checking import Asked, Checkers
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PRIVATE = {"IDENTITY_CHECK_PRIVATE_ADDRESSES": "true"}
MakeWorker = Callable[..., Worker]


def another_waits(asked: Asked, email: str) -> None:
    user = factories.user(asked.customer, email, status="pending", email_verified_at=timezone.now())
    decisions.open_for(user, customer=factories.state_of(asked.customer), now=timezone.now())


@pytest.fixture
def outside() -> Iterator[Callable[[], int]]:
    """How many tasks wait in the queue of outside checks, which is empty before and after."""
    with app.connection_for_write() as broker:
        queue = app.amqp.queues["outside"](broker.default_channel)
        queue.declare()
        queue.purge()
        yield lambda: int(queue.queue_declare().message_count)
        queue.purge()


@pytest.mark.usefixtures("outside")
def test_a_checker_that_is_slow_keeps_no_mail_waiting(
    asked: Asked, checker: Checkers, mail_server: MailServer, make_worker: MakeWorker
) -> None:
    """With workers as compose.yaml has them. Each check is signed, and leased, when it is asked for.

    Were it when the batch was handed over, the last of a slow one would bear an old signature, and be asked for twice.
    """
    another_waits(asked, "bob@example.com")
    make_worker(queues="mail", EMAIL_URL=mail_server.url)
    make_worker(queues="outside", **PRIVATE)
    assert_accepted(posting.post())  # the worker has started
    checker.may_answer.clear()
    tasks.ask_identity_checks()
    wait_until(lambda: checker.got)
    assert_accepted(posting.post())
    assert not IdentityCheck.objects.exclude(asked_at=None).exists(), "the first is still being asked for"
    assert len(checker.got) == 1, "one after the other"
    answered_at = timezone.now()
    checker.may_answer.set()
    wait_until(lambda: IdentityCheck.objects.exclude(asked_at=None).count() == 2)
    assert checker.got[1].signed_at >= int(answered_at.timestamp())
    _first, second = IdentityCheck.objects.order_by("asked_at")
    assert second.asked_at and second.next_try_at
    assert second.asked_at >= answered_at
    assert second.next_try_at - second.asked_at >= outside_requests.LEASE, "and so is each one's lease"


def assert_accepted(message: Message) -> None:
    wait_until(lambda: posting.steps(message)[-1:] == ["accepted"])


@pytest.mark.usefixtures("outside")
def test_a_worker_that_is_told_nothing_of_queues_takes_all(
    asked: Asked, checker: Checkers, mail_server: MailServer, make_worker: MakeWorker
) -> None:
    make_worker(EMAIL_URL=mail_server.url, **PRIVATE)
    tasks.ask_identity_checks.delay()
    message = posting.post()
    wait_until(lambda: checker.got and posting.steps(message)[-1:] == ["accepted"])
    message.refresh_from_db()
    assert message.state == MessageState.SENT


def test_a_queue_that_nobody_takes_from_stays_short(
    asked: Asked, outside: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_requests, "BATCH", 2)
    for number in range(3):
        another_waits(asked, f"{number}@example.com")
    assert [tasks.ask_identity_checks() for _ in range(4)] == [2, 0, 0, 0]
    assert outside() == 2
