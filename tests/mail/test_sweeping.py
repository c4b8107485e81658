"""The sweeper: what is in the queue is not put there again, and what the broker has lost is."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import queues
from apps.mail import delivery, outbox, tasks
from apps.mail.models import Message, MessageState
from config.celery import app
from tests.mail import posting
from tests.mail.smtp import MailServer
from tests.worker import Worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MakeWorker = Callable[..., Worker]
Waiting = Callable[[], int]


@pytest.fixture(autouse=True)
def queue() -> Iterator[Waiting]:
    """How many tasks wait in the queue of mails, which is empty before and after."""
    flush()
    yield lambda: queues.length(tasks.send)
    flush()


def flush() -> None:
    """What a broker without a memory does when it starts again."""
    with app.connection_for_write() as broker:
        app.amqp.queues["mail"](broker.default_channel).purge()


def post(number: int, *, seconds_ago: float) -> None:
    for _ in range(number):
        posting.post(now=timezone.now() - timedelta(seconds=seconds_ago))


def passes(seconds: float) -> None:
    """As if so many seconds went by."""
    for message in Message.objects.all():
        for name in ("created_at", "next_try_at", "enqueued_at", "leased_until"):
            if (at := getattr(message, name)) is not None:
                setattr(message, name, at - timedelta(seconds=seconds))
        message.save()


def test_five_mails_that_wait_for_a_stopped_worker_have_five_tasks_however_often_it_is_swept(queue: Waiting) -> None:
    """C7.1."""
    post(5, seconds_ago=11)
    for _ in range(3):
        assert tasks.sweep() == 0
        passes(15)
    assert queue() == 5


def test_a_worker_that_is_stopped_for_long_finds_few_tasks_of_one_mail(queue: Waiting) -> None:
    """In doubt whether a task was lost, the sweeper asks again after a minute, and then after twice as long each time."""
    posting.post(lifetime=24 * 3600)
    for _ in range(30):
        passes(60)
        tasks.sweep()
    assert 2 <= queue() <= 6


def test_what_the_broker_has_forgotten_is_enqueued_again_at_the_next_sweep(queue: Waiting) -> None:
    post(5, seconds_ago=11)
    flush()
    assert tasks.sweep() == 5
    assert tasks.sweep() == 0
    assert queue() == 5


def test_what_the_broker_has_forgotten_is_enqueued_again_though_others_wait(queue: Waiting) -> None:
    post(2, seconds_ago=30)
    flush()
    post(1, seconds_ago=0)
    assert tasks.sweep() == 0
    passes(31)
    assert tasks.sweep() == 2
    assert queue() == 3


def test_mails_go_out_although_the_broker_was_flushed(mail_server: MailServer, make_worker: MakeWorker) -> None:
    """C7.1: with a real worker that is started after the loss."""
    post(5, seconds_ago=11)
    flush()
    make_worker(queues="mail", EMAIL_URL=mail_server.url)
    tasks.sweep()
    wait_until(lambda: not Message.objects.exclude(state=MessageState.SENT).exists())
    assert len(mail_server.letters) == 5


def test_a_mail_of_a_worker_that_died_is_enqueued_as_soon_as_its_lease_has_run_out(queue: Waiting) -> None:
    """C7.2. Its own task was taken from the queue; others wait there."""
    message = posting.post()
    flush()
    delivery._take_named(message.id, timezone.now())
    post(1, seconds_ago=0)
    assert tasks.sweep() == 0
    passes(121)
    Message.objects.filter(state=MessageState.QUEUED).delete()
    assert tasks.sweep() == 1
    assert queue() == 2


def test_a_mail_that_is_sent_again_is_not_swept_up_beside_its_own_task(queue: Waiting) -> None:
    message = posting.post(now=timezone.now() - timedelta(seconds=300))
    flush()
    Message.objects.update(state=MessageState.FAILED)
    message.refresh_from_db()
    outbox.resend(message=message, now=timezone.now())
    assert tasks.sweep() == 0
    assert queue() == 1
