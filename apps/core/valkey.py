"""The one door to Valkey: the client, the names of keys, atomic scripts, and what to do when it is away."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha1
from itertools import zip_longest
from typing import Any
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django_redis import get_redis_connection

from apps.core.errors import TemporarilyUnavailable

log = structlog.get_logger(__name__)

# A server that answers, but cannot do its work now: a primary that became a replica, a full memory or disk, a busy script.
NOT_SERVING = (
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.NoPermissionError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
    redis.exceptions.RedisClusterException,  # no node answers, or none has this slot
)
ONCE_A_MINUTE = 60  # seconds
KEYS_AT_ONCE = 1000
WRONG_TYPE = "WRONGTYPE"  # what is under a key is of another type than the command is for
NOT_SERVING_CODES = ("MISCONF", "NOREPLICAS", "BUSY ", "NOAUTH")  # redis-py has no types for these


class _OfThisThread(threading.local):
    """The thread's client, and the setting it is made of; its own connection, and the pool that it is like."""

    configured: Any = None
    client: Any = None
    pool: Any = None
    connection: Any = None


_of_this_thread = _OfThisThread()


class ValkeyUnavailable(TemporarilyUnavailable):
    """Valkey did not answer. Endpoints that cannot do without it answer 503 temporarily_unavailable."""


def client() -> redis.Redis:
    """The thread's client, of a pool that the process has. Wrap its use in `reachable()`.

    Django finds it by thread and alias: 7 µs, several times a command.
    """
    mine, configured = _of_this_thread, settings.CACHES
    if mine.configured is not configured:
        mine.configured, mine.client = configured, get_redis_connection("default")
    found: redis.Redis = mine.client
    return found


def key(tag: UUID | str, *parts: str) -> str:
    """`gatehouse:{<tag>}:<part>:<part>`. The tag (a customer's id) keeps the keys of one request in one cluster slot."""
    return ":".join((f"gatehouse:{{{tag}}}", *parts))


def is_cluster() -> bool:
    """Whether a script's keys must all be of one slot."""
    return not isinstance(client(), redis.Redis)


@contextmanager
def reachable() -> Iterator[None]:
    """Translate a lost or slow Valkey, or one that refuses to work, into ValkeyUnavailable."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ValkeyUnavailable from error
    except (redis.ResponseError, redis.exceptions.RedisClusterException) as error:
        if not _serves_nobody(error):
            raise
        log.error("valkey_refuses", error=str(error))  # noqa: TRY400  (the trace says less than the server's own words)
        raise ValkeyUnavailable from error


def _serves_nobody(error: Exception) -> bool:
    return isinstance(error, NOT_SERVING) or str(error).startswith(NOT_SERVING_CODES)


def take(name: str) -> bytes | None:
    """Take the value out of this key. A value of another type is deleted and counts as absent. Raises ValkeyUnavailable."""
    with reachable():
        try:
            found = _execute("GETDEL", name)
        except redis.ResponseError as error:
            if WRONG_TYPE not in str(error):
                raise
            _delete_unlike({name: "string"})
            return None
    return found if isinstance(found, bytes) else None


def delete(name: str) -> None:
    """Raises ValkeyUnavailable."""
    with reachable():
        _execute("DEL", name)


def forget(tag: UUID | str) -> None:
    """Delete every key of this tag. It reads the names of all keys, a few at a time, and holds nobody up. Raises ValkeyUnavailable."""
    with reachable():
        some: list[bytes] = []
        for name in client().scan_iter(match=key(tag, "*"), count=KEYS_AT_ONCE):
            some.append(name)
            if len(some) == KEYS_AT_ONCE:
                client().unlink(*some)
                some.clear()
        if some:
            client().unlink(*some)


def is_first(name: str, *, within: int, in_doubt: bool | None = None) -> bool:
    """Whether this name is used for the first time within so many seconds.

    `in_doubt`: the answer without Valkey. If there is none, raises ValkeyUnavailable.
    """
    try:
        with reachable():
            return bool(_execute("SET", name, b"1", "NX", "EX", within))
    except ValkeyUnavailable:
        if in_doubt is None:
            raise
        return in_doubt


def is_first_this_minute(tag: UUID | str, *what: str) -> bool:
    """Whether this is the first time within a minute, among all processes. What strangers can cause is written down so often.

    Without Valkey the answer is no: else an outage would let anybody fill the log.
    """
    return is_first(key(tag, *what), within=ONCE_A_MINUTE, in_doubt=False)


class Script:
    """A Lua script: one atomic step, one round trip once Valkey knows it.

    `kinds`: the types of its keys; the last one stands for all further keys. Running the script twice with the same arguments
    must do no more than running it once: that happens when a key turns out to be of another type.
    """

    def __init__(self, source: str, *, kinds: Sequence[str]) -> None:
        self.source = source
        self.kinds = kinds

    @cached_property
    def _sha(self) -> str:
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()  # the name that Valkey gives it

    def __call__(self, *, keys: Sequence[str], args: Sequence[str | bytes | int | float] = ()) -> Any:
        """Run it. A key of another type is deleted, and counts as absent. Raises ValkeyUnavailable."""
        with reachable():
            try:
                return self._run(keys, args)
            except redis.ResponseError as error:
                if WRONG_TYPE not in str(error):
                    raise
            _delete_unlike(dict(zip_longest(keys, self.kinds[: len(keys)], fillvalue=self.kinds[-1])))
            return self._run(keys, args)

    def _run(self, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:
        try:
            return _execute("EVALSHA", self._sha, len(keys), *keys, *args)
        except redis.exceptions.NoScriptError:
            return _execute("EVAL", self.source, len(keys), *keys, *args)


def _execute(*command: str | bytes | float) -> Any:
    """Send a command, and wait for its answer: by a connection that the thread keeps.

    redis-py's way to one takes more than half of a command's CPU (lending, measuring, repeating). A cluster's client must find the
    node first, and is left to it.
    """
    server = client()
    if is_cluster():
        execute: Callable[..., Any] = server.execute_command
        return execute(*command)
    connection = _connection_like(server.connection_pool)
    with _left_if_in_doubt(connection):
        connection.send_command(*command)
        return connection.read_response()


@contextmanager
def _left_if_in_doubt(connection: Any) -> Iterator[None]:
    """The next command connects anew, if an answer that nobody has read may still come: it would be taken for that command's own.

    Also if the server serves nobody any more: its name may lead to another one by now.
    """
    try:
        yield
    except redis.ResponseError as error:  # an answer, and all of it
        if _serves_nobody(error):
            connection.disconnect()
        raise
    except BaseException:
        connection.disconnect()
        raise


def _connection_like(pool: redis.ConnectionPool) -> Any:
    """The thread's connection. Lost, or with an answer that nobody has read, it connects anew, as redis-py's pool does it."""
    mine = _of_this_thread
    if mine.pool is not pool or mine.connection.pid != os.getpid():
        mine.pool, mine.connection = pool, pool.connection_class(**pool.connection_kwargs)
    elif _is_spoilt(mine.connection):
        mine.connection.disconnect()
    return mine.connection


def _is_spoilt(connection: Any) -> bool:
    try:
        return bool(connection.can_read())
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        return True


def _delete_unlike(kinds: Mapping[str, str]) -> None:
    """Delete the keys that have another type than they should: another version wrote them, or nobody we know."""
    with client().pipeline(transaction=False) as pipeline:
        for name in kinds:
            pipeline.type(name)
        found = dict(zip(kinds, pipeline.execute(), strict=True))
    unlike = [name for name, kind in kinds.items() if found[name].decode() not in (kind, "none")]
    log.error("valkey_value_unreadable", keys=unlike)
    if unlike:
        client().delete(*unlike)
