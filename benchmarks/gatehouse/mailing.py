"""What the mail's job needs beside the service: a mail server that takes everything, and the worker that sends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller

from benchmarks.servers import free_port, inherited
from config.embedded.engine import end_with_parent
from config.environment import PROJECT_ROOT

HOST = "127.0.0.1"
# As compose.yaml starts it.
WORKER = (
    sys.executable,
    "-m",
    "celery",
    "--app",
    "config.celery",
    "worker",
    "--loglevel",
    "INFO",
    "--concurrency",
    "2",
)
STOP_WITHIN_SECONDS = 15


class Inbox:
    """Everybody's mail: who was written to, and when the server took it, in the order in which it did. A context."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, datetime]] = []
        self._controller = Controller(self, hostname=HOST, port=free_port())

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        self.taken.append((envelope.rcpt_tos[0], datetime.now(UTC)))
        return "250 2.0.0 Ok"

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self._controller.port}"


@contextmanager
def worker(environment: dict[str, str], *, log: Path) -> Iterator[None]:
    """The worker of the queue of mails, until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*WORKER, "--queues", "mail"],
            cwd=PROJECT_ROOT,
            env={**inherited(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent(15),  # noqa: PLW1509  (only before any thread of ours that holds a lock)
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
