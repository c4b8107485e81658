"""The ways of a mail with a real worker and a real SMTP server: nothing is lost, and nothing comes twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.mail import delivery, outbox, tasks
from apps.mail.delivery import Overdue
from apps.mail.models import Message, MessageState
from tests import cleaning
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MakeWorker = Callable[..., Worker]


@pytest.fixture
def state_of() -> Iterator[Callable[[Message], str]]:
    yield lambda message: Message.objects.values_list("state", flat=True).get(id=message.id)


def test_a_posted_mail_arrives_by_itself_and_one_rolled_back_never_does(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str]
) -> None:
    """C7.1: the mail and what it belongs to commit together, and a worker sends it."""
    make_worker(EMAIL_URL=mail_server.url)

    class ItWentWrong(Exception):
        pass

    with pytest.raises(ItWentWrong), transaction.atomic():
        posting.post(recipient="rolled-back@example.com")
        raise ItWentWrong
    with transaction.atomic():
        message = posting.post()

    wait_until(lambda: state_of(message) == MessageState.SENT)
    assert [letter.recipients for letter in mail_server.letters] == [["ada@example.com"]]


def test_a_worker_killed_between_taking_a_mail_and_sending_it_loses_nothing_and_repeats_nothing(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str], settings: Any
) -> None:
    """C7.2: a worker crash loses no mail."""
    lease = {"MAIL_LEASE_SECONDS": "3"}
    mail_server.hanging = True
    doomed = make_worker(EMAIL_URL=mail_server.url, **lease)
    message = posting.post()
    wait_until(lambda: mail_server.conversations == 1)
    assert state_of(message) == MessageState.TAKEN

    doomed.kill()
    mail_server.cutting = True  # the conversation that nobody continues ends without a letter
    mail_server.stop()
    mail_server.start()
    mail_server.cutting = False
    make_worker(EMAIL_URL=mail_server.url, **lease)

    def swept_up() -> bool:
        tasks.sweep()
        return state_of(message) == MessageState.SENT

    wait_until(swept_up)
    assert len([letter for letter in mail_server.letters if letter.recipients]) == 1
    assert posting.steps(message) == ["taken", "taken", "accepted"]


def test_the_mail_of_a_worker_that_was_killed_may_be_taken_within_seconds(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str]
) -> None:
    """C7.2, seen: it waited for 75 s. The lease of the dead is not renewed, and the sweeper comes every 5 s."""
    mail_server.hanging = True
    doomed = make_worker(EMAIL_URL=mail_server.url)
    message = posting.post()
    wait_until(lambda: mail_server.conversations == 1)
    doomed.kill()
    killed_at = timezone.now()
    cleaning.wait_for_others()  # it may have renewed its lease a moment before
    mail_server.hanging = False

    free_at = Message.objects.get(id=message.id).leased_until
    assert free_at is not None
    assert free_at - killed_at <= timedelta(seconds=settings.MAIL_LEASE_SECONDS)
    assert settings.MAIL_LEASE_SECONDS + settings.CELERY_BEAT_SCHEDULE["sweep-mail"]["schedule"].total_seconds() <= 15
    assert delivery.take_overdue(now=free_at, queue_is_empty=True) == []
    after = free_at + timedelta(milliseconds=1)
    assert delivery.take_overdue(now=after, queue_is_empty=False) == [Overdue(message.id, was_tried=True)]


def test_a_server_that_takes_long_to_answer_gets_the_mail_once(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str]
) -> None:
    """C7.2: a living worker renews its lease many times over, and the others leave the mail alone."""
    mail_server.slow = 5.0
    quick_lease = {"MAIL_LEASE_SECONDS": "2", "EMAIL_TIMEOUT_SECONDS": "2"}
    for _ in range(2):
        make_worker(EMAIL_URL=mail_server.url, **quick_lease)
    message = posting.post()

    def sent() -> bool:
        tasks.sweep()
        tasks.enqueue(message.id)
        return state_of(message) == MessageState.SENT

    wait_until(sent)
    assert mail_server.conversations == 1
    assert posting.steps(message) == ["taken", "accepted"]


def test_an_outage_of_the_mail_server_is_bridged_by_the_worker_alone(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str]
) -> None:
    """C7.2: an SMTP outage loses no mail; the worker comes back by itself, with no sweeper."""
    mail_server.stop()
    make_worker(EMAIL_URL=mail_server.url)
    message = posting.post()
    wait_until(lambda: "deferred" in posting.steps(message))
    mail_server.start()
    wait_until(lambda: state_of(message) == MessageState.SENT)
    assert len(mail_server.letters) == 1


def test_a_mail_whose_task_was_lost_with_the_broker_is_swept_up(
    mail_server: MailServer, make_worker: MakeWorker, state_of: Callable[[Message], str], settings: Any
) -> None:
    """C7.1: a sweeper re-enqueues what a lost broker forgot."""
    now = timezone.now()
    message = outbox._message(posting.draft(), posting.branding(), now - timedelta(seconds=30))
    message.save(force_insert=True)  # the row alone: no task was ever published
    make_worker(EMAIL_URL=mail_server.url)

    assert tasks.sweep() == 1

    wait_until(lambda: state_of(message) == MessageState.SENT)
    assert len(mail_server.letters) == 1
