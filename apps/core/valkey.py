"""The one door to Valkey: the client, the names of keys, atomic scripts, and what to do when it is away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

import redis
import structlog
from django_redis import get_redis_connection

from apps.core import connections
from apps.core.errors import TemporarilyUnavailable

log = structlog.get_logger(__name__)

# A server that answers, but cannot do its work now: a primary that became a replica, a full memory or disk, a busy script.
NOT_SERVING = (
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.NoPermissionError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
)
NOT_SERVING_CODES = ("MISCONF", "NOREPLICAS", "BUSY ", "NOAUTH")  # redis-py has no types for these


class ValkeyUnavailable(TemporarilyUnavailable):
    """Valkey did not answer. Endpoints that cannot do without it answer 503 temporarily_unavailable."""


def client() -> redis.Redis:
    """The process's pooled client. Wrap its use in `reachable()`."""
    connection: redis.Redis = get_redis_connection("default")
    return connection


def key(tag: UUID | str, *parts: str) -> str:
    """`gatehouse:{<tag>}:<part>:<part>`. The tag (a customer's id) keeps one request's keys in one cluster slot."""
    return ":".join((f"gatehouse:{{{tag}}}", *parts))


def run_id() -> str:
    """Which run of the server this thread was answered by last; another one after a restart or a failover."""
    return connections.run.id


@contextmanager
def reachable() -> Iterator[None]:
    """Translate a lost or slow Valkey, or one that refuses to work, into ValkeyUnavailable."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise ValkeyUnavailable from error
    except redis.ResponseError as error:
        if not (isinstance(error, NOT_SERVING) or str(error).startswith(NOT_SERVING_CODES)):
            raise
        log.error("valkey_refuses", error=str(error))  # noqa: TRY400  (the trace says less than the server's own words)
        raise ValkeyUnavailable from error


def is_first(name: str, *, within: int, in_doubt: bool) -> bool:
    """Whether nobody has asked so by this name within so many seconds. `in_doubt`: what is said without Valkey."""
    try:
        with reachable():
            return bool(client().set(name, b"1", nx=True, ex=within))
    except ValkeyUnavailable:
        return in_doubt


class Script:
    """A Lua script: one atomic step, one round trip once Valkey knows it."""

    def __init__(self, source: str) -> None:
        self.source = source

    @cached_property
    def _registered(self) -> Any:
        return client().register_script(self.source)

    def __call__(self, *, keys: Sequence[str], args: Sequence[str | bytes | int | float] = ()) -> Any:
        """Run it. Raises ValkeyUnavailable."""
        with reachable():
            return self._registered(keys=list(keys), args=list(args), client=client())
