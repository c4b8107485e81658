"""What a killed predecessor may have left: processes that still work in an engine's folder.

Two servers on one data folder would ruin it, so the next may start only when these have ended. The keeper's lock
excludes a living rival, so any process found is an orphan. PIDs in lock files are not trusted: after a reboot they
may belong to other processes.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from config.embedded.places import EmbeddedEngineError

EACH_SIGNAL_MAY_TAKE_SECONDS = 5
PROCESSES = Path("/proc")


def end_orphans(folder: Path, *, program: str, stop_signal: signal.Signals) -> None:
    """End every process of `program` that works in `folder`. Raises EmbeddedEngineError if one stays."""
    for number in (stop_signal, signal.SIGQUIT, signal.SIGKILL):
        for pid in orphans(folder, program=program):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if _all_ended(folder, program=program):
            return
    raise EmbeddedEngineError(
        f"An old {program} ({orphans(folder, program=program)}) still works in {folder} and cannot be ended. "
        "End it, and start again."
    )


def orphans(folder: Path, *, program: str) -> list[int]:
    """The PIDs of the processes of `program` whose working directory is `folder`."""
    if not (PROCESSES / "self").exists():
        return _orphans_by_command_line(folder, program)
    place = folder.resolve()
    return [
        int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdigit() and _works_in(place, entry, program)
    ]


def _all_ended(folder: Path, *, program: str) -> bool:
    deadline = time.monotonic() + EACH_SIGNAL_MAY_TAKE_SECONDS
    while orphans(folder, program=program):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _works_in(place: Path, process: Path, program: str) -> bool:
    """Program and folder must both match: a person's shell may be in the folder too. ("(deleted)" follows the name after an upgrade.)"""
    try:
        is_ours = (process / "exe").readlink().name.removesuffix(" (deleted)") == program
        return is_ours and (process / "cwd").readlink() == place
    except OSError:  # ended meanwhile, or we may not look at it
        return False


def _orphans_by_command_line(folder: Path, program: str) -> list[int]:
    """Where there is no /proc (macOS): the servers name their folders on their command lines."""
    listing = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False)  # noqa: S607
    found = (line.split(maxsplit=1) for line in listing.stdout.splitlines() if str(folder.parent) in line)
    return [int(pid) for pid, command in found if Path(command.split()[0].rstrip(":")).name == program]
