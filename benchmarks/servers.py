"""Serving an application as the image does: granian with the Dockerfile's own flags, but one worker."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import accounting
from benchmarks.ports import HOST, free_port
from config.embedded.engine import end_with_parent
from config.environment import PROJECT_ROOT

READY_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 8
LOG_TAIL_LINES = 15


class ServerFailed(Exception):
    """An application did not come up. The message ends with the tail of its log."""


@dataclass(frozen=True)
class Application:
    """How an application is served. `{port}` in the command and the environment becomes the port it shall listen at."""

    command: tuple[str, ...]
    environment: Mapping[str, str]  # all of it but PATH and HOME
    folder: Path  # where it runs


def granian(
    target: str,
    *,
    environment: Mapping[str, str],
    folder: Path = PROJECT_ROOT,
    interface: str = "wsgi",
    python: str = sys.executable,
    workers: int = 1,
) -> Application:
    """An application of Python. `target`: `module:name` as seen from `folder`; `python`: of the environment with its packages."""
    flags, variables = of_dockerfile((PROJECT_ROOT / "Dockerfile").read_text())
    changed = {"--interface": interface, "--host": HOST, "--port": "{port}"}
    command = [changed.get(before, flag) for before, flag in zip(["", *flags], flags, strict=False)]
    own = {**variables, "GRANIAN_WORKERS": str(workers), "PYTHONPATH": str(folder)}
    if interface != "wsgi":  # they have no threads of their own, and granian refuses the setting
        own.pop("GRANIAN_BLOCKING_THREADS", None)
    return Application((python, "-m", "granian", *command, target), {**own, **environment}, folder)


def of_dockerfile(text: str) -> tuple[list[str], dict[str, str]]:
    """The flags between the program and its target, and the variables for granian."""
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])
    return command[1:-1], dict(re.findall(r"\b(GRANIAN_\w+)=(\S+)", text))


class Server:
    """A running application. A context: leaving it ends the process and its descendants."""

    def __init__(self, application: Application, *, log: Path) -> None:
        self._application = application
        self.log = log
        self._port = free_port()
        self.url = f"http://{HOST}:{self._port}"

    def __enter__(self) -> Self:
        fill = {"{port}": str(self._port)}
        command = [fill.get(part, part) for part in self._application.command]
        environment = {name: fill.get(value, value) for name, value in self._application.environment.items()}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._application.folder,
                env={**inherited(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  (the benchmarks have one thread)
            )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def cpu_seconds(self) -> float:
        """Of the serving process, its parent and its helpers, if there are any."""
        return accounting.cpu_seconds(self._process.pid)

    def memory(self) -> accounting.Memory:
        """Of the process that serves."""
        return accounting.largest_memory(self._process.pid)

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self._port)) == 0:
                    return
            time.sleep(0.05)
        tail = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        raise ServerFailed(f"`{' '.join(self._application.command)}` did not come up:\n" + "\n".join(tail))

    def _stop(self) -> None:
        """End all of its session: politely at first, then for certain."""
        _signal_group(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=STOP_WITHIN_SECONDS)
        _signal_group(self._process.pid, signal.SIGKILL)
        self._process.wait()


def environment_of(application: Application) -> dict[str, str]:
    """For commands that prepare what it will serve."""
    return {**inherited(), **application.environment}


def inherited() -> dict[str, str]:
    """The variables that every process needs."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, number)
