"""The demo's child processes: each has its own log, and all end with the demo, even when it is killed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from config.environment import PROJECT_ROOT

PR_SET_PDEATHSIG = 1  # prctl(2)
STOP_WITHIN_SECONDS = 8
LOG_TAIL_LINES = 15


class ProcessFailed(Exception):
    """A command failed, or a process ended or did not come up. The message ends with the tail of its log."""


def run(command: Sequence[str], *, environment: Mapping[str, str]) -> None:
    """Run a command to its end. Raises ProcessFailed with what it printed."""
    result = subprocess.run(
        command, cwd=PROJECT_ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ProcessFailed(f"`{' '.join(command[1:])}` failed:\n{result.stdout}{result.stderr}".rstrip())


def _end_with_parent() -> None:
    """Ask the kernel to end this child when its parent dies, kill -9 included (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """A context in which processes run. Leaving it stops them, the last one first."""

    def __init__(self, *, log_dir: Path, environment: Mapping[str, str]) -> None:
        self._log_dir = log_dir
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], *inherited: socket.socket) -> None:
        """Start a process in a session of its own, so that Ctrl-C reaches the demo alone, which then stops it."""
        with (self._log_dir / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,
                pass_fds=[each.fileno() for each in inherited],
            )

    def wait_until_ready(self, url: str, *, within_seconds: float) -> None:
        """Wait for a 200 from `url`. Raises ProcessFailed when a process ends first, or time runs out."""
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            self.check()
            if _answers(url):
                return
            time.sleep(0.1)
        raise ProcessFailed(f"{url} did not answer within {within_seconds:.0f} s.\n{self._tail('web')}")

    def watch(self) -> None:
        """Wait until one of the processes ends, and raise ProcessFailed then."""
        while True:
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        """Raise ProcessFailed if one of the processes has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessFailed(f"{name} ended with exit code {process.returncode}.\n{self._tail(name)}")

    def stop(self) -> None:
        """End every process: politely at first, then for certain."""
        for process in reversed(self._running.values()):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_SECONDS
        for process in self._running.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def _tail(self, name: str) -> str:
        lines = (self._log_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)
