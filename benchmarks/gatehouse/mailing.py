"""What the mail's job needs beside the service: a mail server that takes everything, and the worker that sends."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from benchmarks import accounting
from benchmarks.mail_sink import HOST
from benchmarks.ports import free_port
from benchmarks.servers import inherited
from config.embedded.engine import end_with_parent
from config.environment import PROJECT_ROOT

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


class Process:
    """One that ends with the benchmarks, and whose CPU time is known. A context."""

    def __init__(self, command: Sequence[str], *, log: Path, environment: dict[str, str] | None = None) -> None:
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                env={**inherited(), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_parent(15),  # noqa: PLW1509  (only before any thread of ours that holds a lock)
            )

    def cpu_seconds(self) -> float:
        """So far, with its children."""
        return accounting.cpu_seconds(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Inbox(Process):
    """Everybody's mail: who was written to, and when the server took it, in the order in which it did."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._file = folder / "inbox.txt"
        self._file.write_text("")
        command = (sys.executable, "-m", "benchmarks.mail_sink", str(self._port), str(self._file))
        super().__init__(command, log=folder / "mail_sink.log")

    @property
    def taken(self) -> list[tuple[str, datetime]]:
        lines = self._file.read_text(encoding="utf-8").splitlines(keepends=True)
        return [_read(line) for line in lines if line.endswith("\n")]

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self._port}"


def _read(line: str) -> tuple[str, datetime]:
    address, at = line.split()
    return address, datetime.fromtimestamp(float(at), UTC)


def worker(environment: dict[str, str], *, log: Path) -> Process:
    """The worker of the queue of mails."""
    return Process([*WORKER, "--queues", "mail"], log=log, environment=environment)
