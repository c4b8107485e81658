"""Conversations with mail servers that wait for the next mail, since to begin one costs more than to send a mail.

(Measured with a server on the same machine: DNS, TCP, greetings and goodbye took 3.1 of a mail's 4.6 ms. TLS and the sign-in come
on top.) Whoever sends has one for itself; how many wait is how many were needed at once, and never for long.
"""

import os
import time
from collections import defaultdict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock, Thread

from apps.mail.smtp import Conversation

IDLE_SECONDS = 10.0  # servers wait for 5 minutes (RFC 5321 section 4.5.3.2.7), under stress for 10 seconds (Postfix)
LONGEST_SECONDS = 60.0  # of the whole conversation: then the server's name is looked up again
LOOKED_AT_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class _Idle:
    conversation: Conversation
    since: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        now = time.monotonic()
        return now - self.since > IDLE_SECONDS or now - self.conversation.began_at > LONGEST_SECONDS


class _Waiting:
    """All that wait in this process, by their servers."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_server: defaultdict[Hashable, list[_Idle]] = defaultdict(list)
        self._is_looked_after = False

    def take(self, server: Hashable) -> _Idle | None:
        with self._lock:
            idle = self._by_server[server]
            return idle.pop() if idle else None

    def put(self, server: Hashable, idle: _Idle) -> None:
        with self._lock:
            self._by_server[server].append(idle)
            if not self._is_looked_after:
                self._begin_to_look_after()

    def _begin_to_look_after(self) -> None:
        """Without a thread (the system may allow no other, or the process is ending) `take` alone ends what is over."""
        with suppress(RuntimeError):
            Thread(target=self._look_after, name="idle-conversations", daemon=True).start()
            self._is_looked_after = True

    def take_all(self, *, over: bool) -> list[Conversation]:
        """`over`: only those that have waited for too long."""
        with self._lock:
            taken = [
                (server, idle)
                for server, those in self._by_server.items()
                for idle in those
                if not over or idle.is_over()
            ]
            for server, idle in taken:
                self._by_server[server].remove(idle)
        return [idle.conversation for _, idle in taken]

    def close_all_unlocked(self) -> None:
        """In a child of the process: another thread of the parent's may have held the lock, and none is here to open it."""
        for idle in chain.from_iterable(self._by_server.values()):
            idle.conversation.close()

    def _look_after(self) -> None:
        """Until none is left."""
        while self._goes_on():
            time.sleep(LOOKED_AT_EVERY_SECONDS)
            for conversation in self.take_all(over=True):
                conversation.hang_up()

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_looked_after = any(self._by_server.values())
            return self._is_looked_after


_waiting = _Waiting()


def take(server: Hashable) -> Conversation | None:
    """The one with this server that was used last, for the caller alone. None if there is none that lives."""
    while idle := _waiting.take(server):
        if not idle.is_over() and idle.conversation.is_silent():
            return idle.conversation
        idle.conversation.close()
    return None


def keep(server: Hashable, conversation: Conversation) -> None:
    """For the next mail to this server."""
    _waiting.put(server, _Idle(conversation))


def hang_up() -> None:
    """Say goodbye to all."""
    for conversation in _waiting.take_all(over=False):
        conversation.hang_up()


def _forget_the_parents() -> None:
    """They go on, and a goodbye would end them."""
    global _waiting
    parents, _waiting = _waiting, _Waiting()
    parents.close_all_unlocked()


os.register_at_fork(after_in_child=_forget_the_parents)
