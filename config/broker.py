"""What kombu 5.7.0 lacks with Valkey as the broker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis


class ForgivingQoS(redis.QoS):
    """Closing a channel gives its unacknowledged tasks back. Without the broker that raises, but leaves them noted as restored.

    Then the next close fails an assertion (`assert not state`). Celery does not take that for a lost connection, and the worker
    ends. The tasks are not lost: the broker still has them, and gives them back after `visibility_timeout`.
    """

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except redis.get_redis_error_classes().connection_errors:
            if self._delivered is not None:
                self._delivered.clear()


class PublishingChannel(redis.Channel):
    """Publishes with one client. Kombu makes one for each message, which costs as much as the rest (190 µs of 420)."""

    _create_client: Callable[[], Any]  # of the base class, which has no types
    _made: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        yield client or self._own_client()

    def _own_client(self) -> Any:
        """Of the present pool, which a lost connection replaces."""
        if self._made is None or self._made.connection_pool is not self.pool:
            self._made = self._create_client()
        return self._made


def amend_kombu() -> None:
    redis.Channel.QoS = ForgivingQoS
    redis.Transport.Channel = PublishingChannel
