"""The lease: what is remembered counts only while a round trip to PostgreSQL began less than STATE_LEASE_MS ago.

No thread and no timer keeps it. A request that finds it older than half of that renews it; the others go on meanwhile,
and wait only when it has run out. (A thread of its own starves under the GIL: with eight busy threads the lease was 268 ms
old in the median.)
"""

from threading import Lock

import structlog
from django.conf import settings

from apps.core.fixed_settings import made_once
from apps.core.state import clock
from apps.core.state.listener import ANSWER_SECONDS, Listener, ListenerLostError
from apps.core.state.memory import Memory

log = structlog.get_logger(__name__)


@made_once
def duration() -> float:
    """How long what is remembered counts, in seconds."""
    return float(settings.STATE_LEASE_MS) / 1000


class Lease:
    """One for each process."""

    def __init__(self, listener: Listener, memory: Memory) -> None:
        self.began_at = clock.NEVER  # when the latest round trip began; NEVER while nobody listens
        self.heard_at = clock.NEVER  # the same, though the connection has been lost since
        self.checks = 0  # how often it was asked for …
        self.run_out = 0  # … and how often it had run out: both roughly, for threads may count at once
        self._listener = listener
        self._memory = memory
        self._renewing = Lock()

    def age(self) -> float:
        """Seconds since the latest round trip began."""
        return clock.now() - self.began_at

    def holds(self) -> bool:
        """Whether what is remembered counts now. Renews the lease when it is due."""
        self.checks += 1
        asked_at, lasts = clock.now(), duration()
        age = asked_at - self.began_at
        if age < lasts / 2:
            return True
        if age >= lasts:
            self.run_out += 1
        self._renew(asked_at, wait=age >= lasts and self._listener.is_connected)
        # A trip that began after we were asked has brought all that we must know, however long it took.
        return self.age() < lasts or self.began_at >= asked_at

    def renew_if_idle(self) -> None:
        """For a process without requests: a listener that does not read lets PostgreSQL's notification queue fill up."""
        if self._listener.is_connected:
            self._renew(clock.now(), wait=False)

    def close(self) -> None:
        """Hang up, and forget everything."""
        with self._renewing:
            self._listener.close()
            self._lose()

    def _renew(self, asked_at: float, *, wait: bool) -> None:
        if not self._renewing.acquire(blocking=wait, timeout=ANSWER_SECONDS if wait else -1):
            return
        try:
            if self.began_at < asked_at and self.age() >= duration() / 2:  # else another thread has done it meanwhile
                self._hear()
        finally:
            self._renewing.release()

    def _hear(self) -> None:
        if not (self._listener.is_connected or self._listener.may_connect):
            return
        try:
            if not self._listener.is_connected:
                self._connect()
            began = clock.now()  # of the way there: a commit while the answer is on its way is not in it
            announced = self._listener.hear()
        except ListenerLostError as error:
            self._lose()
            log.warning("state_listener_lost", reason=type(error).__name__, cause=repr(error.__cause__))
            return
        if announced:
            self._memory.forget(announced)
        self.began_at = self.heard_at = began  # only now: until here another thread must not trust what it finds

    def _connect(self) -> None:
        """Raises ListenerLostError."""
        self._listener.connect()
        self._memory.forget_everything()  # what was announced before is not known; nothing read before is stored from here on

    def _lose(self) -> None:
        """What is remembered counts no more; it is kept only for STATE_GRACE_SECONDS."""
        self.began_at = clock.NEVER
        if not settings.STATE_GRACE_SECONDS:
            self._memory.forget_everything()
