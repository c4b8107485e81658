"""Counting what a request costs: SQL statements, and round trips to Valkey."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.connection import AbstractConnection

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass
class Cost:
    """Statements without BEGIN, COMMIT and the like; transactions; round trips."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0
    round_trips: int = 0


def _teaches(command: object) -> bool:
    """Whether a script is sent as a text: once, when Valkey does not know it by name yet. Which test is the first is an accident."""
    return b"\r\nEVAL\r\n" in (command if isinstance(command, bytes) else b"".join(command))  # type: ignore[call-overload]


@contextmanager
def counted() -> Iterator[Cost]:
    """What the block costs."""
    cost = Cost()
    send = AbstractConnection.send_packed_command

    def counting(self: AbstractConnection, command: object, *args: object, **options: object) -> object:
        cost.round_trips += not _teaches(command)
        return send(self, command, *args, **options)

    with (
        mock.patch.object(AbstractConnection, "send_packed_command", counting),
        CaptureQueriesContext(connection) as queries,
    ):
        yield cost
    texts = [query["sql"] for query in queries.captured_queries]
    cost.transactions = sum(text.startswith("BEGIN") for text in texts)
    cost.statements = [text for text in texts if not text.startswith(TRANSACTION)]
