"""What processes have used, from the kernel: CPU time and memory of a process and all that descend from it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """One line of /proc/PID/stat (proc_pid_stat(5))."""

    pid: int
    parent: int
    cpu_seconds: float  # its own to the microsecond, and in ticks that of children that have ended and were waited for
    resident_bytes: int


def cpu_seconds(root: int) -> float:
    """CPU time so far of this process and its descendants; nothing is lost when a child ends."""
    return sum(process.cpu_seconds for process in tree(root))


@dataclass(frozen=True)
class Memory:
    """Of a process, in bytes: all that is in memory, and what of that is its own, not pages of programs' files.

    Those the kernel has once for all processes, and gives up before anything of a process's own.
    """

    resident: int
    own: int


def largest_memory(root: int) -> Memory:
    """Memory of the largest process of this tree: of granian's, the worker."""
    largest = max(tree(root), key=lambda process: process.resident_bytes, default=None)
    return Memory(largest.resident_bytes, own=_own_bytes(largest.pid)) if largest else Memory(0, 0)


def _own_bytes(pid: int) -> int:
    """RssAnon of proc_pid_status(5)."""
    try:
        text = (PROCESSES / str(pid) / "status").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def tree(root: int) -> list[Process]:
    """This process and its descendants."""
    everybody = _everybody()
    found = [process for process in everybody if process.pid == root]
    for process in found:  # grows while it is walked
        found.extend(child for child in everybody if child.parent == process.pid)
    return found


def _everybody() -> list[Process]:
    pids = (entry.name for entry in PROCESSES.iterdir() if entry.name.isdigit())
    return [process for pid in pids if (process := _read(int(pid)))]


def _read(pid: int) -> Process | None:
    try:
        text = (PROCESSES / str(pid) / "stat").read_text()
        own = time.clock_gettime(_clock_of(pid))
    except OSError:  # it has ended meanwhile
        return None
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and brackets
    of_children = sum(map(int, fields[13:15])) / TICKS_A_SECOND
    return Process(
        pid=pid, parent=int(fields[1]), cpu_seconds=own + of_children, resident_bytes=int(fields[21]) * PAGE_BYTES
    )


def _clock_of(pid: int) -> int:
    """The process's CPU clock (clock_getcpuclockid(3)). /proc rounds down to ticks of 10 ms, each of PostgreSQL's processes for itself."""
    return (~pid << 3) | 2
