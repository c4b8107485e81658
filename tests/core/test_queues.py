"""Tasks are put into the broker's queues as Celery would put them, and again after the broker was away."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from celery import current_app

from apps.approvals.tasks import ask_identity_check
from apps.core import queues, valkey
from apps.core.ids import new_id
from apps.mail import tasks
from apps.mail.tasks import send
from tests.engines import OwnValkey

PREFIX = "gatehouse:celery:"
OF_THE_DELIVERY = {"delivery_tag", "reply_to"}  # differs from one to the next, or from thread to thread


@pytest.fixture
def empty_queues() -> Iterator[None]:
    valkey.client().flushdb()
    yield
    valkey.client().flushdb()


@contextmanager
def broker_at(own_valkey: OwnValkey) -> Iterator[None]:
    before = current_app.conf.broker_write_url
    url = own_valkey.url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    current_app.conf.broker_write_url = url
    queues.hang_up()
    yield
    current_app.conf.broker_write_url = before
    queues.hang_up()


def waiting_in(queue: str) -> list[dict[str, Any]]:
    """What waits there, oldest first."""
    return [json.loads(item) for item in reversed(valkey.client().lrange(PREFIX + queue, 0, -1))]


def read(message: dict[str, Any]) -> dict[str, Any]:
    """The message as a worker reads it."""
    properties = {name: value for name, value in message["properties"].items() if name not in OF_THE_DELIVERY}
    return {**message, "properties": properties, "body": json.loads(b64decode(message["body"]))}


@pytest.mark.parametrize(("task", "queue"), [(send, "mail"), (ask_identity_check, "outside")])
def test_a_worker_cannot_tell_a_prepared_task_from_one_that_celery_makes(
    task: Any, queue: str, empty_queues: None
) -> None:
    first, second = str(new_id()), str(new_id())
    for row in (first, second):
        queues.put(task, row)
    for row in (first, second):
        task.apply_async((row,), task_id=row)
    *ours, third, fourth = map(read, waiting_in(queue))
    assert ours == [third, fourth]
    assert [message["body"][0] for message in ours] == [[first], [second]]


def test_a_task_that_shall_wait_says_until_when(empty_queues: None) -> None:
    queues.put(send, str(new_id()), wait=60)
    (message,) = waiting_in("mail")
    assert message["headers"]["eta"]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_lost_the_broker_finds_it_again(own_valkey: OwnValkey) -> None:
    """C7.1: with the connection that it had before."""
    with broker_at(own_valkey):
        assert tasks.enqueue(new_id()) is True
        own_valkey.kill()
        assert [tasks.enqueue(new_id()) for _ in range(2)] == [False, False], "neither hangs"
        own_valkey.start()
        own_valkey.flush()
        assert tasks.enqueue(new_id()) is True
        assert queues.length(send) == 1


@pytest.mark.django_db(transaction=True)
def test_all_tasks_of_a_process_go_by_the_same_connection(own_valkey: OwnValkey) -> None:
    with broker_at(own_valkey), redis.Redis.from_url(own_valkey.url) as operator:
        assert tasks.enqueue(new_id()) is True
        before = operator.info("stats")["total_connections_received"]
        assert all(tasks.enqueue(new_id()) for _ in range(20))
        assert operator.info("stats")["total_connections_received"] == before


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_pauses_fails_no_request(own_valkey: OwnValkey) -> None:
    """As during a failover: it takes connections, and answers nothing."""
    with broker_at(own_valkey), redis.Redis.from_url(own_valkey.url) as operator:
        assert tasks.enqueue(new_id()) is True
        operator.client_pause(60_000, all=False)
        assert tasks.enqueue(new_id()) is False
        operator.client_unpause()
        assert tasks.enqueue(new_id()) is True
