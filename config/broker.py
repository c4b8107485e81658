"""What kombu 5.7.0 lacks when Valkey, as the broker, goes away while a worker has unacknowledged tasks."""

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


def forgive_lost_brokers() -> None:
    redis.Channel.QoS = ForgivingQoS
