"""What each process has one of: its memory, its listener, and the lease between them."""

import os
import time
from threading import Lock, Thread

from django.conf import settings

from apps.core.state.lease import Lease
from apps.core.state.listener import Listener
from apps.core.state.memory import Memory

IDLE_SECONDS = 5.0


class Process:
    """The memory of this process, and how it hears what has changed."""

    def __init__(self) -> None:
        self.memory = Memory(most=settings.STATE_MOST_REMEMBERED)
        self.listener = Listener()
        self.lease = Lease(self.listener, self.memory)
        self._starting = Lock()
        self._reader: Thread | None = None

    def may_trust_memory(self) -> bool:
        """Whether what is remembered counts at this moment."""
        if self._reader is None:
            self._start_reader()
        return self.lease.holds()

    def _start_reader(self) -> None:
        with self._starting:
            if self._reader is None:
                self._reader = Thread(target=self._read_when_idle, name="state-reader", daemon=True)
                self._reader.start()

    def _read_when_idle(self) -> None:
        """Keeps no lease: it only empties the connection of a process that nobody asks anything."""
        while True:
            time.sleep(IDLE_SECONDS)
            self.lease.renew_if_idle()


class _Present:
    process = Process()


def present() -> Process:
    """This process's."""
    return _Present.process


def _begin_anew() -> None:
    """In a child after a fork: the connection is the parent's, the thread has gone, and locks may be held for ever."""
    _Present.process.listener.abandon()
    _Present.process = Process()


os.register_at_fork(after_in_child=_begin_anew)
