"""A real Celery worker, as a process of its own on this test's database and broker, to start and to kill."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from tests import warm


class Worker:
    """`celery worker` with one child. Give it the environment that shall differ from the test's, such as EMAIL_URL.

    `queues`: those that it takes; all of them without a word.
    """

    def __init__(self, *, queues: str = "", **environment: str) -> None:
        self.environment = environment
        self.queues = queues
        self._process: warm.Process | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the worker)

    def start(self) -> None:
        options = ["--pool=prefork", "--concurrency=1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        options += ["--queues", self.queues] if self.queues else []
        self._process = warm.Process(
            ["-m", "celery", "--app", "config.celery", "worker", "--loglevel=INFO", *options],
            environment=environment_of_process(**self.environment),
            output=self._log,
            start_new_session=True,
        )

    def told(self) -> str:
        """What it has logged."""
        return warm.written(self._log)

    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As the kernel's out-of-memory killer would: the worker and its children at once, with no word."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self._log.close()

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(process.pid, number)
        process.see_end(within=10)


def environment_of_process(**different: str) -> dict[str, str]:
    """What a process needs to work on this test's engines."""
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
        "REDIS_URL": settings.REDIS_URL,
        **different,
    }


@pytest.fixture
def make_worker() -> Iterator[Callable[..., Worker]]:
    """Workers that end with the test: `make_worker(EMAIL_URL=…)`, started."""
    workers: list[Worker] = []

    def make(*, queues: str = "", **environment: str) -> Worker:
        worker = Worker(queues=queues, **environment)
        workers.append(worker)
        worker.start()
        return worker

    yield make
    for worker in workers:
        worker.stop()
        sys.stdout.write(worker.told())  # pytest shows it if the test has failed
        worker.close()


def wait_until(happened: Callable[[], object], *, within: float = 90) -> None:
    """Look until it has happened. Fails after so many seconds."""
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
