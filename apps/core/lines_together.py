"""Lines that a busy process writes together: those of some hundredths of a second in one go.

A line by itself cost a call of `GET /verify` 41 µs of CPU, and together with others 25 (eight threads, a busy machine): less
the system call than that it gives up the GIL, so that another thread goes on, and this one finds the caches full of its doings.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.util import Finalize
from typing import Generic, TypeVar

import structlog

Line = TypeVar("Line")
log = structlog.get_logger(__name__)

WAITS_SECONDS = 0.05  # for others: so late a line is at most, and so many are lost if the process is killed
MOST_WAITING = 5_000  # of some 500 bytes; whoever logs more in that time writes, and waits for, all of them


class LinesTogether(Generic[Line]):
    """`write` gets the lines in their order, from one thread at a time. Without lines nothing wakes up."""

    def __init__(self, write: Callable[[Sequence[Line]], None]) -> None:
        self._write = write
        self._waiting: deque[Line] = deque()
        self._some_wait = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._write_for_ever, name="log-writer", daemon=True).start()
        Finalize(None, self.write_all, exitpriority=0)  # at the end of a process, also of a child of multiprocessing

    def put(self, line: Line) -> None:
        """Have it written soon."""
        self._waiting.append(line)
        if not self._some_wait.is_set():
            self._some_wait.set()
        if len(self._waiting) > MOST_WAITING:
            self.write_all()

    def write_all(self) -> None:
        """Write now what waits."""
        with self._writing:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if lines:
                self._write_or_tell(lines)

    def _write_or_tell(self, lines: Sequence[Line]) -> None:
        """What cannot be written ends neither the thread that writes, nor a request that has been answered."""
        try:
            self._write(lines)
        except Exception as error:  # noqa: BLE001  (no memory, for a moment)
            log.error("lines_not_written", number=len(lines), error=type(error).__name__)  # noqa: TRY400

    def _write_for_ever(self) -> None:
        while self._some_wait.wait():
            time.sleep(WAITS_SECONDS)
            self._some_wait.clear()  # before they are taken: one that comes meanwhile is not forgotten
            self.write_all()
