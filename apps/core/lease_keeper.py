"""One thread of a process renews the leases of all work at hand. (A thread for each mail took 1 ms of CPU.)"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Protocol

from django.db import connection


class Renewable(Protocol):
    """A lease. It may be renewed by one thread while another ends it."""

    @property
    def renewed_every(self) -> float:
        """Seconds."""

    def renew_if_possible(self) -> bool:
        """False if it is lost or over: then it is not asked again."""

    def end(self) -> None:
        """It is not renewed any more; a renewal that is under way comes to its end first."""


class Keeper:
    """Its thread starts with the first lease, and sleeps while there are none."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._due: dict[Renewable, float] = {}  # when each is renewed next (time.monotonic)
        self._wakes_at = math.inf
        self._has_thread = False

    @contextmanager
    def keeping(self, lease: Renewable) -> Iterator[None]:
        self._add(lease)
        try:
            yield
        finally:
            with self._changed:
                self._due.pop(lease, None)
            lease.end()

    def _add(self, lease: Renewable) -> None:
        due = time.monotonic() + lease.renewed_every
        with self._changed:
            self._due[lease] = due
            if not self._has_thread:
                Thread(target=self._keep, name="lease-keeper", daemon=True).start()
                self._has_thread = True  # unless the system allows no other
            elif due < self._wakes_at:
                self._changed.notify()

    def _keep(self) -> None:
        while True:
            for lease in self._wait_for_those_due():
                if not lease.renew_if_possible():
                    with self._changed:
                        self._due.pop(lease, None)
            connection.close()  # this thread's own: the next renewal is seconds away, if there ever is one

    def _wait_for_those_due(self) -> list[Renewable]:
        with self._changed:
            while not (due := [lease for lease, at in self._due.items() if at <= time.monotonic()]):
                self._wakes_at = min(self._due.values(), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else max(0.0, self._wakes_at - time.monotonic()))
            for lease in due:
                self._due[lease] = time.monotonic() + lease.renewed_every
            return due


class _OfThisProcess:
    """A child of this process has no thread of its parent's."""

    keeper = Keeper()


def _begin_anew() -> None:
    _OfThisProcess.keeper = Keeper()


os.register_at_fork(after_in_child=_begin_anew)


@contextmanager
def keeping(lease: Renewable) -> Iterator[None]:
    """Renew this lease for as long as the block runs."""
    with _OfThisProcess.keeper.keeping(lease):
        yield
