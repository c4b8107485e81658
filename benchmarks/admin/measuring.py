"""What one answer of the admin costs: measured in this process, without a network between.

Its milliseconds are CPU time, of this process and of its backend of PostgreSQL together: on an idle machine whose database is in
memory it waits for nothing else, and on a busy one the clock would measure the neighbours.
"""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client

ROUNDS = 2  # the first finds caches cold, and counts as the others do
FIRST_BYTES = 64 * 1024  # of a file that is streamed


@dataclass
class Statements:
    """The SQL that was sent, and how many seconds PostgreSQL's backend worked on each statement."""

    sent: list[tuple[float, str]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        began = backend_seconds()
        try:
            return execute(sql, *args)
        finally:
            self.sent.append((backend_seconds() - began, sql))


def backend_seconds() -> float:
    """CPU time of the backend that this process talks to. The kernel counts it in nanoseconds."""
    pid = connection.connection.info.backend_pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the quickest round; `slowest` is the statement that took longest."""

    python_ms: float
    postgres_ms: float
    statements: int
    plain_bytes: int
    sent_bytes: int
    slowest: str

    @property
    def server_ms(self) -> float:
        return self.python_ms + self.postgres_ms


@dataclass(frozen=True)
class _Round:
    python: float
    postgres: float
    statements: list[tuple[float, str]]
    body: bytes


def cost_of(browser: Client, ask: Callable[[Client], Any], rounds: int = ROUNDS) -> Cost:
    """Raises WrongAnswer for anything but 200."""
    best = min((_measured(browser, ask) for _ in range(rounds)), key=lambda each: each.python + each.postgres)
    return Cost(
        python_ms=1000 * best.python,
        postgres_ms=1000 * best.postgres,
        statements=len(best.statements),
        plain_bytes=len(best.body),
        sent_bytes=len(gzip.compress(best.body, 6)),
        slowest=max(best.statements, default=(0.0, ""))[1],
    )


class WrongAnswer(Exception):
    """A page that answers with something else costs nothing that could be compared."""

    def __init__(self, path: str, status: int) -> None:
        super().__init__(f"{path}: {status}")
        self.status = status


def _measured(browser: Client, ask: Callable[[Client], Any]) -> _Round:
    with _statements() as statements:
        python, postgres = time.process_time(), backend_seconds()
        answer = ask(browser)
        body = _first_bytes(answer) if answer.streaming else answer.content
        python, postgres = time.process_time() - python, backend_seconds() - postgres
    if answer.status_code != HTTPStatus.OK:
        raise WrongAnswer(f"{answer.request['PATH_INFO']}?{answer.request['QUERY_STRING']}", answer.status_code)
    return _Round(python, postgres, statements.sent, body)


@contextmanager
def _statements() -> Iterator[Statements]:
    counting = Statements()
    with connection.execute_wrapper(counting):
        yield counting


def _first_bytes(answer: Any) -> bytes:
    body = b""
    for part in answer.streaming_content:
        body += part
        if len(body) >= FIRST_BYTES:
            break
    return body
