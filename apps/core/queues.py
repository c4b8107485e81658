"""The broker's queues: putting a task into one, and how long one is."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from celery import Task, current_app
from kombu import Connection, Producer, Queue
from kombu.utils.json import dumps

# Requests publish too, and must not hang on a broker that accepts connections and says nothing.
PATIENCE_SECONDS = 1.0
PATIENCE = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
STAND_IN = "00000000-0000-0000-0000-000000000000"

RowTask = Task[Any, Any]  # its one argument is a row's id


@dataclass(frozen=True)
class PreparedTask:
    """A task as Celery publishes it, but for the row's id, which becomes the task's id, too.

    `Task.apply_async` makes message, route and connection anew at each call (measured: 1,650 µs, against 210).
    """

    queue: Queue
    body: str
    headers: Mapping[str, Any]
    options: Mapping[str, Any]

    def publish(self, row_id: str, producer: Producer) -> None:
        producer.publish(
            self.body.replace(STAND_IN, row_id),
            content_type="application/json",
            content_encoding="utf-8",
            headers=_about(self.headers, row_id),
            declare=self._undeclared(producer),
            **_about(self.options, row_id),
        )

    def _undeclared(self, producer: Producer) -> list[Queue]:
        """The queue, unless this connection has declared it. Kombu would look, too, but makes a copy of the queue first."""
        connection: Any = producer.connection
        return [] if hash(self.queue) in connection.declared_entities else [self.queue]


def put(task: RowTask, row_id: str, *, wait: float = 0) -> None:
    """Put the task for a row into its queue, for a worker to take in `wait` seconds.

    Takes about a second at most. Raises what the broker's client raises when it is away.
    """
    with _lent_producer() as producer:
        if wait:
            task.apply_async((row_id,), countdown=wait, producer=producer, retry=False)
        else:
            _prepared(task).publish(row_id, producer)


def length(task: RowTask) -> int:
    """How many tasks wait in the queue that this one goes to. Raises what the broker's client raises when it is away."""
    queue: Any = task.app.amqp.router.route({}, task.name)["queue"]
    with task.app.connection_for_write(transport_options=PATIENCE) as broker:
        return int(queue(broker.default_channel).queue_declare().message_count)


class _Recorder(Producer):
    """In the place of a broker, once: keeps what Celery would publish."""

    body: Any
    options: dict[str, Any]

    def publish(self, body: Any, *_: Any, **options: Any) -> None:
        self.body, self.options = body, options


@lru_cache
def _prepared(task: RowTask) -> PreparedTask:
    with Connection("memory://") as nowhere:
        recorder = _Recorder(nowhere)
        task.apply_async((STAND_IN,), task_id=STAND_IN, producer=recorder, retry=False)
    options = recorder.options
    (queue,) = options.pop("declare")
    return PreparedTask(queue, dumps(recorder.body), options.pop("headers"), options)


def _about(values: Mapping[str, Any], row_id: str) -> dict[str, Any]:
    return {name: each.replace(STAND_IN, row_id) if isinstance(each, str) else each for name, each in values.items()}


# Connections to the broker that nobody uses at this moment. Kombu's pool examines, revives and releases what it lends, which costs a
# third of a message to Valkey (on a busy machine 130 µs of 440).
_idle: list[Producer] = []


@contextmanager
def _lent_producer() -> Iterator[Producer]:
    """A connection of this process, for one thread at a time. One that has failed is given up."""
    try:
        producer = _idle.pop()
    except IndexError:
        producer = Producer(current_app.connection_for_write(transport_options=PATIENCE))
    try:
        yield producer
    except BaseException:
        _give_up(producer)
        raise
    _idle.append(producer)


def _give_up(producer: Producer) -> None:
    connection: Any = producer.connection
    with suppress(Exception):  # there may be nobody left to say goodbye to
        connection.release()


def hang_up() -> None:
    """Close the connections of this process that are not used at this moment."""
    while _idle:
        _give_up(_idle.pop())


os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
