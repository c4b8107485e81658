"""Telling a worker never fails a request, and never keeps it for long."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from apps.core import queues
from apps.core.ids import new_id
from apps.mail import tasks
from apps.mail.models import Message, MessageState
from tests.mail import posting
from tests.ports import free_port
from tests.timing import takes_at_most


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    before = current_app.conf.broker_write_url
    current_app.conf.broker_write_url = url
    queues.hang_up()
    yield
    current_app.conf.broker_write_url = before
    queues.hang_up()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_fails_no_request() -> None:
    """C7.1: the row is what makes the mail go out."""
    with broker_at(f"redis://127.0.0.1:{free_port()}/0"):
        assert takes_at_most(1.5, post)
        message = Message.objects.earliest("created_at")
        assert tasks.enqueue(message.id) is False
    message.refresh_from_db()
    assert (message.state, message.enqueued_at) == (MessageState.QUEUED, None), "the sweeper need not wait for a task"
    assert tasks.enqueue(message.id) is True


def post() -> None:
    with transaction.atomic():
        posting.post()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_accepts_connections_and_says_nothing_costs_a_request_about_a_second() -> None:
    silent, enqueued = socket.create_server(("127.0.0.1", 0)), list[bool]()
    with closing(silent), broker_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0"):
        assert takes_at_most(2, lambda: enqueued.append(tasks.enqueue(new_id())))
    assert set(enqueued) == {False}


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_stops_at_the_first_message_that_the_broker_does_not_take() -> None:
    now = timezone.now() - timedelta(seconds=30)
    with broker_at(f"redis://127.0.0.1:{free_port()}/0"):
        for _ in range(3):
            posting.post(now=now)
        assert tasks.sweep() == 0
    assert tasks.sweep() == 3


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_leaves_no_mark_on_what_the_broker_did_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker goes away between the look at its queue and the first task."""
    for _ in range(3):
        posting.post(now=timezone.now() - timedelta(seconds=30))
    monkeypatch.setattr(queues, "length", lambda _task: 0)
    with broker_at(f"redis://127.0.0.1:{free_port()}/0"):
        assert tasks.sweep() == 0
    assert set(Message.objects.values_list("enqueued_at", flat=True)) == {None}
