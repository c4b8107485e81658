"""How connections to Valkey are made: no silent retries."""

from typing import Any

from django_redis.pool import ConnectionFactory as DjangoRedisConnectionFactory
from redis.backoff import NoBackoff
from redis.retry import Retry


class ConnectionFactory(DjangoRedisConnectionFactory):
    """Named by the setting DJANGO_REDIS_CONNECTION_FACTORY."""

    def make_connection_params(self, url: str) -> dict[str, Any]:
        params: dict[str, Any] = super().make_connection_params(url)
        # A retried script would count twice; a caller that must wait for a dead Valkey cannot answer 503 in time.
        return {**params, "retry": Retry(NoBackoff(), 0), "max_connections": 512}
