"""Makes sure that nothing of a killed predecessor still works on an engine's folder before the next engine starts there.

An engine and all its children inherit a locked file, which the kernel frees with the last of them. That is certain where a PID in
a lock file is not: after a kill -9 or a reboot the number may be anybody's.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from config.embedded.places import EmbeddedEngineError

PROC = Path("/proc")
ENGINE_PROGRAMS = {"postgres", "initdb", "valkey-server"}
# A predecessor whose keeper died has been told to end by the kernel; it is told again, then ended for certain.
UNTOLD_SECONDS, TOLD_SECONDS, KILLED_SECONDS = 3.0, 8.0, 3.0


def take_over(path: Path, *, folder: Path, stop_signal: signal.Signals) -> TextIO:
    """The file at `path`, open and locked, once no process of a predecessor holds it. Raises EmbeddedEngineError."""
    file = path.open("a+", encoding="ascii")
    for number, seconds in ((None, UNTOLD_SECONDS), (stop_signal, TOLD_SECONDS), (signal.SIGKILL, KILLED_SECONDS)):
        if number is not None:
            _signal_all(_living(path, folder), number)
        if _locked_within(file, seconds):
            return file
    file.close()
    raise EmbeddedEngineError(
        f"Processes of an earlier server still work on {folder} and cannot be ended. End them, and start again."
    )


def note_pid(file: TextIO, pid: int) -> None:
    """Write down who works on the folder from now on."""
    file.truncate(0)
    file.write(str(pid))
    file.flush()


def _locked_within(file: TextIO, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def _signal_all(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _living(path: Path, folder: Path) -> set[int]:
    found = set(_working_in(folder))
    with suppress(OSError, ValueError):
        noted = int(path.read_text(encoding="ascii"))
        if str(folder) in _command_line(noted):
            found.add(noted)
    return found


def _working_in(folder: Path) -> Iterator[int]:
    """PostgreSQL's backends change their command line, so they are known by program and working directory (Linux)."""
    for process in PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is not ours to look at
            program = Path(str((process / "exe").readlink()).removesuffix(" (deleted)")).name
            if program in ENGINE_PROGRAMS and (process / "cwd").readlink() == folder.resolve():
                yield int(process.name)


def _command_line(pid: int) -> str:
    if PROC.joinpath("self").exists():
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    ps = ["ps", "-o", "command=", "-p", str(pid)]
    return subprocess.run(ps, capture_output=True, text=True, check=False).stdout  # noqa: S603  (macOS)
